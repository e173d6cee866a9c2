//! A signal over time: values of equal steps, each marked by where it is from.

use lab3_units::Time;
use serde::{Deserialize, Serialize};

/// Where a value is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// A meter, or who publishes the signal, said so.
    Measured,
    /// Somebody's forecast.
    Forecast,
    /// There was none: it follows from its neighbours.
    Filled,
}

/// Values of equal steps. The value of a step holds from its begin to its end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// Where the first step begins.
    pub start: Time,
    /// How long a step is, in seconds; never 0.
    pub step_s: u32,
    /// The value of each step.
    pub values: Vec<f64>,
    /// Where each value is from: as many as there are values.
    pub marks: Vec<Mark>,
}

impl Series {
    /// Values that are all of one kind.
    pub fn new(start: Time, step_s: u32, values: Vec<f64>, mark: Mark) -> Self {
        let marks = vec![mark; values.len()];
        Self { start, step_s: step_s.max(1), values, marks }
    }

    /// How many steps there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Where the last step ends.
    pub fn end(&self) -> Time {
        self.begin_of(self.len())
    }

    /// Where a step begins.
    pub fn begin_of(&self, step: usize) -> Time {
        let steps = i64::try_from(step).unwrap_or(i64::MAX);
        Time::from_millis(self.start.millis().saturating_add(steps.saturating_mul(i64::from(self.step_s) * 1000)))
    }

    /// The step a moment is in; `None` before the first and after the last.
    pub fn step_at(&self, at: Time) -> Option<usize> {
        let past = at.millis().checked_sub(self.start.millis())?;
        let step = usize::try_from(past.div_euclid(i64::from(self.step_s) * 1000)).ok()?;
        (step < self.len()).then_some(step)
    }

    /// The same signal in `count` steps of `step_s` seconds from `start`: means over time, each marked with the least certain of what it is made of.
    /// `None` where a part of it is not covered.
    pub fn resampled(&self, start: Time, step_s: u32, count: usize) -> Option<Self> {
        if self.start == start && self.step_s == step_s && count <= self.len() {
            return Some(Self { start, step_s, values: self.values[..count].to_vec(), marks: self.marks[..count].to_vec() });
        }
        let wanted = Self::new(start, step_s, vec![0.0; count], Mark::Measured);
        let parts = (0..count).map(|step| self.mean(wanted.begin_of(step), wanted.begin_of(step + 1)));
        let (values, marks) = parts.collect::<Option<Vec<_>>>()?.into_iter().unzip();
        Some(Self { start, step_s, values, marks })
    }

    /// The mean from one moment to another.
    fn mean(&self, from: Time, to: Time) -> Option<(f64, Mark)> {
        let first = self.step_at(from)?;
        let (mut sum, mut mark, mut at) = (0.0, Mark::Measured, from);
        for step in first.. {
            let value = self.values.get(step)?;
            let end = self.begin_of(step + 1).min(to);
            sum += value * millis(at, end);
            mark = mark.max(self.marks[step]);
            at = end;
            if at >= to {
                break;
            }
        }
        Some((sum / millis(from, to), mark))
    }
}

#[allow(clippy::cast_precision_loss, reason = "spans of years are far below 2^52 milliseconds")]
fn millis(from: Time, to: Time) -> f64 {
    to.millis_since(from) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: i64 = 3_600_000;

    fn hours(values: &[f64]) -> Series {
        Series::new(Time::from_millis(0), 3600, values.to_vec(), Mark::Measured)
    }

    #[test]
    fn a_step_holds_from_its_begin_to_its_end() {
        let series = hours(&[1.0, 2.0]);
        let at = |millis| series.step_at(Time::from_millis(millis));
        assert_eq!([at(-1), at(0), at(HOUR_MS - 1), at(HOUR_MS), at(2 * HOUR_MS)], [None, Some(0), Some(0), Some(1), None]);
    }

    #[test]
    fn steps_of_another_length_are_means_over_time() {
        let mut series = hours(&[1.0, 3.0, 5.0, 7.0]);
        series.marks[3] = Mark::Filled;
        let wide = series.resampled(Time::from_millis(0), 7200, 2).unwrap();
        assert_eq!((wide.values, wide.marks), (vec![2.0, 6.0], vec![Mark::Measured, Mark::Filled]));
        let fine = series.resampled(Time::from_millis(HOUR_MS / 2), 1800, 3).unwrap();
        assert_eq!(fine.values, vec![1.0, 3.0, 3.0]);
        let shifted = series.resampled(Time::from_millis(HOUR_MS / 2), 3600, 3).unwrap();
        assert_eq!(shifted.values, vec![2.0, 4.0, 6.0]);
    }

    #[test]
    fn what_is_not_covered_is_not_made_up() {
        let series = hours(&[1.0, 3.0]);
        assert_eq!(series.resampled(Time::from_millis(0), 3600, 3), None);
        assert_eq!(series.resampled(Time::from_millis(-HOUR_MS), 3600, 2), None);
        assert_eq!(series.resampled(Time::from_millis(HOUR_MS / 2), 7200, 1), None);
    }
}
