//! A site, as a request tells it.

use lab3_energy::dispatch::{
    Battery, Demand, Dispatch, Flexible, Generator, Grid, Load, Metering, Nudges, Peak, STEPS_MAX, Source, THINGS_MAX, Wish,
};
use lab3_units::{Code, Problem};

use super::{Positive, Price, Row, Share, positives, prices};
use crate::json::{Figure, List, Whole, Words, request};

request! {
    /// A source that gives what sun or wind give.
    #[example({ "name": "roof", "available_kwh": [0.0, 1.5, 3.0, 1.0] })]
    pub(crate) struct SourceItem {
        /// What people call it.
        pub name: Words<1, 64>,
        /// What it can give in each step, kWh.
        pub available_kwh: Row<Positive>,
        /// What using a kWh costs, MIC; nothing when left out.
        pub cost_per_kwh: Option<Price>,
        /// What using a kWh emits, g CO2e; nothing when left out.
        pub carbon_g_per_kwh: Option<Positive>,
        /// What not using a kWh costs in each step, MIC; nothing when left out.
        pub curtail_cost_per_kwh: Option<Row<Price>>,
    }
}

request! {
    /// The grid.
    #[example({ "import_price": [0.30, 0.25, 0.22, 0.35], "export_price": [0.08, 0.08, 0.08, 0.08], "import_max_kw": 11.0 })]
    pub(crate) struct GridItem {
        /// What a kWh bought costs in each step, MIC.
        pub import_price: Row<Price>,
        /// What a kWh sold brings in each step, MIC; nothing when left out.
        pub export_price: Option<Row<Price>>,
        /// What a kWh bought emits in each step, g CO2e.
        pub carbon_g_per_kwh: Option<Row<Positive>>,
        /// How much of the grid is there in each step: 1, or 0 in an outage; always there when left out.
        pub up: Option<Row<Share>>,
        /// Most to buy, kW.
        pub import_max_kw: Option<Positive>,
        /// Most to sell, kW.
        pub export_max_kw: Option<Positive>,
        /// The highest power bought this month, kW: with `peak_price_per_kw`, what is above it is paid for.
        pub peak_so_far_kw: Option<Positive>,
        /// What each kW above the highest power so far costs, MIC.
        pub peak_price_per_kw: Option<Positive>,
        /// Whether all that sources give is sold and all that loads take bought, whatever happens behind the meter; not when left out.
        pub gross_metering: Option<bool>,
    }
}

request! {
    /// A generator.
    #[example({ "name": "diesel", "power_max_kw": 40.0, "power_min_kw": 10.0, "cost_per_kwh": 0.45, "carbon_g_per_kwh": 800 })]
    pub(crate) struct GeneratorItem {
        /// What people call it.
        pub name: Words<1, 64>,
        /// Least power when it runs, kW; any when left out.
        pub power_min_kw: Option<Positive>,
        /// Most power, kW.
        pub power_max_kw: Positive,
        /// What a kWh costs, MIC.
        pub cost_per_kwh: Price,
        /// What a kWh emits, g CO2e; nothing when left out.
        pub carbon_g_per_kwh: Option<Positive>,
    }
}

request! {
    /// A battery, that of a car among them. Powers and energies in and out are measured at its terminals.
    #[example({ "name": "cellar", "capacity_kwh": 10.0, "initial_kwh": 5.0, "charge_max_kw": 5.0, "discharge_max_kw": 5.0, "from_grid": true })]
    pub(crate) struct BatteryItem {
        /// What people call it.
        pub name: Words<1, 64>,
        /// What it can hold, kWh.
        pub capacity_kwh: Positive,
        /// Least it shall hold, kWh; nothing when left out.
        pub least_kwh: Option<Positive>,
        /// Most it shall hold, kWh; its capacity when left out.
        pub most_kwh: Option<Positive>,
        /// What it holds at the begin, kWh.
        pub initial_kwh: Positive,
        /// Least power of charging, kW: that, or none.
        pub charge_min_kw: Option<Positive>,
        /// Most power of charging, kW.
        pub charge_max_kw: Positive,
        /// Most power of discharging, kW.
        pub discharge_max_kw: Positive,
        /// What of a kWh charged is stored; 0.95 when left out.
        pub charge_efficiency: Option<Share>,
        /// What of a kWh stored comes out; 0.95 when left out.
        pub discharge_efficiency: Option<Share>,
        /// What each kWh that goes through the cells costs, in or out, MIC.
        pub wear_per_kwh: Option<Positive>,
        /// What a kWh stored at the end is worth, MIC; nothing when left out.
        pub end_value_per_kwh: Option<Price>,
        /// Whether it may be charged while power is bought; not when left out.
        pub from_grid: Option<bool>,
        /// Whether it may be discharged while power is sold; not when left out.
        pub to_grid: Option<bool>,
        /// What it shall hold at the end of each step, kWh; 0 is nothing asked.
        pub goals_kwh: Option<Row<Positive>>,
        /// What shall go in at least in each step until it is full, kWh.
        pub demand_kwh: Option<Row<Positive>>,
        /// 0, 1 or 2: the more, the rather is it used where that costs the same.
        pub priority: Option<Whole<0, 2>>,
    }
}

