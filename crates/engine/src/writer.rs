//! The writer: takes commands from the queue, decides each against the state, applies it, hands batches to the committer.
//!
//! A thread of its own, not an async worker. It never waits for the disk except when the batch before is not durable yet, and it
//! reads no clock inside a rule: one look a round.

mod expire;
mod recover;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

use lab3_compute::Refusal;
use lab3_trust::Deed;
use lab3_units::{Code, Id, Problem, Time};

use crate::clock::Clock;
use crate::codec::{CHAIN_START, ChainHash, RowWriter};
use crate::command::{Command, Key, Submission, Will, draw_id};
use crate::committer::{Committer, Decided, Parts, Wanted};
use crate::decide::{Ahead, Desk, Policy, decide};
use crate::engine::Limits;
use crate::load::{Loaded, StartError};
use crate::outcome::{Batch, BatchOutcome, Message, Outcome, When, engine_id};
use crate::recent::RecentKeys;
use crate::record::{Actor, Draft, Fact, Record, Stored};
use crate::rules;
use crate::shared::Progress;
use crate::snapshot::Snapshotter;
use crate::state::State;
use crate::storage::{Shelf, Store, StoreError};
use crate::views::{Digest, KeyIndex, Views, hash_of};
use recover::PAUSE;

/// Longest wait for a message before the writer looks whether time has passed.
const TICK: Duration = Duration::from_millis(500);

/// What nobody waits for is made durable after so long at most; sooner, when something somebody waits for goes along.
const LINGER: Duration = Duration::from_millis(5);

/// Records after which stopping is worth a snapshot.
const SNAPSHOT_ON_STOP_RECORDS: u64 = 1000;

/// What the writer is started with.
pub struct Setup {
    pub store: Arc<dyn Store>,
    /// As the configuration has it.
    pub policy: Arc<Policy>,
    pub clock: Arc<dyn Clock>,
    pub limits: Limits,
    pub views: Arc<Views>,
    pub follower: SyncSender<Digest>,
    pub snapshotter: Snapshotter,
    pub progress: Arc<Progress>,
    pub runtime: Option<tokio::runtime::Handle>,
}

/// The one writer.
pub struct Writer {
    setup: Setup,
    state: State,
    /// The rules' parameters as they hold by the state.
    policy: Arc<Policy>,
    rows: RowWriter,
    recent: RecentKeys,
    /// The older keys, as of this round.
    keys: Arc<KeyIndex>,
    shelf: Box<dyn Shelf>,
    decided: Decided,
    /// Since when something is decided that nobody waits for.
    lingers_since: Option<Instant>,
    committer: Option<Committer>,
    /// The last record in a snapshot, made or asked for.
    snapshot: u64,
    /// Until when commands are refused because the journal could not be written, and the pause after that.
    refuse_until: Option<Instant>,
    pause: Duration,
    /// The last durable record when the journal last failed.
    failed_at: u64,
}

impl Writer {
    /// A writer that goes on from what was loaded; makes the first record of an empty journal.
    pub fn start(setup: Setup, loaded: Loaded) -> Result<Self, StartError> {
        let shelf = setup.store.shelf()?;
        let mut writer = Self {
            rows: RowWriter::new(loaded.state.sequence),
            recent: loaded.recent,
            keys: setup.views.keys(),
            snapshot: loaded.snapshot,
            policy: setup.policy.clone(),
            state: loaded.state,
            shelf,
            decided: Decided::default(),
            lingers_since: None,
            committer: None,
            refuse_until: None,
            pause: PAUSE,
            failed_at: 0,
            setup,
        };
        writer.announce();
        writer.committer = Some(writer.start_committer(loaded.head)?);
        if writer.state.sequence == 0 {
            let now = writer.setup.clock.now();
            let (fact, entries) = lab3_finance::genesis(&writer.desk(now).finance());
            writer.record(now, Draft { entries, ..Draft::new(Actor::Engine, engine_id(1, now), Fact::Finance(fact)) })?;
            writer.hand_over();
        }
        Ok(writer)
    }

    fn start_committer(&self, head: ChainHash) -> Result<Committer, StartError> {
        let Setup { store, follower, snapshotter, progress, .. } = &self.setup;
        let (follower, snapshotter, progress) = (follower.clone(), snapshotter.clone(), progress.clone());
        Committer::start(Parts {
            journal: store.journal()?,
            reader: store.reader()?,
            head,
            follower,
            snapshotter,
            progress,
            runtime: self.setup.runtime.clone(),
        })
    }

