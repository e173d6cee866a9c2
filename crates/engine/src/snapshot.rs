//! Snapshots: made on a thread of their own from a frozen state, so that the writer goes on. They only shorten the next
//! start; a failure is logged and nothing else.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use crate::load::StartError;
use crate::shared::Progress;
use crate::state::Frozen;
use crate::storage::{Snapshots, StoreError};

/// Snapshots kept: the newest, and one to fall back to.
const KEPT: usize = 2;

/// The way to the snapshot thread.
#[derive(Clone)]
pub struct Snapshotter(SyncSender<Frozen>);

impl Snapshotter {
    /// Starts the thread; it ends when every [`Snapshotter`] is gone.
    pub fn start(snapshots: Box<dyn Snapshots>, progress: Arc<Progress>) -> Result<(Self, JoinHandle<()>), StartError> {
        let (sender, receiver) = sync_channel::<Frozen>(1);
        let work = move || {
            while let Ok(frozen) = receiver.recv() {
                match save(&*snapshots, &frozen) {
                    Ok(()) => progress.snapshot.store(frozen.sequence, Ordering::Relaxed),
                    Err(error) => tracing::warn!(sequence = frozen.sequence, %error, "no snapshot was made"),
                }
            }
        };
        let thread = std::thread::Builder::new().name("lab3-snapshot".into()).spawn(work);
        Ok((Self(sender), thread.map_err(|error| StartError::Thread(error.to_string()))?))
    }

    /// Makes a snapshot of the state, unless one is waiting to be made already.
    pub fn take(&self, frozen: Frozen) {
        let _ = self.0.try_send(frozen);
    }
}

fn save(snapshots: &dyn Snapshots, frozen: &Frozen) -> Result<(), StoreError> {
    let stamp = snapshots.stamp();
    snapshots.save(frozen.sequence, &mut |out| frozen.write(out, &stamp))?;
    let mut known = snapshots.list()?;
    known.sort_unstable();
    let old = known.len().saturating_sub(KEPT);
    known.iter().take(old).try_for_each(|&sequence| snapshots.remove(sequence))
}
