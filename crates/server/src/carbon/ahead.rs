//! What the grid is expected to emit in the next days: what is published of them, and beyond that what the signal's own past lets expect.

use std::sync::Arc;

use lab3_energy::Horizon;
use lab3_energy::signals::Kind;
use lab3_units::{Duration, Time};

use super::STEP_MIN_S;
use crate::readings::outlook::{latest, row};
use crate::readings::steps::Grid;
use crate::readings::{KeptSignal, ReadingMemory, Unkept};

/// How far is looked ahead: as far as a query may wait.
const AHEAD: Duration = lab3_compute::DEFER_MAX;

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
    // Up to the first step of which nothing is known.
    let carbon: Vec<f64> = row(memory, signal, grid)?.into_iter().map_while(|value| value).collect();
    let horizon = Horizon { start: grid.start, step_s: grid.step_s, count: carbon.len() };
    Ok(Some(Arc::new(Ahead { horizon, carbon, signal: signal.clone() })))
}

/// Whether what ended then still tells of what comes.
fn is_fresh(end: Time, now: Time) -> bool {
    now.millis() < end.millis().saturating_add(STALE_MS)
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
