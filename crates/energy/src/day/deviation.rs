//! Where what was measured differs from what was planned, why, and what that made.
//!
//! The balance of a step holds in the plan and at the meters, so the difference of what is bought less sold is the sum of the differences of all else. What has no meter
//! is the rest, and named so: the parts of a deviation add up to it.

use std::collections::BTreeMap;
use std::ops::Range;

use super::balance::Balance;
use super::flows::{self, Flows, Row};
use super::inputs::{Grid, Inputs, Signal};
use super::pace::Pace;

/// A price that is off by more than this part of the day's mean is another price.
const PRICE_CHANGED: f64 = 0.1;

/// Consecutive steps in which more, or in which less, is bought less sold than planned.
#[derive(Clone, Debug, PartialEq)]
pub struct Deviation {
    /// The steps.
    pub steps: Range<usize>,
    /// Bought less sold, measured less planned, kWh.
    pub energy: f64,
    /// What of that is bought more.
    pub import: f64,
    /// What that cost at the prices as they were, MIC; none where a price is not known.
    pub cost: Option<f64>,
    /// What that emitted, g CO2e; none where an intensity is not known.
    pub carbon_g: Option<f64>,
    /// What loads went without beyond the plan, kWh.
    pub unserved: f64,
    /// What makes it up, the cause first, then by size; the energies add up to `energy`.
    pub parts: Vec<Part>,
}

/// A part of a deviation.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Why.
    pub cause: Cause,
    /// The device or job it is about; none for grid and what has no meter.
    pub device: Option<Box<str>>,
    /// What it adds to the deviation, kWh; below zero where it works against it.
    pub energy: f64,
    /// What that costs, MIC.
    pub cost: Option<f64>,
    /// What that emits, g CO2e.
    pub carbon_g: Option<f64>,
}

/// Why something is not as planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A source gave less than foreseen.
    LessSource,
    /// A source gave more than foreseen.
    MoreSource,
    /// A load took more than foreseen.
    MoreLoad,
    /// A load took less than foreseen.
    LessLoad,
    /// A battery did not follow the plan.
    Battery,
    /// A battery followed a price that was another than foreseen.
    PriceChanged,
    /// A job ran later than placed, or not yet.
    JobLate,
    /// A job ran earlier than placed.
    JobEarly,
    /// A job took more than it was placed with.
    JobMore,
    /// The grid was lost.
    GridLost,
    /// The grid was there where the plan reckoned without.
    GridBack,
    /// No meter saw it.
    Unmetered,
}

/// What can deviate. The numbers are positions in the site's lists, and in that of jobs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Thing {
    Source(usize),
    Load(usize),
    Battery(usize),
    Price(usize),
    Job(usize),
    GridLost,
    GridBack,
    Unmetered,
}

/// Energy, money and carbon of a part.
#[derive(Clone, Copy)]
struct Weight {
    energy: f64,
    cost: Option<f64>,
    carbon: Option<f64>,
}

/// All deviations of the steps that are over.
pub(super) fn deviations(inputs: &Inputs) -> Vec<Deviation> {
    let Some(planned) = inputs.planned.as_ref() else { return Vec::new() };
    let paces: Vec<Pace> = inputs.jobs.iter().map(|job| Pace::of(job, inputs)).collect();
    let look = Look { inputs, planned, paces: &paces };
    let threshold = inputs.threshold_kw.max(0.0) * inputs.horizon.step_h();
    let sign = |step: usize| look.exchange(step).filter(|energy| energy.abs() > threshold).map(|energy| energy > 0.0);
    let mut runs: Vec<(Range<usize>, bool)> = Vec::new();
    for (step, up) in (0..inputs.over()).filter_map(|step| Some((step, sign(step)?))) {
        match runs.last_mut() {
            Some((run, same)) if run.end == step && *same == up => run.end = step + 1,
            _ => runs.push((step..step + 1, up)),
        }
    }
    runs.into_iter().map(|(steps, _)| look.deviation(steps)).collect()
}

