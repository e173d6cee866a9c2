//! The handle on a running engine: submit, ask, look into the past.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{Sender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use lab3_ledger::{AccountNo, Purpose};
use lab3_units::{Asset, Code, Id, Owner, Problem, Time};
use tokio::sync::oneshot;

use crate::clock::Clock;
use crate::command::{Key, Submission};
use crate::commit::Commit;
use crate::decide::{Desk, Policy};
use crate::load::{StartError, VerifyOnStart, load};
use crate::log::Log;
use crate::lookup::Archive;
use crate::outcome::{Batch, BatchOutcome, Message, Outcome, When};
use crate::record::{Actor, Fact, Stored};
use crate::shared::Progress;
use crate::sheets::{BalanceProof, Sheets};
use crate::snapshot::Snapshotter;
use crate::state::Frozen;
use crate::storage::Store;
use crate::views::{Entry, Follower, Span};
use crate::writer::{Setup, Writer};

/// Longest wait for the views to catch up before a question about the past is refused.
const VIEW_PATIENCE: Duration = Duration::from_secs(2);

/// Batches between the committer and the follower before the follower is left to read the journal.
const FOLLOWER_QUEUE: usize = 64;

/// The bounds of one engine.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Commands that may wait for the writer; items of a batch count each.
    pub queue_len_max: usize,
    /// Commands decided before a batch is handed to the committer.
    pub batch_len_max: usize,
    /// Records between snapshots.
    pub snapshot_every_records: u64,
    /// How much of the chain is checked before the desk opens.
    pub verify_on_start: VerifyOnStart,
}

impl Default for Limits {
    fn default() -> Self {
        Self { queue_len_max: 65_536, batch_len_max: 8192, snapshot_every_records: 1_000_000, verify_on_start: VerifyOnStart::All }
    }
}

/// Something that stands in the journal.
#[derive(Clone, Debug)]
pub struct Committed {
    /// The record.
    pub stored: Box<Stored>,
    /// Whether it had been there before this request: the key was used again.
    pub replayed: bool,
    /// What was made durable along with it; of what had been there, the record alone.
    pub commit: Arc<Commit>,
}

/// A running engine. Cloning gives another handle on the same one.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    queue: Sender<Message>,
    limits: Limits,
    policy: Arc<Policy>,
    clock: Arc<dyn Clock>,
    progress: Arc<Progress>,
    archive: Archive,
    sheets: Sheets,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// How the engine stands, for health pages and metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// The last durable record.
    pub sequence: u64,
    /// The last record the views have followed.
    pub followed: u64,
    /// The last record in a snapshot.
    pub snapshot: u64,
    /// Commands waiting for the writer.
    pub waiting: usize,
    /// Batches appended since the start.
    pub commits: u64,
    /// Records appended since the start.
    pub records: u64,
    /// Microseconds spent appending since the start.
    pub commit_micros: u64,
    /// Appends that failed since the start.
    pub commit_failures: u64,
    /// Whether the views are kept.
    pub views_ok: bool,
}

impl Engine {
    /// Loads the state from the store and starts the threads.
    pub fn start(store: Arc<dyn Store>, policy: Policy, clock: Arc<dyn Clock>, limits: Limits) -> Result<Self, StartError> {
        let (policy, progress) = (Arc::new(policy), Arc::new(Progress::new()));
        let follower = Follower::open(&*store, progress.clone())?;
        let views = follower.views();
        let loaded = load(&*store, views.keys().indexed, limits.verify_on_start)?;
        let (to_follower, batches) = sync_channel(FOLLOWER_QUEUE);
        let (snapshotter, snapshots) = Snapshotter::start(store.snapshots(), progress.clone())?;
        let archive = Archive::new(store.clone(), views.clone());
        let sheets = Sheets::new(store.clone(), progress.clone());
        let (queue, messages) = channel();
        let setup = Setup {
            store,
            policy: policy.clone(),
            clock: clock.clone(),
            limits,
            views,
            follower: to_follower,
            snapshotter,
            progress: progress.clone(),
            runtime: tokio::runtime::Handle::try_current().ok(),
        };
        progress.followed.send_replace(setup.views.followed());
        // Before the follower starts: it sleeps when it has what is durable.
        progress.durable.store(loaded.state.sequence, Ordering::Release);
        let followed = thread("lab3-follower", move || follower.run(&batches))?;
        let writer = Writer::start(setup, loaded)?;
        let written = thread("lab3-writer", move || writer.run(&messages))?;
        let threads = Mutex::new(vec![written, followed, snapshots]);
        Ok(Self(Arc::new(Inner { queue, limits, policy, clock, progress, archive, sheets, threads })))
    }

