//! What the engine needs of a store: a journal, a shelf for views, a place for snapshots. `lab3-store` has the homes; the
//! one in memory, for tests of the rules, is here.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Why a store could not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// No space is left.
    #[error("the disk is full: {0}")]
    Full(String),
    /// The disk or the file system failed.
    #[error("input/output error: {0}")]
    Io(String),
    /// Somebody else holds the store.
    #[error("the store is in use: {0}")]
    InUse(String),
    /// What is stored cannot be right.
    #[error("the store is damaged: {0}")]
    Damaged(String),
    /// Rows were appended that do not continue the journal: another writer was here.
    #[error("the journal continues with record {expected}, not with {given}")]
    Fenced {
        /// The number the journal continues with.
        expected: u64,
        /// The number that was given.
        given: u64,
    },
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

/// A row of the journal: a run of records, encoded by the engine, opaque to the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Sequence number of its first record.
    pub first: u64,
    /// How many records it holds; never 0.
    pub len: u32,
    /// The encoded records.
    pub body: Vec<u8>,
    /// What people wrote in them, encoded by the engine; empty when nobody did.
    pub openings: Vec<u8>,
}

impl Row {
    /// Sequence number of its last record.
    pub fn last(&self) -> u64 {
        (self.first + u64::from(self.len)).saturating_sub(1)
    }
}

/// The writing end of a journal. There is one at a time.
pub trait Journal: Send {
    /// Appends the rows, all or none; they are durable when this returns. The rows continue each other and the journal, else
    /// [`StoreError::Fenced`]. After any other error it is unknown whether they are there.
    fn append(&mut self, rows: &[Row]) -> Result<(), StoreError>;

    /// Puts other openings beside the row that begins with that record, and leaves nothing of the old ones in the journal's files. The one thing
    /// that is ever changed in a journal. [`StoreError::Other`] when there is no such row.
    fn replace_openings(&mut self, first: u64, openings: &[u8]) -> Result<(), StoreError>;
}

/// A reading end of a journal. There may be many; each sees every append that returned before the call.
pub trait JournalReader: Send {
    /// Sequence number of the last record, 0 when there is none.
    fn last(&mut self) -> Result<u64, StoreError>;

    /// The row that holds the record, if the journal has it.
    fn row_with(&mut self, sequence: u64) -> Result<Option<Row>, StoreError>;

    /// The rows from the one that holds the record on, in order, at most `rows_max` of them.
    fn rows_from(&mut self, sequence: u64, rows_max: usize) -> Result<Vec<Row>, StoreError>;
}

/// The tables of the shelf. The numbers are what a store writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ShelfTable {
    /// How far the views have followed; one entry, key 0.
    Position = 0,
    /// Where each account's history ends.
    Heads = 1,
    /// Pieces of account histories.
    Chunks = 2,
    /// Sorted ids with the records they name.
    Keys = 3,
    /// Record that placed a hold to the record that ended it.
    Endings = 4,
    /// Hashes of the journal's Merkle tree.
    Tree = 5,
}

/// One entry to write to the shelf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Put {
    /// The table.
    pub table: ShelfTable,
    /// The key in it; an entry already there is replaced.
    pub key: u64,
    /// The bytes.
    pub value: Vec<u8>,
}

/// Where views live: a few tables of numbered byte strings. May be deleted; is rebuilt from the journal.
pub trait Shelf: Send {
    /// The bytes at that key.
    fn get(&mut self, table: ShelfTable, key: u64) -> Result<Option<Vec<u8>>, StoreError>;

    /// Entries with keys from `from` on, in order, at most `entries_max`.
    fn scan(&mut self, table: ShelfTable, from: u64, entries_max: usize) -> Result<Vec<(u64, Vec<u8>)>, StoreError>;

    /// Writes all entries or none. Need not be durable when it returns, but never half.
    fn write(&mut self, puts: &[Put]) -> Result<(), StoreError>;

    /// Removes every entry of every table.
    fn clear(&mut self) -> Result<(), StoreError>;
}

/// A secret that snapshots are stamped with.
pub type Stamp = [u8; 32];

/// Where snapshots live: one byte string per sequence number. May be deleted.
pub trait Snapshots: Send + Sync {
    /// What snapshots are stamped with, so that nobody who does not know it makes one that is believed. Zeros where nothing is secret: then
    /// damage is noticed, and forgery is not.
    fn stamp(&self) -> Stamp {
        [0; 32]
    }

    /// Sequence numbers of the snapshots there are, ascending.
    fn list(&self) -> Result<Vec<u64>, StoreError>;

    /// Opens one for reading.
    fn open(&self, sequence: u64) -> Result<Box<dyn Read + Send>, StoreError>;

    /// Writes one: whatever `content` writes appears under the number when it is whole and durable, or not at all.
    fn save(&self, sequence: u64, content: &mut dyn FnMut(&mut dyn Write) -> std::io::Result<()>) -> Result<(), StoreError>;

    /// Removes one.
    fn remove(&self, sequence: u64) -> Result<(), StoreError>;
}

