//! A long journal replays to the state the live desk had.
//!
//! The journal is made quickly, through batches of 8,000 transfers between a thousand wallets, with snapshots on the way. Shown: the
//! hash of the live state is the hash of a replay from the first record, and of a start from the last snapshot; every balance
//! the clients know of is there; and the keys of the first batches, long out of memory, are still known. It fails when anything the
//! live desk knows is not in the journal, or depends on the order of a map, a clock or a configuration that changed since.
//!
//! `LAB3_RECORDS` sets how many records (150,000, some more than keys are kept in memory for; 1,000,000 in `make faults`).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "outside of #[test] functions clippy does not see that this is a test"
)]

use std::collections::BTreeMap;

use lab3_tests::amount::ks;
use lab3_tests::money::fee;
use lab3_tests::write::{TRANSFERS, Write, transfer};
use lab3_tests::{Client, Desk, Dice, Done, Folder, audit, setting};
use serde_json::json;

const BATCH: u64 = 8000;
const WALLETS: u32 = 1000;

#[test]
fn a_long_journal_replays_to_the_live_state() {
    let folder = Folder::new("replay");
    let data = folder.at("data");
    let desk = Desk::open_with(&data, &["--set", "engine.snapshot_every_records=30000"]);
    let (balances, batches) = fill(&desk.client(), setting("LAB3_RECORDS", 150_000));
    let head = desk.client().head();
    desk.stop();
    audit::verify(&data, &head);
    // Other rules from here on: what happened stays as it was.
    let desk = Desk::open_with(&data, &["--set", "finance.fee_percent=1", "--set", "journal.verify_on_start=tail"]);
    let again = desk.client().head();
    assert_eq!((&again["sequence"], &again["state_hash"]), (&head["sequence"], &head["state_hash"]));
    assert!(again["snapshot_sequence"].as_u64().unwrap() > 0, "no snapshot was made: {again}");
    for (did, expected) in balances.iter().step_by(17) {
        let balance = desk.client().ask(&format!("/lab3/financial/balance/{did}"));
        assert_eq!(ks(&balance["balance_gic"]), *expected, "{did}");
    }
    for done in &batches {
        let reply = desk.client().post(TRANSFERS, Some(&done.write.key), &done.write.body).unwrap();
        assert!((reply.status, &reply.body) == (200, &done.reply), "{} was answered otherwise", done.write.key);
    }
    assert_eq!(desk.client().head()["state_hash"], head["state_hash"], "asking again changed something");
    println!("{} records replayed", head["sequence"]);
    desk.stop();
}

/// Writes so many records; what every wallet must have then, and some of the batches.
fn fill(client: &Client, records: u64) -> (BTreeMap<String, i64>, Vec<Done>) {
    let (mut balances, mut batches) = (BTreeMap::new(), Vec::new());
    let mut dice = Dice::new(3);
    let did = |no: u32| format!("did:kaizen:wallet{no}");
    for no in 0..WALLETS {
        client.mint(&did(no), 1_000_000);
        balances.insert(did(no), 1_000_000_000_000);
    }
    for batch in 0..records.div_ceil(BATCH) {
        let mut items = Vec::new();
        for _ in 0..BATCH {
            let (from, ahead, amount) = (dice.below(WALLETS), 1 + dice.below(WALLETS - 1), i64::from(1 + dice.below(1_000_000)));
            let (from, to) = (did(from), did((from + ahead) % WALLETS));
            *balances.get_mut(&from).unwrap() -= amount + fee(amount);
            *balances.get_mut(&to).unwrap() += amount;
            items.push(transfer(&from, &to, amount, ""));
        }
        let write = Write::new(format!("batch-{batch}"), TRANSFERS, json!({ "transfers": items }));
        let reply = client.write(TRANSFERS, Some(&write.key), &write.body);
        assert_eq!(reply["accepted"], BATCH, "batch {batch}");
        if batch % 20 == 0 {
            batches.push(Done { write, status: 200, reply });
        }
    }
    (balances, batches)
}