    /// The rules' parameters as they hold after what was decided last.
    pub fn policy(&self) -> Arc<Policy> {
        self.0.progress.policy()
    }

    /// The rules' parameters as the configuration has them: what holds where the journal says nothing else.
    pub fn configured(&self) -> &Policy {
        &self.0.policy
    }

    /// The moment by the engine's clock.
    pub fn now(&self) -> Time {
        self.0.clock.now()
    }

    /// Who may do what, as decided last. What is decided against it may have changed by then: the writer looks again.
    pub fn trust(&self) -> Arc<lab3_trust::State> {
        self.0.progress.trust()
    }

    /// Submits one command and waits until it is durable or refused.
    pub async fn submit(&self, submission: Submission) -> Result<Committed, Problem> {
        self.submit_when(submission, When::Durable).await
    }

    /// As [`submit`](Self::submit), but answers as soon as it is decided. A crash, or an append that fails, may yet undo it, and the
    /// caller is not told: only for what the books can do without, as the settlement of a query whose hold they have.
    pub async fn submit_ahead(&self, submission: Submission) -> Result<Committed, Problem> {
        self.submit_when(submission, When::Decided).await
    }

    async fn submit_when(&self, submission: Submission, when: When) -> Result<Committed, Problem> {
        // What is needed again when the answer lies in the journal; a key and an actor are small, a command is cloned only then.
        let again = submission.clone_if_it_names_an_allocation();
        match self.decide(submission, when).await? {
            Outcome::NotOpen(allocation) => match again {
                Some(submission) => self.submit_again(submission, allocation, when).await,
                None => Err(Problem::new(Code::ALLOCATION_UNKNOWN, "There is no such open allocation.")),
            },
            outcome => self.resolve(outcome).await,
        }
    }

    async fn decide(&self, submission: Submission, when: When) -> Result<Outcome, Problem> {
        let (reply, outcome) = oneshot::channel();
        self.send(Message::Submit(submission, when, reply))?;
        outcome.await.map_err(|_| outcome_unknown())
    }

    /// The allocation is not open: find out what became of it, and come back with that.
    async fn submit_again(&self, submission: Submission, allocation: Id, when: When) -> Result<Committed, Problem> {
        self.caught_up().await?;
        let found = self.0.archive.ended_allocation(allocation).await?;
        let Submission { actor, id, key, command, will, draw } = submission;
        let command = self.read(move |desk| found.command(command, desk)).await?;
        match self.decide(Submission { actor, id, key, command, will, draw }, when).await? {
            Outcome::NotOpen(_) => Err(Problem::new(Code::ALLOCATION_UNKNOWN, "There is no such open allocation.")),
            outcome => self.resolve(outcome).await,
        }
    }

    /// Submits several commands, each a record of its own, and waits until all are durable or refused.
    pub async fn submit_batch(
        &self,
        key: Option<(Actor, Key)>,
        items: Vec<Submission>,
    ) -> Result<Vec<Result<Committed, Problem>>, Problem> {
        match self.decide_batch(Batch { key, items }).await? {
            BatchOutcome::Items(outcomes) => self.resolve_all(outcomes).await,
            BatchOutcome::Earlier(sequences, items) => {
                let Some((_, key)) = key else { return Err(Problem::new(Code::INTERNAL, "A batch without a key was found.")) };
                let (noted, _) = self.0.archive.earlier(sequences, key.id, Some(key.fingerprint)).await?;
                match &noted.record.fact {
                    // The same batch again: its items are known by ids that follow from the batch's key, so each answers for itself.
                    Fact::Batch { .. } => match self.decide_batch(Batch { key: None, items }).await? {
                        BatchOutcome::Items(outcomes) => self.resolve_all(outcomes).await,
                        BatchOutcome::Earlier(..) => Err(outcome_unknown()),
                    },
                    _ => Err(key_reused()),
                }
            }
        }
    }

    async fn decide_batch(&self, batch: Batch) -> Result<BatchOutcome, Problem> {
        let (reply, outcome) = oneshot::channel();
        self.send(Message::SubmitBatch(batch, reply))?;
        outcome.await.map_err(|_| outcome_unknown())
    }

