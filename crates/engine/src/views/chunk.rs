//! Pieces of an account's history, chained from the newest to the oldest, with shorter ways between those that lie far apart.
//!
//! Each chunk names the one before it. Every sixteenth of a history is a *milestone* and also names the milestone before it, every
//! sixteenth milestone is one of level 2 and also names the one of level 2 before it, and so on: a skip list whose levels are the
//! zeros at the end of a chunk's depth in hexadecimal (after Munro, Papadakis, Sedgewick: Deterministic skip lists, 1992). The head
//! knows the newest of each level, so that nothing need be read to write a chunk, and the way to one of n is at most sixteen steps
//! and a vain one for each level, of which there are log16 n.

use lab3_ledger::AccountNo;
use serde::{Deserialize, Serialize};

use crate::storage::{Shelf, ShelfTable, StoreError};

/// Entries in a chunk: a statement reads one or two.
pub const CHUNK_ENTRIES_MAX: usize = 256;

/// Chunks from one milestone to the next, and milestones from one to the next of a higher level, as a power of two. With 16 a
/// history of less than 16 chunks costs nothing more, and one of less than 4096 two numbers in memory.
const MILESTONE_BITS: u32 = 4;

/// What one record did to one account, and what the account had after it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// The record.
    pub sequence: u64,
    /// The balance after it, in the asset's smallest unit.
    pub balance: i64,
    /// What was held after it.
    pub held: i64,
}

/// Where an account's history ends on the shelf. There is one in memory for every account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Number of the newest chunk, 0 for none.
    chunk: u64,
    /// How many chunks there are.
    depth: u64,
    /// The balance after the last entry.
    pub balance: i64,
    /// What was held after the last entry.
    pub held: i64,
    /// Numbers of the newest milestones of level 1, 2 and so on.
    milestones: Box<[u64]>,
}

impl Head {
    /// Adds these entries (at least one) to the history: the chunk to write under that number, which is higher than all before.
    pub fn append(&mut self, account: AccountNo, number: u64, entries: &[Entry]) -> Chunk {
        self.depth += 1;
        let level = (self.depth.trailing_zeros() / MILESTONE_BITS) as usize;
        let mut later = number;
        let gap = |link| std::mem::replace(&mut later, link) - link;
        let label = Label {
            account,
            first: entries.first().map_or(0, |entry| entry.sequence),
            gaps: self.links().take(1 + level).map(gap).collect(),
        };
        let chunk = Chunk::new(label, self, entries);
        if level > 0 {
            let mut milestones = std::mem::take(&mut self.milestones).into_vec();
            milestones.resize(milestones.len().max(level), number);
            milestones[..level].fill(number);
            self.milestones = milestones.into_boxed_slice();
        }
        self.chunk = number;
        if let Some(last) = entries.last() {
            (self.balance, self.held) = (last.balance, last.held);
        }
        chunk
    }

    /// Numbers of the newest chunk and of the newest milestone of each level. One number may come several times in a row.
    fn links(&self) -> impl Iterator<Item = u64> {
        let newest = Some(self.chunk).filter(|&number| number != 0);
        newest.into_iter().chain(self.milestones.iter().copied())
    }
}

/// A chunk's beginning: enough to find the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Label {
    account: AccountNo,
    /// Record of the first entry.
    first: u64,
    /// From this chunk's number down to that of the chunk before, from there down to that of the milestone before, and so on.
    gaps: Vec<u64>,
}

/// A piece of an account's history. Encoded by postcard, whose variable-length integers make an entry some six bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    label: Label,
    /// What the account had before the first entry.
    balance_before: i64,
    /// What was held before the first entry.
    held_before: i64,
    /// Steps to the next: records on from the entry before, change of the balance, change of what is held.
    steps: Vec<(u64, i64, i64)>,
}

impl Chunk {
    /// The chunk of these entries after `head`.
    fn new(label: Label, head: &Head, entries: &[Entry]) -> Self {
        let mut last = Entry { sequence: label.first, balance: head.balance, held: head.held };
        let mut steps = Vec::with_capacity(entries.len());
        for entry in entries {
            let balance = entry.balance.wrapping_sub(last.balance);
            steps.push((entry.sequence - last.sequence, balance, entry.held.wrapping_sub(last.held)));
            last = *entry;
        }
        Self { label, balance_before: head.balance, held_before: head.held, steps }
    }

