//! What was saved: the day against the same day without batteries and without shifting.
//!
//! The baseline serves loads from sources first and buys the rest; what sources give beyond that is sold. Jobs run at once. Generators run only without a grid, and no
//! more than they did. What is stored at the end of a part of the day beyond its begin, less what jobs have still to take that would have run, is worth the
//! day's mean price and carbon.

use super::balance::Balance;
use super::flows;
use super::inputs::{Grid, Inputs, Signal};
use super::pace::Pace;
use super::score::{Scored, Scores};

/// A part of the day, summed. Energies kWh, money MIC.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sums {
    /// How many steps it has.
    pub steps: usize,
    /// What was consumed.
    pub consumption: f64,
    /// Bought.
    pub import: f64,
    /// Sold.
    pub export: f64,
    /// What sun, wind and water gave.
    pub generated: f64,
    /// What of that was used or stored on the site.
    pub own_used: f64,
    /// What loads went without.
    pub unserved: f64,
    /// What it cost: bought less sold, sources, wear.
    pub cost: f64,
    /// What it emitted, g CO2e.
    pub carbon_g: f64,
    /// What the baseline would have cost.
    pub baseline_cost: f64,
    /// What the baseline would have emitted, g CO2e.
    pub baseline_carbon_g: f64,
    /// What loads would have gone without in the baseline.
    pub baseline_unserved: f64,
    /// What the batteries can give more at its end than at its begin.
    pub stored: f64,
    /// What jobs would have taken by its end if they had run at once, and have not.
    pub owed: f64,
    /// Money saved: the baseline's less what it cost, with what is stored and owed at the day's mean price.
    pub cost_saved: f64,
    /// Carbon saved, likewise, g CO2e.
    pub carbon_saved_g: f64,
    /// Steps without a price: they count in no money.
    pub unpriced: usize,
    /// Steps without a carbon intensity: they count in no carbon.
    pub unknown_carbon: usize,
    /// The 24/7 score; none where nothing was consumed, or the grid's carbon-free share is not known.
    pub score: Option<f64>,
    /// The part of the score that one's own sources and what batteries kept earn.
    pub own_score: Option<f64>,
}

/// Each step's sums.
pub(super) struct Saving {
    steps: Vec<Option<(Sums, Scored)>>,
    price: f64,
    carbon: f64,
}

impl Saving {
    pub(super) fn of(inputs: &Inputs, known: &[Option<Balance>]) -> Self {
        let paces: Vec<Pace> = inputs.jobs.iter().map(|job| Pace::of(job, inputs)).collect();
        let mut scores = Scores::at_begin(inputs);
        let steps = known.iter().enumerate().map(|(step, balance)| {
            let balance = balance.as_ref()?;
            Some((Step { inputs, number: step, balance }.sums(&paces), scores.scored(balance, step)))
        });
        let mean = |signal: fn(&Grid) -> &Signal| inputs.grid.as_ref().and_then(|grid| signal(grid).mean(inputs.horizon.count));
        Self {
            steps: steps.collect(),
            price: mean(|grid| &grid.import_price).unwrap_or(0.0),
            carbon: mean(|grid| &grid.carbon).unwrap_or(0.0),
        }
    }

    /// The sums of those steps that are known.
    pub(super) fn sums(&self, counts: &dyn Fn(usize) -> bool) -> Sums {
        let steps = || self.steps.iter().enumerate().filter(|(step, _)| counts(*step)).filter_map(|(_, step)| step.as_ref());
        let mut sums = steps().fold(Sums::default(), |sums, (step, _)| sums.plus(step));
        let more = sums.stored - sums.owed;
        sums.cost_saved = sums.baseline_cost - sums.cost + more * self.price;
        sums.carbon_saved_g = sums.baseline_carbon_g - sums.carbon_g + more * self.carbon;
        (sums.score, sums.own_score) = Scored::over(steps().map(|(_, scored)| scored));
        sums
    }
}

impl Sums {
    fn plus(self, other: &Self) -> Self {
        Self {
            steps: self.steps + other.steps,
            consumption: self.consumption + other.consumption,
            import: self.import + other.import,
            export: self.export + other.export,
            generated: self.generated + other.generated,
            own_used: self.own_used + other.own_used,
            unserved: self.unserved + other.unserved,
            cost: self.cost + other.cost,
            carbon_g: self.carbon_g + other.carbon_g,
            baseline_cost: self.baseline_cost + other.baseline_cost,
            baseline_carbon_g: self.baseline_carbon_g + other.baseline_carbon_g,
            baseline_unserved: self.baseline_unserved + other.baseline_unserved,
            stored: self.stored + other.stored,
            owed: self.owed + other.owed,
            unpriced: self.unpriced + other.unpriced,
            unknown_carbon: self.unknown_carbon + other.unknown_carbon,
            ..self
        }
    }
}

/// A step that is known.
struct Step<'a> {
    inputs: &'a Inputs,
    number: usize,
    balance: &'a Balance,
}

/// What is exchanged with the grid, and what generators give.
struct Way {
    import: f64,
    export: f64,
    generators: f64,
    unserved: f64,
}

