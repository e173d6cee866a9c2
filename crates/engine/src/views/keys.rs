//! Where an id stands in the journal: sorted runs on the shelf, one a segment, with filters in memory before them.

use std::sync::Arc;

use lab3_units::Id;
use serde::{Deserialize, Serialize};

use super::filter::{Filter, mix};
use crate::storage::{Put, Shelf, ShelfTable, StoreError};

/// Entries a page has on average.
const PAGE_ENTRIES: usize = 256;

/// Bytes of an entry: the id's hash, and the record as an offset in the run with a mark for keys.
const ENTRY_BYTES: usize = 12;

/// Marks an id that a later command may come with again, and that the filters therefore know.
const KEY_MARK: u32 = 1 << 31;

/// Pages a run may have; the page's number stands in the low bits of its key on the shelf.
const PAGE_BITS: u32 = 20;

/// Keys the first filter is made for.
const FIRST_FILTER_KEYS: usize = 1 << 18;

/// How much larger each filter is than the one before: a look-up costs a cache line in each.
const FILTER_GROWTH: usize = 4;

/// A run of ids: those of one segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// First record of the segment.
    pub first: u64,
    /// The run has two to this power pages; an id's hash begins with its page's number.
    pub page_bits: u8,
}

/// An id and the record it names, on its way into a run.
#[derive(Clone, Copy, Debug)]
pub struct KeyEntry {
    /// Hash of the id, by [`hash_of`].
    pub hash: u64,
    /// The record it names.
    pub sequence: u64,
    /// Whether a later command may come with this id again.
    pub is_key: bool,
}

impl KeyEntry {
    /// The entry of an id that stands in record `sequence`.
    pub fn new(id: Id, sequence: u64, is_key: bool) -> Self {
        Self { hash: hash_of(id), sequence, is_key }
    }
}

/// Sixteen bytes to eight, evenly: fresh ids begin with a time and would not spread by themselves.
pub fn hash_of(id: Id) -> u64 {
    let [high, low] = [0, 8].map(|at| {
        let bytes = id.to_bytes();
        bytes[at..at + 8].iter().fold(0_u64, |word, &byte| (word << 8) | u64::from(byte))
    });
    mix(high ^ mix(low))
}

/// Filters over a stretch of runs.
#[derive(Clone, Debug)]
struct Generation {
    filter: Arc<Filter>,
    keys_len: usize,
    /// Number of the first run it covers; it ends where the next generation begins.
    first_run: usize,
}

/// The runs there are, and the filters over them. Cheap to clone: readers keep the one they were given.
#[derive(Clone, Debug, Default)]
pub struct KeyIndex {
    /// The last record the runs cover.
    pub indexed: u64,
    runs: Vec<Run>,
    generations: Vec<Generation>,
}

impl KeyIndex {
    /// The index over runs already on the shelf; reads them all to fill the filters.
    pub fn open(shelf: &mut dyn Shelf, indexed: u64, runs: &[Run]) -> Result<Self, StoreError> {
        let mut index = Self { indexed, ..Self::default() };
        for run in runs {
            let mut keys = Vec::new();
            for page in 0..1_u64 << run.page_bits {
                let bytes = shelf.get(ShelfTable::Keys, page_key(index.runs.len(), page))?.unwrap_or_default();
                keys.extend(entries(&bytes).filter(|&(_, place)| place & KEY_MARK != 0).map(|(hash, _)| hash));
            }
            index.add(*run, keys.into_iter());
        }
        Ok(index)
    }

    /// The runs, to remember.
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// The pages of the next run, to write to the shelf before [`KeyIndex::with_run`] makes it known.
    pub fn next_run(&self, first: u64, ids: &mut [KeyEntry]) -> (Run, Vec<Put>) {
        ids.sort_unstable_by_key(|entry| (entry.hash, entry.sequence));
        let pages = ids.len().div_ceil(PAGE_ENTRIES).next_power_of_two();
        let run = Run { first, page_bits: u8::try_from(pages.trailing_zeros()).unwrap_or(0) };
        let mut puts = Vec::with_capacity(pages);
        for page in ids.chunk_by(|a, b| page_of(a.hash, run) == page_of(b.hash, run)) {
            let Some(head) = page.first() else { continue };
            let mut value = Vec::with_capacity(page.len() * ENTRY_BYTES);
            for entry in page {
                let place = u32::try_from(entry.sequence - first).unwrap_or(KEY_MARK - 1);
                value.extend_from_slice(&entry.hash.to_le_bytes());
                value.extend_from_slice(&(place | if entry.is_key { KEY_MARK } else { 0 }).to_le_bytes());
            }
            puts.push(Put { table: ShelfTable::Keys, key: page_key(self.runs.len(), page_of(head.hash, run)), value });
        }
        (run, puts)
    }

