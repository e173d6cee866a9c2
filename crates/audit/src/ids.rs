//! Ids are used once: the newest ones are remembered, in bounded memory.

use foldhash::fast::RandomState;
use hashbrown::HashSet;
use lab3_units::Id;

/// Ids in one of two generations. Seven million fit what a set of 2^23 places holds: 140 MB.
const GENERATION_MAX: usize = 7_000_000;

/// The ids seen last: at least the newest seven million.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    new: HashSet<Id, RandomState>,
    old: HashSet<Id, RandomState>,
    pub seen: u64,
    pub forgotten: u64,
}

impl Ids {
    /// Remembers an id; whether it is new.
    pub fn add(&mut self, id: Id) -> bool {
        self.seen += 1;
        if self.new.len() >= GENERATION_MAX {
            self.forgotten += self.old.len() as u64;
            self.old = std::mem::take(&mut self.new);
        }
        !self.old.contains(&id) && self.new.insert(id)
    }
}
