//! The folder and its files: who may open them, and which are refused.

use std::fs;

use lab3_engine::{Store, StoreError};
use rusqlite::Connection;
use tempfile::TempDir;

use super::{last, reopen, row};
use crate::SqliteStore;

fn refused(folder: &TempDir) -> StoreError {
    SqliteStore::open(folder.path()).unwrap_err()
}

#[test]
fn a_folder_has_one_store_at_a_time() {
    let folder = TempDir::new().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let StoreError::InUse(message) = refused(&folder) else { panic!("opened twice") };
    let (path, process) = (folder.path().display().to_string(), std::process::id());
    assert!(message.contains(&path) && message.contains(&format!("process {process};")), "{message}");
    // Whoever still writes still holds the folder.
    let journal = store.journal().unwrap();
    drop(store);
    assert!(matches!(refused(&folder), StoreError::InUse(_)));
    drop(journal);
    SqliteStore::open(folder.path()).unwrap();
}

#[test]
fn reading_needs_no_lock_and_cannot_write() {
    let folder = TempDir::new().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let beside = SqliteStore::open_read_only(folder.path()).unwrap();
    let mut reader = beside.reader().unwrap();
    let mut journal = store.journal().unwrap();
    for first in 1..5 {
        journal.append(&[row(first, 1, 10)]).unwrap();
        assert_eq!(reader.last().unwrap(), first);
    }
    for refused in [beside.journal().err(), beside.shelf().err(), beside.snapshots().save(1, &mut |_| Ok(())).err()] {
        assert!(matches!(&refused, Some(StoreError::Other(message)) if message.contains("reading only")), "{refused:?}");
    }
    assert!(beside.snapshots().remove(1).is_err());
    assert!(beside.snapshots().list().unwrap().is_empty());
}

#[test]
fn a_folder_without_a_journal_is_not_read() {
    let folder = TempDir::new().unwrap();
    let refused = SqliteStore::open_read_only(folder.path()).unwrap_err();
    assert!(refused.to_string().contains("no journal"), "{refused}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "and nothing is made there");
}

#[test]
fn a_journal_that_is_no_database_is_damaged() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("journal.db"), [b'?'; 9000]).unwrap();
    assert!(matches!(refused(&folder), StoreError::Damaged(_)));
    assert!(matches!(SqliteStore::open_read_only(folder.path()), Err(StoreError::Damaged(_))));
    assert_eq!(fs::read(folder.path().join("journal.db")).unwrap(), [b'?'; 9000], "it is left as it was");
}

#[test]
fn a_journal_of_a_later_format_is_refused() {
    let folder = TempDir::new().unwrap();
    drop(SqliteStore::open(folder.path()).unwrap());
    Connection::open(folder.path().join("journal.db")).unwrap().pragma_update(None, "user_version", 3).unwrap();
    let message = refused(&folder).to_string();
    assert!(message.contains("format 3") && message.contains("newer lab3"), "{message}");
    assert_eq!(SqliteStore::open_read_only(folder.path()).unwrap_err().to_string(), message);
}

#[test]
fn a_database_of_somebody_else_is_refused() {
    let folder = TempDir::new().unwrap();
    Connection::open(folder.path().join("journal.db")).unwrap().execute_batch("CREATE TABLE theirs(x)").unwrap();
    let message = refused(&folder).to_string();
    assert!(message.contains("not a journal of lab3"), "{message}");
}

#[test]
fn no_journal_is_begun_where_one_was_lost() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("journal.db-wal"), [1; 5000]).unwrap();
    assert!(matches!(refused(&folder), StoreError::Damaged(message) if message.contains("missing")));
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("journal.db.copying"), [1; 5000]).unwrap();
    assert!(matches!(refused(&folder), StoreError::Damaged(message) if message.contains("cut off")));
}

#[test]
fn half_snapshots_of_a_crash_are_removed() {
    let folder = TempDir::new().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    store.snapshots().save(3, &mut |file| file.write_all(b"three")).unwrap();
    let half = folder.path().join("snapshots/00000000000000000007.part");
    fs::write(&half, b"se").unwrap();
    fs::write(folder.path().join("snapshots/notes.snapshot"), b"not a snapshot").unwrap();
    let store = reopen(store);
    assert!(!half.exists());
    assert_eq!(store.snapshots().list().unwrap(), [3]);
}

#[test]
fn a_snapshot_that_failed_leaves_no_file() {
    let folder = TempDir::new().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let failed = store.snapshots().save(7, &mut |file| file.write_all(b"se").and(Err(std::io::Error::other("no more"))));
    assert!(matches!(failed, Err(StoreError::Io(_))));
    assert_eq!(fs::read_dir(folder.path().join("snapshots")).unwrap().count(), 0);
}

#[test]
fn the_files_are_measured() {
    let folder = TempDir::new().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    store.journal().unwrap().append(&[row(1, 1000, 100)]).unwrap();
    store.snapshots().save(1, &mut |file| file.write_all(&[0; 12_345])).unwrap();
    let bytes = store.files_bytes();
    assert_eq!(bytes.snapshots, 12_345);
    assert!(bytes.journal_log > 100_000 && bytes.views > 0, "{bytes:?}");
    let store = reopen(store);
    assert!(store.files_bytes().journal > 100_000, "{bytes:?}");
    assert_eq!(last(&store), 1000);
}

#[test]
fn a_stamp_is_kept_apart_and_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let apart = crate::ApartFolder::open(folder.path().join("data.signer")).unwrap();
    assert_eq!(apart.stamp([1; 32]).unwrap(), [1; 32]);
    assert_eq!(apart.stamp([2; 32]).unwrap(), [1; 32], "it was drawn anew");
    let file = apart.path().join("snapshots.stamp");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::write(&file, b"short").unwrap();
    assert_eq!((apart.stamp([3; 32]).unwrap(), apart.stamp([4; 32]).unwrap()), ([3; 32], [3; 32]));
}
