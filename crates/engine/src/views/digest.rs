//! What views need of records, laid out to be read front to back: the follower works on another core, and chasing pointers
//! into the writer's records would cost it more than the work itself.

use lab3_ledger::{AccountNo, Event};

use super::keys::KeyEntry;
use crate::codec::Leaf;
use crate::record::Stored;

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
    pub ids: Vec<KeyEntry>,
    /// What they did to accounts.
    pub changes: Vec<Change>,
    /// Records that placed holds which these ended, with the record that did.
    pub endings: Vec<(u64, u64)>,
    /// The records' leaf hashes, once they are encoded: the committer has them, or the journal.
    pub leaves: Vec<Leaf>,
}

impl Digest {
    /// An empty digest with room for as much as this one holds: the next batch is likely alike.
    pub fn next(&self) -> Self {
        let (ids, changes) = (Vec::with_capacity(self.ids.len()), Vec::with_capacity(self.changes.len()));
        let leaves = Vec::with_capacity(self.leaves.len());
        Self { first: 0, last: 0, ids, changes, endings: Vec::with_capacity(self.endings.len()), leaves }
    }

    /// Adds the next record.
    pub fn add(&mut self, stored: &Stored) {
        let Stored { sequence, ref record } = *stored;
        if self.first == 0 {
            self.first = sequence;
        }
        self.last = sequence;
        self.ids.push(KeyEntry::new(record.id, sequence, record.fingerprint != 0));
        self.ids.extend(record.aliases.iter().map(|&id| KeyEntry::new(id, sequence, true)));
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
