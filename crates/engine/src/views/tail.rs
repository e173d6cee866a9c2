//! The views as readers see them: the tail in memory, then the shelf.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use lab3_ledger::AccountNo;
use lab3_units::Id;
use serde::{Deserialize, Serialize};

use super::chunk::{CHUNK_BYTES_MAX, CHUNK_ENTRIES_MAX, Entry, Head, Standing, Walk};
use super::digest::Digest;
use super::keys::{KeyEntry, KeyIndex, Run, hash_of};
use super::tree::Tree;
use crate::storage::{Put, Shelf, ShelfTable, StoreError};

/// Accounts whose heads share one entry on the shelf.
const HEADS_AT_ONCE: usize = 256;

/// What the shelf remembers of the views as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Position {
    /// Layout of everything else on the shelf.
    version: u32,
    /// The last record written.
    records: u64,
    /// Number of the last chunk.
    chunks: u64,
    runs: Vec<Run>,
}

/// The layout this version writes; another one on the shelf is dropped and built again.
const VERSION: u32 = 4;

/// What the follower has read and not yet written.
#[derive(Debug, Default)]
struct Tail {
    histories: HashMap<AccountNo, History, RandomState>,
    ids: Vec<KeyEntry>,
    /// Where in `ids` an id's hash stands.
    places: HashTable<u32>,
    endings: HashMap<u64, u64, RandomState>,
}

/// An account's entries in the tail.
#[derive(Debug, Default)]
struct History {
    /// The last of `entries`, or what the account had before the first: kept here so that the next entry is made without
    /// looking for it.
    last: Entry,
    entries: Vec<Entry>,
}

impl Tail {
    /// An empty tail with room for as much as this one holds: the next segment is likely alike.
    fn next(&self) -> Self {
        let hasher = RandomState::default;
        Self {
            histories: HashMap::with_capacity_and_hasher(self.histories.len(), hasher()),
            ids: Vec::with_capacity(self.ids.len()),
            places: HashTable::with_capacity(self.places.len()),
            endings: HashMap::with_capacity_and_hasher(self.endings.len(), hasher()),
        }
    }

    fn take_ids(&mut self, ids: &[KeyEntry]) {
        let first = self.ids.len();
        self.ids.extend_from_slice(ids);
        let all = &self.ids;
        let hash_at = |&place: &u32| all.get(place as usize).map_or(0, |entry| entry.hash);
        for (at, entry) in ids.iter().enumerate() {
            let place = u32::try_from(first + at).unwrap_or(u32::MAX);
            self.places.insert_unique(entry.hash, place, hash_at);
        }
    }

    /// The record that holds an id of this hash.
    fn find(&self, hash: u64) -> Option<u64> {
        let entry = |&place: &u32| self.ids.get(place as usize);
        let place = self.places.find(hash, |place| entry(place).is_some_and(|entry| entry.hash == hash))?;
        entry(place).map(|entry| entry.sequence)
    }
}

#[derive(Debug, Default)]
struct Shared {
    /// The last record the follower has read.
    followed: u64,
    /// Number of the last chunk on the shelf.
    chunks: u64,
    /// By account.
    heads: Vec<Head>,
    /// By account.
    standings: Vec<Standing>,
    tail: Tail,
    tree: Tree,
}

/// The views. One follower writes, anybody reads.
#[derive(Debug, Default)]
pub struct Views {
    shared: RwLock<Shared>,
    /// Under a lock of its own, taken after the other: the writer asks for it every round, and must never wait for the
    /// follower to take in a batch.
    keys: RwLock<Arc<KeyIndex>>,
}

/// Which part of a history is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// The newest entries of records before this one, newest first.
    Before(u64),
    /// The oldest entries of records after this one, oldest first.
    After(u64),
}

/// What a flush is about to write, and what becomes known when it is written.
pub(super) struct Flush {
    pub puts: Vec<Put>,
    /// Of the accounts whose histories grow, in order.
    heads: Vec<(AccountNo, Standing, Head)>,
    chunks: u64,
    keys: KeyIndex,
    /// Whole runs of the tree.
    runs: usize,
}

impl Views {
    /// The views as the shelf has them, with an empty tail. A shelf of another layout is cleared.
    pub fn open(shelf: &mut dyn Shelf) -> Result<Self, StoreError> {
        let stored = shelf.get(ShelfTable::Position, 0)?.and_then(|bytes| postcard::from_bytes::<Position>(&bytes).ok());
        let Some(position) = stored.filter(|position| position.version == VERSION) else {
            shelf.clear()?;
            return Ok(Self::default());
        };
        let (mut heads, mut standings) = (Vec::new(), Vec::new());
        for (block, bytes) in shelf.scan(ShelfTable::Heads, 0, usize::MAX)? {
            let damaged = |error: postcard::Error| StoreError::Damaged(format!("heads of the views: {error}"));
            let start = usize::try_from(block).unwrap_or(0) * HEADS_AT_ONCE;
            heads.resize(start, Head::default());
            standings.resize(start, Standing::default());
            for (head, standing) in postcard::from_bytes::<Vec<(Head, Standing)>>(&bytes).map_err(damaged)? {
                heads.push(head);
                standings.push(standing);
            }
        }
        let keys = RwLock::new(Arc::new(KeyIndex::open(shelf, position.records, &position.runs)?));
        let tree = Tree::open(shelf)?;
        let (followed, chunks) = (position.records, position.chunks);
        if tree.size() != followed {
            return Err(StoreError::Damaged(format!("the tree on the shelf has {} records, not {followed}", tree.size())));
        }
        Ok(Self { shared: RwLock::new(Shared { followed, chunks, heads, standings, tail: Tail::default(), tree }), keys })
    }

