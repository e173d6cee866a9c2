//! What views need of records, laid out to be read front to back: the follower works on another core, and chasing pointers
//! into the writer's records would cost it more than the work itself.

use lab3_ledger::{AccountNo, Event};
use lab3_units::Id;

use crate::record::Stored;

/// An id and the record it names.
#[derive(Clone, Copy, Debug)]
pub struct Named {
    /// The id.
    pub id: Id,
    /// The record.
    pub sequence: u64,
    /// Whether a later command may come with this id again.
    pub is_key: bool,
}

/// What one record did to one account.
#[derive(Clone, Copy, Debug)]
pub struct Change {
    /// The record.
    pub sequence: u64,
    /// Change of the balance.
    pub balance: i64,
    /// Change of what is held.
    pub held: i64,
    /// The account.
    pub account: AccountNo,
}

/// What views need of a run of records.
#[derive(Debug, Default)]
pub struct Digest {
    /// First record, 0 when there is none.
    pub first: u64,
    /// Last record, 0 when there is none.
    pub last: u64,
    /// The records' ids.
    pub names: Vec<Named>,
    /// What they did to accounts.
    pub changes: Vec<Change>,
    /// Records that placed holds which these ended, with the record that did.
    pub endings: Vec<(u64, u64)>,
}

impl Digest {
    /// Adds the next record.
    pub fn add(&mut self, stored: &Stored) {
        let Stored { sequence, ref record } = *stored;
        if self.first == 0 {
            self.first = sequence;
        }
        self.last = sequence;
        self.names.push(Named { id: record.id, sequence, is_key: record.fingerprint != 0 });
        self.names.extend(record.aliases.iter().map(|&id| Named { id, sequence, is_key: true }));
        for event in &record.entries {
            if let Event::HoldSettled { end, .. } | Event::HoldReleased(end) | Event::HoldExpired(end) = event {
                self.endings.push((end.placed, sequence));
            }
            let change = |posting: lab3_ledger::Posting| {
                let lab3_ledger::Posting { account, balance, held } = posting;
                Change { sequence, balance, held, account }
            };
            self.changes.extend(event.postings().into_iter().flatten().map(change));
        }
    }

    /// Whether it has no record.
    pub fn is_empty(&self) -> bool {
        self.last == 0
    }
}
