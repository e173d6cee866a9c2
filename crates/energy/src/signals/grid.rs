//! Values at times, laid on steps of equal length: put in order, each time once, short gaps filled, cut where a gap is long or the step changes.

use lab3_units::Time;

use super::STEPS_MAX;
use super::error::ImportError;
use super::finding::Finding;
use super::spacing::{most_common, spacing, steps};
use super::track::Reading;
use crate::{Mark, Series};

/// The longest step: a day. What is told by month or year is no signal.
pub(super) const STEP_S_MAX: u32 = 86_400;

/// How to lay a track.
pub(super) struct Rules {
    /// The step where readings do not say, if a hint gives it.
    pub(super) step_s: Option<u32>,
    /// The longest gap to fill, in seconds.
    pub(super) fill_s: u32,
    /// What a row is called.
    pub(super) row_word: &'static str,
    /// When there are rows without a value, in seconds since 1970: they have no part but in telling the step.
    pub(super) empty_at_s: Vec<i64>,
}

/// Lays values on steps.
pub(super) fn lay(mut readings: Vec<Reading>, rules: &Rules) -> Result<(Vec<Series>, Vec<Finding>), ImportError> {
    let mut findings = Vec::new();
    order(&mut readings, rules, &mut findings);
    unite(&mut readings, rules, &mut findings);
    roll(&mut readings, &mut findings);
    if readings.iter().any(|reading| reading.span_s.is_none()) {
        readings = span(readings, rules, &mut findings)?;
    }
    let mut pieces = Pieces { rules, findings, done: Vec::new(), steps: 0, off: None };
    for reading in &readings {
        pieces.take(reading, reading.span_s.unwrap_or(1))?;
    }
    Ok(pieces.finish())
}

fn no_step() -> ImportError {
    ImportError::hint("step_s", "one time alone does not tell how long its step is: state step_s")
}

fn time(at_s: i64) -> Time {
    Time::from_millis(at_s.saturating_mul(1000))
}

fn order(readings: &mut [Reading], rules: &Rules, findings: &mut Vec<Finding>) {
    let early = || readings.windows(2).filter(|pair| pair[1].at_s < pair[0].at_s).map(|pair| pair[1].row);
    let (rows, first) = (early().count(), early().next());
    if let Some(row) = first {
        findings.push(Finding::Disorder { rows, first: format!("{} {row}", rules.row_word) });
        // Stable: of one time's values the later in the file stays the later.
        readings.sort_by_key(|reading| reading.at_s);
    }
}

/// Leaves one value of each time, the last in the file.
fn unite(readings: &mut Vec<Reading>, rules: &Rules, findings: &mut Vec<Finding>) {
    let mut repeated: Option<(usize, i64)> = None;
    let mut kept: Vec<Reading> = Vec::with_capacity(readings.len());
    for reading in readings.drain(..) {
        match kept.last_mut().filter(|last| last.at_s == reading.at_s) {
            Some(last) => {
                if last.value.total_cmp(&reading.value).is_eq() {
                    repeated.get_or_insert((0, reading.at_s)).0 += 1;
                } else {
                    let row = format!("{} {}", rules.row_word, reading.row);
                    findings.push(Finding::Duplicate { at: time(reading.at_s), dropped: last.value, kept: reading.value, row });
                }
                *last = reading;
            }
            None => kept.push(reading),
        }
    }
    *readings = kept;
    findings.extend(repeated.map(|(rows, first)| Finding::Repeated { rows, first: time(first) }));
}

/// Values that are means over more than their spacing are taken for their spacing.
fn roll(readings: &mut [Reading], findings: &mut Vec<Finding>) {
    let overlaps = |pair: &&[Reading]| pair[0].span_s.is_some_and(|span| pair[0].at_s.saturating_add(i64::from(span)) > pair[1].at_s);
    let overlapping = readings.windows(2).filter(overlaps).count();
    let (Some(step_s), Some(window_s)) = (spacing(readings), readings.first().and_then(|reading| reading.span_s)) else { return };
    if overlapping * 2 > readings.len() && window_s > step_s {
        for reading in readings.iter_mut() {
            reading.span_s = Some(step_s);
        }
        findings.push(Finding::Rolling { window_s, step_s });
    }
}

