//! The journal's Merkle tree, as far as it is kept: the hash of each whole run of 256 records and all above it, and the leaves of the run
//! that is not whole yet. What lies within a whole run is computed from its records when somebody asks.
//!
//! On the shelf stand the runs' hashes, in blocks, and the leaves that are left over; what is above the runs is computed at the start. In memory
//! a record takes a quarter of a byte.

use lab3_tlog::{Hash, node_hash};

use crate::codec::Leaf;
use crate::storage::{Put, Shelf, ShelfTable, StoreError};

/// Height of a run in the tree.
pub const RUN_LEVEL: u8 = 8;

/// Records in a run: as many as a tile of C2SP's tiled logs has entries.
pub const RUN_LEAVES: u64 = 1 << RUN_LEVEL;

/// Runs whose hashes share an entry on the shelf: 16 KB.
const BLOCK_RUNS: usize = 512;

/// Where on the shelf the leaves after the last whole run stand.
const LEFT_OVER: u64 = i64::MAX.cast_unsigned();

/// The tree over the records the follower has read.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// From the runs up: the hashes of a level.
    levels: Vec<Vec<Hash>>,
    /// Leaves after the last whole run.
    rest: Vec<Leaf>,
    /// Runs on the shelf.
    written: usize,
}

impl Tree {
    /// The tree as the shelf has it.
    pub fn open(shelf: &mut dyn Shelf) -> Result<Self, StoreError> {
        let mut tree = Self::default();
        for (key, bytes) in shelf.scan(ShelfTable::Tree, 0, usize::MAX)? {
            let (hashes, rest) = bytes.as_chunks::<32>();
            if !rest.is_empty() {
                return Err(StoreError::Damaged("a piece of the tree is cut short".to_owned()));
            }
            if key == LEFT_OVER {
                tree.rest = hashes.to_vec();
            } else {
                for &run in hashes {
                    tree.push_run(run);
                }
            }
        }
        tree.written = tree.runs().len();
        Ok(tree)
    }

    fn runs(&self) -> &[Hash] {
        self.levels.first().map_or(&[], |runs| runs)
    }

    /// Records in it.
    pub fn size(&self) -> u64 {
        self.runs().len() as u64 * RUN_LEAVES + self.rest.len() as u64
    }

    /// Adds the next records.
    pub fn extend(&mut self, leaves: &[Leaf]) {
        for &leaf in leaves {
            self.rest.push(leaf);
            if self.rest.len() as u64 == RUN_LEAVES {
                let run = lab3_tlog::Tree::new(std::mem::take(&mut self.rest)).root();
                self.push_run(run);
            }
        }
    }

    /// Adds a whole run, and each hash above it that it completes.
    fn push_run(&mut self, run: Hash) {
        let mut hash = run;
        for level in 0.. {
            if self.levels.len() == level {
                self.levels.push(Vec::new());
            }
            let Some(nodes) = self.levels.get_mut(level) else { return };
            nodes.push(hash);
            let [.., left, right] = nodes[..] else { return };
            if nodes.len() % 2 == 1 {
                return;
            }
            hash = node_hash(&left, &right);
        }
    }

    /// The hash of the perfect subtree `index` of that level, if it is kept.
    pub fn kept(&self, level: u8, index: u64) -> Option<Hash> {
        let nodes = self.levels.get(usize::from(level.checked_sub(RUN_LEVEL)?))?;
        nodes.get(usize::try_from(index).ok()?).copied()
    }

    /// The leaves of the run that is not whole yet, when `run` is its number.
    pub fn rest_of(&self, run: u64) -> Option<&[Leaf]> {
        (run == self.runs().len() as u64).then_some(&self.rest)
    }

    /// What is to be written to the shelf.
    pub fn puts(&self) -> impl Iterator<Item = Put> {
        let put = |key, hashes: &[Hash]| Put { table: ShelfTable::Tree, key, value: hashes.concat() };
        let first = self.written / BLOCK_RUNS;
        let blocks = self.runs().chunks(BLOCK_RUNS).skip(first).zip(first as u64..);
        blocks.map(move |(runs, block)| put(block, runs)).chain([put(LEFT_OVER, &self.rest)])
    }

    /// Makes known that so many runs are on the shelf.
    pub fn written(&mut self, runs: usize) {
        self.written = runs;
    }

    /// Whole runs.
    pub fn whole_runs(&self) -> usize {
        self.runs().len()
    }
}
