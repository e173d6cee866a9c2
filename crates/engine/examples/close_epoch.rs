//! How long the writer stands still while an epoch is closed, and how long a proof of a balance takes: with so many accounts, in memory.
//!
//! `cargo run --release -p lab3-engine --example close_epoch [accounts ...]`, 10,000, 100,000 and a million when nothing is said.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement that cannot go on says so by panicking, and prints what it found"
)]

use std::sync::Arc;
use std::time::Instant;

use lab3_engine::{Actor, Command, Engine, Limits, MemoryStore, Policy, Submission, SystemClock};
use lab3_finance::{CloseEpoch, Mint};
use lab3_ledger::Purpose;
use lab3_units::{Amount, Asset, Did, Id, Owner};

/// Mints sent at once.
const BATCH: u64 = 8000;

/// Epochs closed.
const ROUNDS: u64 = 7;

fn did(number: u64) -> Did {
    Did::parse(&format!("did:kaizen:citizen{number}")).unwrap()
}

fn submission(number: u64, command: Command) -> Submission {
    let high = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    Submission::new(Actor::Open, None, Id::from_bytes((u128::from(high) << 64 | u128::from(number)).to_be_bytes()), command)
}

async fn measure(accounts: u64) {
    let engine = Engine::start(Arc::new(MemoryStore::new()), Policy::default(), Arc::new(SystemClock), Limits::default()).unwrap();
    for batch in (0..accounts).step_by(usize::try_from(BATCH).unwrap()) {
        let mint = |number| Mint { to: did(number), amount: Amount::new(50_000_000), reason: "".into() };
        let items = (batch..accounts.min(batch + BATCH)).map(|number| submission(number, Command::Mint(mint(number)))).collect();
        engine.submit_batch(None, items).await.unwrap();
    }
    // The least of a few: what else the machine does is not what is measured.
    let mut closed = std::time::Duration::MAX;
    for round in 0..ROUNDS {
        let timed = Instant::now();
        engine.submit(submission(u64::MAX - round, Command::CloseEpoch(CloseEpoch::default()))).await.unwrap();
        closed = closed.min(timed.elapsed());
    }
    let prove = async |number| {
        let timed = Instant::now();
        // Making the balances again may take longer than a request waits.
        while engine.balance_proof(Owner::from(&did(number)), Asset::MIC, Purpose::Wallet, None).await.is_err() {}
        timed.elapsed()
    };
    let (first, next) = (prove(0).await, prove(accounts / 2).await);
    println!("{accounts} accounts: closed in {closed:.1?}, first proof in {first:.1?}, next in {next:.1?}");
    engine.stop();
}

fn main() {
    let said: Vec<u64> = std::env::args().skip(1).map(|text| text.parse().unwrap()).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build().unwrap();
    for accounts in if said.is_empty() { vec![10_000, 100_000, 1_000_000] } else { said } {
        runtime.block_on(measure(accounts));
    }
}
