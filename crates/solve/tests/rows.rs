//! The kernels over rows against the plainest way of saying the same: try every window.

use lab3_solve::{Sums, cheapest_run, sliding_minima, smallest, smallest_sums, sums_of_minima, sums_of_smallest};
use proptest::prelude::*;

fn row() -> impl Strategy<Value = Vec<f64>> {
    // Few different numbers, so that many are equal.
    prop_oneof![prop::collection::vec((-20_i32..20).prop_map(f64::from), 1..150), prop::collection::vec(-1000.0_f64..1000.0, 1..150),]
}

fn sorted_sum(row: &[f64], count: usize) -> f64 {
    let mut sorted = row.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[..count].iter().sum()
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * (1.0 + a.abs())
}

proptest! {
    #[test]
    fn sums_are_the_sums(row in row(), from in 0_usize..160, length in 0_usize..160) {
        let sums = Sums::of(&row);
        let run = from.min(row.len())..(from + length).min(row.len());
        prop_assert!(near(sums.sum(from..from + length), row[run].iter().sum()));
        let runs = sums.runs(length);
        prop_assert_eq!(runs.len(), (row.len() + 1).saturating_sub(length));
        for (start, sum) in runs.iter().enumerate() {
            prop_assert!(near(*sum, row[start..start + length].iter().sum()));
        }
    }

    #[test]
    fn the_cheapest_run_is_the_earliest_of_the_cheapest(row in row(), from in 0_usize..150, width in 0_usize..150, length in 1_usize..20) {
        let sums = Sums::of(&row);
        let end = (from + width).min(row.len());
        let all = (from..end).filter(|start| start + length <= end);
        let least = all.min_by(|a, b| sums.sum(*a..a + length).total_cmp(&sums.sum(*b..b + length)));
        prop_assert_eq!(cheapest_run(&sums, from..from + width, length), least);
    }

    #[test]
    fn sliding_minima_are_minima(row in row(), width in 1_usize..160) {
        let minima = sliding_minima(&row, width);
        prop_assert_eq!(minima.len(), row.len());
        for (start, at) in minima.iter().enumerate() {
            let end = (start + width).min(row.len());
            let least = (start..end).min_by(|a, b| row[*a].total_cmp(&row[*b]));
            prop_assert_eq!(Some(*at), least);
        }
    }

    #[test]
    fn sums_of_minima_are_the_sums_of_each_width(row in row(), width_max in 0_usize..170) {
        let sums = sums_of_minima(&row, width_max);
        prop_assert_eq!(sums.len(), width_max + 1);
        prop_assert!(sums[0] == 0.0);
        for (width, sum) in sums.iter().enumerate().skip(1) {
            let expected: f64 = sliding_minima(&row, width).iter().map(|at| row[*at]).sum();
            prop_assert!((sum - expected).abs() <= 1e-9 * (1.0 + 1000.0 * 150.0), "width {}: {} and {}", width, sum, expected);
        }
    }

    #[test]
    fn sums_of_smallest_are_the_sums_of_each_width_and_count(row in row(), count_max in 0_usize..40) {
        let sums = sums_of_smallest(&row, count_max);
        prop_assert_eq!(sums.len(), row.len() * count_max);
        for (at, sum) in sums.iter().enumerate() {
            let (width, count) = (at / count_max + 1, at % count_max + 1);
            let expected: f64 = smallest_sums(&row, width, count).iter().sum();
            // A window too narrow for the count is none, unless the row's end is what makes it so.
            if count <= width {
                prop_assert!((sum - expected).abs() <= 1e-9 * 1e6, "width {}, count {}: {} and {}", width, count, sum, expected);
            }
        }
    }

    #[test]
    fn smallest_sums_are_those_of_the_sorted_windows(row in row(), width in 1_usize..170, count in 1_usize..40) {
        let sums = smallest_sums(&row, width, count);
        let expected: Vec<f64> = (0..row.len())
            .map(|start| &row[start..(start + width).min(row.len())])
            .filter(|window| window.len() >= count)
            .map(|window| sorted_sum(window, count))
            .collect();
        prop_assert_eq!(sums.len(), expected.len());
        for (start, (sum, expected)) in sums.iter().zip(&expected).enumerate() {
            prop_assert!(near(*sum, *expected), "window {}: {} and {}", start, sum, expected);
        }
        for (start, expected) in expected.iter().enumerate() {
            let chosen = smallest(&row, start..start + width, count).unwrap();
            prop_assert!(chosen.is_sorted() && chosen.len() == count);
            prop_assert!(near(chosen.iter().map(|at| row[*at]).sum(), *expected));
        }
    }
}
