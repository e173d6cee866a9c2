//! The journal's checkpoints: its tree's head, signed every second in which there were writes.
//!
//! What was signed last is kept apart from the data. Before anything is signed the tree must be shown to continue it: a journal that was put
//! back, or changed behind our back, cannot get a second past signed.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use lab3_engine::{Commit, Engine};
use lab3_tlog::{Checkpoint, Note, Receipt, Seconds, Signer, Trust, VerifierKey, verify_consistency};
use lab3_units::{Code, Problem};
use tokio::sync::watch;

use crate::witnesses::Witnesses;

/// How often the journal is looked at.
const EVERY: Duration = Duration::from_secs(1);

/// Keeps what was signed last, apart from the data: durable when it returns.
pub type Keep = Arc<dyn Fn(&str) -> Result<(), String> + Send + Sync>;

/// A checkpoint that was published.
#[derive(Clone, Debug)]
pub(crate) struct Published {
    pub(crate) checkpoint: Checkpoint,
    pub(crate) note: Note,
}

/// The signer of a journal's checkpoints.
pub struct Checkpoints {
    signer: Signer,
    keep: Keep,
    published: watch::Sender<Option<Arc<Published>>>,
    witnesses: Witnesses,
    /// Why nothing is signed any more.
    stopped: OnceLock<String>,
}

impl std::fmt::Debug for Checkpoints {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Checkpoints").field("key", &self.signer.verifier().to_string()).finish_non_exhaustive()
    }
}

impl Checkpoints {
    /// A signer that goes on from the note it signed last.
    ///
    /// Errors, in words: the note is not this signer's, or the journal is not a continuation of what it vouches for.
    pub async fn open(engine: &Engine, signer: Signer, last: Option<&str>, keep: Keep) -> Result<Self, String> {
        let key = signer.verifier().clone();
        let witnesses = Witnesses::none();
        let checkpoints = Self { signer, keep, published: watch::Sender::default(), witnesses, stopped: OnceLock::new() };
        let Some(last) = last else { return Ok(checkpoints) };
        let note = Note::parse(last.as_bytes()).map_err(|error| format!("the last checkpoint cannot be read: {error}"))?;
        let trust = Trust { origin: key.name().to_owned(), log: key, witnesses: Vec::new() };
        let opened = trust.open(&note).map_err(|error| format!("the last checkpoint is not of this journal: {error}"))?;
        let signed = opened.checkpoint;
        let there = engine.status().sequence;
        if there < signed.size {
            return Err(format!(
                "the journal has {there} records, and its first {} were signed: this is an older copy of it. Put the newer one back",
                signed.size
            ));
        }
        let now = engine.log().head_at(signed.size).await.map_err(|problem| problem.to_string())?;
        if now.root != signed.root {
            return Err(format!(
                "the journal's first {} records are not those that were signed: it is another journal, or was changed",
                signed.size
            ));
        }
        checkpoints.publish(Published { checkpoint: signed, note });
        Ok(checkpoints)
    }

    /// The same signer, whose checkpoints these witnesses are asked to cosign. `kept` is the note they cosigned last; one that is not theirs
    /// is not taken up, and they are asked anew.
    #[must_use]
    pub fn witnessed_by(self, witnesses: Witnesses, kept: Option<&str>) -> Self {
        let signed = self.newest().map_or(0, |newest| newest.checkpoint.size);
        if let Some(Err(error)) = kept.map(|kept| witnesses.resume(kept, self.key(), signed)) {
            tracing::warn!(error, "what witnesses cosigned last is not taken up");
        }
        Self { witnesses, ..self }
    }

    /// The witnesses of the journal.
    pub(crate) fn witnesses(&self) -> &Witnesses {
        &self.witnesses
    }

    /// The key checkpoints are checked with, in the form signed notes have.
    pub(crate) fn key(&self) -> &VerifierKey {
        self.signer.verifier()
    }

    /// The newest checkpoint.
    pub(crate) fn newest(&self) -> Option<Arc<Published>> {
        self.published.borrow().clone()
    }

    /// The newest checkpoint, once there is one of another size.
    pub(crate) async fn beyond(&self, size: Option<u64>) -> Arc<Published> {
        let mut published = self.published.subscribe();
        let another =
            |published: &Option<Arc<Published>>| published.as_ref().is_some_and(|published| Some(published.checkpoint.size) != size);
        loop {
            // Its other end is ours: it is there as long as we are.
            if let Ok(Some(published)) = published.wait_for(another).await.as_deref() {
                return published.clone();
            }
        }
    }

