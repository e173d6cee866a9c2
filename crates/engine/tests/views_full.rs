//! The disk of the views is full when their tail is due to be written there.
//!
//! Meanwhile commands are acknowledged and keys known, and the past is answered rightly or refused with 503. Once there is room
//! everything is followed, as if nothing had been. It fails when the follower lets go of what it could not write, or goes on to gather what it
//! cannot write; when a question is answered from views that have not come so far; when the writer forgets a key that is not on the shelf;
//! when nobody is told; and when a crash beside the write leaves views that are not whole.

#![allow(clippy::unwrap_used, reason = "outside of #[test] functions clippy does not see that this is a test")]

mod hive;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hive::{Fault, allocate, block_on, did, submission, transfer};
use lab3_engine::{
    Command, Committed, Engine, Entry, Journal, JournalReader, Key, Limits, ManualClock, MemoryStore, Policy, Put, Shelf, ShelfTable,
    Snapshots, Span, Store, StoreError, Stored, Submission, read_records,
};
use lab3_ledger::AccountNo;
use lab3_units::{Code, Id, Problem};

/// Records in the tail when it is due to be written: `SEGMENT_RECORDS` of the views.
const SEGMENT_RECORDS: u64 = 1 << 17;

/// Payments in a batch.
const BATCH_LEN: u64 = 2000;

/// Citizens who pay each other.
const CITIZENS: u64 = 7;

/// A store in memory whose shelf cannot be written when told so.
#[derive(Clone)]
struct Narrow {
    memory: MemoryStore,
    disk: Arc<Disk>,
}

struct Disk {
    fault: Mutex<Fault>,
    /// Writes that failed.
    failures: AtomicU64,
    /// Pages of the key index that the writer looked into.
    looked_up: AtomicU64,
}

struct NarrowShelf {
    shelf: Box<dyn Shelf>,
    disk: Arc<Disk>,
}

impl Narrow {
    fn new() -> Self {
        let disk = Disk { fault: Mutex::new(Fault::None), failures: AtomicU64::new(0), looked_up: AtomicU64::new(0) };
        Self { memory: MemoryStore::new(), disk: Arc::new(disk) }
    }

    fn set(&self, fault: Fault) {
        *self.disk.fault.lock().unwrap() = fault;
    }

    fn failures(&self) -> u64 {
        self.disk.failures.load(Ordering::SeqCst)
    }

    fn open(&self) -> Engine {
        let clock = Arc::new(ManualClock::new(hive::start_time()));
        Engine::start(Arc::new(self.clone()), Policy::default(), clock, Limits::default()).unwrap()
    }

    /// Whether the views were ever written.
    fn has_views(&self) -> bool {
        self.memory.shelf().unwrap().get(ShelfTable::Position, 0).unwrap().is_some()
    }
}

impl Store for Narrow {
    fn journal(&self) -> Result<Box<dyn Journal>, StoreError> {
        self.memory.journal()
    }

    fn reader(&self) -> Result<Box<dyn JournalReader>, StoreError> {
        self.memory.reader()
    }

    fn shelf(&self) -> Result<Box<dyn Shelf>, StoreError> {
        Ok(Box::new(NarrowShelf { shelf: self.memory.shelf()?, disk: self.disk.clone() }))
    }

    fn snapshots(&self) -> Box<dyn Snapshots> {
        self.memory.snapshots()
    }
}

impl Shelf for NarrowShelf {
    fn get(&mut self, table: ShelfTable, key: u64) -> Result<Option<Vec<u8>>, StoreError> {
        if table == ShelfTable::Keys && std::thread::current().name() == Some("lab3-writer") {
            self.disk.looked_up.fetch_add(1, Ordering::SeqCst);
        }
        self.shelf.get(table, key)
    }

