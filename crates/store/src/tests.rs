//! The conformance suite on the model and on SQLite, and what only SQLite can do wrong.

mod checkpoint;
mod copy;
mod files;
mod journal;
mod readings;
mod shelf;

use std::cell::Cell;

use lab3_engine::{MemoryStore, Row, Store};
use tempfile::TempDir;

use crate::{SqliteStore, conformance};

/// Makes stores, each in a folder of its own.
struct Folders {
    base: TempDir,
    made: Cell<u32>,
}

impl Folders {
    fn new() -> Self {
        Self { base: TempDir::new().unwrap(), made: Cell::new(0) }
    }

    fn store(&self) -> SqliteStore {
        self.made.set(self.made.get() + 1);
        SqliteStore::open(self.base.path().join(self.made.get().to_string())).unwrap()
    }
}

fn reopen(store: SqliteStore) -> SqliteStore {
    let folder = store.folder().to_path_buf();
    drop(store);
    SqliteStore::open(folder).unwrap()
}

/// A row with so many bytes a record.
fn row(first: u64, len: u32, record_bytes: usize) -> Row {
    Row { first, len, body: vec![7; record_bytes * len as usize], openings: Vec::new() }
}

fn last(store: &SqliteStore) -> u64 {
    store.reader().unwrap().last().unwrap()
}

#[test]
fn memory_is_a_journal() {
    conformance::journal(MemoryStore::new);
}

#[test]
fn memory_is_a_shelf() {
    conformance::shelf(MemoryStore::new);
}

#[test]
fn memory_keeps_snapshots() {
    conformance::snapshots(MemoryStore::new);
    conformance::reopening(MemoryStore::new, |store| store);
}

#[test]
fn sqlite_is_a_journal() {
    let folders = Folders::new();
    conformance::journal(|| folders.store());
}

#[test]
fn sqlite_is_a_shelf() {
    let folders = Folders::new();
    conformance::shelf(|| folders.store());
}

#[test]
fn sqlite_keeps_snapshots() {
    let folders = Folders::new();
    conformance::snapshots(|| folders.store());
}

#[test]
fn sqlite_keeps_everything_over_a_reopening() {
    let folders = Folders::new();
    conformance::reopening(|| folders.store(), reopen);
}
