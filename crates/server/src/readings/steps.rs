//! From values as they were kept to values of the steps that are asked for.

use lab3_energy::{Mark, Series};
use lab3_units::Time;

use super::Taken;

/// Equal steps that are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grid {
    /// Where the first begins.
    pub(crate) start: Time,
    /// How long each is, in seconds; never 0.
    pub(crate) step_s: u32,
    /// How many.
    pub(crate) count: usize,
}

/// A reading holds until the next one, but no longer than this.
const HOLDS_MS: i64 = 15 * 60_000;

impl Grid {
    /// The steps that touch the time from one moment to another, of which one begins at `origin`.
    pub(crate) fn over(from: Time, to: Time, step_s: u32, origin: Time) -> Self {
        let step_ms = i64::from(step_s.max(1)) * 1000;
        let behind = from.millis().saturating_sub(origin.millis()).rem_euclid(step_ms);
        let start_ms = from.millis().saturating_sub(behind);
        let span_ms = u64::try_from(to.millis().saturating_sub(start_ms)).unwrap_or(0);
        let count = usize::try_from(span_ms.div_ceil(step_ms.unsigned_abs())).unwrap_or(usize::MAX);
        Self { start: Time::from_millis(start_ms), step_s: step_s.max(1), count }
    }

    /// Where a step begins.
    pub(crate) fn begin(&self, step: usize) -> Time {
        let steps = i64::try_from(step).unwrap_or(i64::MAX);
        Time::from_millis(self.start.millis().saturating_add(steps.saturating_mul(i64::from(self.step_s) * 1000)))
    }

    /// Where the last step ends.
    pub(crate) fn end(&self) -> Time {
        self.begin(self.count)
    }

    /// The step a moment is in, if it is in any.
    fn step_of(&self, at: Time) -> Option<usize> {
        let step = at.millis().saturating_sub(self.start.millis()).div_euclid(i64::from(self.step_s) * 1000);
        usize::try_from(step).ok().filter(|step| *step < self.count)
    }
}

/// A signal's values on a grid: means over time where its steps are others, nothing where a part of a step has no value.
pub(crate) fn laid(pieces: &[Series], grid: Grid) -> Vec<Option<(f64, Mark)>> {
    let mut rest = pieces;
    let mut value = |step: usize| {
        let at = grid.begin(step);
        while let Some((first, others)) = rest.split_first()
            && first.end() <= at
        {
            rest = others;
        }
        let step = rest.first()?.resampled(at, grid.step_s, 1)?;
        Some((*step.values.first()?, *step.marks.first()?))
    };
    (0..grid.count).map(&mut value).collect()
}

/// The last values without a gap that are no forecasts, in steps of that length.
pub(crate) fn known(pieces: Vec<Series>, step_s: u32, origin: Time) -> Option<Series> {
    let mut pieces = pieces.into_iter().rev();
    let (mut last, end) = pieces.find_map(|piece| {
        let end = piece.marks.iter().rposition(|mark| *mark != Mark::Forecast)? + 1;
        Some((piece, end))
    })?;
    let begin = last.marks.get(..end)?.iter().rposition(|mark| *mark == Mark::Forecast).map_or(0, |forecast| forecast + 1);
    let start = last.begin_of(begin);
    let (values, marks) = (last.values.drain(begin..end).collect(), last.marks.drain(begin..end).collect());
    let past = Series { start, step_s: last.step_s, values, marks };
    if step_s == past.step_s {
        return Some(past);
    }
    // From the first whole step of that length to the last.
    let step_ms = i64::from(step_s) * 1000;
    let behind = start.millis().saturating_sub(origin.millis()).rem_euclid(step_ms);
    let first = if behind == 0 { start } else { Time::from_millis(start.millis() + step_ms - behind) };
    let count = usize::try_from((past.end().millis() - first.millis()).div_euclid(step_ms)).ok()?;
    past.resampled(first, step_s, count).filter(|past| !past.is_empty())
}

/// A device's readings on a grid. `before` is the reading before the first.
pub(crate) fn folded(taken: Taken, before: Option<(Time, f64)>, readings: &[(Time, f64)], grid: Grid) -> Vec<Option<f64>> {
    match taken {
        Taken::Last => last(readings, grid),
        Taken::Difference => differences(before, readings, grid),
        Taken::Mean => means(before, readings, grid),
    }
}

fn last(readings: &[(Time, f64)], grid: Grid) -> Vec<Option<f64>> {
    let mut values = vec![None; grid.count];
    for (at, value) in readings {
        if let Some(slot) = grid.step_of(*at).and_then(|step| values.get_mut(step)) {
            *slot = Some(*value);
        }
    }
    values
}

