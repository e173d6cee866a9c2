//! Runs wrk with one of our scripts, and reads what it found.

use std::process::Command;
use std::time::Duration;

use crate::Failure;

/// What one round found.
pub struct Round {
    /// Requests a second.
    pub rate: f64,
    /// The time 99 in a hundred take at most.
    pub p99: Duration,
}

/// Runs the script in `bench/wrk` with so many keep-alive connections for so many seconds; an answer other than 200 is a failure of the
/// bench. `settings` are what the script reads from its environment.
pub fn run(script: &str, address: &str, connections: u64, seconds: u64, settings: &[(&str, &str)]) -> Result<Round, Failure> {
    let output = Command::new("wrk")
        .args(["-t1", "-c", &connections.to_string(), "-d", &format!("{seconds}s")])
        .args(["-s", &format!("{}/wrk/{script}", env!("CARGO_MANIFEST_DIR")), &format!("http://{address}")])
        .envs(settings.iter().copied())
        .output()
        .map_err(|error| format!("wrk cannot be started ({error}); `make bench` installs it"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let result = text.lines().find_map(|line| line.strip_prefix("RESULT ")).ok_or_else(|| format!("wrk said: {text}"))?;
    let fields = result.split_whitespace().collect::<Vec<_>>();
    let [rate, _p50, p99, errors] = fields[..] else { return Err(format!("wrk said: {result}").into()) };
    if errors != "0" {
        return Err(format!("{errors} requests failed: {text}").into());
    }
    Ok(Round { rate: rate.parse()?, p99: Duration::from_micros(p99.parse()?) })
}
