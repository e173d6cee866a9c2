//! What those who wait for one record of a commit know of all of it: enough to be given one receipt together.

use std::sync::{Arc, OnceLock};

use crate::codec::Leaf;

/// Records that were made durable together.
#[derive(Debug, Default)]
pub struct Commit {
    /// Number of the first record, and the leaf hashes of all.
    leaves: OnceLock<(u64, Box<[Leaf]>)>,
    receipt: OnceLock<Option<Arc<str>>>,
}

impl Commit {
    /// What is known of one record that was durable before.
    pub(crate) fn of(sequence: u64, leaf: Leaf) -> Self {
        let leaves = OnceLock::from((sequence, Box::from([leaf])));
        Self { leaves, receipt: OnceLock::new() }
    }

    /// Tells what was made durable, once it is.
    pub(crate) fn is_durable(&self, first: u64, leaves: &[Leaf]) {
        self.leaves.get_or_init(|| (first, leaves.into()));
    }

    /// The receipt that `sign` makes of the first record's number and the leaf hashes: made for whoever asks first, given to all.
    /// None before the commit is durable.
    pub fn receipt(&self, sign: impl FnOnce(u64, &[Leaf]) -> Option<String>) -> Option<Arc<str>> {
        let (first, leaves) = self.leaves.get()?;
        self.receipt.get_or_init(|| sign(*first, leaves).map(Arc::from)).clone()
    }
}
