//! What is printed of several measurements: the one in the middle, and how far they lie apart.

use std::fmt;
use std::time::Duration;

/// Rates of several rounds.
pub struct Rates(Vec<f64>);

impl Rates {
    /// Of rounds in which so many things took so long.
    pub fn of(count: u64, rounds: impl IntoIterator<Item = Duration>) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let count = count as f64;
        let mut rates = rounds.into_iter().map(|elapsed| count / elapsed.as_secs_f64()).collect::<Vec<_>>();
        rates.sort_by(f64::total_cmp);
        Self(rates)
    }

    /// The one in the middle; nothing of none.
    pub fn median(&self) -> f64 {
        self.0.get(self.0.len() / 2).copied().unwrap_or(0.0)
    }
}

impl fmt::Display for Rates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Some(least), Some(most)) = (self.0.first(), self.0.last()) else { return f.write_str("none") };
        write!(f, "{:.0}/s (from {least:.0} to {most:.0})", self.median())
    }
}

/// Times of many acts of one kind.
pub struct Times(Vec<Duration>);

impl Times {
    pub fn of(times: impl IntoIterator<Item = Duration>) -> Self {
        let mut times = times.into_iter().collect::<Vec<_>>();
        times.sort();
        Self(times)
    }

    /// The time that so many of a hundred do not exceed.
    pub fn percentile(&self, percent: usize) -> Duration {
        let place = (self.0.len() * percent / 100).min(self.0.len().saturating_sub(1));
        self.0.get(place).copied().unwrap_or_default()
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last = self.0.last().copied().unwrap_or_default();
        write!(f, "p50 {:.1?}, p99 {:.1?}, longest {last:.1?}", self.percentile(50), self.percentile(99))
    }
}
