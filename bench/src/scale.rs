//! What growth costs: memory with a million accounts and a million open holds, requests a second there against a thousand
//! accounts, and the time to the first answer with ten million records behind a snapshot.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use lab3_engine::{Actor, Command, Engine, Limits, Policy, Submission, SystemClock};
use lab3_store::SqliteStore;
use lab3_units::{Amount, Did, Duration, Id};

use crate::Failure;
use crate::desk::Desk;
use crate::http::load;

const TRANSFER: &str = "/lab3/financial/transfer";

#[derive(clap::Args)]
pub struct Args {
    /// Accounts, each with one open hold
    #[arg(long, default_value_t = 1_000_000)]
    accounts: u64,
    /// Records behind the snapshot
    #[arg(long, default_value_t = 10_000_000)]
    records: u64,
    /// Rounds of wrk at each size
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Folder to write in
    #[arg(long, default_value = "target/bench-scale")]
    folder: PathBuf,
}

pub fn run(args: &Args) -> Result<(), Failure> {
    let _ = std::fs::remove_dir_all(&args.folder);
    std::fs::create_dir_all(&args.folder)?;
    memory(args)?;
    growth(args)?;
    start(args)?;
    let _ = std::fs::remove_dir_all(&args.folder);
    Ok(())
}

/// Opens an engine on the folder whose holds last a day, so that none ends while we measure.
fn engine(folder: &Path) -> Result<Engine, Failure> {
    let mut policy = Policy::default();
    policy.compute.hold = Duration::from_secs(86_400);
    Ok(Engine::start(Arc::new(SqliteStore::open(folder)?), policy, Arc::new(SystemClock), Limits::default())?)
}

fn citizen(n: u64) -> Result<Did, Failure> {
    Ok(Did::parse(&format!("did:kaizen:citizen-{n:07}"))?)
}

/// Submits `count` commands in batches of 5,000.
fn submit_all(engine: &Engine, count: u64, command: impl Fn(u64) -> Result<Command, Failure>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let all = (0..count).collect::<Vec<_>>();
    for part in all.chunks(5000) {
        let submission = |&n: &u64| {
            let fresh = Id::from_bytes((u128::from(n) << 64 | u128::from(count)).to_be_bytes());
            Ok(Submission::new(Actor::Operator, None, fresh, command(n)?))
        };
        let items = part.iter().map(submission).collect::<Result<Vec<_>, Failure>>()?;
        runtime.block_on(engine.submit_batch(None, items))?.into_iter().collect::<Result<Vec<_>, _>>()?;
    }
    Ok(())
}

fn allocate(n: u64) -> Result<Command, Failure> {
    Ok(Command::Allocate(lab3_compute::Allocate {
        citizen: citizen(n)?,
        tokens: 1000,
        priority: lab3_compute::Priority::Standard,
        min_quality: None,
        max_cost: None,
        preferred: None,
        explain: false,
    }))
}

/// Resident memory of the server with so many accounts and holds, right after it made them and after a restart.
fn memory(args: &Args) -> Result<(), Failure> {
    let folder = args.folder.join("holds");
    let engine = engine(&folder)?;
    let before = crate::machine::resident_mb(std::process::id());
    let started = Instant::now();
    submit_all(&engine, args.accounts, allocate)?;
    let made = started.elapsed();
    let resident = crate::machine::resident_mb(std::process::id());
    println!("{} accounts with an open hold each: made in {made:.1?}, {resident} MB resident (empty {before} MB)", args.accounts);
    engine.stop();
    drop(engine);
    let desk = Desk::lab3(&folder)?;
    println!("  served again: {} MB resident, first answer after {:.2?}", desk.resident_mb(), desk.first_answer);
    Ok(())
}

/// Transfers a second with a thousand citizens and with so many, in turn.
fn growth(args: &Args) -> Result<(), Failure> {
    let (small, large) = (Desk::lab3(&args.folder.join("small"))?, Desk::lab3(&args.folder.join("large"))?);
    small.mint_for(1000)?;
    large.mint_for(args.accounts)?;
    let mut ratios = Vec::new();
    for _ in 0..args.rounds {
        let few = load(&small, "transfer", TRANSFER, 64, 5, 1000)?.rate;
        let many = load(&large, "transfer", TRANSFER, 64, 5, args.accounts)?.rate;
        println!("  {few:.0}/s with 1,000 accounts, {many:.0}/s with {}", args.accounts);
        ratios.push(many / few);
    }
    ratios.sort_by(f64::total_cmp);
    println!("growth: median ratio {:.3} (from {:.3} to {:.3})", ratios[ratios.len() / 2], ratios[0], ratios[ratios.len() - 1]);
    Ok(())
}

/// Time to the first answer of a server with so many records behind its snapshot.
fn start(args: &Args) -> Result<(), Failure> {
    let folder = args.folder.join("records");
    let engine = engine(&folder)?;
    submit_all(&engine, 1000, |n| {
        let (amount, reason) = (Amount::new(1_000_000_000_000), "bench".into());
        Ok(Command::Mint(lab3_finance::Mint { to: citizen(n)?, amount, reason }))
    })?;
    submit_all(&engine, args.records, |n| {
        let (from, to) = (citizen(n % 1000)?, citizen((n + 1 + n / 1000 % 997) % 1000)?);
        Ok(Command::Transfer(lab3_finance::Transfer { from, to, amount: Amount::new(1), reason: "".into() }))
    })?;
    engine.stop();
    drop(engine);
    // The first start believes no snapshot but one of its own, and leaves one.
    drop(Desk::lab3(&folder)?);
    let mut times = Vec::new();
    for _ in 0..args.rounds {
        times.push(Desk::lab3(&folder)?.first_answer);
    }
    times.sort();
    println!(
        "start with {} records behind a snapshot: {:.2?} to the first answer (from {:.2?} to {:.2?}), every record's hash checked",
        args.records,
        times[times.len() / 2],
        times[0],
        times[times.len() - 1]
    );
    Ok(())
}
