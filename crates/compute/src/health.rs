//! Health: what reports have told about a provider, and what to expect of it next.
//!
//! Reports are remembered with a weight, in thousandths of a report. A new report weighs 1000; each new one takes 1/50 from
//! the weight of all before it, so that at most 50 reports count ([`WINDOW`]); and weight halves in every 30 minutes that pass
//! ([`HALF_LIFE_MS`]; a straight line between the halvings). What is expected is the weighted mean of the reports and of the
//! operator's figure, which weighs five reports ([`PRIOR`]):
//!
//! ```text
//! reliability = (successes + 5 * stated) / (reports + 5)        latency = (sum of latencies + 5 * stated) / (timed + 5)
//! ```
//!
//! So a provider nobody reports on is worth what the operator says, one with many reports what those say, and one that went
//! quiet returns to the operator's figure. Integers only: the same everywhere, bit for bit.

use lab3_units::{Ratio, Time};
use serde::{Deserialize, Serialize};

use crate::Circuit;

/// The weight of one report.
const REPORT: u64 = 1000;

/// How many reports count at most.
const WINDOW: u64 = 50;

/// The weight of the operator's figure.
const PRIOR: u64 = 5 * REPORT;

/// Milliseconds in which a report loses half its weight.
const HALF_LIFE_MS: u64 = 30 * 60 * 1000;

/// Failures in a row that open the circuit.
const FAILURES_IN_ROW_MAX: u32 = 5;

/// The least weight of reports on which a rate of failures (one half) opens the circuit.
const RATE_REPORTS_MIN: u64 = 10 * REPORT;

/// What reports have told about a provider.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// Weight of the reports remembered, in thousandths of a report.
    pub reports: u64,
    /// Weight of those that succeeded.
    pub successes: u64,
    /// Weight of those that succeeded and told their latency.
    pub timed: u64,
    /// Their latencies: the sum of weight times milliseconds.
    pub latency: u64,
    /// Failures since the last success.
    pub failures_in_row: u32,
    /// Whether queries go there.
    pub circuit: Circuit,
}

impl Health {
    /// The health after a report at `now`, when this was the health at `since`.
    pub(crate) fn reported(self, since: Time, now: Time, success: bool, latency_ms: Option<u32>) -> Self {
        let Self { circuit, .. } = self;
        let old = self.faded(since, now);
        let failures_in_row = if success { 0 } else { old.failures_in_row.saturating_add(1) };
        let mut health = Self { reports: with(old.reports, REPORT), failures_in_row, ..old };
        health.successes = with(old.successes, if success { REPORT } else { 0 });
        if let Some(ms) = latency_ms.filter(|_| success) {
            health.timed = with(old.timed, REPORT);
            health.latency = with(old.latency, REPORT * u64::from(ms));
        }
        health.circuit = circuit.reported(now, success, health.is_failing());
        if circuit != Circuit::Closed && health.circuit == Circuit::Closed {
            // What it did before it recovered would open the circuit again at the next failure.
            (health.reports, health.successes) = (REPORT, REPORT);
        }
        health
    }

    /// The share of queries to expect to succeed at `now`.
    pub(crate) fn reliability(self, since: Time, now: Time, stated: Ratio) -> Ratio {
        let health = self.faded(since, now);
        let millionths = (health.successes * 1_000_000 + PRIOR * u64::from(stated.millionths())) / (health.reports + PRIOR);
        Ratio::from_millionths(u32::try_from(millionths).unwrap_or(u32::MAX))
    }

    /// The latency to expect at `now`, in milliseconds, to the nearest.
    pub(crate) fn latency_ms(self, since: Time, now: Time, stated_ms: u32) -> u32 {
        let health = self.faded(since, now);
        let weight = health.timed + PRIOR;
        u32::try_from((health.latency + PRIOR * u64::from(stated_ms) + weight / 2) / weight).unwrap_or(u32::MAX)
    }

    fn is_failing(self) -> bool {
        let failures = self.reports.saturating_sub(self.successes);
        self.failures_in_row >= FAILURES_IN_ROW_MAX || (self.reports >= RATE_REPORTS_MIN && failures * 2 >= self.reports)
    }

