//! The right edge of a growing tree: enough to append leaves and to know the root, in 32 bytes a level.

use crate::hash::{Hash, fold, node_hash};
use crate::span::Place;

/// The perfect subtrees the leaves so far consist of, from the largest to the smallest. Appending a leaf costs one
/// [`node_hash`] on average.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

impl Frontier {
    /// The tree without leaves.
    pub fn new() -> Self {
        Self::default()
    }

    /// The tree of `size` leaves whose perfect subtrees, from the largest to the smallest, have the hashes `peaks`; `None`
    /// if that is not as many as such a tree has. [`Span::tree`](crate::Span::tree) says which they are.
    pub fn from_peaks(size: u64, peaks: Vec<Hash>) -> Option<Self> {
        (usize::try_from(size.count_ones()) == Ok(peaks.len())).then_some(Frontier { size, peaks })
    }

    /// Appends a leaf and tells `completed` of each perfect subtree this ends, from the leaf itself (level 0) upward.
    pub fn push(&mut self, leaf: Hash, mut completed: impl FnMut(Place, &Hash)) {
        let mut hash = leaf;
        let mut place = Place { level: 0, index: self.size };
        completed(place, &hash);
        while place.index & 1 == 1 {
            let Some(left) = self.peaks.pop() else { break };
            hash = node_hash(&left, &hash);
            place = Place { level: place.level + 1, index: place.index >> 1 };
            completed(place, &hash);
        }
        self.peaks.push(hash);
        // A leaf a nanosecond fills 2^64 in 584 years.
        self.size = self.size.wrapping_add(1);
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root of all leaves so far.
    pub fn root(&self) -> Hash {
        fold(&self.peaks)
    }

    /// The hashes of the perfect subtrees, from the largest to the smallest.
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }
}
