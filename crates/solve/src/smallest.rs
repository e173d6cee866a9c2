//! The smallest numbers of a window: for one window, and their sums for every window of a row at once.

use std::ops::Range;

/// The positions of the `count` smallest numbers in `row[window]`, in order of position, the earliest among equals; `None` when there are fewer.
pub fn smallest(row: &[f64], window: Range<usize>, count: usize) -> Option<Vec<usize>> {
    let mut positions: Vec<usize> = (window.start..window.end.min(row.len())).collect();
    if positions.len() < count {
        return None;
    }
    let order = |a: &usize, b: &usize| row[*a].total_cmp(&row[*b]).then(a.cmp(b));
    if count > 0 && count < positions.len() {
        positions.select_nth_unstable_by(count - 1, order);
    }
    positions.truncate(count);
    positions.sort_unstable();
    Some(positions)
}

/// For each window of `width` numbers, by where it begins, the sum of its `count` smallest. Windows at the end are cut off by it; the result ends
/// where a window has fewer than `count`. Who asks for several widths or counts keeps the [`Ranks`].
pub fn smallest_sums(row: &[f64], width: usize, count: usize) -> Vec<f64> {
    Ranks::of(row).smallest_sums(width, count)
}

/// For each width and each count up to `count_max`, the sum over all windows of that width, one from every position, of their `count` smallest numbers. Windows at the
/// end are cut off by it, and count where they have so many. Of `width` and `count` it is at `(width - 1) * count_max + count - 1`.
///
/// A window grows from each position by one number at a time. A number among the `count_max` smallest so far pushes each larger one a place on: the sum of the `k` smallest
/// changes by it less the `k`-th. The others, nearly all of them, change nothing. So it takes the square of the row in looks, and about `count_max^2 log(n / count_max)`
/// additions a position, one after the other in memory.
pub fn sums_of_smallest(row: &[f64], count_max: usize) -> Vec<f64> {
    let mut changes = vec![0.0; row.len() * count_max];
    if count_max == 0 {
        return changes;
    }
    let mut smallest = vec![0.0; count_max];
    for start in 0..row.len() {
        let window = &row[start..];
        let (first, later) = window.split_at(count_max.min(window.len()));
        let mut sum = 0.0;
        for (at, value) in first.iter().enumerate() {
            let place = smallest[..at].partition_point(|other| other <= value);
            sum += value;
            let change = &mut changes[at * count_max..][..=at];
            // The last of these was no sum before.
            change[at] += sum;
            displace(&mut smallest[place..=at], &mut change[place..at], *value);
        }
        let mut width = first.len();
        let mut later = later;
        let mut edge = smallest[count_max - 1];
        while let Some(ahead) = later.iter().position(|value| *value < edge) {
            let value = later[ahead];
            let place = smallest.partition_point(|other| *other <= value);
            displace(&mut smallest[place..], &mut changes[(width + ahead) * count_max..][place..count_max], value);
            edge = smallest[count_max - 1];
            width += ahead + 1;
            later = &later[ahead + 1..];
        }
    }
    for at in count_max..changes.len() {
        changes[at] += changes[at - count_max];
    }
    changes
}

/// Puts a number before larger ones, of which the last goes.
fn displace(larger: &mut [f64], changes: &mut [f64], value: f64) {
    for (change, other) in changes.iter_mut().zip(&*larger) {
        *change += value - other;
    }
    larger.copy_within(..larger.len() - 1, 1);
    larger[0] = value;
}

/// A row of numbers, each with its place in their order.
#[derive(Clone, Debug)]
pub struct Ranks {
    /// The rank of each position among all of the row.
    rank: Vec<usize>,
    /// The number of each rank.
    value: Vec<f64>,
}

impl Ranks {
    /// Sorts the row.
    pub fn of(row: &[f64]) -> Self {
        let mut order: Vec<usize> = (0..row.len()).collect();
        order.sort_by(|a, b| row[*a].total_cmp(&row[*b]));
        let mut rank = vec![0; row.len()];
        for (at, position) in order.iter().enumerate() {
            rank[*position] = at;
        }
        Self { rank, value: order.iter().map(|position| row[*position]).collect() }
    }

    /// As [`smallest_sums`].
    ///
    /// The window slides over a set of ranks, one bit each. The rank of the `count`-th smallest moves by at most one member a step, to the next bit that
    /// is set: a word at a time, so a step costs a few nanoseconds in wide windows and a scan of at most n/64 words in narrow ones.
    pub fn smallest_sums(&self, width: usize, count: usize) -> Vec<f64> {
        let length = self.rank.len();
        let width = width.min(length);
        if count == 0 || count > width {
            return Vec::new();
        }
        let mut window = Window { rank: &self.rank, value: &self.value, bits: vec![0; length.div_ceil(64)], edge: 0, sum: 0.0 };
        for position in 0..width {
            window.enter(position);
        }
        window.seek(count);
        let mut sums = Vec::with_capacity(length - count + 1);
        for start in 0..=length - count {
            sums.push(window.sum);
            if start + width < length {
                window.exchange(start, start + width);
            } else if start < length - count {
                window.leave(start);
            }
        }
        sums
    }
}

/// A set of positions of a row, ordered by rank, and the sum of its smallest members up to and with `edge`.
struct Window<'a> {
    rank: &'a [usize],
    value: &'a [f64],
    /// A bit for each rank in the set.
    bits: Vec<u64>,
    /// The rank of the largest member that is counted.
    edge: usize,
    sum: f64,
}

impl Window<'_> {
    fn enter(&mut self, position: usize) {
        let rank = self.rank[position];
        self.bits[rank / 64] |= 1 << (rank % 64);
    }

    /// Puts the edge at the `count`-th smallest member.
    fn seek(&mut self, count: usize) {
        let mut rank = self.first_from(0);
        self.sum = self.value[rank];
        for _ in 1..count {
            rank = self.first_from(rank + 1);
            self.sum += self.value[rank];
        }
        self.edge = rank;
    }

    /// One position leaves and another comes; as many are counted as before.
    fn exchange(&mut self, old: usize, new: usize) {
        self.enter(new);
        let (gone, come) = (self.rank[old], self.rank[new]);
        if come < self.edge {
            self.sum += self.value[come] - self.value[self.edge];
            self.edge = self.last_before(self.edge);
        }
        self.remove(gone);
    }

    /// A position leaves.
    fn leave(&mut self, old: usize) {
        self.remove(self.rank[old]);
    }

    /// Takes a member out; if it was counted, the next one is instead.
    fn remove(&mut self, rank: usize) {
        if rank <= self.edge {
            let next = self.first_from(self.edge + 1);
            self.sum += self.value[next] - self.value[rank];
            self.edge = next;
        }
        self.bits[rank / 64] &= !(1 << (rank % 64));
    }

    /// The least member of rank `rank` or more. There is one.
    fn first_from(&self, rank: usize) -> usize {
        let mut word = rank / 64;
        let mut bits = self.bits[word] & (u64::MAX << (rank % 64));
        while bits == 0 {
            word += 1;
            bits = self.bits[word];
        }
        word * 64 + bits.trailing_zeros() as usize
    }

    /// The greatest member below `rank`. There is one.
    fn last_before(&self, rank: usize) -> usize {
        let mut word = rank / 64;
        let mut bits = self.bits[word] & !(u64::MAX << (rank % 64));
        while bits == 0 {
            word -= 1;
            bits = self.bits[word];
        }
        word * 64 + 63 - bits.leading_zeros() as usize
    }
}
