//! Receipts: what a log promises of records it has taken and not yet put into a checkpoint, as a signed note.
//!
//! It names a run of records and the SHA-256 of their leaf hashes, one after another: whoever has the leaf hashes, and they are
//! public, can tell whether the promise was kept. The first line is no origin a log has, so that no receipt is ever a checkpoint.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::hash::Hash;
use crate::key::{Seconds, Signer, VerifierKey};
use crate::note::{Note, NoteError};
use crate::text;

/// The first line.
const TITLE: &str = "lab3 receipt 1";

/// A promise: these records, in this order, stand in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Which log.
    pub origin: String,
    /// Number of the first record, from 1: leaf `first - 1`.
    pub first: u64,
    /// How many records.
    pub count: u64,
    /// SHA-256 of their leaf hashes, one after another.
    pub leaves: Hash,
    /// When it was promised.
    pub time: Seconds,
}

/// Why a receipt is none, or was not kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// Not the lines a receipt has.
    #[error("not a {TITLE:?}: a line of origin, then first, count, leaves and time")]
    Form,
    /// Of another log.
    #[error("the receipt is of the log {0:?}")]
    Origin(String),
    /// The note is malformed, or the log did not sign it.
    #[error(transparent)]
    Note(#[from] NoteError),
}

impl Receipt {
    /// The promise of records with these leaf hashes.
    pub fn of(origin: &str, first: u64, leaves: &[Hash], time: Seconds) -> Self {
        Receipt { origin: origin.to_owned(), first, count: leaves.len() as u64, leaves: digest(leaves), time }
    }

    /// Signs it.
    pub fn sign(&self, signer: &Signer) -> Result<Note, NoteError> {
        Note::sign(&self.to_string(), signer)
    }

    /// Reads a receipt that the log of this key signed.
    pub fn open(note: &[u8], log: &VerifierKey) -> Result<Self, ReceiptError> {
        let note = Note::parse(note)?;
        let receipt = Receipt::parse(note.text()).ok_or(ReceiptError::Form)?;
        if receipt.origin != log.name() {
            return Err(ReceiptError::Origin(receipt.origin));
        }
        note.verify(std::slice::from_ref(log))?;
        Ok(receipt)
    }

    /// The signed note as a header carries it: in base 64.
    pub fn to_header(note: &Note) -> String {
        text::base64(note.to_string().as_bytes())
    }

    /// The signed note's text, from a header; whether it is one is for [`Receipt::open`] to say.
    pub fn from_header(header: &str) -> Option<String> {
        String::from_utf8(text::from_base64(header)?).ok()
    }

    /// Number of the last record.
    pub fn last(&self) -> u64 {
        self.first + (self.count - 1)
    }

    /// Whether these are the leaf hashes that were promised.
    pub fn is_kept_by(&self, leaves: &[Hash]) -> bool {
        leaves.len() as u64 == self.count && digest(leaves) == self.leaves
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let title = lines.next()?;
        let origin = lines.next()?.to_owned();
        let mut value = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ');
        let first = text::decimal(value("first")?)?;
        let count = text::decimal(value("count")?)?;
        let leaves = text::hash(value("leaves")?)?;
        let time = Seconds::new(text::decimal(value("time")?)?)?;
        let within = first > 0 && count > 0 && first.checked_add(count).is_some();
        (title == TITLE && within && lines.next().is_none()).then_some(Receipt { origin, first, count, leaves, time })
    }
}

fn digest(leaves: &[Hash]) -> Hash {
    leaves.iter().fold(Sha256::new(), Sha256::chain_update).finalize().into()
}

/// The note's text.
impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Receipt { origin, first, count, leaves, time } = self;
        writeln!(f, "{TITLE}\n{origin}\nfirst {first}\ncount {count}\nleaves {}\ntime {}", text::base64(leaves), time.get())
    }
}
