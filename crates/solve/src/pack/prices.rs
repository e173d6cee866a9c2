//! Prices of capacity, and the bound they prove.
//!
//! At prices `l_t >= 0` the cost of any packing is at least `sum_j (least cost of task j at c + l) - sum_t l_t C_t`. The bound is concave in the
//! prices, and what the tasks would take beyond the capacity is its slope: each step goes that way, as far as the best packing known promises (Polyak).

use super::insert::{Guide, count};
use super::{Shape, Task};

/// Rounds without a better bound after which steps become half as long.
const PATIENCE: u32 = 8;

/// The prices of this round, the best bound so far, and the way on.
pub(super) struct Prices<'a> {
    pub(super) tasks: &'a [Task],
    pub(super) costs: &'a [Vec<f64>],
    pub(super) room: &'a [f64],
    /// What not placing a task costs.
    pub(super) lost: Vec<f64>,
    now: Vec<f64>,
    guide: Guide,
    /// What the tasks would take of each slot at these prices, less the room.
    excess: Vec<f64>,
    direction: Vec<f64>,
    bound_now: f64,
    bound: f64,
    best: Vec<f64>,
    known: f64,
    length: f64,
    waited: u32,
    gained: bool,
}

impl<'a> Prices<'a> {
    pub(super) fn new(tasks: &'a [Task], costs: &'a [Vec<f64>], room: &'a [f64]) -> Self {
        let zero = vec![0.0; room.len()];
        Self {
            tasks,
            costs,
            room,
            lost: lost(tasks, costs),
            now: zero.clone(),
            guide: Guide::new(costs, &zero, 1.0),
            excess: zero.clone(),
            direction: zero.clone(),
            bound_now: f64::NEG_INFINITY,
            bound: f64::NEG_INFINITY,
            best: zero,
            known: f64::INFINITY,
            length: 1.0,
            waited: 0,
            gained: false,
        }
    }

    /// The costs with the prices of this round on top.
    pub(super) fn guide(&self) -> &Guide {
        &self.guide
    }

    /// Places every task on its own at these prices. True when no slot is overfull: then this is the best packing.
    pub(super) fn relax(&mut self) -> bool {
        self.guide = Guide::new(self.costs, &self.now, 1.0);
        let mut bound: f64 = -self.now.iter().zip(self.room).map(|(price, room)| price * room).sum::<f64>();
        for (excess, room) in self.excess.iter_mut().zip(self.room) {
            *excess = -room;
        }
        for (task, lost) in self.tasks.iter().zip(&self.lost) {
            match self.guide.place(task, None) {
                Some((cost, uses)) if cost <= *lost => {
                    bound += cost;
                    for part in uses {
                        self.excess[part.slots].iter_mut().for_each(|excess| *excess += f64::from(part.width) * task.draw);
                    }
                }
                _ => bound += lost,
            }
        }
        self.bound_now = bound;
        self.gained = bound > self.bound;
        if self.gained {
            self.bound = bound;
            self.best.clone_from(&self.now);
        }
        self.excess.iter().all(|excess| *excess <= 0.0)
    }

    /// Whether a packing made by these prices may be better than those before: at first, and now and then when the bound has risen.
    pub(super) fn is_worth_inserting(&self, round: usize) -> bool {
        round < 4 || (self.gained && round.is_multiple_of(8))
    }

    /// Whether no slot costs anything, so that only room counts.
    pub(super) fn is_free(&self) -> bool {
        self.costs.iter().flatten().all(|cost| *cost == 0.0)
    }

    /// Takes note of a packing's value.
    pub(super) fn know(&mut self, value: f64) {
        self.known = self.known.min(value);
    }

    /// The best bound so far.
    pub(super) fn bound(&self) -> f64 {
        self.bound
    }

    /// The prices that prove it.
    pub(super) fn best(&self) -> &[f64] {
        &self.best
    }

    /// Goes a step on. False when there is nowhere to go.
    pub(super) fn step(&mut self) -> bool {
        if self.gained {
            self.waited = 0;
        } else {
            self.waited += 1;
            if self.waited > PATIENCE {
                self.waited = 0;
                self.length /= 2.0;
                self.now.clone_from(&self.best);
                self.direction.fill(0.0);
                return self.length > 1e-4;
            }
        }
        // What was the way before goes on for a part: slopes of neighbours point to and fro.
        for (direction, excess) in self.direction.iter_mut().zip(&self.excess) {
            *direction = 0.3 * *direction + excess;
        }
        let free = |price: f64, direction: f64| price > 0.0 || direction > 0.0;
        let square: f64 = self
            .direction
            .iter()
            .zip(&self.now)
            .filter(|(direction, price)| free(**price, **direction))
            .map(|(direction, _)| direction * direction)
            .sum();
        let promise = self.known - self.bound_now;
        if square <= 0.0 || promise <= 0.0 || !promise.is_finite() {
            return false;
        }
        let step = self.length * promise / square;
        for (price, direction) in self.now.iter_mut().zip(&self.direction) {
            *price = (*price + step * direction).max(0.0);
        }
        true
    }
}

/// What not placing a task costs: more than any place of any task can differ, so that placing comes first; one for each where nothing costs anything.
fn lost(tasks: &[Task], costs: &[Vec<f64>]) -> Vec<f64> {
    let most = costs.iter().flatten().fold(0.0_f64, |most, cost| most.max(cost.abs()));
    let lost = |task: &Task| {
        let restart = if let Shape::Pieces { restart, .. } = task.shape { restart } else { 0.0 };
        let lost = 10.0 * (most * task.draw + restart) * count(task.work);
        if lost > 0.0 { lost } else { 1.0 }
    };
    tasks.iter().map(lost).collect()
}
