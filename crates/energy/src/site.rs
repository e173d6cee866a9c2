//! A Hive's site as its operator describes it: connection, sources, generators, batteries, and loads with their tiers. What changes with time is not in it ([`Ahead`]).
//!
//! It stands in a configuration file or a request as it is here; fields are spelled as in a request for a plan.

mod ahead;
mod plan;

use serde::{Deserialize, Serialize};

use crate::day::SourceKind;
use crate::dispatch::{Battery, Dispatch, Generator, Grid, Invalid, Load, Metering, Peak, Source, Wish};

pub use ahead::{Ahead, Now, Outlook};
pub use plan::Planned;

/// What a load is for, the most needed first: in an outage nothing is taken from one to serve a later one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// Care, medicine that has to stay cold.
    Clinic,
    /// Wells, pumps, sewage.
    Water,
    /// Cold stores, kitchens, stables.
    Food,
    /// Radio, network, alarms.
    Communication,
    /// Light, heat and the rest of homes.
    Homes,
    /// Schools, halls.
    Shared,
    /// Workshops, shops.
    Trade,
    /// Cars and carts.
    Mobility,
    /// AI and other computing.
    Compute,
}

impl Tier {
    /// All, the most needed first.
    pub const ALL: [Tier; 9] =
        [Tier::Clinic, Tier::Water, Tier::Food, Tier::Communication, Tier::Homes, Tier::Shared, Tier::Trade, Tier::Mobility, Tier::Compute];
}

/// A site. Powers are kW, energies kWh, prices MIC a kWh, intensities g CO2e a kWh.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// How long each step of a plan is, in minutes: at most a day.
    pub step_minutes: f64,
    /// The connection to the grid, if there is one.
    pub grid: Option<GridSite>,
    /// Sun and wind.
    #[serde(default)]
    pub sources: Vec<SourceSite>,
    /// Generators.
    #[serde(default)]
    pub generators: Vec<GeneratorSite>,
    /// Batteries.
    #[serde(default)]
    pub batteries: Vec<BatterySite>,
    /// Loads whose time is given.
    #[serde(default)]
    pub loads: Vec<LoadSite>,
    /// What is kept for outages; nothing when left out.
    pub reserve: Option<Reserve>,
    /// What a kg of CO2e counts, MIC.
    #[serde(default)]
    pub carbon_price_per_kg: f64,
}

/// A connection to the grid.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GridSite {
    /// Most to buy, kW; no limit when left out.
    pub import_max_kw: Option<f64>,
    /// Most to sell, kW; no limit when left out.
    pub export_max_kw: Option<f64>,
    /// Whether all that sources give is sold and all that loads take bought, whatever happens behind the meter.
    #[serde(default)]
    pub gross_metering: bool,
    /// What each kW above the month's highest power so far costs, MIC; nothing when left out.
    pub peak_price_per_kw: Option<f64>,
    /// What a kWh bought costs where no signal says so, MIC.
    #[serde(default)]
    pub import_price_per_kwh: f64,
    /// What a kWh sold brings where no signal says so, MIC.
    #[serde(default)]
    pub export_price_per_kwh: f64,
}

/// A source that gives what sun or wind give.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceSite {
    /// What people call it.
    pub name: Box<str>,
    /// What it lives on.
    #[serde(default)]
    pub kind: SourceKind,
    /// What using a kWh costs.
    #[serde(default)]
    pub cost_per_kwh: f64,
    /// What using a kWh emits.
    #[serde(default)]
    pub carbon_g_per_kwh: f64,
}

/// A generator.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GeneratorSite {
    /// What people call it.
    pub name: Box<str>,
    /// Least power when it runs, kW.
    #[serde(default)]
    pub power_min_kw: f64,
    /// Most power, kW.
    pub power_max_kw: f64,
    /// What a kWh costs.
    pub cost_per_kwh: f64,
    /// What a kWh emits.
    #[serde(default)]
    pub carbon_g_per_kwh: f64,
}

