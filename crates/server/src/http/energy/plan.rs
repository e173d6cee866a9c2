//! A plan, as a reply tells it.

use lab3_energy::dispatch::{Broken, Dispatch, Limit, Plan};
use serde::Serialize;
use utoipa::ToSchema;

/// The plan. Every row has a value for each step, in kWh.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PlanReply {
    /// Bought.
    import_kwh: Vec<f64>,
    /// Sold.
    export_kwh: Vec<f64>,
    /// Each source.
    sources: Vec<SourcePart>,
    /// Each generator.
    generators: Vec<GeneratorPart>,
    /// Each battery.
    batteries: Vec<BatteryPart>,
    /// Each load.
    loads: Vec<LoadPart>,
    /// Each flexible load.
    flexible: Vec<FlexiblePart>,
    /// What it all comes to.
    totals: TotalsPart,
    /// What could not be kept.
    broken: Vec<BrokenPart>,
    /// How far this can be from the best, relative and proven; 0 when it is the best.
    gap: f64,
}

/// A source's part.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SourcePart {
    name: Box<str>,
    used_kwh: Vec<f64>,
    curtailed_kwh: Vec<f64>,
}

/// A generator's part.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct GeneratorPart {
    name: Box<str>,
    energy_kwh: Vec<f64>,
}

/// A battery's part.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BatteryPart {
    name: Box<str>,
    /// What goes in, at the terminals.
    charge_kwh: Vec<f64>,
    /// What comes out, at the terminals.
    discharge_kwh: Vec<f64>,
    /// What is stored at the end of each step.
    stored_kwh: Vec<f64>,
}

/// A load's part.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LoadPart {
    name: Box<str>,
    unserved_kwh: Vec<f64>,
}

/// A flexible load's part.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FlexiblePart {
    name: Box<str>,
    /// The steps in which it runs.
    steps: Vec<usize>,
}

/// What a plan comes to. Money in MIC, without the prices of what is broken.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TotalsPart {
    /// All costs less income.
    cost_gic: f64,
    import_cost_gic: f64,
    export_income_gic: f64,
    peak_cost_gic: f64,
    generation_cost_gic: f64,
    wear_cost_gic: f64,
    unserved_cost_gic: f64,
    carbon_g: f64,
    /// The highest power bought above what is paid for already.
    peak_above_kw: f64,
}

/// Something that could not be kept.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BrokenPart {
    /// The field whose limit it is.
    #[schema(example = "batteries[0].least_kwh")]
    limit: String,
    /// The steps.
    steps: Vec<usize>,
    /// By how much in all: kWh, or steps of a flexible load.
    amount: f64,
    /// What a unit of that cost in the plan, MIC.
    price: f64,
    /// The same in a sentence.
    detail: String,
}

impl PlanReply {
    pub(super) fn new(site: &Dispatch, plan: Plan) -> Self {
        let totals = &plan.totals;
        let totals = TotalsPart {
            cost_gic: totals.cost(),
            import_cost_gic: totals.import_cost,
            export_income_gic: totals.export_income,
            peak_cost_gic: totals.peak_cost,
            generation_cost_gic: totals.generation_cost,
            wear_cost_gic: totals.wear_cost,
            unserved_cost_gic: totals.unserved_cost,
            carbon_g: totals.carbon_g,
            peak_above_kw: plan.peak_above,
        };
        let source = |((source, used_kwh), curtailed_kwh): ((&lab3_energy::dispatch::Source, Vec<f64>), Vec<f64>)| SourcePart {
            name: source.name.clone(),
            used_kwh,
            curtailed_kwh,
        };
        Self {
            sources: site.sources.iter().zip(plan.used).zip(plan.curtailed).map(source).collect(),
            generators: named(site.generators.iter().map(|one| &one.name), plan.generators, |name, part| GeneratorPart {
                name,
                energy_kwh: part.energy,
            }),
            batteries: named(site.batteries.iter().map(|one| &one.name), plan.batteries, |name, part| BatteryPart {
                name,
                charge_kwh: part.charge,
                discharge_kwh: part.discharge,
                stored_kwh: part.stored,
            }),
            loads: named(site.loads.iter().map(|one| &one.name), plan.unserved, |name, unserved_kwh| LoadPart { name, unserved_kwh }),
            flexible: named(site.flexible.iter().map(|one| &one.name), plan.flexible, |name, steps| FlexiblePart { name, steps }),
            broken: plan.broken.into_iter().map(|broken| BrokenPart::new(site, broken)).collect(),
            import_kwh: plan.import,
            export_kwh: plan.export,
            gap: plan.gap,
            totals,
        }
    }
}

/// Parts with the names of what they are parts of.
fn named<'a, P, T>(names: impl Iterator<Item = &'a Box<str>>, parts: Vec<P>, made: impl Fn(Box<str>, P) -> T) -> Vec<T> {
    names.cloned().zip(parts).map(|(name, part)| made(name, part)).collect()
}

impl BrokenPart {
    fn new(site: &Dispatch, broken: Broken) -> Self {
        let battery = |number: usize| &site.batteries[number].name;
        let Broken { limit, steps, amount, price } = broken;
        let (limit, what) = match limit {
            Limit::Import => ("grid.import_max_kw".to_owned(), format!("{amount:.3} kWh are bought above the connection's limit")),
            Limit::Most(number) => (
                format!("batteries[{number}].most_kwh"),
                format!("{} holds more than it shall, {amount:.3} kWh over all steps", battery(number)),
            ),
            Limit::Least(number) => (
                format!("batteries[{number}].least_kwh"),
                format!("{} holds less than it shall, {amount:.3} kWh over all steps", battery(number)),
            ),
            Limit::Goal(number) => {
                (format!("batteries[{number}].goals_kwh"), format!("{} lacks {amount:.3} kWh of what it shall hold", battery(number)))
            }
            Limit::Demand(number) => {
                (format!("batteries[{number}].demand_kwh"), format!("{} is charged with {amount:.3} kWh less than asked", battery(number)))
            }
            Limit::Load(number) => {
                (format!("loads[{number}].energy_kwh"), format!("{} goes without {amount:.3} kWh", site.loads[number].name))
            }
            Limit::Flexible(number) => {
                (format!("flexible[{number}].steps"), format!("{} runs {amount:.0} steps less", site.flexible[number].name))
            }
        };
        let detail = format!("{what}: nothing else in the plan was worth its price, {price:.2} MIC.");
        Self { limit, steps, amount, price, detail }
    }
}
