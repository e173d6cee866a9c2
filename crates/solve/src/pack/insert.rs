//! A packing, made by placing tasks one after the other where there is room.

use super::{Prices, Slots, Task, Use, place};
use crate::Sums;

/// Tasks for which others are moved, at most, in one packing.
const TRIES_MAX: usize = 1000;

/// A task's slots, and what they cost without prices.
pub(super) type Place = Option<(f64, Vec<Use>)>;

/// Tasks in their places, and what is still free.
pub(super) struct Insertion<'a> {
    pub(super) tasks: &'a [Task],
    sums: Vec<Sums>,
    /// The rows of costs with prices on top, by which places are chosen.
    guide: Guide,
    /// The whole room of each slot.
    pub(super) capacity: &'a [f64],
    /// What is free of it.
    pub(super) room: Vec<f64>,
    pub(super) places: Vec<Place>,
    pub(super) lost: Vec<f64>,
}

/// Rows of costs, and their sums.
#[derive(Clone)]
pub(super) struct Guide {
    rows: Vec<Vec<f64>>,
    sums: Vec<Sums>,
}

impl Guide {
    /// The costs with a part of the prices on top.
    pub(super) fn new(costs: &[Vec<f64>], prices: &[f64], part: f64) -> Self {
        let priced = |(slot, cost): (usize, &f64)| cost + part * prices.get(slot).copied().unwrap_or(0.0);
        let rows: Vec<Vec<f64>> = costs.iter().map(|row| row.iter().enumerate().map(priced).collect()).collect();
        Self { sums: rows.iter().map(|row| Sums::of(row)).collect(), rows }
    }

    /// Not the costs, but how much of each slot the tasks want: by these a packing finds room for the most.
    pub(super) fn crowds(tasks: &[Task], rows: usize, room: &[f64]) -> Self {
        let mut wanted = vec![0.0; room.len()];
        for task in tasks {
            let window = task.window.start..task.window.end.min(room.len());
            let share = task.draw * count(task.work) / count(window.len().max(1));
            wanted[window].iter_mut().for_each(|wanted| *wanted += share);
        }
        let crowd: Vec<f64> =
            wanted.iter().zip(room).map(|(wanted, room)| if *room > 0.0 { (wanted / room).powi(2) } else { 1e6 }).collect();
        Self::new(&vec![crowd; rows], &[], 0.0)
    }

    /// The cheapest place of a task; `None` when there is no room.
    pub(super) fn place(&self, task: &Task, room: Option<&[f64]>) -> Option<(f64, Vec<Use>)> {
        place(task, &Slots { costs: &self.rows[task.row], sums: &self.sums[task.row], room })
    }
}

impl<'a> Insertion<'a> {
    /// Places the tasks in the order of how hard they are to place, each where the guide's cost is least and there is room. Then those for which there was
    /// none take the places of others, who are placed again.
    pub(super) fn guided(prices: &Prices<'a>, guide: Guide) -> Self {
        let mut insertion = Self::empty(prices, guide);
        for number in insertion.hardest_first() {
            if let Some(uses) = insertion.find(number) {
                insertion.put(number, uses);
            }
        }
        insertion.make_room();
        insertion
    }

    /// A packing that was made otherwise.
    pub(super) fn of(prices: &Prices<'a>, places: Vec<Option<Vec<Use>>>) -> Self {
        let mut insertion = Self::empty(prices, prices.guide().clone());
        for (number, uses) in places.into_iter().enumerate() {
            if let Some(uses) = uses {
                insertion.put(number, uses);
            }
        }
        insertion
    }

    fn empty(prices: &Prices<'a>, guide: Guide) -> Self {
        let Prices { tasks, costs, room, .. } = *prices;
        let sums = costs.iter().map(|row| Sums::of(row)).collect();
        let places = tasks.iter().map(|_| None).collect();
        Self { tasks, sums, guide, capacity: room, room: room.to_vec(), places, lost: prices.lost.clone() }
    }

