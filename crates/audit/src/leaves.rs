//! Every leaf: from the tiles of records to the root, and on the way the hashes by which the tree seen last can be told from this one.

use std::collections::BTreeMap;

use lab3_tlog::{Frontier, Hash, Nodes, Place, bridge_spans, empty_root, leaf_hash};

/// A growing tree, of which a few places are remembered.
#[derive(Debug)]
pub(crate) struct Leaves {
    frontier: Frontier,
    /// The places a bridge from the old tree to this one is made of.
    places: BTreeMap<Place, Option<Hash>>,
    old: Option<u64>,
    /// The root when the tree had `old` leaves.
    pub old_root: Option<Hash>,
}

/// A hash that was not among those remembered.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("a subtree's hash was not kept")]
pub(crate) struct NotKept;

impl Leaves {
    /// A tree that shall have `size` leaves and is compared with one of `old`.
    pub fn new(size: u64, old: Option<u64>) -> Self {
        let spans = old.and_then(|old| bridge_spans(old, size).ok()).unwrap_or_default();
        let places = spans.into_iter().flat_map(lab3_tlog::Span::places).map(|place| (place, None)).collect();
        Self { frontier: Frontier::new(), places, old, old_root: (old == Some(0)).then(empty_root) }
    }

    /// Hashes the next record's bytes.
    pub fn push(&mut self, entry: &[u8]) -> Hash {
        let (places, leaf) = (&mut self.places, leaf_hash(entry));
        self.frontier.push(leaf, |place, hash| {
            if !places.is_empty()
                && let Some(kept) = places.get_mut(&place)
            {
                *kept = Some(*hash);
            }
        });
        if self.old == Some(self.frontier.size()) {
            self.old_root = Some(self.frontier.root());
        }
        leaf
    }

    pub fn size(&self) -> u64 {
        self.frontier.size()
    }

    pub fn root(&self) -> Hash {
        self.frontier.root()
    }
}

impl Nodes for &Leaves {
    type Error = NotKept;

    fn node(&mut self, level: u8, index: u64) -> Result<Hash, NotKept> {
        self.places.get(&Place { level, index }).copied().flatten().ok_or(NotKept)
    }
}
