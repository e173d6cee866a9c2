//! Durable transfers in process: 1,000 a batch with random ids, through decide, apply and journal, with the views following;
//! against bare appends of blobs of the same size to SQLite with the same settings.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lab3_engine::{Actor, Command, Engine, Key, Limits, Policy, Span, Submission, SystemClock};
use lab3_ledger::Purpose;
use lab3_store::SqliteStore;
use lab3_units::{Amount, Asset, Did, Id, Owner};

use crate::Failure;
use crate::machine;
use crate::random::Random;

#[derive(clap::Args)]
pub struct Args {
    /// Transfers in a run
    #[arg(long, default_value_t = 10_000_000)]
    transfers: u64,
    /// Transfers in a batch
    #[arg(long, default_value_t = 1000)]
    batch: u64,
    /// Citizens among whom money moves
    #[arg(long, default_value_t = 10_000)]
    citizens: u64,
    /// Batches under way at once
    #[arg(long, default_value_t = 8)]
    inflight: u64,
    /// Runs
    #[arg(long, default_value_t = 1)]
    runs: u64,
    /// Folder to write in; must be on the disk to be measured
    #[arg(long, default_value = "target/bench-journal")]
    folder: std::path::PathBuf,
}

pub fn run(args: &Args) -> Result<(), Failure> {
    println!("journal: {} transfers, {} a batch, {} citizens", args.transfers, args.batch, args.citizens);
    let mut ratios = Vec::new();
    for run in 0..args.runs {
        let _ = std::fs::remove_dir_all(&args.folder);
        let ours = ours(args, &args.folder.join("lab3"), run)?;
        let bytes = ours.journal_bytes / args.transfers;
        let reference = bare(args, &args.folder.join("bare.db"), usize::try_from(bytes * args.batch)?)?;
        ratios.push(ours.rate / reference);
        println!(
            "run {run}: lab3 {:.0} transfers/s (with views {:.0}), bare append of {}-byte blobs {reference:.0}/s, ratio {:.3}",
            ours.rate,
            ours.rate_with_views,
            bytes * args.batch,
            ours.rate / reference
        );
        println!(
            "       {:?} of processor a transfer, {} bytes on disk ({bytes} journal), statement of 50: {:?}, of the pool: {:?}",
            ours.cpu,
            ours.disk_bytes / args.transfers,
            ours.statement,
            ours.pool_statement
        );
    }
    ratios.sort_by(f64::total_cmp);
    println!("median ratio {:.3} (from {:.3} to {:.3})", ratios[ratios.len() / 2], ratios[0], ratios[ratios.len() - 1]);
    let _ = std::fs::remove_dir_all(&args.folder);
    Ok(())
}

struct Ours {
    rate: f64,
    /// Processor time a transfer takes in all, its caller and the views included.
    cpu: Duration,
    rate_with_views: f64,
    journal_bytes: u64,
    disk_bytes: u64,
    statement: Duration,
    pool_statement: Duration,
}

fn ours(args: &Args, folder: &Path, seed: u64) -> Result<Ours, Failure> {
    let store = Arc::new(SqliteStore::open(folder)?);
    // One batch a commit, as in the reference.
    let limits = Limits { batch_len_max: usize::try_from(args.batch)?, ..Limits::default() };
    let engine = Engine::start(store.clone(), Policy::default(), Arc::new(SystemClock), limits)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let dids = (0..args.citizens).map(|n| Did::parse(&format!("did:kaizen:citizen-{n}"))).collect::<Result<Vec<_>, _>>()?;
    let dids = Arc::new(dids);
    runtime.block_on(mint_all(&engine, &dids))?;
    let (started, cpu) = (Instant::now(), machine::cpu_time());
    runtime.block_on(async {
        let batches = args.transfers / args.batch / args.inflight;
        let tasks = (0..args.inflight).map(|task| {
            let random = Random((seed << 32) | (task + 1));
            tokio::spawn(transfer_all(engine.clone(), dids.clone(), random, batches, args.batch))
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await??;
        }
        Ok::<_, Failure>(())
    })?;
    let rate = rate(args.transfers, started.elapsed());
    while engine.status().followed < engine.status().sequence {
        std::thread::sleep(Duration::from_millis(5));
    }
    let cpu = machine::cpu_time().saturating_sub(cpu) / u32::try_from(args.transfers)?;
    let rate_with_views = self::rate(args.transfers, started.elapsed());
    let citizen_statement = runtime.block_on(statement(&engine, Owner::from(&dids[7]), Purpose::Wallet))?;
    let pool_statement = runtime.block_on(statement(&engine, Owner::hive("pool"), Purpose::Pool))?;
    engine.stop();
    drop(engine);
    let files = store.files_bytes();
    drop(store);
    Ok(Ours {
        rate,
        cpu,
        rate_with_views,
        journal_bytes: journal_bytes(folder)?,
        disk_bytes: files.journal + files.journal_log + files.views,
        statement: citizen_statement,
        pool_statement,
    })
}

/// What the journal's rows hold, in bytes.
fn journal_bytes(folder: &Path) -> Result<u64, Failure> {
    let connection = rusqlite::Connection::open(folder.join("journal.db"))?;
    Ok(connection.query_row("SELECT sum(length(body)) FROM records", [], |row| row.get::<_, i64>(0))?.unsigned_abs())
}

fn rate(count: u64, elapsed: Duration) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let count = count as f64;
    count / elapsed.as_secs_f64()
}

