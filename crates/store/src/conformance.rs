//! What every home of a journal must do, as tests that run against any of them: the one in memory is the model, the others are held
//! to the same. A suite takes a function that makes an empty store, and panics where the store does not do what the traits say.

#![allow(clippy::missing_panics_doc, clippy::panic, reason = "panicking is how a test reports")]

mod journal;
mod shelf;
mod snapshots;

use lab3_engine::{Row, Store, StoreError};

pub use journal::journal;
pub use shelf::shelf;
pub use snapshots::snapshots;

/// Drops a store with all that was opened through it, opens it again with `reopen`, and looks whether everything is there.
pub fn reopening<S: Store>(make: impl Fn() -> S, reopen: impl Fn(S) -> S) {
    let store = make();
    journal::fill(&store);
    shelf::fill(&store);
    snapshots::fill(&store);
    let store = reopen(store);
    journal::check_filled(&store);
    shelf::check_filled(&store);
    snapshots::check_filled(&store);
    // And it goes on where it was.
    let end = done(done(store.reader()).last());
    done(done(store.journal()).append(&[row(end + 1, 1)]));
    let store = reopen(store);
    assert_eq!(done(done(store.reader()).last()), end + 1);
}

/// What a step that must succeed gives.
#[track_caller]
fn done<T>(result: Result<T, StoreError>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("the store failed where it must not: {error}"),
    }
}

/// A row whose body tells its number and its length.
fn row(first: u64, len: u32) -> Row {
    let body = (0..len).flat_map(|index| (first + u64::from(index)).to_be_bytes()).collect();
    Row { first, len, body, openings: Vec::new() }
}
