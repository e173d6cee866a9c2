//! The room for signals and telemetry: what the desk needs of whoever keeps them, and few questions at a time, away from the threads that answer.
//!
//! Readings are bulk data and no part of the journal. A desk without a place for them answers all else.

mod fetches;
mod import;
pub(crate) mod outlook;
mod quantity;
pub(crate) mod steps;

use std::sync::{Arc, Mutex};

use lab3_energy::Series;
use lab3_energy::signals::{Kind, Signal};
use lab3_units::{Code, Problem, Time};
use tokio::sync::Semaphore;

pub use fetches::{FetchStanding, Fetches};
pub use import::Import;
pub use quantity::{Quantity, Taken};

/// Questions asked of the memory at once.
const AT_ONCE: usize = 2;

/// Questions that may wait for their turn.
const WAITING_MAX: usize = 64;

/// Where signals and telemetry are kept. Every method blocks; what is written is kept whole or not at all.
pub trait ReadingMemory: Send + Sync {
    /// Keeps the values of signals over those that were there; only measured values take the place of measured ones. Gives what became of each.
    fn push(&self, signals: &[Signal], now: Time) -> Result<Vec<Pushed>, Unkept>;

    /// Every signal, in the order of kind, zone, source and detail.
    fn signals(&self) -> Result<Vec<KeptSignal>, Unkept>;

    /// A signal's values from one moment to another, in order, cut where steps have none: at most so many, the earliest.
    fn steps(&self, signal: &KeptSignal, from: Time, to: Time, values_max: usize) -> Result<Vec<Series>, Unkept>;

    /// Keeps readings, each once.
    fn append(&self, readings: &[Reading], now: Time) -> Result<Appended, Unkept>;

    /// What a device read from one moment to another, the last not included: at most so many readings, the earliest.
    fn readings(&self, device: &str, quantity: Quantity, span: (Time, Time), readings_max: usize) -> Result<Vec<(Time, f64)>, Unkept>;

    /// What a device read last before a moment.
    fn reading_before(&self, device: &str, quantity: Quantity, before: Time) -> Result<Option<(Time, f64)>, Unkept>;

    /// What is read of which device, with the last reading of each: of one device, or of all, at most so many.
    fn gauges(&self, device: Option<&str>, gauges_max: usize) -> Result<Vec<Gauge>, Unkept>;

    /// The least time of telemetry and notes that is kept.
    fn keeps_from(&self, now: Time) -> Time;

    /// Keeps a note in the place of the one of that kind and moment.
    fn note(&self, kind: NoteKind, at: Time, body: &str) -> Result<(), Unkept>;

    /// The notes of a kind from one moment to another, the last not included, in order of time: at most so many, the earliest.
    fn notes(&self, kind: NoteKind, span: (Time, Time), notes_max: usize) -> Result<Vec<(Time, String)>, Unkept>;
}

/// What a note is of. The numbers stand in the file of readings and never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum NoteKind {
    /// What was planned for the step that begins then.
    Planned = 0,
    /// What was promised for an event that begins then.
    Promised = 1,
}

impl NoteKind {
    /// Its number.
    pub const fn number(self) -> u8 {
        self as u8
    }
}

/// Why something was not kept or found, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unkept {
    /// It cannot be: the words say what would help.
    Refused(String),
    /// The memory is out of reach.
    Failed(String),
}

/// A signal, without its values.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptSignal {
    /// What it tells.
    pub kind: Kind,
    /// Where it holds.
    pub zone: String,
    /// Who publishes it.
    pub source: String,
    /// What tells it from others of its kind; may be empty.
    pub detail: String,
    /// How long each of its steps is, in seconds.
    pub step_s: u32,
    /// Where its first step begins.
    pub first: Time,
    /// Where its last step ends.
    pub end: Time,
    /// How many of its values were measured.
    pub measured: u64,
    /// How many are forecasts.
    pub forecast: u64,
    /// How many were made up from their neighbours.
    pub filled: u64,
    /// When it was last written.
    pub written: Time,
}

