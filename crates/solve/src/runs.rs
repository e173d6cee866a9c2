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

/// For each width up to `width_max`, the sum of the least numbers of all windows of that width, one from every position; windows at the end are cut off by it.
/// Position `w` is of width `w`, position 0 is 0.
///
/// A number at `j`, with the next smaller ones at `l` before it and `r` after it, is the least of every window that begins in `(l, j]` and ends in `[j, r)`.
/// How many of these are `w` wide grows by one a width, stays, and falls by one a width: four changes of slope. So all widths together take time
/// proportional to the row and to `width_max`.
pub fn sums_of_minima(row: &[f64], width_max: usize) -> Vec<f64> {
    let mut slope = vec![0.0; width_max + 2];
    let mut change = |width: usize, by: f64| {
        if let Some(at) = slope.get_mut(width) {
            *at += by;
        }
    };
    // Positions whose numbers increase, and for each where the smaller one before it is, plus one.
    let mut open: Vec<(usize, usize)> = Vec::new();
    for at in 0..row.len() {
        let mut from = at;
        while let Some((before, begin)) = open.pop_if(|(before, _)| row[*before] >= row[at]) {
            from = begin;
            let least = row[before];
            change(1, least);
            change(before + 2 - begin, -least);
            change(at + 1 - before, -least);
            change(at + 2 - begin, least);
        }
        open.push((at, from));
    }
    // Of these no window ends before the row does.
    for (at, begin) in open {
        change(1, row[at]);
        change(at + 2 - begin, -row[at]);
    }
    let (mut step, mut sum) = (0.0, 0.0);
    let summed = |by: &f64| {
        step += by;
        sum += step;
        sum
    };
    slope.iter().take(width_max + 1).map(summed).collect()
}