/// A Hive's home.
pub trait Store: Send + Sync {
    /// The journal's writing end. Opening it again (after an error) gives up the one before.
    fn journal(&self) -> Result<Box<dyn Journal>, StoreError>;

    /// A reading end of the journal.
    fn reader(&self) -> Result<Box<dyn JournalReader>, StoreError>;

    /// A hand on the shelf. Several may read while one writes.
    fn shelf(&self) -> Result<Box<dyn Shelf>, StoreError>;

    /// The snapshots.
    fn snapshots(&self) -> Box<dyn Snapshots>;
}

/// A store in memory: for tests of the rules, and as the model the conformance suite holds the others against.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore(Arc<Mutex<Memory>>);

#[derive(Debug, Default)]
struct Memory {
    rows: BTreeMap<u64, Row>,
    shelf: BTreeMap<(ShelfTable, u64), Vec<u8>>,
    snapshots: BTreeMap<u64, Vec<u8>>,
}

impl Memory {
    fn last(&self) -> u64 {
        self.rows.last_key_value().map_or(0, |(_, row)| row.last())
    }

    fn rows_from(&self, sequence: u64) -> impl Iterator<Item = &Row> {
        let start = self.rows.range(..=sequence).next_back().map_or(0, |(&first, _)| first);
        self.rows.range(start..).map(|(_, row)| row).filter(move |row| row.last() >= sequence)
    }
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn journal(&self) -> Result<Box<dyn Journal>, StoreError> {
        Ok(Box::new(self.clone()))
    }

    fn reader(&self) -> Result<Box<dyn JournalReader>, StoreError> {
        Ok(Box::new(self.clone()))
    }

    fn shelf(&self) -> Result<Box<dyn Shelf>, StoreError> {
        Ok(Box::new(self.clone()))
    }

    fn snapshots(&self) -> Box<dyn Snapshots> {
        Box::new(self.clone())
    }
}

impl Journal for MemoryStore {
    fn append(&mut self, rows: &[Row]) -> Result<(), StoreError> {
        let mut memory = self.memory();
        let mut expected = memory.last() + 1;
        for row in rows {
            if row.first != expected || row.len == 0 {
                return Err(StoreError::Fenced { expected, given: row.first });
            }
            expected = row.last() + 1;
        }
        memory.rows.extend(rows.iter().map(|row| (row.first, row.clone())));
        Ok(())
    }

    fn replace_openings(&mut self, first: u64, openings: &[u8]) -> Result<(), StoreError> {
        let mut memory = self.memory();
        let row = memory.rows.get_mut(&first).ok_or_else(|| StoreError::Other(format!("no row begins with record {first}")))?;
        row.openings = openings.to_vec();
        Ok(())
    }
}

impl JournalReader for MemoryStore {
    fn last(&mut self) -> Result<u64, StoreError> {
        Ok(self.memory().last())
    }

    fn row_with(&mut self, sequence: u64) -> Result<Option<Row>, StoreError> {
        Ok(self.memory().rows_from(sequence).next().filter(|row| row.first <= sequence).cloned())
    }

    fn rows_from(&mut self, sequence: u64, rows_max: usize) -> Result<Vec<Row>, StoreError> {
        Ok(self.memory().rows_from(sequence).take(rows_max).cloned().collect())
    }
}

impl Shelf for MemoryStore {
    fn get(&mut self, table: ShelfTable, key: u64) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.memory().shelf.get(&(table, key)).cloned())
    }

    fn scan(&mut self, table: ShelfTable, from: u64, entries_max: usize) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        let memory = self.memory();
        let range = memory.shelf.range((table, from)..=(table, u64::MAX));
        Ok(range.take(entries_max).map(|(&(_, key), value)| (key, value.clone())).collect())
    }

    fn write(&mut self, puts: &[Put]) -> Result<(), StoreError> {
        self.memory().shelf.extend(puts.iter().map(|put| ((put.table, put.key), put.value.clone())));
        Ok(())
    }

    fn clear(&mut self) -> Result<(), StoreError> {
        self.memory().shelf.clear();
        Ok(())
    }
}

impl Snapshots for MemoryStore {
    fn list(&self) -> Result<Vec<u64>, StoreError> {
        Ok(self.memory().snapshots.keys().copied().collect())
    }

    fn open(&self, sequence: u64) -> Result<Box<dyn Read + Send>, StoreError> {
        let content = self.memory().snapshots.get(&sequence).cloned();
        let content = content.ok_or_else(|| StoreError::Other(format!("there is no snapshot {sequence}")))?;
        Ok(Box::new(std::io::Cursor::new(content)))
    }

    fn save(&self, sequence: u64, content: &mut dyn FnMut(&mut dyn Write) -> std::io::Result<()>) -> Result<(), StoreError> {
        let mut bytes = Vec::new();
        content(&mut bytes).map_err(|error| StoreError::Io(error.to_string()))?;
        self.memory().snapshots.insert(sequence, bytes);
        Ok(())
    }

    fn remove(&self, sequence: u64) -> Result<(), StoreError> {
        self.memory().snapshots.remove(&sequence);
        Ok(())
    }
}
