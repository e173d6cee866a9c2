//! How long steps are, told by the times alone: by how far apart they are most often, and by runs that change for good.

use std::collections::BTreeMap;

use super::track::Reading;

/// So many times at one distance in a row are a step, not a chain of gaps.
const RUN: usize = 8;

/// The value that comes most often; the least of several.
pub(super) fn most_common<T: Ord + Copy>(values: impl Iterator<Item = T>) -> Option<T> {
    let mut counts = BTreeMap::<T, usize>::new();
    for value in values {
        *counts.entry(value).or_default() += 1;
    }
    counts.into_iter().rev().max_by_key(|(_, count)| *count).map(|(value, _)| value)
}

/// How far apart readings are most often, in seconds. They are in order, and each time is there once.
pub(super) fn spacing(readings: &[Reading]) -> Option<u32> {
    most_common(readings.windows(2).filter_map(|pair| distance(pair[0].at_s, pair[1].at_s)))
}

fn distance(from_s: i64, to_s: i64) -> Option<u32> {
    u32::try_from(to_s - from_s).ok()
}

/// The step each reading begins, in seconds, told by the readings' times and those of rows without a value; none where there is only one time.
pub(super) fn steps(readings: &[Reading], empty_at_s: &[i64]) -> Option<Vec<u32>> {
    let mut times: Vec<i64> = readings.iter().map(|reading| reading.at_s).chain(empty_at_s.iter().copied()).collect();
    times.sort_unstable();
    times.dedup();
    let distances: Vec<u32> = times.windows(2).map(|pair| distance(pair[0], pair[1]).unwrap_or(u32::MAX)).collect();
    let runs: Vec<&[u32]> = distances.chunk_by(PartialEq::eq).collect();
    let first = runs.iter().find(|run| run.len() >= RUN).and_then(|run| run.first().copied());
    let mut step = first.or_else(|| most_common(distances.iter().copied()))?;
    let mut of_times = BTreeMap::new();
    let mut left = times.iter();
    for run in runs {
        step = run.first().copied().filter(|_| run.len() >= RUN).unwrap_or(step);
        of_times.extend(left.by_ref().take(run.len()).map(|time| (*time, step)));
    }
    of_times.extend(left.map(|time| (*time, step)));
    readings.iter().map(|reading| of_times.get(&reading.at_s).copied()).collect()
}
