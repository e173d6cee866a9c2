//! One period of an ENTSO-E series: positions turned into times, and the positions a curve of type A03 leaves out.

use lab3_units::Time;
use roxmltree::Node;

use super::STEPS_MAX;
use super::entsoe::{blame, children, text_of};
use super::error::ImportError;
use super::finding::Finding;
use super::stamp::{moment_in, seconds_of};
use super::track::{Reading, Track};
use crate::Mark;

/// A period, without its points.
pub(super) struct Period<'a> {
    node: Node<'a, 'a>,
    start_s: i64,
    step_s: u32,
    /// How many positions it has.
    positions: usize,
}

impl<'a> Period<'a> {
    /// Reads when it is and how long its steps are.
    pub(super) fn read(node: Node<'a, 'a>) -> Result<Self, ImportError> {
        let interval = children(node, "timeInterval").next().ok_or_else(|| blame(node, "Period", "has no timeInterval"))?;
        let moment = |name: &'static str| {
            let written = text_of(interval, name).ok_or_else(|| blame(interval, "timeInterval", format!("has no {name}")))?;
            moment_in(written, name).map_err(|error| blame(interval, "timeInterval", error.to_string()))
        };
        let (start_s, end_s) = (moment("start")?, moment("end")?);
        let resolution = text_of(node, "resolution").unwrap_or_default();
        let no_step = || blame(node, "resolution", format!("{resolution:?} is no step from seconds to a day, like PT15M"));
        let step_s = seconds_of(resolution).filter(|step| *step <= super::grid::STEP_S_MAX).ok_or_else(no_step)?;
        let long_s = end_s.saturating_sub(start_s);
        if long_s <= 0 || long_s % i64::from(step_s) != 0 {
            return Err(blame(interval, "timeInterval", format!("is not a whole number of steps of {resolution}")));
        }
        let positions = usize::try_from(long_s / i64::from(step_s)).unwrap_or(usize::MAX);
        if positions > STEPS_MAX {
            return Err(ImportError::Large { what: format!("a period of {positions} steps, at most {STEPS_MAX}") });
        }
        Ok(Period { node, start_s, step_s, positions })
    }

    /// Puts its points on a track.
    pub(super) fn take(
        &self,
        is_a03: bool,
        value: &'static str,
        mark: Mark,
        zone: Option<&str>,
        track: &mut Track,
    ) -> Result<(), ImportError> {
        let mut unchanged = 0;
        let mut last: Option<(usize, f64)> = None;
        for point in children(self.node, "Point") {
            let position = self.position(point)?;
            let number = number(point, value)?;
            if let Some((before, held)) = last.filter(|_| is_a03) {
                unchanged += self.hold(before + 1..position, held, mark, track);
            }
            match number {
                Some(number) => track.take(Some(self.reading(position, number, mark)), position),
                None => track.miss(position),
            }
            // A point without a value ends what came before it: nothing is known to be unchanged.
            last = number.map(|number| (position, number));
        }
        if let Some((before, held)) = last.filter(|_| is_a03) {
            unchanged += self.hold(before + 1..self.positions + 1, held, mark, track);
        }
        self.day(zone, track);
        if track.readings.len() > STEPS_MAX {
            return Err(ImportError::Large { what: format!("more than {STEPS_MAX} steps in one signal") });
        }
        note_unchanged(unchanged, track);
        Ok(())
    }

    fn position(&self, point: Node<'_, '_>) -> Result<usize, ImportError> {
        let written = children(point, "position").next().and_then(|position| position.text()).unwrap_or_default().trim();
        let position = written.parse::<usize>().ok().filter(|position| (1..=self.positions).contains(position));
        let help = || blame(point, "position", format!("{written:?} is none of 1 to {}, what the interval has room for", self.positions));
        position.ok_or_else(help)
    }

    fn reading(&self, position: usize, value: f64, mark: Mark) -> Reading {
        let steps = i64::try_from(position - 1).unwrap_or(i64::MAX);
        let at_s = self.start_s.saturating_add(steps.saturating_mul(i64::from(self.step_s)));
        Reading { at_s, span_s: Some(self.step_s), value, mark, row: position }
    }

    /// Gives positions the value that still holds; says how many.
    fn hold(&self, positions: std::ops::Range<usize>, value: f64, mark: Mark, track: &mut Track) -> u64 {
        positions.map(|position| track.take(Some(self.reading(position, value, mark)), position)).fold(0, |count, ()| count + 1)
    }

    /// Names a day of 23 or 25 hours.
    fn day(&self, zone: Option<&str>, track: &mut Track) {
        let long_s = i64::from(self.step_s) * i64::try_from(self.positions).unwrap_or(i64::MAX);
        let middle = Time::from_millis((self.start_s + long_s / 2) * 1000).to_string();
        let (day, zone) = (middle.get(..10).unwrap_or_default().to_owned(), zone.unwrap_or("the zone").to_owned());
        match long_s / 60 {
            1380 => track.note(Finding::ShortDay { day, zone, minutes: 1380, left_out: 0 }),
            1500 => track.note(Finding::LongDay { day, zone, minutes: 1500, told_twice: true }),
            _ => {}
        }
    }
}

fn number(point: Node<'_, '_>, name: &'static str) -> Result<Option<f64>, ImportError> {
    let Some(written) = children(point, name).next().and_then(|value| value.text()).map(str::trim) else { return Ok(None) };
    let number = written.parse::<f64>().ok().filter(|number| number.is_finite());
    number.map(Some).ok_or_else(|| blame(point, name, format!("{written:?} is no number")))
}

/// Counts what a curve leaves out, over all periods of a track.
fn note_unchanged(more: u64, track: &mut Track) {
    let before = track.findings.iter_mut().find_map(|finding| match finding {
        Finding::Unchanged { steps } => Some(steps),
        _ => None,
    });
    match before {
        Some(steps) => *steps += more,
        None if more > 0 => track.note(Finding::Unchanged { steps: more }),
        None => {}
    }
}