    /// Tells the world where a freshly loaded state stands.
    fn announce(&mut self) {
        self.take_policy();
        let progress = &self.setup.progress;
        progress.durable.store(self.state.sequence, Ordering::Release);
        progress.snapshot.store(self.snapshot, Ordering::Relaxed);
        progress.set_trust(self.state.trust.clone());
    }

    /// Takes the rules' parameters as they hold by the state.
    fn take_policy(&mut self) {
        self.policy = Arc::new(rules::in_force(&self.setup.policy, &self.state.trust));
        self.setup.progress.set_policy(self.policy.clone());
    }

    fn desk(&self, now: Time) -> Desk<'_> {
        Desk { state: &self.state, policy: &self.policy, now }
    }

    /// Serves the queue until told to stop, then makes everything durable.
    pub fn run(mut self, queue: &Receiver<Message>) {
        let mut stopping = false;
        while !stopping {
            let first = match queue.recv_timeout(self.patience()) {
                Ok(message) => Some(message),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => break,
            };
            stopping = self.round(first, queue);
        }
        // Whatever was accepted before the stop is still in the queue.
        while let Ok(message) = queue.try_recv() {
            self.round(Some(message), queue);
        }
        if self.state.sequence - self.snapshot >= SNAPSHOT_ON_STOP_RECORDS {
            self.freeze(Wanted::Snapshot);
        }
        self.hand_over();
        if let Some(Err(error)) = self.committer.take().map(Committer::finish) {
            tracing::error!(%error, "the last batch was not written; its callers were told so");
        }
    }

    /// How long the writer may sleep: until the next hold ends by itself.
    fn patience(&self) -> Duration {
        let longest = if self.lingers_since.is_some() { LINGER } else { TICK };
        let Some(deadline) = self.state.ledger.next_deadline() else { return longest };
        Duration::from_millis(deadline.millis_since(self.setup.clock.now())).clamp(Duration::from_millis(1), longest)
    }

    /// One batch: the time once, what is due, then messages until the queue is empty or the batch full.
    fn round(&mut self, first: Option<Message>, queue: &Receiver<Message>) -> bool {
        let now = self.setup.clock.now().max(self.state.at);
        self.keys = self.setup.views.keys();
        self.recent.turn(self.state.sequence, self.keys.indexed);
        if self.committer.as_ref().is_some_and(Committer::has_failed) {
            self.recover();
        }
        if self.refusing() {
            return first.is_some_and(|message| self.refuse(message, now));
        }
        self.expire(now);
        let mut stopping = false;
        let mut weight = 0;
        let mut next = first;
        while let Some(message) = next {
            weight += message.weight();
            stopping |= self.take(message, now);
            next = if weight < self.setup.limits.batch_len_max { queue.try_recv().ok() } else { None };
        }
        if stopping || !self.may_linger(weight) {
            self.hand_over();
        }
        stopping
    }

    /// Whether what was decided may wait for something that somebody waits for, and go with it: one commit less.
    fn may_linger(&mut self, weight: usize) -> bool {
        if self.decided.digest.is_empty()
            || !self.decided.releases.is_empty()
            || self.decided.frozen.is_some()
            || !self.decided.erasures.is_empty()
        {
            return false;
        }
        let since = *self.lingers_since.get_or_insert_with(Instant::now);
        since.elapsed() < LINGER && weight < self.setup.limits.batch_len_max
    }

    fn take(&mut self, message: Message, now: Time) -> bool {
        self.setup.progress.waiting.fetch_sub(message.weight(), Ordering::Relaxed);
        match message {
            Message::Submit(submission, when, reply) => {
                let outcome = self.submit(&submission, Ahead::default(), now);
                match when {
                    When::Durable => self.decided.releases.push(Box::new(move || drop(reply.send(outcome)))),
                    When::Decided => drop(reply.send(outcome)),
                }
            }
            Message::SubmitBatch(batch, reply) => {
                let outcome = self.submit_batch(batch, now);
                self.decided.releases.push(Box::new(move || drop(reply.send(outcome))));
            }
            Message::Ask(question) => {
                let release = question(&self.desk(now));
                self.decided.releases.push(release);
            }
            Message::Freeze(reply) => {
                self.freeze(Wanted::Reply(reply));
                // What comes after is not in the state asked for, nor in the chain's hash that goes with it.
                self.hand_over();
            }
            Message::Erase(sequence, reply) => self.decided.erasures.push((sequence, reply)),
            Message::Tick => {}
            Message::Stop => return true,
        }
        false
    }

    /// Sends the state along with the batch as it is now; the committer knows the chain's hash there.
    fn freeze(&mut self, wanted: Wanted) {
        self.decided.frozen = Some((self.state.freeze(CHAIN_START), wanted));
    }

    fn submit_batch(&mut self, batch: Batch, now: Time) -> BatchOutcome {
        if let Some((actor, key)) = batch.key {
            match self.find(key.id, false) {
                Ok(sequences) if sequences.is_empty() => {}
                Ok(sequences) => return BatchOutcome::Earlier(sequences, batch.items),
                Err(problem) => return BatchOutcome::Items(batch.items.iter().map(|_| Outcome::Refused(problem.clone())).collect()),
            }
            let items = u32::try_from(batch.items.len()).unwrap_or(u32::MAX);
            let noted = self.record(now, Draft { key: Some(key), ..Draft::new(actor, key.id, Fact::Batch { items }) });
            if let Err(problem) = noted.map_err(|error| unwritable(&error)) {
                return BatchOutcome::Items(batch.items.iter().map(|_| Outcome::Refused(problem.clone())).collect());
            }
        }
        // For all of them before the first is decided: these look-ups miss the processor's caches, and side by side they wait
        // for memory together.
        let ahead = batch.items.iter().map(|item| self.look_ahead(item)).collect::<Vec<_>>();
        BatchOutcome::Items(batch.items.iter().zip(ahead).map(|(item, ahead)| self.submit(item, ahead, now)).collect())
    }

    fn look_ahead(&self, submission: &Submission) -> Ahead {
        let is_new = |id| {
            let hash = hash_of(id);
            self.recent.find_earlier(hash).is_none() && !self.keys.may_hold_key(hash)
        };
        let new = submission.once().into_iter().chain(submission.keys().map(|key| key.id)).all(is_new);
        let wallets = match &submission.command {
            Command::Transfer(transfer) => lab3_finance::Wallets::of(&self.state.ledger, transfer),
            _ => lab3_finance::Wallets::default(),
        };
        Ahead { new, wallets }
    }

    fn submit(&mut self, submission: &Submission, ahead: Ahead, now: Time) -> Outcome {
        match self.earlier(submission, ahead.new) {
            Ok(None) => {}
            Ok(Some(earlier)) => return earlier,
            Err(problem) => return Outcome::Refused(problem),
        }
        let (fact, entries) = match decide(&self.desk(now), submission, ahead) {
            Ok(decision) => decision,
            Err(Refusal::NotOpen(id)) => return Outcome::NotOpen(id),
            Err(Refusal::Problem(problem)) if submission.any_key().is_some() && problem.code().pins_key() => {
                (Fact::Refused(Box::new(problem)), Vec::new())
            }
            Err(Refusal::Problem(problem)) => return Outcome::Refused(problem),
        };
        let refused = if let Fact::Refused(problem) = &fact { Some(Problem::clone(problem)) } else { None };
        let aliases = submission.aliases(refused.is_some());
        let key = submission.any_key();
        let draft = Draft {
            actor: submission.actor,
            id: submission.id,
            key,
            aliases,
            fact,
            entries,
            will: submission.will.as_deref().filter(|_| refused.is_none()),
        };
        match self.record(now, draft) {
            Ok(stored) => {
                if let Some(draw) = submission.draw.as_deref().filter(|_| refused.is_none()) {
                    self.book_draw(now, &stored.record, draw);
                }
                refused.map_or_else(|| Outcome::Done(stored, self.decided.commit.clone()), Outcome::Refused)
            }
            Err(error) => Outcome::Refused(unwritable(&error)),
        }
    }

    /// Books what the query drew that was just settled: in the same batch, so that one is not durable without the other.
    fn book_draw(&mut self, now: Time, settled: &Record, draw: &lab3_energy::Draw) {
        // A report may leave it to the rule which allocation it settles.
        let found = if let Fact::Compute(lab3_compute::Fact::Reported(reported)) = &settled.fact { reported.allocation } else { None };
        let draw = lab3_energy::Draw { allocation: draw.allocation.or(found), ..draw.clone() };
        let id = draw_id(draw.allocation.unwrap_or(settled.id));
        let booked =
            lab3_energy::draw(&self.desk(now).energy(), &draw).map_err(|problem| problem.to_string()).and_then(|(fact, entries)| {
                let record = Draft { entries, ..Draft::new(Actor::Engine, id, Fact::Energy(fact)) };
                self.record(now, record).map_err(|error| error.to_string())
            });
        if let Err(error) = booked {
            tracing::error!(%error, "what a query drew could not be booked");
        }
    }

    /// Whether one of the submission's keys was used before.
    fn earlier(&mut self, submission: &Submission, new: bool) -> Result<Option<Outcome>, Problem> {
        if let Some(id) = submission.once() {
            let sequences = self.find(id, new)?;
            if !sequences.is_empty() {
                return Ok(Some(Outcome::Earlier { sequences, id, fingerprint: None }));
            }
        }
        for Key { id, fingerprint } in submission.keys() {
            let sequences = self.find(id, new)?;
            if !sequences.is_empty() {
                return Ok(Some(Outcome::Earlier { sequences, id, fingerprint: Some(fingerprint) }));
            }
        }
        Ok(None)
    }

    /// The records that may hold this key; only this round's when it was `new` before.
    fn find(&mut self, key: Id, new: bool) -> Result<Vec<u64>, Problem> {
        let hash = hash_of(key);
        let recent = if new { self.recent.find_in_round(hash) } else { self.recent.find(hash) };
        if let Some(sequence) = recent {
            return Ok(vec![sequence]);
        }
        if self.recent.is_full() {
            return Err(Problem::new(Code::VIEW_BEHIND, "The index of keys is catching up. Repeat with the same key in a moment."));
        }
        if new {
            return Ok(Vec::new());
        }
        let found = self.keys.find_key(&mut *self.shelf, hash);
        found.map_err(|error| {
            tracing::error!(%error, "the index of keys cannot be read");
            Problem::new(Code::VIEW_BEHIND, "The index of keys cannot be read at the moment. Repeat with the same key later.")
        })
    }

    /// Encodes, applies and remembers one record.
    fn record(&mut self, at: Time, draft: Draft<'_>) -> Result<Box<Stored>, StoreError> {
        let salt = draft.will.and_then(Will::salt);
        let mut record = draft.taken(at);
        let sequence = self.rows.push(&mut record, salt).map_err(|error| StoreError::Other(error.to_string()))?;
        self.state.apply(sequence, &record);
        if let Fact::Trust(fact) = &record.fact {
            self.setup.progress.set_trust(self.state.trust.clone());
            if let Deed::PolicyChanged { .. } = fact.deed {
                self.take_policy();
            }
        }
        for key in record.keys() {
            self.recent.insert(hash_of(key), sequence);
        }
        let stored = Box::new(Stored { sequence, record });
        self.decided.digest.add(&stored);
        Ok(stored)
    }

    /// Hands what was decided to the committer, with a snapshot when one is due.
    fn hand_over(&mut self) {
        let due = self.state.sequence - self.snapshot >= self.setup.limits.snapshot_every_records;
        if due && self.decided.frozen.is_none() {
            self.freeze(Wanted::Snapshot);
            self.snapshot = self.state.sequence;
        }
        self.lingers_since = None;
        let next = self.decided.next();
        let mut batch = std::mem::replace(&mut self.decided, next);
        if batch.digest.is_empty() && batch.releases.is_empty() && batch.frozen.is_none() && batch.erasures.is_empty() {
            return;
        }
        batch.rows = self.rows.take();
        let committed = self.committer.as_ref().map(|committer| committer.commit(batch));
        if !matches!(committed, Some(Ok(()))) {
            self.recover();
        }
    }
}

fn unwritable(error: &StoreError) -> Problem {
    tracing::error!(%error, "a record cannot be encoded");
    Problem::new(Code::INTERNAL, "The record could not be encoded. Nothing has changed; please report this.")
}
