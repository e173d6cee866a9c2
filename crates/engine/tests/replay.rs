//! Replaying the journal gives the same state, bit for bit: from the first record, from a snapshot, and in `verify`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

mod hive;

use std::sync::Arc;

use hive::{FaultyStore, Hive, allocate, block_on, report, start_time, transfer};
use lab3_engine::{Command, Limits, ManualClock, Span, StartError, Store, verify};
use lab3_ledger::Purpose;
use lab3_units::{Asset, Duration, Owner};

/// A few hundred commands of every kind, with holds that end in every way.
fn live_a_day(hive: &Hive) {
    for name in ["alice", "bob", "carol"] {
        hive.mint(name, 1000);
    }
    for round in 0..100 {
        hive.submit(None, Command::Transfer(transfer("alice", "bob", 1000 + round))).unwrap();
        let allocation = hive.submit(None, allocate("carol", 100)).unwrap().stored.record.id;
        match round % 3 {
            0 => drop(hive.submit(None, report("carol", "anthropic_claude", Some(allocation), 1000)).unwrap()),
            1 => drop(hive.submit(None, Command::Release(allocation)).unwrap()),
            _ => hive.clock.advance(Duration::from_secs(400)),
        }
    }
    hive.submit(None, Command::CloseEpoch(lab3_finance::CloseEpoch { epoch: Some(1) })).unwrap();
}

#[test]
fn replay_and_snapshot_give_the_state_the_live_engine_had() {
    let limits = Limits { snapshot_every_records: 50, ..Limits::default() };
    let hive = Hive::open(FaultyStore::default(), Arc::new(ManualClock::new(start_time())), limits);
    live_a_day(&hive);
    let live = hive.state_hash();
    hive.engine.stop();
    let verified = verify(&hive.store, |_| {}).unwrap();
    assert_eq!(verified.state_hash, live);
    assert!(!hive.store.snapshots().list().unwrap().is_empty());
    let again = Hive::open(hive.store.clone(), hive.clock.clone(), Limits::default());
    assert_eq!(again.state_hash(), live);
    again.engine.stop();
    for snapshot in hive.store.snapshots().list().unwrap() {
        hive.store.snapshots().remove(snapshot).unwrap();
    }
    let from_the_first = Hive::open(hive.store.clone(), hive.clock.clone(), Limits::default());
    assert_eq!(from_the_first.state_hash(), live);
}

#[test]
fn a_changed_byte_stops_the_start_and_names_the_record() {
    let hive = Hive::new();
    live_a_day(&hive);
    hive.engine.stop();
    let rows = hive.store.memory.reader().unwrap().rows_from(1, 10_000).unwrap();
    let changed = &rows[rows.len() / 2];
    let store = FaultyStore::default();
    for row in &rows {
        let mut row = row.clone();
        if row.first == changed.first {
            *row.body.last_mut().unwrap() ^= 1;
        }
        store.journal().unwrap().append(&[row]).unwrap();
    }
    let clock = Arc::new(ManualClock::new(start_time()));
    let policy = lab3_engine::Policy::default();
    match lab3_engine::Engine::start(Arc::new(store), policy, clock, Limits::default()) {
        Err(StartError::Damaged(damage)) => assert_eq!(damage.sequence, changed.last()),
        other => panic!("started all the same: {other:?}"),
    }
}

#[test]
fn a_snapshot_of_another_journal_is_ignored() {
    let (one, other) = (Hive::new(), Hive::new());
    live_a_day(&one);
    other.mint("mallory", 1_000_000);
    for _ in 0..2000 {
        other.mint("mallory", 1);
    }
    let (live, foreign) = (one.state_hash(), block_on(other.engine.freeze()).unwrap());
    one.engine.stop();
    let mut foreign_at_our_place = foreign;
    foreign_at_our_place.sequence = 100;
    let save = |out: &mut dyn std::io::Write| foreign_at_our_place.write(out, &[0; 32]);
    one.store.snapshots().save(100, &mut { save }).unwrap();
    let again = Hive::open(one.store.clone(), one.clock.clone(), Limits::default());
    assert_eq!(again.state_hash(), live);
}

#[test]
fn holds_expire_on_the_engines_clock_alone() {
    let hive = Hive::new();
    let allocation = hive.submit(None, allocate("alice", 5000)).unwrap().stored;
    let is_open = |hive: &Hive| {
        let id = allocation.record.id;
        block_on(hive.engine.read(move |desk| desk.state.ledger.hold(id).is_some())).unwrap()
    };
    hive.clock.advance(Duration::from_secs(899));
    assert!(is_open(&hive));
    hive.clock.advance(Duration::from_secs(1));
    assert!(!is_open(&hive));
    let ended = block_on(hive.engine.ending(allocation.sequence)).unwrap().unwrap();
    assert!(matches!(ended.record.fact, lab3_engine::Fact::Compute(lab3_compute::Fact::Expired(_))));
    let late = hive.submit(None, report("alice", "anthropic_claude", Some(allocation.record.id), 75_000)).unwrap();
    assert!(hive.submit(None, report("alice", "anthropic_claude", Some(allocation.record.id), 75_000)).unwrap().replayed);
    assert!(!late.replayed);
}

#[test]
fn the_past_is_answered_as_it_was() {
    let hive = Hive::new();
    hive.mint("alice", 10);
    let mut known = Vec::new();
    for units in 1..=700 {
        let done = hive.submit(None, Command::Transfer(transfer("alice", "bob", units))).unwrap();
        known.push((done.stored.sequence, hive.standing("alice")));
    }
    let owner = Owner::from(&hive::did("alice"));
    let wallet =
        block_on(hive.engine.read(move |desk| desk.state.ledger.find(owner.as_str(), Asset::MIC, Purpose::Wallet))).unwrap().unwrap();
    for (sequence, standing) in &known {
        assert_eq!(block_on(hive.engine.standing_at(wallet, *sequence)).unwrap(), *standing);
    }
    let newest = block_on(hive.engine.history(wallet, Span::Before(u64::MAX), 50)).unwrap();
    assert_eq!(newest.first().map(|entry| entry.sequence), known.last().map(|known| known.0));
    let oldest = block_on(hive.engine.history(wallet, Span::After(0), 2)).unwrap();
    assert_eq!(oldest.iter().map(|entry| entry.balance).collect::<Vec<_>>(), [10_000_000, known[0].1.0]);
    assert_eq!(block_on(hive.engine.standing_at(wallet, 0)).unwrap(), (0, 0));
}
