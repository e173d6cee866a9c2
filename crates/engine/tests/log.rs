//! The journal as a log others can check, and what people wrote beside it.
//!
//! It fails when a head's root is not the root of RFC 6962 over the records' bytes, before or after segments are written and the engine is
//! started again; when a proof does not hold against that root; when a memo stands in a leaf, or is lost beside it.

#![allow(clippy::unwrap_used, reason = "outside of #[test] functions clippy does not see that this is a test")]

mod hive;

use hive::{Hive, block_on, submission, transfer};
use lab3_engine::{Command, Store};
use lab3_ledger::Event;
use lab3_tlog::{Hash, Tree, leaf_hash, verify_consistency, verify_inclusion};

/// The leaf hashes of the records with these numbers, from their bytes.
fn leaves(hive: &Hive, last: u64) -> Vec<Hash> {
    let entries = block_on(hive.engine.log().entries(1..last + 1)).unwrap();
    entries.iter().map(|entry| leaf_hash(entry)).collect()
}

/// Makes so many transfers, in batches.
fn transfers(hive: &Hive, mut count: usize) {
    while count > 0 {
        let now = count.min(8000);
        let items = (0..now).map(|_| submission(None, Command::Transfer(transfer("alice", "bob", 1)))).collect();
        for result in block_on(hive.engine.submit_batch(None, items)).unwrap() {
            result.unwrap();
        }
        count -= now;
    }
}

/// Waits until the tree has every record.
fn size(hive: &Hive) -> u64 {
    // A question about the past waits two seconds for the views, and there is much to follow.
    while block_on(hive.engine.find(lab3_units::Id::from_bytes([0; 16]))).is_err() {}
    hive.engine.log().size()
}

fn check(hive: &Hive, sizes: &[u64]) {
    let last = size(hive);
    assert_eq!(last, hive.engine.status().sequence);
    let leaves = leaves(hive, last);
    let log = hive.engine.log();
    let head = block_on(log.head()).unwrap();
    assert_eq!((head.size, head.root), (last, Tree::new(leaves.clone()).root()));
    for &size in sizes.iter().filter(|&&size| size <= last) {
        let earlier = block_on(log.head_at(size)).unwrap();
        assert_eq!(earlier.root, Tree::new(leaves[..usize::try_from(size).unwrap()].to_vec()).root(), "the tree of {size}");
        let proof = block_on(log.consistency(size, last)).unwrap();
        verify_consistency(size, last, &earlier.root, &head.root, &proof).unwrap();
        for leaf in [0, size / 2, size - 1] {
            let proof = block_on(log.inclusion(leaf, size)).unwrap();
            verify_inclusion(leaf, size, &leaves[usize::try_from(leaf).unwrap()], &proof, &earlier.root).unwrap();
        }
    }
}

#[test]
fn the_tree_is_that_of_the_records_at_every_size() {
    let hive = Hive::new();
    hive.mint("alice", 1000);
    for _ in 0..5 {
        transfers(&hive, 1);
    }
    check(&hive, &[1, 2, 3, 5]);
    transfers(&hive, 700);
    let sizes = [1, 2, 255, 256, 257, 511, 512, 513, 700];
    check(&hive, &sizes);
    let hive = hive.restart();
    check(&hive, &sizes);
    hive.engine.stop();
}

#[test]
fn the_tree_comes_back_from_the_shelf() {
    let hive = Hive::new();
    hive.mint("alice", 1000);
    // More than two segments, the last of them in memory.
    transfers(&hive, 270_000);
    let sizes = [256, 131_072, 131_073, 200_000, 262_144, 262_145];
    check(&hive, &sizes);
    let hive = hive.restart();
    check(&hive, &sizes);
    transfers(&hive, 300);
    check(&hive, &sizes);
    hive.engine.stop();
}

#[test]
fn what_is_not_in_the_log_is_refused() {
    let hive = Hive::new();
    hive.mint("alice", 1);
    let last = size(&hive);
    let log = hive.engine.log();
    for refused in [
        block_on(log.head_at(last + 1)).map(|_| ()),
        block_on(log.inclusion(last, last)).map(|_| ()),
        block_on(log.inclusion(0, last + 1)).map(|_| ()),
        block_on(log.consistency(last, last - 1)).map(|_| ()),
        block_on(log.entries(1..last + 2)).map(|_| ()),
        block_on(log.nodes(0, 0..last + 1)).map(|_| ()),
        block_on(log.nodes(63, 0..2)).map(|_| ()),
        block_on(log.nodes(200, 0..1)).map(|_| ()),
    ] {
        assert_eq!(refused.unwrap_err().code(), lab3_units::Code::PARAMETER);
    }
    hive.engine.stop();
}

#[test]
fn memos_stand_beside_the_leaves() {
    let hive = Hive::new();
    hive.mint("alice", 1000);
    let secret = "for the midwife";
    let mut command = transfer("alice", "bob", 5);
    command.reason = secret.into();
    let stored = hive.submit(None, Command::Transfer(command)).unwrap().stored;
    let memo = |stored: &lab3_engine::Stored| match &stored.record.entries[..] {
        [.., Event::Transferred { memo, .. }, _fee] => memo.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(&*memo(&stored), secret, "the reply has it");
    let last = size(&hive);
    let leaf = block_on(hive.engine.log().entries(last..last + 1)).unwrap().remove(0);
    let has = |bytes: &[u8]| bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
    assert!(!has(&leaf), "the leaf has the memo");
    let row = hive.store.reader().unwrap().row_with(last).unwrap().unwrap();
    assert!(!has(&row.body) && has(&row.openings), "it stands beside the row");
    let found = block_on(hive.engine.records(vec![last])).unwrap();
    assert_eq!(&*memo(&found[0]), secret, "a record that is read again has it");
    let (head, bodies) = (block_on(hive.engine.log().head()).unwrap(), row.body.clone());
    assert_eq!(block_on(hive.engine.erase(last)).unwrap(), 1);
    assert_eq!(block_on(hive.engine.erase(last)).unwrap(), 0);
    let found = block_on(hive.engine.records(vec![last])).unwrap();
    assert_eq!(&*memo(&found[0]), "", "an erased memo is gone");
    let erased = hive.store.reader().unwrap().row_with(last).unwrap().unwrap();
    assert!(!has(&erased.openings) && erased.body == bodies, "nothing but the words is gone");
    assert_eq!(block_on(hive.engine.log().head()).unwrap(), head, "the tree stays as it was");
    // Another memo beside the same row is not believed.
    let mut forged = row.openings.clone();
    *forged.last_mut().unwrap() ^= 1;
    hive.store.journal().unwrap().replace_openings(row.first, &forged).unwrap();
    assert_eq!(block_on(hive.engine.records(vec![last])).unwrap_err().code(), lab3_units::Code::INTERNAL);
    hive.engine.stop();
}
