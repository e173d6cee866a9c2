//! Right after a start, before anything is written, the past is answered: the views catch up by themselves.
//!
//! It fails when the follower looks for work before it is told how far the journal goes, and then waits for a write to wake it. That is a
//! race, so there are many starts.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod hive;

use hive::{Hive, block_on};
use lab3_engine::Span;
use lab3_ledger::Purpose;
use lab3_units::{Asset, Owner};

const STARTS: u32 = 1500;

#[test]
fn views_catch_up_after_a_start_without_a_write() {
    let mut hive = Hive::new();
    hive.mint("alice", 1);
    let owner = Owner::from(&hive::did("alice"));
    let find = move |desk: &lab3_engine::Desk<'_>| desk.state.ledger.find(owner.as_str(), Asset::MIC, Purpose::Wallet);
    let wallet = block_on(hive.engine.read(find)).unwrap().unwrap();
    for start in 1..=STARTS {
        hive = hive.restart();
        let history = block_on(hive.engine.history(wallet, Span::Before(u64::MAX), 10));
        let len = history.map(|entries| entries.len());
        assert_eq!(len, Ok(1), "after start {start}");
    }
}
