//! The shelf: entries in the order of their keys, each table by itself, every write whole.

use lab3_engine::{Put, ShelfTable, Store};

use super::done;

const TABLES: [ShelfTable; 5] = [ShelfTable::Position, ShelfTable::Heads, ShelfTable::Chunks, ShelfTable::Keys, ShelfTable::Endings];

/// The shelf of a store.
pub fn shelf<S: Store>(make: impl Fn() -> S) {
    an_empty_shelf_has_nothing(&make());
    entries_are_replaced(&make());
    tables_are_apart(&make());
    scans_are_in_order_and_limited(&make());
    clearing_removes_everything(&make());
    hands_see_each_other(&make());
    reads_see_whole_writes(&make());
    many_entries_are_written(&make());
}

fn put(table: ShelfTable, key: u64, value: &[u8]) -> Put {
    Put { table, key, value: value.to_vec() }
}

pub(super) fn fill<S: Store>(store: &S) {
    done(done(store.shelf()).write(&[put(ShelfTable::Heads, 7, b"seven"), put(ShelfTable::Keys, u64::MAX, b"end")]));
}

pub(super) fn check_filled<S: Store>(store: &S) {
    let mut shelf = done(store.shelf());
    assert_eq!(done(shelf.get(ShelfTable::Heads, 7)).as_deref(), Some(&b"seven"[..]));
    assert_eq!(done(shelf.scan(ShelfTable::Keys, 0, 9)), [(u64::MAX, b"end".to_vec())]);
}

fn an_empty_shelf_has_nothing<S: Store>(store: &S) {
    let mut shelf = done(store.shelf());
    for table in TABLES {
        assert_eq!(done(shelf.get(table, 0)), None);
        assert_eq!(done(shelf.scan(table, 0, 9)), []);
    }
    done(shelf.write(&[]));
    done(shelf.clear());
}

fn entries_are_replaced<S: Store>(store: &S) {
    let mut shelf = done(store.shelf());
    done(shelf.write(&[put(ShelfTable::Position, 0, b"first")]));
    done(shelf.write(&[put(ShelfTable::Position, 0, b"second, and longer")]));
    assert_eq!(done(shelf.scan(ShelfTable::Position, 0, 9)), [(0, b"second, and longer".to_vec())]);
    done(shelf.write(&[put(ShelfTable::Position, 0, b"third"), put(ShelfTable::Position, 0, b"")]));
    assert_eq!(done(shelf.get(ShelfTable::Position, 0)), Some(Vec::new()), "the last of one write stays");
}

fn tables_are_apart<S: Store>(store: &S) {
    let mut shelf = done(store.shelf());
    let puts: Vec<Put> = TABLES.iter().zip(1..).map(|(&table, value)| put(table, 5, &[value])).collect();
    done(shelf.write(&puts));
    for (table, value) in TABLES.into_iter().zip(1..) {
        assert_eq!(done(shelf.get(table, 5)), Some(vec![value]), "{table:?}");
        assert_eq!(done(shelf.scan(table, 0, 9)).len(), 1, "{table:?}");
    }
}

fn scans_are_in_order_and_limited<S: Store>(store: &S) {
    const MIDDLE: u64 = 1 << 63;
    let mut shelf = done(store.shelf());
    let keys = [0, 1, 5, 300, MIDDLE - 1, MIDDLE, MIDDLE + 1, u64::MAX];
    let puts: Vec<Put> = keys.iter().rev().map(|&key| put(ShelfTable::Chunks, key, &key.to_be_bytes())).collect();
    done(shelf.write(&puts));
    for from in keys.into_iter().chain([2, 299, 301, MIDDLE - 2, u64::MAX - 1]) {
        for entries_max in [0, 1, 2, 3, 8, usize::MAX] {
            let expected = keys.into_iter().filter(|&key| key >= from).take(entries_max);
            let expected: Vec<_> = expected.map(|key| (key, key.to_be_bytes().to_vec())).collect();
            assert_eq!(done(shelf.scan(ShelfTable::Chunks, from, entries_max)), expected, "at most {entries_max} from {from} on");
        }
        let held = keys.contains(&from).then(|| from.to_be_bytes().to_vec());
        assert_eq!(done(shelf.get(ShelfTable::Chunks, from)), held);
    }
}

fn clearing_removes_everything<S: Store>(store: &S) {
    let mut shelf = done(store.shelf());
    let puts: Vec<Put> = TABLES.iter().flat_map(|&table| [put(table, 1, b"x"), put(table, u64::MAX, b"y")]).collect();
    done(shelf.write(&puts));
    done(shelf.clear());
    for table in TABLES {
        assert_eq!(done(shelf.scan(table, 0, 9)), [], "{table:?}");
    }
    fill(store);
    check_filled(store);
}

fn hands_see_each_other<S: Store>(store: &S) {
    let (mut one, mut other) = (done(store.shelf()), done(store.shelf()));
    for value in 0..50 {
        done(one.write(&[put(ShelfTable::Heads, 1, &[value])]));
        assert_eq!(done(other.get(ShelfTable::Heads, 1)), Some(vec![value]));
    }
}

/// Every write sets all of the entries to one value: a read that sees two values saw half a write.
fn reads_see_whole_writes<S: Store>(store: &S) {
    let (mut writing, mut reading) = (done(store.shelf()), done(store.shelf()));
    std::thread::scope(|scope| {
        let writes = scope.spawn(move || {
            for value in 0..100 {
                let puts: Vec<Put> = (0..500).map(|key| put(ShelfTable::Heads, key, &[value])).collect();
                done(writing.write(&puts));
            }
        });
        while !writes.is_finished() {
            let entries = done(reading.scan(ShelfTable::Heads, 0, 1000));
            assert!(entries.is_empty() || entries.len() == 500, "half a write was seen: {} entries", entries.len());
            assert!(entries.windows(2).all(|pair| pair[0].1 == pair[1].1), "half a write was seen");
        }
    });
}

fn many_entries_are_written<S: Store>(store: &S) {
    const MANY: u64 = 200_000;
    let mut shelf = done(store.shelf());
    // Not in the order of their keys: 7919 and the number of entries have no divisor in common.
    let puts: Vec<Put> =
        (0..MANY).map(|number| number * 7919 % MANY).map(|key| put(ShelfTable::Endings, key, &key.to_be_bytes())).collect();
    done(shelf.write(&puts));
    let entries = done(shelf.scan(ShelfTable::Endings, 0, usize::MAX));
    assert!(entries.iter().map(|&(key, _)| key).eq(0..MANY));
    assert!(entries.iter().all(|(key, value)| *value == key.to_be_bytes()));
}
