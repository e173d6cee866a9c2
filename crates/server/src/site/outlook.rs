//! What is expected of each device, from what it read for weeks.

use std::collections::BTreeMap;

use lab3_energy::controller::{Watch, Worse};
use lab3_energy::signals::Kind;
use lab3_energy::site::Outlook;
use lab3_units::Time;

use super::devices::{Way, energy};
use crate::readings::steps::Grid;
use crate::readings::{KeptSignal, ReadingMemory, Unkept};

/// How much of a device's past is looked at first.
const PAST_DAYS: usize = 56;

/// Values of a device's past that are remembered; with more it is begun anew.
const PAST_MAX: usize = 60_000;

/// How often is looked how much of the time the grid was down.
const OUTAGES_EVERY_MS: u64 = 6 * 3_600_000;

/// The share of steps that may be worse than the pessimistic row.
const BEYOND: f64 = 0.05;

/// Every device under watch, by its name.
#[derive(Debug, Default)]
pub(crate) struct Watches {
    devices: BTreeMap<Box<str>, Watched>,
    /// The share of time in which the grid was down lately, and when that was looked at.
    outages: Option<(Time, f64)>,
}

/// A device under watch: its past without a gap, up to the present step.
#[derive(Debug)]
struct Watched {
    watch: Watch,
    step_s: u32,
    first: Time,
    past: Vec<f64>,
    /// Steps since it was last read.
    silent: usize,
}

/// What is expected of a device.
pub(crate) struct Expected {
    pub(crate) outlook: Outlook,
    /// How long it has not been read, in hours; 0 when it was in the last step.
    pub(crate) silent_h: f64,
}

impl Watches {
    /// How much of the time the grid was down lately: weeks of readings, looked at from time to time.
    pub(crate) fn outages(&mut self, now: Time, look: impl FnOnce() -> Result<f64, Unkept>) -> Result<f64, Unkept> {
        if let Some((_, share)) = self.outages.filter(|(at, _)| *at <= now && now.millis_since(*at) < OUTAGES_EVERY_MS) {
            return Ok(share);
        }
        let share = look()?;
        self.outages = Some((now, share));
        Ok(share)
    }

    /// What is expected of a device in the steps of a grid; none where it was never read.
    pub(crate) fn expected(
        &mut self,
        memory: &dyn ReadingMemory,
        device: &str,
        worse: Worse,
        grid: Grid,
    ) -> Result<Option<Expected>, Unkept> {
        let fresh = || Watched {
            watch: Watch::new(grid.step_s, worse, BEYOND),
            step_s: grid.step_s,
            first: grid.start,
            past: Vec::new(),
            silent: 0,
        };
        let watched = self.devices.entry(device.into()).or_insert_with(fresh);
        if !watched.can_go_on(grid) {
            *watched = fresh();
        }
        watched.learn(memory, device, grid)?;
        if watched.past.is_empty() {
            return Ok(None);
        }
        // The last of the past, and the steps of the grid.
        let Outlook { expected, pessimistic } = watched.watch.ahead(&watched.past, grid.count + 1);
        let later = |row: Vec<f64>| row.into_iter().skip(1).collect();
        let outlook = Outlook { expected: later(expected), pessimistic: later(pessimistic) };
        let silent = u32::try_from(watched.silent).unwrap_or(u32::MAX);
        Ok(Some(Expected { outlook, silent_h: f64::from(silent) * f64::from(grid.step_s) / 3600.0 }))
    }
}

impl Watched {
    fn end(&self) -> Time {
        Grid { start: self.first, step_s: self.step_s, count: self.past.len() }.end()
    }

    /// Whether the past leads up to these steps: clocks may have been set, and a desk may have stood still for long.
    fn can_go_on(&self, grid: Grid) -> bool {
        let missed = Grid::over(self.end(), grid.start, self.step_s.max(1), self.end()).count;
        self.step_s == grid.step_s && self.end() <= grid.start && missed <= day(grid) * 7 && self.past.len() < PAST_MAX
    }

    /// Takes in what was read since.
    fn learn(&mut self, memory: &dyn ReadingMemory, device: &str, grid: Grid) -> Result<(), Unkept> {
        let back =
            if self.past.is_empty() { PAST_DAYS * day(grid) } else { Grid::over(self.end(), grid.start, grid.step_s, grid.start).count };
        let back_ms = i64::try_from(back).unwrap_or(0).saturating_mul(i64::from(grid.step_s) * 1000);
        let since = Grid { start: Time::from_millis(grid.start.millis().saturating_sub(back_ms)), step_s: grid.step_s, count: back };
        for (step, value) in energy(memory, device, Way::Own, since)?.into_iter().enumerate() {
            self.silent = if value.is_some() { 0 } else { self.silent + 1 };
            // Where it was not read it was as the day before, or as before.
            let before = self.past.len().checked_sub(day(grid)).and_then(|at| self.past.get(at)).or(self.past.last()).copied();
            match value.or(before) {
                Some(value) => self.past.push(value),
                None => self.first = since.begin(step + 1),
            }
        }
        Ok(())
    }
}

/// Steps of a day.
fn day(grid: Grid) -> usize {
    usize::try_from(86_400 / grid.step_s.max(1)).unwrap_or(1).max(1)
}

/// What somebody publishes of a device: the signal of that kind whose source or detail is the device's name.
pub(crate) fn published<'a>(signals: &'a [KeptSignal], kinds: &[Kind], device: &str) -> Option<&'a KeptSignal> {
    let names = |signal: &&KeptSignal| kinds.contains(&signal.kind) && (signal.detail == device || signal.source == device);
    signals.iter().filter(names).max_by_key(|signal| signal.written)
}

/// Lays what is published over what is expected, in kWh: it counts more, and nothing is believed to be better than it at worst.
pub(crate) fn laid_over(outlook: &mut Outlook, row: &[Option<f64>], worse: Worse) {
    for (step, value) in row.iter().enumerate() {
        let (Some(value), Some(expected)) = (value, outlook.expected.get_mut(step)) else { continue };
        *expected = value.max(0.0);
        if let Some(worst) = outlook.pessimistic.get_mut(step) {
            *worst = if worse == Worse::Less { worst.min(*expected) } else { worst.max(*expected) };
        }
    }
}
