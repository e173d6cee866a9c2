//! Checking proofs, as RFC 9162 (2.1.3.2, 2.1.4.2) says. Sizes and proofs may come from an enemy.

use crate::hash::{Hash, empty_root, node_hash};

/// Why a proof does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The index is not below the size.
    #[error("a tree of {size} leaves has no leaf {index}")]
    NoSuchLeaf {
        /// The leaf claimed, from 0.
        index: u64,
        /// Leaves in the tree.
        size: u64,
    },
    /// The old tree is the larger one.
    #[error("a tree of {new} leaves cannot follow one of {old}")]
    Shrinks {
        /// Leaves of the earlier tree.
        old: u64,
        /// Leaves of the later one.
        new: u64,
    },
    /// The proof has not as many hashes as one for these sizes has.
    #[error("the proof has too many or too few hashes for these sizes")]
    Length,
    /// The proof leads to another root than the one given.
    #[error("the proof leads to another root")]
    Root,
    /// The proof leads to the new root, but from another old root than the one given.
    #[error("the proof leads to another old root")]
    OldRoot,
}

/// Checks that the leaf with this hash is leaf `index` (from 0) of the tree of `size` leaves with this root.
pub fn verify_inclusion(index: u64, size: u64, leaf: &Hash, proof: &[Hash], root: &Hash) -> Result<(), VerifyError> {
    if index >= size {
        return Err(VerifyError::NoSuchLeaf { index, size });
    }
    let (mut at, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for sibling in proof {
        if last == 0 {
            return Err(VerifyError::Length);
        }
        if at & 1 == 1 || at == last {
            hash = node_hash(sibling, &hash);
            (at, last) = skip_levels_without_sibling(at, last);
        } else {
            hash = node_hash(&hash, sibling);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    match last {
        0 if hash == *root => Ok(()),
        0 => Err(VerifyError::Root),
        _ => Err(VerifyError::Length),
    }
}

/// Checks that the tree of `old` leaves is the beginning of the tree of `new` leaves. From a tree without leaves everything
/// follows, and the proof is empty; a tree without leaves has the [`empty_root`].
pub fn verify_consistency(old: u64, new: u64, old_root: &Hash, new_root: &Hash, proof: &[Hash]) -> Result<(), VerifyError> {
    if old > new {
        return Err(VerifyError::Shrinks { old, new });
    }
    if old == 0 || old == new {
        return verify_trivial(old, new, old_root, new_root, proof);
    }
    let (first, rest) = match proof.split_first() {
        _ if old.is_power_of_two() => (old_root, proof),
        Some((first, rest)) => (first, rest),
        None => return Err(VerifyError::Length),
    };
    let (implied_old, implied_new) = both_roots(old, new, first, rest)?;
    if implied_new != *new_root {
        return Err(VerifyError::Root);
    }
    if implied_old == *old_root { Ok(()) } else { Err(VerifyError::OldRoot) }
}

/// The root that the tree of `old` leaves must have had if `bridge` (see [`bridge`](crate::bridge)) leads to `new_root`.
pub fn implied_old_root(old: u64, new: u64, new_root: &Hash, bridge: &[Hash]) -> Result<Hash, VerifyError> {
    if old > new {
        return Err(VerifyError::Shrinks { old, new });
    }
    if old == 0 || old == new {
        return match bridge {
            [] if old == new => Ok(*new_root),
            [] => Ok(empty_root()),
            _ => Err(VerifyError::Length),
        };
    }
    let (first, rest) = bridge.split_first().ok_or(VerifyError::Length)?;
    let (implied_old, implied_new) = both_roots(old, new, first, rest)?;
    if implied_new == *new_root { Ok(implied_old) } else { Err(VerifyError::Root) }
}

fn verify_trivial(old: u64, new: u64, old_root: &Hash, new_root: &Hash, proof: &[Hash]) -> Result<(), VerifyError> {
    if !proof.is_empty() {
        return Err(VerifyError::Length);
    }
    if new == 0 && *new_root != empty_root() {
        return Err(VerifyError::Root);
    }
    let expected = if old == new { *new_root } else { empty_root() };
    if *old_root == expected { Ok(()) } else { Err(VerifyError::OldRoot) }
}

/// The old and the new root that follow from a proof, whose first hash is the old tree's last perfect subtree. `0 < old < new`.
fn both_roots(old: u64, new: u64, first: &Hash, rest: &[Hash]) -> Result<(Hash, Hash), VerifyError> {
    let (mut at, mut last) = (old - 1, new - 1);
    let up = at.trailing_ones();
    (at, last) = (at >> up, last >> up);
    let (mut old_hash, mut new_hash) = (*first, *first);
    for sibling in rest {
        if last == 0 {
            return Err(VerifyError::Length);
        }
        if at & 1 == 1 || at == last {
            old_hash = node_hash(sibling, &old_hash);
            new_hash = node_hash(sibling, &new_hash);
            (at, last) = skip_levels_without_sibling(at, last);
        } else {
            new_hash = node_hash(&new_hash, sibling);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    if last == 0 { Ok((old_hash, new_hash)) } else { Err(VerifyError::Length) }
}

/// On the right edge of a tree that is not perfect a node may have no sibling and stand for itself a level up.
fn skip_levels_without_sibling(at: u64, last: u64) -> (u64, u64) {
    // Of 0 nothing is left: it has 64 zeros.
    let levels = at.trailing_zeros();
    (at.checked_shr(levels).unwrap_or(0), last.checked_shr(levels).unwrap_or(0))
}
