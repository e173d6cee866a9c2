//! The cheapest place of one task, exactly: at given prices, and where there is room for it.

use super::{Shape, Task, Use};
use crate::Sums;

/// What slots cost, and whether there is room.
pub(crate) struct Slots<'a> {
    /// The cost of a unit of draw in each slot.
    pub(crate) costs: &'a [f64],
    /// The sums of the costs.
    pub(crate) sums: &'a Sums,
    /// What is free in each slot; `None` when there is no limit.
    pub(crate) room: Option<&'a [f64]>,
}

impl Slots<'_> {
    /// How many units of a task fit into a slot, at most `width_max`. A sliver of room is forgiven: sums of floats are not exact.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the width, a whole number")]
    fn width(&self, slot: usize, draw: f64, width_max: u32) -> u32 {
        let Some(room) = self.room else { return width_max };
        let fits = ((room[slot] + 1e-12) / draw * (1.0 + 1e-12)).floor();
        // What draws nothing fits anywhere; nothing is a number of times nothing.
        if fits.is_nan() { width_max } else { fits.clamp(0.0, f64::from(width_max)) as u32 }
    }

    fn is_free(&self, slot: usize, draw: f64) -> bool {
        self.width(slot, draw, 1) == 1
    }
}

/// The cheapest place of a task and what it costs; `None` when there is no room.
pub(crate) fn place(task: &Task, slots: &Slots<'_>) -> Option<(f64, Vec<Use>)> {
    if task.work == 0 {
        return Some((0.0, Vec::new()));
    }
    // Too much for its window is too much for every table below.
    if task.work > task.window.len().saturating_mul(task.width_max() as usize) {
        return None;
    }
    match task.shape {
        Shape::Run => run(task, slots),
        Shape::Loose { width_max } => loose(task, slots, width_max),
        Shape::Pieces { length_min, .. } if length_min >= task.work => run(task, slots),
        Shape::Pieces { length_min, restart } => pieces(task, slots, length_min.max(1), restart),
    }
}

/// One run: the least of the sums of all that are free. Of equals the earliest.
fn run(task: &Task, slots: &Slots<'_>) -> Option<(f64, Vec<Use>)> {
    let mut free_since = task.window.start;
    let mut best: Option<(f64, usize)> = None;
    for slot in task.window.start..task.window.end.min(slots.costs.len()) {
        if !slots.is_free(slot, task.draw) {
            free_since = slot + 1;
        }
        if slot + 1 >= free_since + task.work {
            let start = slot + 1 - task.work;
            let cost = slots.sums.sum(start..slot + 1);
            if best.is_none_or(|(least, _)| cost < least) {
                best = Some((cost, start));
            }
        }
    }
    best.map(|(cost, start)| (cost * task.draw, vec![Use { slots: start..start + task.work, width: 1 }]))
}

/// Any slots: the cheapest, each filled as far as it goes; the dearest used may be filled in part.
fn loose(task: &Task, slots: &Slots<'_>, width_max: u32) -> Option<(f64, Vec<Use>)> {
    let window = task.window.start..task.window.end.min(slots.costs.len());
    let mut open: Vec<(usize, u32)> =
        window.map(|slot| (slot, slots.width(slot, task.draw, width_max))).filter(|(_, width)| *width > 0).collect();
    let order = |a: &(usize, u32), b: &(usize, u32)| slots.costs[a.0].total_cmp(&slots.costs[b.0]).then(a.0.cmp(&b.0));
    // So many slots are enough even when each takes one unit.
    if task.work < open.len() {
        open.select_nth_unstable_by(task.work - 1, order);
        open.truncate(task.work);
    }
    open.sort_unstable_by(order);
    let mut left = task.work;
    let mut used = Vec::new();
    let mut cost = 0.0;
    for (slot, width) in open {
        let width = width.min(u32::try_from(left).unwrap_or(u32::MAX));
        if width == 0 {
            break;
        }
        left -= width as usize;
        cost += slots.costs[slot] * f64::from(width);
        used.push((slot, width));
    }
    if left > 0 {
        return None;
    }
    used.sort_unstable();
    Some((cost * task.draw, joined(used)))
}

/// Slots next to each other with the same width, as one use.
fn joined(used: Vec<(usize, u32)>) -> Vec<Use> {
    let mut uses: Vec<Use> = Vec::new();
    for (slot, width) in used {
        match uses.last_mut() {
            Some(last) if last.slots.end == slot && last.width == width => last.slots.end = slot + 1,
            _ => uses.push(Use { slots: slot..slot + 1, width }),
        }
    }
    uses
}

/// Runs of at least `least` slots, by dynamic programming over (work done, slots passed).
///
/// `idle[k][t]`: the least cost of `k` units in the first `t` slots. `busy[k][t]`: the same, the last of the slots used and its run long enough to
/// end. A run begins with `least` slots at once and goes on one by one:
///
/// ```text
/// busy[k][t] = min(busy[k-1][t-1] + c[t-1], idle[k-least][t-least] + c[t-least..t] + restart)
/// idle[k][t] = min(idle[k][t-1], busy[k][t])
/// ```
fn pieces(task: &Task, slots: &Slots<'_>, least: usize, restart: f64) -> Option<(f64, Vec<Use>)> {
    let first = task.window.start;
    let count = task.window.end.min(slots.costs.len()).checked_sub(first)?;
    let wide = count + 1;
    let mut table = Table { idle: vec![f64::INFINITY; (task.work + 1) * wide], busy: vec![f64::INFINITY; (task.work + 1) * wide] };
    table.idle[..wide].fill(0.0);
    let mut free = 0;
    let free: Vec<usize> = (0..count)
        .map(|slot| {
            free = if slots.is_free(first + slot, task.draw) { free + 1 } else { 0 };
            free
        })
        .collect();
    // The first run has no restart: it is taken off at the end, so that all are alike here.
    let begin = |table: &Table, done: usize, passed: usize| {
        let before = table.idle[(done - least) * wide + passed - least];
        before + slots.sums.sum(first + passed - least..first + passed) * task.draw + restart
    };
    for done in least..=task.work {
        for passed in done..=count {
            let mut busy = f64::INFINITY;
            if free[passed - 1] >= 1 {
                busy = table.busy[(done - 1) * wide + passed - 1] + slots.costs[first + passed - 1] * task.draw;
                if free[passed - 1] >= least {
                    busy = busy.min(begin(&table, done, passed));
                }
            }
            table.busy[done * wide + passed] = busy;
            table.idle[done * wide + passed] = busy.min(table.idle[done * wide + passed - 1]);
        }
    }
    let cost = table.idle[task.work * wide + count];
    if cost.is_infinite() {
        return None;
    }
    let mut used = Vec::new();
    let (mut done, mut passed, mut running) = (task.work, count, false);
    while done > 0 {
        let busy = table.busy[done * wide + passed];
        if !running && busy > table.idle[done * wide + passed] {
            passed -= 1;
            continue;
        }
        let began = free[passed - 1] >= least && begin(&table, done, passed) <= busy;
        let length = if began { least } else { 1 };
        used.extend((passed - length..passed).map(|slot| (first + slot, 1)));
        (done, passed, running) = (done - length, passed - length, !began);
    }
    used.sort_unstable();
    Some((cost - restart, joined(used)))
}

/// The two tables of [`pieces`], row by row.
struct Table {
    idle: Vec<f64>,
    busy: Vec<f64>,
}
