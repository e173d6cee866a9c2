//! Pieces of an account's history, chained from the newest to the oldest.

use lab3_ledger::AccountNo;
use serde::{Deserialize, Serialize};

/// Entries in a chunk: a statement reads one or two.
pub const CHUNK_ENTRIES_MAX: usize = 256;

/// What one record did to one account, and what the account had after it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// The record.
    pub sequence: u64,
    /// The balance after it, in the asset's smallest unit.
    pub balance: i64,
    /// What was held after it.
    pub held: i64,
}

/// Where an account's history ends on the shelf.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Number of the newest chunk, 0 for none.
    pub chunk: u64,
    /// The balance after its last entry.
    pub balance: i64,
    /// What was held after its last entry.
    pub held: i64,
}

/// A piece of an account's history. Encoded by postcard, whose variable-length integers make an entry some six bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    /// The account.
    pub account: AccountNo,
    /// Number of the chunk before, 0 for none.
    pub before: u64,
    /// Record of the first entry.
    pub first: u64,
    /// What the account had before the first entry.
    pub balance_before: i64,
    /// What was held before the first entry.
    pub held_before: i64,
    /// Steps to the next: records on from the entry before, change of the balance, change of what is held.
    steps: Vec<(u64, i64, i64)>,
}

impl Chunk {
    /// The chunk of these entries (at least one) after `head`.
    pub fn new(account: AccountNo, head: Head, entries: &[Entry]) -> Self {
        let first = entries.first().map_or(0, |entry| entry.sequence);
        let mut last = Entry { sequence: first, balance: head.balance, held: head.held };
        let mut steps = Vec::with_capacity(entries.len());
        for entry in entries {
            let balance = entry.balance.wrapping_sub(last.balance);
            steps.push((entry.sequence - last.sequence, balance, entry.held.wrapping_sub(last.held)));
            last = *entry;
        }
        Self { account, before: head.chunk, first, balance_before: head.balance, held_before: head.held, steps }
    }

    /// The entries, oldest first.
    pub fn entries(&self) -> impl Iterator<Item = Entry> {
        let mut last = Entry { sequence: self.first, balance: self.balance_before, held: self.held_before };
        self.steps.iter().map(move |&(records, balance, held)| {
            last.sequence += records;
            last.balance = last.balance.wrapping_add(balance);
            last.held = last.held.wrapping_add(held);
            last
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_come_back_as_they_went_in() {
        let entries = [
            Entry { sequence: 7, balance: -5, held: 0 },
            Entry { sequence: 8, balance: 10, held: 3 },
            Entry { sequence: 900, balance: i64::MAX, held: 0 },
        ];
        let head = Head { chunk: 4, balance: 100, held: 1 };
        let chunk = Chunk::new(AccountNo(3), head, &entries);
        assert_eq!((chunk.before, chunk.balance_before, chunk.held_before), (4, 100, 1));
        assert_eq!(chunk.entries().collect::<Vec<_>>(), entries);
    }
}
