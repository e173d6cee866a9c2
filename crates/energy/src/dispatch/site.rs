//! What a plan is made for: steps, sources, grid, batteries, loads, and what is wished. Every row has as many values as there are steps.

/// How much more than money counts what is bought, when as little as possible shall be.
pub(super) const SELF_CONSUMPTION: f64 = 1000.0;

/// A site over time. Energies are kWh, powers kW, prices MIC a kWh, intensities g CO2e a kWh.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dispatch {
    /// Hours of each step.
    pub hours: Vec<f64>,
    /// What sun and wind give.
    pub sources: Vec<Source>,
    /// The grid, if there is one.
    pub grid: Option<Grid>,
    /// Generators.
    pub generators: Vec<Generator>,
    /// Batteries, those of cars among them.
    pub batteries: Vec<Battery>,
    /// Loads at their times.
    pub loads: Vec<Load>,
    /// Loads whose time is free.
    pub flexible: Vec<Flexible>,
    /// What counts.
    pub wish: Wish,
    /// What decides among plans that cost the same.
    pub nudges: Nudges,
}

/// A source that gives what it gives.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Source {
    /// What people call it.
    pub name: Box<str>,
    /// What it can give, kWh.
    pub available: Vec<f64>,
    /// What using a kWh costs.
    pub cost: f64,
    /// What using a kWh emits, g.
    pub carbon: f64,
    /// What not using a kWh costs; 0 where it can be turned down.
    pub curtail_cost: Vec<f64>,
}

/// The grid. Buying and selling never happen in one step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Grid {
    /// What a kWh bought costs.
    pub import_price: Vec<f64>,
    /// What a kWh sold brings.
    pub export_price: Vec<f64>,
    /// What a kWh bought emits, g.
    pub carbon: Vec<f64>,
    /// How much of it is there: 1, or 0 in an outage.
    pub up: Vec<f64>,
    /// Most to buy, kW. More is bought only when a load would go without, and named.
    pub import_max: Option<f64>,
    /// Most to sell, kW.
    pub export_max: Option<f64>,
    /// A price of the highest power bought.
    pub peak: Option<Peak>,
    /// How it is metered.
    pub metering: Metering,
}

/// A capacity charge: the highest power bought above a threshold has a price, once. Beyond the threshold there is no other limit to buying.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Peak {
    /// What is paid for already, kW: the month's peak so far.
    pub so_far: f64,
    /// What each kW above it costs, MIC.
    pub price: f64,
}

/// How the grid is metered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Metering {
    /// What sources give serves loads first; the difference is bought or sold.
    #[default]
    Net,
    /// All that sources give is sold, and all that loads take is bought.
    Gross,
}

/// A generator.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Generator {
    /// What people call it.
    pub name: Box<str>,
    /// Least power when it runs, kW.
    pub power_min: f64,
    /// Most power, kW.
    pub power_max: f64,
    /// What a kWh costs.
    pub cost: f64,
    /// What a kWh emits, g.
    pub carbon: f64,
}

/// A battery. Powers and energies in and out are measured at its terminals.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Battery {
    /// What people call it.
    pub name: Box<str>,
    /// What it can hold, kWh: never more.
    pub capacity: f64,
    /// Least it shall hold, kWh.
    pub least: f64,
    /// Most it shall hold, kWh.
    pub most: f64,
    /// What it holds at the begin, kWh.
    pub initial: f64,
    /// Least power of charging, kW: that, or none.
    pub charge_min: f64,
    /// Most power of charging, kW.
    pub charge_max: f64,
    /// Most power of discharging, kW.
    pub discharge_max: f64,
    /// What of a kWh charged is stored.
    pub charge_efficiency: f64,
    /// What of a kWh stored comes out.
    pub discharge_efficiency: f64,
    /// What each kWh that goes through the cells costs, in or out.
    pub wear: f64,
    /// What a kWh stored at the end is worth.
    pub end_value: f64,
    /// Whether it may be charged while power is bought.
    pub from_grid: bool,
    /// Whether it may be discharged while power is sold.
    pub to_grid: bool,
    /// What it shall hold at the end of steps, kWh; 0 is nothing asked. Empty: nothing is asked anywhere.
    pub goals: Vec<f64>,
    /// What shall go in at least.
    pub demand: Demand,
    /// 0, 1 or 2: the more, the rather is it used.
    pub priority: u8,
}