    fn read(&self) -> RwLockReadGuard<'_, Shared> {
        self.shared.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Shared> {
        self.shared.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last record the follower has read.
    pub fn followed(&self) -> u64 {
        self.read().followed
    }

    /// The index over the ids on the shelf, as it is now.
    pub fn keys(&self) -> Arc<KeyIndex> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Looks at the tree over what was followed.
    pub fn with_tree<T>(&self, look: impl FnOnce(&Tree) -> T) -> T {
        look(&self.read().tree)
    }

    /// Takes records into the tail; they continue what was followed.
    pub(super) fn follow(&self, digest: &Digest) {
        self.write().take(digest);
    }

    /// What the tail is to write to the shelf.
    pub(super) fn flush(&self) -> Result<Flush, postcard::Error> {
        let shared = self.read();
        let runs = shared.tree.whole_runs();
        let mut flush = Flush { puts: Vec::new(), heads: Vec::new(), chunks: shared.chunks, keys: KeyIndex::default(), runs };
        shared.put_histories(&mut flush)?;
        flush.puts.extend(shared.tree.puts());
        let keys = self.keys();
        let mut ids = shared.tail.ids.clone();
        let (run, pages) = keys.next_run(keys.indexed + 1, &mut ids);
        flush.puts.extend(pages);
        flush.keys = keys.with_run(run, &ids, shared.followed);
        let mut endings = shared.tail.endings.iter().map(|(&placed, &ended)| (placed, ended)).collect::<Vec<_>>();
        endings.sort_unstable();
        let ending = |(placed, ended): (u64, u64)| Put { table: ShelfTable::Endings, key: placed, value: ended.to_le_bytes().into() };
        flush.puts.extend(endings.into_iter().map(ending));
        let position = Position { version: VERSION, records: shared.followed, chunks: flush.chunks, runs: flush.keys.runs().to_vec() };
        flush.puts.push(Put { table: ShelfTable::Position, key: 0, value: postcard::to_stdvec(&position)? });
        Ok(flush)
    }

    /// Makes known what was written; the tail begins anew.
    pub(super) fn flushed(&self, flush: Flush) {
        let mut shared = self.write();
        let len = flush.heads.last().map_or(0, |(account, ..)| account.0 as usize + 1).max(shared.heads.len());
        shared.heads.resize(len, Head::default());
        shared.standings.resize(len, Standing::default());
        for (account, standing, head) in flush.heads {
            shared.heads[account.0 as usize] = head;
            shared.standings[account.0 as usize] = standing;
        }
        shared.chunks = flush.chunks;
        shared.tree.written(flush.runs);
        // Before the tail forgets them, so that an id is always in one of the two.
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(flush.keys);
        let next = shared.tail.next();
        let written = std::mem::replace(&mut shared.tail, next);
        // Readers need not wait until all of it is freed.
        drop(shared);
        drop(written);
    }

    /// Part of an account's history, at most `limit` entries.
    pub fn history(&self, shelf: &mut dyn Shelf, account: AccountNo, span: Span, limit: usize) -> Result<Vec<Entry>, StoreError> {
        let (tail, head) = {
            let shared = self.read();
            let (part, head) = shared.part_of(account, span, limit);
            (part.to_vec(), head)
        };
        let mut walk = Walk::new(shelf, account, &head);
        let mut found = Vec::new();
        match span {
            Span::Before(end) => {
                found.extend(tail.iter().rev());
                let wanted = found.len() < limit && end > 0;
                let mut piece = if wanted { walk.back_to(end - 1)? } else { None };
                while let Some(part) = piece {
                    let entries = part.entries()?;
                    found.extend(entries.iter().rev().filter(|entry| entry.sequence < end).take(limit - found.len()));
                    piece = if found.len() < limit { walk.older(&part)? } else { None };
                }
            }
            Span::After(start) => {
                let mut piece = match walk.back_to(start)? {
                    None => walk.newer()?,
                    begins_before => begins_before,
                };
                while let Some(part) = piece {
                    let entries = part.entries()?;
                    found.extend(entries.iter().filter(|entry| entry.sequence > start).take(limit - found.len()));
                    piece = if found.len() < limit { walk.newer()? } else { None };
                }
                found.extend(tail.iter().take(limit - found.len()));
            }
        }
        Ok(found)
    }

    /// What an account had right after record `sequence`, which the views have followed.
    pub fn standing_at(&self, shelf: &mut dyn Shelf, account: AccountNo, sequence: u64) -> Result<(i64, i64), StoreError> {
        let last = self.history(shelf, account, Span::Before(sequence.saturating_add(1)), 1)?;
        Ok(last.first().map_or((0, 0), |entry| (entry.balance, entry.held)))
    }

    /// The records that may hold this id.
    pub fn find(&self, shelf: &mut dyn Shelf, id: Id) -> Result<Vec<u64>, StoreError> {
        let hash = hash_of(id);
        let (sequence, keys) = {
            let shared = self.read();
            (shared.tail.find(hash), self.keys())
        };
        match sequence {
            Some(sequence) => Ok(vec![sequence]),
            None => keys.find(shelf, hash),
        }
    }

    /// The record that ended the hold that record `placed` placed.
    pub fn ending(&self, shelf: &mut dyn Shelf, placed: u64) -> Result<Option<u64>, StoreError> {
        if let Some(&ended) = self.read().tail.endings.get(&placed) {
            return Ok(Some(ended));
        }
        let stored = shelf.get(ShelfTable::Endings, placed)?;
        Ok(stored.and_then(|bytes| Some(u64::from_le_bytes(*bytes.first_chunk::<8>()?))))
    }
}

impl Shared {
    /// The part of the account's tail that can be in the answer, oldest first, and where its history on the shelf ends; that is left
    /// out when nothing on the shelf can be in the answer.
    fn part_of(&self, account: AccountNo, span: Span, limit: usize) -> (&[Entry], Head) {
        let tail = self.tail.histories.get(&account).map_or(&[][..], |history| &history.entries);
        let (part, shelf) = match span {
            Span::Before(end) => {
                let len = tail.partition_point(|entry| entry.sequence < end);
                (&tail[len.saturating_sub(limit)..len], len < limit)
            }
            Span::After(start) => {
                let start = tail.partition_point(|entry| entry.sequence <= start);
                (&tail[start..tail.len().min(start.saturating_add(limit))], start == 0 && limit > 0)
            }
        };
        (part, self.heads.get(account.0 as usize).filter(|_| shelf).cloned().unwrap_or_default())
    }

