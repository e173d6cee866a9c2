//! What devices of the site read, on the steps of a plan or a day.

use lab3_energy::site::BatterySite;
use lab3_units::Time;

use crate::readings::steps::{Grid, folded};
use crate::readings::{Quantity, ReadingMemory, Unkept};

/// The device that reads the connection to the grid.
pub(crate) const GRID: &str = "grid";

/// A state that was read longer ago is not known any more.
const STALE_MS: i64 = 3_600_000;

/// An outage that is longer counts as that long: longer than any reserve is for.
const OUTAGE_MS_MAX: i64 = 7 * 86_400_000;

/// Readings that are folded at once: of a device that reads every second, a day.
const CHUNK_S: i64 = 86_400;

/// Which way energy goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// A load draws it, a source or battery gives it.
    Own,
    /// A battery takes it.
    Taken,
    /// It is bought.
    Bought,
    /// It is sold.
    Sold,
}

impl Way {
    /// The counter that counts it, and the sign that a power has then.
    fn read(self) -> (Quantity, f64) {
        match self {
            Self::Own => (Quantity::EnergyKwh, 1.0),
            Self::Taken => (Quantity::ImportKwh, -1.0),
            Self::Bought => (Quantity::ImportKwh, 1.0),
            Self::Sold => (Quantity::ExportKwh, -1.0),
        }
    }
}

/// What went that way in each step, kWh: by the counter where there is one, else by the power. None where neither was read.
pub(crate) fn energy(memory: &dyn ReadingMemory, device: &str, way: Way, grid: Grid) -> Result<Vec<Option<f64>>, Unkept> {
    let (counter, sign) = way.read();
    let counted = rows(memory, device, counter, grid)?;
    if !counted.is_empty() && counted.iter().all(Option::is_some) {
        return Ok(counted);
    }
    let hours = f64::from(grid.step_s) / 3600.0;
    let drawn = |power: f64| (power * sign).max(0.0) * hours;
    let powers = rows(memory, device, Quantity::PowerKw, grid)?;
    Ok(counted.into_iter().zip(powers).map(|(counted, power)| counted.or(power.map(drawn))).collect())
}

/// What a battery held at the end of each step, kWh.
pub(crate) fn stored(memory: &dyn ReadingMemory, battery: &BatterySite, grid: Grid) -> Result<Vec<Option<f64>>, Unkept> {
    let energies = rows(memory, &battery.name, Quantity::StoredKwh, grid)?;
    if energies.iter().any(Option::is_some) {
        return Ok(energies);
    }
    let shares = rows(memory, &battery.name, Quantity::StoredShare, grid)?;
    Ok(shares.into_iter().map(|share| share.map(|share| share * battery.capacity_kwh)).collect())
}

/// What a battery holds now, kWh; none when that was not read lately.
pub(crate) fn stored_now(memory: &dyn ReadingMemory, battery: &BatterySite, now: Time) -> Result<Option<f64>, Unkept> {
    let latest = |quantity| -> Result<Option<f64>, Unkept> {
        let read = memory.reading_before(&battery.name, quantity, just_after(now))?;
        Ok(read.filter(|(at, _)| now.millis().saturating_sub(at.millis()) <= STALE_MS).map(|(_, value)| value))
    };
    if let Some(energy) = latest(Quantity::StoredKwh)? {
        return Ok(Some(energy));
    }
    Ok(latest(Quantity::StoredShare)?.map(|share| share * battery.capacity_kwh))
}

/// Whether the grid was down when that was read last. Nobody reads it: it is there.
pub(crate) fn is_down(memory: &dyn ReadingMemory, now: Time) -> Result<bool, Unkept> {
    Ok(memory.reading_before(GRID, Quantity::GridUp, just_after(now))?.is_some_and(|(_, up)| up < 0.5))
}

/// When was read last whether the grid is there.
pub(crate) fn grid_read(memory: &dyn ReadingMemory, now: Time) -> Result<Option<Time>, Unkept> {
    Ok(memory.reading_before(GRID, Quantity::GridUp, just_after(now))?.map(|(at, _)| at))
}

/// Since when the grid has been down, as far back as outages are looked for; none when it is up.
pub(crate) fn down_since(memory: &dyn ReadingMemory, now: Time) -> Result<Option<Time>, Unkept> {
    let from = Time::from_millis(now.millis().saturating_sub(OUTAGE_MS_MAX));
    let read = memory.readings(GRID, Quantity::GridUp, (from, just_after(now)), usize::MAX)?;
    Ok(read.into_iter().rev().take_while(|(_, up)| *up < 0.5).last().map(|(at, _)| at))
}

/// Whether the grid was there at the end of each step: 1 or 0, as it was read last; none before the first reading.
pub(crate) fn grid_up(memory: &dyn ReadingMemory, grid: Grid) -> Result<Vec<Option<f64>>, Unkept> {
    let mut last = memory.reading_before(GRID, Quantity::GridUp, grid.start)?.map(|(_, up)| up);
    let read = rows(memory, GRID, Quantity::GridUp, grid)?;
    let holds = |up: Option<f64>| {
        last = up.or(last);
        last
    };
    Ok(read.into_iter().map(holds).collect())
}

/// A quantity of a device on a grid, a day at a time.
fn rows(memory: &dyn ReadingMemory, device: &str, quantity: Quantity, grid: Grid) -> Result<Vec<Option<f64>>, Unkept> {
    let per_chunk = usize::try_from(CHUNK_S / i64::from(grid.step_s)).unwrap_or(1).max(1);
    let mut values = Vec::with_capacity(grid.count);
    while values.len() < grid.count {
        let start = grid.begin(values.len());
        let chunk = Grid { start, step_s: grid.step_s, count: per_chunk.min(grid.count - values.len()) };
        let before = memory.reading_before(device, quantity, start)?;
        let readings = memory.readings(device, quantity, (start, chunk.end()), usize::MAX)?;
        values.extend(folded(quantity.taken(), before, &readings, chunk));
    }
    Ok(values)
}

/// What was read this very moment was read before the next.
fn just_after(now: Time) -> Time {
    Time::from_millis(now.millis().saturating_add(1))
}