    /// The index with the run its pages were made for, up to record `indexed`.
    pub fn with_run(&self, run: Run, ids: &[KeyEntry], indexed: u64) -> Self {
        let mut index = self.clone();
        index.indexed = indexed;
        index.add(run, ids.iter().filter(|entry| entry.is_key).map(|entry| entry.hash));
        index
    }

    fn add(&mut self, run: Run, keys: impl Iterator<Item = u64>) {
        let keys = keys.collect::<Vec<_>>();
        let fits = |last: &Generation| last.keys_len + keys.len() <= last.filter.capacity();
        if !self.generations.last().is_some_and(fits) {
            let grown = self.generations.last().map_or(FIRST_FILTER_KEYS, |last| last.filter.capacity() * FILTER_GROWTH);
            let filter = Arc::new(Filter::new(grown.max(keys.len())));
            self.generations.push(Generation { filter, keys_len: 0, first_run: self.runs.len() });
        }
        if let Some(last) = self.generations.last_mut() {
            last.keys_len += keys.len();
            for hash in keys {
                last.filter.insert(hash);
            }
        }
        self.runs.push(run);
    }

    /// Whether a key of this hash was perhaps used; a no is certain. Does not touch the shelf.
    pub fn may_hold_key(&self, hash: u64) -> bool {
        self.generations.iter().any(|generation| generation.filter.may_contain(hash))
    }

    /// The records that may hold a key of this hash, newest run first; the caller reads them to be sure. None for most new
    /// keys, without touching the shelf.
    pub fn find_key(&self, shelf: &mut dyn Shelf, hash: u64) -> Result<Vec<u64>, StoreError> {
        let mut found = Vec::new();
        let mut end = self.runs.len();
        for generation in self.generations.iter().rev() {
            if generation.filter.may_contain(hash) {
                self.search(shelf, hash, generation.first_run..end, &mut found)?;
            }
            end = generation.first_run;
        }
        Ok(found)
    }

    /// The records that may hold an id of this hash, whoever made it.
    pub fn find(&self, shelf: &mut dyn Shelf, hash: u64) -> Result<Vec<u64>, StoreError> {
        let mut found = Vec::new();
        self.search(shelf, hash, 0..self.runs.len(), &mut found)?;
        Ok(found)
    }

    fn search(&self, shelf: &mut dyn Shelf, hash: u64, runs: std::ops::Range<usize>, found: &mut Vec<u64>) -> Result<(), StoreError> {
        for number in runs.rev() {
            let Some(run) = self.runs.get(number) else { continue };
            let page = shelf.get(ShelfTable::Keys, page_key(number, page_of(hash, *run)))?.unwrap_or_default();
            let same = entries(&page).filter(|&(other, _)| other == hash);
            found.extend(same.map(|(_, place)| run.first + u64::from(place & !KEY_MARK)));
        }
        Ok(())
    }
}

fn page_of(hash: u64, run: Run) -> u64 {
    hash.checked_shr(64 - u32::from(run.page_bits)).unwrap_or(0)
}

fn page_key(run: usize, page: u64) -> u64 {
    ((run as u64) << PAGE_BITS) | page
}

fn entries(page: &[u8]) -> impl Iterator<Item = (u64, u32)> {
    page.chunks_exact(ENTRY_BYTES).filter_map(|entry| {
        let (hash, place) = entry.split_first_chunk::<8>()?;
        Some((u64::from_le_bytes(*hash), u32::from_le_bytes(*place.first_chunk::<4>()?)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::{MemoryStore, Store};

    fn id(n: u64) -> Id {
        Id::from_bytes((u128::from(n) << 64).to_be_bytes())
    }

    #[test]
    fn ids_are_found_where_they_stand_also_after_opening_again() {
        let mut shelf = MemoryStore::new().shelf().unwrap();
        let mut index = KeyIndex::default();
        for segment in 0..5_u64 {
            let first = segment * 3000 + 1;
            let mut ids = (first..first + 3000).map(|n| KeyEntry::new(id(n), n, n % 2 == 0)).collect::<Vec<_>>();
            let (run, puts) = index.next_run(first, &mut ids);
            shelf.write(&puts).unwrap();
            index = index.with_run(run, &ids, first + 2999);
        }
        let again = KeyIndex::open(&mut *shelf, index.indexed, index.runs()).unwrap();
        for index in [&index, &again] {
            for n in (1..=15_000).step_by(7) {
                assert_eq!(index.find(&mut *shelf, hash_of(id(n))).unwrap(), [n]);
                if n % 2 == 0 {
                    assert_eq!(index.find_key(&mut *shelf, hash_of(id(n))).unwrap(), [n]);
                }
                assert_eq!(index.find(&mut *shelf, hash_of(id(n + 20_000))).unwrap(), [0; 0]);
            }
        }
    }
}
