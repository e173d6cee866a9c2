//! Snapshots: there when whole, not there at all otherwise.

use std::io::{Error, Read, Write};

use lab3_engine::{Snapshots, Store, StoreError};

use super::done;

/// The snapshots of a store.
pub fn snapshots<S: Store>(make: impl Fn() -> S) {
    snapshots_are_listed_in_order(&make());
    a_snapshot_that_failed_leaves_nothing(&make());
    a_snapshot_is_replaced(&make());
    a_snapshot_is_removed(&make());
    a_large_snapshot_is_kept(&make());
}

pub(super) fn fill<S: Store>(store: &S) {
    save(store.snapshots().as_ref(), 68, b"the state at 68");
}

pub(super) fn check_filled<S: Store>(store: &S) {
    let snapshots = store.snapshots();
    assert_eq!(done(snapshots.list()), [68]);
    assert_eq!(read(snapshots.as_ref(), 68), b"the state at 68");
}

fn save(snapshots: &dyn Snapshots, sequence: u64, content: &[u8]) {
    done(snapshots.save(sequence, &mut |file| file.write_all(content)));
}

fn read(snapshots: &dyn Snapshots, sequence: u64) -> Vec<u8> {
    let mut content = Vec::new();
    let read = done(snapshots.open(sequence)).read_to_end(&mut content);
    assert!(read.is_ok(), "{read:?}");
    content
}

fn snapshots_are_listed_in_order<S: Store>(store: &S) {
    let snapshots = store.snapshots();
    assert!(done(snapshots.list()).is_empty());
    for sequence in [900, 0, 1000, u64::MAX, 7] {
        save(snapshots.as_ref(), sequence, &sequence.to_be_bytes());
    }
    assert_eq!(done(store.snapshots().list()), [0, 7, 900, 1000, u64::MAX]);
    for sequence in [0, 7, 900, 1000, u64::MAX] {
        assert_eq!(read(snapshots.as_ref(), sequence), sequence.to_be_bytes());
    }
}

fn a_snapshot_that_failed_leaves_nothing<S: Store>(store: &S) {
    let snapshots = store.snapshots();
    let fail_midway = &mut |file: &mut dyn Write| file.write_all(&vec![1; 1_000_000]).and(Err(Error::other("no more")));
    assert!(matches!(snapshots.save(5, fail_midway), Err(StoreError::Io(_))));
    assert!(done(snapshots.list()).is_empty());
    assert!(snapshots.open(5).is_err());
    save(snapshots.as_ref(), 5, b"whole");
    assert!(matches!(snapshots.save(5, fail_midway), Err(StoreError::Io(_))));
    assert_eq!(read(snapshots.as_ref(), 5), b"whole", "the one before stays");
    assert_eq!(done(snapshots.list()), [5]);
}

fn a_snapshot_is_replaced<S: Store>(store: &S) {
    let snapshots = store.snapshots();
    save(snapshots.as_ref(), 5, b"a longer one");
    save(snapshots.as_ref(), 5, b"short");
    assert_eq!(done(snapshots.list()), [5]);
    assert_eq!(read(snapshots.as_ref(), 5), b"short");
}

fn a_snapshot_is_removed<S: Store>(store: &S) {
    let snapshots = store.snapshots();
    save(snapshots.as_ref(), 5, b"five");
    save(snapshots.as_ref(), 6, b"six");
    done(snapshots.remove(5));
    assert_eq!(done(snapshots.list()), [6]);
    assert!(snapshots.open(5).is_err());
    done(snapshots.remove(5));
    assert_eq!(read(snapshots.as_ref(), 6), b"six");
}

fn a_large_snapshot_is_kept<S: Store>(store: &S) {
    let snapshots = store.snapshots();
    let piece: Vec<u8> = (0..=255).cycle().take(65_537).collect();
    done(snapshots.save(9, &mut |file| (0..100).try_for_each(|_| file.write_all(&piece))));
    assert_eq!(read(snapshots.as_ref(), 9), piece.repeat(100));
}