    /// Tasks with little choice come first, of these the large ones.
    fn hardest_first(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.tasks.len()).collect();
        let slack = |task: &Task| task.window.len().saturating_sub(task.work);
        order.sort_by(|a, b| {
            let (a, b) = (&self.tasks[*a], &self.tasks[*b]);
            slack(a).cmp(&slack(b)).then(b.draw.total_cmp(&a.draw)).then(b.work.cmp(&a.work))
        });
        order
    }

    /// What it costs, with what the tasks without a place would.
    pub(super) fn value(&self) -> f64 {
        let of = |(place, lost): (&Place, &f64)| place.as_ref().map_or(*lost, |(cost, _)| *cost);
        self.places.iter().zip(&self.lost).map(of).sum()
    }

    /// What the placed tasks cost.
    pub(super) fn cost(&self) -> f64 {
        self.places.iter().flatten().map(|(cost, _)| cost).sum()
    }

    /// How many have no place.
    pub(super) fn lost(&self) -> usize {
        self.places.iter().filter(|place| place.is_none()).count()
    }

    pub(super) fn into_places(self) -> Vec<Option<Vec<Use>>> {
        self.places.into_iter().map(|place| place.map(|(_, uses)| uses)).collect()
    }

    /// The place of least cost and prices where there is room.
    fn find(&self, number: usize) -> Option<Vec<Use>> {
        self.guide.place(&self.tasks[number], Some(&self.room)).map(|(_, uses)| uses)
    }

    /// For each task without a place: puts it where least must go, and places those that went again. Undone when that loses more than it wins. A task is
    /// tried a few times, as its neighbours change.
    fn make_room(&mut self) {
        let mut tries = vec![0_u8; self.tasks.len()];
        for _ in 0..TRIES_MAX {
            let Some(number) = (0..self.tasks.len()).find(|number| self.places[*number].is_none() && tries[*number] < 3) else { break };
            tries[number] += 1;
            let former = self.force(number);
            let lost_before = former.iter().filter(|(_, place)| place.is_none()).count();
            let lost_after = former.iter().filter(|(number, _)| self.places[*number].is_none()).count();
            if lost_after >= lost_before {
                self.restore(former);
            }
        }
    }

    /// Puts a task where the room lacking is least, and others out of its way: those that have most choice. Gives the former places of all that moved.
    fn force(&mut self, number: usize) -> Vec<(usize, Place)> {
        let task = &self.tasks[number];
        let lacking: Vec<f64> = self.room.iter().map(|room| (task.draw - room).max(0.0)).collect();
        let slots = Slots { costs: &lacking, sums: &Sums::of(&lacking), room: Some(self.capacity) };
        let Some((_, uses)) = place(task, &slots) else { return Vec::new() };
        let slots: Vec<usize> = uses.iter().flat_map(|part| part.slots.clone()).collect();
        self.put(number, uses);
        let mut former = vec![(number, None)];
        while let Some(slot) = slots.iter().copied().find(|slot| self.room[*slot] < -1e-9) {
            let Some(other) = self.loosest_at(slot, number) else { break };
            former.push((other, self.take(other)));
        }
        let mut out: Vec<usize> = former[1..].iter().map(|(other, _)| *other).collect();
        out.sort_by_key(|other| self.tasks[*other].window.len().saturating_sub(self.tasks[*other].work));
        for other in out {
            if let Some(uses) = self.find(other) {
                self.put(other, uses);
            }
        }
        former
    }

    /// Puts tasks back where they were.
    pub(super) fn restore(&mut self, former: Vec<(usize, Place)>) {
        for (number, _) in &former {
            self.take(*number);
        }
        for (number, place) in former {
            if let Some((_, uses)) = place {
                self.put(number, uses);
            }
        }
    }

    /// Of the tasks in a slot, but one, that with most slots to choose from.
    fn loosest_at(&self, slot: usize, but: usize) -> Option<usize> {
        let is_at = |number: &usize| self.places[*number].iter().flat_map(|(_, uses)| uses).any(|part| part.slots.contains(&slot));
        let slack = |number: &usize| self.tasks[*number].window.len().saturating_sub(self.tasks[*number].work);
        (0..self.tasks.len()).filter(|number| *number != but).filter(is_at).max_by_key(slack)
    }

    /// Puts a task into slots; what that costs is counted without prices.
    pub(super) fn put(&mut self, number: usize, uses: Vec<Use>) {
        let task = &self.tasks[number];
        for part in &uses {
            self.room[part.slots.clone()].iter_mut().for_each(|room| *room -= f64::from(part.width) * task.draw);
        }
        self.places[number] = Some((self.cost_of(task, &uses), uses));
    }

    pub(super) fn take(&mut self, number: usize) -> Place {
        let place = self.places[number].take()?;
        let task = &self.tasks[number];
        for part in &place.1 {
            self.room[part.slots.clone()].iter_mut().for_each(|room| *room += f64::from(part.width) * task.draw);
        }
        Some(place)
    }

    fn cost_of(&self, task: &Task, uses: &[Use]) -> f64 {
        let sums = &self.sums[task.row];
        let slots: f64 = uses.iter().map(|part| sums.sum(part.slots.clone()) * f64::from(part.width)).sum();
        let restarts: f64 = match task.shape {
            super::Shape::Pieces { restart, .. } => uses.iter().skip(1).map(|_| restart).sum(),
            super::Shape::Run | super::Shape::Loose { .. } => 0.0,
        };
        slots * task.draw + restarts
    }
}

/// How many, as a float.
#[allow(clippy::cast_precision_loss, reason = "there are no 2^52 slots")]
pub(super) fn count(many: usize) -> f64 {
    many as f64
}
