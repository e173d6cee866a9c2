//! Jobs in the day's steps: as they were placed, as they ran, and as they would have run at once.

use super::flows;
use super::inputs::{Inputs, PlacedJob};
use crate::Horizon;
use crate::jobs::Run;
use lab3_units::Time;

/// A job's energies, kWh a step.
pub(super) struct Pace {
    /// By its place.
    pub placed: Vec<f64>,
    /// What it took: by its meter where it has one and the step is over, else by its place.
    pub took: Vec<f64>,
    /// The same in all, from its earliest step on with all its power.
    pub at_once: Vec<f64>,
}

impl Pace {
    pub(super) fn of(job: &PlacedJob, inputs: &Inputs) -> Self {
        let (horizon, over) = (&inputs.horizon, inputs.over());
        let placed = placed(&job.runs, horizon);
        let measured = |step: usize| flows::at(&job.measured, step).filter(|_| step < over);
        let took: Vec<f64> = placed.iter().enumerate().map(|(step, placed)| measured(step).unwrap_or(*placed)).collect();
        let power = job.runs.iter().map(|run| run.power_kw).fold(0.0, f64::max);
        let at_once = at_once(job.earliest, power * horizon.step_h(), took.iter().sum(), horizon);
        Self { placed, took, at_once }
    }
}

fn placed(runs: &[Run], horizon: &Horizon) -> Vec<f64> {
    let energy = |step: usize, run: &Run| {
        let (from, to) = (run.start.max(horizon.begin_of(step)), run.end.min(horizon.begin_of(step + 1)));
        run.power_kw * hours(to.millis_since(from))
    };
    (0..horizon.count).map(|step| runs.iter().map(|run| energy(step, run)).sum()).collect()
}

/// `energy` in steps of at most `most`, from the first whole one after `earliest` on. What the day has no time for goes into its last step.
fn at_once(earliest: Time, most: f64, energy: f64, horizon: &Horizon) -> Vec<f64> {
    let first = horizon.between(earliest, horizon.begin_of(horizon.count)).start;
    let mut left = energy;
    let mut steps: Vec<f64> = (0..horizon.count)
        .map(|step| {
            let part = if step < first { 0.0 } else { left.min(most) };
            left -= part;
            part
        })
        .collect();
    if let Some(last) = steps.last_mut() {
        *last += left;
    }
    steps
}

#[allow(clippy::cast_precision_loss, reason = "a day is far below 2^52 milliseconds")]
fn hours(millis: u64) -> f64 {
    millis as f64 / 3_600_000.0
}
