//! What the grid is expected to emit in the next days: what is published of them, and beyond that what the signal's own past lets expect.

use std::sync::Arc;

use lab3_energy::signals::Kind;
use lab3_energy::{Horizon, forecast};
use lab3_units::{Duration, Time};

use super::latest;
use crate::readings::steps::{Grid, known, laid};
use crate::readings::{KeptSignal, ReadingMemory, Unkept};

/// How far is looked ahead: as far as a query may wait.
const AHEAD: Duration = lab3_compute::DEFER_MAX;

/// The shortest step that is looked at, which bounds how many there are.
const STEP_MIN_S: u32 = 300;

/// How much of the past a forecast looks at.
const PAST_S: i64 = 80 * 86_400;
const PAST_STEPS: i64 = 60_000;

/// A signal that ended longer ago tells nothing of what comes.
const STALE_MS: i64 = 86_400_000;

/// What the grid is expected to emit.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ahead {
    /// The steps, of which the first is the present one.
    horizon: Horizon,
    /// What a kWh is expected to emit in each, in g.
    carbon: Vec<f64>,
    /// What it was made of, and when that was written.
    signal: KeptSignal,
}

/// What the average signal of a zone lets expect. It is made once a step, or when more was written: till then it is what was known.
pub(super) fn look(
    memory: &dyn ReadingMemory,
    zone: Option<&str>,
    now: Time,
    before: Option<Arc<Ahead>>,
) -> Result<Option<Arc<Ahead>>, Unkept> {
    let signals = memory.signals()?;
    let will_do = |signal: &KeptSignal| signal.first <= now && is_fresh(signal.end, now);
    let Some(signal) = latest(&signals, Kind::CarbonAverage, zone, will_do) else { return Ok(None) };
    let grid = Grid::over(now, now.after(AHEAD), signal.step_s.max(STEP_MIN_S), signal.first);
    if let Some(before) = before.filter(|before| before.signal == *signal && before.horizon.start == grid.start) {
        return Ok(Some(before));
    }
    let published = laid(&memory.steps(signal, grid.start, grid.end(), usize::MAX)?, grid);
    let foreseen = if published.iter().all(Option::is_some) { Vec::new() } else { foreseen(memory, signal, grid, now)? };
    let expected = |step: usize| foreseen.get(step).copied().flatten();
    // Up to the first step of which nothing is known.
    let values = published.iter().enumerate().map_while(|(step, known)| known.map(|(value, _)| value).or_else(|| expected(step)));
    let carbon: Vec<f64> = values.collect();
    let horizon = Horizon { start: grid.start, step_s: grid.step_s, count: carbon.len() };
    Ok(Some(Arc::new(Ahead { horizon, carbon, signal: signal.clone() })))
}

/// Whether what ended then still tells of what comes.
fn is_fresh(end: Time, now: Time) -> bool {
    now.millis() < end.millis().saturating_add(STALE_MS)
}

/// What the signal's past lets expect of each step.
fn foreseen(memory: &dyn ReadingMemory, signal: &KeptSignal, grid: Grid, now: Time) -> Result<Vec<Option<f64>>, Unkept> {
    let past_ms = PAST_S.min(PAST_STEPS * i64::from(signal.step_s)) * 1000;
    let end = signal.end.min(grid.end());
    let from = Time::from_millis(end.millis().saturating_sub(past_ms));
    let past = known(memory.steps(signal, from, end, usize::MAX)?, grid.step_s, signal.first);
    let Some(past) = past.filter(|past| is_fresh(past.end(), now)) else { return Ok(Vec::new()) };
    let count = Grid::over(past.end(), grid.end(), grid.step_s, past.end()).count;
    let Some(forecast) = forecast(&past, count) else { return Ok(Vec::new()) };
    let value = |step| forecast.expected.values.get(forecast.expected.step_at(grid.begin(step))?).copied();
    Ok((0..grid.count).map(value).collect())
}

impl Ahead {
    /// What is expected from the step on that a moment is in; nothing past the last.
    pub(super) fn since(&self, now: Time) -> Option<(Horizon, &[f64])> {
        let Horizon { start, step_s, .. } = self.horizon;
        let past_ms = now.millis().saturating_sub(start.millis());
        let step = usize::try_from(past_ms.div_euclid(i64::from(step_s) * 1000)).ok()?;
        let carbon = self.carbon.get(step..).filter(|carbon| !carbon.is_empty())?;
        Some((Horizon { start: self.horizon.begin_of(step), step_s, count: carbon.len() }, carbon))
    }
}