    fn scan(&mut self, table: ShelfTable, from: u64, entries_max: usize) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        self.shelf.scan(table, from, entries_max)
    }

    fn write(&mut self, puts: &[Put]) -> Result<(), StoreError> {
        let mut fault = self.disk.fault.lock().unwrap();
        let failed = match *fault {
            Fault::None => return self.shelf.write(puts),
            Fault::Lost => StoreError::Full("told to".into()),
            Fault::WrittenAllTheSame => {
                *fault = Fault::Lost;
                self.shelf.write(puts)?;
                StoreError::Io("told to".into())
            }
        };
        self.disk.failures.fetch_add(1, Ordering::SeqCst);
        Err(failed)
    }

    fn clear(&mut self) -> Result<(), StoreError> {
        self.shelf.clear()
    }
}

/// What was acknowledged, and what each account's history is by that.
#[derive(Default)]
struct Past {
    /// The records' ids, in order.
    ids: Vec<Id>,
    histories: BTreeMap<AccountNo, Vec<Entry>>,
}

impl Past {
    fn last(&self) -> u64 {
        self.ids.len() as u64
    }

    fn take(&mut self, stored: &Stored) {
        self.ids.push(stored.record.id);
        assert_eq!(stored.sequence, self.last(), "acknowledged out of order");
        for posting in stored.record.entries.iter().flat_map(|event| event.postings().into_iter().flatten()) {
            let history = self.histories.entry(posting.account).or_default();
            let mut entry = history.last().copied().unwrap_or_default();
            if entry.sequence == stored.sequence {
                history.pop();
            }
            entry = Entry { sequence: stored.sequence, balance: entry.balance + posting.balance, held: entry.held + posting.held };
            history.push(entry);
        }
    }
}

/// Payment `number`, always the same: who pays whom, how much, and its key.
fn payment(number: u64) -> Submission {
    let (from, step) = (number % CITIZENS, 1 + number / CITIZENS % (CITIZENS - 1));
    let [from, to] = [from, from + step].map(|citizen| format!("citizen{}", citizen % CITIZENS));
    let units = 1 + i64::try_from(number % 1000).unwrap();
    let key = Key { id: Id::from_bytes(((1 << 127) | u128::from(number)).to_be_bytes()), fingerprint: number + 1 };
    submission(Some(key), Command::Transfer(transfer(&from, &to, units)))
}

fn mint(citizen: u64) -> lab3_finance::Mint {
    lab3_finance::Mint { to: did(&format!("citizen{citizen}")), amount: hive::mic_of(1000), reason: "for a test".into() }
}

/// A Hive in which citizens pay each other, and what it acknowledged.
struct Town {
    store: Narrow,
    engine: Engine,
    past: Past,
    /// The record of each payment.
    payments: Vec<u64>,
    /// Records that placed holds, with those that ended them.
    endings: Vec<(u64, u64)>,
}

impl Town {
    fn new() -> Self {
        let store = Narrow::new();
        let engine = store.open();
        let mut town = Self { store, engine, past: Past::default(), payments: Vec::new(), endings: Vec::new() };
        // A question waits until the first record, which the engine makes of its own accord, is durable.
        block_on(town.engine.read(|_| ())).unwrap();
        read_records(&town.store, 1, |genesis| town.past.take(&genesis)).unwrap();
        for citizen in 0..CITIZENS {
            town.submit(Command::Mint(mint(citizen)));
        }
        town
    }

    /// Opens it again, on a shelf that works.
    fn reopen(&mut self) {
        self.engine.stop();
        self.store.set(Fault::None);
        self.engine = self.store.open();
    }

    /// Submits a command, which must be acknowledged.
    fn submit(&mut self, command: Command) -> Stored {
        let done = block_on(self.engine.submit(submission(None, command))).unwrap();
        self.past.take(&done.stored);
        *done.stored
    }

    /// Makes a batch of payments, which must be acknowledged.
    fn pay(&mut self) {
        let first = self.payments.len() as u64;
        let batch = (first..first + BATCH_LEN).map(payment).collect();
        for done in block_on(self.engine.submit_batch(None, batch)).unwrap() {
            let Committed { stored, replayed, .. } = done.unwrap();
            assert!(!replayed);
            self.past.take(&stored);
            self.payments.push(stored.sequence);
        }
    }

