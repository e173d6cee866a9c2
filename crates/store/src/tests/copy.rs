//! Backup beside a writer, and restore.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lab3_engine::{Row, Store};
use tempfile::TempDir;

use super::{last, row};
use crate::{SqliteStore, copy_journal};

/// The rows of a journal, after a look that each continues the one before.
fn dense(store: &SqliteStore) -> Vec<Row> {
    let rows = store.reader().unwrap().rows_from(1, usize::MAX).unwrap();
    let mut expected = 1;
    for row in &rows {
        assert_eq!(row.first, expected);
        expected = row.last() + 1;
    }
    rows
}

#[test]
fn a_backup_beside_a_writer_is_a_prefix() {
    let (folder, elsewhere) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let store = SqliteStore::open_with(folder.path(), 500).unwrap();
    let mut journal = store.journal().unwrap();
    // More pages than one step copies: appends fall between the steps.
    let begin: Vec<Row> = (0..3000).map(|number| row(number * 64 + 1, 64, 55)).collect();
    journal.append(&begin).unwrap();
    let mut next = 3000 * 64 + 1;
    let mut append = || {
        journal.append(&[row(next, 64, 55), row(next + 64, 1, 55)]).unwrap();
        next += 65;
    };
    let stop = AtomicBool::new(false);
    let copied: Vec<_> = std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            // It ends in any case, so that a test that fails does not hang.
            for _ in 0..20_000 {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                append();
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        let copy = |number: u32| {
            let to = elsewhere.path().join(number.to_string());
            let least = last(&store);
            let mut told = Vec::new();
            let mut slowly = |done, total| {
                told.push((done, total));
                let seen = last(&store);
                while last(&store) == seen && !writer.is_finished() {
                    std::thread::sleep(Duration::from_millis(1));
                }
            };
            let copied = copy_journal(folder.path(), &to, &mut slowly).unwrap();
            assert!(told.len() > 2 && told.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 == pair[1].1), "{told:?}");
            assert_eq!(told.last().map(|&(done, total)| total - done), Some(0));
            assert!(copied.last >= least && copied.last < last(&store));
            (to, copied)
        };
        let copied = (0..3).map(copy).collect();
        stop.store(true, Ordering::Relaxed);
        copied
    });
    let whole = dense(&store);
    for (folder, copied) in copied {
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "a backup is one file");
        // Bytes 18 and 19 of a database: 1 without a log, 2 with one.
        assert_eq!(fs::read(folder.join("journal.db")).unwrap()[18..20], [1, 1], "and needs no log");
        let backup = SqliteStore::open_read_only(&folder).unwrap();
        assert_eq!(backup.files_bytes().journal, copied.bytes);
        let rows = dense(&backup);
        assert_eq!(rows.last().map(Row::last), Some(copied.last));
        assert_eq!(rows, whole[..rows.len()]);
    }
}

#[test]
fn a_backup_is_restored_and_goes_on() {
    let (folder, elsewhere) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let store = SqliteStore::open(folder.path()).unwrap();
    store.journal().unwrap().append(&[row(1, 64, 55)]).unwrap();
    let (backup, restored) = (elsewhere.path().join("backup"), elsewhere.path().join("deep/restored"));
    assert_eq!(copy_journal(folder.path(), &backup, &mut |_, _| {}).unwrap().last, 64);
    assert_eq!(copy_journal(&backup, &restored, &mut |_, _| {}).unwrap().last, 64);
    let store = SqliteStore::open(&restored).unwrap();
    store.journal().unwrap().append(&[row(65, 1, 55)]).unwrap();
    assert_eq!(dense(&store), [row(1, 64, 55), row(65, 1, 55)]);
    let log = fs::metadata(restored.join("journal.db-wal")).unwrap().len();
    assert!(log > 0, "a restored journal has a log again");
}

#[test]
fn a_copy_goes_into_an_empty_folder_only() {
    let (folder, elsewhere) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let missing = copy_journal(folder.path(), elsewhere.path(), &mut |_, _| {}).unwrap_err();
    assert!(missing.to_string().contains("no journal"), "{missing}");
    SqliteStore::open(folder.path()).unwrap().journal().unwrap().append(&[row(1, 64, 55)]).unwrap();
    fs::write(elsewhere.path().join("a file"), b"of somebody").unwrap();
    let refused = copy_journal(folder.path(), elsewhere.path(), &mut |_, _| {}).unwrap_err();
    assert!(refused.to_string().contains("not empty"), "{refused}");
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 1);
    let itself = copy_journal(folder.path(), folder.path(), &mut |_, _| {}).unwrap_err();
    assert!(itself.to_string().contains("not empty"), "{itself}");
}
