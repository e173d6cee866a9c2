//! The proof that an entry is in a log, as a text one can keep and check offline (c2sp.org/tlog-proof).

use std::fmt;

use crate::checkpoint::{Checkpoint, CheckpointError, Opened, Trust};
use crate::hash::Hash;
use crate::note::{NOTE_BYTES_MAX, Note, NoteError};
use crate::text;
use crate::verify::{VerifyError, verify_inclusion};

const TITLE: &str = "c2sp.org/tlog-proof@v1";
/// A tree of `2^64` leaves has no longer paths.
const PROOF_MAX: usize = 64;
/// Bytes of [`ProofFile::extra`], encoded.
const EXTRA_MAX: usize = 64 * 1024;

/// The contents of a `.tlog-proof` file. [`fmt::Display`] writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofFile {
    /// What the application adds. Nothing vouches for it.
    pub extra: Option<Vec<u8>>,
    /// The entry's index, from 0.
    pub index: u64,
    /// The inclusion proof in the checkpoint's tree.
    pub proof: Vec<Hash>,
    /// The signed checkpoint.
    pub note: Note,
}

/// Why a file proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofFileError {
    /// Not the lines such a file has.
    #[error("not a {TITLE} file")]
    Form,
    /// The checkpoint in it is no signed note.
    #[error("its checkpoint: {0}")]
    Note(#[from] NoteError),
    /// The checkpoint is not one of the log's.
    #[error("its checkpoint: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// The entry does not follow.
    #[error("its proof: {0}")]
    Proof(#[from] VerifyError),
}

impl ProofFile {
    /// Reads a file.
    pub fn parse(file: &[u8]) -> Result<Self, ProofFileError> {
        let text = std::str::from_utf8(file).map_err(|_| ProofFileError::Form)?;
        if text.len() > NOTE_BYTES_MAX + EXTRA_MAX + 8192 {
            return Err(ProofFileError::Form);
        }
        let (head, note) = text.split_once("\n\n").ok_or(ProofFileError::Form)?;
        let (extra, index, proof) = parse_head(head).ok_or(ProofFileError::Form)?;
        let note = Note::parse(note.as_bytes())?;
        Checkpoint::parse(note.text())?;
        Ok(ProofFile { extra, index, proof, note })
    }

    /// Checks that the entry with this leaf hash is in the log. How many witnesses are enough is for the caller to say.
    pub fn verify(&self, leaf: &Hash, trust: &Trust) -> Result<Opened, ProofFileError> {
        let opened = trust.open(&self.note)?;
        verify_inclusion(self.index, opened.checkpoint.size, leaf, &self.proof, &opened.checkpoint.root)?;
        Ok(opened)
    }
}

fn parse_head(head: &str) -> Option<(Option<Vec<u8>>, u64, Vec<Hash>)> {
    let mut lines = head.split('\n').peekable();
    if lines.next()? != TITLE {
        return None;
    }
    let extra = match lines.peek()?.strip_prefix("extra ") {
        Some(extra) => {
            lines.next();
            Some(text::from_base64(extra).filter(|_| extra.len() <= EXTRA_MAX)?)
        }
        None => None,
    };
    let index = text::decimal(lines.next()?.strip_prefix("index ")?)?;
    Some((extra, index, text::hashes(lines, PROOF_MAX)?))
}

impl fmt::Display for ProofFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{TITLE}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", text::base64(extra))?;
        }
        write!(f, "index {}\n{}\n{}", self.index, text::hash_lines(&self.proof), self.note)
    }
}