    async fn resolve_all(&self, outcomes: Vec<Outcome>) -> Result<Vec<Result<Committed, Problem>>, Problem> {
        let mut results = Vec::with_capacity(outcomes.len());
        for outcome in outcomes {
            results.push(self.resolve(outcome).await);
        }
        Ok(results)
    }

    async fn resolve(&self, outcome: Outcome) -> Result<Committed, Problem> {
        match outcome {
            Outcome::Done(stored, commit) => Ok(Committed { stored, replayed: false, commit }),
            Outcome::Refused(problem) => Err(problem),
            Outcome::Earlier { sequences, id, fingerprint } => {
                let (stored, leaf) = self.0.archive.earlier(sequences, id, fingerprint).await?;
                match &stored.record.fact {
                    Fact::Refused(problem) => Err(Problem::clone(problem)),
                    _ => Ok(Committed { commit: Arc::new(Commit::of(stored.sequence, leaf)), stored: Box::new(stored), replayed: true }),
                }
            }
            Outcome::NotOpen(_) => Err(Problem::new(Code::ALLOCATION_UNKNOWN, "There is no such open allocation.")),
        }
    }

    /// Looks at the state: every write acknowledged before the call is in it, and nothing in it can be lost any more when this
    /// returns. `look` runs on the writer's thread, so it must be quick.
    pub async fn read<T: Send + 'static>(&self, look: impl FnOnce(&Desk<'_>) -> T + Send + 'static) -> Result<T, Problem> {
        let (reply, answer) = oneshot::channel();
        self.send(Message::Ask(Box::new(move |desk| {
            let seen = look(desk);
            Box::new(move || drop(reply.send(seen)))
        })))?;
        answer.await.map_err(|_| unanswered())
    }

    /// The state as it stands, to work on elsewhere; as durable as what [`Engine::read`] sees.
    pub async fn freeze(&self) -> Result<Frozen, Problem> {
        let (reply, frozen) = oneshot::channel();
        self.send(Message::Freeze(reply))?;
        frozen.await.map_err(|_| unanswered())
    }

    /// Part of an account's history, once the views have caught up with everything acknowledged before the call.
    pub async fn history(&self, account: AccountNo, span: Span, limit: usize) -> Result<Vec<Entry>, Problem> {
        self.caught_up().await?;
        self.0.archive.history(account, span, limit).await
    }

    /// What an account had right after record `sequence`: balance and held, in the asset's smallest unit.
    pub async fn standing_at(&self, account: AccountNo, sequence: u64) -> Result<(i64, i64), Problem> {
        self.caught_up().await?;
        self.0.archive.standing_at(account, sequence).await
    }

    /// The record an id names.
    pub async fn find(&self, id: Id) -> Result<Option<Stored>, Problem> {
        self.caught_up().await?;
        self.0.archive.find(id).await
    }

    /// The record that ended the hold placed by record `placed`, if it has ended.
    pub async fn ending(&self, placed: u64) -> Result<Option<Stored>, Problem> {
        self.caught_up().await?;
        self.0.archive.ending(placed).await
    }

    /// The records of these numbers, in the order given; numbers the journal does not have are left out.
    pub async fn records(&self, sequences: Vec<u64>) -> Result<Vec<Stored>, Problem> {
        self.0.archive.records(sequences).await
    }

    /// Proves what an owner's account had when an epoch was closed, the last one when none is named: which epoch that was, and nothing when
    /// there was no such account.
    ///
    /// Errors: `EPOCH_UNPROVED` (`epoch`); `VIEW_BEHIND` while the balances are still being made again from the journal.
    pub async fn balance_proof(
        &self,
        owner: Owner,
        asset: Asset,
        purpose: Purpose,
        epoch: Option<u32>,
    ) -> Result<(u32, Option<BalanceProof>), Problem> {
        let closed = self.read(move |desk| desk.state.closings.closed(epoch)).await??;
        Ok((closed.0, self.0.sheets.proof(closed, owner, asset, purpose).await?))
    }

    /// The journal as a log others can check, as far as the views have followed it.
    pub fn log(&self) -> Log {
        Log(self.0.archive.clone())
    }

    /// Erases what people wrote in a record; says how many pieces there were. The leaf stays as it is. That it was done is not noted
    /// here: submit that first.
    pub async fn erase(&self, sequence: u64) -> Result<usize, Problem> {
        let (reply, erased) = oneshot::channel();
        self.send(Message::Erase(sequence, reply))?;
        erased.await.map_err(|_| outcome_unknown())?.map_err(|error| {
            tracing::error!(%error, sequence, "what was written in a record could not be erased");
            Problem::new(Code::JOURNAL_UNAVAILABLE, "It could not be erased at the moment. Ask again.")
        })
    }

    /// How the engine stands.
    pub fn status(&self) -> Status {
        let progress = &self.0.progress;
        Status {
            sequence: progress.durable.load(Ordering::Acquire),
            followed: *progress.followed.borrow(),
            snapshot: progress.snapshot.load(Ordering::Relaxed),
            waiting: progress.waiting.load(Ordering::Relaxed),
            commits: progress.commits.load(Ordering::Relaxed),
            records: progress.records.load(Ordering::Relaxed),
            commit_micros: progress.commit_micros.load(Ordering::Relaxed),
            commit_failures: progress.commit_failures.load(Ordering::Relaxed),
            views_ok: !progress.views_failed.load(Ordering::Acquire),
        }
    }

    /// Makes the writer look at the clock now instead of soon; for tests that turn the clock by hand.
    pub fn tick(&self) -> Result<(), Problem> {
        self.send(Message::Tick)
    }

    /// Takes no more commands, finishes what was accepted, ends the threads. Blocks until that is done.
    pub fn stop(&self) {
        self.0.progress.stopping.store(true, Ordering::Release);
        self.0.progress.waiting.fetch_add(Message::Stop.weight(), Ordering::Relaxed);
        let _ = self.0.queue.send(Message::Stop);
        let threads = std::mem::take(&mut *self.0.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            let _ = thread.join();
        }
    }

    fn send(&self, message: Message) -> Result<(), Problem> {
        let Inner { progress, limits, queue, .. } = &*self.0;
        if progress.stopping.load(Ordering::Acquire) {
            return Err(Problem::new(Code::STOPPING, "The desk is closing. Nothing has changed; ask again when it is open."));
        }
        let weight = message.weight();
        let before = progress.waiting.fetch_add(weight, Ordering::Relaxed);
        if before + weight > limits.queue_len_max {
            progress.waiting.fetch_sub(weight, Ordering::Relaxed);
            return Err(Problem::new(
                Code::QUEUE_FULL,
                format!("{before} commands are waiting. Nothing has changed; try again in a moment."),
            ));
        }
        queue.send(message).map_err(|_| {
            progress.waiting.fetch_sub(weight, Ordering::Relaxed);
            Problem::new(Code::STOPPING, "The desk is closing. Nothing has changed; ask again when it is open.")
        })
    }

    /// Waits until the views have everything that is durable now.
    async fn caught_up(&self) -> Result<(), Problem> {
        let wanted = self.0.progress.durable.load(Ordering::Acquire);
        let behind = || Problem::new(Code::VIEW_BEHIND, "The history is catching up with the journal. Try again in a moment.");
        let mut followed = self.0.progress.followed.subscribe();
        if self.0.progress.views_failed.load(Ordering::Acquire) && *followed.borrow() < wanted {
            return Err(behind());
        }
        let waited = tokio::time::timeout(VIEW_PATIENCE, followed.wait_for(|&followed| followed >= wanted)).await;
        if matches!(waited, Ok(Ok(_))) { Ok(()) } else { Err(behind()) }
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Engine").field(&self.status()).finish()
    }
}

fn unanswered() -> Problem {
    Problem::new(Code::JOURNAL_UNAVAILABLE, "The journal cannot be written at the moment. Try again.")
}

fn outcome_unknown() -> Problem {
    let detail = "The journal could not be written, so it is unknown whether this was done. Repeat it with the same Idempotency-Key.";
    Problem::new(Code::OUTCOME_UNKNOWN, detail)
}

/// The refusal of a key that was used for something else.
pub(crate) fn key_reused() -> Problem {
    let detail = "This Idempotency-Key was used before for another request. Use a fresh key for a new request; repeat a request with exactly \
                  the same body.";
    Problem::new(Code::KEY_REUSED, detail)
}

fn thread(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, StartError> {
    std::thread::Builder::new().name(name.into()).spawn(work).map_err(|error| StartError::Thread(error.to_string()))
}
