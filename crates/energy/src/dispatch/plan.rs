//! A plan, read from the program's values: flows in kWh, what they cost and emit, and what could not be kept.

use lab3_solve::{Solution, Variable};

use super::model::{BatteryModel, LAST, LIMIT, Model};
use super::site::{Battery, Dispatch};

/// What the solver calls nothing.
const NOTHING: f64 = 1e-7;

/// Flows of each step, in kWh.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Bought, what is beyond the limit included.
    pub import: Vec<f64>,
    /// Sold.
    pub export: Vec<f64>,
    /// Used of each source.
    pub used: Vec<Vec<f64>>,
    /// Left of each source.
    pub curtailed: Vec<Vec<f64>>,
    /// Each generator.
    pub generators: Vec<GeneratorPlan>,
    /// Each battery.
    pub batteries: Vec<BatteryPlan>,
    /// What each load goes without.
    pub unserved: Vec<Vec<f64>>,
    /// The steps in which each flexible load runs.
    pub flexible: Vec<Vec<usize>>,
    /// The highest power bought above what is paid for already, kW.
    pub peak_above: f64,
    /// What it all comes to.
    pub totals: Totals,
    /// What could not be kept.
    pub broken: Vec<Broken>,
    /// How far it can be from the best, relative; 0 when it is the best.
    pub gap: f64,
}

/// A generator's part.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GeneratorPlan {
    /// Generated, kWh.
    pub energy: Vec<f64>,
}

/// A battery's part, in kWh.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatteryPlan {
    /// What goes in, at the terminals.
    pub charge: Vec<f64>,
    /// What comes out, at the terminals.
    pub discharge: Vec<f64>,
    /// What is stored at the end of each step.
    pub stored: Vec<f64>,
}

/// What a plan comes to. Money in MIC, without the prices of broken limits and of nudges.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Totals {
    /// What is paid for power bought.
    pub import_cost: f64,
    /// What is got for power sold.
    pub export_income: f64,
    /// What a new peak costs.
    pub peak_cost: f64,
    /// What sources and generators cost.
    pub generation_cost: f64,
    /// What wear costs.
    pub wear_cost: f64,
    /// What loads with a stated worth go without.
    pub unserved_cost: f64,
    /// Carbon emitted by what is bought, used and generated, in g CO2e.
    pub carbon_g: f64,
}

impl Totals {
    /// All costs less income, MIC.
    pub fn cost(&self) -> f64 {
        self.import_cost + self.peak_cost + self.generation_cost + self.wear_cost + self.unserved_cost - self.export_income
    }
}

/// A limit a plan could not keep.
#[derive(Clone, Debug, PartialEq)]
pub struct Broken {
    /// Which.
    pub limit: Limit,
    /// The steps in which it is broken.
    pub steps: Vec<usize>,
    /// By how much in all: kWh; steps of a flexible load.
    pub amount: f64,
    /// What a unit of that cost in the plan, MIC: the price that nothing else was worth.
    pub price: f64,
}

/// What can be broken. The numbers are positions in the site's lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// More is bought than the connection's limit.
    Import,
    /// A battery holds more than it shall.
    Most(usize),
    /// A battery holds less than it shall.
    Least(usize),
    /// A battery does not hold what it shall at a time.
    Goal(usize),
    /// A battery is charged with less than is asked for.
    Demand(usize),
    /// A load goes without.
    Load(usize),
    /// A flexible load runs fewer steps.
    Flexible(usize),
}

impl Plan {
    pub(super) fn read(site: &Dispatch, model: &Model, solution: &Solution) -> Self {
        let value = |variable: &Variable| Some(solution.value(*variable)).filter(|value| value.abs() > NOTHING).unwrap_or(0.0);
        let row = |variables: &[Variable]| variables.iter().map(value).collect::<Vec<f64>>();
        let rows = |variables: &[Vec<Variable>]| variables.iter().map(|one| row(one)).collect::<Vec<_>>();
        let or_none = |row: Vec<f64>| if row.is_empty() { vec![0.0; site.len()] } else { row };
        let used = rows(&model.used);
        let curtailed = site.sources.iter().zip(&used).map(|(source, used)| less(&source.available, used)).collect();
        let import_over = or_none(row(&model.import_over));
        let battery =
            |model: &BatteryModel| BatteryPlan { charge: row(&model.charge), discharge: row(&model.discharge), stored: row(&model.stored) };
        let runs = |load: &super::model::FlexibleModel| {
            load.runs.iter().filter(|(_, run)| solution.value(*run) > 0.5).map(|(step, _)| *step).collect()
        };
        let mut plan = Self {
            import: or_none(row(&model.import)).iter().zip(&import_over).map(|(import, over)| import + over).collect(),
            export: or_none(row(&model.export)),
            used,
            curtailed,
            generators: rows(&model.generated).into_iter().map(|energy| GeneratorPlan { energy }).collect(),
            batteries: model.batteries.iter().map(battery).collect(),
            unserved: rows(&model.unserved),
            flexible: model.flexible.iter().map(runs).collect(),
            gap: ((solution.cost - solution.bound) / solution.cost.abs().max(NOTHING)).max(0.0),
            ..Self::default()
        };
        plan.peak_above = plan.peak_above(site);
        plan.totals = plan.totals(site);
        plan.broken = broken(site, model, solution);
        plan
    }

