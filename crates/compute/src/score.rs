//! Scores: the specification's weights and formula, in integers, so that every machine ranks alike.
//!
//! ```text
//! score = (1 - normalized_cost) * w.cost + (1 - normalized_latency) * w.latency + quality * w.quality + reliability * w.reliability
//! ```
//!
//! Normalized is the value by the largest among the eligible providers. Weights are tenths, factors billionths, so a
//! score counts in units of 10^-10.

use crate::{Priority, Terms};

/// One whole, in billionths.
const ONE: u64 = 1_000_000_000;

/// What each quantity weighs, in tenths.
#[derive(Clone, Copy, Debug)]
struct Weights {
    cost: u64,
    latency: u64,
    quality: u64,
    reliability: u64,
}

/// The specification's table.
const fn weights(priority: Priority) -> Weights {
    let (cost, latency, quality, reliability) = match priority {
        Priority::Standard => (4, 3, 2, 1),
        Priority::CostOptimized => (7, 1, 1, 1),
        Priority::LatencyOptimized => (1, 7, 1, 1),
        Priority::QualityOptimized => (1, 1, 7, 1),
    };
    Weights { cost, latency, quality, reliability }
}

/// A provider's quantities as they enter the formula.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quantities {
    /// In KS.
    pub(crate) cost: u64,
    /// In milliseconds.
    pub(crate) latency: u64,
    /// In millionths.
    pub(crate) quality: u64,
    /// In millionths.
    pub(crate) reliability: u64,
}

/// A scale to score providers on: the priority, and the largest cost and latency among them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    weights: Weights,
    cost_max: u64,
    latency_max: u64,
}

impl Scale {
    /// The scale for these providers.
    pub(crate) fn of(priority: Priority, eligible: impl Iterator<Item = Quantities>) -> Self {
        let empty = Self { weights: weights(priority), cost_max: 0, latency_max: 0 };
        let larger = |scale: Self, one: Quantities| Self {
            cost_max: scale.cost_max.max(one.cost),
            latency_max: scale.latency_max.max(one.latency),
            ..scale
        };
        eligible.fold(empty, larger)
    }

    /// The four terms of the score, in 10^-10.
    fn products(&self, one: Quantities) -> [u64; 4] {
        let Weights { cost, latency, quality, reliability } = self.weights;
        [
            cost * (ONE - normalized(one.cost, self.cost_max)),
            latency * (ONE - normalized(one.latency, self.latency_max)),
            quality * one.quality * 1000,
            reliability * one.reliability * 1000,
        ]
    }

    /// The score, in 10^-10.
    pub(crate) fn score(&self, one: Quantities) -> u64 {
        self.products(one).into_iter().sum()
    }

    /// The score and its terms in millionths, rounded each.
    pub(crate) fn explained(&self, one: Quantities) -> (u32, Terms) {
        let millionths = |product: u64| u32::try_from((product + 5000) / 10_000).unwrap_or(u32::MAX);
        let [cost, latency, quality, reliability] = self.products(one).map(millionths);
        (millionths(self.score(one)), Terms { cost, latency, quality, reliability })
    }
}

/// The value by the largest, in billionths; nothing when all are nothing.
fn normalized(value: u64, largest: u64) -> u64 {
    let billionths = u128::from(value) * u128::from(ONE) / u128::from(largest.max(1));
    u64::try_from(billionths).unwrap_or(ONE).min(ONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cost in KS, latency, quality and reliability in hundredths.
    fn quantities([cost, latency, quality, reliability]: [u64; 4]) -> Quantities {
        Quantities { cost, latency, quality: quality * 10_000, reliability: reliability * 10_000 }
    }

    /// The specification's table at 5,000 tokens, in its order.
    const TABLE: [[u64; 4]; 5] =
        [[75_000, 600, 97, 99], [50_000, 800, 95, 98], [40_000, 700, 92, 97], [10_000, 1200, 88, 95], [500, 2500, 80, 99]];

    fn check(priority: Priority, rows: &[[u64; 4]], expected: &[u32]) {
        let scale = Scale::of(priority, rows.iter().copied().map(quantities));
        let scores: Vec<u32> = rows.iter().map(|&row| scale.explained(quantities(row)).0).collect();
        assert_eq!(scores, expected, "{priority:?}");
    }

    #[test]
    fn the_specifications_table_scores_as_its_formula_says() {
        // By hand, standard, the first: (1-1)*0.4 + (1-0.24)*0.3 + 0.97*0.2 + 0.99*0.1 = 0.521.
        check(Priority::Standard, &TABLE, &[521_000, 625_333, 683_667, 773_667, 656_333]);
        check(Priority::CostOptimized, &TABLE, &[272_000, 494_333, 587_667, 841_667, 874_333]);
        check(Priority::LatencyOptimized, &TABLE, &[728_000, 702_333, 739_667, 633_667, 278_333]);
        check(Priority::QualityOptimized, &TABLE, &[854_000, 864_333, 859_667, 849_667, 758_333]);
    }

    #[test]
    fn terms_are_what_the_score_is_made_of() {
        let rows = [[75_000, 600, 97, 99], [50_000, 800, 95, 98]].map(quantities);
        let scale = Scale::of(Priority::QualityOptimized, rows.into_iter());
        let terms = Terms { cost: 0, latency: 25_000, quality: 679_000, reliability: 99_000 };
        assert_eq!(scale.explained(rows[0]), (803_000, terms));
    }

    #[test]
    fn nothing_of_a_quantity_is_the_best_of_it() {
        check(Priority::Standard, &[[0, 0, 100, 100]], &[1_000_000]);
        check(Priority::Standard, &[[1, 1, 0, 0]], &[0]);
        check(Priority::Standard, &[], &[]);
    }
}
