//! Checkpoints: what a log says about its tree, as the text of a signed note (c2sp.org/tlog-checkpoint).

use std::fmt;

use crate::hash::Hash;
use crate::key::{Seconds, Signer, VerifierKey};
use crate::note::{Note, NoteError, Signed};
use crate::text;

/// The head of a log's tree at one size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log.
    pub origin: String,
    /// Number of leaves.
    pub size: u64,
    /// Root of the tree.
    pub root: Hash,
    /// Further lines, opaque, none of them empty.
    pub extensions: Vec<String>,
}

/// Why a checkpoint is none, or not one of the log one asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Not the three lines origin, size, root in base64, and perhaps further ones, none empty.
    #[error("a checkpoint is a line of origin, a line of size, a line of root, and further lines that are not empty")]
    Form,
    /// Of another log.
    #[error("the checkpoint is of {0:?}")]
    Origin(String),
    /// The log's own signature is missing.
    #[error("the log has not signed the checkpoint")]
    Unsigned,
    /// The note is malformed, or a signature in it is false.
    #[error(transparent)]
    Note(#[from] NoteError),
}

impl Checkpoint {
    /// Reads a note's text.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let mut lines = text.strip_suffix('\n').ok_or(CheckpointError::Form)?.split('\n');
        let origin = lines.next().filter(|origin| !origin.is_empty());
        let size = lines.next().and_then(text::decimal);
        let root = lines.next().and_then(text::hash);
        let (Some(origin), Some(size), Some(root)) = (origin, size, root) else { return Err(CheckpointError::Form) };
        let extensions: Vec<String> = lines.map(str::to_owned).collect();
        if extensions.iter().any(String::is_empty) {
            return Err(CheckpointError::Form);
        }
        Ok(Checkpoint { origin: origin.to_owned(), size, root, extensions })
    }

    /// Signs it. Refused if origin or a further line is empty or has a newline in it.
    pub fn sign(&self, signer: &Signer) -> Result<Note, CheckpointError> {
        let text = self.to_string();
        if Checkpoint::parse(&text)? != *self {
            return Err(CheckpointError::Form);
        }
        Ok(Note::sign(&text, signer)?)
    }
}

/// The note's text.
impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, text::base64(&self.root))?;
        self.extensions.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// Whom one believes about a log: its own key, and the witnesses one knows.
#[derive(Clone, Debug)]
pub struct Trust {
    /// The log's origin.
    pub origin: String,
    /// The log's key.
    pub log: VerifierKey,
    /// Keys of witnesses.
    pub witnesses: Vec<VerifierKey>,
}

/// A checkpoint whose signatures have been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// What the log says.
    pub checkpoint: Checkpoint,
    /// Which witnesses saw it and when: each Ed25519 key once, whatever names it goes by, and never the log's own.
    pub witnesses: Vec<(VerifierKey, Seconds)>,
}

impl Trust {
    /// Checks that the log itself signed this checkpoint and that it is of this log. How many witnesses are enough is for
    /// the caller to say.
    pub fn open(&self, note: &Note) -> Result<Opened, CheckpointError> {
        let checkpoint = Checkpoint::parse(note.text())?;
        if checkpoint.origin != self.origin {
            return Err(CheckpointError::Origin(checkpoint.origin));
        }
        let keys: Vec<VerifierKey> = std::iter::once(&self.log).chain(&self.witnesses).cloned().collect();
        let signed = note.verify(&keys)?;
        if !signed.iter().any(|signed| signed.key == self.log) {
            return Err(CheckpointError::Unsigned);
        }
        Ok(Opened { checkpoint, witnesses: self.witnesses_among(signed) })
    }

    fn witnesses_among(&self, signed: Vec<Signed>) -> Vec<(VerifierKey, Seconds)> {
        let mut seen: Vec<(VerifierKey, Seconds)> = Vec::new();
        for Signed { key, time } in signed {
            let counted = key.public() == self.log.public() || seen.iter().any(|(other, _)| other.public() == key.public());
            if let Some(time) = time.filter(|_| !counted) {
                seen.push((key, time));
            }
        }
        seen
    }
}
