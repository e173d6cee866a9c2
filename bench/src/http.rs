//! Requests a second over HTTP: durable transfers and allocations against a bare axum JSON echo, in turn, with wrk.

use std::path::PathBuf;
use std::time::Instant;

use crate::Failure;
use crate::desk::Desk;
use crate::wrk::{self, Round};

#[derive(clap::Args)]
pub struct Args {
    /// Seconds of a round
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Rounds
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Keep-alive connections
    #[arg(long, default_value_t = 64)]
    connections: u64,
    /// Citizens among whom money moves
    #[arg(long, default_value_t = 10_000)]
    citizens: u64,
    /// Folder to write in; must be on the disk to be measured
    #[arg(long, default_value = "target/bench-http")]
    folder: PathBuf,
}

pub fn run(args: &Args) -> Result<(), Failure> {
    let _ = std::fs::remove_dir_all(&args.folder);
    std::fs::create_dir_all(&args.folder)?;
    let echo = Desk::echo(&args.folder.join("echo.address"))?;
    let lab3 = Desk::lab3(&args.folder.join("lab3"))?;
    println!("http: {} connections, {} rounds of {} s, {} citizens", args.connections, args.rounds, args.seconds, args.citizens);
    println!("idle: {} MB resident", lab3.resident_mb());
    lab3.mint_for(args.citizens)?;
    for (name, path) in [("transfer", "/lab3/financial/transfer"), ("allocate", "/lab3/compute/allocate")] {
        let (mut ratios, mut rates, mut tails) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..args.rounds {
            let reference = round(&echo, name, "/", args)?;
            let ours = round(&lab3, name, path, args)?;
            ratios.push(ours.rate / reference.rate);
            rates.push((ours.rate, reference.rate));
            tails.push(ours.p99);
        }
        ratios.sort_by(f64::total_cmp);
        rates.sort_by(|a, b| a.0.total_cmp(&b.0));
        tails.sort();
        let (middle, (ours, reference)) = (args.rounds / 2, rates[args.rounds / 2]);
        println!(
            "{name}: {ours:.0}/s, echo {reference:.0}/s, median ratio {:.3} (from {:.3} to {:.3}), p99 {:?} (worst {:?})",
            ratios[middle],
            ratios[0],
            ratios[ratios.len() - 1],
            tails[middle],
            tails[tails.len() - 1]
        );
    }
    batches(args, &lab3)?;
    println!("after it all: {} MB resident", lab3.resident_mb());
    drop((echo, lab3));
    let _ = std::fs::remove_dir_all(&args.folder);
    Ok(())
}

fn round(desk: &Desk, body: &str, path: &str, args: &Args) -> Result<Round, Failure> {
    load(desk, body, path, args.connections, args.seconds, args.citizens)
}

/// Runs wrk with `connections` for so many seconds; an answer other than 200 is a failure of the bench.
pub fn load(desk: &Desk, body: &str, path: &str, connections: u64, seconds: u64, citizens: u64) -> Result<Round, Failure> {
    let settings = [("BENCH_PATH", path), ("BENCH_BODY", body), ("CITIZENS", &citizens.to_string())];
    wrk::run("desk.lua", &desk.address, connections, seconds, &settings)
}

/// Transfers a second through the batch endpoint at 8,000 a request, four connections.
fn batches(args: &Args, lab3: &Desk) -> Result<(), Failure> {
    let mut random = crate::random::Random(11);
    let body = |random: &mut crate::random::Random| {
        let items = (0..8000).map(|_| {
            let from = random.below(args.citizens);
            let to = (from + 1 + random.below(args.citizens - 1)) % args.citizens;
            format!(r#"{{"from_did": "did:kaizen:citizen-{from:07}", "to_did": "did:kaizen:citizen-{to:07}", "amount": 0.0125}}"#)
        });
        format!(r#"{{"transfers": [{}]}}"#, items.collect::<Vec<_>>().join(","))
    };
    let bodies = (0..4).map(|_| body(&mut random)).collect::<Vec<_>>();
    let mut rates = Vec::new();
    for _ in 0..args.rounds {
        let started = Instant::now();
        std::thread::scope(|scope| {
            let senders = bodies.iter().map(|body| scope.spawn(|| post_all(lab3, body))).collect::<Vec<_>>();
            senders.into_iter().try_for_each(|sender| sender.join().map_err(|_| "a sender panicked".to_owned())?)
        })?;
        rates.push(4.0 * 10.0 * 8000.0 / started.elapsed().as_secs_f64());
    }
    rates.sort_by(f64::total_cmp);
    println!("batches of 8,000: {:.0} transfers/s (from {:.0} to {:.0})", rates[rates.len() / 2], rates[0], rates[rates.len() - 1]);
    Ok(())
}

fn post_all(lab3: &Desk, body: &str) -> Result<(), String> {
    for _ in 0..10 {
        let reply = lab3.post("/lab3/financial/transfers", body).map_err(|error| error.to_string())?;
        if !reply.contains("\"rejected\":0") {
            return Err(format!("some were refused: {}", reply.get(..300).unwrap_or(&reply)));
        }
    }
    Ok(())
}
