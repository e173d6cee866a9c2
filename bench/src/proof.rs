//! The proof of one entry: a journal of ten million transfers on disk, then the file `GET /lab3/log/proof/{tx_id}` answers with for random
//! ones of them, made in process by the same calls. Each is checked. Beside it the hashes alone that such a proof has to compute.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lab3_engine::{Actor, Command, Engine, Key, Limits, Policy, Submission, SystemClock};
use lab3_finance::{Mint, Transfer};
use lab3_store::SqliteStore;
use lab3_tlog::{Checkpoint, Note, ProofFile, Signer, Tree, Trust, leaf_hash};
use lab3_units::{Amount, Did, Id};

use crate::Failure;
use crate::machine;
use crate::random::Random;
use crate::spread::Times;

const ORIGIN: &str = "hive.example/jn_06f2x1w0v7r9h3kz8q5d4c2bgm";
const CITIZENS: u64 = 10_000;
const BATCH: u64 = 5000;

#[derive(clap::Args)]
pub struct Args {
    /// Records in the journal
    #[arg(long, default_value_t = 10_000_000)]
    records: u64,
    /// Proofs made in a round
    #[arg(long, default_value_t = 2000)]
    proofs: u64,
    /// Rounds
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Folder to write in
    #[arg(long, default_value = "target/bench-proof")]
    folder: std::path::PathBuf,
}

pub fn run(args: &Args) -> Result<(), Failure> {
    let _ = std::fs::remove_dir_all(&args.folder);
    let result = measure(args, &args.folder);
    let _ = std::fs::remove_dir_all(&args.folder);
    result
}

fn measure(args: &Args, folder: &Path) -> Result<(), Failure> {
    let engine = Engine::start(Arc::new(SqliteStore::open(folder)?), Policy::default(), Arc::new(SystemClock), Limits::default())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let started = Instant::now();
    runtime.block_on(write(&engine, args.records))?;
    while engine.status().followed < engine.status().sequence {
        std::thread::sleep(Duration::from_millis(5));
    }
    println!("proof: {} records written in {:.1?}", engine.status().sequence, started.elapsed());
    let signer = Signer::new(ORIGIN, &[7; 32])?;
    let note = runtime.block_on(sign(&engine, &signer))?;
    let trust = Trust { origin: ORIGIN.to_owned(), log: signer.verifier().clone(), witnesses: Vec::new() };
    for round in 0..args.rounds {
        let mut random = Random(round as u64 + 1);
        let (mut looks, mut times, mut cpu, mut bytes_max) = (Vec::new(), Vec::new(), Duration::ZERO, 0);
        for _ in 0..args.proofs {
            let id = id(random.below(args.records));
            let started = Instant::now();
            let stored = runtime.block_on(engine.find(id))?.ok_or("there is no such record")?;
            looks.push(started.elapsed());
            let (started, before) = (Instant::now(), machine::cpu_nanos());
            let file = runtime.block_on(proof(&engine, stored.sequence, &note))?;
            times.push(started.elapsed());
            cpu += machine::cpu_nanos().saturating_sub(before);
            let read = ProofFile::parse(file.as_bytes())?;
            read.verify(&leaf_hash(read.extra.as_deref().unwrap_or_default()), &trust)?;
            bytes_max = bytes_max.max(file.len());
        }
        let cpu = cpu / u32::try_from(args.proofs)?;
        let [looks, times, hashes] = [looks, times, hashes()].map(Times::of);
        println!("round {round}: {times}, {cpu:.1?} of processor each, at most {bytes_max} bytes");
        println!("         to find the record by its id: {looks}; 511 SHA-256 alone: {hashes}");
    }
    engine.stop();
    Ok(())
}

/// The file, by the calls of the endpoint once it has found the record.
async fn proof(engine: &Engine, sequence: u64, note: &Note) -> Result<String, Failure> {
    let size = Checkpoint::parse(note.text())?.size;
    let (log, index) = (engine.log(), sequence - 1);
    let proof = log.inclusion(index, size).await?;
    let extra = log.entries(sequence..sequence + 1).await?.pop();
    Ok(ProofFile { extra, index, proof, note: note.clone() }.to_string())
}

async fn sign(engine: &Engine, signer: &Signer) -> Result<Note, Failure> {
    let head = engine.log().head().await?;
    Ok(Checkpoint { origin: ORIGIN.to_owned(), size: head.size, root: head.root, extensions: Vec::new() }.sign(signer)?)
}

/// What the hashes of a proof take: 256 leaves of the run it is in, and the tree over them.
fn hashes() -> Vec<Duration> {
    let entry = [7; 100];
    let once = || {
        let started = Instant::now();
        black_box(Tree::new((0..256).map(|_| leaf_hash(black_box(&entry))).collect()).root());
        started.elapsed()
    };
    (0..1000).map(|_| once()).collect()
}

async fn write(engine: &Engine, records: u64) -> Result<(), Failure> {
    let dids = (0..CITIZENS).map(|n| Did::parse(&format!("did:kaizen:citizen-{n}"))).collect::<Result<Vec<_>, _>>()?;
    let mints = (0..CITIZENS).zip(&dids).map(|(n, did)| {
        let mint = Mint { to: did.clone(), amount: Amount::new(1_000_000_000_000), reason: "bench".into() };
        Submission::new(Actor::Open, None, Id::from_bytes((u128::from(n) + 1).to_be_bytes()), Command::Mint(mint))
    });
    submit(engine, mints.collect()).await?;
    for first in (0..records).step_by(usize::try_from(BATCH)?) {
        submit(engine, (first..records.min(first + BATCH)).map(|n| transfer(&dids, n)).collect()).await?;
    }
    Ok(())
}

async fn submit(engine: &Engine, items: Vec<Submission>) -> Result<(), Failure> {
    engine.submit_batch(None, items).await?.into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok(())
}

/// The id of transfer `n`.
fn id(n: u64) -> Id {
    let mut random = Random(n ^ 0x5eed_5eed);
    Id::from_bytes((u128::from(random.next()) << 64 | u128::from(random.next())).to_be_bytes())
}

fn transfer(dids: &[Did], n: u64) -> Submission {
    let mut random = Random(n);
    let people = dids.len() as u64;
    let from = random.below(people);
    let to = (from + 1 + random.below(people - 1)) % people;
    let pick = |n: u64| usize::try_from(n).ok().and_then(|n| dids.get(n)).unwrap_or(&dids[0]).clone();
    let key = Key { id: id(n), fingerprint: n + 1 };
    let command = Command::Transfer(Transfer { from: pick(from), to: pick(to), amount: Amount::new(1000), reason: "for tomatoes".into() });
    Submission::new(Actor::Open, Some(key), key.id, command)
}
