//! When to run jobs: in the hours that are clean, or cheap, or a weight of both, each within its window, together below what the site can draw.

mod answer;
mod reason;

use lab3_solve::{Effort, Shape, Task, pack};
use lab3_units::Time;

use crate::Horizon;

pub use answer::{Placement, Run, Sums};
pub use reason::Unplaced;

/// How a job may be spread over its time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Manner {
    /// In one piece.
    Whole,
    /// In pieces of at least so long. Each piece but the first takes more energy.
    Pieces {
        /// The shortest piece, in seconds.
        run_min_s: u32,
        /// What starting again takes, in kWh.
        restart_kwh: f64,
    },
    /// On several machines at once: in each slot up to so many times its power, and as much work done.
    Elastic {
        /// Times its power, at most.
        width_max: u32,
    },
}

/// Work that may wait.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// What it draws while it runs (an elastic one: on one machine), in kW.
    pub power_kw: f64,
    /// How long it runs in all, in seconds (an elastic one: on one machine).
    pub duration_s: u32,
    /// It may not begin before.
    pub earliest: Time,
    /// It has to be done by.
    pub deadline: Time,
    /// How it may be spread.
    pub manner: Manner,
    /// How much carbon counts, from 0 (only cost) to 1 (only carbon). Between, both count as parts of their means over the horizon.
    pub carbon_weight: f64,
}

/// What is known of the slots.
#[derive(Clone, Copy, Debug)]
pub struct Outlook<'a> {
    /// The slots.
    pub horizon: Horizon,
    /// Carbon intensity of each slot, g CO2e a kWh.
    pub carbon: &'a [f64],
    /// Price of each slot, MIC a kWh.
    pub price: &'a [f64],
    /// What the jobs may draw together in each slot, in kW; `None` is no limit.
    pub cap_kw: Option<&'a [f64]>,
}

/// Where all jobs go.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// Each job's place, or why it has none; as many as there were jobs.
    pub places: Vec<Result<Placement, Unplaced>>,
    /// How far what the jobs were placed by can be from the best, relative; `None` when not all are placed.
    pub gap: Option<f64>,
    /// How many of the jobs nobody could place together: proven.
    pub unplaced_min: usize,
}

/// How far to search when a cap binds: about a second for a thousand jobs.
pub const EFFORT: Effort = Effort { gap: 0.005, steps: 200, ruins: 100 };

/// Most slots that all jobs may have to choose from, one in pieces counted once for each step of its work.
pub const CHOICES_MAX: usize = 50_000_000;

/// Most values in the rows of costs: slots times different weights.
const ROWS_MAX: usize = 2_000_000;

/// How far to search for these jobs: as far as [`EFFORT`], or less where each round takes long. `None` for more choices than [`CHOICES_MAX`], or too many
/// different weights for so many slots.
pub fn effort(jobs: &[Job], horizon: &Horizon) -> Option<Effort> {
    /// Choices looked at in a few seconds.
    const LOOKS: usize = 1_000_000_000;
    let choices = |job: &Job| {
        let (window, work) = (horizon.between(job.earliest, job.deadline).len(), horizon.slots_of(job.duration_s));
        let in_pieces = matches!(job.manner, Manner::Pieces { run_min_s, restart_kwh } if restart_kwh > 0.0 || run_min_s > horizon.step_s);
        if work > window && !matches!(job.manner, Manner::Elastic { .. }) {
            1
        } else {
            window.saturating_mul(if in_pieces { work } else { 1 })
        }
    };
    let all = jobs.iter().map(choices).fold(1_usize, usize::saturating_add);
    // A ruin looks through the jobs, and places up to a dozen of them again.
    let ruin = all.saturating_mul(12).saturating_add(jobs.len().saturating_mul(jobs.len()));
    let (steps, ruins) = ((LOOKS / all).clamp(4, EFFORT.steps), (LOOKS / ruin).clamp(1, EFFORT.ruins));
    let rows = weights(jobs).len().saturating_mul(horizon.count);
    (all <= CHOICES_MAX && rows <= ROWS_MAX).then_some(Effort { steps, ruins, ..EFFORT })
}

