//! The slots a plan is made in.

use std::ops::Range;

use lab3_units::Time;

/// Slots of equal length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Horizon {
    /// Where the first slot begins.
    pub start: Time,
    /// How long a slot is, in seconds; never 0.
    pub step_s: u32,
    /// How many slots there are.
    pub count: usize,
}

impl Horizon {
    /// Where a slot begins; past the last, where it would.
    pub fn begin_of(&self, slot: usize) -> Time {
        let slots = i64::try_from(slot).unwrap_or(i64::MAX);
        Time::from_millis(self.start.millis().saturating_add(slots.saturating_mul(self.step_ms())))
    }

    /// The slots that lie whole between two moments.
    pub fn between(&self, from: Time, to: Time) -> Range<usize> {
        let slots = |millis: i64| usize::try_from(millis.max(0)).unwrap_or(0).min(self.count);
        let past = |at: Time| at.millis().saturating_sub(self.start.millis());
        let first = slots(-(-past(from)).div_euclid(self.step_ms()));
        first..slots(past(to).div_euclid(self.step_ms())).max(first)
    }

    /// How many slots a span takes, the last one perhaps in part.
    pub fn slots_of(&self, seconds: u32) -> usize {
        usize::try_from(seconds.div_ceil(self.step_s)).unwrap_or(usize::MAX)
    }

    /// How long a slot is, in hours.
    pub fn step_h(&self) -> f64 {
        f64::from(self.step_s) / 3600.0
    }

    fn step_ms(&self) -> i64 {
        i64::from(self.step_s.max(1)) * 1000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_slots_lie_between() {
        let horizon = Horizon { start: Time::from_millis(10_000), step_s: 10, count: 5 };
        let between = |from: i64, to: i64| horizon.between(Time::from_millis(from * 1000), Time::from_millis(to * 1000));
        assert_eq!(between(10, 60), 0..5);
        assert_eq!(between(0, 1000), 0..5);
        assert_eq!(between(11, 39), 1..2);
        assert_eq!(between(20, 40), 1..3);
        assert_eq!(between(21, 29), 2..2);
        assert_eq!(between(70, 90), 5..5);
        assert_eq!(horizon.slots_of(21), 3);
    }
}
