//! Evidence that a log told two stories: two checkpoints its key signed, of which no tree can be the beginning of the other.
//!
//! Of two checkpoints of one size, two roots are enough. For an older and a newer one, that *somebody's* consistency proof
//! fails shows nothing, as anybody can write a proof that fails. But hashes that lead to the newer root fix the older tree's
//! root too: if that is another than the one signed, no honest proof can exist. Such hashes are a [`bridge`](crate::bridge),
//! and whoever has the newer tree (its tiles) can make one.

use std::fmt;

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::hash::Hash;
use crate::key::{KeyError, VerifierKey};
use crate::note::{NOTE_BYTES_MAX, Note, NoteError};
use crate::text;
use crate::verify::{VerifyError, implied_old_root};

const TITLE: &str = "lab3/tlog-fork@v1";
/// A bridge between trees of less than `2^64` leaves has no more hashes.
const BRIDGE_MAX: usize = 65;

/// Two checkpoints that contradict each other. Only [`Fork::find`] and [`Fork::parse`] make one, so it always does.
/// [`fmt::Display`] writes it as a text anybody can check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fork {
    key: VerifierKey,
    bridge: Vec<Hash>,
    older: Note,
    newer: Note,
}

/// Why two checkpoints are no evidence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoFork {
    /// Not the lines such a text has.
    #[error("not a {TITLE} text")]
    Form,
    /// The key in the text is none.
    #[error("its key: {0}")]
    Key(#[from] KeyError),
    /// The key has not signed both.
    #[error("the key has not signed both checkpoints: {0}")]
    Unsigned(#[from] NoteError),
    /// One is no checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// They are of different logs, which one key may serve.
    #[error("the checkpoints are of different logs")]
    Origins,
    /// The hashes do not lead to the newer root, and show nothing.
    #[error("the hashes between the checkpoints show nothing: {0}")]
    Bridge(#[from] VerifyError),
    /// One is the beginning of the other.
    #[error("the checkpoints are consistent")]
    Consistent,
}

impl Fork {
    /// Judges two checkpoints, in any order, that `key` should have signed. `bridge` is what [`bridge`](crate::bridge) gives
    /// for the tree of the larger one; empty for two of the same size.
    pub fn find(key: &VerifierKey, one: &Note, other: &Note, bridge: &[Hash]) -> Result<Self, NoFork> {
        let (first, second) = (signed_by(key, one)?, signed_by(key, other)?);
        if first.origin != second.origin {
            return Err(NoFork::Origins);
        }
        let in_order = first.size <= second.size;
        let (older, newer) = if in_order { (one, other) } else { (other, one) };
        let (old, new) = if in_order { (first, second) } else { (second, first) };
        if implied_old_root(old.size, new.size, &new.root, bridge)? == old.root {
            return Err(NoFork::Consistent);
        }
        Ok(Fork { key: key.clone(), bridge: bridge.to_vec(), older: older.clone(), newer: newer.clone() })
    }

    /// Reads and checks the text. It shows that [`Fork::key`] signed two stories; whose key that is, the reader must know.
    pub fn parse(text: &[u8]) -> Result<Self, NoFork> {
        let text = std::str::from_utf8(text).ok().filter(|text| text.len() <= 2 * NOTE_BYTES_MAX + 8192).ok_or(NoFork::Form)?;
        // Neither a checkpoint's text nor its signatures have an empty line within.
        let parts: Vec<&str> = text.split("\n\n").collect();
        let [head, old_text, old_signatures, new_text, new_signatures] = parts.as_slice() else { return Err(NoFork::Form) };
        let mut lines = head.split('\n');
        if lines.next() != Some(TITLE) {
            return Err(NoFork::Form);
        }
        let key = lines.next().and_then(|line| line.strip_prefix("key ")).ok_or(NoFork::Form)?;
        let key = VerifierKey::parse(key)?;
        let bridge = text::hashes(lines, BRIDGE_MAX).ok_or(NoFork::Form)?;
        let older = Note::parse(format!("{old_text}\n\n{old_signatures}\n").as_bytes())?;
        let newer = Note::parse(format!("{new_text}\n\n{new_signatures}").as_bytes())?;
        Fork::find(&key, &older, &newer, &bridge)
    }

    /// The key that signed both.
    pub fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// The two checkpoints, the smaller first.
    pub fn notes(&self) -> [&Note; 2] {
        [&self.older, &self.newer]
    }
}

fn signed_by(key: &VerifierKey, note: &Note) -> Result<Checkpoint, NoFork> {
    note.verify(std::slice::from_ref(key))?;
    Ok(Checkpoint::parse(note.text())?)
}

impl fmt::Display for Fork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{TITLE}\nkey {}\n{}\n{}\n{}", self.key, text::hash_lines(&self.bridge), self.older, self.newer)
    }
}
