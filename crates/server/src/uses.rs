//! When each key was used last, as far as this process has seen. Not in the journal: a record a request would be too many.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{PoisonError, RwLock};

use lab3_units::Time;

/// When keys were used.
#[derive(Debug, Default)]
pub(crate) struct Uses(RwLock<HashMap<u32, AtomicI64>>);

impl Uses {
    /// The key of that number is used now.
    pub(crate) fn note(&self, number: u32, now: Time) {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = known.get(&number) {
            last.store(now.millis(), Ordering::Relaxed);
            return;
        }
        drop(known);
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(number, AtomicI64::new(now.millis()));
    }

    /// When the key was used last.
    pub(crate) fn last(&self, number: u32) -> Option<Time> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.get(&number).map(|last| Time::from_millis(last.load(Ordering::Relaxed)))
    }
}
