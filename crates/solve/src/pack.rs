//! Packing: tasks over a row of slots, each where it is cheap, together never above the capacity of a slot; with a proof of how far from the
//! best the result can be.
//!
//! The capacity is given a price in each slot (Lagrange). At these prices every task is on its own and is placed exactly (`place.rs`), which bounds the best
//! from below (`prices.rs`). Tasks placed one after the other where there is room bound it from above (`insert.rs`), and better so when the prices are good;
//! then parts are torn down and built again (`ruin.rs`). `README.md` has the formulas.

mod insert;
mod place;
mod prices;
mod ruin;

use std::ops::Range;

use insert::Insertion;
use place::{Slots, place};
use prices::Prices;

/// How a task may be spread over its slots.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    /// One run without a break.
    Run,
    /// Any slots, and in each up to so many units of work at once.
    Loose {
        /// Units of work in one slot, at most; 1 is a task that may only be interrupted.
        width_max: u32,
    },
    /// Runs of at least so many slots. Each but the first has a price.
    Pieces {
        /// The shortest run, in slots.
        length_min: usize,
        /// What each run after the first costs.
        restart: f64,
    },
}

/// Work to be placed.
#[derive(Clone, Debug)]
pub struct Task {
    /// The slots it may use.
    pub window: Range<usize>,
    /// How much is to be done: units of one slot.
    pub work: usize,
    /// What a unit takes of a slot's capacity.
    pub draw: f64,
    /// Which of the rows of costs is its own.
    pub row: usize,
    /// How it may be spread.
    pub shape: Shape,
}

impl Task {
    /// Units of work in one slot, at most.
    pub fn width_max(&self) -> u32 {
        if let Shape::Loose { width_max } = self.shape { width_max } else { 1 }
    }

    fn without_restart(&self) -> Self {
        let mut task = self.clone();
        if let Shape::Pieces { restart, .. } = &mut task.shape {
            *restart = 0.0;
        }
        task
    }
}

/// Slots in a row, used with the same width.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// The slots.
    pub slots: Range<usize>,
    /// Units of work in each.
    pub width: u32,
}

/// Where the tasks went.
#[derive(Clone, Debug)]
pub struct Packed {
    /// Each task's slots in order; `None` when there was no room for it.
    pub places: Vec<Option<Vec<Use>>>,
    /// What the placed tasks cost together.
    pub cost: f64,
    /// How many tasks cannot be placed, whoever tries: proven.
    pub lost_min: usize,
    /// What all tasks cost at least, wherever they go; `None` when not all are placed.
    pub bound: Option<f64>,
    /// The price of a unit of capacity in each slot, by which the bound is proven: where it is positive, the capacity binds.
    pub prices: Vec<f64>,
}

/// How far to go.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// The gap at which to stop, relative to the cost.
    pub gap: f64,
    /// How often prices are mended, at most.
    pub steps: usize,
    /// How often parts are torn down, for each task.
    pub ruins: usize,
}

/// Places tasks over `room.len()` slots. `costs` are rows of the cost of a unit of draw in each slot; `room` is the capacity of each.
///
/// As many tasks are placed as it finds room for, before cost counts. The same input gives the same result.
pub fn pack(tasks: &[Task], costs: &[Vec<f64>], room: &[f64], effort: Effort) -> Packed {
    let mut prices = Prices::new(tasks, costs, room);
    prices.relax();
    let mut best = Insertion::guided(&prices, prices.guide().clone());
    prices.know(best.value());
    for round in 1..effort.steps {
        if best.value() - prices.bound() <= effort.gap * best.value().abs() || !prices.step() {
            break;
        }
        let fits = prices.relax();
        if fits || prices.is_worth_inserting(round) {
            let insertion = Insertion::guided(&prices, prices.guide().clone());
            prices.know(insertion.value());
            if insertion.value() < best.value() {
                best = insertion;
            }
        }
    }
    let mut lost_min = 0;
    if best.lost() > 0 && !prices.is_free() {
        // Room comes first: where nothing costs anything, nothing else is sought.
        let free: Vec<Task> = tasks.iter().map(Task::without_restart).collect();
        let roomy = pack(&free, &vec![vec![0.0; room.len()]; costs.len()], room, effort);
        lost_min = roomy.lost_min;
        let roomy = Insertion::of(&prices, roomy.places);
        if roomy.value() < best.value() {
            best = roomy;
        }
    }
    ruin::improve(&mut best, costs, prices.best(), prices.bound(), effort);
    if prices.is_free() {
        // Each lost task counts one, and there is no half a task.
        lost_min = whole(prices.bound());
    }
    let cost = best.cost();
    let bound = (best.lost() == 0).then(|| prices.bound().min(cost));
    Packed { lost_min, cost, bound, prices: prices.best().to_vec(), places: best.into_places() }
}

/// The least whole number that is not less, but for a sliver.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of tasks, of which there are fewer than 2^52")]
fn whole(bound: f64) -> usize {
    (bound - 1e-6).ceil().max(0.0) as usize
}