impl Step<'_> {
    fn sums(&self, paces: &[Pace]) -> Sums {
        let taken = |energies: fn(&Pace) -> &Vec<f64>| paces.iter().filter_map(|pace| energies(pace).get(self.number)).sum::<f64>();
        let owed = taken(|pace| &pace.at_once) - taken(|pace| &pace.took);
        let generated: f64 = self.given(true).map(|(energy, _)| energy).sum();
        let supply = self.balance.supply();
        let kept = if supply > 0.0 { (1.0 - self.balance.export / supply).clamp(0.0, 1.0) } else { 0.0 };
        let mut sums = Sums {
            steps: 1,
            consumption: self.balance.consumption(),
            import: self.balance.import,
            export: self.balance.export,
            generated,
            own_used: generated * kept,
            unserved: self.unserved(),
            stored: self.stored(),
            owed,
            ..Sums::default()
        };
        let actual = Way { import: sums.import, export: sums.export, generators: self.burnt(), unserved: sums.unserved };
        let baseline = self.baseline(sums.consumption + owed, generated);
        sums.baseline_unserved = baseline.unserved;
        match (self.cost(&actual), self.cost(&baseline)) {
            (Some(cost), Some(baseline_cost)) => {
                (sums.cost, sums.baseline_cost) = (cost + self.wear(), baseline_cost);
            }
            _ => sums.unpriced = 1,
        }
        match (self.carbon(&actual), self.carbon(&baseline)) {
            (Some(carbon), Some(baseline_carbon)) => (sums.carbon_g, sums.baseline_carbon_g) = (carbon, baseline_carbon),
            _ => sums.unknown_carbon = 1,
        }
        sums
    }

    /// The step without batteries, with jobs at once.
    fn baseline(&self, need: f64, generated: f64) -> Way {
        let need = need.max(0.0);
        let own = need.min(generated);
        if self.inputs.grid_is_up(self.number) {
            return Way { import: need - own, export: generated - own, generators: 0.0, unserved: 0.0 };
        }
        let generators = (need - own).min(self.burnt());
        Way { import: 0.0, export: 0.0, generators, unserved: need - own - generators + self.unserved() }
    }

    /// What sources gave and what a kWh of each costs and emits: the carbon-free ones, or generators.
    fn given(&self, free: bool) -> impl Iterator<Item = (f64, (f64, f64))> {
        let all = self.inputs.site.sources.iter().zip(&self.balance.sources);
        all.filter(move |(source, _)| source.kind.is_carbon_free() == free).map(|(source, energy)| (*energy, (source.cost, source.carbon)))
    }

    fn burnt(&self) -> f64 {
        self.given(false).map(|(energy, _)| energy).sum()
    }

    /// What `of` a kWh comes to over sources, and over `generators` kWh of generators.
    fn of_sources(&self, generators: f64, of: fn((f64, f64)) -> f64) -> f64 {
        let sum = |free: bool| self.given(free).map(|(energy, each)| energy * of(each)).sum::<f64>();
        let burnt = self.burnt();
        sum(true) + if burnt > 0.0 { sum(false) * generators / burnt } else { 0.0 }
    }

    fn cost(&self, way: &Way) -> Option<f64> {
        let price = |signal: fn(&Grid) -> &Signal, energy: f64| self.priced(signal, energy);
        Some(
            price(|grid| &grid.import_price, way.import)? - price(|grid| &grid.export_price, way.export)?
                + self.of_sources(way.generators, |each| each.0),
        )
    }

    fn carbon(&self, way: &Way) -> Option<f64> {
        Some(self.priced(|grid| &grid.carbon, way.import)? + self.of_sources(way.generators, |each| each.1))
    }

    /// An energy times a signal; nothing costs nothing, whether or not the signal is known.
    fn priced(&self, signal: fn(&Grid) -> &Signal, energy: f64) -> Option<f64> {
        if energy.abs() < 1e-9 {
            return Some(0.0);
        }
        Some(signal(self.inputs.grid.as_ref()?).at(self.number)? * energy)
    }

    fn wear(&self) -> f64 {
        let batteries = self.inputs.site.batteries.iter().zip(self.balance.charge.iter().zip(&self.balance.discharge));
        batteries.map(|(one, (charge, discharge))| one.wear * (one.charge_efficiency * charge + discharge / one.discharge_efficiency)).sum()
    }

    /// What the batteries can give more after the step than before.
    fn stored(&self) -> f64 {
        let batteries = self.inputs.site.batteries.iter().zip(self.balance.charge.iter().zip(&self.balance.discharge));
        batteries.map(|(one, (charge, discharge))| one.charge_efficiency * charge * one.discharge_efficiency - discharge).sum()
    }

    fn unserved(&self) -> f64 {
        let planned = || flows::at(&self.inputs.planned.as_ref()?.unserved, self.number);
        let measured = flows::at(&self.inputs.measured.unserved, self.number);
        if self.number < self.inputs.over() { measured } else { planned() }.unwrap_or(0.0)
    }
}
