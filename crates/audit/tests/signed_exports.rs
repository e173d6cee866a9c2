//! Exports shared by signature: honest Hives pass both verifiers, and whatever was shared otherwise than its payer signed both find.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

mod hive;
mod lies;
mod python;
mod served;

use std::sync::OnceLock;

use hive::shared::COUNTED;
use hive::{Hive, secret};
use lab3_audit::{Class, audit};
use lab3_energy::carbon::split;
use lab3_energy::{ExportShared, Fact as Energy, ShareRule};
use lab3_engine::{Fact, Record, Signed};
use lab3_ledger::{Event, Kind};
use lab3_trust::{Intent, PublicKey, Signature};
use lab3_units::{Amount, Time};
use lies::{judged, terms};
use python::judge;
use served::{Log, signer};

fn honest() -> Log {
    static LOG: OnceLock<Log> = OnceLock::new();
    let live = || {
        let mut hive = Hive::new(7);
        hive.inscribe(*signer(7).verifier().public());
        hive.live(20);
        hive.share_signed();
        let entries = hive.entries();
        hive.stop();
        Log::of(entries)
    };
    LOG.get_or_init(live).clone()
}

/// A record's sharing and what was signed for it.
fn parts(record: &mut Record) -> Option<(&mut ExportShared, &mut Intent)> {
    let Fact::Energy(Energy::ExportShared(shared)) = &mut record.fact else { return None };
    let Some(Signed::Intent(intent)) = record.signed.as_deref_mut() else { return None };
    Some((shared, intent))
}

/// Shares and entries as weights and amount have them now: all is well but what was signed.
fn divided_again(record: &mut Record) {
    let (shared, _) = parts(record).unwrap();
    let split = split(shared.amount, &shared.shares.iter().map(|share| share.weight).collect::<Vec<_>>()).unwrap();
    shared.shares.iter_mut().zip(split).for_each(|(share, amount)| share.amount = amount);
    let (from, kind) = (shared.payer, Kind::ExportShare);
    let due = shared.shares.iter().filter(|share| share.amount.is_positive() && share.account != from);
    let due: Vec<Event> =
        due.map(|share| Event::Transferred { from, to: share.account, amount: share.amount, kind, memo: "".into() }).collect();
    record.entries.retain(|event| matches!(event, Event::AccountOpened { .. }));
    record.entries.extend(due);
}

/// Both verifiers find each sharing that is changed so, ours by its class at its record.
#[track_caller]
fn check(what: &str, class: Class, least: usize, change: impl Fn(&mut ExportShared, &mut Intent) -> bool) {
    let changed = |record: &mut Record| {
        let is = parts(record).is_some_and(|(shared, intent)| change(shared, intent));
        if is {
            divided_again(record);
        }
        is
    };
    check_records(what, class, least, changed);
}

#[track_caller]
fn check_records(what: &str, class: Class, least: usize, change: impl Fn(&mut Record) -> bool) {
    let folder = tempfile::tempdir().unwrap();
    let mut folders = Vec::new();
    for sequence in 1..=honest().entries.len() {
        let mut log = honest();
        let mut record = log.record(sequence);
        if parts(&mut record).is_none() || !change(&mut record) {
            continue;
        }
        log.write(sequence, &record);
        folders.push(folder.path().join(sequence.to_string()));
        log.clone().signed_again().export(folders.last().unwrap());
        judged(log, sequence, class);
    }
    assert!(folders.len() >= least, "{what}: {}", folders.len());
    for (status, words) in judge(&format!("--key {}", signer(7).verifier()), &folders).unwrap_or_default() {
        assert_eq!(status, 1, "{what}: {words}");
    }
}

#[test]
fn honest_hives_that_share_by_signature_hold() {
    let mut log = honest();
    let verdict = audit(&mut log, &terms(), |_, _| {});
    assert!(verdict.holds(), "{verdict}");
    assert_eq!((1..=log.entries.len()).filter(|&sequence| parts(&mut log.record(sequence)).is_some()).count(), 9);
    let folder = tempfile::tempdir().unwrap();
    log.export(folder.path());
    for (status, words) in judge("--fee 0.001", &[folder.path().to_path_buf()]).unwrap_or_default() {
        assert_eq!(status, 0, "{words}");
    }
}

#[test]
fn signatures_that_do_not_hold_are_found() {
    let class = Class::Signatures;
    check("forged", class, 9, |_, intent| {
        let mut bytes = intent.signature.to_bytes();
        bytes[40] ^= 1;
        intent.signature = Signature::from_bytes(bytes);
        true
    });
    check("another's key", class, 9, |_, intent| {
        intent.key = PublicKey::of_secret(&secret(5));
        true
    });
    check("too late", class, 9, |_, intent| {
        intent.not_after = Time::from_millis(0);
        true
    });
    check_records("none", class, 9, |record| record.signed.take().is_some());
    check("another most", class, 9, |_, intent| {
        intent.fee_max = Amount::new(intent.fee_max.units() + 1);
        true
    });
}

#[test]
fn nothing_is_shared_otherwise_than_was_signed() {
    let class = Class::Signatures;
    check("another amount", class, 6, |shared, _| {
        shared.amount = Amount::new(shared.amount.units() - 1);
        !shared.measured
    });
    check("more than was to be counted", class, 3, |shared, _| {
        shared.amount = Amount::new(COUNTED.1 + 1);
        shared.measured
    });
    check("another device", class, 9, |shared, _| {
        shared.device = "attic".into();
        true
    });
    check("other hours", class, 6, |shared, _| {
        shared.from = Time::from_millis(shared.from.millis() - 3_600_000);
        shared.rule != ShareRule::Generation
    });
    check("another energy", class, 6, |shared, _| {
        shared.exported_mwh = Some(Amount::new(78));
        !shared.measured
    });
    check("counted, and it was not", class, 9, |shared, _| {
        shared.measured = !shared.measured;
        true
    });
    check("another weight", class, 3, |shared, _| {
        shared.shares[0].weight += 1;
        shared.rule == ShareRule::Weights
    });
    check("one member less", class, 6, |shared, _| {
        shared.shares.remove(0);
        shared.rule != ShareRule::Generation
    });
    check("another rule", class, 3, |shared, _| {
        let is = shared.rule == ShareRule::Equal;
        shared.rule = ShareRule::Weights;
        is
    });
    check("somebody who generated left out", Class::Facts, 3, |shared, _| {
        shared.shares.remove(1);
        shared.rule == ShareRule::Generation
    });
    // What is counted may be less than was signed: that is what was signed.
    let mut log = honest();
    let all = (1..=log.entries.len()).rev();
    let (sequence, mut record) = all
        .map(|at| (at, log.record(at)))
        .find(|(_, record)| parts(&mut record.clone()).is_some_and(|(shared, _)| shared.measured))
        .unwrap();
    parts(&mut record).unwrap().0.amount = Amount::new(1_000);
    divided_again(&mut record);
    log.write(sequence, &record);
    let verdict = audit(&mut log.signed_again(), &terms(), |_, _| {});
    assert!(verdict.holds(), "{verdict}");
}
