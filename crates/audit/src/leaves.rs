//! Every leaf: from the tiles of records to the root, and on the way the hashes by which the tree seen last can be told from this one.

use std::collections::BTreeMap;

use lab3_tlog::{Frontier, Hash, Nodes, Place, bridge_spans, empty_root, leaf_hash};

/// A growing tree, of which a few places are remembered.
#[derive(Debug)]
pub(crate) struct Leaves {
    frontier: Frontier,
    /// The places a bridge from the old tree to this one is made of.
    places: BTreeMap<Place, Option<Hash>>,
    /// The roots when the tree had so many leaves; none before it has.
    earlier: BTreeMap<u64, Option<Hash>>,
}

/// A hash that was not among those remembered.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("a subtree's hash was not kept")]
pub(crate) struct NotKept;

impl Leaves {
    /// A tree that shall have `size` leaves and is compared with earlier ones of these sizes.
    pub fn new(size: u64, earlier: impl Iterator<Item = u64>) -> Self {
        let earlier: BTreeMap<u64, Option<Hash>> = earlier.map(|old| (old, (old == 0).then(empty_root))).collect();
        let spans = earlier.keys().flat_map(|&old| bridge_spans(old, size).unwrap_or_default());
        let places = spans.flat_map(lab3_tlog::Span::places).map(|place| (place, None)).collect();
        Self { frontier: Frontier::new(), places, earlier }
    }

    /// The root when the tree had so many leaves, one of the sizes it was made for.
    pub fn root_at(&self, size: u64) -> Option<Hash> {
        self.earlier.get(&size).copied().flatten()
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
        if let Some(root) = self.earlier.get_mut(&self.frontier.size()) {
            *root = Some(self.frontier.root());
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
