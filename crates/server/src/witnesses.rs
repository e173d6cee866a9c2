//! The witnesses of this journal: others who see its checkpoints, and no records, and cosign each that continues what they saw.
//!
//! A checkpoint is made every second; witnesses are asked at most every few seconds, all for the same one, so that one note has all their
//! cosignatures. Nothing waits for them: a witness that is slow, gone or against us is told of, and that is all.

mod ask;
mod standing;

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use lab3_engine::Engine;
use lab3_tlog::{Note, Signature, Trust, VerifierKey};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use self::ask::{Outcome, ask};
pub use self::standing::{Standing, ago, seen};
use crate::checkpoints::{Checkpoints, Published};

/// A checkpoint that all have cosigned is shown to them again after so long: their cosignatures say that they have seen nothing newer since.
const AGAIN: Duration = Duration::from_mins(1);

/// An answer on its way.
pub type Asking = Pin<Box<dyn Future<Output = Result<WitnessAnswer, String>> + Send>>;

/// What a witness answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitnessAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The body; whoever asks bounds it.
    pub body: Vec<u8>,
}

/// The way to the witnesses, and where what they said is kept.
pub trait Outside: Send + Sync {
    /// Posts the body to the URL. Errors in words.
    fn ask(&self, url: &str, body: String) -> Asking;

    /// Keeps the newest checkpoint that was cosigned. Errors in words.
    fn keep_witnessed(&self, note: &str) -> Result<(), String>;

    /// Keeps how each witness stands, for whoever looks while the desk is closed. Errors in words.
    fn keep_standings(&self, standings: &str) -> Result<(), String>;
}

/// A witness to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedWitness {
    /// The key its cosignatures are checked with.
    pub key: VerifierKey,
    /// Where it takes requests; `/add-checkpoint` is put behind it.
    pub url: String,
}

/// The witnesses of a journal. Cloning gives another handle on the same.
#[derive(Clone)]
pub struct Witnesses(Arc<Inner>);

struct Inner {
    all: Vec<One>,
    every: Duration,
    outside: Box<dyn Outside>,
    /// The newest checkpoint that was cosigned.
    newest: RwLock<Option<Arc<Note>>>,
}

struct One {
    asked: AskedWitness,
    standing: Mutex<Standing>,
}

impl One {
    fn standing(&self) -> Standing {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes what came of asking, and tells it when it is news.
    fn note(&self, records: u64, outcome: &Outcome) {
        let name = self.asked.key.name();
        let mut standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner);
        let (why, refused) = match outcome {
            Outcome::Saw(_, at) => {
                if standing.trouble.is_some() {
                    tracing::info!(witness = name, records, "a witness cosigns again");
                }
                return standing.saw(records, *at);
            }
            Outcome::Failed(why) => (why, false),
            Outcome::Refused(why) => (why, true),
        };
        match standing.trouble.replace(why.clone()) {
            Some(before) if before == *why => {}
            _ if refused => tracing::error!(witness = name, why, "a witness refuses this journal's past"),
            _ => tracing::warn!(witness = name, why, "a witness did not cosign; it is asked again"),
        }
        standing.refused = refused;
    }
}

impl std::fmt::Debug for Witnesses {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.all.iter().map(|one| one.asked.key.to_string())).finish()
    }
}

impl Witnesses {
    /// These, asked at most so often.
    pub fn new(asked: Vec<AskedWitness>, every: Duration, outside: Box<dyn Outside>) -> Self {
        let one = |asked: AskedWitness| One { standing: Mutex::new(Standing::of(&asked.key)), asked };
        let all = asked.into_iter().map(one).collect();
        Self(Arc::new(Inner { all, every, outside, newest: RwLock::default() }))
    }

    /// Nobody.
    pub(crate) fn none() -> Self {
        Self::new(Vec::new(), AGAIN, Box::new(Nowhere))
    }

    /// How each stands, in the order of the configuration.
    pub(crate) fn standings(&self) -> Vec<Standing> {
        self.0.all.iter().map(One::standing).collect()
    }

