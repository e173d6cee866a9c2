//! The same key with the same body gives the same reply; with another body a refusal, and nothing changes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

mod hive;

use hive::{Hive, block_on, key, report, submission, transfer};
use lab3_engine::{Actor, Command, item_id};
use lab3_units::Code;

#[test]
fn the_same_key_gives_the_same_record() {
    let hive = Hive::new();
    hive.mint("alice", 100);
    let command = || Command::Transfer(transfer("alice", "bob", 1_000_000));
    let first = hive.submit(Some(key("k", 7)), command()).unwrap();
    let hash = hive.state_hash();
    let second = hive.submit(Some(key("k", 7)), command()).unwrap();
    assert_eq!(first.stored, second.stored);
    assert!(!first.replayed && second.replayed);
    assert_eq!(hive.state_hash(), hash);
}

#[test]
fn another_body_under_the_same_key_is_refused() {
    let hive = Hive::new();
    hive.mint("alice", 100);
    hive.submit(Some(key("k", 7)), Command::Transfer(transfer("alice", "bob", 1))).unwrap();
    let hash = hive.state_hash();
    let refused = hive.submit(Some(key("k", 8)), Command::Transfer(transfer("alice", "bob", 2))).unwrap_err();
    assert_eq!(refused.code(), Code::KEY_REUSED);
    assert_eq!(hive.state_hash(), hash);
}

#[test]
fn a_refusal_pins_its_key() {
    let hive = Hive::new();
    let command = || Command::Transfer(transfer("alice", "bob", 1_000_000));
    let first = hive.submit(Some(key("k", 7)), command()).unwrap_err();
    assert_eq!(first.code(), Code::MIC_INSUFFICIENT);
    hive.mint("alice", 100);
    assert_eq!(hive.submit(Some(key("k", 7)), command()).unwrap_err(), first);
    assert!(hive.submit(Some(key("other", 7)), command()).is_ok());
}

#[test]
fn keys_are_remembered_after_a_restart() {
    let hive = Hive::new();
    hive.mint("alice", 100);
    let first = hive.submit(Some(key("k", 7)), Command::Transfer(transfer("alice", "bob", 1))).unwrap();
    let hive = hive.restart();
    let second = hive.submit(Some(key("k", 7)), Command::Transfer(transfer("alice", "bob", 1))).unwrap();
    assert_eq!(first.stored, second.stored);
}

#[test]
fn a_batch_is_answered_item_by_item_again() {
    let hive = Hive::new();
    hive.mint("alice", 1);
    let batch = key("batch", 9);
    let items = || {
        let item = |at, units| {
            let key = lab3_engine::Key { id: item_id(batch.id, at), fingerprint: u64::from(at) + 1 };
            submission(Some(key), Command::Transfer(transfer("alice", "bob", units)))
        };
        vec![item(0, 400_000), item(1, 700_000), item(2, 100_000)]
    };
    let submit = |fingerprint| {
        let batch = lab3_engine::Key { fingerprint, ..batch };
        block_on(hive.engine.submit_batch(Some((Actor::Open, batch)), items()))
    };
    let first = submit(9).unwrap();
    assert_eq!(first.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
    let hash = hive.state_hash();
    let second = submit(9).unwrap();
    for (first, second) in first.iter().zip(&second) {
        match (first, second) {
            (Ok(first), Ok(second)) => assert!(first.stored == second.stored && second.replayed),
            (first, second) => assert_eq!(first.as_ref().unwrap_err(), second.as_ref().unwrap_err()),
        }
    }
    assert_eq!(submit(10).unwrap_err().code(), Code::KEY_REUSED);
    assert_eq!(hive.state_hash(), hash);
}

#[test]
fn linked_transfers_all_happen_or_none_and_their_ids_are_known() {
    let hive = Hive::new();
    hive.mint("alice", 1);
    let linked = |units: [i64; 2]| {
        let item = |name: &str, units| (Some(key(name, 5)), transfer("alice", "bob", units));
        Command::TransferLinked(vec![item("one", units[0]), item("two", units[1])])
    };
    let refused = hive.submit(None, linked([600_000, 600_000])).unwrap_err();
    assert_eq!((refused.code(), refused.field.as_deref()), (Code::MIC_INSUFFICIENT, Some("transfers[1].amount")));
    assert_eq!(hive.balance("alice"), 1_000_000);
    let hive = Hive::new();
    hive.mint("alice", 1);
    let done = hive.submit(None, linked([100_000, 200_000])).unwrap();
    assert!(hive.submit(None, linked([100_000, 200_000])).unwrap().replayed);
    let found = block_on(hive.engine.find(key("two", 5).id)).unwrap().unwrap();
    assert_eq!(found, *done.stored);
    assert_eq!(hive.submit(Some(key("two", 1)), Command::Transfer(transfer("alice", "bob", 1))).unwrap_err().code(), Code::KEY_REUSED);
}

#[test]
fn a_report_counts_once_for_its_allocation_whatever_its_key() {
    let hive = Hive::new();
    let allocated = hive.submit(None, hive::allocate("alice", 5000)).unwrap();
    let allocation = allocated.stored.record.id;
    let first = hive.submit(Some(key("a", 1)), report("alice", "anthropic_claude", Some(allocation), 78_000)).unwrap();
    let hash = hive.state_hash();
    let second = hive.submit(Some(key("b", 2)), report("alice", "anthropic_claude", Some(allocation), 99_000)).unwrap();
    assert_eq!(first.stored, second.stored);
    assert_eq!(hive.state_hash(), hash);
}