/// What was counted between two readings belongs to the step of the later one. A counter that stands lower than before was begun anew, at 0.
fn differences(before: Option<(Time, f64)>, readings: &[(Time, f64)], grid: Grid) -> Vec<Option<f64>> {
    let mut values = vec![None; grid.count];
    let mut previous = before.map(|(_, value)| value);
    for (at, value) in readings {
        if let Some(previous) = previous
            && let Some(slot) = grid.step_of(*at).and_then(|step| values.get_mut(step))
        {
            let counted = if *value >= previous { value - previous } else { *value };
            *slot = Some(slot.unwrap_or(0.0) + counted);
        }
        previous = Some(*value);
    }
    values
}

/// Means over the time in which some reading holds.
fn means(before: Option<(Time, f64)>, readings: &[(Time, f64)], grid: Grid) -> Vec<Option<f64>> {
    let mut sums = vec![(0.0, 0.0); grid.count];
    let all: Vec<(Time, f64)> = before.into_iter().chain(readings.iter().copied()).collect();
    for (index, (at, value)) in all.iter().enumerate() {
        let next = all.get(index + 1).map_or(grid.end(), |(next, _)| *next);
        let until = next.millis().min(at.millis().saturating_add(HOLDS_MS)).min(grid.end().millis());
        let mut from = at.millis().max(grid.start.millis());
        while from < until {
            let Some(step) = grid.step_of(Time::from_millis(from)) else { break };
            let to = until.min(grid.begin(step + 1).millis());
            if let Some((sum, time)) = sums.get_mut(step) {
                let held = seconds(to - from);
                *sum += value * held;
                *time += held;
            }
            from = to;
        }
    }
    sums.into_iter().map(|(sum, time)| (time > 0.0).then(|| sum / time)).collect()
}

#[allow(clippy::cast_precision_loss, reason = "a reading holds for minutes")]
fn seconds(millis: i64) -> f64 {
    millis as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE_MS: i64 = 60_000;

    fn at(minute: i64) -> Time {
        Time::from_millis(minute * MINUTE_MS)
    }

    fn check(taken: Taken, before: Option<(i64, f64)>, readings: &[(i64, f64)], expected: &[Option<f64>]) {
        let grid = Grid { start: at(60), step_s: 1800, count: expected.len() };
        let moments: Vec<_> = readings.iter().map(|(minute, value)| (at(*minute), *value)).collect();
        assert_eq!(folded(taken, before.map(|(minute, value)| (at(minute), value)), &moments, grid), expected, "{taken:?} {readings:?}");
    }

    #[test]
    fn a_mean_is_over_the_time_each_reading_holds() {
        // Ten minutes of 6 and five of 12; then nobody knows, and the last holds for a quarter of an hour.
        check(Taken::Mean, None, &[(60, 6.0), (70, 12.0), (75, 0.0)], &[Some(4.0), None]);
        check(Taken::Mean, None, &[(80, 3.0)], &[Some(3.0), Some(3.0)]);
        check(Taken::Mean, Some((50, 8.0)), &[], &[Some(8.0), None]);
        check(Taken::Mean, Some((40, 8.0)), &[], &[None, None]);
    }

    #[test]
    fn a_counter_counts_between_its_readings() {
        check(Taken::Difference, Some((0, 10.0)), &[(65, 12.0), (85, 13.0), (95, 20.0)], &[Some(3.0), Some(7.0)]);
        check(Taken::Difference, None, &[(65, 12.0), (85, 13.0)], &[Some(1.0), None]);
        // Begun anew at 0.
        check(Taken::Difference, Some((0, 10.0)), &[(65, 2.0), (85, 5.0)], &[Some(5.0), None]);
    }

    #[test]
    fn of_a_level_the_last_reading_counts() {
        check(Taken::Last, Some((0, 10.0)), &[(60, 1.0), (89, 2.0), (90, 3.0)], &[Some(2.0), Some(3.0), None]);
    }

    #[test]
    fn a_grid_covers_the_time_that_is_asked_for() {
        let grid = Grid::over(at(65), at(121), 1800, at(0));
        assert_eq!(grid, Grid { start: at(60), step_s: 1800, count: 3 });
        assert_eq!(Grid::over(at(65), at(66), 1800, at(20)).start, at(50));
        assert_eq!(Grid::over(at(65), at(10), 1800, at(0)).count, 0);
    }

    #[test]
    fn a_signal_has_no_value_where_a_part_is_missing() {
        let piece = |minute, values: &[f64]| Series::new(at(minute), 1800, values.to_vec(), Mark::Measured);
        let pieces = [piece(0, &[1.0, 3.0]), piece(90, &[5.0, 7.0, 9.0])];
        let values = |step_s, count| {
            let laid = laid(&pieces, Grid { start: at(0), step_s, count });
            laid.into_iter().map(|value| value.map(|(value, _)| value)).collect::<Vec<_>>()
        };
        assert_eq!(values(1800, 5), [Some(1.0), Some(3.0), None, Some(5.0), Some(7.0)]);
        assert_eq!(values(3600, 4), [Some(2.0), None, Some(8.0), None]);
        assert_eq!(values(900, 3), [Some(1.0), Some(1.0), Some(3.0)]);
    }
}