    /// Puts a note with more cosignatures in the place of the newest, unless there is a newer one by now.
    pub(crate) fn cosigned(&self, note: &Note) {
        self.published.send_if_modified(|newest| {
            let Some(same) = newest.as_ref().filter(|newest| newest.note.text() == note.text()) else { return false };
            *newest = Some(Arc::new(Published { checkpoint: same.checkpoint.clone(), note: note.clone() }));
            true
        });
    }

    /// Why nothing is signed any more.
    pub(crate) fn stopped(&self) -> Option<&str> {
        self.stopped.get().map(String::as_str)
    }

    /// The promise that what was made durable together is in the log, as a header carries it: the signed note in base 64. None once
    /// nothing is signed any more.
    pub(crate) fn receipt(&self, engine: &Engine, commit: &Commit) -> Option<Arc<str>> {
        if self.stopped().is_some() {
            return None;
        }
        commit.receipt(|first, leaves| {
            let time = Seconds::new(u64::try_from(engine.now().millis() / 1000).ok()?)?;
            let note = Receipt::of(self.key().name(), first, leaves, time).sign(&self.signer).ok()?;
            Some(Receipt::to_header(&note))
        })
    }

    /// Signs every second in which there were writes, for as long as it is polled.
    pub(crate) async fn run(&self, engine: &Engine) {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.sign(engine).await;
        }
    }

    /// Signs the tree as it is now, unless that was signed, or must not be.
    pub(crate) async fn sign(&self, engine: &Engine) {
        if self.stopped().is_some() || self.newest().is_some_and(|newest| newest.checkpoint.size == engine.log().size()) {
            return;
        }
        match self.next(engine).await {
            Ok(()) => {}
            Err(Failed::Passing(why)) => tracing::warn!(why, "no checkpoint was signed; trying again"),
            Err(Failed::Final(why)) => {
                tracing::error!(why, "no checkpoint is signed any more");
                self.stopped.get_or_init(|| why);
            }
        }
    }

    async fn next(&self, engine: &Engine) -> Result<(), Failed> {
        let log = engine.log();
        let passing = |problem: Problem| Failed::Passing(problem.to_string());
        let head = log.head().await.map_err(passing)?;
        if let Some(last) = self.newest() {
            let Checkpoint { size, root, .. } = &last.checkpoint;
            let proof = log.consistency(*size, head.size).await.map_err(passing)?;
            verify_consistency(*size, head.size, root, &head.root, &proof)
                .map_err(|error| Failed::Final(format!("the journal does not continue what was signed of it: {error}")))?;
        }
        let checkpoint = Checkpoint { origin: self.key().name().to_owned(), size: head.size, root: head.root, extensions: Vec::new() };
        let note = checkpoint.sign(&self.signer).map_err(|error| Failed::Final(error.to_string()))?;
        let text = note.to_string();
        // Kept before anybody sees it: what was published must be remembered.
        let keep = self.keep.clone();
        let kept = tokio::task::spawn_blocking(move || keep(&text)).await;
        kept.map_err(|error| Failed::Passing(error.to_string()))?.map_err(Failed::Passing)?;
        self.publish(Published { checkpoint, note });
        Ok(())
    }

    fn publish(&self, published: Published) {
        self.published.send_replace(Some(Arc::new(published)));
    }
}

/// Why nothing was signed.
enum Failed {
    /// It may succeed later.
    Passing(String),
    /// It must not be tried again.
    Final(String),
}

/// The refusal of a desk whose log is not signed.
pub(crate) fn unsigned(why: &str) -> Problem {
    Problem::new(Code::LOG_UNSIGNED, format!("This desk signs no checkpoints: {why}."))
}

/// The name of the log of this journal: its origin in checkpoints, the name of its key.
pub fn origin(inscription: &lab3_trust::Inscription) -> String {
    // A key's name has no spaces nor plus signs.
    let plain = |letter: char| if letter.is_alphanumeric() || ".-_".contains(letter) { letter } else { '-' };
    let hive: String = inscription.hive.as_str().chars().map(plain).collect();
    format!("{hive}/{}", inscription.journal.text("jn"))
}