    /// The entries, oldest first.
    fn entries(&self) -> impl Iterator<Item = Entry> {
        let mut last = Entry { sequence: self.label.first, balance: self.balance_before, held: self.held_before };
        self.steps.iter().map(move |&(records, balance, held)| {
            last.sequence += records;
            last.balance = last.balance.wrapping_add(balance);
            last.held = last.held.wrapping_add(held);
            last
        })
    }
}

/// A chunk on the shelf of which only the label was read.
#[derive(Debug)]
pub struct Piece {
    number: u64,
    /// Record of the first entry.
    first: u64,
    /// Numbers of the chunk before, the milestone before, and so on: descending.
    links: Vec<u64>,
    bytes: Vec<u8>,
}

impl Piece {
    fn read(shelf: &mut dyn Shelf, account: AccountNo, number: u64) -> Result<Self, StoreError> {
        let damaged = |what: &str| StoreError::Damaged(format!("piece {number} of a history {what}"));
        let bytes = shelf.get(ShelfTable::Chunks, number)?.ok_or_else(|| damaged("is missing from the views"))?;
        let (label, _) = postcard::take_from_bytes::<Label>(&bytes).map_err(|error| damaged(&format!("cannot be read: {error}")))?;
        if label.account != account {
            return Err(damaged("is another account's"));
        }
        // Descending and above 0, else a walk might never end.
        let mut later = number;
        let link = |&gap: &u64| {
            later = later.checked_sub(gap).filter(|&link| gap > 0 && link > 0)?;
            Some(later)
        };
        let links = label.gaps.iter().map(link).collect::<Option<Vec<_>>>().ok_or_else(|| damaged("names one that cannot be"))?;
        Ok(Self { number, first: label.first, links, bytes })
    }

    /// The entries, oldest first.
    pub fn entries(&self) -> Result<Vec<Entry>, StoreError> {
        let damaged = |error| StoreError::Damaged(format!("piece {} of a history cannot be read: {error}", self.number));
        let chunk = postcard::from_bytes::<Chunk>(&self.bytes).map_err(damaged)?;
        Ok(chunk.entries().collect())
    }
}

/// A way through an account's chunks: back to a place, and from there on in either direction.
pub struct Walk<'a> {
    shelf: &'a mut dyn Shelf,
    account: AccountNo,
    head: &'a Head,
    /// Where we are: number of a chunk, 0 before the first.
    place: u64,
    /// Chunks after the place that we came by, newest first.
    later: Vec<Piece>,
}

impl<'a> Walk<'a> {
    /// A walk that begins at the end of a history.
    pub fn new(shelf: &'a mut dyn Shelf, account: AccountNo, head: &'a Head) -> Self {
        Self { shelf, account, head, place: 0, later: Vec::new() }
    }

    /// Goes to the newest chunk that begins with record `sequence` or before; to before the first when there is none.
    pub fn back_to(&mut self, sequence: u64) -> Result<Option<Piece>, StoreError> {
        let mut found = None;
        // Outwards from the newest, so that the recent past, which is asked for most, is near.
        for number in self.head.links() {
            if self.later.last().is_some_and(|piece| piece.number == number) {
                continue;
            }
            if self.pass(number, sequence, &mut found)? {
                break;
            }
        }
        while let Some(number) = self.next() {
            self.pass(number, sequence, &mut found)?;
        }
        Ok(found)
    }

    /// The chunk before that one.
    pub fn older(&mut self, piece: &Piece) -> Result<Option<Piece>, StoreError> {
        piece.links.first().map(|&before| self.read(before)).transpose()
    }

    /// Goes on to the chunk after the place; none after the newest.
    pub fn newer(&mut self) -> Result<Option<Piece>, StoreError> {
        while let Some(number) = self.next() {
            let piece = self.read(number)?;
            self.later.push(piece);
        }
        let newer = self.later.pop();
        if let Some(piece) = &newer {
            self.place = piece.number;
        }
        Ok(newer)
    }

    /// Reads a chunk: either the record is in it or after it, and it is the new place, or it lies before.
    fn pass(&mut self, number: u64, sequence: u64, found: &mut Option<Piece>) -> Result<bool, StoreError> {
        let piece = self.read(number)?;
        let reached = piece.first <= sequence;
        if reached {
            self.place = number;
            *found = Some(piece);
        } else {
            self.later.push(piece);
        }
        Ok(reached)
    }

    /// The furthest chunk still after the place that the oldest of those after it names.
    fn next(&self) -> Option<u64> {
        self.later.last()?.links.iter().rev().copied().find(|&number| number > self.place)
    }

    fn read(&mut self, number: u64) -> Result<Piece, StoreError> {
        Piece::read(self.shelf, self.account, number)
    }
}