/// Charging that is asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Demand {
    /// Energy of each step, kWh, until the battery is full. Empty: nothing is asked.
    pub energy: Vec<f64>,
}

/// A load at its times.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Load {
    /// What people call it.
    pub name: Box<str>,
    /// What it takes, kWh.
    pub energy: Vec<f64>,
    /// What a kWh it goes without costs. `None`: more than anything else in the plan.
    pub worth: Option<f64>,
}

/// A load that runs a number of steps, at times that are free.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Flexible {
    /// What people call it.
    pub name: Box<str>,
    /// What it takes when it runs, kW.
    pub power: f64,
    /// How many steps it runs.
    pub steps: usize,
    /// The steps it may use.
    pub window: std::ops::Range<usize>,
}

/// What counts beside money.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Wish {
    /// What a gram of carbon counts, MIC.
    pub carbon_price: f64,
    /// Whether to buy as little as possible, at its price, before anything else counts.
    pub self_consumption: bool,
}

/// Ways to decide among plans of the same cost: each is a price too small to outweigh money.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "four wishes, none of which excludes another")]
pub struct Nudges {
    /// Rather charge than sell.
    pub charge_before_export: bool,
    /// Rather discharge than buy.
    pub discharge_before_import: bool,
    /// Buy evenly.
    pub level_import: bool,
    /// Sell evenly.
    pub level_export: bool,
}

impl Dispatch {
    /// How many steps there are.
    pub fn len(&self) -> usize {
        self.hours.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.hours.is_empty()
    }

    /// Lets no more be bought than so much in the steps from `first` on, kWh; infinite is no limit. A step's limit is the connection's times how much of the grid is there.
    pub(crate) fn limit_import(&mut self, first: usize, most_kwh: &[f64]) {
        if most_kwh.iter().all(|most| most.is_infinite()) {
            return;
        }
        let all = self.most_power();
        let Some(grid) = &mut self.grid else { return };
        let limit = *grid.import_max.get_or_insert(all.max(1e-6));
        for ((up, hours), most) in grid.up.iter_mut().zip(&self.hours).skip(first).zip(most_kwh) {
            let share = most / hours / limit.max(1e-12);
            // The grid is there, even where nothing may be bought.
            *up = if *up > 0.0 { share.max(1e-12).min(*up) } else { 0.0 };
        }
    }

    /// The most power that all that can take it takes, kW.
    fn most_power(&self) -> f64 {
        let taken = |(step, hours): (usize, &f64)| self.loads.iter().filter_map(|load| load.energy.get(step)).sum::<f64>() / hours;
        let loads = self.hours.iter().enumerate().map(taken).fold(0.0, f64::max);
        let batteries: f64 = self.batteries.iter().map(|battery| battery.charge_max).sum();
        loads + batteries + self.flexible.iter().map(|load| load.power).sum::<f64>()
    }

    /// The largest price there is, MIC a kWh: what breaking a rule costs is a multiple of it.
    pub(super) fn price_base(&self) -> f64 {
        let most = |row: &[f64]| row.iter().copied().fold(0.0, f64::max);
        let grid = self.grid.iter().flat_map(|grid| {
            let shortest = self.hours.iter().copied().fold(f64::INFINITY, f64::min);
            // A kWh kept out of the shortest step lowers the peak by so many kW.
            let peak = grid.peak.map_or(0.0, |peak| peak.price / shortest);
            let weight = if self.wish.self_consumption { SELF_CONSUMPTION } else { 1.0 };
            [most(&grid.import_price) * weight + self.wish.carbon_price * most(&grid.carbon), most(&grid.export_price), peak]
        });
        let generators = self.generators.iter().map(|generator| generator.cost + self.wish.carbon_price * generator.carbon);
        let batteries = self.batteries.iter().map(|battery| battery.end_value);
        grid.chain(generators).chain(batteries).fold(0.1, f64::max)
    }

    /// The least price of buying; 0 without a grid.
    pub(super) fn import_price_min(&self) -> f64 {
        self.grid.as_ref().and_then(|grid| grid.import_price.iter().copied().reduce(f64::min)).unwrap_or(0.0)
    }
}
