//! Buckets: each holds a minute's worth of something and fills evenly. One number says all of a bucket: when it will be full again. So the
//! fullest is what a [`Table`] forgets first, and a forgotten bucket is a full one.

use std::hash::Hash;
use std::time::{Duration, Instant};

use super::table::Table;

/// What a bucket holds.
const FULL: Duration = Duration::from_mins(1);

/// Buckets by name, all filled at one rate.
#[derive(Debug)]
pub(super) struct Buckets {
    /// Time that one piece takes to come, in nanoseconds.
    each: u64,
    began: Instant,
    table: Table,
}

impl Buckets {
    /// Buckets of so many pieces a minute; 0 is no limit, and no buckets.
    pub(super) fn new(per_minute: u32) -> Option<Self> {
        let each = nanos(FULL).checked_div(per_minute.into())?;
        Some(Self { each, began: Instant::now(), table: Table::new() })
    }

    /// Takes a piece, or says how long until there is one.
    pub(super) fn take(&self, name: &impl Hash, now: Instant) -> Result<(), Duration> {
        self.look(name, now, |full_at, with_it| *full_at = with_it)
    }

    /// Whether there is a piece, or how long until then. Takes none.
    pub(super) fn peek(&self, name: &impl Hash, now: Instant) -> Result<(), Duration> {
        self.look(name, now, |_, _| {})
    }

    /// `found` gets the time at which the bucket is full, and the same once a piece was taken.
    fn look(&self, name: &impl Hash, now: Instant, found: impl FnOnce(&mut u64, u64)) -> Result<(), Duration> {
        // From 1: the number 0 is a bucket nobody has met.
        let now = nanos(now.saturating_duration_since(self.began)).saturating_add(1);
        self.table.with(name, |full_at| {
            let with_it = (*full_at).max(now).saturating_add(self.each);
            let missing = with_it - now;
            if missing > nanos(FULL) {
                return Err(Duration::from_nanos(missing - nanos(FULL)));
            }
            found(full_at, with_it);
            Ok(())
        })
    }
}

pub(super) fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minutes_worth_is_there_and_comes_back_evenly() {
        let buckets = Buckets::new(6).unwrap();
        let start = Instant::now();
        for _ in 0..6 {
            assert_eq!((buckets.peek(&"a", start), buckets.take(&"a", start)), (Ok(()), Ok(())));
        }
        let wait = buckets.take(&"a", start).unwrap_err();
        assert_eq!(wait, Duration::from_secs(10));
        assert_eq!(buckets.peek(&"a", start).unwrap_err(), wait);
        assert_eq!(buckets.take(&"b", start), Ok(()));
        assert!(buckets.take(&"a", start + Duration::from_millis(9_999)).is_err());
        assert_eq!(buckets.take(&"a", start + Duration::from_secs(10)), Ok(()));
        assert!(buckets.take(&"a", start + Duration::from_secs(10)).is_err());
        // It never holds more than a minute's worth.
        let later = start + Duration::from_hours(1);
        assert_eq!((0..20).filter(|_| buckets.take(&"a", later).is_ok()).count(), 6);
    }

    #[test]
    fn none_is_no_limit() {
        assert!(Buckets::new(0).is_none());
    }
}
