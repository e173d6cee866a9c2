//! The journal's log stays short, whatever the writer and the readers do.

use std::fs;
use std::path::Path;

use lab3_engine::Store;
use rusqlite::Connection;
use tempfile::TempDir;

use super::{last, row};
use crate::SqliteStore;
use crate::checkpoint::PAGE_BYTES;

const LOG_PAGES: u64 = 400;

fn log_pages(folder: &Path) -> u64 {
    fs::metadata(folder.join("journal.db-wal")).unwrap().len() / u64::from(PAGE_BYTES)
}

/// Appends rows of one page each without a pause.
fn append(store: &SqliteStore, rows: u64, mut beside: impl FnMut(u64)) {
    let mut journal = store.journal().unwrap();
    let first = last(store) + 1;
    for number in 0..rows {
        journal.append(&[row(first + number * 64, 64, 55)]).unwrap();
        beside(number);
    }
}

#[test]
fn the_log_is_used_again_under_a_writer_that_never_rests() {
    let folder = TempDir::new().unwrap();
    let store = SqliteStore::open_with(folder.path(), LOG_PAGES).unwrap();
    append(&store, 3000, |number| {
        if number % 50 == 0 {
            let mut reader = store.reader().unwrap();
            assert_eq!(reader.rows_from(number * 64 + 1, 9).unwrap().len(), 1);
        }
    });
    // Without checkpoints it would have six thousand pages or more.
    let pages = log_pages(folder.path());
    assert!(pages < 2500, "the log has {pages} pages");
    let bytes = store.files_bytes();
    assert!(bytes.journal > 2000 * u64::from(PAGE_BYTES), "{bytes:?}");
}

#[test]
fn commits_do_not_make_the_log_longer_before_its_first_lap_is_over() {
    let folder = TempDir::new().unwrap();
    let store = SqliteStore::open_with(folder.path(), LOG_PAGES).unwrap();
    let laid = log_pages(folder.path());
    assert!(laid >= LOG_PAGES, "{laid}");
    append(&store, 100, |_| {});
    assert_eq!((log_pages(folder.path()), last(&store)), (laid, 6400));
    drop(store);
    // What was laid out is no harm to what was written: after a crash it stands behind it.
    let store = SqliteStore::open_with(folder.path(), LOG_PAGES).unwrap();
    append(&store, 1, |_| {});
    let copy = TempDir::new().unwrap();
    for name in ["journal.db", "journal.db-wal"] {
        fs::copy(folder.path().join(name), copy.path().join(name)).unwrap();
    }
    let crashed = SqliteStore::open_with(copy.path(), LOG_PAGES).unwrap();
    assert_eq!(last(&crashed), 6464);
}

#[test]
fn a_lap_soon_done_makes_the_next_twice_as_long_before_it_is_written() {
    let folder = TempDir::new().unwrap();
    let store = SqliteStore::open_with(folder.path(), 4000).unwrap();
    assert!((2000..2100).contains(&log_pages(folder.path())));
    let mut rows = 0;
    while log_pages(folder.path()) < 4000 {
        append(&store, 10, |_| {});
        rows += 10;
        assert!(rows < 4000, "{rows} rows were written, and the log has {} pages", log_pages(folder.path()));
    }
    assert_eq!(last(&store), rows * 64);
    // All of it is read again, whatever was laid out beside the writing.
    drop(store);
    assert_eq!(last(&SqliteStore::open_with(folder.path(), 4000).unwrap()), rows * 64);
}

#[test]
fn the_log_is_used_again_after_a_long_read() {
    let folder = TempDir::new().unwrap();
    let store = SqliteStore::open_with(folder.path(), LOG_PAGES).unwrap();
    append(&store, 10, |_| {});
    let long = Connection::open(folder.path().join("journal.db")).unwrap();
    long.execute_batch("BEGIN; SELECT count(*) FROM records").unwrap();
    append(&store, 1000, |_| {});
    let held = log_pages(folder.path());
    assert!(held > 1000, "the long read holds the log, which has {held} pages");
    long.execute_batch("ROLLBACK").unwrap();
    // Six hundred pages are appended without the log growing: it was begun anew.
    let mut unchanged = 0;
    let mut before = held;
    for _ in 0..50 {
        append(&store, 100, |_| {});
        let pages = log_pages(folder.path());
        unchanged = if pages <= before { unchanged + 1 } else { 0 };
        before = pages;
        if unchanged == 3 {
            return;
        }
    }
    panic!("the log went on to grow after the long read was over, to {before} pages");
}
