//! Trees small enough to hold: over the records of a batch, over balances, over one run of the journal.

use crate::hash::{Hash, node_hash};
use crate::tree::{Nodes, ProofError, inclusion_proof, root};

/// All perfect subtrees of a list of leaf hashes. `2 * leaves` hashes of memory, one [`node_hash`] a leaf to make.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// By level; level 0 is the leaves.
    levels: Vec<Vec<Hash>>,
}

/// A perfect subtree that does not lie in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("subtree {index} of level {level} is not among these leaves")]
pub struct Missing {
    /// Its height.
    pub level: u8,
    /// Which of that height.
    pub index: u64,
}

impl Tree {
    /// The tree over these leaf hashes.
    pub fn new(leaves: Vec<Hash>) -> Self {
        let mut levels = vec![leaves];
        while let Some(below) = levels.last().filter(|below| below.len() > 1) {
            let (pairs, _) = below.as_chunks::<2>();
            let level = pairs.iter().map(|[left, right]| node_hash(left, right)).collect();
            levels.push(level);
        }
        Tree { levels }
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.levels.first().map_or(0, |leaves| leaves.len() as u64)
    }

    /// The root of all leaves; [`empty_root`](crate::empty_root) of none.
    pub fn root(&self) -> Hash {
        // Every subtree of the list's own tree is in the list.
        root(&mut &*self, self.size()).unwrap_or_default()
    }

    /// The inclusion proof of leaf `index`, to be checked against [`Tree::root`].
    pub fn path(&self, index: u64) -> Result<Vec<Hash>, ProofError<Missing>> {
        inclusion_proof(&mut &*self, index, self.size())
    }

    /// The hash of a perfect subtree; `None` where the leaves do not reach.
    pub fn get(&self, level: u8, index: u64) -> Option<&Hash> {
        self.levels.get(usize::from(level))?.get(usize::try_from(index).ok()?)
    }
}

impl Nodes for &Tree {
    type Error = Missing;

    fn node(&mut self, level: u8, index: u64) -> Result<Hash, Missing> {
        self.get(level, index).copied().ok_or(Missing { level, index })
    }
}

/// Leaves in a run: what a tile of level 0 holds.
pub const RUN: u64 = 256;

/// The perfect subtrees inside the leaves `number * 256 ..`, up to 256 of them, addressed as in the whole tree. For who
/// stores only subtrees of level 8 and up.
#[derive(Clone, Debug)]
pub struct Run {
    number: u64,
    tree: Tree,
}

impl Run {
    /// The run of leaf `number * 256`, whose leaf hashes are these, the first 256 of them.
    pub fn new(number: u64, mut leaves: Vec<Hash>) -> Self {
        leaves.truncate(256);
        Run { number, tree: Tree::new(leaves) }
    }

    /// The hash of a perfect subtree of the whole tree; `None` if it does not lie in this run.
    pub fn get(&self, level: u8, index: u64) -> Option<&Hash> {
        let shift = 8_u8.checked_sub(level)?;
        // What is over when the run's own number is taken away; too low wraps to what no run reaches.
        let inside = index.wrapping_sub(self.number.checked_mul(1 << shift)?);
        self.tree.get(level, inside)
    }
}

impl Nodes for &Run {
    type Error = Missing;

    fn node(&mut self, level: u8, index: u64) -> Result<Hash, Missing> {
        self.get(level, index).copied().ok_or(Missing { level, index })
    }
}
