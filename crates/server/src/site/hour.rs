//! What the site consumed in an hour by its meters, with what charged its batteries carried along.

use lab3_energy::carbon::{Footprint, GridHour, Intensity, Load, SiteHour, consumed as carried};
use lab3_energy::day::SourceKind;
use lab3_energy::site::Site;
use lab3_units::{Amount, Code, Problem, Ratio, Time};

use super::devices::{self, GRID, Way};
use crate::App;
use crate::carbon::{CarbonSettings, grid_hours};
use crate::readings::steps::Grid;
use crate::readings::{ReadingMemory, Unkept};

/// How far back batteries are followed: what is in them was charged in these hours.
const HOURS: usize = 14 * 24;

/// What was consumed in an hour, with what it brought along.
///
/// Errors: `FIELD_MISSING` of `meter_kwh` where there is no site, or a meter of it says nothing of the hour; those of readings.
pub(crate) async fn consumed(app: &App, hour: Time, claimed: Amount) -> Result<Load, Problem> {
    let missing = |why: String| Problem::new(Code::FIELD_MISSING, why).in_field("meter_kwh");
    let desk =
        app.site().ok_or_else(|| missing("Say what the meter read: the desk knows of no site whose meters it could ask.".to_owned()))?;
    let site = desk.settings().site.clone();
    let carbon = CarbonSettings { draws: Vec::new(), ..app.settings().carbon.clone() };
    let start = Time::from_millis(hour.millis().saturating_sub(i64::try_from(HOURS - 1).unwrap_or(0) * 3_600_000));
    let grid = Grid { start, step_s: 3600, count: HOURS };
    let metered = app.readings().ask(move |memory| Ok(Meters::read(memory, &site, &carbon, grid)?.hours(&site, claimed))).await?;
    metered.map_err(|why| missing(format!("Say what the meter read: {why}.")))
}

/// What machines drew in an hour by their own meters; none where a provider behind the Hive's meter has none, or one was not read.
///
/// Errors: those of readings, where there is a meter to ask.
pub(crate) async fn machines(app: &App, hour: Time) -> Result<Option<Amount>, Problem> {
    let here = app.settings().carbon.draws.iter().filter(|draw| draw.on_site);
    let Some(mut meters) = here.map(|draw| draw.meter.clone()).collect::<Option<Vec<_>>>().filter(|meters| !meters.is_empty()) else {
        return Ok(None);
    };
    // Several providers on one machine have one meter.
    meters.sort_unstable();
    meters.dedup();
    let grid = Grid { start: hour, step_s: 3600, count: 1 };
    let read = app.readings().ask(move |memory| {
        let energy = |device: &str| Ok(devices::energy(memory, device, Way::Own, grid)?.first().copied().flatten());
        meters.iter().map(|device| energy(device)).collect::<Result<Vec<_>, Problem>>()
    });
    Ok(read.await?.into_iter().collect::<Option<Vec<f64>>>().and_then(|read| mwh(read.into_iter().sum())))
}

/// What the meters of a site say of some hours.
struct Meters {
    bought: Vec<Option<f64>>,
    sold: Vec<Option<f64>>,
    given: Vec<Vec<Option<f64>>>,
    /// Into each battery, and out.
    batteries: Vec<[Vec<Option<f64>>; 2]>,
    grid: Vec<GridHour>,
}

impl Meters {
    fn read(memory: &dyn ReadingMemory, site: &Site, carbon: &CarbonSettings, hours: Grid) -> Result<Self, Unkept> {
        let energy = |device: &str, way| devices::energy(memory, device, way, hours);
        let none = || vec![Some(0.0); hours.count];
        let bought = if site.grid.is_some() { energy(GRID, Way::Bought)? } else { none() };
        let sold = if site.grid.is_some() { energy(GRID, Way::Sold)? } else { none() };
        let names = site.sources.iter().map(|one| &one.name).chain(site.generators.iter().map(|one| &one.name));
        let given = names.map(|name| energy(name, Way::Own)).collect::<Result<_, _>>()?;
        let batteries = site.batteries.iter().map(|one| Ok([energy(&one.name, Way::Taken)?, energy(&one.name, Way::Own)?]));
        let batteries = batteries.collect::<Result<_, Unkept>>()?;
        Ok(Self { bought, sold, given, batteries, grid: grid_hours(memory, carbon, hours)? })
    }

