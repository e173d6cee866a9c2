//! The journal as a transparency log: heads, proofs, tiles and entries, off the writer's thread.
//!
//! What is above runs of 256 records is in memory; what is below is computed from the run's records. Leaf `n` of the tree is record `n + 1`.

use std::ops::Range;

use lab3_tlog::{Hash, Nodes, ProofError, Run, consistency_proof, inclusion_proof, root};
use lab3_units::{Code, Problem};

use crate::codec;
use crate::lookup::Archive;
use crate::storage::{JournalReader, Row, StoreError};
use crate::views::{RUN_LEAVES, RUN_LEVEL, Tree, Views};

/// Records in a run.
const RUN_RECORDS: usize = 1 << RUN_LEVEL;

/// Rows asked for first. Full ones have 64 records: a run is in five or six of them.
const ROWS_FIRST: usize = 6;

/// The tree at a size: what a checkpoint states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeHead {
    /// Records in it.
    pub size: u64,
    /// Its root.
    pub root: Hash,
}

/// The journal's Merkle tree over what the views have followed.
#[derive(Clone)]
pub struct Log(pub(crate) Archive);

impl Log {
    /// Records in the tree now.
    pub fn size(&self) -> u64 {
        self.0.views().with_tree(Tree::size)
    }

    /// The tree as it is now.
    pub async fn head(&self) -> Result<TreeHead, Problem> {
        self.head_at(self.size()).await
    }

    /// The tree of the first `size` records; `PARAMETER` when the journal does not have as many.
    pub async fn head_at(&self, size: u64) -> Result<TreeHead, Problem> {
        self.check_size(size)?;
        let root = self.0.with_tree(move |nodes| root(nodes, size)).await?;
        Ok(TreeHead { size, root })
    }

    /// Proves that the leaf is in the tree of that size.
    pub async fn inclusion(&self, leaf: u64, size: u64) -> Result<Vec<Hash>, Problem> {
        self.check_size(size)?;
        proof(self.0.with_tree(move |nodes| within(inclusion_proof(nodes, leaf, size))).await?)
    }

    /// Proves that the tree of `old` records is the beginning of that of `new`.
    pub async fn consistency(&self, old: u64, new: u64) -> Result<Vec<Hash>, Problem> {
        self.check_size(new)?;
        proof(self.0.with_tree(move |nodes| within(consistency_proof(nodes, old, new))).await?)
    }

    /// The hashes of those perfect subtrees of one level, all of which the tree has.
    pub async fn nodes(&self, level: u8, indices: Range<u64>) -> Result<Vec<Hash>, Problem> {
        let wanted = indices.end.checked_shl(u32::from(level)).filter(|end| end >> level == indices.end).unwrap_or(u64::MAX);
        self.check_size(wanted)?;
        self.0.with_tree(move |nodes| indices.map(|index| nodes.node(level, index)).collect()).await
    }

    /// The bytes of those records, by their numbers, as they stand in the leaves.
    pub async fn entries(&self, sequences: Range<u64>) -> Result<Vec<Vec<u8>>, Problem> {
        self.check_size(sequences.end.saturating_sub(1))?;
        self.0.with_journal(move |journal| entries(journal, &sequences)).await
    }

    fn check_size(&self, size: u64) -> Result<(), Problem> {
        let there = self.size();
        if size <= there {
            return Ok(());
        }
        Err(Problem::new(Code::PARAMETER, format!("The log has {there} records, not {size}. Ask for a smaller tree, or later."))
            .in_field("size"))
    }
}

/// Tells a store that failed from a proof there cannot be.
fn within<T>(made: Result<T, ProofError<StoreError>>) -> Result<Result<T, String>, StoreError> {
    match made {
        Ok(proof) => Ok(Ok(proof)),
        Err(ProofError::Nodes(error)) => Err(error),
        Err(error) => Ok(Err(error.to_string())),
    }
}

