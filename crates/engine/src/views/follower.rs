//! The follower: reads what the committer made durable, keeps the tail, writes segments to the shelf. Commit never waits
//! for it; when it falls behind it reads the journal.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::{Duration, Instant};

use super::SEGMENT_RECORDS;
use super::digest::Digest;
use super::tail::Views;
use crate::codec;
use crate::load::StartError;
use crate::shared::Progress;
use crate::storage::{JournalReader, Shelf, Store, StoreError};

/// Rows read from the journal at a time.
const ROWS_AT_ONCE: usize = 256;

/// Pause before trying again what failed.
const RETRY_EVERY: Duration = Duration::from_millis(500);

/// The views' one writer.
pub struct Follower {
    views: Arc<Views>,
    shelf: Box<dyn Shelf>,
    reader: Box<dyn JournalReader>,
    progress: Arc<Progress>,
}

impl Follower {
    /// Opens the views and brings them near the journal's end, so that little need be remembered in memory.
    pub fn open(store: &dyn Store, progress: Arc<Progress>) -> Result<Self, StartError> {
        let mut shelf = store.shelf()?;
        let mut views = Views::open(&mut *shelf)?;
        let mut reader = store.reader()?;
        let last = reader.last()?;
        if views.followed() > last {
            tracing::warn!(views = views.followed(), journal = last, "the views are ahead of the journal; building them again");
            shelf.clear()?;
            views = Views::open(&mut *shelf)?;
        }
        let mut follower = Self { views: Arc::new(views), shelf, reader, progress };
        if last - follower.views.followed() >= SEGMENT_RECORDS {
            tracing::info!(from = follower.views.followed(), to = last, "building the views from the journal");
        }
        while last - follower.views.followed() >= SEGMENT_RECORDS {
            follower.read_journal()?;
        }
        Ok(follower)
    }

    /// The views.
    pub fn views(&self) -> Arc<Views> {
        self.views.clone()
    }

    /// Follows until the committer is gone, then writes nothing more: the journal has it all.
    pub fn run(mut self, batches: &Receiver<Digest>) {
        while let Some(followed) = self.step(batches) {
            let failed = followed.is_err();
            if self.progress.views_failed.swap(failed, Ordering::AcqRel) != failed {
                if let Err(error) = &followed {
                    tracing::error!(%error, "the views cannot be kept; trying again until they can");
                } else {
                    tracing::info!("the views are kept again");
                }
            }
            self.progress.followed.send_replace(self.views.followed());
            if failed && rest(batches).is_none() {
                return;
            }
        }
    }

    /// Follows one batch, or a piece of the journal when we are behind it; nothing when the committer is gone.
    fn step(&mut self, batches: &Receiver<Digest>) -> Option<Result<(), StoreError>> {
        let batch = match batches.try_recv() {
            Ok(batch) => batch,
            Err(TryRecvError::Disconnected) => return None,
            Err(TryRecvError::Empty) if self.views.followed() < self.progress.durable.load(Ordering::Acquire) => {
                return Some(self.read_journal());
            }
            Err(TryRecvError::Empty) => batches.recv().ok()?,
        };
        Some(self.take(&batch))
    }

    fn take(&mut self, digest: &Digest) -> Result<(), StoreError> {
        // First, so that the tail stays bounded while the shelf cannot be written.
        self.flush_if_due()?;
        let next = self.views.followed() + 1;
        if digest.is_empty() {
            // A nudge to look into the journal; the next step does.
            return Ok(());
        }
        if digest.first != next {
            // A batch before this one was dropped because we were slow, or we read this one in the journal already.
            return if digest.last < next { Ok(()) } else { self.read_journal() };
        }
        self.views.follow(digest);
        Ok(())
    }

    fn read_journal(&mut self) -> Result<(), StoreError> {
        self.flush_if_due()?;
        let next = self.views.followed() + 1;
        for row in self.reader.rows_from(next, ROWS_AT_ONCE)? {
            let damaged = |damage: codec::Damage| StoreError::Damaged(damage.to_string());
            let mut digest = Digest::default();
            for (leaf, stored) in
                codec::leaves(&row).and_then(|leaves| Ok(leaves.into_iter().zip(codec::read_row(&row)?))).map_err(damaged)?
            {
                if stored.sequence >= next {
                    digest.add(&stored);
                    digest.leaves.push(leaf);
                }
            }
            self.views.follow(&digest);
            self.flush_if_due()?;
        }
        Ok(())
    }

    fn flush_if_due(&mut self) -> Result<(), StoreError> {
        if self.views.followed() - self.views.keys().indexed < SEGMENT_RECORDS {
            return Ok(());
        }
        let flush = self.views.flush().map_err(|error| StoreError::Other(error.to_string()))?;
        self.shelf.write(&flush.puts)?;
        self.views.flushed(flush);
        Ok(())
    }
}

/// Waits before another try. What comes meanwhile is dropped, and read in the journal later: left in the queue, each batch would be a try
/// of its own, and stopping would wait for them all. Nothing when the committer is gone.
fn rest(batches: &Receiver<Digest>) -> Option<()> {
    let end = Instant::now() + RETRY_EVERY;
    while let Some(left) = end.checked_duration_since(Instant::now()) {
        match batches.recv_timeout(left) {
            Ok(_) => {}
            Err(RecvTimeoutError::Timeout) => break,
            Err(RecvTimeoutError::Disconnected) => return None,
        }
    }
    Some(())
}
