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

/// Bytes that hold any chunk: of the longest numbers three for each entry, and some in front.
pub const CHUNK_BYTES_MAX: usize = 256 + 30 * CHUNK_ENTRIES_MAX;

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

/// What an account has after the last entry on the shelf. Apart from the head, because it is looked at whenever an account comes up
/// in a segment for the first time, and the head is not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The balance.
    pub balance: i64,
    /// What is held.
    pub held: i64,
}

/// Where an account's history ends on the shelf. There is one in memory for every account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Number of the newest chunk, 0 for none.
    chunk: u64,
    /// How many chunks there are.
    depth: u64,
    /// Numbers of the newest milestones of level 1, 2 and so on.
    milestones: Box<[u64]>,
}

impl Head {
    /// Adds these entries (at least one) to the history of an account that had `before`, and gives the chunk to write under that
    /// number, which is higher than all before. It is made in `scratch`, of [`CHUNK_BYTES_MAX`].
    pub fn append(
        &mut self,
        account: AccountNo,
        number: u64,
        before: Standing,
        entries: &[Entry],
        scratch: &mut [u8],
    ) -> Result<Vec<u8>, postcard::Error> {
        let depth = self.depth + 1;
        let level = (depth.trailing_zeros() / MILESTONE_BITS) as usize;
        let bytes = {
            let mut later = number;
            let gap = move |link| std::mem::replace(&mut later, link) - link;
            let first = entries.first().map_or(0, |entry| entry.sequence);
            let mut last = Entry { sequence: first, balance: before.balance, held: before.held };
            let step = move |entry: &Entry| {
                let Entry { sequence, balance, held } = std::mem::replace(&mut last, *entry);
                (entry.sequence - sequence, entry.balance.wrapping_sub(balance), entry.held.wrapping_sub(held))
            };
            // Field by field what [`Label`] and [`Chunk`] are read from.
            let gaps = Sequence(self.links().take(1 + level).map(gap));
            postcard::to_slice(&(account, first, gaps, before, Sequence(entries.iter().map(step))), scratch)?.to_vec()
        };
        if level > 0 {
            let mut milestones = std::mem::take(&mut self.milestones).into_vec();
            milestones.resize(milestones.len().max(level), number);
            milestones[..level].fill(number);
            self.milestones = milestones.into_boxed_slice();
        }
        (self.chunk, self.depth) = (number, depth);
        Ok(bytes)
    }

    /// Numbers of the newest chunk and of the newest milestone of each level. One number may come several times in a row.
    fn links(&self) -> impl Iterator<Item = u64> + Clone {
        let newest = Some(self.chunk).filter(|&number| number != 0);
        newest.into_iter().chain(self.milestones.iter().copied())
    }
}

/// Writes what an iterator gives as if it stood in a vector.
struct Sequence<I>(I);

impl<I: Iterator<Item: Serialize> + Clone> Serialize for Sequence<I> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.clone())
    }
}

/// A chunk's beginning: enough to find the way.
#[derive(Deserialize)]
struct Label {
    account: AccountNo,
    /// Record of the first entry.
    first: u64,
    /// From this chunk's number down to that of the chunk before, from there down to that of the milestone before, and so on.
    gaps: Vec<u64>,
}

/// A piece of an account's history. Encoded by postcard, whose variable-length integers make an entry some six bytes.
#[derive(Deserialize)]
struct Chunk {
    label: Label,
    /// What the account had before the first entry.
    before: Standing,
    /// Steps to the next: records on from the entry before, change of the balance, change of what is held.
    steps: Vec<(u64, i64, i64)>,
}

