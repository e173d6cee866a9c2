//! Energy on the books of a running engine: a settlement and its draw are one, jobs are promised once and end by themselves, keys count once.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

mod hive;

use hive::{Fault, Hive, allocate, block_on, book, did, draw, key, report, submission};
use lab3_energy::Fact as Energy;
use lab3_engine::{Actor, Command, Fact, Stored, Submission, draw_id};
use lab3_ledger::Purpose;
use lab3_units::{Asset, Code, Duration, Id};

/// What somebody has used, in mWh and mg.
fn used(hive: &Hive, name: &str) -> (i64, i64) {
    let owner = did(name);
    let look = move |desk: &lab3_engine::Desk<'_>| {
        let ledger = &desk.state.ledger;
        let of = |asset| ledger.find(owner.as_str(), asset, Purpose::Usage).and_then(|no| ledger.account(no));
        let units = |asset| of(asset).map_or(0, |account| account.balance().units());
        (units(Asset::ENERGY), units(Asset::CARBON))
    };
    block_on(hive.engine.read(look)).unwrap()
}

fn held(hive: &Hive) -> i64 {
    let look = |desk: &lab3_engine::Desk<'_>| {
        let ledger = &desk.state.ledger;
        let site = ledger.find("hive:energy", Asset::ENERGY, Purpose::Issuance).and_then(|no| ledger.account(no));
        site.map_or(0, |account| account.held().units())
    };
    block_on(hive.engine.read(look)).unwrap()
}

fn find(hive: &Hive, id: Id) -> Option<Stored> {
    block_on(hive.engine.find(id)).unwrap()
}

/// Settles an allocation, with what it drew.
fn settle(hive: &Hive, allocation: Id) -> Result<lab3_engine::Committed, lab3_units::Problem> {
    let report = report("alice", "anthropic_claude", Some(allocation), 10);
    block_on(hive.engine.submit(Submission { draw: Some(draw("alice", Some(allocation), true)), ..submission(None, report) }))
}

#[test]
fn what_a_query_drew_is_booked_right_behind_its_settlement_and_once() {
    let hive = Hive::new();
    let allocation = hive.submit(None, allocate("alice", 100)).unwrap().stored.record.id;
    let settled = settle(&hive, allocation).unwrap();
    assert_eq!(used(&hive, "alice"), (300, 120), "0.3 Wh at 400 g a kWh");
    assert!(settle(&hive, allocation).unwrap().replayed);
    assert_eq!(used(&hive, "alice"), (300, 120));
    let drawn = find(&hive, draw_id(allocation)).unwrap();
    assert_eq!((drawn.sequence, drawn.record.actor), (settled.stored.sequence + 1, Actor::Engine));
    let Fact::Energy(Energy::Drawn(fact)) = drawn.record.fact else { panic!("{:?}", drawn.record.fact) };
    assert_eq!(fact.allocation, Some(allocation));
    let refused = settle(&hive, Id::from_bytes([9; 16])).unwrap_err();
    assert_eq!(refused.code(), Code::ALLOCATION_UNKNOWN);
    assert_eq!(used(&hive, "alice"), (300, 120), "what was refused drew nothing");
    let hash = hive.state_hash();
    assert_eq!(hive.restart().state_hash(), hash);
}

#[test]
fn a_settlement_that_is_lost_loses_its_draw_too() {
    let hive = Hive::new();
    let allocation = hive.submit(None, allocate("alice", 100)).unwrap().stored.record.id;
    hive.store.set(Fault::Lost);
    assert_eq!(settle(&hive, allocation).unwrap_err().code(), Code::OUTCOME_UNKNOWN);
    hive.store.set(Fault::None);
    let hive = hive.restart();
    assert_eq!((used(&hive, "alice"), find(&hive, draw_id(allocation)).is_some()), ((0, 0), false));
    settle(&hive, allocation).unwrap();
    assert_eq!(used(&hive, "alice"), (300, 120));
}

#[test]
fn jobs_are_holds_that_keep_their_key_and_end_by_themselves() {
    let hive = Hive::new();
    let now = block_on(hive.engine.read(|desk| desk.now)).unwrap();
    let (key, other) = (key("jobs", 7), Id::from_bytes([2; 16]));
    let again = || block_on(hive.engine.submit(Submission::new(Actor::Open, Some(key), key.id, book("bob", &[key.id, other], now))));
    let booked = again().unwrap();
    assert_eq!(held(&hive), 2_000_000, "two kWh are set aside");
    assert!(again().unwrap().replayed);
    assert_eq!(held(&hive), 2_000_000);
    assert_eq!(find(&hive, other).unwrap().sequence, booked.stored.sequence, "each job is found by its own id");
    hive.clock.advance(Duration::from_secs(3 * 86_400));
    let hash = hive.state_hash();
    assert_eq!((held(&hive), used(&hive, "bob")), (0, (0, 0)), "nobody told that they ran");
    let jobs = block_on(hive.engine.read(|desk| desk.state.energy.jobs().count())).unwrap();
    assert_eq!(jobs, 0);
    let released = hive.submit(None, Command::Energy(lab3_engine::Energy::ReleaseJob(other))).unwrap_err();
    assert_eq!(released.code(), Code::BOOKING_UNKNOWN);
    assert_eq!(hive.restart().state_hash(), hash);
}
