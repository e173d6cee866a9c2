//! This Hive as a witness of others' logs (c2sp.org/tlog-witness): it sees no entries, cosigns a checkpoint that continues what it cosigned
//! last of that log, and refuses any other.
//!
//! What it cosigns is durable before the cosignature leaves, and one log's requests are judged one at a time: a witness that could forget, or
//! be asked twice at once, would cosign two pasts.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use lab3_tlog::{AddCheckpoint, Checkpoint, Cosigner, Note, Refusal, Seconds, TreeHead, VerifierKey, WitnessedLog};

/// Where a witness keeps what it must not forget. Each method is durable when it returns.
pub trait WitnessMemory: Send + Sync {
    /// Keeps the checkpoint that is about to be cosigned, in the place of the log's last. Errors in words.
    fn keep(&self, origin: &str, note: &str) -> Result<(), String>;

    /// Keeps a proof that the log told two stories.
    fn keep_fork(&self, origin: &str, proof: &str) -> Result<(), String>;
}

/// A log one is a witness of.
struct Log {
    keys: Vec<VerifierKey>,
    known: Mutex<Known>,
}

/// What is known of a log.
#[derive(Default)]
struct Known {
    /// What was cosigned last.
    last: Option<Note>,
    /// Whether it was proven to have told two stories: one proof is kept, not one a request.
    forked: bool,
}

/// A witness of others' logs. Cloning gives another handle on the same.
#[derive(Clone)]
pub struct Witness(Arc<Inner>);

struct Inner {
    cosigner: Cosigner,
    logs: HashMap<String, Log>,
    memory: Box<dyn WitnessMemory>,
}

/// Why a checkpoint was not cosigned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NotCosigned {
    /// The protocol's own refusal.
    Refused(Refusal),
    /// It could not be kept, in words.
    Unkept(String),
}

impl std::fmt::Debug for Witness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Witness").field("key", &self.0.cosigner).field("logs", &self.0.logs.len()).finish_non_exhaustive()
    }
}

impl Witness {
    /// A witness of the logs with these keys, each named by its origin. `last` gives the note that was cosigned last of a log.
    ///
    /// Errors, in words: a note that cannot be read, or is not signed by a key of its log: then nobody knows what was cosigned, and nothing is.
    pub fn open(
        cosigner: Cosigner,
        keys: &[VerifierKey],
        last: impl Fn(&str) -> Result<Option<String>, String>,
        memory: Box<dyn WitnessMemory>,
    ) -> Result<Self, String> {
        let mut logs: HashMap<String, Log> = HashMap::new();
        for key in keys {
            let log = logs.entry(key.name().to_owned()).or_insert_with(|| Log { keys: Vec::new(), known: Mutex::default() });
            log.keys.push(key.clone());
        }
        for (origin, log) in &mut logs {
            let Some(text) = last(origin)? else { continue };
            let read = Note::parse(text.as_bytes()).map_err(|error| error.to_string());
            let note = read.and_then(|note| head_of(&note).map(|_| note));
            let note = note.map_err(|error| format!("what was cosigned last of {origin} cannot be read: {error}"))?;
            log.known = Mutex::new(Known { last: Some(note), forked: false });
        }
        Ok(Self(Arc::new(Inner { cosigner, logs, memory })))
    }

    /// The key its cosignatures are checked with.
    pub(crate) fn key(&self) -> &VerifierKey {
        self.0.cosigner.verifier()
    }

    /// Judges the body of a request, and gives the cosignature's line. Blocks while the checkpoint is made durable, and must not be dropped
    /// half way: call it where nobody cancels.
    pub(crate) fn add_checkpoint(&self, body: &[u8], now: Seconds) -> Result<String, NotCosigned> {
        let request = AddCheckpoint::parse(body).map_err(NotCosigned::Refused)?;
        let origin = request.checkpoint().map_err(NotCosigned::Refused)?.origin;
        let log = self.0.logs.get(&origin).ok_or(NotCosigned::Refused(Refusal::UnknownOrigin))?;
        // Held until the cosignature is made: between the judgement and the memory of it nothing else may be judged.
        let mut known = log.known.lock().unwrap_or_else(PoisonError::into_inner);
        let head = known.last.as_ref().map(head_of).transpose().map_err(NotCosigned::Unkept)?;
        let checkpoint = match request.judge(Some(&WitnessedLog { keys: log.keys.clone(), last: head })) {
            Ok(checkpoint) => checkpoint,
            Err(refusal) => {
                self.look_for_a_fork(&origin, &request, &log.keys, &mut known);
                return Err(NotCosigned::Refused(refusal));
            }
        };
        let same = head.is_some_and(|head| (head.size, head.root) == (checkpoint.size, checkpoint.root));
        if !same {
            let note = request.note.only(&log.keys);
            self.0.memory.keep(&origin, &note.to_string()).map_err(NotCosigned::Unkept)?;
            known.last = Some(note);
        }
        Ok(format!("{}\n", self.0.cosigner.cosign(&checkpoint, now)))
    }

    /// Keeps the evidence, if what was refused is any: a log's operator, or a thief of its key, cannot unsign it.
    fn look_for_a_fork(&self, origin: &str, request: &AddCheckpoint, keys: &[VerifierKey], known: &mut Known) {
        let last = known.last.as_ref().filter(|_| !known.forked);
        let Some(fork) = last.and_then(|last| request.fork(keys, last)) else { return };
        tracing::error!(log = origin, "this log told two stories; the proof is kept in the signer's folder");
        match self.0.memory.keep_fork(origin, &fork.to_string()) {
            Ok(()) => known.forked = true,
            Err(error) => tracing::error!(log = origin, error, "the proof could not be kept"),
        }
    }
}

/// The tree a note is about.
fn head_of(note: &Note) -> Result<TreeHead, String> {
    let Checkpoint { size, root, .. } = Checkpoint::parse(note.text()).map_err(|error| error.to_string())?;
    Ok(TreeHead { size, root })
}
