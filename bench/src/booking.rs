//! What booking a query's energy and carbon adds to its settlement: the same reports through decide, apply, journal and views, with and without, in turn.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lab3_compute::Report;
use lab3_energy::Draw;
use lab3_energy::carbon::{Estimate, GridHour, Intensity, Interval, Tier};
use lab3_engine::{Actor, Command, Engine, Limits, Policy, Submission, SystemClock};
use lab3_store::SqliteStore;
use lab3_units::{Amount, Did, Id};

use crate::Failure;
use crate::machine;
use crate::random::Random;

/// Reports of a round, and of a batch.
const REPORTS: u32 = 40_000;
const BATCH: u32 = 100;

/// Citizens who ask.
const CITIZENS: u64 = 1_000;

/// Prints it: processor time of all threads, so that other work on the machine counts little.
pub fn run(folder: &Path, rounds: usize) -> Result<(), Failure> {
    let dids = (0..CITIZENS).map(|n| Did::parse(&format!("did:kaizen:citizen-{n}"))).collect::<Result<Vec<_>, _>>()?;
    let mut added = Vec::new();
    let mut bare = Vec::new();
    for round in 0..rounds.max(3) {
        let without = reported(&folder.join("without"), &dids, round as u64, false)?;
        let with = reported(&folder.join("with"), &dids, round as u64, true)?;
        bare.push(without);
        added.push(with.saturating_sub(without));
    }
    added.sort();
    bare.sort();
    let middle = |times: &[Duration]| times.get(times.len() / 2).copied().unwrap_or_default();
    let (first, last) = (added.first().copied().unwrap_or_default(), added.last().copied().unwrap_or_default());
    println!(
        "booking what a query drew: {:.2?} of processor added to a settlement of {:.2?} (from {first:.2?} to {last:.2?}, {} rounds of {REPORTS})",
        middle(&added),
        middle(&bare),
        added.len()
    );
    Ok(())
}

/// Processor time a report takes.
fn reported(folder: &Path, dids: &[Did], seed: u64, draws: bool) -> Result<Duration, Failure> {
    let _ = std::fs::remove_dir_all(folder);
    let engine = Engine::start(Arc::new(SqliteStore::open(folder)?), Policy::default(), Arc::new(SystemClock), Limits::default())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let mut random = Random(seed + 1);
    let batches: Vec<Vec<Submission>> = (0..REPORTS / BATCH)
        .map(|_| (0..BATCH).map(|_| report(dids, &mut random, draws)).collect::<Result<_, Failure>>())
        .collect::<Result<_, _>>()?;
    let before = machine::cpu_time();
    for batch in batches {
        for outcome in runtime.block_on(engine.submit_batch(None, batch))? {
            outcome?;
        }
    }
    while engine.status().followed < engine.status().sequence {
        std::thread::sleep(Duration::from_millis(5));
    }
    let spent = machine::cpu_time().saturating_sub(before);
    engine.stop();
    drop(engine);
    let _ = std::fs::remove_dir_all(folder);
    Ok(spent / REPORTS)
}

/// A query of a local model that was answered.
fn report(dids: &[Did], random: &mut Random, draws: bool) -> Result<Submission, Failure> {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&random.next().to_be_bytes());
    id[8..].copy_from_slice(&random.next().to_be_bytes());
    let citizen = dids.get(usize::try_from(random.below(CITIZENS))?).ok_or("a citizen")?.clone();
    let report = Report {
        citizen: citizen.clone(),
        provider: "local_llama".into(),
        actual_cost: Amount::new(1),
        success: true,
        allocation: None,
        input_tokens: Some(500),
        output_tokens: Some(200),
        latency_ms: Some(900),
        late: None,
    };
    let intensity = Intensity::from_g_per_kwh(380.0)?;
    let grid = GridHour { average: intensity, marginal: intensity, residual: None };
    let estimate = Estimate { energy_wh: Interval::new(0.2, 0.3, 0.5)?, tier: Tier::Measured };
    let draw = Draw { citizen, allocation: None, provider: "local_llama".into(), on_site: true, estimate, grid, embodied_mg: None };
    let submission = Submission::new(Actor::Open, None, Id::from_bytes(id), Command::Report(report));
    Ok(Submission { draw: draws.then(|| Box::new(draw)), ..submission })
}
