//! Rates: how many queries and tokens a citizen may ask for in a minute. Each is a bucket that fills evenly and holds a minute's
//! worth. A query needs its place and its likely tokens to be there; what its answer takes is drawn afterwards, below empty if
//! need be, so that the next waits.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use lab3_units::Did;

/// Units of a bucket that make one query or token: what a rate of one a minute adds in a millisecond is one unit.
const UNITS: i64 = 60_000;

/// Citizens remembered; with more, those whose buckets are full are forgotten, which changes nothing.
const CITIZENS_MAX: usize = 1 << 14;

/// How much a citizen may ask for in a minute; 0 is as much as anybody likes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RateLimits {
    /// Queries.
    pub queries_per_minute: u32,
    /// Tokens, of queries and answers.
    pub tokens_per_minute: u32,
}

/// The buckets.
#[derive(Debug)]
pub(crate) struct Rates {
    limits: RateLimits,
    buckets: Mutex<HashMap<Did, Buckets>>,
}

#[derive(Clone, Copy, Debug)]
struct Buckets {
    queries: i64,
    tokens: i64,
    at: Instant,
}

impl Rates {
    pub(crate) fn new(limits: RateLimits) -> Self {
        Self { limits, buckets: Mutex::default() }
    }

    fn is_unlimited(&self) -> bool {
        self.limits == RateLimits::default()
    }

    /// Lets a query of about so many tokens pass, or says how long it has to wait.
    pub(crate) fn admit(&self, citizen: &Did, tokens: u64, now: Instant) -> Result<(), Duration> {
        if self.is_unlimited() {
            return Ok(());
        }
        self.with(citizen, now, |limits, buckets| {
            let (queries_rate, tokens_rate) = (i64::from(limits.queries_per_minute), i64::from(limits.tokens_per_minute));
            // A query larger than a minute's worth passes when the bucket is full.
            let tokens = units(tokens).min(tokens_rate * UNITS);
            let wait = wait(buckets.queries, UNITS, queries_rate).max(wait(buckets.tokens, tokens, tokens_rate));
            if wait > Duration::ZERO {
                return Err(wait);
            }
            buckets.queries -= if queries_rate == 0 { 0 } else { UNITS };
            buckets.tokens -= tokens;
            Ok(())
        })
    }

    /// Draws what a query took beyond what it was let pass for; what it did not take comes back.
    pub(crate) fn settle(&self, citizen: &Did, admitted: u64, taken: u64, now: Instant) {
        if self.is_unlimited() {
            return;
        }
        self.with(citizen, now, |limits, buckets| {
            let full = i64::from(limits.tokens_per_minute) * UNITS;
            let difference = units(admitted).min(full) - units(taken);
            buckets.tokens = buckets.tokens.saturating_add(difference).min(full);
        });
    }

    fn with<T>(&self, citizen: &Did, now: Instant, work: impl FnOnce(RateLimits, &mut Buckets) -> T) -> T {
        let mut all = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let limits = self.limits;
        let full =
            Buckets { queries: i64::from(limits.queries_per_minute) * UNITS, tokens: i64::from(limits.tokens_per_minute) * UNITS, at: now };
        if all.len() >= CITIZENS_MAX && !all.contains_key(citizen) {
            all.retain(|_, buckets| {
                buckets.fill(limits, now);
                buckets.queries < full.queries || buckets.tokens < full.tokens
            });
        }
        let buckets = all.entry(citizen.clone()).or_insert(full);
        buckets.fill(limits, now);
        work(limits, buckets)
    }
}

impl Buckets {
    fn fill(&mut self, limits: RateLimits, now: Instant) {
        let elapsed = i64::try_from(now.saturating_duration_since(self.at).as_millis()).unwrap_or(i64::MAX);
        // Less than a millisecond is kept for the next time.
        self.at += Duration::from_millis(u64::try_from(elapsed).unwrap_or(0));
        for (level, rate) in [(&mut self.queries, limits.queries_per_minute), (&mut self.tokens, limits.tokens_per_minute)] {
            let rate = i64::from(rate);
            *level = level.saturating_add(rate.saturating_mul(elapsed)).min(rate * UNITS);
        }
    }
}

fn units(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX).saturating_mul(UNITS)
}

/// How long until a bucket that fills at `rate` has `wanted`; a rate of 0 is no limit.
fn wait(level: i64, wanted: i64, rate: i64) -> Duration {
    if rate == 0 || level >= wanted {
        return Duration::ZERO;
    }
    let missing = wanted.saturating_sub(level);
    Duration::from_millis(u64::try_from(missing / rate + i64::from(missing % rate > 0)).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(queries_per_minute: u32, tokens_per_minute: u32) -> (Rates, Did, Instant) {
        let limits = RateLimits { queries_per_minute, tokens_per_minute };
        (Rates::new(limits), Did::parse("did:kaizen:alice").unwrap(), Instant::now())
    }

    #[test]
    fn a_minute_lets_so_many_queries_pass() {
        let (rates, alice, start) = rates(3, 0);
        for _ in 0..3 {
            assert_eq!(rates.admit(&alice, 1_000_000, start), Ok(()));
        }
        assert_eq!(rates.admit(&alice, 0, start), Err(Duration::from_secs(20)));
        assert_eq!(rates.admit(&Did::parse("did:kaizen:bob").unwrap(), 0, start), Ok(()));
        assert_eq!(rates.admit(&alice, 0, start + Duration::from_secs(19)), Err(Duration::from_secs(1)));
        assert_eq!(rates.admit(&alice, 0, start + Duration::from_secs(20)), Ok(()));
        assert_eq!(rates.admit(&alice, 0, start + Duration::from_secs(20)), Err(Duration::from_secs(20)));
    }

    #[test]
    fn what_an_answer_took_is_waited_for() {
        let (rates, alice, start) = rates(0, 600);
        assert_eq!(rates.admit(&alice, 100, start), Ok(()));
        rates.settle(&alice, 100, 700, start);
        // 100 below empty, and 10 a second.
        assert_eq!(rates.admit(&alice, 50, start), Err(Duration::from_secs(15)));
        rates.settle(&alice, 100, 0, start);
        assert_eq!(rates.admit(&alice, 0, start), Ok(()));
        // More than a minute's worth passes a full bucket.
        assert_eq!(rates.admit(&alice, 5000, start + Duration::from_mins(2)), Ok(()));
        assert_eq!(rates.admit(&alice, 1, start + Duration::from_mins(2)), Err(Duration::from_millis(100)));
    }

    #[test]
    fn who_has_asked_nothing_for_a_minute_is_forgotten() {
        let (rates, _, start) = rates(60, 60);
        for n in 0..CITIZENS_MAX {
            rates.admit(&Did::parse(&format!("did:kaizen:c{n}")).unwrap(), 1, start).unwrap();
        }
        let last = Did::parse("did:kaizen:last").unwrap();
        rates.admit(&last, 1, start + Duration::from_mins(1)).unwrap();
        assert_eq!(rates.buckets.lock().unwrap().len(), 1);
    }
}
