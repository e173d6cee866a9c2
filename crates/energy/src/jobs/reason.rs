//! Why a job has no place, and what would help.

use lab3_solve::Task;
use lab3_units::Time;

use super::{Job, Outlook};

/// Why a job cannot be placed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Unplaced {
    /// There is too little time between its earliest start and its deadline, or the outlook ends before.
    #[error(
        "it needs {needed} slots of {step_s} s and {there} lie whole between its earliest start and its deadline: move one of them, or make it shorter"
    )]
    Window {
        /// Slots it needs.
        needed: usize,
        /// Slots there are.
        there: usize,
        /// Seconds of a slot.
        step_s: u32,
    },
    /// It draws more than the site can give at any time of its window.
    #[error("it draws {power_kw} kW, and the cap in its window is {cap_kw} kW at most: raise the cap, or run it with less power")]
    Power {
        /// What it draws, in kW.
        power_kw: f64,
        /// The largest cap in its window, in kW.
        cap_kw: f64,
    },
    /// Others have the room.
    #[error(
        "there is no room for it beside the others: the cap binds from {from} to {to}; a later deadline, an earlier start, pieces or a higher cap would help"
    )]
    Crowded {
        /// Where the cap begins to bind in its window (RFC 3339).
        from: Time,
        /// Where it ends to.
        to: Time,
    },
}

impl Unplaced {
    pub(super) fn of(job: &Job, task: &Task, outlook: &Outlook<'_>, prices: &[f64]) -> Self {
        let there = task.window.len() * task.width_max() as usize;
        if there < task.work {
            return Self::Window { needed: task.work, there: task.window.len(), step_s: outlook.horizon.step_s };
        }
        let cap = outlook.cap_kw.unwrap_or_default();
        let cap_kw = cap[task.window.clone()].iter().copied().fold(0.0, f64::max);
        if cap_kw < job.power_kw {
            return Self::Power { power_kw: job.power_kw, cap_kw };
        }
        let binds = |slot: &usize| prices.get(*slot).is_some_and(|price| *price > 0.0);
        let from = task.window.clone().find(binds).unwrap_or(task.window.start);
        let to = task.window.clone().rfind(binds).map_or(task.window.end, |slot| slot + 1);
        Self::Crowded { from: outlook.horizon.begin_of(from), to: outlook.horizon.begin_of(to) }
    }
}
