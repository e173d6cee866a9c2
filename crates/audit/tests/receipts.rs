//! Receipts against the log: kept when the records promised stand where they were promised, else named.
//!
//! It fails when a broken promise passes, or a kept one does not.

#![allow(clippy::unwrap_used, reason = "outside of #[test] functions clippy does not see that this is a test")]

mod hive;
mod served;

use hive::Hive;
use lab3_audit::{Class, Terms, Verdict, audit};
use lab3_tlog::{Receipt, Seconds, leaf_hash};
use served::{Log, ORIGIN, signer};

/// The log of a Hive that lived a while.
fn lived() -> Log {
    let mut hive = Hive::new(3);
    hive.live(60);
    let log = Log::of(hive.entries());
    hive.stop();
    log
}

/// What the log promised of these records when it had them.
fn receipt(log: &Log, first: usize, last: usize, seed: u8) -> Vec<u8> {
    let leaves = log.entries[first - 1..last].iter().map(|entry| leaf_hash(entry)).collect::<Vec<_>>();
    let receipt = Receipt::of(ORIGIN, first as u64, &leaves, Seconds::new(1_795_400_000).unwrap());
    receipt.sign(&signer(seed)).unwrap().to_string().into_bytes()
}

fn audited(mut log: Log, receipts: Vec<Vec<u8>>) -> Verdict {
    audit(&mut log, &Terms { receipts, faults_max: 1000, ..Terms::default() }, |_, _| ())
}

/// What is found against receipts, and how many are kept.
fn found(verdict: &Verdict) -> (usize, Vec<&str>) {
    let faults = verdict.faults.iter().filter(|fault| fault.class == Class::Receipts);
    (verdict.receipts, faults.map(|fault| fault.what.as_str()).collect())
}

#[test]
fn what_was_promised_and_stands_there_is_kept() {
    let log = lived();
    let last = log.entries.len();
    let receipts = [(1, 1), (3, 9), (last, last), (1, last)].map(|(first, last)| receipt(&log, first, last, 7));
    let verdict = audited(log, receipts.to_vec());
    assert!(verdict.holds(), "{verdict}");
    assert_eq!(verdict.receipts, 4);
}

#[test]
fn what_stands_there_otherwise_is_not() {
    let log = lived();
    let receipts = [receipt(&log, 2, 2, 7), receipt(&log, 4, 8, 7), receipt(&log, 9, 9, 7)].to_vec();
    // A past without record 5 is a past all the same; its records may even be in order.
    let mut entries = log.entries.clone();
    entries.remove(4);
    let verdict = audited(Log::of(entries), receipts);
    let (kept, faults) = found(&verdict);
    assert_eq!((kept, faults.len()), (1, 2), "{verdict}");
    assert!(faults[0].contains("from 4 to 8") && faults[1].contains("from 9 to 9"), "{verdict}");
}

#[test]
fn what_is_not_there_yet_is_not_kept_either() {
    let log = lived();
    let last = log.entries.len();
    let receipts = vec![receipt(&log, last - 1, last, 7)];
    let verdict = audited(Log::of(log.entries[..last - 1].to_vec()), receipts);
    let (kept, faults) = found(&verdict);
    assert_eq!((kept, faults.len()), (0, 1), "{verdict}");
    assert!(faults[0].contains(&format!("promised record {last} and shows {}", last - 1)), "{verdict}");
}

#[test]
fn what_another_signed_counts_for_nothing() {
    let log = lived();
    let (stranger, noise) = (receipt(&log, 2, 2, 8), b"no note".to_vec());
    let verdict = audited(log, vec![stranger, noise]);
    assert_eq!(found(&verdict).0, 0);
    assert_eq!(found(&verdict).1.len(), 2, "{verdict}");
}