    /// The same after the time that passed.
    fn faded(self, since: Time, now: Time) -> Self {
        let elapsed_ms = now.millis_since(since);
        if elapsed_ms == 0 || self.reports == 0 {
            return self;
        }
        let fade = |weight| faded(weight, elapsed_ms);
        let (reports, successes) = (fade(self.reports), fade(self.successes));
        Self { reports, successes, timed: fade(self.timed), latency: fade(self.latency), ..self }
    }
}

/// What the window holds after something of that weight entered it.
fn with(old: u64, new: u64) -> u64 {
    old - old / WINDOW + new
}

/// Halved for every half-life that passed, in a straight line between.
fn faded(weight: u64, elapsed_ms: u64) -> u64 {
    let halvings = u32::try_from(elapsed_ms / HALF_LIFE_MS).unwrap_or(u32::MAX);
    let halved = u128::from(weight.checked_shr(halvings).unwrap_or(0));
    let lost = halved * u128::from(elapsed_ms % HALF_LIFE_MS) / u128::from(2 * HALF_LIFE_MS);
    u64::try_from(halved - lost).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CircuitState;
    use lab3_units::Duration;

    const START: Time = Time::from_millis(1_000_000);

    fn minutes(minutes: u32) -> Time {
        START.after(Duration::from_secs(minutes * 60))
    }

    /// Health after the reports (`+` success, `-` failure), all at the start; each success took `ms`.
    fn after(reports: &str, ms: u32) -> Health {
        let report = |health: Health, word: char| health.reported(START, START, word == '+', Some(ms));
        reports.chars().fold(Health::default(), report)
    }

    fn check(health: Health, now: Time, reliability: &str, latency_ms: u32) {
        let stated = Ratio::parse("0.99").unwrap();
        let found = (health.reliability(START, now, stated).to_string(), health.latency_ms(START, now, 600));
        assert_eq!(found, (reliability.to_owned(), latency_ms), "{health:?}");
    }

    #[test]
    fn reports_replace_what_the_operator_states_and_time_brings_it_back() {
        check(Health::default(), START, "0.99", 600);
        check(after("+", 600), START, "0.991666", 600);
        check(after("+", 1200), START, "0.991666", 700);
        check(after("-", 1200), START, "0.825", 600);
        let long = after(&"+".repeat(500), 1200);
        check(long, START, "0.99909", 1145);
        check(long, minutes(30), "0.998333", 1100);
        check(long, minutes(60), "0.997142", 1029);
        check(long, minutes(24 * 60), "0.99", 600);
    }

    #[test]
    fn weight_fades_in_a_straight_line_between_halvings() {
        let minute = 60_000;
        for (minutes, left) in [(0, 1000), (15, 750), (30, 500), (45, 375), (60, 250), (30 * 11, 0), (30 * 64, 0), (u64::MAX / minute, 0)] {
            assert_eq!(faded(1000, minutes * minute), left, "{minutes} min");
        }
    }

    #[test]
    fn failures_open_the_circuit() {
        let opens = |reports: &str| after(reports, 600).circuit.state(START) == CircuitState::Open;
        for (reports, expected) in [
            ("----", false),
            ("-----", true),
            ("----+----", false),
            ("++++++++++++-----", true),
            ("+-+-+-+-+-", false), // weight 9.1: too little to judge by rate
            ("+-+-+-+-+-+-", true),
            ("+++-+++-+++-+++-", false),
        ] {
            assert_eq!(opens(reports), expected, "{reports}");
        }
    }

    #[test]
    fn a_provider_that_recovered_starts_afresh() {
        let failed = after("++++++++++++-----", 600);
        let probed = Health { circuit: failed.circuit.let_through(minutes(1)).unwrap(), ..failed };
        let recovered = probed.reported(START, minutes(1), true, None);
        assert_eq!((recovered.circuit, recovered.reports, recovered.successes), (Circuit::Closed, REPORT, REPORT));
        let once_more = recovered.reported(minutes(1), minutes(1), false, None);
        assert_eq!(once_more.circuit, Circuit::Closed, "one failure is not an outage");
    }
}
