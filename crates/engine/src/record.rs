//! Journal records: what happened, when, who asked. The only truth; state and replies are made from them.
//!
//! Records are encoded by postcard (its wire format is stable and specified). Nothing here is ever reordered or changed:
//! a new meaning is a new variant at the end, and `tests/journal/` keeps a journal of every version we wrote.

use lab3_ledger::Event;
use lab3_trust::{Approval, Intent, Principal};
use lab3_units::{Amount, Id, Problem, Time};
use serde::{Deserialize, Serialize};

use crate::command::{Key, Will};

/// Who asked for what a record tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Actor {
    /// The engine itself: expiry, genesis.
    Engine,
    /// Somebody on an open Hive.
    Open,
    /// The operator, at the start or by the token there was before keys.
    Operator,
    /// The holder of the API key of this number.
    Key(u32),
    /// The citizen it is about, who signed.
    Signed,
}

impl Actor {
    /// How records name a principal; nothing for nobody.
    pub fn of(principal: &Principal) -> Option<Self> {
        match principal {
            Principal::Nobody => None,
            Principal::Local => Some(Self::Open),
            Principal::Desk => Some(Self::Operator),
            Principal::Key(bearer) => Some(Self::Key(bearer.number)),
            Principal::Signed { .. } => Some(Self::Signed),
        }
    }
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
    /// Who may do what changed.
    Trust(Box<lab3_trust::Fact>),
    /// Module 2.
    Energy(lab3_energy::Fact),
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
    pub entries: Vec<Event>,
    /// What was signed for it. Stands behind the rest in the leaf, when there is anything.
    #[serde(skip)]
    pub signed: Option<Box<Signed>>,
}

/// What was signed for what a record tells. The text is rebuilt from the record: `lab3_trust::Statement`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Signed {
    /// By the citizen who pays.
    Intent(Intent),
    /// By treasurers.
    Approval(Approval),
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

/// What these set aside of citizens' allowances, in KS: of what a fact of module 2 sets aside, nothing.
pub(crate) fn held(fact: &Fact, entries: &[Event]) -> Amount {
    if matches!(fact, Fact::Energy(_)) {
        return Amount::ZERO;
    }
    let amounts = entries.iter().filter_map(|event| match event {
        Event::HoldPlaced { amount, .. } | Event::HoldExtended { by: amount, .. } => Some(*amount),
        _ => None,
    });
    amounts.fold(Amount::ZERO, |sum, amount| sum.checked_add(amount).unwrap_or(Amount::MAX))
}

/// A record's parts, before it is taken.
pub(crate) struct Draft<'a> {
    pub actor: Actor,
    pub id: Id,
    pub key: Option<Key>,
    pub aliases: Vec<Id>,
    pub fact: Fact,
    pub entries: Vec<Event>,
    pub will: Option<&'a Will>,
}

impl Draft<'_> {
    /// Nothing but these.
    pub fn new(actor: Actor, id: Id, fact: Fact) -> Self {
        Self { actor, id, key: None, aliases: Vec::new(), fact, entries: Vec::new(), will: None }
    }

    /// The record, taken at that moment.
    pub fn taken(self, at: Time) -> Record {
        let Self { actor, id, key, aliases, fact, entries, will } = self;
        let fingerprint = key.map_or(0, |key| key.fingerprint);
        Record { at, actor, id, aliases, fingerprint, fact, entries, signed: will.map(|will| Box::new(will.signed())) }
    }
}
