//! Journal records: what happened, when, who asked. The only truth; state and replies are made from them.
//!
//! Records are encoded by postcard (its wire format is stable and specified). Nothing here is ever reordered or changed:
//! a new meaning is a new variant at the end, and `tests/journal/` keeps a journal of every version we wrote.

use lab3_units::{Id, Problem, Time};
use serde::{Deserialize, Serialize};

/// Who asked for what a record tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Actor {
    /// The engine itself: expiry, genesis.
    Engine,
    /// Somebody on an open Hive.
    Open,
    /// The operator, by the operator's token.
    Operator,
}

/// What a record is about, in its module's words. A reply is made from this, the entries and the ids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fact {
    /// Module 1.
    Compute(lab3_compute::Fact),
    /// Module 4.
    Finance(lab3_finance::Fact),
    /// A rule refused a command that came with a key, which is now used.
    Refused(Box<Problem>),
    /// A batch came with a key, which is now used; its items' records follow.
    Batch {
        /// How many items it has.
        items: u32,
    },
}

/// One journal record. Its sequence number is its place in the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// When the writer took the command.
    pub at: Time,
    /// Who asked.
    pub actor: Actor,
    /// The record's id.
    pub id: Id,
    /// Other ids it can be found by: items of a linked batch, the allocation a report is about.
    pub aliases: Vec<Id>,
    /// Hash of the request when it came with a key, else 0.
    pub fingerprint: u64,
    /// What it is about.
    pub fact: Fact,
    /// What it did to the books.
    pub entries: Vec<lab3_ledger::Event>,
}

/// A record with its place in the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its sequence number: dense, from 1.
    pub sequence: u64,
    /// The record.
    pub record: Record,
}

impl Record {
    /// Every id the record can be found by.
    pub fn ids(&self) -> impl Iterator<Item = Id> {
        std::iter::once(self.id).chain(self.aliases.iter().copied())
    }

    /// The ids a later command may come with again: a client's key, and the aliases. An id the server made for a record
    /// without a key is not one.
    pub fn keys(&self) -> impl Iterator<Item = Id> {
        let own = (self.fingerprint != 0).then_some(self.id);
        own.into_iter().chain(self.aliases.iter().copied())
    }
}