impl Chunk {
    /// The entries, oldest first.
    fn entries(&self) -> impl Iterator<Item = Entry> {
        let mut last = Entry { sequence: self.label.first, balance: self.before.balance, held: self.before.held };
        self.steps.iter().map(move |&(records, balance, held)| {
            last.sequence = last.sequence.wrapping_add(records);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::{MemoryStore, Put};

    const ACCOUNT: AccountNo = AccountNo(3);

    fn write(shelf: &mut MemoryStore, number: u64, value: Vec<u8>) {
        Shelf::write(shelf, &[Put { table: ShelfTable::Chunks, key: number, value }]).unwrap();
    }

    fn append(head: &mut Head, number: u64, before: Standing, entries: &[Entry]) -> Vec<u8> {
        head.append(ACCOUNT, number, before, entries, &mut [0; CHUNK_BYTES_MAX]).unwrap()
    }

    #[test]
    fn entries_come_back_as_they_went_in() {
        let entries = [
            Entry { sequence: 7, balance: -5, held: 0 },
            Entry { sequence: 8, balance: 10, held: 3 },
            Entry { sequence: 900, balance: i64::MAX, held: 0 },
        ];
        let mut shelf = MemoryStore::new();
        write(&mut shelf, 4, append(&mut Head::default(), 4, Standing { balance: 100, held: 1 }, &entries));
        let piece = Piece::read(&mut shelf, ACCOUNT, 4).unwrap();
        assert_eq!((piece.first, piece.links.as_slice()), (7, &[][..]));
        assert_eq!(piece.entries().unwrap(), entries);
    }

    #[test]
    fn the_largest_chunk_fits() {
        let milestones = (1..16).map(|level| u64::MAX >> (4 * level)).collect();
        let mut head = Head { chunk: u64::MAX - 1, depth: (1 << 60) - 1, milestones };
        let extreme = |n| Entry { sequence: n, balance: [i64::MIN, 0][(n % 2) as usize], held: [0, i64::MIN][(n % 2) as usize] };
        let entries = (u64::MAX - 255..=u64::MAX).map(extreme).collect::<Vec<_>>();
        let bytes = append(&mut head, u64::MAX, Standing { balance: i64::MIN, held: i64::MIN }, &entries);
        let mut shelf = MemoryStore::new();
        write(&mut shelf, u64::MAX, bytes);
        assert_eq!(Piece::read(&mut shelf, ACCOUNT, u64::MAX).unwrap().entries().unwrap(), entries);
    }

    #[test]
    fn every_sixteenth_names_one_more() {
        let (mut shelf, mut head) = (MemoryStore::new(), Head::default());
        // Every third number, as when two other accounts get chunks between.
        for depth in 1..=8192 {
            let entry = Entry { sequence: depth, ..Entry::default() };
            write(&mut shelf, 3 * depth, append(&mut head, 3 * depth, Standing::default(), &[entry]));
        }
        let links = |depth: u64| Piece::read(&mut shelf.clone(), ACCOUNT, 3 * depth).unwrap().links;
        for (depth, named) in [
            (1, &[][..]),
            (2, &[1]),
            (15, &[14]),
            (16, &[15]),
            (17, &[16]),
            (32, &[31, 16]),
            (256, &[255, 240]),
            (272, &[271, 256]),
            (512, &[511, 496, 256]),
            (4096, &[4095, 4080, 3840]),
            (8192, &[8191, 8176, 7936, 4096]),
        ] {
            assert_eq!(links(depth), named.iter().map(|depth| 3 * depth).collect::<Vec<_>>(), "at depth {depth}");
        }
        assert_eq!(head.links().collect::<Vec<_>>(), [3 * 8192; 4]);
    }

    #[test]
    fn damage_is_said_and_never_walked_into() {
        let (mut shelf, mut head) = (MemoryStore::new(), Head::default());
        let entries = [1, 2].map(|sequence| Entry { sequence, ..Entry::default() });
        append(&mut head, 5, Standing::default(), &entries);
        let bytes = append(&mut head, 9, Standing::default(), &entries);
        let steps = [(0, 0, 0), (1, 0, 0)].map(|step: (u64, i64, i64)| step).to_vec();
        let with = |gaps: &[u64]| postcard::to_stdvec(&(ACCOUNT, 1_u64, gaps, Standing::default(), &steps)).unwrap();
        assert_eq!(bytes, with(&[4]));
        let mut read = |account, value: &[u8]| {
            write(&mut shelf, 9, value.to_vec());
            Piece::read(&mut shelf, account, 9).and_then(|piece| piece.entries())
        };
        assert_eq!(read(ACCOUNT, &bytes), Ok(entries.to_vec()));
        assert_eq!(read(ACCOUNT, &with(&[4, 4])), Ok(entries.to_vec()));
        let mut damaged = |what, account, value: &[u8]| {
            let answer = read(account, value);
            assert!(matches!(answer, Err(StoreError::Damaged(_))), "{what}: {answer:?}");
        };
        damaged("another account's", AccountNo(4), &bytes);
        (0..bytes.len()).for_each(|len| damaged("cut off", ACCOUNT, &bytes[..len]));
        damaged("names itself", ACCOUNT, &with(&[0]));
        damaged("names one twice", ACCOUNT, &with(&[4, 0]));
        damaged("names number 0", ACCOUNT, &with(&[9]));
        damaged("names one below 0", ACCOUNT, &with(&[4, u64::MAX]));
        assert!(matches!(Piece::read(&mut shelf, ACCOUNT, 10), Err(StoreError::Damaged(_))));
    }
}
