//! Lines: what a citizen's queries hold is more than most will use. One that does not fit now may fit when others of the same
//! citizen have given back what they did not use, so it waits for that rather than being refused; one at a time tries, in the
//! order they came.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use lab3_units::Did;
use tokio::sync::{Mutex as Turn, watch};

/// The citizens who have queries under way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines(Arc<Mutex<HashMap<Did, Arc<Line>>>>);

/// One citizen's.
#[derive(Debug, Default)]
pub(crate) struct Line {
    /// Queries that stand in it.
    places: AtomicUsize,
    holding: AtomicUsize,
    /// Taken by the query that tries again.
    pub(crate) turn: Turn<()>,
    /// How often a query gave back what it held.
    given_back: watch::Sender<u64>,
}

impl Line {
    /// How many queries of this citizen hold something they may give back, or are about to.
    pub(crate) fn held(&self) -> usize {
        self.holding.load(Ordering::SeqCst)
    }

    /// How often something was given back.
    pub(crate) fn given_back(&self) -> u64 {
        *self.given_back.borrow()
    }

    /// Waits until something was given back more often than that.
    pub(crate) async fn given_back_since(&self, seen: u64) {
        // Fails when nobody can give back any more: the line itself can, and lives as long as the borrow.
        let _ = self.given_back.subscribe().wait_for(|&times| times > seen).await;
    }
}

/// A query's place in its citizen's line.
#[derive(Debug)]
pub(crate) struct Place {
    lines: Lines,
    citizen: Did,
    line: Arc<Line>,
}

/// Stands for what a query holds, or is about to.
#[derive(Debug)]
pub(crate) struct Holding(Arc<Line>);

impl Lines {
    /// A place in the citizen's line, which has so many at most; 0 is as many as anybody likes.
    pub(crate) fn place(&self, citizen: &Did, places_max: usize) -> Option<Place> {
        let mut lines = self.lock();
        let line = lines.entry(citizen.clone()).or_default();
        // Nobody else changes it: the map is locked. An empty line has room, so none is left behind here.
        if places_max > 0 && line.places.load(Ordering::Relaxed) >= places_max {
            return None;
        }
        line.places.fetch_add(1, Ordering::Relaxed);
        Some(Place { lines: self.clone(), citizen: citizen.clone(), line: line.clone() })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Did, Arc<Line>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    pub(crate) fn line(&self) -> &Line {
        &self.line
    }

    /// Says that something is held now, or about to be.
    pub(crate) fn holding(&self) -> Holding {
        self.line.holding.fetch_add(1, Ordering::SeqCst);
        Holding(self.line.clone())
    }
}

impl Holding {
    pub(crate) fn line(&self) -> &Line {
        &self.0
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut lines = self.lines.lock();
        self.line.places.fetch_sub(1, Ordering::Relaxed);
        // Ours and the map's own: nobody else stands in this line, and none can come while the map is locked.
        if Arc::strong_count(&self.line) == 2 {
            lines.remove(&self.citizen);
        }
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        self.0.holding.fetch_sub(1, Ordering::SeqCst);
        self.0.given_back.send_modify(|times| *times += 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_lasts_as_long_as_somebody_stands_in_it() {
        let (lines, alice) = (Lines::default(), Did::parse("did:kaizen:alice").unwrap());
        let (first, second) = (lines.place(&alice, 0).unwrap(), lines.place(&alice, 0).unwrap());
        let holding = first.holding();
        assert_eq!(second.line().held(), 1);
        drop(holding);
        assert_eq!(second.line().held(), 0);
        drop(first);
        assert_eq!(lines.lock().len(), 1);
        drop(second);
        assert_eq!(lines.lock().len(), 0);
    }

    #[test]
    fn a_line_has_so_many_places() {
        let (lines, alice) = (Lines::default(), Did::parse("did:kaizen:alice").unwrap());
        let first = lines.place(&alice, 2);
        let second = lines.place(&alice, 2);
        assert!(first.is_some() && second.is_some() && lines.place(&alice, 2).is_none());
        assert!(lines.place(&Did::parse("did:kaizen:bob").unwrap(), 2).is_some());
        drop(first);
        assert!(lines.place(&alice, 2).is_some());
    }
}