/// A battery. Powers in and out are measured at its terminals.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatterySite {
    /// What people call it.
    pub name: Box<str>,
    /// What it can hold, kWh.
    pub capacity_kwh: f64,
    /// Least it shall hold, kWh: not used up in an outage either.
    #[serde(default)]
    pub least_kwh: f64,
    /// Most it shall hold, kWh; its capacity when left out.
    pub most_kwh: Option<f64>,
    /// Least power of charging, kW: that, or none.
    #[serde(default)]
    pub charge_min_kw: f64,
    /// Most power of charging, kW.
    pub charge_max_kw: f64,
    /// Most power of discharging, kW.
    pub discharge_max_kw: f64,
    /// What of a kWh charged is stored.
    #[serde(default = "usual_efficiency")]
    pub charge_efficiency: f64,
    /// What of a kWh stored comes out.
    #[serde(default = "usual_efficiency")]
    pub discharge_efficiency: f64,
    /// What each kWh that goes through the cells costs, in or out.
    #[serde(default)]
    pub wear_per_kwh: f64,
    /// What a kWh stored at a plan's end is worth.
    #[serde(default)]
    pub end_value_per_kwh: f64,
    /// Whether it may be charged while power is bought.
    #[serde(default)]
    pub from_grid: bool,
    /// Whether it may be discharged while power is sold.
    #[serde(default)]
    pub to_grid: bool,
}

fn usual_efficiency() -> f64 {
    0.95
}

/// A load at its times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoadSite {
    /// What people call it.
    pub name: Box<str>,
    /// What it is for.
    pub tier: Tier,
    /// What a kWh it goes without costs, MIC: it goes without where power is dearer. Served at any price when left out.
    pub worth_per_kwh: Option<f64>,
}

/// What is kept in the batteries for an outage that nobody announced.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reserve {
    /// How long an outage the reserve shall last for, in hours: at most a week.
    pub outage_hours: f64,
    /// The last tier it is for; all before it are, too.
    pub up_to: Tier,
    /// Whether generators can be counted on.
    #[serde(default)]
    pub with_generators: bool,
}

impl Site {
    /// Whether it makes sense. The complaint names the field.
    pub fn check(&self) -> Result<(), Invalid> {
        let invalid = |field: &str, detail: String| Err(Invalid { field: field.into(), detail });
        if !(self.step_minutes > 0.0 && self.step_minutes <= 1440.0) {
            return invalid("step_minutes", format!("is {}, and has to be above 0 and at most 1440", self.step_minutes));
        }
        named("sources", self.sources.iter().map(|one| &one.name))?;
        named("generators", self.generators.iter().map(|one| &one.name))?;
        named("batteries", self.batteries.iter().map(|one| &one.name))?;
        named("loads", self.loads.iter().map(|one| &one.name))?;
        if let Some(hours) = self.reserve.map(|reserve| reserve.outage_hours)
            && !(hours > 0.0 && hours <= 168.0)
        {
            return invalid("reserve.outage_hours", format!("is {hours}, and has to be above 0 and at most 168"));
        }
        if self.reserve.is_some() && self.batteries.is_empty() {
            return invalid("reserve", "needs a battery to keep it in: add one, or leave the reserve out".into());
        }
        // All other numbers are judged where a plan is made of them.
        self.dispatch(&Ahead::nothing(self)).check()
    }

    /// A step's length, in whole seconds; never 0.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between nothing and a day")]
    pub fn step_s(&self) -> u32 {
        ((self.step_minutes.clamp(0.0, 1440.0) * 60.0).round() as u32).max(1)
    }

    /// A step's length, in hours.
    pub fn step_h(&self) -> f64 {
        self.step_minutes / 60.0
    }