    /// What was consumed in the last hour; or which meters say nothing of it, or what cannot be counted.
    fn hours(&self, site: &Site, claimed: Amount) -> Result<Load, String> {
        let last = self.bought.len().saturating_sub(1);
        let missing = self.missing(site, last);
        if !missing.is_empty() {
            return Err(format!("no reading of that hour is here from {}", missing.join(", ")));
        }
        // Hours that were not measured in full leave the batteries as they were.
        let hours = (0..=last).filter_map(|hour| self.hour(site, hour, if hour == last { claimed } else { Amount::ZERO }));
        let round_trip: Vec<Ratio> = site.batteries.iter().map(|one| ratio(one.charge_efficiency * one.discharge_efficiency)).collect();
        carried(&hours.collect::<Vec<_>>(), &round_trip).map_err(|error| error.to_string())
    }

    fn missing(&self, site: &Site, hour: usize) -> Vec<String> {
        let lacks = |row: &[Option<f64>]| row.get(hour).copied().flatten().is_none();
        let mut missing = Vec::new();
        // Where nothing is sold nobody counts it.
        if lacks(&self.bought) {
            missing.push(GRID.to_owned());
        }
        let names = site.sources.iter().map(|one| &one.name).chain(site.generators.iter().map(|one| &one.name));
        missing.extend(names.zip(&self.given).filter(|(_, row)| lacks(row)).map(|(name, _)| name.to_string()));
        let batteries = site.batteries.iter().zip(&self.batteries);
        // Power tells both ways; of counters, each tells one.
        missing.extend(batteries.filter(|(_, rows)| rows.iter().any(|row| lacks(row))).map(|(one, _)| one.name.to_string()));
        missing
    }

    fn hour(&self, site: &Site, hour: usize, claimed: Amount) -> Option<SiteHour> {
        let at = |row: &[Option<f64>]| row.get(hour).copied().flatten().and_then(mwh);
        let grid = *self.grid.get(hour)?;
        let sources = site.sources.iter().map(|one| (one.carbon_g_per_kwh, one.kind != SourceKind::Generator));
        let sources = sources.chain(site.generators.iter().map(|one| (one.carbon_g_per_kwh, false)));
        let given = sources.zip(&self.given).map(|((grams, is_renewable), row)| {
            let energy_mwh = at(row)?;
            let mg = Intensity::from_g_per_kwh(grams).ok()?.carbon_mg(energy_mwh).ok()?;
            let footprint = Footprint { average_mg: mg, marginal_mg: mg, market_mg: mg };
            Some(Load::new(energy_mwh, if is_renewable { Ratio::ONE } else { Ratio::ZERO }, footprint))
        });
        Some(SiteHour {
            bought: SiteHour::bought(at(&self.bought)?, &grid, claimed).ok()?,
            given: given.collect::<Option<_>>()?,
            sold_mwh: at(&self.sold).unwrap_or(Amount::ZERO),
            batteries: self.batteries.iter().map(|[taken, given]| Some((at(taken)?, at(given)?))).collect::<Option<_>>()?,
            grid,
        })
    }
}

/// kWh as whole mWh: the nearest; none of what no meter reads.
#[allow(clippy::cast_possible_truncation, reason = "below 2^53: checked")]
fn mwh(kwh: f64) -> Option<Amount> {
    let whole = (kwh * 1e6).round();
    (0.0..9e15).contains(&whole).then(|| Amount::new(whole as i64))
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between none and all")]
fn ratio(part: f64) -> Ratio {
    Ratio::from_millionths((part.clamp(0.0, 1.0) * 1e6).round() as u32)
}
