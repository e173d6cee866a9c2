//! What honest clients wait while others mean it ill: the same durable transfers with and without an attack, in turn. Attackers, honest
//! client and desk share the machine. The slow ones are `slowhttptest`'s (Debian).

use std::collections::VecDeque;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::Failure;
use crate::desk::Desk;
use crate::load::{Query, open_loop};

#[derive(clap::Args)]
pub struct Args {
    /// Honest requests a second
    #[arg(long, default_value_t = 500)]
    rate: u32,
    /// Seconds of a round
    #[arg(long, default_value_t = 12)]
    seconds: u32,
    /// Rounds
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Connections of an attack
    #[arg(long, default_value_t = 1000)]
    connections: usize,
    /// Wrong keys a second
    #[arg(long, default_value_t = 2000)]
    wrong: u32,
    /// Folder to write in; must be on the disk to be measured
    #[arg(long, default_value = "target/bench-hostile")]
    folder: PathBuf,
}

/// An attack: its name, and how slowhttptest makes it.
const SLOW: [(&str, &str, &str); 3] = [
    ("slow heads", "-H -i 1", "/lab3/health"),
    ("slow bodies", "-B -i 1 -s 60000 -t POST -f application/json", "/lab3/intents"),
    ("slow readers", "-X -n 1 -z 4 -w 16 -y 64 -k 8", "/lab3/openapi.json"),
];

pub fn run(args: &Args) -> Result<(), Failure> {
    let _ = std::fs::remove_dir_all(&args.folder);
    std::fs::create_dir_all(&args.folder)?;
    let desk = Desk::lab3(&args.folder.join("lab3"))?;
    desk.mint_for(2)?;
    let key = close(&desk)?;
    let honest = transfers(&desk, &key);
    println!(
        "hostile: {} honest transfers a second, {} rounds of {} s, {} connections",
        args.rate, args.rounds, args.seconds, args.connections
    );
    println!("idle: {} MB resident", desk.resident_mb());
    for (name, flags, path) in SLOW {
        compare(name, args, &desk, &honest, || slow(args, &desk, flags, path))?;
    }
    compare("wrong keys", args, &desk, &honest, || wrong_keys(args, &desk))?;
    compare("connections", args, &desk, &honest, || Ok(crowd(args, &desk)))?;
    drop(desk);
    let _ = std::fs::remove_dir_all(&args.folder);
    Ok(())
}

/// Closes the Hive by making a key, which is the honest client's.
fn close(desk: &Desk) -> Result<String, Failure> {
    let body = json!({ "kind": "citizen", "did": "did:kaizen:citizen-0000000", "scopes": ["read", "money"] });
    let made: Value = serde_json::from_str(&desk.post("/lab3/keys", &body.to_string())?)?;
    Ok(made["key"].as_str().ok_or("no key was made")?.to_owned())
}

fn transfers(desk: &Desk, key: &str) -> Query {
    let body = json!({ "from_did": "did:kaizen:citizen-0000000", "to_did": "did:kaizen:citizen-0000001", "amount": 0.001 });
    let headers = vec![("authorization", format!("Bearer {key}"))];
    Query { address: desk.address.clone(), path: "/lab3/financial/transfer", body: body.to_string(), headers, word: b"tx_id" }
}

/// Honest 99th percentiles without and with an attack, round by round.
fn compare(name: &str, args: &Args, desk: &Desk, honest: &Query, attack: impl Fn() -> Result<Attack, Failure>) -> Result<(), Failure> {
    let (mut quiet, mut under) = (Vec::new(), Vec::new());
    let mut ratios = Vec::new();
    for _ in 0..args.rounds {
        let without = tail(args, honest)?;
        let attacking = attack()?;
        // It has begun before it is measured.
        sleep(Duration::from_secs(2));
        let with = tail(args, honest)?;
        drop(attacking);
        ratios.push(with.as_secs_f64() / without.as_secs_f64());
        quiet.push(without);
        under.push(with);
        // Those who were there are gone when the next round begins.
        sleep(Duration::from_secs(1));
    }
    quiet.sort();
    under.sort();
    ratios.sort_by(f64::total_cmp);
    let middle = args.rounds / 2;
    println!(
        "{name}: p99 {:?} without, {:?} with (worst {:?}), median ratio {:.2} (from {:.2} to {:.2}), {} MB resident",
        quiet[middle],
        under[middle],
        under[args.rounds - 1],
        ratios[middle],
        ratios[0],
        ratios[args.rounds - 1],
        desk.resident_mb()
    );
    Ok(())
}

fn tail(args: &Args, honest: &Query) -> Result<Duration, Failure> {
    let mut times = open_loop(honest, args.rate, args.seconds)?.iter().map(|shot| shot.whole).collect::<Vec<_>>();
    times.sort();
    Ok(times[times.len() * 99 / 100])
}

/// An attack under way; ended when dropped.
#[derive(Default)]
struct Attack {
    slowhttptest: Option<Child>,
    threads: Vec<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
}

impl Attack {
    /// Does something over and over in a thread of its own; false is the end of it.
    fn repeat(&mut self, mut what: impl FnMut() -> bool + Send + 'static) {
        let stop = self.stop.clone();
        self.threads.push(std::thread::spawn(move || while !stop.load(Ordering::Relaxed) && what() {}));
    }
}

impl Drop for Attack {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
        if let Some(child) = &mut self.slowhttptest {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn slow(args: &Args, desk: &Desk, flags: &str, path: &str) -> Result<Attack, Failure> {
    let connections = args.connections.to_string();
    let mut command = Command::new("slowhttptest");
    command.args(flags.split(' ')).args(["-c", &connections, "-r", &connections, "-l", &(args.seconds + 10).to_string()]);
    command.args(["-u", &format!("http://{}{path}", desk.address)]).stdout(Stdio::null()).stderr(Stdio::null());
    let missing = |error| format!("slowhttptest cannot be started ({error}); `make bench` installs it on Debian");
    let mut attack = Attack::default();
    attack.slowhttptest = Some(command.spawn().map_err(missing)?);
    Ok(attack)
}

/// Sends wrong keys on four connections.
fn wrong_keys(args: &Args, desk: &Desk) -> Result<Attack, Failure> {
    const SENDERS: u32 = 4;
    let (every, mut attack) = (Duration::from_secs(1) * SENDERS / args.wrong, Attack::default());
    for _ in 0..SENDERS {
        let (mut stream, mut due, mut reply) = (TcpStream::connect(&desk.address)?, Instant::now(), [0; 4096]);
        attack.repeat(move || {
            let request = b"GET /lab3/financial/pool HTTP/1.1\r\nHost: desk\r\nAuthorization: Bearer lab3_citizen_wrong\r\n\r\n";
            due += every;
            sleep(due.saturating_duration_since(Instant::now()));
            stream.write_all(request).is_ok() && stream.read(&mut reply).is_ok_and(|len| len > 0)
        });
    }
    Ok(attack)
}

/// Opens connections that say nothing, a thousand a second, and leaves the oldest when there are as many as wanted.
fn crowd(args: &Args, desk: &Desk) -> Attack {
    let (address, most, mut open) = (desk.address.clone(), args.connections, VecDeque::new());
    let mut attack = Attack::default();
    attack.repeat(move || {
        open.extend(TcpStream::connect(&address));
        if open.len() > most {
            open.pop_front();
        }
        sleep(Duration::from_millis(1));
        true
    });
    attack
}
