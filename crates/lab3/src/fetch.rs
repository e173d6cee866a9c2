//! Fetches signals on a schedule: gets a document from where the operator says, and imports it as if it had been pushed.
//!
//! Each has a task of its own, and few fetch at once. One that fails is tried again after a minute, then two, four, up to six hours; how each stands is told with
//! the signals.

use std::sync::Arc;
use std::time::Duration;

use lab3_energy::signals::BYTES_MAX;
use lab3_engine::Engine;
use lab3_providers::Connections;
use lab3_server::{FetchStanding, Readings};
use lab3_units::Time;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::commands::Env;
use crate::config::{Fetch, FetchList, Secret};

/// Documents that are fetched at once.
const AT_ONCE: usize = 2;

/// Longest wait for a connection, and for the whole document.
const CONNECT: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_mins(1);

/// The first pause after a failure, and the longest.
const PAUSE_FIRST: Duration = Duration::from_mins(1);
const PAUSE_MAX: Duration = Duration::from_hours(6);

const DAY_MS: i64 = 86_400_000;

/// Begins to fetch. Ends when what it returns is dropped.
pub fn start(list: &FetchList, readings: &Readings, engine: &Engine, env: &Env) -> JoinSet<()> {
    let fetchers = fetchers(list, readings, engine, env);
    let mut tasks = JoinSet::new();
    for fetcher in fetchers {
        tasks.spawn(fetcher.run());
    }
    tasks
}

/// One for each of the list that can be fetched; the others are told of.
fn fetchers(list: &FetchList, readings: &Readings, engine: &Engine, env: &Env) -> Vec<Fetcher> {
    let standing = |fetch: &Fetch| FetchStanding {
        from: fetch.shown(),
        every_s: u64::from(fetch.every_minutes) * 60,
        success: None,
        failure: None,
        failures: 0,
        next: None,
    };
    readings.set_fetches(list.0.iter().map(standing).collect());
    let (connections, turns) = (Connections::new(CONNECT), Arc::new(Semaphore::new(AT_ONCE)));
    let mut fetchers = Vec::new();
    for (place, fetch) in list.0.iter().enumerate() {
        let secret = fetch.secret_env.as_ref().map(|name| env.get(name).map_or_else(Secret::default, |text| Secret::new(text.trim())));
        if let (Some(name), Some(false)) = (&fetch.secret_env, secret.as_ref().map(Secret::is_set)) {
            let why = format!("the environment variable {name}, which has its secret, is not set");
            tracing::error!(from = fetch.shown(), why, "a signal is not fetched");
            readings.note_fetch(place, |standing| standing.failure = Some((engine.now(), why)));
            continue;
        }
        fetchers.push(Fetcher {
            fetch: fetch.clone(),
            secret: secret.unwrap_or_default(),
            place,
            readings: readings.clone(),
            engine: engine.clone(),
            connections: connections.clone(),
            turns: turns.clone(),
            failures: 0,
        });
    }
    fetchers
}

/// What fetches one signal.
struct Fetcher {
    fetch: Fetch,
    secret: Secret,
    place: usize,
    readings: Readings,
    engine: Engine,
    connections: Connections,
    turns: Arc<Semaphore>,
    failures: u32,
}

impl Fetcher {
    async fn run(mut self) {
        loop {
            let pause = self.round().await;
            tokio::time::sleep(pause).await;
        }
    }

    /// Fetches once, notes how it went, and says how long to wait for the next time.
    async fn round(&mut self) -> Duration {
        self.readings.note_fetch(self.place, |standing| standing.next = None);
        let fetched = self.fetched().await.map_err(|why| self.without_secret(&why));
        let now = self.engine.now();
        let from = self.fetch.shown();
        match &fetched {
            Ok(values) if self.failures > 0 => tracing::info!(from, values, "a signal is fetched again"),
            Ok(values) => tracing::debug!(from, values, "a signal was fetched"),
            Err(why) => tracing::warn!(from, why, "a signal could not be fetched; it is tried again"),
        }
        self.failures = if fetched.is_ok() { 0 } else { self.failures.saturating_add(1) };
        let (failures, pause) = (self.failures, pause(self.failures, self.fetch.every_minutes));
        self.readings.note_fetch(self.place, |standing| {
            match fetched {
                Ok(values) => standing.success = Some((now, values)),
                Err(why) => standing.failure = Some((now, why)),
            }
            standing.failures = failures;
            let pause_ms = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
            standing.next = Some(Time::from_millis(now.millis().saturating_add(pause_ms)));
        });
        pause
    }

    /// Gets the document and keeps what is in it; how many values were written. Errors in words.
    async fn fetched(&self) -> Result<u64, String> {
        let _turn = self.turns.acquire().await.map_err(|error| error.to_string())?;
        let now = self.engine.now();
        let url = filled(&self.fetch.url, now, self.secret.expose());
        let get = async {
            match (&self.fetch.header, self.secret.expose()) {
                (Some(header), Some(secret)) => self.connections.get_with(&url, (header, secret), BYTES_MAX).await,
                _ => self.connections.get(&url, BYTES_MAX).await,
            }
        };
        let got = tokio::time::timeout(PATIENCE, get).await.map_err(|_| format!("it took more than {} s", PATIENCE.as_secs()))?;
        let (status, content) = got.map_err(|error| error.to_string())?;
        if status != 200 {
            return Err(format!("it answered {status}"));
        }
        let import = self.readings.import(content, self.fetch.format, self.fetch.hints.clone(), now).await;
        import.map(|import| import.written()).map_err(|problem| problem.detail.into_owned())
    }

    /// What somebody else says may repeat what it was sent.
    fn without_secret(&self, words: &str) -> String {
        self.secret.expose().map_or_else(|| words.to_owned(), |secret| words.replace(secret, "(secret)"))
    }
}

/// How long to wait after so many failures in a row.
fn pause(failures: u32, every_minutes: u32) -> Duration {
    match failures.checked_sub(1) {
        None => Duration::from_secs(u64::from(every_minutes) * 60),
        Some(before) => PAUSE_FIRST.saturating_mul(2_u32.saturating_pow(before)).min(PAUSE_MAX),
    }
}

/// The URL with what is known now: from yesterday's begin to that of the day after tomorrow, UTC.
fn filled(url: &str, now: Time, secret: Option<&str>) -> String {
    let today = now.millis().div_euclid(DAY_MS) * DAY_MS;
    let minute =
        |days: i64| Time::from_millis(today + days * DAY_MS).to_string().chars().take("2026-11-22T00:00".len()).collect::<String>();
    let digits = |days: i64| minute(days).chars().filter(char::is_ascii_digit).collect::<String>();
    url.replace("{from}", &format!("{}Z", minute(-1)))
        .replace("{to}", &format!("{}Z", minute(2)))
        .replace("{from_digits}", &digits(-1))
        .replace("{to_digits}", &digits(2))
        .replace("{secret}", secret.unwrap_or_default())
}

#[cfg(test)]
mod tests;