    /// Makes payments until the views have so many records to write, and one batch more: the follower writes before it takes that.
    fn pay_for_segments(&mut self, segments: u64) {
        while self.past.last() < segments * SEGMENT_RECORDS {
            self.ask(self.past.last() / 2);
            self.pay();
        }
        self.pay();
    }

    /// Gives back the allocation that this record placed.
    fn release(&mut self, placed: &Stored) {
        let ended = self.submit(Command::Release(placed.record.id));
        self.endings.push((placed.sequence, ended.sequence));
    }

    /// Waits until the follower has failed to write the views, so many times more, and told.
    fn until_failed(&self, times: u64) {
        let before = self.store.failures();
        until("the views cannot be written", || self.store.failures() >= before + times && !self.engine.status().views_ok);
    }

    /// Asks about the past, around record `sequence` and at its end. Every answer that is given is right; whether all were given.
    fn ask(&self, sequence: u64) -> bool {
        let (engine, past) = (&self.engine, &self.past);
        let at = usize::try_from(sequence).unwrap();
        let (&account, history) = past.histories.iter().nth(at % past.histories.len()).unwrap();
        let until = history.partition_point(|entry| entry.sequence <= sequence);

        let found = answer(block_on(engine.find(past.ids[at - 1])));
        if let Some(found) = &found {
            assert_eq!(found.as_ref().map(|stored| stored.sequence), Some(sequence));
        }
        let newest = answer(block_on(engine.history(account, Span::Before(u64::MAX), 300)));
        if let Some(newest) = &newest {
            assert!(newest.iter().eq(history.iter().rev().take(300)), "the newest entries of {account:?}");
        }
        let next = answer(block_on(engine.history(account, Span::After(sequence), 300)));
        if let Some(next) = &next {
            assert!(next.iter().eq(history[until..].iter().take(300)), "entries of {account:?} after record {sequence}");
        }
        let standing = answer(block_on(engine.standing_at(account, sequence)));
        if let Some(standing) = standing {
            let expected = history[..until].last().map_or((0, 0), |entry| (entry.balance, entry.held));
            assert_eq!(standing, expected, "{account:?} after record {sequence}");
        }
        let ended = self.endings.iter().map(|&(placed, ended)| {
            let found = answer(block_on(engine.ending(placed)))?;
            assert_eq!(found.map(|stored| stored.sequence), Some(ended), "what ended record {placed}'s hold");
            Some(())
        });
        let ended = ended.collect::<Option<()>>();
        found.is_some() && newest.is_some() && next.is_some() && standing.is_some() && ended.is_some()
    }

    /// Asks everything there is to ask of the views, once they have followed.
    fn ask_everything(&self) {
        until("the views to follow", || self.engine.status().followed == self.past.last() && self.engine.status().views_ok);
        for (&account, history) in &self.past.histories {
            let whole = block_on(self.engine.history(account, Span::Before(u64::MAX), history.len() + 1)).unwrap();
            assert!(whole.iter().eq(history.iter().rev()), "the history of {account:?}");
        }
        for sequence in some_of(self.past.last()) {
            let id = self.past.ids[usize::try_from(sequence).unwrap() - 1];
            let found = block_on(self.engine.find(id)).unwrap();
            assert_eq!(found.map(|stored| (stored.sequence, stored.record.id)), Some((sequence, id)));
        }
        for segment in 1..=self.past.last() / SEGMENT_RECORDS {
            assert!(self.ask(segment * SEGMENT_RECORDS));
        }
        assert!(self.ask(self.past.last()));
    }

    /// Repeats payments with their keys: each is answered by the record it made, and nothing is made anew.
    fn repeat(&self) {
        let numbers = some_of(self.payments.len() as u64 - 1).collect::<Vec<_>>();
        let sequences = numbers.iter().map(|&number| self.payments[usize::try_from(number).unwrap()]).collect();
        let made = block_on(self.engine.records(sequences)).unwrap();
        let again = block_on(self.engine.submit_batch(None, numbers.iter().copied().map(payment).collect())).unwrap();
        assert_eq!((made.len(), again.len()), (numbers.len(), numbers.len()));
        for ((number, made), again) in numbers.into_iter().zip(made).zip(again) {
            let Committed { stored, replayed, .. } = again.unwrap();
            assert!(replayed && *stored == made, "payment {number} is record {}", made.sequence);
        }
        assert_eq!(self.engine.status().sequence, self.past.last());
    }
}

