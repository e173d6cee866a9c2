//! Histories against a plain list, over a shelf that counts how often it is read.

use proptest::prelude::*;

use super::*;
use crate::storage::MemoryStore;
use crate::views::digest::Change;

/// A shelf that counts how often it is read.
struct Counted {
    shelf: MemoryStore,
    reads: usize,
}

impl Shelf for Counted {
    fn get(&mut self, table: ShelfTable, key: u64) -> Result<Option<Vec<u8>>, StoreError> {
        self.reads += 1;
        self.shelf.get(table, key)
    }

    fn scan(&mut self, table: ShelfTable, from: u64, entries_max: usize) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        self.shelf.scan(table, from, entries_max)
    }

    fn write(&mut self, puts: &[Put]) -> Result<(), StoreError> {
        self.shelf.write(puts)
    }

    fn clear(&mut self) -> Result<(), StoreError> {
        self.shelf.clear()
    }
}

/// Views, and what they must say.
struct World {
    views: Views,
    shelf: Counted,
    model: Vec<Vec<Entry>>,
}

impl World {
    fn new(accounts: usize) -> Self {
        let shelf = Counted { shelf: MemoryStore::new(), reads: 0 };
        Self { views: Views::default(), shelf, model: vec![Vec::new(); accounts] }
    }

    /// The next record, which changes these accounts; `skipped` records before it change none.
    fn record(&mut self, skipped: u64, accounts: &[usize]) {
        let sequence = self.views.followed() + skipped + 1;
        let leaves = vec![[0; 32]; usize::try_from(skipped).unwrap() + 1];
        let mut digest = Digest { first: sequence, last: sequence, leaves, ..Digest::default() };
        for &account in accounts {
            let no = AccountNo(u32::try_from(account).unwrap());
            // Twice, as when a hold is settled: both make one entry.
            let change = |balance, held| Change { sequence, balance, held, account: no };
            let by = i64::try_from(sequence % 1000).unwrap() - 300;
            digest.changes.extend([change(by, 7), change(1, -by)]);
            let last = self.model[account].last().copied().unwrap_or_default();
            self.model[account].push(Entry { sequence, balance: last.balance + by + 1, held: last.held + 7 - by });
        }
        self.views.follow(&digest);
    }

    fn flush(&mut self) {
        let flush = self.views.flush().unwrap();
        self.shelf.write(&flush.puts).unwrap();
        self.views.flushed(flush);
    }

    /// What a process that starts now knows; the tail is lost.
    fn reopen(&mut self) {
        self.views = Views::open(&mut self.shelf).unwrap();
        let followed = self.views.followed();
        self.model.iter_mut().for_each(|entries| entries.retain(|entry| entry.sequence <= followed));
    }

    fn chunks(&self) -> u64 {
        self.views.read().chunks
    }

    /// Asks, compares, and says how many reads that took.
    fn check(&mut self, account: usize, span: Span, limit: usize) -> usize {
        let no = AccountNo(u32::try_from(account).unwrap());
        let model = &self.model[account];
        let expected = match span {
            Span::Before(end) => model.iter().rev().filter(|entry| entry.sequence < end).take(limit).copied().collect::<Vec<_>>(),
            Span::After(start) => model.iter().filter(|entry| entry.sequence > start).take(limit).copied().collect(),
        };
        let before = self.shelf.reads;
        assert_eq!(self.views.history(&mut self.shelf, no, span, limit).unwrap(), expected, "{span:?} {limit}");
        self.shelf.reads - before
    }

    fn check_standing(&mut self, account: usize, sequence: u64) {
        let no = AccountNo(u32::try_from(account).unwrap());
        let last = self.model[account].iter().rev().find(|entry| entry.sequence <= sequence);
        let expected = last.map_or((0, 0), |entry| (entry.balance, entry.held));
        assert_eq!(self.views.standing_at(&mut self.shelf, no, sequence).unwrap(), expected, "after {sequence}");
    }

    /// The places where answers could change: both ends, and around that entry of the account.
    fn places(&self, account: usize, entry: usize) -> Vec<u64> {
        let model = &self.model[account];
        let at = model.get(entry % model.len().max(1)).map_or(0, |entry| entry.sequence);
        let last = model.last().map_or(0, |entry| entry.sequence);
        vec![0, 1, at.saturating_sub(1), at, at + 1, last, last + 1, self.views.followed(), u64::MAX - 1, u64::MAX]
    }
}

/// Reads that finding a chunk among so many may take: for each level sixteen steps and one that led too far, and the first.
fn way_max(chunks: u64) -> usize {
    17 * (chunks.max(1).ilog(16) as usize + 1) + 1
}