/// Gives readings that do not say how long they hold their step, as hinted or as the times tell, and leaves out those between the steps.
fn span(mut readings: Vec<Reading>, rules: &Rules, findings: &mut Vec<Finding>) -> Result<Vec<Reading>, ImportError> {
    let steps = match rules.step_s {
        Some(step_s) => vec![step_s; readings.len()],
        None => steps(&readings, &rules.empty_at_s).ok_or_else(no_step)?,
    };
    for (reading, step_s) in readings.iter_mut().zip(steps) {
        reading.span_s = reading.span_s.or(Some(step_s));
    }
    let alike = readings.chunk_by(|one, next| one.span_s == next.span_s);
    Ok(alike.flat_map(|part| align(part, part[0].span_s.unwrap_or(1), findings)).collect())
}

/// The readings that are on the grid most of them are on.
fn align(readings: &[Reading], step_s: u32, findings: &mut Vec<Finding>) -> Vec<Reading> {
    let phase = |reading: &&Reading| reading.at_s.rem_euclid(i64::from(step_s));
    let common = most_common(readings.iter().map(|reading| phase(&reading))).unwrap_or(0);
    let (on, off): (Vec<&Reading>, Vec<&Reading>) = readings.iter().partition(|reading| phase(reading) == common);
    findings.extend(off.first().map(|first| Finding::OffGrid { rows: off.len(), first: time(first.at_s), step_s }));
    on.into_iter().copied().collect()
}

/// The pieces of a signal, each without a hole.
struct Pieces<'a> {
    rules: &'a Rules,
    findings: Vec<Finding>,
    done: Vec<Series>,
    /// How many steps all of them have.
    steps: usize,
    /// How many values overlap the one before, the first of them, and the step there.
    off: Option<(usize, i64, u32)>,
}

impl Pieces<'_> {
    fn take(&mut self, reading: &Reading, step_s: u32) -> Result<(), ImportError> {
        if step_s > STEP_S_MAX {
            return Err(ImportError::hint(
                "step_s",
                format!("steps of {step_s} s are longer than a day: import hourly values or finer ones"),
            ));
        }
        let Some(last) = self.done.last() else { return self.begin(reading, step_s) };
        let (end_s, last_step_s) = (last.end().millis() / 1000, last.step_s);
        let hole_s = reading.at_s - end_s;
        if hole_s < 0 {
            self.off.get_or_insert((0, reading.at_s, last_step_s)).0 += 1;
            return Ok(());
        }
        if step_s != last_step_s {
            self.findings.push(Finding::StepChange { at: time(reading.at_s), from_s: last_step_s, to_s: step_s });
        }
        if hole_s == 0 && step_s == last_step_s {
            return self.push(reading.value, reading.mark);
        }
        let steps = u64::try_from(hole_s).unwrap_or(0).div_ceil(u64::from(last_step_s));
        let whole = hole_s % i64::from(last_step_s) == 0;
        let filled = step_s == last_step_s && whole && hole_s <= i64::from(self.rules.fill_s);
        if hole_s > 0 {
            self.findings.push(Finding::Gap { from: time(end_s), to: time(reading.at_s), steps, filled });
        }
        if filled { self.fill(steps, reading) } else { self.begin(reading, step_s) }
    }

    fn begin(&mut self, reading: &Reading, step_s: u32) -> Result<(), ImportError> {
        self.done.push(Series::new(time(reading.at_s), step_s, Vec::new(), reading.mark));
        self.push(reading.value, reading.mark)
    }

    fn push(&mut self, value: f64, mark: Mark) -> Result<(), ImportError> {
        self.steps += 1;
        if self.steps > STEPS_MAX {
            return Err(ImportError::Large { what: format!("more than {STEPS_MAX} steps in one signal") });
        }
        if let Some(last) = self.done.last_mut() {
            last.values.push(value);
            last.marks.push(mark);
        }
        Ok(())
    }

    /// Puts a straight line from the last value to this one, and this one.
    fn fill(&mut self, steps: u64, reading: &Reading) -> Result<(), ImportError> {
        let from = self.done.last().and_then(|last| last.values.last().copied()).unwrap_or(reading.value);
        // A gap that is filled is at most a day: its steps are a small number.
        let steps = u32::try_from(steps).unwrap_or(u32::MAX);
        for step in 1..=steps {
            let part = f64::from(step) / (f64::from(steps) + 1.0);
            self.push(from * (1.0 - part) + reading.value * part, Mark::Filled)?;
        }
        self.push(reading.value, reading.mark)
    }

    fn finish(mut self) -> (Vec<Series>, Vec<Finding>) {
        self.findings.extend(self.off.map(|(rows, first, step_s)| Finding::OffGrid { rows, first: time(first), step_s }));
        (self.done, self.findings)
    }
}