/// What became of one signal that was pushed.
#[derive(Clone, Debug, PartialEq)]
pub struct Pushed {
    /// The signal as it is now.
    pub signal: KeptSignal,
    /// How many of its steps were sent.
    pub sent: u64,
    /// How many were written; the others were measured before, and what was sent is not.
    pub written: u64,
}

/// One reading of a device.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The device.
    pub device: String,
    /// What was read.
    pub quantity: Quantity,
    /// When.
    pub at: Time,
    /// How much.
    pub value: f64,
}

/// What became of readings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Appended {
    /// How many are new.
    pub new: u64,
    /// How many were there already.
    pub known: u64,
    /// How many moments had another value, which stays.
    pub differing: u64,
}

/// What is kept of one quantity of one device.
#[derive(Clone, Debug, PartialEq)]
pub struct Gauge {
    /// The device.
    pub device: String,
    /// What is read.
    pub quantity: Quantity,
    /// When it was first read, of what is kept.
    pub first: Time,
    /// When it was last read.
    pub last: Time,
    /// What was read last.
    pub value: f64,
}

/// The room for readings. Cloning gives another handle on the same.
#[derive(Clone)]
pub struct Readings(Arc<Inner>);

struct Inner {
    memory: Result<Box<dyn ReadingMemory>, String>,
    turns: Arc<Semaphore>,
    places: Arc<Semaphore>,
    fetches: Mutex<Vec<FetchStanding>>,
}

impl std::fmt::Debug for Readings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Readings").field("memory", &self.0.memory.as_ref().map(|_| "open")).finish_non_exhaustive()
    }
}

impl Default for Readings {
    fn default() -> Self {
        Self::new(Err("this desk has no data folder".to_owned()))
    }
}

impl Readings {
    /// A room with this memory, or the words why there is none.
    pub fn new(memory: Result<Box<dyn ReadingMemory>, String>) -> Self {
        let (turns, places) = (Arc::new(Semaphore::new(AT_ONCE)), Arc::new(Semaphore::new(AT_ONCE + WAITING_MAX)));
        Self(Arc::new(Inner { memory, turns, places, fetches: Mutex::default() }))
    }

    /// Asks the memory something when its turn comes, on a thread that may block. What was begun is done, also when nobody waits for it any more.
    ///
    /// Errors: `READINGS_UNAVAILABLE`, `QUEUE_FULL` when too many wait, and whatever the question makes of a refusal.
    pub async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&dyn ReadingMemory) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let busy = || Problem::new(Code::QUEUE_FULL, "Too many ask for readings. Ask again in a few seconds.").after(5);
        let place = self.0.places.clone().try_acquire_owned().map_err(|_| busy())?;
        let turn = self.0.turns.clone().acquire_owned().await.map_err(|_| busy())?;
        let inner = self.0.clone();
        let asked = tokio::task::spawn_blocking(move || {
            // Kept to the end, also when nobody waits for it any more.
            let _kept = (place, turn);
            match &inner.memory {
                Ok(memory) => question(memory.as_ref()),
                Err(why) => Err(unavailable(why)),
            }
        });
        asked.await.map_err(|error| {
            tracing::error!(%error, "a question for readings broke");
            Problem::new(Code::INTERNAL, "The readings could not be asked. The log says more.")
        })?
    }
}

fn unavailable(why: &str) -> Problem {
    Problem::new(Code::READINGS_UNAVAILABLE, format!("Signals and telemetry are out of reach: {why}.")).after(60)
}

impl From<Unkept> for Problem {
    fn from(unkept: Unkept) -> Self {
        match unkept {
            Unkept::Refused(why) => Problem::new(Code::SIGNALS_UNREADABLE, sentence(&why)),
            Unkept::Failed(why) => {
                tracing::error!(why, "the readings failed");
                unavailable(&why)
            }
        }
    }
}

/// Words as a sentence of their own.
fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().map(|first| first.to_uppercase().collect::<String>()).unwrap_or_default();
    format!("{first}{}.", letters.as_str().trim_end_matches('.'))
}
