//! The journal: dense, all or nothing, and visible to every reader as soon as an append has returned.

use std::sync::mpsc;

use lab3_engine::{JournalReader, Row, Store, StoreError};

use super::{done, row};

/// The journal of a store.
pub fn journal<S: Store>(make: impl Fn() -> S) {
    an_empty_journal_has_nothing(&make());
    appends_are_dense(&make());
    rows_are_all_or_nothing(&make());
    a_row_is_found_by_any_of_its_records(&make());
    rows_are_read_from_any_record_on(&make());
    readers_see_every_append(&make());
    readers_see_appends_of_another_thread(&make());
    opening_again_keeps_everything(&make());
    bodies_are_kept_as_they_are(&make());
    openings_stand_beside_and_can_be_replaced(&make());
}

/// Rows 1..=3, 4..=4, 5..=68.
pub(super) fn fill<S: Store>(store: &S) {
    let mut journal = done(store.journal());
    done(journal.append(&[row(1, 3)]));
    done(journal.append(&[row(4, 1), row(5, 64)]));
}

pub(super) fn check_filled<S: Store>(store: &S) {
    assert_eq!(all(store), [row(1, 3), row(4, 1), row(5, 64)]);
    assert_eq!(done(done(store.reader()).last()), 68);
}

fn all<S: Store>(store: &S) -> Vec<Row> {
    done(done(store.reader()).rows_from(1, usize::MAX))
}

fn an_empty_journal_has_nothing<S: Store>(store: &S) {
    let mut reader = done(store.reader());
    assert_eq!(done(reader.last()), 0);
    for sequence in [0, 1, u64::MAX] {
        assert_eq!(done(reader.row_with(sequence)), None);
        assert_eq!(done(reader.rows_from(sequence, 10)), []);
    }
    done(done(store.journal()).append(&[]));
    assert_eq!(done(reader.last()), 0, "appending nothing changes nothing");
}

/// Each append that must be refused is made by a writing end of its own: after an error the engine opens the journal again.
fn appends_are_dense<S: Store>(store: &S) {
    fenced(store, &[row(0, 1)], 1, 0);
    fenced(store, &[row(2, 1)], 1, 2);
    fenced(store, &[Row { first: 1, len: 0, body: Vec::new(), openings: Vec::new() }], 1, 1);
    assert_eq!(all(store), [], "what is refused leaves nothing");
    fill(store);
    fenced(store, &[row(70, 1)], 69, 70);
    fenced(store, &[row(68, 1)], 69, 68);
    fenced(store, &[row(60, 20)], 69, 60);
    fenced(store, &[row(1, 1)], 69, 1);
    fenced(store, &[Row { first: 69, len: 0, body: vec![1], openings: Vec::new() }], 69, 69);
    check_filled(store);
    // A writing end from before another writer was here finds out.
    let mut before = done(store.journal());
    done(done(store.journal()).append(&[row(69, 1)]));
    assert!(before.append(&[row(69, 2)]).is_err(), "two writers must not both append record 69");
    assert_eq!(all(store).last(), Some(&row(69, 1)));
}

fn fenced<S: Store>(store: &S, rows: &[Row], expected: u64, given: u64) {
    let refused = done(store.journal()).append(rows);
    assert_eq!(refused, Err(StoreError::Fenced { expected, given }), "appending {rows:?}");
}

fn rows_are_all_or_nothing<S: Store>(store: &S) {
    fill(store);
    fenced(store, &[row(69, 2), row(71, 3), row(75, 1)], 74, 75);
    fenced(store, &[row(69, 2), row(71, 3), row(73, 1)], 74, 73);
    fenced(store, &[row(69, 2), Row { first: 71, len: 0, body: Vec::new(), openings: Vec::new() }], 71, 71);
    check_filled(store);
    done(done(store.journal()).append(&[row(69, 2), row(71, 3), row(74, 1)]));
    assert_eq!(all(store)[3..], [row(69, 2), row(71, 3), row(74, 1)]);
}

