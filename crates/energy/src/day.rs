//! A day of a site as one thing: what served its loads, what was planned and what came of it, why they differ, and what was saved.
//!
//! Pure: [`Day::of`] takes all there is ([`Inputs`]) and decides the rest. A value that is not known stays unknown, in words and never as zero. The mathematics stand in
//! `docs/modules/energy.md`.

mod balance;
mod calendar;
mod deviation;
mod flows;
mod inputs;
mod pace;
mod planned;
mod saved;
mod score;
mod words;

use std::ops::Range;

pub use balance::Balance;
pub use calendar::{Calendar, NoDay, STEP_S};
pub use deviation::{Cause, Deviation, Part};
pub use flows::{BatteryFlows, Flows, Reading, Row, row};
pub use inputs::{Battery, Grid, Inputs, PlacedJob, Signal, Site, Source, SourceKind, THRESHOLD_KW};
pub use planned::{Foreseen, PlannedStep, laid};
pub use saved::Sums;

use saved::Saving;

/// A day. Every row has a value for each step of the horizon; energies are kWh.
#[derive(Clone, Debug)]
pub struct Day {
    /// All it is made of.
    pub inputs: Inputs,
    /// What was planned in each step; none where no plan covers it.
    pub planned: Vec<Option<Balance>>,
    /// What is known of each step: measured in the past, else planned. Its mark says which; none where neither is known.
    pub known: Vec<Option<Balance>>,
    /// What each battery holds at the end of each step: measured, else planned.
    pub stored: Vec<Row>,
    /// How many steps are over.
    pub over: usize,
    /// Whether each step was measured in full.
    pub measured: Vec<bool>,
    /// Steps that are over and were not measured in full, with what was not.
    pub unmeasured: Vec<Unmeasured>,
    /// Steps in which the grid was not there, or shall not be.
    pub outages: Vec<Range<usize>>,
    /// Where measured differs from planned, in order of time.
    pub deviations: Vec<Deviation>,
    /// The measured steps, summed.
    pub so_far: Sums,
    /// The planned steps to come, summed.
    pub rest: Sums,
    /// Both.
    pub total: Sums,
    /// What other prices than foreseen add to what the measured steps would have cost as planned, MIC.
    pub price_effect: f64,
}

/// Steps that were not measured in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmeasured {
    /// The steps.
    pub steps: Range<usize>,
    /// The devices without a value: `grid`, or names of sources and batteries.
    pub devices: Vec<Box<str>>,
}

impl Day {
    /// The day that these inputs make.
    pub fn of(inputs: Inputs) -> Self {
        let steps = 0..inputs.horizon.count;
        let over = inputs.over();
        let planned: Vec<Option<Balance>> = steps.clone().map(|step| Balance::of(inputs.planned.as_ref()?, &inputs, step).ok()).collect();
        let measured: Vec<Result<Balance, Vec<Box<str>>>> = (0..over).map(|step| Balance::of(&inputs.measured, &inputs, step)).collect();
        let known: Vec<Option<Balance>> =
            steps.map(|step| measured.get(step).and_then(|found| found.as_ref().ok()).or(planned[step].as_ref()).cloned()).collect();
        let saving = Saving::of(&inputs, &known);
        let is_measured = |step: usize| measured.get(step).is_some_and(Result::is_ok);
        let so_far = saving.sums(&is_measured);
        let rest = saving.sums(&|step| step >= over);
        Self {
            total: saving.sums(&|step| step >= over || is_measured(step)),
            stored: (0..inputs.site.batteries.len()).map(|battery| stored(&inputs, battery, over)).collect(),
            unmeasured: unmeasured(&measured),
            measured: (0..inputs.horizon.count).map(is_measured).collect(),
            outages: runs(inputs.horizon.count, |step| inputs.grid.is_some() && !inputs.grid_is_up(step)),
            deviations: deviation::deviations(&inputs),
            price_effect: deviation::price_effect(&inputs, &planned, &known),
            inputs,
            planned,
            known,
            over,
            so_far,
            rest,
        }
    }

    /// What served the loads in a step: each source, each battery, the grid. Nothing where the step is not known.
    ///
    /// Who draws from the same wires draws the same mix, as in [`crate::carbon::mix`].
    pub fn served(&self, step: usize) -> Option<Served> {
        let balance = self.known.get(step)?.as_ref()?;
        let share = balance.served_share();
        let times = |row: &[f64]| row.iter().map(|value| value * share).collect();
        Some(Served { sources: times(&balance.sources), batteries: times(&balance.discharge), grid: balance.import * share })
    }
}

/// What served the loads in a step, kWh.
#[derive(Clone, Debug, PartialEq)]
pub struct Served {
    /// Each source.
    pub sources: Vec<f64>,
    /// Each battery.
    pub batteries: Vec<f64>,
    /// The grid.
    pub grid: f64,
}

fn stored(inputs: &Inputs, battery: usize, over: usize) -> Row {
    let of = |flows: &Flows, step: usize| flows.batteries.get(battery).and_then(|flows| *flows.stored.get(step)?);
    let measured = |step: usize| of(&inputs.measured, step).filter(|_| step < over);
    (0..inputs.horizon.count).map(|step| measured(step).or_else(|| of(inputs.planned.as_ref()?, step))).collect()
}

fn unmeasured(measured: &[Result<Balance, Vec<Box<str>>>]) -> Vec<Unmeasured> {
    let mut found: Vec<Unmeasured> = Vec::new();
    for (step, missing) in measured.iter().enumerate() {
        let Err(devices) = missing else { continue };
        match found.last_mut() {
            Some(last) if last.steps.end == step && last.devices == *devices => last.steps.end = step + 1,
            _ => found.push(Unmeasured { steps: step..step + 1, devices: devices.clone() }),
        }
    }
    found
}

/// The runs of steps in which something is so.
fn runs(count: usize, is: impl Fn(usize) -> bool) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for step in (0..count).filter(|step| is(*step)) {
        match runs.last_mut() {
            Some(run) if run.end == step => run.end = step + 1,
            _ => runs.push(step..step + 1),
        }
    }
    runs
}
