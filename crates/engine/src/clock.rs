//! The engine's clock: the only place that asks what time it is.

use std::sync::atomic::{AtomicI64, Ordering};

use lab3_units::{Duration, Time};

/// What time it is. Rules never ask; the writer asks once a round and hands the answer on.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Time;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one clock")]
    fn now(&self) -> Time {
        let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Time::from_millis(i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX))
    }
}

/// A clock that a test turns by hand.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that stands at `start`.
    pub fn new(start: Time) -> Self {
        Self(AtomicI64::new(start.millis()))
    }

    /// Turns the clock on by `span`.
    pub fn advance(&self, span: Duration) {
        self.0.fetch_add(i64::from(span.millis()), Ordering::SeqCst);
    }

    /// Sets the clock.
    pub fn set(&self, time: Time) {
        self.0.store(time.millis(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Time {
        Time::from_millis(self.0.load(Ordering::SeqCst))
    }
}
