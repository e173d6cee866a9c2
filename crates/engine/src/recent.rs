//! Keys of records that the views have not written to the shelf: the writer must find them at once, for the shelf does not.

use std::collections::VecDeque;

use hashbrown::HashTable;

use crate::views::SEGMENT_RECORDS;

/// Keys remembered at most. The follower falling this far behind stops keyed commands until it has caught up.
const KEYS_MAX: usize = 1 << 23;

/// A key's hash and the record it names.
type Generation = HashTable<(u64, u64)>;

/// Recent keys by their hash, in generations that are forgotten whole.
#[derive(Debug, Default)]
pub struct RecentKeys {
    /// Earlier generations with the last record of each.
    older: VecDeque<(u64, Generation)>,
    newest: Generation,
    /// This round's, apart: few enough to stay in the processor's caches.
    round: Generation,
    /// The record before the first that the newest generation may hold.
    newest_after: u64,
    len: usize,
}

impl RecentKeys {
    /// Nothing yet, and nothing to remember up to record `indexed`.
    pub fn new(indexed: u64) -> Self {
        Self { newest_after: indexed, ..Self::default() }
    }

    /// The record that a key of this hash names.
    pub fn find(&self, hash: u64) -> Option<u64> {
        self.find_in_round(hash).or_else(|| self.find_earlier(hash))
    }

    /// As [`RecentKeys::find`], among the records of this round.
    pub fn find_in_round(&self, hash: u64) -> Option<u64> {
        find(&self.round, hash)
    }

    /// As [`RecentKeys::find`], among the records before this round.
    pub fn find_earlier(&self, hash: u64) -> Option<u64> {
        find(&self.newest, hash).or_else(|| self.older.iter().rev().find_map(|(_, keys)| find(keys, hash)))
    }

    /// Remembers the key of record `sequence`.
    pub fn insert(&mut self, hash: u64, sequence: u64) {
        insert(&mut self.round, hash, sequence);
        self.len += 1;
    }

    /// Begins a round after record `last`, with a new generation if the newest is full, and forgets what the shelf now has:
    /// everything up to record `indexed`.
    pub fn turn(&mut self, last: u64, indexed: u64) {
        for (hash, sequence) in self.round.drain() {
            insert(&mut self.newest, hash, sequence);
        }
        if last.saturating_sub(self.newest_after) >= SEGMENT_RECORDS {
            // As large as the one before, so that it does not grow step by step under the same load.
            let next = Generation::with_capacity(self.newest.len());
            self.older.push_back((last, std::mem::replace(&mut self.newest, next)));
            self.newest_after = last;
        }
        while self.older.front().is_some_and(|&(last, _)| last <= indexed) {
            self.len -= self.older.pop_front().map_or(0, |(_, keys)| keys.len());
        }
    }

    /// Whether no more can be remembered.
    pub fn is_full(&self) -> bool {
        self.len >= KEYS_MAX
    }
}

fn insert(keys: &mut Generation, hash: u64, sequence: u64) {
    keys.insert_unique(hash, (hash, sequence), |&(hash, _)| hash);
}

fn find(keys: &Generation, hash: u64) -> Option<u64> {
    keys.find(hash, |&(other, _)| other == hash).map(|&(_, sequence)| sequence)
}
