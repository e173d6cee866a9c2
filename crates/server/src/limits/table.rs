//! A number for each of many names, in room that is set aside once: whoever makes up names without end makes the desk forget some, and take
//! no more memory. Of those that fall into the same set the one with the least number is forgotten first; what numbers mean is chosen so
//! that it loses least.

use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Mutex, PoisonError};

/// Sets of a table, a power of two.
const SETS: usize = 1 << 12;

/// Names in a set.
const WAYS: usize = 8;

/// Numbers by name: 32,768 at most, in about 600 KB.
#[derive(Debug)]
pub(super) struct Table {
    /// Keyed at random, so that nobody can aim at another's set.
    hasher: RandomState,
    sets: Box<[Mutex<[Slot; WAYS]>]>,
}

/// A name by its hash, and its number. An empty slot has the number 0, as a name that was never met.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    name: u64,
    number: u64,
}

impl Table {
    pub(super) fn new() -> Self {
        Self { hasher: RandomState::new(), sets: (0..SETS).map(|_| Mutex::default()).collect() }
    }

    /// Looks at a name's number, which is 0 unless it is known, and perhaps changes it.
    pub(super) fn with<T>(&self, name: &impl Hash, work: impl FnOnce(&mut u64) -> T) -> T {
        let name = self.hasher.hash_one(name);
        let at = usize::try_from(name % SETS as u64).unwrap_or_default();
        let mut set = self.sets[at].lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = set.iter_mut().find(|slot| slot.name == name) {
            return work(&mut slot.number);
        }
        let mut number = 0;
        let done = work(&mut number);
        if number > 0
            && let Some(least) = set.iter_mut().min_by_key(|slot| slot.number)
        {
            *least = Slot { name, number };
        }
        done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_kept_by_name() {
        let table = Table::new();
        for name in 0..1000_u64 {
            table.with(&name, |number| *number = name + 1);
        }
        assert!((0..1000_u64).all(|name| table.with(&name, |number| *number) == name + 1));
        assert_eq!(table.with(&"nobody", |number| *number), 0);
    }

    #[test]
    fn the_least_are_forgotten_first() {
        let table = Table::new();
        let strong = (0..100_u64).map(|n| format!("strong {n}")).collect::<Vec<_>>();
        for name in &strong {
            table.with(name, |number| *number = 1_000_000_000);
        }
        for flood in 0..500_000_u64 {
            table.with(&flood, |number| *number = flood + 1);
        }
        assert!(strong.iter().all(|name| table.with(name, |number| *number) == 1_000_000_000));
        let kept = (0..500_000_u64).filter(|name| table.with(name, |number| *number) > 0).count();
        assert!((SETS * WAYS / 2..=SETS * WAYS).contains(&kept), "{kept}");
    }
}
