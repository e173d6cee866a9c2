//! What is known of a signal in steps to come: what is published of them, and beyond that what its past lets expect.

use lab3_energy::forecast;
use lab3_energy::signals::Kind;
use lab3_units::Time;

use super::steps::{Grid, known, laid};
use super::{KeptSignal, ReadingMemory, Unkept};

/// How much of the past a forecast looks at: what its models and their back-test need, and no more values than can be tried in a moment.
pub(crate) const PAST_S: i64 = 80 * 86_400;
pub(crate) const PAST_STEPS: i64 = 60_000;

/// A signal that ended longer ago says nothing of what comes.
const STALE_MS: i64 = 7 * 86_400_000;

/// Of several publishers of the zone's signal that will do, the one who wrote last. Without a zone it is the only one there are such signals of.
pub(crate) fn latest<'a>(
    signals: &'a [KeptSignal],
    kind: Kind,
    zone: Option<&str>,
    will_do: impl Fn(&KeptSignal) -> bool,
) -> Option<&'a KeptSignal> {
    let of_kind = || signals.iter().filter(|signal| signal.kind == kind);
    let only = of_kind().next().map(|first| &*first.zone).filter(|zone| of_kind().all(|signal| signal.zone == **zone));
    let zone = zone.or(only)?;
    of_kind().filter(|signal| signal.zone == *zone && will_do(signal)).max_by_key(|signal| signal.written)
}

/// The signal of the zone that says something of a moment, or else the one written last.
pub(crate) fn at_or_latest<'a>(signals: &'a [KeptSignal], kind: Kind, zone: Option<&str>, at: Time) -> Option<&'a KeptSignal> {
    latest(signals, kind, zone, |signal| signal.first <= at && at < signal.end).or_else(|| latest(signals, kind, zone, |_| true))
}

/// A signal on a grid: what is published, and where nothing is, what is expected from its past.
pub(crate) fn row(memory: &dyn ReadingMemory, signal: &KeptSignal, grid: Grid) -> Result<Vec<Option<f64>>, Unkept> {
    let pieces = memory.steps(signal, grid.start, grid.end(), usize::MAX)?;
    let mut row: Vec<Option<f64>> = laid(&pieces, grid).into_iter().map(|value| value.map(|(value, _)| value)).collect();
    if row.iter().all(Option::is_some) {
        return Ok(row);
    }
    let past_ms = PAST_S.min(PAST_STEPS * i64::from(signal.step_s)) * 1000;
    let end = signal.end.min(grid.end());
    let from = Time::from_millis(end.millis().saturating_sub(past_ms));
    let Some(past) = known(memory.steps(signal, from, end, usize::MAX)?, grid.step_s, grid.start) else { return Ok(row) };
    if grid.start.millis().saturating_sub(past.end().millis()) > STALE_MS {
        return Ok(row);
    }
    let count = Grid::over(past.end(), grid.end(), grid.step_s, past.end()).count;
    let Some(foreseen) = forecast(&past, count) else { return Ok(row) };
    for (step, value) in row.iter_mut().enumerate().filter(|(_, value)| value.is_none()) {
        *value = foreseen.expected.step_at(grid.begin(step)).and_then(|at| foreseen.expected.values.get(at).copied());
    }
    Ok(row)
}
