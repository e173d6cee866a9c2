//! What the engine's threads tell each other and the world: how far each got, how much waits.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::watch;

use crate::decide::Policy;

/// How far the engine's threads got.
#[derive(Debug)]
pub struct Progress {
    /// The last record that is durable.
    pub durable: AtomicU64,
    /// The last record the views have followed.
    pub followed: watch::Sender<u64>,
    /// Whether the follower cannot keep the views at the moment.
    pub views_failed: AtomicBool,
    /// Commands waiting for the writer.
    pub waiting: AtomicUsize,
    /// Whether the desk takes no more commands.
    pub stopping: AtomicBool,
    /// Batches appended since the start.
    pub commits: AtomicU64,
    /// Records appended since the start.
    pub records: AtomicU64,
    /// Microseconds spent appending since the start.
    pub commit_micros: AtomicU64,
    /// Appends that failed since the start.
    pub commit_failures: AtomicU64,
    /// The last record in a snapshot.
    pub snapshot: AtomicU64,
    /// Who may do what, as decided last: for those at the door, who cannot ask the writer about each request.
    trust: RwLock<Arc<lab3_trust::State>>,
    /// The rules' parameters that go with it.
    policy: RwLock<Arc<Policy>>,
}

impl Progress {
    /// Nothing done yet.
    pub fn new() -> Self {
        Self {
            durable: AtomicU64::new(0),
            followed: watch::Sender::new(0),
            views_failed: AtomicBool::new(false),
            waiting: AtomicUsize::new(0),
            stopping: AtomicBool::new(false),
            commits: AtomicU64::new(0),
            records: AtomicU64::new(0),
            commit_micros: AtomicU64::new(0),
            commit_failures: AtomicU64::new(0),
            snapshot: AtomicU64::new(0),
            trust: RwLock::default(),
            policy: RwLock::default(),
        }
    }

    /// Who may do what.
    pub fn trust(&self) -> Arc<lab3_trust::State> {
        self.trust.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The rules' parameters, as they hold now.
    pub fn policy(&self) -> Arc<Policy> {
        self.policy.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Tells those at the door what holds now.
    pub fn set_policy(&self, policy: Arc<Policy>) {
        *self.policy.write().unwrap_or_else(PoisonError::into_inner) = policy;
    }

    /// Tells those at the door.
    pub fn set_trust(&self, trust: lab3_trust::State) {
        *self.trust.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(trust);
    }
}
