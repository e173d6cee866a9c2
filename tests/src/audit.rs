//! The audit after a fault: what clients were told against what the desk's books say, to the KS.

use serde_json::Value;

use crate::amount::ks;
use crate::money::{POOL_KS, QUOTA_KS};
use crate::worker::check_same;
use crate::{Client, Desk, Done, Journal, Tally, binary};

/// Everything: balances and allowances, the same key again, the live state's hash against a replay's, and record by record.
pub fn audit(desk: Desk, data: &str, done: &[&Done]) {
    let (client, tally) = (desk.client(), Tally::of(done.iter().copied()));
    compare_books(&client, &tally);
    ask_again(&client, done);
    let head = client.head();
    compare_books(&client, &tally);
    desk.stop();
    verify(data, &head);
    compare_records(&Journal::of(data), &tally);
}

/// Every balance and allowance is what the acknowledged writes add up to.
fn compare_books(client: &Client, tally: &Tally) {
    for (did, &expected) in &tally.wallets {
        let balance = client.ask(&format!("/lab3/financial/balance/{did}"));
        assert_eq!((ks(&balance["balance_gic"]), ks(&balance["held_gic"])), (expected, 0), "the wallet of {did}");
    }
    for (did, &(held, used)) in &tally.quotas {
        let quota = client.ask(&format!("/lab3/compute/quota/{did}"));
        let found = ["quota_remaining_gic", "held_gic", "used_gic"].map(|name| ks(&quota[name]));
        assert_eq!(found, [QUOTA_KS - held - used, held, used], "the allowance of {did}");
    }
    let pool = client.ask("/lab3/financial/pool");
    assert_eq!((ks(&pool["pool_balance_gic"]), ks(&pool["total_gic_supply"])), (tally.pool(), POOL_KS + tally.minted));
    let wallets = tally.wallets.values().sum::<i64>();
    assert_eq!(wallets + tally.pool(), POOL_KS + tally.minted, "the clients' own account does not add up");
}

/// Repeated under their keys, writes are answered as before; some thousand of them, the last ones all.
fn ask_again(client: &Client, done: &[&Done]) {
    let every = (done.len() / 3000).max(1);
    for (at, done) in done.iter().enumerate().filter(|(at, _)| at % every == 0 || at + 300 > done.len()) {
        let again = client.post(&done.write.path, Some(&done.write.key), &done.write.body).unwrap();
        assert_ne!(again.status, 503, "write {at}: {again:?}");
        check_same(done, &again);
    }
}

/// The chain is whole, and replaying it gives the state the live desk had.
pub fn verify(data: &str, head: &Value) {
    let verified: Value = serde_json::from_str(&binary::succeed(&["journal", "verify", "--json", "--data", data])).unwrap();
    assert_eq!(verified["records"], head["sequence"]);
    assert_eq!(verified["record_hash"], head["record_hash"]);
    assert_eq!(verified["state_hash"], head["state_hash"], "the replay gives another state than the live desk had");
}

/// Every acknowledged write stands in the record its reply named, and there is no record nobody asked for.
fn compare_records(journal: &Journal, tally: &Tally) {
    for (&sequence, &fact) in &tally.sequences {
        let record = usize::try_from(sequence - 1).ok().and_then(|at| journal.0.get(at));
        assert_eq!(record.map(|record| record.fact.as_str()), Some(fact), "record {sequence}");
    }
    let facts = journal.facts();
    let count = |fact: &str| facts.get(fact).copied().unwrap_or(0);
    let named = u64::try_from(tally.sequences.len()).unwrap();
    assert_eq!((count("opened"), count("inscribed"), count("refused"), count("batch")), (1, 1, tally.refused, tally.batches), "{facts:?}");
    assert_eq!(facts.values().sum::<u64>(), 2 + named + tally.refused + tally.batches, "records nobody asked for: {facts:?}");
}
