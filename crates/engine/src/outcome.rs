//! What the writer answers, and to whom.

use std::sync::Arc;

use lab3_units::{Id, Problem, Time};
use tokio::sync::oneshot;

use crate::command::Submission;
use crate::commit::Commit;
use crate::decide::Desk;
use crate::record::Stored;
use crate::state::Frozen;
use crate::storage::StoreError;

/// What became of a submission, as far as the writer can tell.
#[derive(Debug)]
pub enum Outcome {
    /// It is done, and stands in the journal, with what was made durable along with it.
    Done(Box<Stored>, Arc<Commit>),
    /// A rule refused it.
    Refused(Problem),
    /// It was done or refused before: record `sequence` may be it. With a fingerprint, only if that is the same.
    Earlier {
        /// Records that may hold the id, the likeliest first.
        sequences: Vec<u64>,
        /// The id.
        id: Id,
        /// The fingerprint the record must have.
        fingerprint: Option<u64>,
    },
    /// It names an allocation that is not open. Whoever reads the journal can tell whether it ever was.
    NotOpen(Id),
}

/// A batch on its way to the writer: several submissions under one key.
#[derive(Debug)]
pub struct Batch {
    /// The batch's own key and who sent it, for a batch that came with one.
    pub key: Option<(crate::Actor, crate::Key)>,
    /// The items, each a record of its own.
    pub items: Vec<Submission>,
}

/// What becomes of a batch.
#[derive(Debug)]
pub enum BatchOutcome {
    /// Each item's outcome, in order.
    Items(Vec<Outcome>),
    /// The batch's key was used before: these records may tell whether for this batch. The items come back undecided.
    Earlier(Vec<u64>, Vec<Submission>),
}

/// Something to send when everything decided before it is durable. Dropped instead, it tells the receiver that the outcome is
/// unknown.
pub type Release = Box<dyn FnOnce() + Send>;

/// A question: looks at the state now, answers when what it saw is durable.
pub type Question = Box<dyn FnOnce(&Desk<'_>) -> Release + Send>;

/// When a submission is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// When it is durable.
    Durable,
    /// When it is decided; a crash may yet undo it.
    Decided,
}

/// What the writer is sent.
pub enum Message {
    /// Decide this.
    Submit(Submission, When, oneshot::Sender<Outcome>),
    /// Decide these.
    SubmitBatch(Batch, oneshot::Sender<BatchOutcome>),
    /// Look at the state.
    Ask(Question),
    /// Give the state as it is now, once that is durable.
    Freeze(oneshot::Sender<Frozen>),
    /// Erase what people wrote in this record, whatever the journal has of it; says how many pieces there were.
    Erase(u64, oneshot::Sender<Result<usize, StoreError>>),
    /// Look whether time has passed; sent by tests that turn the clock.
    Tick,
    /// Finish what was accepted, then end.
    Stop,
}

impl Message {
    /// How much of the queue's room it takes.
    pub fn weight(&self) -> usize {
        match self {
            Message::SubmitBatch(batch, _) => batch.items.len().max(1),
            _ => 1,
        }
    }
}

/// The id of a record the engine makes of its own accord: unique because its number is.
pub fn engine_id(sequence: u64, at: Time) -> Id {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&at.millis().to_be_bytes());
    bytes[8..].copy_from_slice(&sequence.to_be_bytes());
    Id::from_bytes(bytes)
}