request! {
    /// A load at its times.
    #[example({ "name": "houses", "energy_kwh": [0.8, 0.7, 1.2, 2.0] })]
    pub(crate) struct LoadItem {
        /// What people call it.
        pub name: Words<1, 64>,
        /// What it takes in each step, kWh.
        pub energy_kwh: Row<Positive>,
        /// What a kWh it goes without costs, MIC; more than anything else when left out.
        pub worth_per_kwh: Option<Positive>,
    }
}

request! {
    /// A load that runs a number of steps, at times that are free.
    #[example({ "name": "pump", "power_kw": 3.0, "steps": 2, "first_step": 0, "last_step": 3 })]
    pub(crate) struct FlexibleItem {
        /// What people call it.
        pub name: Words<1, 64>,
        /// What it takes when it runs, kW.
        pub power_kw: Positive,
        /// How many steps it runs.
        pub steps: Whole<0, { STEPS_MAX as u64 }>,
        /// The first step it may use; the first of all when left out.
        pub first_step: Option<Whole<0, { STEPS_MAX as u64 }>>,
        /// The last step it may use; the last of all when left out.
        pub last_step: Option<Whole<0, { STEPS_MAX as u64 }>>,
    }
}

request! {
    /// A site over a time to come. Every row has as many values as there are steps.
    #[example({
        "step_minutes": [60, 60, 60, 60],
        "sources": [{ "name": "roof", "available_kwh": [0.0, 1.5, 3.0, 1.0] }],
        "grid": { "import_price": [0.30, 0.25, 0.22, 0.35], "export_price": [0.08, 0.08, 0.08, 0.08] },
        "batteries": [{ "name": "cellar", "capacity_kwh": 10.0, "initial_kwh": 5.0, "charge_max_kw": 5.0, "discharge_max_kw": 5.0 }],
        "loads": [{ "name": "houses", "energy_kwh": [0.8, 0.7, 1.2, 2.0] }]
    })]
    pub(crate) struct DispatchRequest {
        /// How long each step is, in minutes.
        pub step_minutes: List<Figure<0, 527_040>, 1, STEPS_MAX>,
        /// What sun and wind give.
        pub sources: Option<List<SourceItem, 0, THINGS_MAX>>,
        /// The grid, if there is one.
        pub grid: Option<GridItem>,
        /// Generators.
        pub generators: Option<List<GeneratorItem, 0, THINGS_MAX>>,
        /// Batteries.
        pub batteries: Option<List<BatteryItem, 0, THINGS_MAX>>,
        /// Loads at their times.
        pub loads: Option<List<LoadItem, 0, THINGS_MAX>>,
        /// Loads whose time is free.
        pub flexible: Option<List<FlexibleItem, 0, THINGS_MAX>>,
        /// What a kg of CO2e counts, MIC; nothing when left out.
        pub carbon_price_per_kg: Option<Positive>,
        /// Whether to buy as little as possible, at its price, before anything else counts.
        pub self_consumption: Option<bool>,
        /// Where it costs the same: rather charge than sell.
        pub charge_before_export: Option<bool>,
        /// Where it costs the same: rather discharge than buy.
        pub discharge_before_import: Option<bool>,
        /// Where it costs the same: buy evenly.
        pub level_import: Option<bool>,
        /// Where it costs the same: sell evenly.
        pub level_export: Option<bool>,
        /// How long to search, in milliseconds; 10,000 when left out. Nearly every plan takes a part of that.
        pub budget_ms: Option<Whole<10, 60_000>>,
    }
}

/// The number, or none.
fn number<const MIN: i64, const MAX: i64>(figure: Option<Figure<MIN, MAX>>) -> f64 {
    figure.map_or(0.0, |figure| figure.0)
}

fn items<T, const MIN: usize, const MAX: usize>(list: Option<List<T, MIN, MAX>>) -> Vec<T> {
    list.map_or_else(Vec::new, |list| list.0)
}