fn a_row_is_found_by_any_of_its_records<S: Store>(store: &S) {
    fill(store);
    let mut reader = done(store.reader());
    for (sequence, expected) in [
        (0, None),
        (1, Some(row(1, 3))),
        (2, Some(row(1, 3))),
        (3, Some(row(1, 3))),
        (4, Some(row(4, 1))),
        (5, Some(row(5, 64))),
        (40, Some(row(5, 64))),
        (68, Some(row(5, 64))),
        (69, None),
        (u64::MAX, None),
    ] {
        assert_eq!(done(reader.row_with(sequence)), expected, "the row with record {sequence}");
    }
}

fn rows_are_read_from_any_record_on<S: Store>(store: &S) {
    fill(store);
    let mut reader = done(store.reader());
    for (sequence, rows_max, expected) in [
        (0, 9, vec![row(1, 3), row(4, 1), row(5, 64)]),
        (1, 3, vec![row(1, 3), row(4, 1), row(5, 64)]),
        (1, 2, vec![row(1, 3), row(4, 1)]),
        (3, 2, vec![row(1, 3), row(4, 1)]),
        (4, 1, vec![row(4, 1)]),
        (4, usize::MAX, vec![row(4, 1), row(5, 64)]),
        (40, 9, vec![row(5, 64)]),
        (68, 9, vec![row(5, 64)]),
        (1, 0, vec![]),
        (69, 9, vec![]),
        (u64::MAX, 9, vec![]),
    ] {
        assert_eq!(done(reader.rows_from(sequence, rows_max)), expected, "at most {rows_max} rows from record {sequence} on");
    }
}

fn readers_see_every_append<S: Store>(store: &S) {
    let mut readers = [done(store.reader()), done(store.reader())];
    let mut journal = done(store.journal());
    for first in 1..=50 {
        done(journal.append(&[row(first, 1)]));
        for reader in &mut readers {
            assert_eq!(done(reader.last()), first);
            assert_eq!(done(reader.row_with(first)), Some(row(first, 1)));
        }
    }
}

fn readers_see_appends_of_another_thread<S: Store>(store: &S) {
    let mut reader = done(store.reader());
    let mut journal = done(store.journal());
    let (tell, told) = mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for first in (1..200).step_by(2) {
                done(journal.append(&[row(first, 2)]));
                assert!(tell.send(first).is_ok(), "the reading thread has failed");
            }
        });
        for first in told {
            dense_up_to(reader.as_mut(), first + 1);
        }
    });
}

fn dense_up_to(reader: &mut dyn JournalReader, last: u64) {
    assert!(done(reader.last()) >= last, "record {last} was appended and is not seen");
    assert_eq!(done(reader.row_with(last)), Some(row(last - 1, 2)));
}

fn opening_again_keeps_everything<S: Store>(store: &S) {
    fill(store);
    check_filled(store);
    done(done(store.journal()).append(&[row(69, 4)]));
    done(done(store.journal()).append(&[row(73, 1)]));
    assert_eq!(all(store)[3..], [row(69, 4), row(73, 1)]);
}

fn bodies_are_kept_as_they_are<S: Store>(store: &S) {
    let every_byte: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let bodies = [Vec::new(), vec![0], every_byte];
    let rows: Vec<Row> = (1..).zip(bodies).map(|(first, body)| Row { first, len: 1, body, openings: Vec::new() }).collect();
    done(done(store.journal()).append(&rows));
    assert_eq!(all(store), rows);
}

fn openings_stand_beside_and_can_be_replaced<S: Store>(store: &S) {
    let with = |first, openings: &[u8]| Row { openings: openings.to_vec(), ..row(first, 2) };
    let mut journal = done(store.journal());
    done(journal.append(&[with(1, b"one"), with(3, b""), with(5, b"five")]));
    assert_eq!(all(store), [with(1, b"one"), with(3, b""), with(5, b"five")]);
    done(journal.replace_openings(1, b"other"));
    done(journal.replace_openings(5, b""));
    assert_eq!(all(store), [with(1, b"other"), with(3, b""), with(5, b"")], "nothing else is changed");
    assert!(journal.replace_openings(2, b"").is_err(), "no row begins there");
    let mut journal = done(store.journal());
    done(journal.append(&[with(7, b"seven")]));
    assert_eq!(all(store).last(), Some(&with(7, b"seven")), "the journal goes on after");
}