/// Every number about where segments end, and some of the others, up to `last`.
fn some_of(last: u64) -> impl Iterator<Item = u64> {
    let near = |number: u64| (number + 100) % SEGMENT_RECORDS < BATCH_LEN + 200;
    (1..=last).filter(move |&number| near(number) || number % 97 == 0 || number + 100 > last)
}

/// The answer, or none as long as the views are behind.
fn answer<T>(asked: Result<T, Problem>) -> Option<T> {
    asked.map_err(|problem| assert_eq!(problem.code(), Code::VIEW_BEHIND, "{problem}")).ok()
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(30), "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn while_the_views_cannot_be_written_nothing_waits_and_nothing_is_answered_wrongly() {
    let mut town = Town::new();
    let [ended, open] = [(); 2].map(|()| town.submit(allocate("citizen0", 100)));
    town.release(&ended);
    // The write takes its time; whoever asks waits a while, and is refused.
    let disk = town.store.disk.clone();
    let mut stalled = disk.fault.lock().unwrap();
    town.pay_for_segments(1);
    assert_eq!(answer(block_on(town.engine.find(town.past.ids[0]))), None);
    // And fails.
    *stalled = Fault::Lost;
    drop(stalled);
    town.until_failed(0);
    until("a segment is followed", || town.engine.status().followed >= SEGMENT_RECORDS);
    let followed = town.engine.status().followed;
    assert!(followed < SEGMENT_RECORDS + BATCH_LEN, "{followed}");
    town.pay();
    town.release(&open);
    town.repeat();
    assert!(!town.ask(1) && !town.ask(town.past.last()));
    // This time the write is made, and the follower is told that it was not.
    town.store.set(Fault::WrittenAllTheSame);
    town.until_failed(2);
    town.pay();
    assert!(!town.ask(1) && !town.ask(town.past.last()));
    let status = town.engine.status();
    assert_eq!((status.followed, status.commit_failures), (followed, 0), "the tail stays as it is, and the journal is written");
    // There is room again.
    town.store.set(Fault::None);
    until("the views are kept again", || town.ask(SEGMENT_RECORDS) && town.engine.status().views_ok);
    town.ask_everything();
    town.repeat();
    town.reopen();
    town.ask_everything();
    town.repeat();
}

/// The engine is stopped when it has failed to write the views, and opened again: as after a crash, for the follower writes nothing on its
/// way out. Then a second segment goes behind the first.
fn crash(fault: Fault) {
    let mut town = Town::new();
    let allocation = town.submit(allocate("citizen0", 100));
    town.release(&allocation);
    town.store.set(fault);
    town.pay_for_segments(1);
    town.until_failed(0);
    // More than wait for the follower at most; stopping does not try to write the views for each of them.
    let minted = [(); 70].map(|()| town.submit(Command::Mint(mint(0))));
    let tried = town.store.failures();
    town.engine.stop();
    let tried = town.store.failures() - tried;
    assert!(tried <= 2, "{tried} tries while stopping after {} batches", minted.len());
    assert_eq!(town.store.has_views(), fault == Fault::WrittenAllTheSame);
    town.reopen();
    town.ask_everything();
    town.pay_for_segments(2);
    town.repeat();
    town.ask_everything();
    town.reopen();
    let before = town.store.disk.looked_up.load(Ordering::SeqCst);
    town.ask_everything();
    town.repeat();
    assert!(town.store.disk.looked_up.load(Ordering::SeqCst) > before, "old keys are found on the shelf");
}

#[test]
fn a_crash_before_the_views_were_written_leaves_them_whole() {
    crash(Fault::Lost);
}

#[test]
fn a_crash_after_the_views_were_written_leaves_them_whole() {
    crash(Fault::WrittenAllTheSame);
}
