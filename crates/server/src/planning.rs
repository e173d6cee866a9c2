//! Where plans are made: on threads of their own, few at a time, beside the writer and away from the threads that answer.

use lab3_units::{Code, Problem};
use tokio::sync::Semaphore;

/// Plans made at once. One leaves a core of a small machine to everything else.
const AT_ONCE: usize = 1;

/// Requests that may wait for their turn.
const WAITING_MAX: usize = 16;

/// The room for plans.
pub(crate) struct Planning {
    turns: Semaphore,
    places: Semaphore,
    own: Semaphore,
}

impl Default for Planning {
    fn default() -> Self {
        Self { turns: Semaphore::new(AT_ONCE), places: Semaphore::new(AT_ONCE + WAITING_MAX), own: Semaphore::new(1) }
    }
}

impl Planning {
    /// Runs a computation when its turn comes.
    ///
    /// Errors: `QUEUE_FULL` when too many wait, `INTERNAL` when it breaks.
    pub(crate) async fn run<T: Send + 'static>(&self, compute: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
        let busy = || Problem::new(Code::QUEUE_FULL, "Too many plans are being made. Ask again in a few seconds.").after(5);
        let _place = self.places.try_acquire().map_err(|_| busy())?;
        let _turn = self.turns.acquire().await.map_err(|_| busy())?;
        on_its_own(compute).await
    }

    /// Runs the plan of the Hive's own site, which waits for nobody's requests: the grid may be lost. There is one at a time.
    ///
    /// Errors: `INTERNAL` when it breaks.
    pub(crate) async fn run_own<T: Send + 'static>(&self, compute: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
        let _turn = self.own.acquire().await;
        on_its_own(compute).await
    }
}

/// Runs a computation on a thread that answers nobody.
async fn on_its_own<T: Send + 'static>(compute: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    tokio::task::spawn_blocking(compute).await.map_err(|error| {
        tracing::error!(%error, "a plan broke");
        Problem::new(Code::INTERNAL, "The plan could not be made. The log says more.")
    })
}
