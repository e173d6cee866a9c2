//! The committer: makes a batch durable, then lets its replies go. While it waits for the disk the writer decides the next.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Instant;

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::codec::{self, ChainHash, Unsealed};
use crate::commit::Commit;
use crate::load::StartError;
use crate::outcome::Release;
use crate::shared::Progress;
use crate::snapshot::Snapshotter;
use crate::state::Frozen;
use crate::storage::{Journal, JournalReader, Row, StoreError};
use crate::views::Digest;

/// Decided together, durable together.
#[derive(Default)]
pub struct Decided {
    /// The records, encoded.
    pub rows: Vec<Unsealed>,
    /// What the views need of them.
    pub digest: Digest,
    /// What is known of them together, once they are durable.
    pub commit: Arc<Commit>,
    /// What to send once they are durable.
    pub releases: Vec<Release>,
    /// The state after them, and what it is wanted for.
    pub frozen: Option<(Frozen, Wanted)>,
    /// Records whose words are to be erased, and who waits for it.
    pub erasures: Vec<(u64, oneshot::Sender<Result<usize, StoreError>>)>,
}

/// What a frozen state is wanted for.
pub enum Wanted {
    /// A snapshot is due.
    Snapshot,
    /// Somebody asked for it.
    Reply(oneshot::Sender<Frozen>),
}

impl Decided {
    /// Nothing decided, with room for as much as this: the next batch is likely alike.
    pub fn next(&self) -> Self {
        let releases = Vec::with_capacity(self.releases.len());
        Self { digest: self.digest.next(), releases, ..Self::default() }
    }
}

/// The committer's thread and the way to it.
pub struct Committer {
    batches: SyncSender<Decided>,
    failed: Arc<AtomicBool>,
    thread: JoinHandle<Result<(), StoreError>>,
}

/// What the committer works with.
pub struct Parts {
    /// The journal's writing end.
    pub journal: Box<dyn Journal>,
    /// A reading end.
    pub reader: Box<dyn JournalReader>,
    /// The chain's hash after the journal's last record.
    pub head: ChainHash,
    /// Where the views listen.
    pub follower: SyncSender<Digest>,
    /// Where snapshots are made.
    pub snapshotter: Snapshotter,
    /// How far everybody got.
    pub progress: Arc<Progress>,
    /// Where replies are waited for, when the engine was started within a runtime.
    pub runtime: Option<Handle>,
}

impl Committer {
    /// Starts the thread.
    pub fn start(parts: Parts) -> Result<Self, StartError> {
        // No room between the threads: one batch is made durable, one is decided.
        let (batches, receiver) = sync_channel(0);
        let failed = Arc::new(AtomicBool::new(false));
        let told = failed.clone();
        let thread = std::thread::Builder::new().name("lab3-committer".into()).spawn(move || parts.run(&receiver, &told));
        Ok(Self { batches, failed, thread: thread.map_err(|error| StartError::Thread(error.to_string()))? })
    }

    /// Hands a batch over, waiting for the one before. When the committer has failed the batch is dropped, and with it the
    /// replies: their receivers learn that the outcome is unknown.
    pub fn commit(&self, batch: Decided) -> Result<(), Failed> {
        self.batches.send(batch).map_err(|_| Failed)
    }

    /// Whether an append has failed. Known before any caller of the lost batch learns of it.
    pub fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    /// Waits for the last batch and ends the thread; says why it had failed.
    pub fn finish(self) -> Result<(), StoreError> {
        drop(self.batches);
        self.thread.join().unwrap_or_else(|_| Err(StoreError::Other("the committer panicked".into())))
    }
}

/// The committer could not append; [`Committer::finish`] says why.
#[derive(Debug)]
pub struct Failed;

impl Parts {
    fn run(mut self, batches: &Receiver<Decided>, has_failed: &AtomicBool) -> Result<(), StoreError> {
        while let Ok(batch) = batches.recv() {
            let Decided { rows, mut digest, commit, releases, frozen, erasures } = batch;
            // Here rather than on the writer's thread, which has more to do.
            let rows = rows.into_iter().map(|row| row.seal(&mut self.head, &mut digest.leaves)).collect::<Vec<_>>();
            if let Some(last) = rows.last().map(Row::last) {
                let started = Instant::now();
                if let Err(error) = self.journal.append(&rows) {
                    has_failed.store(true, Ordering::Release);
                    self.progress.commit_failures.fetch_add(1, Ordering::Relaxed);
                    return Err(error);
                }
                self.count(started, digest.last + 1 - digest.first);
                self.progress.durable.store(last, Ordering::Release);
                // Whoever waits holds the other ends.
                if Arc::strong_count(&commit) > 1 {
                    commit.is_durable(digest.first, &digest.leaves);
                }
            }
            self.release(releases);
            if !digest.is_empty() {
                // A full channel is no harm: the follower sees from `durable` that it missed something, and reads the journal.
                let _ = self.follower.try_send(digest);
            }
            for (sequence, reply) in erasures {
                let erased = self.erase(sequence);
                // Who is only told to ask again has harmed nothing.
                let failed = erased.clone().err().filter(|error| !matches!(error, StoreError::InUse(_)));
                let _ = reply.send(erased);
                if let Some(error) = failed {
                    // The writing end is given up with its connection; the writer opens another.
                    has_failed.store(true, Ordering::Release);
                    return Err(error);
                }
            }
            if let Some((mut frozen, wanted)) = frozen {
                frozen.head = self.head;
                match wanted {
                    Wanted::Snapshot => self.snapshotter.take(frozen),
                    Wanted::Reply(reply) => drop(reply.send(frozen)),
                }
            }
        }
        Ok(())
    }

    /// Erases what people wrote in a record.
    fn erase(&mut self, sequence: u64) -> Result<usize, StoreError> {
        let row = self.reader.row_with(sequence)?.ok_or_else(|| StoreError::Other(format!("there is no record {sequence}")))?;
        let damaged = || StoreError::Damaged(format!("what stands beside record {sequence} cannot be read"));
        let (openings, erased) = codec::erase(&row.openings, sequence - row.first).ok_or_else(damaged)?;
        // Also when it was erased before: asked again because the first time a copy of it stayed behind.
        self.journal.replace_openings(row.first, &openings)?;
        Ok(erased)
    }

    /// Lets the replies go: on the runtime their receivers wait on, so that waking them is the work of one task there rather than a
    /// call into the runtime for each.
    fn release(&self, releases: Vec<Release>) {
        let release_all = move || {
            for release in releases {
                release();
            }
        };
        match &self.runtime {
            Some(runtime) => drop(runtime.spawn(async move { release_all() })),
            None => release_all(),
        }
    }

    fn count(&self, started: Instant, records: u64) {
        let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.progress.commit_micros.fetch_add(micros, Ordering::Relaxed);
        self.progress.commits.fetch_add(1, Ordering::Relaxed);
        self.progress.records.fetch_add(records, Ordering::Relaxed);
    }
}
