//! The hashes of a row: its records' leaves, and the chain of both versions.

use lab3_tlog::leaf_hash;
use sha2::{Digest, Sha256};

use super::{ChainHash, Leaf};

/// The chain's hash after a row of these leaves.
pub fn after(before: &ChainHash, leaves: &[Leaf]) -> ChainHash {
    let hasher = Sha256::new().chain_update(before);
    leaves.iter().fold(hasher, Sha256::chain_update).finalize().into()
}

/// The chain through a row that is being checked.
pub enum Chain {
    /// From record to record.
    V1(ChainHash),
    /// From row to row.
    V2(Sha256),
}

impl Chain {
    /// Before the row's first record.
    pub fn new(version: u8, before: &ChainHash) -> Self {
        if version == 1 { Self::V1(*before) } else { Self::V2(Sha256::new().chain_update(before)) }
    }

    /// Takes the next record; its first bytes stand beside the record in the row.
    pub fn take(&mut self, sequence: u64, bytes: &[u8]) -> [u8; 32] {
        match self {
            Self::V1(head) => {
                let hasher = Sha256::new().chain_update(&head[..]).chain_update(sequence.to_le_bytes());
                *head = hasher.chain_update(bytes).finalize().into();
                *head
            }
            Self::V2(hasher) => {
                let leaf = leaf_hash(bytes);
                hasher.update(leaf);
                leaf
            }
        }
    }

    /// The chain's hash after the row.
    pub fn end(self) -> ChainHash {
        match self {
            Self::V1(head) => head,
            Self::V2(hasher) => hasher.finalize().into(),
        }
    }
}
