//! The rules a Hive changes itself: they hold for what is decided next, through restarts and failed appends, and replay never looks at them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

mod hive;

use std::sync::Arc;
use std::time::{Duration, Instant};

use hive::{Fault, Hive, did, mic_of};
use lab3_engine::{Command, Engine, HiveRule, Limits, Order, Policy};
use lab3_finance::Transfer;
use lab3_trust::{ChangePolicy, PolicyLines, Principal};
use lab3_units::{Amount, Code, FeeRate, Problem};

fn set(hive: &Hive, name: &str, value: &str) -> Result<(), Problem> {
    let lines = PolicyLines::new([(name, value)]).unwrap();
    let order = Order { principal: Principal::Local, command: ChangePolicy { lines, approval: None }.into() };
    hive.submit(None, Command::Trust(Box::new(order))).map(drop)
}

/// What a transfer of 100 MIC takes on top, in KS.
fn fee(hive: &Hive) -> i64 {
    let before = hive.balance("alice");
    let transfer = Transfer { from: did("alice"), to: did("bob"), amount: mic_of(100), reason: "".into() };
    hive.submit(None, Command::Transfer(transfer)).unwrap();
    before - hive.balance("alice") - 100_000_000
}

#[test]
fn a_rule_holds_from_its_record_on_and_after_a_restart_with_another_configuration() {
    let hive = Hive::new();
    hive.mint("alice", 10_000);
    assert_eq!(fee(&hive), 1000);
    set(&hive, "finance.fee_percent", "1").unwrap();
    assert_eq!((fee(&hive), hive.engine.policy().finance.fee), (1_000_000, FeeRate::from_percent("1").unwrap()));
    assert_eq!(hive.engine.configured().finance.fee, FeeRate::from_percent("0.001").unwrap());
    let before = hive.state_hash();
    hive.engine.stop();
    let mut other = Policy::default();
    (other.finance.fee, other.unsigned_max) = (FeeRate::from_percent("5").unwrap(), Amount::new(7));
    let engine = Engine::start(Arc::new(hive.store.clone()), other, hive.clock.clone(), Limits::default()).unwrap();
    let hive = Hive { engine, ..hive };
    assert_eq!(hive.state_hash(), before, "the replay looked at today's rules");
    assert_eq!((fee(&hive), hive.engine.policy().unsigned_max), (1_000_000, Amount::new(7)));
    set(&hive, "finance.fee_percent", "default").unwrap();
    assert_eq!(fee(&hive), 5_000_000);
}

#[test]
fn what_the_list_does_not_have_is_refused() {
    let hive = Hive::new();
    let before = hive.state_hash();
    for (name, value, code) in [("finance.fees", "1", Code::FIELD_UNKNOWN), ("finance.fee_percent", "101", Code::FIELD_RANGE)] {
        let problem = set(&hive, name, value).unwrap_err();
        assert_eq!((problem.code(), problem.field.as_deref()), (code, Some(name)));
    }
    assert_eq!(hive.state_hash(), before);
}

#[test]
fn a_change_that_was_not_made_durable_is_not_in_force() {
    let hive = Hive::new();
    hive.store.set(Fault::Lost);
    assert_eq!(set(&hive, "finance.fee_percent", "1").unwrap_err().code(), Code::OUTCOME_UNKNOWN);
    hive.store.set(Fault::None);
    // The writer pauses before it takes another; what it takes then it decides by what is durable.
    let started = Instant::now();
    while let Err(problem) = set(&hive, "finance.grants", "governed") {
        assert!(problem.code() == Code::JOURNAL_UNAVAILABLE && started.elapsed() < Duration::from_secs(20), "{problem:?}");
    }
    let standing = HiveRule::named("finance.fee_percent").unwrap().standing(hive.engine.configured(), &hive.engine.trust());
    assert!(!standing.set && hive.engine.policy().finance.fee == hive.engine.configured().finance.fee, "{standing:?}");
}
