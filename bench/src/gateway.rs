//! What the gateway adds: the same queries through the desk and directly to the provider behind it, in turn. The provider is the
//! mock; generator, desk and mock share the machine.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::Failure;
use crate::desk::Desk;
use crate::load::{Query, Shot, open_loop, unread};
use crate::wrk;

#[derive(clap::Args)]
pub struct Args {
    /// Requests a second in the open loop
    #[arg(long, default_value_t = 1000)]
    rate: u32,
    /// Seconds of a round
    #[arg(long, default_value_t = 5)]
    seconds: u32,
    /// Rounds
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Keep-alive connections of the closed loop
    #[arg(long, default_value_t = 32)]
    connections: u32,
    /// Streams that nobody reads
    #[arg(long, default_value_t = 2000)]
    streams: u32,
    /// Folder to write in; must be on the disk to be measured
    #[arg(long, default_value = "target/bench-gateway")]
    folder: PathBuf,
}

const CHAT: &str = "/v1/chat/completions";

/// What the mock is told to say.
const MODEL: &str = "mock;tokens=16;input=40";

/// One that says much, to fill what a reader does not take.
const LONG_MODEL: &str = "mock;tokens=2000000;input=40";

pub fn run(args: &Args) -> Result<(), Failure> {
    let _ = std::fs::remove_dir_all(&args.folder);
    std::fs::create_dir_all(&args.folder)?;
    let mock = Desk::mock(&args.folder.join("mock.address"))?;
    let desk = Desk::gateway(&args.folder.join("lab3"), &mock.address, MODEL)?;
    println!("gateway: {} rounds of {} s, budgets durable and on, 1000 citizens, a log line a query", args.rounds, args.seconds);
    println!("idle: {} MB resident", desk.resident_mb());
    let compared = |stream, time: fn(&Shot) -> Duration| compare(args, &mock, &desk, stream, time);
    let whole = compared(false, |shot| shot.whole)?;
    println!("whole answers at {}/s: {whole}", args.rate);
    println!("  {} MB resident", desk.resident_mb());
    let first = compared(true, |shot| shot.first_word)?;
    println!("first word of a stream at {}/s: {first}", args.rate);
    println!("  {} MB resident", desk.resident_mb());
    peak(args, &mock, &desk)?;
    drop(desk);
    slow_readers(args, &mock)?;
    drop(mock);
    let _ = std::fs::remove_dir_all(&args.folder);
    Ok(())
}

fn query(address: &str, model: &str, stream: bool) -> Query {
    let text = "Who has the key of the seed store, and when is it open this week? ".repeat(3);
    let body = json!({"model": model, "stream": stream, "max_tokens": 64, "messages": [{"role": "user", "content": text}]});
    // `tok` is a word of the mock's answers.
    Query { address: address.to_owned(), path: CHAT, body: body.to_string(), headers: Vec::new(), word: b"tok" }
}

/// Median and 99th percentile of what came directly and through the desk, of each the median of all rounds.
struct Compared {
    direct: [Vec<Duration>; 2],
    through: [Vec<Duration>; 2],
}

fn compare(args: &Args, mock: &Desk, desk: &Desk, stream: bool, time: fn(&Shot) -> Duration) -> Result<Compared, Failure> {
    let mut compared = Compared { direct: [Vec::new(), Vec::new()], through: [Vec::new(), Vec::new()] };
    let (direct, through) = (query(&mock.address, MODEL, stream), query(&desk.address, "deepseek", stream));
    for _ in 0..args.rounds {
        for (query, found) in [(&direct, &mut compared.direct), (&through, &mut compared.through)] {
            let mut times = open_loop(query, args.rate, args.seconds)?.iter().map(time).collect::<Vec<_>>();
            times.sort();
            found[0].push(times[times.len() / 2]);
            found[1].push(times[times.len() * 99 / 100]);
        }
    }
    Ok(compared)
}

impl std::fmt::Display for Compared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, name) in ["p50", "p99"].into_iter().enumerate() {
            let mut added = self.direct[at]
                .iter()
                .zip(&self.through[at])
                .map(|(direct, through)| micros(*through) - micros(*direct))
                .collect::<Vec<_>>();
            added.sort_unstable();
            let (direct, through) = (median(&self.direct[at]), median(&self.through[at]));
            let (least, most) = (added[0], added[added.len() - 1]);
            let middle = added[added.len() / 2];
            write!(f, "{name} {direct:?} directly, {through:?} through, added {middle} us (from {least} to {most}); ")?;
        }
        Ok(())
    }
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

fn median(times: &[Duration]) -> Duration {
    let mut times = times.to_vec();
    times.sort();
    times[times.len() / 2]
}

/// As many queries a second as go, with wrk.
fn peak(args: &Args, mock: &Desk, desk: &Desk) -> Result<(), Failure> {
    let (mut rates, mut tails) = ([Vec::new(), Vec::new()], Vec::new());
    for _ in 0..args.rounds {
        for (at, (address, model)) in [(&mock.address, MODEL), (&desk.address, "deepseek")].into_iter().enumerate() {
            let query = query(address, model, false);
            let settings = [("BENCH_BODY", &*query.body)];
            let round = wrk::run("chat.lua", &query.address, u64::from(args.connections), u64::from(args.seconds), &settings)?;
            rates[at].push(round.rate);
            if at == 1 {
                tails.push(round.p99);
            }
        }
    }
    for rates in &mut rates {
        rates.sort_by(f64::total_cmp);
    }
    tails.sort();
    let [direct, through] = &rates;
    let middle = args.rounds / 2;
    println!(
        "peak at {} connections: {:.0}/s through (from {:.0} to {:.0}), {:.0}/s directly, p99 {:?} (worst {:?}), {} MB resident",
        args.connections,
        through[middle],
        through[0],
        through[through.len() - 1],
        direct[middle],
        tails[middle],
        tails[tails.len() - 1],
        desk.resident_mb()
    );
    Ok(())
}

/// Memory and the provider's progress while nobody reads.
fn slow_readers(args: &Args, mock: &Desk) -> Result<(), Failure> {
    let desk = Desk::gateway(&args.folder.join("slow"), &mock.address, LONG_MODEL)?;
    let before = desk.resident_mb();
    let (after, stands_still) = unread(&query(&desk.address, "deepseek", true), args.streams, || {
        let sent = || Ok::<_, Failure>(serde_json::from_str::<Value>(&mock.get("/mock/stats")?)?["tokens_sent"].clone());
        let began = Instant::now();
        let mut last = sent()?;
        let stands_still = loop {
            std::thread::sleep(Duration::from_secs(1));
            let now = sent()?;
            if now == last || began.elapsed() > Duration::from_mins(1) {
                break now == last;
            }
            last = now;
        };
        Ok((desk.resident_mb(), stands_still))
    })?;
    let each_kb = (after.saturating_sub(before)) * 1024 / u64::from(args.streams.max(1));
    let provider = if stands_still { "paused" } else { "not paused" };
    println!(
        "{} streams nobody reads: {before} MB before, {after} MB with them, {each_kb} KB each; the provider is {provider}",
        args.streams
    );
    Ok(())
}
