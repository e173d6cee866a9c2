//! Views that cannot be used are made again; the journal beside them stays.

use std::fs;
use std::os::unix::fs::FileExt;

use lab3_engine::{Put, ShelfTable, Store, StoreError};
use rusqlite::Connection;
use tempfile::TempDir;

use super::{last, reopen, row};
use crate::SqliteStore;

fn filled(folder: &TempDir) -> SqliteStore {
    let store = SqliteStore::open(folder.path()).unwrap();
    store.journal().unwrap().append(&[row(1, 9, 10)]).unwrap();
    let puts: Vec<Put> = (0..5000).map(|key| Put { table: ShelfTable::Heads, key, value: vec![1; 50] }).collect();
    store.shelf().unwrap().write(&puts).unwrap();
    store
}

fn entries(store: &SqliteStore) -> usize {
    store.shelf().unwrap().scan(ShelfTable::Heads, 0, usize::MAX).unwrap().len()
}

/// Does something to the views while the store is closed, and looks how many entries there are then.
fn after(harm: impl Fn(&TempDir)) -> usize {
    let folder = TempDir::new().unwrap();
    drop(filled(&folder));
    harm(&folder);
    let store = SqliteStore::open(folder.path()).unwrap();
    assert_eq!(last(&store), 9, "the journal is untouched");
    let found = entries(&store);
    store.shelf().unwrap().write(&[Put { table: ShelfTable::Heads, key: 1, value: vec![2] }]).unwrap();
    found
}

#[test]
fn good_views_stay() {
    assert_eq!(after(|_| {}), 5000);
}

#[test]
fn views_that_are_no_database_are_made_again() {
    assert_eq!(after(|folder| fs::write(folder.path().join("views.db"), [b'?'; 9000]).unwrap()), 0);
}

#[test]
fn views_that_were_removed_are_made_again() {
    assert_eq!(after(|folder| fs::remove_file(folder.path().join("views.db")).unwrap()), 0);
}

#[test]
fn views_of_another_format_are_made_again() {
    let set = |pragma: &'static str| {
        move |folder: &TempDir| Connection::open(folder.path().join("views.db")).unwrap().pragma_update(None, pragma, 77).unwrap()
    };
    assert_eq!(after(set("user_version")), 0);
    assert_eq!(after(set("application_id")), 0);
}

#[test]
fn damage_found_in_use_is_repaired_by_the_next_opening() {
    let folder = TempDir::new().unwrap();
    drop(filled(&folder));
    // The first page is good, so that opening finds nothing; what follows is not.
    let file = fs::File::options().write(true).open(folder.path().join("views.db")).unwrap();
    let bytes = file.metadata().unwrap().len();
    file.write_all_at(&vec![b'?'; usize::try_from(bytes).unwrap() - 4096], 4096).unwrap();
    drop(file);
    let store = SqliteStore::open(folder.path()).unwrap();
    let found = store.shelf().unwrap().scan(ShelfTable::Heads, 0, usize::MAX);
    assert!(matches!(found, Err(StoreError::Damaged(_))), "{found:?}");
    assert_eq!(entries(&reopen(store)), 0);
}
