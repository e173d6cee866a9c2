//! What is acknowledged is never lost or done twice, and what was decided on a journal that failed never happened.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

mod hive;

use std::time::{Duration, Instant};

use hive::{Fault, Hive, key, transfer};
use lab3_engine::{Command, Committed};
use lab3_units::{Code, Problem};

/// Repeats with the same key until the journal can be written again, as a client does.
fn until_written(hive: &Hive, attempt: impl Fn(&Hive) -> Result<Committed, Problem>) -> Committed {
    let started = Instant::now();
    loop {
        match attempt(hive) {
            Ok(committed) => return committed,
            Err(problem) => assert!(problem.code().status() == 503 && started.elapsed() < Duration::from_secs(20), "{problem}"),
        }
    }
}

#[test]
fn a_lost_append_is_as_if_it_never_was() {
    let hive = Hive::new();
    hive.mint("alice", 100);
    let before = hive.state_hash();
    hive.store.set(Fault::Lost);
    let command = || Command::Transfer(transfer("alice", "bob", 1_000_000));
    let failed = hive.submit(Some(key("k", 1)), command()).unwrap_err();
    assert_eq!(failed.code(), Code::OUTCOME_UNKNOWN);
    assert_eq!(hive.state_hash(), before);
    hive.store.set(Fault::None);
    let done = until_written(&hive, |hive| hive.submit(Some(key("k", 1)), command()));
    assert!(!done.replayed);
    assert_eq!(hive.balance("bob"), 1_000_000);
}

#[test]
fn an_append_that_failed_but_was_written_is_found_by_its_key() {
    let hive = Hive::new();
    hive.mint("alice", 100);
    hive.store.set(Fault::WrittenAllTheSame);
    let command = || Command::Transfer(transfer("alice", "bob", 1_000_000));
    assert_eq!(hive.submit(Some(key("k", 1)), command()).unwrap_err().code(), Code::OUTCOME_UNKNOWN);
    let done = until_written(&hive, |hive| hive.submit(Some(key("k", 1)), command()));
    assert!(done.replayed);
    assert_eq!(hive.balance("bob"), 1_000_000);
}

#[test]
fn replies_wait_for_the_journal_and_questions_do_not_see_what_may_be_lost() {
    let hive = Hive::new();
    hive.mint("alice", 100);
    hive.store.set(Fault::Lost);
    let unknown = hive.submit(None, Command::Transfer(transfer("alice", "bob", 1_000_000)));
    assert!(unknown.is_err());
    assert_eq!((hive.balance("alice"), hive.balance("bob")), (100_000_000, 0));
}

#[test]
fn who_does_not_wait_for_the_journal_is_answered_by_what_it_may_lose() {
    let hive = Hive::new();
    hive.mint("alice", 100);
    let ahead = |hive: &Hive| {
        let command = Command::Transfer(transfer("alice", "bob", 1_000_000));
        hive::block_on(hive.engine.submit_ahead(hive::submission(None, command)))
    };
    assert!(ahead(&hive).is_ok());
    assert_eq!(hive.balance("bob"), 1_000_000);
    hive.store.set(Fault::Lost);
    assert!(ahead(&hive).is_ok(), "the append fails, but it is not waited for");
    // A question waits for what it saw, or is asked again of the state that was loaded.
    let started = Instant::now();
    while hive::block_on(hive.engine.freeze()).is_err() {
        assert!(started.elapsed() < Duration::from_secs(20));
    }
    assert_eq!(hive.balance("bob"), 1_000_000);
}
