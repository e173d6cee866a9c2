//! Which parts of a tree a root or a proof is made of: pure arithmetic on sizes, no hash is looked at.

use crate::ProofError;

/// The leaves `start..start + len` as the recursion of RFC 6962 meets them: `start` is a multiple of the smallest power of
/// two that is not less than `len`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Index of the first leaf.
    pub start: u64,
    /// Number of leaves.
    pub len: u64,
}

/// A perfect subtree: the leaves `index * 2^level ..` up to `(index + 1) * 2^level`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Height: the subtree has `2^level` leaves.
    pub level: u8,
    /// Which of the subtrees of this height, from the left.
    pub index: u64,
}

impl Span {
    /// The whole tree of `size` leaves.
    pub fn tree(size: u64) -> Self {
        Span { start: 0, len: size }
    }

    /// The perfect subtrees the span consists of, from left to right, which is from the largest to the smallest.
    pub fn places(self) -> impl Iterator<Item = Place> {
        let Span { mut start, mut len } = self;
        std::iter::from_fn(move || {
            let level = len.checked_ilog2()?;
            let place = Place { level: u8::try_from(level).ok()?, index: start >> level };
            len -= 1 << level;
            // The last place may end at 2^64: nothing follows it.
            start = start.wrapping_add(1 << level);
            Some(place)
        })
    }

    /// The two halves of a span of at least two leaves: the left one has the largest power of two less than `len`.
    fn halves(self) -> Option<(Span, Span)> {
        let left = 1_u64 << self.len.checked_sub(1)?.checked_ilog2()?;
        Some((Span { start: self.start, len: left }, Span { start: self.start + left, len: self.len - left }))
    }
}

/// What the inclusion proof of leaf `index` in the tree of `size` leaves consists of, from the leaf to the root (RFC 9162,
/// 2.1.3.1). Refused: an index that is not in the tree.
pub fn inclusion_spans(index: u64, size: u64) -> Result<Vec<Span>, ProofError> {
    if index >= size {
        return Err(ProofError::NoSuchLeaf { index, size });
    }
    let mut here = Span::tree(size);
    let mut spans = Vec::new();
    while let Some((left, right)) = here.halves() {
        let other;
        (here, other) = if index < right.start { (left, right) } else { (right, left) };
        spans.push(other);
    }
    spans.reverse();
    Ok(spans)
}

/// What the consistency proof from `old` to `new` leaves consists of (RFC 9162, 2.1.4.1): nothing if `old` is 0 or `new`.
/// Refused: `old` greater than `new`.
pub fn consistency_spans(old: u64, new: u64) -> Result<Vec<Span>, ProofError> {
    let mut spans = descent(old, new)?;
    // The left edge of a power of two is the old root itself, which the verifier has.
    if old.is_power_of_two() && old < new {
        spans.remove(0);
    }
    Ok(spans)
}

/// As [`consistency_spans`], with the old tree's last perfect subtree first even where the verifier has it: so that the
/// proof alone gives both roots. This is what evidence of a fork needs.
pub fn bridge_spans(old: u64, new: u64) -> Result<Vec<Span>, ProofError> {
    descent(old, new)
}

fn descent(old: u64, new: u64) -> Result<Vec<Span>, ProofError> {
    if old > new {
        return Err(ProofError::Shrinks { old, new });
    }
    if old == 0 || old == new {
        return Ok(Vec::new());
    }
    let mut here = Span::tree(new);
    let mut spans = Vec::new();
    while here.start + here.len != old {
        let Some((left, right)) = here.halves() else { break };
        let other;
        (here, other) = if old <= right.start { (left, right) } else { (right, left) };
        spans.push(other);
    }
    spans.push(here);
    spans.reverse();
    Ok(spans)
}
