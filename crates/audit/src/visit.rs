//! What an auditor keeps between two visits: the checkpoint seen last, as the log signed it. A small text in a file.

use std::fmt;

use lab3_tlog::{Checkpoint, CheckpointError, KeyError, Note, NoteError, VerifierKey};

const TITLE: &str = "lab3/audit-visit@v1";

/// The last visit to a log: what it signed then. [`fmt::Display`] writes it, [`Visit::parse`] reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    key: VerifierKey,
    note: Note,
    checkpoint: Checkpoint,
}

/// Why a text is no visit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VisitError {
    /// Not the lines it has, or they do not say what the note says.
    #[error("not a {TITLE} text: a title, key, size, root, an empty line, the signed checkpoint")]
    Form,
    /// The key is none.
    #[error("its key: {0}")]
    Key(#[from] KeyError),
    /// The key has not signed the checkpoint.
    #[error("its key has not signed it: {0}")]
    Note(#[from] NoteError),
    /// The checkpoint is none.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

impl Visit {
    /// The visit at which a log showed this note, signed by its key.
    pub fn new(key: VerifierKey, note: Note) -> Result<Self, VisitError> {
        note.verify(std::slice::from_ref(&key))?;
        let checkpoint = Checkpoint::parse(note.text())?;
        Ok(Self { key, note, checkpoint })
    }

    /// Reads the text.
    pub fn parse(text: &str) -> Result<Self, VisitError> {
        let (head, note) = text.split_once("\n\n").ok_or(VisitError::Form)?;
        let key = head.lines().nth(1).and_then(|line| line.strip_prefix("key ")).ok_or(VisitError::Form)?;
        let visit = Self::new(VerifierKey::parse(key)?, Note::parse(note.as_bytes())?)?;
        if visit.head() == head { Ok(visit) } else { Err(VisitError::Form) }
    }

    /// The log's key.
    pub fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// What the log signed.
    pub fn note(&self) -> &Note {
        &self.note
    }

    /// What that says.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    fn head(&self) -> String {
        let root = self.note.text().lines().nth(2).unwrap_or_default();
        format!("{TITLE}\nkey {}\nsize {}\nroot {root}", self.key, self.checkpoint.size)
    }
}

impl fmt::Display for Visit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n\n{}", self.head(), self.note)
    }
}