#[derive(Clone, Debug)]
enum Step {
    /// So many records of these accounts, so many others before each.
    Records(usize, Vec<usize>, u64),
    Flush,
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    let len = prop_oneof![1..4_usize, 250..260_usize, 500..800_usize];
    let accounts = prop_oneof![Just(vec![0]), Just(vec![1]), Just(vec![0, 1]), Just(vec![300])];
    let records = (len, accounts, 0..3_u64).prop_map(|(len, accounts, skipped)| Step::Records(len, accounts, skipped));
    prop_oneof![4 => records, 3 => Just(Step::Flush), 1 => Just(Step::Reopen)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    /// Fails when any stretch of any history differs from the list, or is found by more reads than there are levels to go through.
    #[test]
    fn histories_are_those_of_a_plain_list(
        steps in prop::collection::vec(step(), 1..90),
        questions in prop::collection::vec((0..3_usize, any::<usize>(), 0..700_usize), 20),
    ) {
        let mut world = World::new(301);
        for step in steps {
            match step {
                Step::Records(len, accounts, skipped) => (0..len).for_each(|_| world.record(skipped, &accounts)),
                Step::Flush => world.flush(),
                Step::Reopen => world.reopen(),
            }
        }
        for (which, entry, limit) in questions {
            let account = [0, 1, 300][which];
            for place in world.places(account, entry) {
                for span in [Span::Before(place), Span::After(place)] {
                    world.check(account, span, limit);
                }
                world.check_standing(account, place);
            }
        }
    }
}

/// A history of one entry a chunk, the longest chain so many entries can make.
fn thin(entries: u64) -> World {
    let mut world = World::new(2);
    for n in 0..entries {
        world.record(n % 3, &[0]);
        world.record(0, &[1]);
        world.flush();
    }
    world
}

#[test]
fn any_place_in_a_long_history_is_a_few_reads_away() {
    // One past the third level.
    let mut world = thin(4200);
    for reopened in [false, true] {
        if reopened {
            world.reopen();
        }
        assert_eq!(world.chunks(), 8400);
        let mut most = 0;
        for place in (0..world.views.followed() + 3).step_by(5) {
            for span in [Span::Before(place), Span::After(place)] {
                most = most.max(world.check(0, span, 1));
            }
            world.check_standing(0, place);
        }
        assert!((20..=way_max(4200)).contains(&most), "{most} reads");
    }
}

#[test]
fn a_page_costs_its_own_chunks_and_the_way_there() {
    let mut world = thin(2000);
    for limit in [1, 15, 16, 17, 100, 700] {
        for place in (0..world.views.followed()).step_by(97) {
            for span in [Span::Before(place), Span::After(place)] {
                let reads = world.check(0, span, limit);
                assert!(reads <= limit + way_max(2000), "{span:?}: {reads} reads for {limit} entries");
            }
        }
    }
}

#[test]
fn full_chunks_are_read_once_a_page() {
    let mut world = World::new(1);
    for _ in 0..10 {
        (0..8000).for_each(|_| world.record(0, &[0]));
        world.flush();
    }
    assert_eq!(world.chunks(), 320);
    for place in (0..80_000).step_by(997) {
        for limit in [1, 100, 256, 2560] {
            for span in [Span::Before(place), Span::After(place)] {
                let reads = world.check(0, span, limit);
                assert!(reads <= limit / CHUNK_ENTRIES_MAX + 2 + way_max(320), "{span:?}: {reads} reads for {limit} entries");
            }
        }
    }
}

#[test]
fn the_recent_past_is_near_however_long_the_history() {
    let mut world = thin(1000);
    let last = world.views.followed();
    assert_eq!(world.check(0, Span::Before(u64::MAX), 1), 1);
    assert_eq!(world.check(0, Span::Before(u64::MAX), 50), 50);
    assert_eq!(world.check(0, Span::After(last - 1), 10), 1);
    assert_eq!(world.check(0, Span::After(last), 10), 1);
    // With the end of it in memory the shelf is left alone.
    world.record(0, &[0]);
    let tail = world.views.followed();
    assert_eq!(world.check(0, Span::Before(u64::MAX), 1), 0);
    assert_eq!(world.check(0, Span::After(tail), 10), 0);
    assert_eq!(world.check(0, Span::Before(u64::MAX), 2), 1);
    assert_eq!(world.check(0, Span::After(last), 10), 1);
    assert_eq!(world.check(0, Span::After(0), 0), 0);
}

#[test]
fn a_failed_write_changes_nothing() {
    let mut world = World::new(1);
    for n in 0..40 {
        world.record(0, &[0]);
        // Made and thrown away, as when the disk is full.
        let failed = world.views.flush().unwrap();
        assert!(!failed.puts.is_empty());
        if n % 2 == 0 {
            world.flush();
        }
    }
    for place in 0..45 {
        world.check(0, Span::After(place), 3);
        world.check(0, Span::Before(place), 3);
    }
    world.flush();
    assert_eq!(world.chunks(), 21);
}

#[test]
fn another_layout_is_dropped() {
    let mut world = thin(5);
    let position = world.shelf.get(ShelfTable::Position, 0).unwrap().unwrap();
    assert_eq!(u64::from(position[0]), u64::from(VERSION));
    let other = [&[position[0] - 1], &position[1..]].concat();
    world.shelf.write(&[Put { table: ShelfTable::Position, key: 0, value: other }]).unwrap();
    world.reopen();
    assert_eq!((world.views.followed(), world.chunks()), (0, 0));
    assert_eq!(world.shelf.get(ShelfTable::Chunks, 1).unwrap(), None);
    world.check(0, Span::After(0), 10);
}