    /// The newest checkpoint that was cosigned.
    pub(crate) fn newest(&self) -> Option<Arc<Note>> {
        self.0.newest.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes up what was kept: the note that was cosigned last, of a log with that key and so many signed records.
    ///
    /// Errors, in words: the note is not of this log, or not cosigned by any of these.
    pub(crate) fn resume(&self, kept: &str, log: &VerifierKey, signed: u64) -> Result<(), String> {
        let note = Note::parse(kept.as_bytes()).map_err(|error| error.to_string())?;
        let keys = self.0.all.iter().map(|one| one.asked.key.clone()).collect();
        let trust = Trust { origin: log.name().to_owned(), log: log.clone(), witnesses: keys };
        let opened = trust.open(&note).map_err(|error| error.to_string())?;
        if opened.checkpoint.size > signed {
            return Err(format!("it is of {} records, and {signed} are signed", opened.checkpoint.size));
        }
        for (key, at) in &opened.witnesses {
            for one in self.0.all.iter().filter(|one| one.asked.key == *key) {
                one.standing.lock().unwrap_or_else(PoisonError::into_inner).saw(opened.checkpoint.size, *at);
            }
        }
        if !opened.witnesses.is_empty() {
            self.show(note);
        }
        Ok(())
    }

    /// Asks for as long as it is polled.
    pub(crate) async fn run(&self, engine: &Engine, checkpoints: &Checkpoints) {
        if self.0.all.is_empty() {
            return;
        }
        loop {
            let published = checkpoints.beyond(None).await;
            let began = Instant::now();
            let all_saw = self.round(engine, checkpoints, &published).await;
            sleep_until(began + self.0.every).await;
            if all_saw {
                tokio::select! {
                    _ = checkpoints.beyond(Some(published.checkpoint.size)) => {}
                    () = sleep_until(began + AGAIN) => {}
                }
            }
        }
    }

    /// Asks every witness for the same checkpoint, side by side. Gives whether all cosigned it.
    pub(crate) async fn round(&self, engine: &Engine, checkpoints: &Checkpoints, published: &Arc<Published>) -> bool {
        let before = (self.newest(), self.standings());
        let mut asking = JoinSet::new();
        for at in 0..self.0.all.len() {
            let (witnesses, engine, published) = (self.clone(), engine.clone(), published.clone());
            asking.spawn(async move { (at, witnesses.ask(at, &engine, &published).await) });
        }
        let mut gathered = published.note.clone();
        let mut saw = 0;
        while let Some(asked) = asking.join_next().await {
            let Ok((at, outcome)) = asked else { continue };
            let Some(one) = self.0.all.get(at) else { continue };
            one.note(published.checkpoint.size, &outcome);
            let Outcome::Saw(lines, _) = outcome else { continue };
            saw += 1;
            if add(&mut gathered, lines, &one.asked.key) {
                checkpoints.cosigned(&gathered);
                self.offer(&gathered, false);
            }
        }
        if saw > 0 {
            self.offer(&gathered, true);
        }
        self.keep(before).await;
        saw == self.0.all.len()
    }

    async fn ask(&self, at: usize, engine: &Engine, published: &Published) -> Outcome {
        let Some(one) = self.0.all.get(at) else { return Outcome::Failed("it is not named any more".to_owned()) };
        let old = one.standing().records.unwrap_or(0);
        let url = format!("{}/add-checkpoint", one.asked.url.trim_end_matches('/'));
        ask(&*self.0.outside, engine, &one.asked.key, &url, old, published).await
    }

    /// Shows a cosigned note in the place of the one before: at once when it has as many cosignatures, else when all were asked for it.
    fn offer(&self, note: &Note, all_asked: bool) {
        let as_many = self.newest().is_none_or(|shown| shown.signatures().len() <= note.signatures().len());
        if as_many || all_asked {
            self.show(note.clone());
        }
    }

    fn show(&self, note: Note) {
        *self.0.newest.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(note));
    }

    /// Keeps what changed.
    async fn keep(&self, (note, standings): (Option<Arc<Note>>, Vec<Standing>)) {
        let new_note = self.newest().filter(|newest| Some(newest) != note.as_ref());
        let new_standings = Some(self.standings()).filter(|new| *new != standings);
        let inner = self.0.clone();
        let kept = tokio::task::spawn_blocking(move || {
            new_note.map_or(Ok(()), |note| inner.outside.keep_witnessed(&note.to_string()))?;
            let Some(standings) = new_standings else { return Ok(()) };
            let text = serde_json::to_string_pretty(&standings).map_err(|error| error.to_string())?;
            inner.outside.keep_standings(&text)
        });
        match kept.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(error, "what the witnesses said could not be kept"),
            Err(error) => tracing::warn!(%error, "what the witnesses said could not be kept"),
        }
    }
}

/// Adds a witness's lines, which were checked, and leaves any others. Gives whether it could.
fn add(note: &mut Note, lines: Vec<Signature>, key: &VerifierKey) -> bool {
    note.adopt(lines, std::slice::from_ref(key)).is_ok()
}

/// For a journal nobody witnesses.
struct Nowhere;

impl Outside for Nowhere {
    fn ask(&self, _: &str, _: String) -> Asking {
        Box::pin(std::future::ready(Err("nobody is asked".to_owned())))
    }

    fn keep_witnessed(&self, _: &str) -> Result<(), String> {
        Ok(())
    }

    fn keep_standings(&self, _: &str) -> Result<(), String> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
