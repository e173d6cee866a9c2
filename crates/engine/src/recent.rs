//! Keys of records that the views have not written to the shelf: the writer must find them at once, for the shelf does not.

use std::collections::{HashMap, VecDeque};

use lab3_units::Id;

use crate::views::SEGMENT_RECORDS;

/// Keys remembered at most. The follower falling this far behind stops keyed commands until it has caught up.
const KEYS_MAX: usize = 1 << 23;

type Generation = HashMap<Id, u64, foldhash::fast::RandomState>;

/// Recent keys, in generations that are forgotten whole.
#[derive(Debug, Default)]
pub struct RecentKeys {
    /// Earlier generations with the last record of each.
    older: VecDeque<(u64, Generation)>,
    newest: Generation,
    /// First record the newest generation may hold.
    newest_from: u64,
    len: usize,
}

impl RecentKeys {
    /// Keys found while loading, of records up to `last`.
    pub fn new(keys: HashMap<Id, u64>, last: u64) -> Self {
        let len = keys.len();
        let older = if keys.is_empty() { VecDeque::new() } else { VecDeque::from([(last, keys.into_iter().collect())]) };
        Self { older, newest: Generation::default(), newest_from: last + 1, len }
    }

    /// The record the key names.
    pub fn find(&self, key: Id) -> Option<u64> {
        let older = || self.older.iter().rev().find_map(|(_, keys)| keys.get(&key));
        self.newest.get(&key).or_else(older).copied()
    }

    /// Remembers the key of record `sequence`.
    pub fn insert(&mut self, key: Id, sequence: u64) {
        if sequence - self.newest_from >= SEGMENT_RECORDS {
            // As large as the one before, so that it does not grow step by step under the same load.
            let next = Generation::with_capacity_and_hasher(self.newest.len(), foldhash::fast::RandomState::default());
            self.older.push_back((sequence - 1, std::mem::replace(&mut self.newest, next)));
            self.newest_from = sequence;
        }
        self.newest.insert(key, sequence);
        self.len += 1;
    }

    /// Forgets what the shelf now has: everything up to record `indexed`.
    pub fn forget(&mut self, indexed: u64) {
        while self.older.front().is_some_and(|&(last, _)| last <= indexed) {
            self.len -= self.older.pop_front().map_or(0, |(_, keys)| keys.len());
        }
    }

    /// Whether no more can be remembered.
    pub fn is_full(&self) -> bool {
        self.len >= KEYS_MAX
    }
}
