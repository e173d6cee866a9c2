//! A number that is not known exactly: its low, its middle, its high.

use serde::{Deserialize, Serialize};

use super::CarbonError;

/// 0 <= low <= mid <= high, all finite. In JSON `[low, mid, high]`. What it counts, its holder's name says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "[f64; 3]", into = "[f64; 3]")]
pub struct Interval {
    low: f64,
    mid: f64,
    high: f64,
}

impl Interval {
    /// Nothing, for certain.
    pub const ZERO: Interval = Interval { low: 0.0, mid: 0.0, high: 0.0 };

    /// Errors: [`CarbonError::OutOfRange`] unless 0 <= low <= mid <= high < infinity.
    pub fn new(low: f64, mid: f64, high: f64) -> Result<Self, CarbonError> {
        let ordered = 0.0 <= low && low <= mid && mid <= high && high.is_finite();
        if ordered { Ok(Self { low, mid, high }) } else { Err(CarbonError::OutOfRange("an interval")) }
    }

    /// A number taken for exact. Errors: it is below zero or not finite.
    pub fn exact(value: f64) -> Result<Self, CarbonError> {
        Self::new(value, value, value)
    }

    /// All that is known are its ends: the middle is their mean. Errors: as [`Interval::new`].
    pub fn between(low: f64, high: f64) -> Result<Self, CarbonError> {
        // Not (low + high) / 2, which overflows first, nor always low + (high - low) / 2, which can pass high by a digit.
        Self::new(low, (low / 2.0 + high / 2.0).clamp(low.min(high), high.max(low)), high)
    }

    /// The low end.
    pub fn low(self) -> f64 {
        self.low
    }

    /// The best guess.
    pub fn mid(self) -> f64 {
        self.mid
    }

    /// The high end.
    pub fn high(self) -> f64 {
        self.high
    }

    /// Wider by a relative spread on both sides (0.1: a tenth below the low, a tenth above the high). Past one the low stays at zero.
    ///
    /// Errors: the spread is below zero or not finite.
    pub fn widened(self, spread: f64) -> Result<Self, CarbonError> {
        if !(spread >= 0.0 && spread.is_finite()) {
            return Err(CarbonError::OutOfRange("a spread"));
        }
        Self::new(self.low * (1.0 - spread).max(0.0), self.mid, self.high * (1.0 + spread))
    }

    /// So many times as much. Errors: the factor is below zero, or the product is not finite.
    pub fn times(self, factor: f64) -> Result<Self, CarbonError> {
        Self::new(self.low * factor, self.mid * factor, self.high * factor)
    }

    /// The sum, for parts that err together: low and low, high and high. Errors: it is not finite.
    pub fn plus(self, other: Self) -> Result<Self, CarbonError> {
        Self::new(self.low + other.low, self.mid + other.mid, self.high + other.high)
    }

    /// The product end by end, which for numbers of zero and more is the widest there is. Errors: it is not finite.
    pub fn product(self, other: Self) -> Result<Self, CarbonError> {
        Self::new(self.low * other.low, self.mid * other.mid, self.high * other.high)
    }
}

impl TryFrom<[f64; 3]> for Interval {
    type Error = CarbonError;

    fn try_from([low, mid, high]: [f64; 3]) -> Result<Self, CarbonError> {
        Self::new(low, mid, high)
    }
}

impl From<Interval> for [f64; 3] {
    fn from(interval: Interval) -> Self {
        [interval.low, interval.mid, interval.high]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_ordered_finite_and_not_below_zero() {
        for (low, mid, high) in [(2.0, 1.0, 3.0), (1.0, 4.0, 3.0), (-1.0, 0.0, 1.0), (0.0, 0.0, f64::INFINITY), (f64::NAN, 1.0, 2.0)] {
            assert_eq!(Interval::new(low, mid, high), Err(CarbonError::OutOfRange("an interval")), "{low} {mid} {high}");
        }
        assert!(serde_json::from_str::<Interval>("[1.0, 2.0, 3.0]").is_ok());
        assert!(serde_json::from_str::<Interval>("[3.0, 2.0, 1.0]").is_err());
    }

    #[test]
    fn what_is_computed_with_intervals_stays_in_order() {
        let one = Interval::between(1.0, 3.0).unwrap();
        assert_eq!(Ok(one), Interval::new(1.0, 2.0, 3.0));
        assert_eq!(one.widened(0.5), Interval::new(0.5, 2.0, 4.5));
        assert_eq!(one.widened(2.0), Interval::new(0.0, 2.0, 9.0));
        assert_eq!(one.product(one), Interval::new(1.0, 4.0, 9.0));
        assert_eq!(one.plus(one), Interval::new(2.0, 4.0, 6.0));
        assert!(one.times(-1.0).is_err() && one.times(f64::INFINITY).is_err() && one.widened(f64::NAN).is_err());
    }
}
