//! Sums of any run of a row, each in constant time.

use std::ops::Range;

/// The prefix sums of a row of numbers.
#[derive(Clone, Debug)]
pub struct Sums {
    before: Vec<f64>,
}

impl Sums {
    /// Takes time proportional to the row.
    pub fn of(row: &[f64]) -> Self {
        let mut sum = 0.0;
        let mut before = Vec::with_capacity(row.len() + 1);
        before.push(sum);
        for value in row {
            sum += value;
            before.push(sum);
        }
        Self { before }
    }

    /// How many numbers the row has.
    pub fn len(&self) -> usize {
        self.before.len() - 1
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The sum of `row[run]`. Positions past the end count as the end.
    pub fn sum(&self, run: Range<usize>) -> f64 {
        let at = |position: usize| self.before[position.min(self.len())];
        at(run.end) - at(run.start)
    }

    /// The sum of every run of `length` numbers, by where it begins; empty when the row is shorter.
    pub fn runs(&self, length: usize) -> Vec<f64> {
        let ends = self.before.get(length..).unwrap_or_default();
        ends.iter().zip(&self.before).map(|(end, start)| end - start).collect()
    }
}
