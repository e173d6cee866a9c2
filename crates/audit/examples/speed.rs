//! How many records a second an audit checks: a journal of transfers, made by the engine in memory, read on one core.
//!
//! `cargo run --release -p lab3-audit --example speed [records]`, a million when nothing is said.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement that cannot go on says so by panicking, and prints what it found"
)]

use std::sync::Arc;
use std::time::Instant;

use lab3_audit::{Source, Terms, Unserved, audit};
use lab3_engine::{Actor, Command, Engine, Key, Limits, MemoryStore, Policy, Submission, SystemClock};
use lab3_finance::{Mint, Transfer};
use lab3_tlog::{Checkpoint, Frontier, Signer, encode_entries, leaf_hash};
use lab3_units::{Amount, Did, Id};

/// Citizens who pay each other.
const CITIZENS: u64 = 1000;

/// Transfers sent at once.
const BATCH: u64 = 8000;

struct Log {
    tiles: Vec<Vec<u8>>,
    key: String,
    note: Vec<u8>,
}

impl Source for Log {
    fn checkpoint(&mut self) -> Result<Vec<u8>, Unserved> {
        Ok(self.note.clone())
    }

    fn key(&mut self) -> Result<String, Unserved> {
        Ok(self.key.clone())
    }

    fn data_tile(&mut self, index: u64, _width: u16) -> Result<Vec<u8>, Unserved> {
        Ok(std::mem::take(&mut self.tiles[usize::try_from(index).unwrap()]))
    }

    fn tile(&mut self, _level: u8, _index: u64, _width: u16) -> Result<Vec<u8>, Unserved> {
        Err(Unserved("no tile of hashes".to_owned()))
    }
}

fn did(number: u64) -> Did {
    Did::parse(&format!("did:kaizen:citizen{number}")).unwrap()
}

fn id(number: u64) -> Id {
    let high = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    Id::from_bytes((u128::from(high) << 64 | u128::from(number)).to_be_bytes())
}

fn pay(number: u64) -> Submission {
    let (from, to) = (number % CITIZENS, (number * 7 + 1) % CITIZENS);
    let to = if to == from { (to + 1) % CITIZENS } else { to };
    let transfer = Transfer { from: did(from), to: did(to), amount: Amount::new(1000), reason: "for tomatoes".into() };
    let key = Key { id: id(number), fingerprint: number + 1 };
    Submission::new(Actor::Open, Some(key), key.id, Command::Transfer(transfer))
}

async fn live(engine: &Engine, records: u64) {
    for number in 0..CITIZENS {
        let mint = Mint { to: did(number), amount: Amount::new(1_000_000_000), reason: "welcome".into() };
        engine.submit(Submission::new(Actor::Open, None, id(1 << 40 | number), Command::Mint(mint))).await.unwrap();
    }
    let mut done = 0;
    while done < records {
        let until = (done + BATCH).min(records);
        for result in engine.submit_batch(None, (done..until).map(pay).collect()).await.unwrap() {
            result.unwrap();
        }
        done = until;
    }
}

async fn export(engine: &Engine) -> Log {
    while engine.find(id(0)).await.is_err() {}
    let size = engine.log().size();
    let mut tree = Frontier::new();
    let mut tiles = Vec::new();
    for first in (0..size).step_by(256) {
        let entries = engine.log().entries(first + 1..(first + 256).min(size) + 1).await.unwrap();
        for entry in &entries {
            tree.push(leaf_hash(entry), |_, _| {});
        }
        tiles.push(encode_entries(&entries).unwrap());
    }
    let signer = Signer::new("hive.example/jn_speed", &[7; 32]).unwrap();
    let checkpoint = Checkpoint { origin: "hive.example/jn_speed".to_owned(), size, root: tree.root(), extensions: Vec::new() };
    let note = checkpoint.sign(&signer).unwrap().to_string().into_bytes();
    Log { tiles, key: signer.verifier().to_string(), note }
}

fn main() {
    let records = std::env::args().nth(1).map_or(1_000_000, |count| count.parse().unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let engine = Engine::start(Arc::new(MemoryStore::new()), Policy::default(), Arc::new(SystemClock), Limits::default()).unwrap();
    let mut log = runtime.block_on(async {
        live(&engine, records).await;
        export(&engine).await
    });
    engine.stop();
    drop(engine);
    let bytes: usize = log.tiles.iter().map(Vec::len).sum();
    let begun = Instant::now();
    let verdict = audit(&mut log, &Terms::default(), |_, _| {});
    let seconds = begun.elapsed().as_secs_f64();
    print!("{verdict}");
    let count = u32::try_from(verdict.figures.records).map(f64::from).unwrap();
    println!("{count} records, {bytes} bytes, {seconds:.2} s: {:.0} records/s", count / seconds);
    assert!(verdict.holds());
}
