//! What a log asks of a witness, and what a witness answers (c2sp.org/tlog-witness). No clock and no memory: those are the
//! caller's.

use std::fmt;

use crate::checkpoint::Checkpoint;
use crate::fork::Fork;
use crate::hash::{Hash, empty_root};
use crate::key::VerifierKey;
use crate::note::{NOTE_BYTES_MAX, Note};
use crate::text;
use crate::verify::verify_consistency;

/// Hashes a consistency proof may have.
const PROOF_MAX: usize = 63;
/// Bytes a request may have: a note, and lines before it.
pub const ADD_CHECKPOINT_BYTES_MAX: usize = NOTE_BYTES_MAX + 4096;

/// The body of `POST add-checkpoint`. [`fmt::Display`] writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// The size the witness saw last, as the log believes.
    pub old: u64,
    /// The consistency proof from there.
    pub proof: Vec<Hash>,
    /// The signed checkpoint.
    pub note: Note,
}

/// The largest tree of a log a witness has cosigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeHead {
    /// Number of leaves.
    pub size: u64,
    /// Root of the tree.
    pub root: Hash,
}

/// What a witness knows about one log.
#[derive(Clone, Debug)]
pub struct WitnessedLog {
    /// The keys it takes the log's signature from.
    pub keys: Vec<VerifierKey>,
    /// What it cosigned last; `None` if nothing yet.
    pub last: Option<TreeHead>,
}

/// Why a witness does not cosign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The body is malformed, or its old size greater than the checkpoint's.
    #[error("the request is malformed, or its old size is greater than the checkpoint's")]
    BadRequest,
    /// No trusted key signed, or a signature in its name is false.
    #[error("no key this witness trusts has signed the checkpoint")]
    BadSignature,
    /// The witness does not know this log.
    #[error("this witness does not know this log")]
    UnknownOrigin,
    /// The witness cosigned a tree of another size last, or of the same size with another root.
    #[error("this witness has cosigned a tree of {size} leaves last, or another root of this size")]
    Conflict {
        /// The size it cosigned last; 0 if nothing yet.
        size: u64,
    },
    /// The proof does not lead from what was cosigned to the checkpoint.
    #[error("the checkpoint does not follow from the one cosigned last")]
    BadProof,
}

impl Refusal {
    /// The HTTP status the specification gives it.
    pub fn status(self) -> u16 {
        match self {
            Refusal::BadRequest => 400,
            Refusal::BadSignature => 403,
            Refusal::UnknownOrigin => 404,
            Refusal::Conflict { .. } => 409,
            Refusal::BadProof => 422,
        }
    }

    /// The body: for a conflict the size, as `text/x.tlog.size`; otherwise why.
    pub fn body(self) -> String {
        match self {
            Refusal::Conflict { size } => format!("{size}\n"),
            other => format!("{other}\n"),
        }
    }
}

impl AddCheckpoint {
    /// Reads the body; anything malformed is a [`Refusal::BadRequest`].
    pub fn parse(body: &[u8]) -> Result<Self, Refusal> {
        AddCheckpoint::read(body).ok_or(Refusal::BadRequest)
    }

    fn read(body: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(body).ok().filter(|text| text.len() <= ADD_CHECKPOINT_BYTES_MAX)?;
        let (head, note) = text.split_once("\n\n")?;
        let mut lines = head.split('\n');
        let old = text::decimal(lines.next()?.strip_prefix("old ")?)?;
        let proof = text::hashes(lines, PROOF_MAX)?;
        let note = Note::parse(note.as_bytes()).ok()?;
        Checkpoint::parse(note.text()).ok()?;
        Some(AddCheckpoint { old, proof, note })
    }

    /// The checkpoint it is about, which nobody has checked yet: its origin is what to look the log up by.
    pub fn checkpoint(&self) -> Result<Checkpoint, Refusal> {
        Checkpoint::parse(self.note.text()).map_err(|_| Refusal::BadRequest)
    }

    /// Judges the request by what the witness knows about the log of the checkpoint's origin, `None` if it does not know it.
    ///
    /// What it gives is to be cosigned, but only after it is durable as the log's [`WitnessedLog::last`], and only if that
    /// has not changed in between.
    pub fn judge(&self, log: Option<&WitnessedLog>) -> Result<Checkpoint, Refusal> {
        let checkpoint = self.checkpoint()?;
        let log = log.ok_or(Refusal::UnknownOrigin)?;
        self.note.verify(&log.keys).map_err(|_| Refusal::BadSignature)?;
        if self.old > checkpoint.size {
            return Err(Refusal::BadRequest);
        }
        let last = log.last.unwrap_or_else(|| TreeHead { size: 0, root: empty_root() });
        let forked = checkpoint.size == last.size && checkpoint.root != last.root;
        // Another root of no leaves is not another past, it is no root at all.
        if self.old != last.size || (forked && last.size > 0) {
            return Err(Refusal::Conflict { size: last.size });
        }
        verify_consistency(last.size, checkpoint.size, &last.root, &checkpoint.root, &self.proof).map_err(|_| Refusal::BadProof)?;
        Ok(checkpoint)
    }

    /// The evidence that lies in a request that was refused: that one of these keys signed both this checkpoint and `last`, and they
    /// contradict. A refusal alone shows nothing, for anybody can write a proof that fails; and an honest proof for another past shows it only
    /// where it leads from the last tree's own last subtree, which it leaves out when that is the whole tree (a power of two).
    pub fn fork(&self, keys: &[VerifierKey], last: &Note) -> Option<Fork> {
        let find = |key: &VerifierKey, bridge: &[Hash]| Fork::find(key, last, &self.note, bridge).ok();
        // Two roots of one size need no proof, whatever was sent as one.
        keys.iter().find_map(|key| find(key, &[]).or_else(|| find(key, &self.proof)))
    }
}

impl fmt::Display for AddCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "old {}\n{}\n{}", self.old, text::hash_lines(&self.proof), self.note)
    }
}

/// The body of a witness's 409: the size it cosigned last.
pub fn parse_conflict(body: &str) -> Option<u64> {
    text::decimal(body.strip_suffix('\n')?)
}
