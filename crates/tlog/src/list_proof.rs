//! The proof that a text is a leaf of a list's tree whose root a record of a log carries, as a text one can keep and check offline: the leaf's
//! lines, an empty line, the path to the list's root, an empty line, and the record's own proof (see [`ProofFile`]).

use std::fmt;

use crate::hash::{Hash, leaf_hash};
use crate::proof_file::{ProofFile, ProofFileError};
use crate::text;
use crate::verify::{VerifyError, verify_inclusion};

/// A list of `2^64` leaves has no longer paths.
const PATH_MAX: usize = 64;
/// Bytes of a leaf.
const LEAF_MAX: usize = 4096;

/// The contents of such a file. [`fmt::Display`] writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListProof {
    /// The leaf: lines, none of them empty, each ended by a line feed.
    pub leaf: String,
    /// The hashes from the leaf up to the list's root, which stands in the record.
    pub path: Vec<Hash>,
    /// The proof of the record; its `extra` is the record.
    pub record: ProofFile,
}

/// Why a file proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListProofError {
    /// Not the parts such a file has.
    #[error("it is not the lines of a leaf, a path and a record's proof, with empty lines between them")]
    Form,
    /// The record does not follow.
    #[error("its record: {0}")]
    Record(#[from] ProofFileError),
}

impl ListProof {
    /// Reads a file.
    pub fn parse(file: &str) -> Result<Self, ListProofError> {
        let (leaf, path, record) = parts(file).ok_or(ListProofError::Form)?;
        let path = text::hashes(path.lines(), PATH_MAX).ok_or(ListProofError::Form)?;
        Ok(Self { leaf: format!("{leaf}\n"), path, record: ProofFile::parse(record.as_bytes())? })
    }

    /// Checks that the leaf is number `index`, from 0, of a list of `size` with that root.
    pub fn verify_leaf(&self, index: u64, size: u64, root: &Hash) -> Result<(), VerifyError> {
        verify_inclusion(index, size, &leaf_hash(self.leaf.as_bytes()), &self.path, root)
    }
}

/// Leaf, path, record's proof. A list of one leaf has an empty path, and so no line for it.
fn parts(file: &str) -> Option<(&str, &str, &str)> {
    let (leaf, rest) = file.split_once("\n\n")?;
    let (path, record) = match rest.strip_prefix('\n') {
        Some(record) => ("", record),
        None => rest.split_once("\n\n")?,
    };
    (!leaf.is_empty() && !leaf.starts_with('\n') && leaf.len() <= LEAF_MAX).then_some((leaf, path, record))
}

impl fmt::Display for ListProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}\n{}", self.leaf, text::hash_lines(&self.path), self.record)
    }
}
