//! The cheapest run inside a window: for one window, and for every window of a row at once.

use std::collections::VecDeque;
use std::ops::Range;

use crate::Sums;

/// Where the cheapest run of `length` numbers inside `window` begins, the earliest among equals; `None` when none fits.
pub fn cheapest_run(sums: &Sums, window: Range<usize>, length: usize) -> Option<usize> {
    let last = window.end.min(sums.len()).checked_sub(length)?;
    let cost = |start: usize| sums.sum(start..start + length);
    (window.start..=last).min_by(|a, b| cost(*a).total_cmp(&cost(*b)))
}

/// For each window of `width` numbers, by where it begins, the position of its least number, the earliest among equals. Windows at the end are cut off
/// by it. Takes time proportional to the row, whatever the width (a queue of candidates, of which each number enters and leaves once).
pub fn sliding_minima(row: &[f64], width: usize) -> Vec<usize> {
    if width == 0 {
        return Vec::new();
    }
    let mut candidates: VecDeque<usize> = VecDeque::new();
    let mut minima = vec![0; row.len()];
    for start in (0..row.len()).rev() {
        // The newcomer is earlier than all: it beats its equals, too.
        while candidates.front().is_some_and(|at| row[*at] >= row[start]) {
            candidates.pop_front();
        }
        candidates.push_front(start);
        while candidates.back().is_some_and(|at| *at >= start + width) {
            candidates.pop_back();
        }
        minima[start] = candidates.back().copied().unwrap_or(start);
    }
    minima
}
