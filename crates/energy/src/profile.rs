//! Power promised over time: a function in steps.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};

use lab3_units::Time;
use serde::{Deserialize, Serialize};

/// A time in which a job runs, and what it draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// From.
    pub start: Time,
    /// To.
    pub end: Time,
    /// What it draws, in W.
    pub power_w: u64,
}

/// Power over time, in W. Nothing before the first step; after the last nothing is promised.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// From that moment on, until the next.
    levels: BTreeMap<Time, u64>,
}

impl Profile {
    /// The power promised at a moment, in W.
    pub fn at(&self, at: Time) -> u64 {
        self.levels.range(..=at).next_back().map_or(0, |(_, &level)| level)
    }

    /// The most that is promised from one moment to another, in W.
    pub fn most(&self, from: Time, to: Time) -> u64 {
        let within = self.levels.range((Excluded(from), Excluded(to.max(from.after(lab3_units::Duration::from_millis(1))))));
        within.map(|(_, &level)| level).fold(self.at(from), u64::max)
    }

    /// Promises a run's power.
    pub fn add(&mut self, run: &Run) {
        self.change(run, |level| level.saturating_add(run.power_w));
    }

    /// Takes the promise of a run back.
    pub fn remove(&mut self, run: &Run) {
        self.change(run, |level| level.saturating_sub(run.power_w));
    }

    /// Forgets what lies before a moment.
    pub fn forget(&mut self, before: Time) {
        let level = self.at(before);
        self.levels = self.levels.split_off(&before);
        if level > 0 {
            self.levels.entry(before).or_insert(level);
        }
    }

    /// When the power changes, and to what, in order.
    pub fn steps(&self) -> impl Iterator<Item = (Time, u64)> {
        self.levels.iter().map(|(&at, &level)| (at, level))
    }

    fn change(&mut self, run: &Run, new: impl Fn(u64) -> u64) {
        if run.end <= run.start {
            return;
        }
        for edge in [run.start, run.end] {
            let level = self.at(edge);
            self.levels.entry(edge).or_insert(level);
        }
        for (_, level) in self.levels.range_mut(run.start..run.end) {
            *level = new(*level);
        }
        for edge in [run.start, run.end] {
            let before = self.levels.range((Unbounded, Excluded(edge))).next_back().map_or(0, |(_, &level)| level);
            if self.levels.get(&edge) == Some(&before) {
                self.levels.remove(&edge);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn run(start: i64, end: i64, power_w: u64) -> Run {
        Run { start: Time::from_millis(start), end: Time::from_millis(end), power_w }
    }

    #[test]
    fn what_overlaps_adds_up_and_edges_belong_to_what_begins() {
        let mut profile = Profile::default();
        profile.add(&run(10, 20, 5));
        profile.add(&run(15, 30, 7));
        let at = |millis| profile.at(Time::from_millis(millis));
        assert_eq!([at(9), at(10), at(15), at(20), at(30)], [0, 5, 12, 7, 0]);
        let most = |from, to| profile.most(Time::from_millis(from), Time::from_millis(to));
        assert_eq!([most(0, 10), most(0, 11), most(20, 30), most(10, 15), most(12, 16), most(40, 50)], [0, 5, 7, 5, 12, 0]);
    }

    proptest! {
        #[test]
        fn it_is_the_sum_of_what_was_added_and_not_taken_back(
            runs in prop::collection::vec((0_i64..60, 1_i64..30, 0_u64..9, any::<bool>()), 0..20),
            forgotten in 0_i64..40,
        ) {
            let mut profile = Profile::default();
            let runs: Vec<_> = runs.into_iter().map(|(start, length, power, stays)| (run(start, start + length, power), stays)).collect();
            for (run, _) in &runs {
                profile.add(run);
            }
            for (run, _) in runs.iter().filter(|(_, stays)| !stays) {
                profile.remove(run);
            }
            profile.forget(Time::from_millis(forgotten));
            for millis in forgotten..100 {
                let there = |run: &Run| run.start.millis() <= millis && millis < run.end.millis();
                let sum: u64 = runs.iter().filter(|(run, stays)| *stays && there(run)).map(|(run, _)| run.power_w).sum();
                prop_assert_eq!(profile.at(Time::from_millis(millis)), sum);
            }
            // Nothing is kept that says nothing: as many steps as the power has, a first one at the edge perhaps.
            let mut before = 0;
            for (at, level) in profile.steps() {
                prop_assert!(level != before || at == Time::from_millis(forgotten));
                before = level;
            }
        }
    }
}