    fn take(&mut self, digest: &Digest) {
        self.followed = digest.last;
        self.tail.take_ids(&digest.ids);
        self.tree.extend(&digest.leaves);
        self.tail.endings.extend(digest.endings.iter().copied());
        for change in &digest.changes {
            let history = self.tail.histories.entry(change.account).or_insert_with(|| {
                let Standing { balance, held } = self.standings.get(change.account.0 as usize).copied().unwrap_or_default();
                let last = Entry { sequence: 0, balance, held };
                History { last, entries: Vec::new() }
            });
            let Entry { sequence: before, balance, held } = history.last;
            let (balance, held) = (balance.wrapping_add(change.balance), held.wrapping_add(change.held));
            history.last = Entry { sequence: change.sequence, balance, held };
            match history.entries.last_mut() {
                Some(last) if before == change.sequence => *last = history.last,
                _ => history.entries.push(history.last),
            }
        }
    }

    /// New chunks for every account in the tail, and the heads that name them.
    fn put_histories(&self, flush: &mut Flush) -> Result<(), postcard::Error> {
        let mut histories = self.tail.histories.iter().map(|(&account, history)| (account, history)).collect::<Vec<_>>();
        histories.sort_unstable_by_key(|&(account, _)| account);
        flush.heads.reserve_exact(histories.len());
        let mut scratch = vec![0; CHUNK_BYTES_MAX];
        for (account, history) in histories {
            let mut head = self.heads.get(account.0 as usize).cloned().unwrap_or_default();
            let mut standing = self.standings.get(account.0 as usize).copied().unwrap_or_default();
            for entries in history.entries.chunks(CHUNK_ENTRIES_MAX) {
                flush.chunks += 1;
                let value = head.append(account, flush.chunks, standing, entries, &mut scratch)?;
                flush.puts.push(Put { table: ShelfTable::Chunks, key: flush.chunks, value });
                if let Some(last) = entries.last() {
                    standing = Standing { balance: last.balance, held: last.held };
                }
            }
            flush.heads.push((account, standing, head));
        }
        self.put_heads(flush)
    }

    /// Those heads that changed, with their neighbours.
    fn put_heads(&self, flush: &mut Flush) -> Result<(), postcard::Error> {
        let block_of = |account: AccountNo| account.0 as usize / HEADS_AT_ONCE;
        let none = Head::default();
        for changed in flush.heads.chunk_by(|a, b| block_of(a.0) == block_of(b.0)) {
            let [(first, ..), ..] = changed else { continue };
            let start = block_of(*first) * HEADS_AT_ONCE;
            let standings = self.standings.get(start..).unwrap_or_default().iter().copied();
            let mut heads = self.heads.get(start..).unwrap_or_default().iter().zip(standings).take(HEADS_AT_ONCE).collect::<Vec<_>>();
            for (account, standing, head) in changed {
                let at = account.0 as usize - start;
                heads.resize(heads.len().max(at + 1), (&none, Standing::default()));
                heads[at] = (head, *standing);
            }
            flush.puts.push(Put { table: ShelfTable::Heads, key: block_of(*first) as u64, value: postcard::to_stdvec(&heads)? });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
