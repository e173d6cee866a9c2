//! What a job is told: its runs, what they take and emit, and what is saved against running at once.

use lab3_solve::{Task, Use};
use lab3_units::Time;

use super::{Job, Manner, Outlook};

/// A time in which a job runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Run {
    /// From.
    pub start: Time,
    /// To.
    pub end: Time,
    /// What it draws, in kW.
    pub power_kw: f64,
}

/// What running takes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sums {
    /// Energy, in kWh.
    pub energy_kwh: f64,
    /// Carbon, in g CO2e.
    pub carbon_g: f64,
    /// Money, in MIC.
    pub cost: f64,
}

/// Where a job goes.
#[derive(Clone, Debug, PartialEq)]
pub struct Placement {
    /// When it runs, in order.
    pub runs: Vec<Run>,
    /// The slots of the runs, and the times of the job's power in each.
    pub uses: Vec<Use>,
    /// What that takes.
    pub sums: Sums,
    /// What it would take to run at once, from the earliest slot on and regardless of the cap.
    pub at_once: Sums,
}

impl Placement {
    /// The carbon saved against running at once, in g CO2e.
    pub fn carbon_saved_g(&self) -> f64 {
        self.at_once.carbon_g - self.sums.carbon_g
    }

    /// The money saved against running at once, in MIC.
    pub fn cost_saved(&self) -> f64 {
        self.at_once.cost - self.sums.cost
    }

    pub(super) fn of(job: &Job, task: &Task, uses: &[Use], outlook: &Outlook<'_>) -> Self {
        let horizon = &outlook.horizon;
        let run = |part: &Use| Run {
            start: horizon.begin_of(part.slots.start),
            end: horizon.begin_of(part.slots.end),
            power_kw: job.power_kw * f64::from(part.width),
        };
        let at_once = at_once(task);
        Self {
            runs: uses.iter().map(run).collect(),
            uses: uses.to_vec(),
            sums: sums(job, uses, outlook),
            at_once: sums(job, &at_once, outlook),
        }
    }
}

/// From the first slot on, as wide as it goes.
fn at_once(task: &Task) -> Vec<Use> {
    let (first, width) = (task.window.start, task.width_max());
    let full = task.work / width as usize;
    let rest = u32::try_from(task.work % width as usize).unwrap_or(0);
    let mut uses = vec![Use { slots: first..first + full, width }];
    if rest > 0 {
        uses.push(Use { slots: first + full..first + full + 1, width: rest });
    }
    // Full and rest are one run, not two pieces: nothing starts again.
    uses
}

/// What uses take, starting again included: that is emitted and paid in the first slot of the piece.
fn sums(job: &Job, uses: &[Use], outlook: &Outlook<'_>) -> Sums {
    let restart_kwh = if let Manner::Pieces { restart_kwh, .. } = job.manner { restart_kwh } else { 0.0 };
    let slot_kwh = job.power_kw * outlook.horizon.step_h();
    let known = |signal: &[f64], slot: usize| signal.get(slot).copied().unwrap_or(0.0);
    let mut sums = Sums::default();
    for (number, part) in uses.iter().enumerate() {
        for slot in part.slots.clone() {
            let again = if number > 0 && slot == part.slots.start { restart_kwh } else { 0.0 };
            let energy = slot_kwh * f64::from(part.width) + again;
            sums.energy_kwh += energy;
            sums.carbon_g += energy * known(outlook.carbon, slot);
            sums.cost += energy * known(outlook.price, slot);
        }
    }
    sums
}