    fn peak_above(&self, site: &Dispatch) -> f64 {
        let Some(peak) = site.grid.as_ref().and_then(|grid| grid.peak) else { return 0.0 };
        let powers = self.import.iter().zip(&site.hours).map(|(energy, hours)| energy / hours);
        (powers.fold(0.0, f64::max) - peak.so_far).max(0.0)
    }

    fn totals(&self, site: &Dispatch) -> Totals {
        let mut totals = Totals::default();
        if let Some(grid) = &site.grid {
            totals.import_cost = product(&self.import, &grid.import_price);
            totals.export_income = product(&self.export, &grid.export_price);
            totals.peak_cost = grid.peak.map_or(0.0, |peak| peak.price * self.peak_above);
            totals.carbon_g = product(&self.import, &grid.carbon);
        }
        for (source, used) in site.sources.iter().zip(&self.used) {
            totals.generation_cost += source.cost * sum(used);
            totals.carbon_g += source.carbon * sum(used);
        }
        for (generator, plan) in site.generators.iter().zip(&self.generators) {
            totals.generation_cost += generator.cost * sum(&plan.energy);
            totals.carbon_g += generator.carbon * sum(&plan.energy);
        }
        let wear = |(battery, plan): (&Battery, &BatteryPlan)| {
            battery.wear * (battery.charge_efficiency * sum(&plan.charge) + sum(&plan.discharge) / battery.discharge_efficiency)
        };
        totals.wear_cost = site.batteries.iter().zip(&self.batteries).map(wear).sum();
        let unserved = site.loads.iter().zip(&self.unserved).map(|(load, unserved)| load.worth.unwrap_or(0.0) * sum(unserved));
        totals.unserved_cost = unserved.sum();
        totals
    }
}

fn sum(row: &[f64]) -> f64 {
    row.iter().sum()
}

fn product(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn less(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| (a - b).max(0.0)).collect()
}

/// The limits that are broken, each with all its steps.
fn broken(site: &Dispatch, model: &Model, solution: &Solution) -> Vec<Broken> {
    let base = site.price_base();
    let mut found = Vec::new();
    let mut look = |limit: Limit, price: f64, variables: &mut dyn Iterator<Item = (usize, Variable)>| {
        let over = variables.map(|(step, variable)| (step, solution.value(variable))).filter(|(_, value)| *value > 1e-6);
        let (steps, amounts): (Vec<usize>, Vec<f64>) = over.unzip();
        if !steps.is_empty() {
            found.push(Broken { limit, amount: sum(&amounts), steps, price });
        }
    };
    let some = |row: &[Option<Variable>]| {
        row.iter().copied().enumerate().filter_map(|(step, variable)| Some((step, variable?))).collect::<Vec<_>>()
    };
    look(Limit::Import, LIMIT * base, &mut model.import_over.iter().copied().enumerate());
    for (number, battery) in model.batteries.iter().enumerate() {
        look(Limit::Most(number), LAST * base, &mut some(&battery.above).into_iter());
        look(Limit::Least(number), LAST * base, &mut some(&battery.below).into_iter());
        look(Limit::Goal(number), LIMIT * base, &mut some(&battery.goal_missed).into_iter());
        look(Limit::Demand(number), LIMIT * base, &mut some(&battery.demand_missed).into_iter());
    }
    for (number, (load, unserved)) in site.loads.iter().zip(&model.unserved).enumerate() {
        look(Limit::Load(number), load.worth.unwrap_or(LAST * base), &mut unserved.iter().copied().enumerate());
    }
    for (number, (load, flexible)) in site.flexible.iter().zip(&model.flexible).enumerate() {
        look(Limit::Flexible(number), LIMIT * base * load.power, &mut std::iter::once((load.window.start, flexible.missing)));
    }
    found
}