/// Places jobs. What has no place does not keep others from theirs.
pub fn place(jobs: &[Job], outlook: &Outlook<'_>, effort: Effort) -> Schedule {
    let rows = Rows::of(jobs, outlook);
    let tasks: Vec<Task> = jobs.iter().zip(&rows.number).map(|(job, row)| task(job, *row, &rows.costs[*row], outlook)).collect();
    // Without a cap each job is a question of its own, and its first answer exact.
    let packed = match outlook.cap_kw {
        Some(cap) => pack(&tasks, &rows.costs, cap, effort),
        None => pack(&tasks, &rows.costs, &boundless(&tasks, outlook.horizon.count), Effort { steps: 1, ruins: 0, ..effort }),
    };
    let places = jobs.iter().zip(&tasks).zip(&packed.places).map(|((job, task), uses)| match uses {
        Some(uses) => Ok(Placement::of(job, task, uses, outlook)),
        None => Err(Unplaced::of(job, task, outlook, &packed.prices)),
    });
    let gap = packed.bound.map(|bound| if packed.cost > 0.0 { (packed.cost - bound) / packed.cost } else { 0.0 });
    Schedule { places: places.collect(), gap, unplaced_min: packed.lost_min }
}

/// Room for more than all jobs draw, which keeps sums of it finite.
fn boundless(tasks: &[Task], slots: usize) -> Vec<f64> {
    let all: f64 = tasks.iter().map(|task| task.draw * f64::from(task.width_max())).sum();
    vec![2.0 * all + 1.0; slots]
}

fn task(job: &Job, row: usize, costs: &[f64], outlook: &Outlook<'_>) -> Task {
    let horizon = &outlook.horizon;
    let window = horizon.between(job.earliest, job.deadline);
    let shape = match job.manner {
        Manner::Whole => Shape::Run,
        Manner::Elastic { width_max } => Shape::Loose { width_max: width_max.max(1) },
        Manner::Pieces { run_min_s, restart_kwh } => match horizon.slots_of(run_min_s).max(1) {
            1 if restart_kwh <= 0.0 => Shape::Loose { width_max: 1 },
            length_min => Shape::Pieces { length_min, restart: restart_kwh * mean(&costs[window.clone()]) / horizon.step_h() },
        },
    };
    Task { window, work: horizon.slots_of(job.duration_s), draw: job.power_kw, row, shape }
}

/// The rows of costs that the jobs' weights make, in objective a kW for a slot; those of one weight share one.
struct Rows {
    costs: Vec<Vec<f64>>,
    number: Vec<usize>,
}

impl Rows {
    fn of(jobs: &[Job], outlook: &Outlook<'_>) -> Self {
        let weights = weights(jobs);
        let number = |job: &Job| weights.binary_search_by(|weight| weight.total_cmp(&job.carbon_weight)).unwrap_or(0);
        Self { number: jobs.iter().map(number).collect(), costs: weights.iter().map(|weight| row(*weight, outlook)).collect() }
    }
}

/// The different weights of the jobs, in order.
fn weights(jobs: &[Job]) -> Vec<f64> {
    let mut weights: Vec<f64> = jobs.iter().map(|job| job.carbon_weight).collect();
    weights.sort_by(f64::total_cmp);
    weights.dedup_by(|a, b| a.total_cmp(b).is_eq());
    weights
}

/// What a kWh costs in each slot, carbon and money as parts of their means.
fn row(carbon_weight: f64, outlook: &Outlook<'_>) -> Vec<f64> {
    // A mean that is nothing, or below, is no measure: then the signal counts by its largest value.
    let measure = |signal: &[f64]| {
        let mean = mean(signal);
        let most = signal.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
        if mean > 0.0 {
            mean
        } else if most > 0.0 {
            most
        } else {
            1.0
        }
    };
    let (carbon, price) = (carbon_weight / measure(outlook.carbon), (1.0 - carbon_weight) / measure(outlook.price));
    let hours = outlook.horizon.step_h();
    let known = |signal: &[f64], slot: usize| signal.get(slot).copied().unwrap_or(0.0);
    (0..outlook.horizon.count).map(|slot| (carbon * known(outlook.carbon, slot) + price * known(outlook.price, slot)) * hours).collect()
}

#[allow(clippy::cast_precision_loss, reason = "there are no 2^52 slots")]
fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}
