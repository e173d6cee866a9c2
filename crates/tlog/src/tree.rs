//! Roots and proofs of a tree whose perfect subtrees somebody keeps.

use crate::hash::{Hash, fold};
use crate::span::{Place, Span, bridge_spans, consistency_spans, inclusion_spans};

/// Who knows the hashes of perfect subtrees.
pub trait Nodes {
    /// Why a hash cannot be had.
    type Error;

    /// The hash of the `2^level` leaves from `index * 2^level` on. Level 0 is the leaf hashes themselves.
    fn node(&mut self, level: u8, index: u64) -> Result<Hash, Self::Error>;
}

/// Why a proof cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError<E = std::convert::Infallible> {
    /// The tree has no such leaf.
    #[error("a tree of {size} leaves has no leaf {index}")]
    NoSuchLeaf {
        /// The leaf asked for, from 0.
        index: u64,
        /// Leaves in the tree.
        size: u64,
    },
    /// A tree only grows.
    #[error("a tree of {new} leaves cannot follow one of {old}")]
    Shrinks {
        /// Leaves of the earlier tree.
        old: u64,
        /// Leaves of the later one.
        new: u64,
    },
    /// A subtree's hash could not be had.
    #[error("a subtree's hash is missing: {0}")]
    Nodes(E),
}

/// The root of the first `size` leaves; [`empty_root`](crate::empty_root) of none.
pub fn root<N: Nodes>(nodes: &mut N, size: u64) -> Result<Hash, N::Error> {
    span_hash(nodes, Span::tree(size))
}

/// The proof that leaf `index` is in the tree of `size` leaves: its siblings' hashes from the leaf to the root.
pub fn inclusion_proof<N: Nodes>(nodes: &mut N, index: u64, size: u64) -> Result<Vec<Hash>, ProofError<N::Error>> {
    hashes(nodes, inclusion_spans(index, size))
}

/// The proof that the tree of `old` leaves is the beginning of the tree of `new` leaves; empty if `old` is 0 or `new`.
pub fn consistency_proof<N: Nodes>(nodes: &mut N, old: u64, new: u64) -> Result<Vec<Hash>, ProofError<N::Error>> {
    hashes(nodes, consistency_spans(old, new))
}

/// The hashes from which both the tree of `old` leaves and that of `new` follow: see [`Fork`](crate::Fork).
pub fn bridge<N: Nodes>(nodes: &mut N, old: u64, new: u64) -> Result<Vec<Hash>, ProofError<N::Error>> {
    hashes(nodes, bridge_spans(old, new))
}

fn hashes<N: Nodes>(nodes: &mut N, spans: Result<Vec<Span>, ProofError>) -> Result<Vec<Hash>, ProofError<N::Error>> {
    let spans = spans.map_err(|error| match error {
        ProofError::NoSuchLeaf { index, size } => ProofError::NoSuchLeaf { index, size },
        ProofError::Shrinks { old, new } => ProofError::Shrinks { old, new },
        ProofError::Nodes(never) => match never {},
    })?;
    spans.into_iter().map(|span| span_hash(nodes, span)).collect::<Result<_, _>>().map_err(ProofError::Nodes)
}

fn span_hash<N: Nodes>(nodes: &mut N, span: Span) -> Result<Hash, N::Error> {
    let subtrees: Vec<Hash> = span.places().map(|Place { level, index }| nodes.node(level, index)).collect::<Result<_, _>>()?;
    Ok(fold(&subtrees))
}