async fn mint_all(engine: &Engine, dids: &[Did]) -> Result<(), Failure> {
    let mint = |(n, did): (usize, &Did)| {
        let command = Command::Mint(lab3_finance::Mint { to: did.clone(), amount: Amount::new(1_000_000_000_000), reason: "bench".into() });
        Submission::new(Actor::Operator, None, Id::from_bytes((n as u128).to_be_bytes()), command)
    };
    let all = dids.iter().enumerate().map(mint).collect::<Vec<_>>();
    for part in all.chunks(5000) {
        engine.submit_batch(None, part.to_vec()).await?.into_iter().collect::<Result<Vec<_>, _>>()?;
    }
    Ok(())
}

async fn transfer_all(
    engine: Engine,
    dids: Arc<Vec<Did>>,
    mut random: Random,
    batches: u64,
    batch: u64,
) -> Result<(), lab3_units::Problem> {
    for _ in 0..batches {
        let items = (0..batch).map(|_| transfer(&dids, &mut random)).collect();
        for result in engine.submit_batch(None, items).await? {
            result?;
        }
    }
    Ok(())
}

/// A transfer between random citizens under a random key.
fn transfer(dids: &[Did], random: &mut Random) -> Submission {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&random.next().to_be_bytes());
    id[8..].copy_from_slice(&random.next().to_be_bytes());
    let key = Key { id: Id::from_bytes(id), fingerprint: random.next() | 1 };
    let people = dids.len() as u64;
    let from = random.below(people);
    let to = (from + 1 + random.below(people - 1)) % people;
    let pick = |n: u64| usize::try_from(n).ok().and_then(|n| dids.get(n)).unwrap_or(&dids[0]).clone();
    let amount = Amount::new(1 + i64::try_from(random.below(1_000_000)).unwrap_or(0));
    let command = Command::Transfer(lab3_finance::Transfer { from: pick(from), to: pick(to), amount, reason: "".into() });
    Submission::new(Actor::Open, Some(key), key.id, command)
}

/// How long an account's latest 50 entries take, records included: the median of 21 looks.
async fn statement(engine: &Engine, owner: Owner, purpose: Purpose) -> Result<Duration, Failure> {
    let account = engine.read(move |desk| desk.state.ledger.find(owner.as_str(), Asset::MIC, purpose)).await?.ok_or("no such account")?;
    let mut times = Vec::new();
    for _ in 0..21 {
        let started = Instant::now();
        let entries = engine.history(account, Span::Before(u64::MAX), 50).await?;
        let records = engine.records(entries.iter().map(|entry| entry.sequence).collect()).await?;
        if records.len() != 50 {
            return Err(format!("a statement of {} entries", records.len()).into());
        }
        times.push(started.elapsed());
    }
    times.sort();
    Ok(times[times.len() / 2])
}

/// Transfers a second when a batch's bytes are appended as one blob a commit, and nothing else is done.
fn bare(args: &Args, path: &Path, blob_bytes: usize) -> Result<f64, Failure> {
    let connection = rusqlite::Connection::open(path)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 20000;
         CREATE TABLE blobs (id INTEGER PRIMARY KEY, body BLOB NOT NULL)",
    )?;
    let mut random = Random(7);
    let blob = (0..blob_bytes).map(|_| random.next().to_le_bytes()[0]).collect::<Vec<_>>();
    let mut insert = connection.prepare("INSERT INTO blobs (body) VALUES (?1)")?;
    let started = Instant::now();
    for _ in 0..args.transfers / args.batch {
        insert.execute([&blob])?;
    }
    Ok(rate(args.transfers, started.elapsed()))
}
