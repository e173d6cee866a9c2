//! The journal on a disk that is full, or that somebody else has locked.

use std::time::{Duration, Instant};

use lab3_engine::{Row, Store, StoreError};
use rusqlite::Connection;
use tempfile::TempDir;

use super::{last, row};
use crate::SqliteStore;

fn limit_pages(store: &SqliteStore, pages: u32) {
    let limited = store.home().writing().unwrap().desk.with_connection(|connection| {
        connection.pragma_update_and_check(None, "max_page_count", pages, |row| row.get::<_, u32>(0)).unwrap()
    });
    assert_eq!(limited, Some(pages));
}

/// No test here can cut the power; it can see that SQLite was told to mind it.
#[test]
fn commits_are_durable_and_make_no_checkpoints() {
    let folder = TempDir::new().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let _journal = store.journal().unwrap();
    let desk = &store.home().writing().unwrap().desk;
    let pragma = |name| desk.with_connection(|connection| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap());
    assert_eq!(pragma("synchronous"), Some(2), "FULL");
    assert_eq!(pragma("wal_autocheckpoint"), Some(0));
}

#[test]
fn a_full_disk_leaves_nothing_half_written() {
    let folder = TempDir::new().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let mut journal = store.journal().unwrap();
    journal.append(&[row(1, 10, 100)]).unwrap();
    limit_pages(&store, 60);
    let batch = [row(11, 64, 1000), row(75, 64, 1000), row(139, 64, 1000), row(203, 64, 1000), row(267, 64, 1000)];
    assert!(matches!(journal.append(&batch), Err(StoreError::Full(_))));
    assert_eq!(last(&store), 10);
    // Never again through what failed; the engine opens the journal anew, here with the limit gone.
    assert!(matches!(journal.append(&batch), Err(StoreError::Other(message)) if message.contains("open it again")));
    assert_eq!(last(&store), 10);
    let mut journal = store.journal().unwrap();
    journal.append(&batch).unwrap();
    assert_eq!(store.reader().unwrap().rows_from(11, 9).unwrap(), batch);
}

#[test]
fn a_lock_of_somebody_else_is_waited_for_and_then_reported() {
    let folder = TempDir::new().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let mut journal = store.journal().unwrap();
    journal.append(&[row(1, 1, 10)]).unwrap();
    let somebody = Connection::open(folder.path().join("journal.db")).unwrap();
    somebody.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let begun = Instant::now();
    assert!(matches!(journal.append(&[row(2, 1, 10)]), Err(StoreError::InUse(_))));
    let took = begun.elapsed();
    assert!(took > Duration::from_secs(1) && took < Duration::from_secs(10), "{took:?}");
    assert_eq!(last(&store), 1, "reading goes on");
    somebody.execute_batch("ROLLBACK").unwrap();
    store.journal().unwrap().append(&[row(2, 1, 10)]).unwrap();
}

#[test]
fn a_writer_that_slipped_in_is_found() {
    let folder = TempDir::new().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let mut journal = store.journal().unwrap();
    journal.append(&[row(1, 1, 10)]).unwrap();
    let somebody = Connection::open(folder.path().join("journal.db")).unwrap();
    somebody.execute("INSERT INTO records(first, len, body) VALUES (2, 3, x'00')", []).unwrap();
    assert_eq!(journal.append(&[row(2, 1, 10)]), Err(StoreError::Fenced { expected: 5, given: 2 }));
    assert_eq!(last(&store), 4);
}

#[test]
fn opening_again_closes_the_writing_end_before() {
    let folder = TempDir::new().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let mut before = store.journal().unwrap();
    let mut after = store.journal().unwrap();
    assert!(matches!(before.append(&[row(1, 1, 10)]), Err(StoreError::InUse(_))));
    after.append(&[row(1, 1, 10)]).unwrap();
    assert_eq!(last(&store), 1);
}

/// Whether some file of the folder has these bytes somewhere.
fn is_found(folder: &TempDir, bytes: &[u8]) -> bool {
    let files = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    files.map(|file| std::fs::read(file).unwrap()).any(|content| content.windows(bytes.len()).any(|window| window == bytes))
}

#[test]
fn what_is_erased_is_in_no_file_any_more() {
    let folder = TempDir::new().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let mut journal = store.journal().unwrap();
    let secret = b"for the midwife, with thanks".repeat(400);
    let rows = [Row { openings: secret.clone(), ..row(1, 1, 10) }, Row { openings: b"kept".to_vec(), ..row(2, 1, 10) }];
    journal.append(&rows).unwrap();
    assert!(is_found(&folder, b"midwife"));
    journal.replace_openings(1, &[]).unwrap();
    assert!(!is_found(&folder, b"midwife"), "the secret is still on the disk");
    assert_eq!(store.reader().unwrap().rows_from(1, 9).unwrap(), [row(1, 1, 10), rows[1].clone()]);
    journal.append(&[row(3, 1, 10)]).unwrap();
}

#[test]
fn a_journal_from_before_there_were_openings_is_read_and_brought_up() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("journal.db");
    let before = Connection::open(&file).unwrap();
    before
        .execute_batch(
            "PRAGMA application_id = 0x4C334A4F; PRAGMA user_version = 1;
             CREATE TABLE records(first INTEGER PRIMARY KEY, len INTEGER NOT NULL CHECK (len > 0), body BLOB NOT NULL) STRICT;
             INSERT INTO records VALUES (1, 2, x'0707')",
        )
        .unwrap();
    drop(before);
    let rows = |store: &SqliteStore| store.reader().unwrap().rows_from(1, 9).unwrap();
    assert_eq!(rows(&SqliteStore::open_read_only(folder.path()).unwrap()), [row(1, 2, 1)]);
    let store = SqliteStore::open(folder.path()).unwrap();
    assert_eq!(rows(&store), [row(1, 2, 1)]);
    store.journal().unwrap().append(&[Row { openings: b"new".to_vec(), ..row(3, 1, 1) }]).unwrap();
    assert_eq!(rows(&store)[1].openings, b"new");
}

/// What was erased must not stay in the log, whoever copies or reads it meanwhile; and being asked to come again breaks nothing.
#[test]
fn erasing_waits_for_who_copies_the_log_and_tells_of_who_reads_it() {
    let folder = TempDir::new().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let mut journal = store.journal().unwrap();
    for first in (1..600).step_by(3) {
        // The thread that copies the log begins when the store is opened.
        journal.append(&[Row { openings: b"words".into(), ..row(first, 3, 900) }]).unwrap();
        journal.replace_openings(first, b"").unwrap();
    }
    let reading = Connection::open(folder.path().join("journal.db")).unwrap();
    reading.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema;").unwrap();
    journal.append(&[Row { openings: b"words".into(), ..row(601, 1, 10) }]).unwrap();
    assert!(matches!(journal.replace_openings(601, b""), Err(StoreError::InUse(why)) if why.contains("being read")));
    reading.execute_batch("COMMIT").unwrap();
    journal.append(&[row(602, 1, 10)]).unwrap();
    journal.replace_openings(601, b"").unwrap();
    let log = std::fs::read(folder.path().join("journal.db-wal")).unwrap_or_default();
    assert!(!log.windows(5).any(|window| window == b"words"));
}