fn proof<T>(made: Result<T, String>) -> Result<T, Problem> {
    made.map_err(|why| Problem::new(Code::PARAMETER, format!("There is no such proof: {why}.")))
}

/// The tree's nodes: from memory, or from the journal.
pub(crate) struct TreeNodes<'a> {
    pub views: &'a Views,
    pub journal: &'a mut dyn JournalReader,
    /// The run looked at last: a proof goes down into one or two.
    run: Option<(u64, Run)>,
}

impl<'a> TreeNodes<'a> {
    pub fn new(views: &'a Views, journal: &'a mut dyn JournalReader) -> Self {
        Self { views, journal, run: None }
    }

    fn run(&mut self, number: u64) -> Result<&Run, StoreError> {
        if self.run.as_ref().is_none_or(|(there, _)| *there != number) {
            let rest = self.views.with_tree(|tree| tree.rest_of(number).map(<[Hash]>::to_vec));
            let leaves = match rest {
                Some(leaves) => leaves,
                None => leaves_of(self.journal, number)?,
            };
            self.run = Some((number, Run::new(number, leaves)));
        }
        match &self.run {
            Some((_, run)) => Ok(run),
            None => Err(StoreError::Other("the run is gone".to_owned())),
        }
    }
}

impl Nodes for TreeNodes<'_> {
    type Error = StoreError;

    fn node(&mut self, level: u8, index: u64) -> Result<Hash, StoreError> {
        let missing = || StoreError::Damaged(format!("the tree has no subtree {index} of level {level}"));
        if let Some(below) = RUN_LEVEL.checked_sub(level).filter(|&below| below > 0) {
            return self.run(index >> below)?.get(level, index).copied().ok_or_else(missing);
        }
        self.views.with_tree(|tree| tree.kept(level, index)).ok_or_else(missing)
    }
}

fn leaves_of(journal: &mut dyn JournalReader, run: u64) -> Result<Vec<Hash>, StoreError> {
    let first = run * RUN_LEAVES + 1;
    let mut leaves = Vec::with_capacity(RUN_RECORDS);
    each_row(journal, &(first..first + RUN_LEAVES), |row, from, to| {
        let of_row = codec::leaves(row).map_err(|damage| StoreError::Damaged(damage.to_string()))?;
        leaves.extend_from_slice(of_row.get(from..to).unwrap_or_default());
        Ok(())
    })?;
    Ok(leaves)
}

fn entries(journal: &mut dyn JournalReader, sequences: &Range<u64>) -> Result<Vec<Vec<u8>>, StoreError> {
    let mut found = Vec::new();
    each_row(journal, sequences, |row, from, to| {
        let of_row = codec::entries(row).map_err(|damage| StoreError::Damaged(damage.to_string()))?;
        found.extend(of_row.get(from..to).unwrap_or_default().iter().map(|(_, bytes)| bytes.to_vec()));
        Ok(())
    })?;
    Ok(found)
}

/// Hands on each row with some of these records, and which of its own they are.
fn each_row(
    journal: &mut dyn JournalReader,
    sequences: &Range<u64>,
    mut each: impl FnMut(&Row, usize, usize) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut next = sequences.start;
    let mut rows_max = ROWS_FIRST;
    while next < sequences.end {
        let at_once = usize::try_from(sequences.end - next).unwrap_or(rows_max).min(rows_max);
        rows_max = (2 * rows_max).min(RUN_RECORDS);
        let rows = journal.rows_from(next, at_once)?;
        if rows.is_empty() {
            return Err(StoreError::Damaged(format!("record {next} is missing")));
        }
        for row in rows.iter().take_while(|row| row.first < sequences.end) {
            let place = |sequence: u64| usize::try_from(sequence.saturating_sub(row.first)).unwrap_or(usize::MAX);
            each(row, place(next), place(sequences.end.min(row.last() + 1)))?;
            next = row.last() + 1;
        }
    }
    Ok(())
}