    /// What a plan is made for: the site as it is now and what is ahead, as expected. [`Dispatch::check`] judges rows that do not fit.
    pub fn dispatch(&self, ahead: &Ahead) -> Dispatch {
        let row = |outlooks: &[Outlook], number: usize| outlooks.get(number).map_or_else(Vec::new, |outlook| outlook.expected.clone());
        let source = |(number, one): (usize, &SourceSite)| Source {
            name: one.name.clone(),
            available: row(&ahead.sources, number),
            cost: one.cost_per_kwh,
            carbon: one.carbon_g_per_kwh,
            curtail_cost: Vec::new(),
        };
        let load = |(number, one): (usize, &LoadSite)| Load {
            name: one.name.clone(),
            energy: row(&ahead.loads, number),
            worth: one.worth_per_kwh,
        };
        let mut dispatch = Dispatch {
            hours: vec![self.step_h(); ahead.steps],
            sources: self.sources.iter().enumerate().map(source).collect(),
            grid: self.grid.as_ref().map(|grid| grid.at(ahead)),
            generators: self.generators.iter().map(GeneratorSite::generator).collect(),
            batteries: self.batteries.iter().zip(&ahead.now.stored_kwh).map(|(one, stored)| one.battery(*stored)).collect(),
            loads: self.loads.iter().enumerate().map(load).collect(),
            flexible: ahead.flexible.clone(),
            wish: Wish { carbon_price: self.carbon_price_per_kg / 1000.0, ..Wish::default() },
            ..Dispatch::default()
        };
        if ahead.outages > 0.0 {
            dispatch.value_stored(ahead.outages);
        }
        dispatch.limit_import(0, &ahead.import_most);
        for (battery, held) in dispatch.batteries.iter_mut().zip(&ahead.held) {
            battery.goals.clone_from(held);
        }
        dispatch
    }
}

/// Names by which readings will come: none empty, none twice.
fn named<'a>(list: &str, names: impl Iterator<Item = &'a Box<str>>) -> Result<(), Invalid> {
    let mut seen = std::collections::BTreeSet::new();
    for (number, name) in names.enumerate() {
        let detail = if name.trim().is_empty() || name.len() > 64 || name.chars().any(char::is_control) {
            "has to be a name of at most 64 bytes, on one line".into()
        } else if seen.insert(name) {
            continue;
        } else {
            format!("is {name:?} again: give each a name of its own")
        };
        return Err(Invalid { field: format!("{list}[{number}].name"), detail });
    }
    Ok(())
}

impl GridSite {
    fn at(&self, ahead: &Ahead) -> Grid {
        let or_nothing = |row: &[f64]| if row.is_empty() { vec![0.0; ahead.steps] } else { row.to_vec() };
        Grid {
            import_price: or_nothing(&ahead.import_price),
            export_price: or_nothing(&ahead.export_price),
            carbon: ahead.carbon.clone(),
            up: ahead.up(),
            import_max: self.import_max_kw,
            export_max: self.export_max_kw,
            peak: self.peak_price_per_kw.map(|price| Peak { so_far: ahead.now.peak_so_far_kw, price }),
            metering: if self.gross_metering { Metering::Gross } else { Metering::Net },
        }
    }
}

impl GeneratorSite {
    fn generator(&self) -> Generator {
        Generator {
            name: self.name.clone(),
            power_min: self.power_min_kw,
            power_max: self.power_max_kw,
            cost: self.cost_per_kwh,
            carbon: self.carbon_g_per_kwh,
        }
    }
}

impl BatterySite {
    fn battery(&self, stored: f64) -> Battery {
        Battery {
            name: self.name.clone(),
            capacity: self.capacity_kwh,
            least: self.least_kwh,
            most: self.most_kwh.unwrap_or(self.capacity_kwh),
            initial: stored,
            charge_min: self.charge_min_kw,
            charge_max: self.charge_max_kw,
            discharge_max: self.discharge_max_kw,
            charge_efficiency: self.charge_efficiency,
            discharge_efficiency: self.discharge_efficiency,
            wear: self.wear_per_kwh,
            end_value: self.end_value_per_kwh,
            from_grid: self.from_grid,
            to_grid: self.to_grid,
            ..Battery::default()
        }
    }
}