impl DispatchRequest {
    /// The site it tells.
    ///
    /// Errors: `FIELD_RANGE` of a peak's price without the peak so far. All else is checked before it is planned.
    pub(super) fn into_site(self) -> Result<Dispatch, Problem> {
        let hours: Vec<f64> = self.step_minutes.0.iter().map(|minutes| minutes.0 / 60.0).collect();
        let steps = hours.len();
        Ok(Dispatch {
            hours,
            sources: items(self.sources).into_iter().map(SourceItem::into_source).collect(),
            grid: self.grid.map(|grid| grid.into_grid(steps)).transpose()?,
            generators: items(self.generators).into_iter().map(GeneratorItem::into_generator).collect(),
            batteries: items(self.batteries).into_iter().map(BatteryItem::into_battery).collect(),
            loads: items(self.loads).into_iter().map(LoadItem::into_load).collect(),
            flexible: items(self.flexible).into_iter().map(|load| load.into_flexible(steps)).collect(),
            wish: Wish { carbon_price: number(self.carbon_price_per_kg) / 1000.0, self_consumption: self.self_consumption == Some(true) },
            nudges: Nudges {
                charge_before_export: self.charge_before_export == Some(true),
                discharge_before_import: self.discharge_before_import == Some(true),
                level_import: self.level_import == Some(true),
                level_export: self.level_export == Some(true),
            },
        })
    }
}

impl SourceItem {
    fn into_source(self) -> Source {
        Source {
            name: self.name.0,
            available: positives(Some(self.available_kwh)),
            cost: number(self.cost_per_kwh),
            carbon: number(self.carbon_g_per_kwh),
            curtail_cost: prices(self.curtail_cost_per_kwh),
        }
    }
}

impl GridItem {
    fn into_grid(self, steps: usize) -> Result<Grid, Problem> {
        let peak = match (self.peak_so_far_kw, self.peak_price_per_kw) {
            (so_far, Some(price)) => Some(Peak { so_far: number(so_far), price: price.0 }),
            (None, None) => None,
            (Some(_), None) => {
                let detail = "The highest power so far counts only with a price. Add peak_price_per_kw, or leave this out.";
                return Err(Problem::new(Code::FIELD_RANGE, detail).in_field("grid.peak_so_far_kw"));
            }
        };
        Ok(Grid {
            import_price: prices(Some(self.import_price)),
            export_price: self.export_price.map_or_else(|| vec![0.0; steps], |row| prices(Some(row))),
            carbon: positives(self.carbon_g_per_kwh),
            up: self.up.map_or_else(|| vec![1.0; steps], |row| row.0.into_iter().map(|share| share.0).collect()),
            import_max: self.import_max_kw.map(|limit| limit.0),
            export_max: self.export_max_kw.map(|limit| limit.0),
            peak,
            metering: if self.gross_metering == Some(true) { Metering::Gross } else { Metering::Net },
        })
    }
}

impl GeneratorItem {
    fn into_generator(self) -> Generator {
        Generator {
            name: self.name.0,
            power_min: number(self.power_min_kw),
            power_max: self.power_max_kw.0,
            cost: self.cost_per_kwh.0,
            carbon: number(self.carbon_g_per_kwh),
        }
    }
}

impl BatteryItem {
    fn into_battery(self) -> Battery {
        let efficiency = |stated: Option<Share>| stated.map_or(0.95, |share| share.0);
        Battery {
            name: self.name.0,
            capacity: self.capacity_kwh.0,
            least: number(self.least_kwh),
            most: self.most_kwh.map_or(self.capacity_kwh.0, |most| most.0),
            initial: self.initial_kwh.0,
            charge_min: number(self.charge_min_kw),
            charge_max: self.charge_max_kw.0,
            discharge_max: self.discharge_max_kw.0,
            charge_efficiency: efficiency(self.charge_efficiency),
            discharge_efficiency: efficiency(self.discharge_efficiency),
            wear: number(self.wear_per_kwh),
            end_value: number(self.end_value_per_kwh),
            from_grid: self.from_grid == Some(true),
            to_grid: self.to_grid == Some(true),
            goals: positives(self.goals_kwh),
            demand: Demand { energy: positives(self.demand_kwh) },
            priority: self.priority.map_or(0, |priority| u8::try_from(priority.0).unwrap_or(u8::MAX)),
        }
    }
}

impl LoadItem {
    fn into_load(self) -> Load {
        Load { name: self.name.0, energy: positives(Some(self.energy_kwh)), worth: self.worth_per_kwh.map(|worth| worth.0) }
    }
}

impl FlexibleItem {
    fn into_flexible(self, steps: usize) -> Flexible {
        let step = |step: u64| usize::try_from(step).unwrap_or(usize::MAX);
        let first = self.first_step.map_or(0, |first| step(first.0));
        let end = self.last_step.map_or(steps, |last| step(last.0).saturating_add(1));
        Flexible { name: self.name.0, power: self.power_kw.0, steps: step(self.steps.0), window: first..end }
    }
}
