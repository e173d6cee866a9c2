//! Honest Hives pass, whatever they lived through.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod hive;
mod served;

use hive::{Hive, entries_of_rows};
use lab3_audit::{Terms, Visit, audit};
use lab3_units::FeeRate;
use served::Log;

#[test]
fn honest_hives_pass() {
    for seed in 0..6 {
        let mut hive = Hive::new(seed);
        hive.live(400);
        let first = hive.entries();
        hive.live_on(300);
        let mut log = Log::of(hive.entries());
        hive.stop();
        let mut told = Vec::new();
        let verdict = audit(&mut Log::of(first.clone()), &Terms::default(), |done, size| told.push((done, size)));
        assert!(verdict.holds(), "seed {seed}: {verdict}");
        assert_eq!(told.last(), Some(&(first.len() as u64, first.len() as u64)));
        let last = verdict.visit.unwrap();
        assert_eq!(Visit::parse(&last.to_string()), Ok(last.clone()));
        let fee = FeeRate::from_percent("0.001").ok();
        let verdict = audit(&mut log, &Terms { last: Some(last), fee, ..Terms::default() }, |_, _| {});
        assert!(verdict.holds(), "seed {seed}: {verdict}");
        assert_eq!(verdict.follows, Some(first.len() as u64));
        let figures = verdict.figures;
        assert!(figures.holds_placed > 20 && figures.keys > 4 && figures.supply.units() > 0, "{figures:?}");
        assert_eq!(figures.supply.units(), figures.minted.units() + figures.rewards.units());
    }
}

#[test]
fn journals_of_every_version_pass() {
    let journals =
        [(include_str!("../../engine/tests/journal/version-1.txt"), 19), (include_str!("../../engine/tests/journal/version-2.txt"), 19)];
    for (text, records) in journals {
        let mut log = Log::of(entries_of_rows(text));
        let verdict = audit(&mut log, &Terms { fee: FeeRate::from_percent("0.001").ok(), ..Terms::default() }, |_, _| {});
        assert!(verdict.holds() && verdict.figures.records == records, "{verdict}");
    }
}
