//! Waiting on conditions, never for luck.

use std::time::{Duration, Instant};

/// Longest wait for anything. A debug build on a loaded machine is slow; nothing here takes this long when it works.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// Between two looks.
pub const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Looks until there is something to see.
pub fn until<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    at_most(PATIENCE, what, look)
}

/// Looks until there is something to see, or the time is over.
pub fn at_most<T>(patience: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(started.elapsed() < patience, "waited {patience:?} in vain for {what}");
        std::thread::sleep(LOOK_EVERY);
    }
}