/// What other prices than foreseen add to what was planned, over the steps that are measured and planned.
pub(super) fn price_effect(inputs: &Inputs, planned: &[Option<Balance>], known: &[Option<Balance>]) -> f64 {
    let Some(grid) = &inputs.grid else { return 0.0 };
    let change = |signal: &Signal, step: usize| Some(flows::at(&signal.now, step)? - flows::at(&signal.foreseen, step)?);
    let effect = |step: usize| {
        let plan = planned.get(step)?.as_ref()?;
        known.get(step)?.as_ref()?;
        let import = change(&grid.import_price, step).unwrap_or(0.0) * plan.import;
        Some(import - change(&grid.export_price, step).unwrap_or(0.0) * plan.export)
    };
    (0..inputs.over()).filter_map(effect).sum()
}

struct Look<'a> {
    inputs: &'a Inputs,
    planned: &'a Flows,
    paces: &'a [Pace],
}

impl Look<'_> {
    /// Measured less planned.
    fn change(&self, row: impl Fn(&Flows) -> Option<&Row>, step: usize) -> Option<f64> {
        Some(flows::at(row(&self.inputs.measured)?, step)? - flows::at(row(self.planned)?, step)?)
    }

    /// Bought less sold, measured less planned.
    fn exchange(&self, step: usize) -> Option<f64> {
        self.inputs.grid.as_ref()?;
        Some(self.change(|flows| Some(&flows.import), step)? - self.change(|flows| Some(&flows.export), step)?)
    }

    fn deviation(&self, steps: Range<usize>) -> Deviation {
        let mut parts: BTreeMap<Thing, Weight> = BTreeMap::new();
        let mut whole = Weight { energy: 0.0, cost: Some(0.0), carbon: Some(0.0) };
        for step in steps.clone() {
            let each = self.each(step);
            for (thing, energy) in self.parts(step) {
                let weight =
                    Weight { energy, cost: each.cost.map(|cost| cost * energy), carbon: each.carbon.map(|carbon| carbon * energy) };
                whole = whole.plus(weight);
                let part = parts.entry(thing).or_insert(Weight { energy: 0.0, cost: Some(0.0), carbon: Some(0.0) });
                *part = part.plus(weight);
            }
        }
        let sum = |row: fn(&Flows) -> &Row| steps.clone().filter_map(|step| self.change(|flows| Some(row(flows)), step)).sum::<f64>();
        let mut parts: Vec<Part> =
            parts.into_iter().filter(|(_, part)| part.energy.abs() > 1e-9).map(|(thing, part)| self.part(thing, part, &steps)).collect();
        // What works in its direction, the greatest first; then what works against it.
        parts.sort_by(|one, other| (other.energy * whole.energy).total_cmp(&(one.energy * whole.energy)));
        Deviation {
            energy: whole.energy,
            import: sum(|flows| &flows.import),
            cost: whole.cost,
            carbon_g: whole.carbon,
            unserved: sum(|flows| &flows.unserved),
            parts,
            steps,
        }
    }

    /// What a kWh of a step's difference costs and emits.
    fn each(&self, step: usize) -> Weight {
        let signal = |of: fn(&Grid) -> &Signal| self.inputs.grid.as_ref().and_then(|grid| of(grid).at(step));
        let import = self.change(|flows| Some(&flows.import), step).unwrap_or(0.0);
        let export = self.change(|flows| Some(&flows.export), step).unwrap_or(0.0);
        let times = |energy: f64, signal: Option<f64>| if energy.abs() < 1e-9 { Some(0.0) } else { signal.map(|signal| signal * energy) };
        let energy = import - export;
        let bought = times(import, signal(|grid| &grid.import_price));
        let sold = times(export, signal(|grid| &grid.export_price));
        Weight {
            energy: 1.0,
            cost: bought.zip(sold).map(|(bought, sold)| (bought - sold) / energy),
            carbon: times(import, signal(|grid| &grid.carbon)).map(|carbon| carbon / energy),
        }
    }

    /// What makes up a step's difference, to the last of it.
    fn parts(&self, step: usize) -> Vec<(Thing, f64)> {
        let Some(energy) = self.exchange(step) else { return Vec::new() };
        let planned_up = self.inputs.planned_up(step).is_none_or(|up| up > 0.5);
        match (planned_up, self.inputs.grid_is_up(step)) {
            (true, false) => return vec![(Thing::GridLost, energy)],
            (false, true) => return vec![(Thing::GridBack, energy)],
            _ => {}
        }
        let mut parts: Vec<(Thing, f64)> = Vec::new();
        let sources = 0..self.inputs.site.sources.len();
        parts.extend(sources.filter_map(|number| Some((Thing::Source(number), -self.change(|flows| flows.sources.get(number), step)?))));
        let loads = 0..self.inputs.site.loads.len();
        parts.extend(loads.filter_map(|number| Some((Thing::Load(number), self.change(|flows| flows.loads.get(number), step)?))));
        parts.extend((0..self.inputs.site.batteries.len()).filter_map(|number| self.battery(number, step)));
        let jobs = self.inputs.jobs.iter().zip(self.paces).enumerate();
        parts.extend(
            jobs.filter_map(|(number, (job, pace))| Some((Thing::Job(number), flows::at(&job.measured, step)? - pace.placed.get(step)?))),
        );
        let metered: f64 = parts.iter().map(|(_, energy)| energy).sum();
        parts.push((Thing::Unmetered, energy - metered));
        parts
    }

    /// A battery took more, or gave less, than planned: because it did not follow, or the price was another and it took less where that was dearer.
    fn battery(&self, number: usize, step: usize) -> Option<(Thing, f64)> {
        let charge = self.change(|flows| Some(&flows.batteries.get(number)?.charge), step)?;
        let taken = charge - self.change(|flows| Some(&flows.batteries.get(number)?.discharge), step)?;
        let price = self.inputs.grid.as_ref().map(|grid| &grid.import_price);
        let dearer = price.and_then(|price| {
            let change = flows::at(&price.now, step)? - flows::at(&price.foreseen, step)?;
            Some(change).filter(|change| change.abs() > PRICE_CHANGED * price.mean(self.inputs.horizon.count).unwrap_or(0.0).abs())
        });
        let follows = dearer.is_some_and(|dearer| dearer * taken < 0.0);
        Some((if follows { Thing::Price(number) } else { Thing::Battery(number) }, taken))
    }

    fn part(&self, thing: Thing, weight: Weight, steps: &Range<usize>) -> Part {
        let site = &self.inputs.site;
        let more = weight.energy > 0.0;
        let (cause, device) = match thing {
            Thing::Source(number) => {
                (if more { Cause::LessSource } else { Cause::MoreSource }, site.sources.get(number).map(|one| &one.name))
            }
            Thing::Load(number) => (if more { Cause::MoreLoad } else { Cause::LessLoad }, site.loads.get(number)),
            Thing::Battery(number) => (Cause::Battery, site.batteries.get(number).map(|one| &one.name)),
            Thing::Price(number) => (Cause::PriceChanged, site.batteries.get(number).map(|one| &one.name)),
            Thing::Job(number) => (self.job(number, weight.energy, steps), self.inputs.jobs.get(number).map(|one| &one.name)),
            Thing::GridLost => (Cause::GridLost, None),
            Thing::GridBack => (Cause::GridBack, None),
            Thing::Unmetered => (Cause::Unmetered, None),
        };
        Part { cause, device: device.cloned(), energy: weight.energy, cost: weight.cost, carbon_g: weight.carbon }
    }

    /// Whether a job catches up, runs ahead, or takes more than it should.
    fn job(&self, number: usize, energy: f64, steps: &Range<usize>) -> Cause {
        let Some(pace) = self.paces.get(number) else { return Cause::JobLate };
        let sum = |row: &[f64], end: usize| row.iter().take(end).sum::<f64>();
        let owed = sum(&pace.placed, steps.start) - sum(&pace.took, steps.start);
        let of_day: f64 = pace.placed.iter().sum();
        if energy < 0.0 {
            return if owed < energy / 2.0 { Cause::JobEarly } else { Cause::JobLate };
        }
        if owed >= energy / 2.0 {
            Cause::JobLate
        } else if sum(&pace.took, steps.end) <= of_day * 1.05 {
            Cause::JobEarly
        } else {
            Cause::JobMore
        }
    }
}

impl Weight {
    fn plus(self, other: Self) -> Self {
        let both = |one: Option<f64>, other: Option<f64>| one.zip(other).map(|(one, other)| one + other);
        Self { energy: self.energy + other.energy, cost: both(self.cost, other.cost), carbon: both(self.carbon, other.carbon) }
    }
}
