//! `docs/verify/verify.py`, written from the specifications and not from this code, comes to the same verdict: on honest Hives, and on changed ones.
//!
//! Of who may do what only treasurers' signatures are judged there (`treasurers.rs`), so changes of that are not among these.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

mod hive;
mod lies;
mod mutate;
mod python;
mod served;

use std::fs;

use hive::{Dice, Hive};
use lab3_audit::{Class, Terms, audit};
use lab3_engine::{Fact, Record};
use lab3_finance::{Balanced, Fact as Money, Sheet};
use mutate::mutated;
use python::{SERVED, judge, run};
use served::{Log, signer};

/// Changes that both judge.
const CHANGES: usize = 400;

fn terms() -> Terms {
    Terms { key: Some(signer(7).verifier().clone()), ..lies::terms() }
}

fn log(seed: u64, steps: usize) -> Log {
    let mut hive = Hive::new(seed);
    hive.share_exports(40);
    hive.live(steps);
    let entries = hive.entries();
    hive.stop();
    Log::of(entries)
}

#[test]
fn both_come_to_the_same_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let honest = log(5, 190);
    assert!(honest.entries.len() > 256);
    let mut dice = Dice::new(11);
    let logs = (0..CHANGES).map(|_| mutated(&honest, &mut dice, false));
    let logs: Vec<(String, Log)> = std::iter::once(("as it was".to_owned(), honest.clone())).chain(logs).collect();
    let mut folders = Vec::new();
    for (at, (_, log)) in logs.iter().enumerate() {
        folders.push(folder.path().join(at.to_string()));
        log.clone().export(&folders[at]);
    }
    let Some(told) = judge(&format!("--fee 0.001 --key {}", signer(7).verifier()), &folders) else { return };
    for ((what, mut log), (status, words)) in logs.into_iter().zip(told) {
        let verdict = audit(&mut log, &terms(), |_, _| {});
        assert_eq!(verdict.holds(), status == 0, "{what}: {words}\n{verdict}");
        assert_eq!(what == "as it was", status == 0, "{what}: {words}");
    }
}

#[test]
fn both_find_what_is_wrong_with_what_waits() {
    let folder = tempfile::tempdir().unwrap();
    let honest = log(5, 40);
    let folders: Vec<_> = (0..lies::WAITING.len()).map(|at| folder.path().join(at.to_string())).collect();
    for (lie, path) in lies::WAITING.into_iter().zip(&folders) {
        let mut log = honest.clone();
        let changed = (1..=log.entries.len()).rev().find_map(|sequence| {
            let mut record = log.record(sequence);
            lies::waits(&mut record, lie).then_some((sequence, record))
        });
        let (sequence, record) = changed.unwrap();
        log.write(sequence, &record);
        log.signed_again().export(path);
    }
    let Some(told) = judge("--fee 0.001", &folders) else { return };
    for (at, (status, words)) in told.into_iter().enumerate() {
        assert!(status == 1 && words.contains("a query does not wait as it says"), "{at}: {words}");
    }
}

#[test]
fn honest_hives_hold_and_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let last = folder.path().join("last");
    let mut hive = Hive::new(21);
    hive.live(150);
    for _ in 0..3 {
        hive.live_on(100);
        let mut log = Log::of(hive.entries());
        let path = folder.path().join("log");
        log.export(&path);
        let Some(told) = judge(&format!("--last {}", last.display()), &[path]) else { return };
        assert_eq!(told[0].0, 0, "{}", told[0].1);
        let visit = audit(&mut log, &Terms::default(), |_, _| {}).visit.unwrap();
        assert_eq!(fs::read_to_string(&last).unwrap(), visit.to_string());
    }
    // Another past than the one seen.
    let mut log = Log::of(hive.entries());
    log.entries.remove(3);
    let path = folder.path().join("other");
    log.signed_again().export(&path);
    hive.stop();
    assert_eq!(judge(&format!("--last {}", last.display()), &[path]).unwrap()[0].0, 1);
}

#[test]
fn it_asks_over_http() {
    let folder = tempfile::tempdir().unwrap();
    log(3, 400).export(&folder.path().join("lab3/log"));
    let Some(told) = run(SERVED, "", folder.path().to_str().unwrap(), 1) else { return };
    assert_eq!(told[0].0, 0, "{}", told[0].1);
    fs::remove_file(folder.path().join("lab3/log/tile/data/000")).unwrap();
    assert_eq!(run(SERVED, "", folder.path().to_str().unwrap(), 1).unwrap()[0].0, 2);
}

#[test]
fn both_find_what_is_wrong_with_balances() {
    let folder = tempfile::tempdir().unwrap();
    let mut hive = Hive::new(5);
    hive.live(190);
    // Once there are balances, no epoch is closed without.
    hive.close_epoch();
    hive.close_epoch();
    let honest = Log::of(hive.entries());
    hive.stop();
    let (last, told) = (1..=honest.entries.len()).filter_map(|at| Some((at, balanced(&honest.record(at))?))).next_back().unwrap();
    let lie = |change: fn(&mut Sheet)| {
        let mut lie = told.clone();
        change(&mut lie.sheet);
        Money::EpochBalanced(Box::new(lie))
    };
    let lies = [
        ("root in the record", lie(|sheet| sheet.root[0] ^= 1)),
        ("not as many accounts", lie(|sheet| sheet.accounts += 1)),
        ("totals are not those", lie(|sheet| sheet.totals.truncate(1))),
        ("without its balances", Money::EpochClosed(told.closing)),
    ];
    let mut folders = Vec::new();
    for (what, lie) in &lies {
        let mut log = honest.clone();
        log.write(last, &Record { fact: Fact::Finance(lie.clone()), ..log.record(last) });
        let mut log = log.signed_again();
        let verdict = audit(&mut log, &terms(), |_, _| {});
        assert!(
            verdict.faults.iter().any(|fault| (fault.record, fault.class) == (Some(last as u64), Class::Balances)),
            "{what}: {verdict}"
        );
        folders.push(folder.path().join(folders.len().to_string()));
        log.export(folders.last().unwrap());
    }
    let Some(found) = judge(&format!("--fee 0.001 --key {}", signer(7).verifier()), &folders) else { return };
    for ((what, _), (status, words)) in lies.iter().zip(found) {
        assert!(status == 1 && words.contains(what), "{what}: {words}");
    }
}

fn balanced(record: &Record) -> Option<Balanced> {
    match &record.fact {
        Fact::Finance(Money::EpochBalanced(balanced)) => Some(Balanced::clone(balanced)),
        _ => None,
    }
}
