//! While the views cannot follow, what depends on them is refused with 503 and never answered wrongly.
//!
//! The follower's reads of the journal fail here, nobody else's. It fails when a question about an ended allocation is answered from
//! views that have not come so far: "there is no such allocation" about one that there was.

#![allow(clippy::unwrap_used, reason = "outside of #[test] functions clippy does not see that this is a test")]

mod hive;

use std::sync::{Arc, Mutex};

use hive::{Hive, allocate, block_on, report, submission};
use lab3_engine::{Command, Engine, Journal, JournalReader, Limits, Policy, Row, Shelf, Snapshots, Span, Store, StoreError};
use lab3_ledger::{AccountNo, Ledger};
use lab3_units::{Code, Problem};

/// A store whose journal the follower cannot read.
struct Unreadable(hive::FaultyStore);

struct Reader(Box<dyn JournalReader>);

impl Store for Unreadable {
    fn journal(&self) -> Result<Box<dyn Journal>, StoreError> {
        self.0.journal()
    }

    fn reader(&self) -> Result<Box<dyn JournalReader>, StoreError> {
        Ok(Box::new(Reader(self.0.reader()?)))
    }

    fn shelf(&self) -> Result<Box<dyn Shelf>, StoreError> {
        self.0.shelf()
    }

    fn snapshots(&self) -> Box<dyn Snapshots> {
        self.0.snapshots()
    }
}

impl JournalReader for Reader {
    fn last(&mut self) -> Result<u64, StoreError> {
        self.0.last()
    }

    fn rows_from(&mut self, first: u64, limit: usize) -> Result<Vec<Row>, StoreError> {
        if std::thread::current().name() == Some("lab3-follower") {
            return Err(StoreError::Io("told to".into()));
        }
        self.0.rows_from(first, limit)
    }

    fn row_with(&mut self, sequence: u64) -> Result<Option<Row>, StoreError> {
        self.0.row_with(sequence)
    }
}

/// A Hive in which alice had an allocation and gave it back; opened again with views that cannot follow.
fn reopened() -> (Engine, lab3_units::Id) {
    let hive = Hive::new();
    let allocation = hive.submit(None, allocate("alice", 5000)).unwrap().stored.record.id;
    hive.submit(None, Command::Release(allocation)).unwrap();
    hive.engine.stop();
    let store = Arc::new(Unreadable(hive.store.clone()));
    (Engine::start(store, Policy::default(), hive.clock.clone(), Limits::default()).unwrap(), allocation)
}

#[test]
fn an_ended_allocation_is_not_said_never_to_have_been() {
    let (engine, allocation) = reopened();
    let late = report("alice", "anthropic_claude", Some(allocation), 1000);
    for command in [late, Command::Release(allocation)] {
        let problem = block_on(engine.submit(submission(None, command))).unwrap_err();
        assert_eq!(problem.code(), Code::VIEW_BEHIND, "{problem}");
    }
}

/// A store whose journal nobody can read once told so.
struct Failing {
    store: hive::FaultyStore,
    error: Arc<Mutex<Option<StoreError>>>,
}

struct FailingReader(Box<dyn JournalReader>, Arc<Mutex<Option<StoreError>>>);

impl Store for Failing {
    fn journal(&self) -> Result<Box<dyn Journal>, StoreError> {
        self.store.journal()
    }

    fn reader(&self) -> Result<Box<dyn JournalReader>, StoreError> {
        Ok(Box::new(FailingReader(self.store.reader()?, self.error.clone())))
    }

    fn shelf(&self) -> Result<Box<dyn Shelf>, StoreError> {
        self.store.shelf()
    }

    fn snapshots(&self) -> Box<dyn Snapshots> {
        self.store.snapshots()
    }
}

impl JournalReader for FailingReader {
    fn last(&mut self) -> Result<u64, StoreError> {
        self.0.last()
    }

    fn rows_from(&mut self, first: u64, limit: usize) -> Result<Vec<Row>, StoreError> {
        self.0.rows_from(first, limit)
    }

    fn row_with(&mut self, sequence: u64) -> Result<Option<Row>, StoreError> {
        match self.1.lock().unwrap().clone() {
            Some(error) => Err(error),
            None => self.0.row_with(sequence),
        }
    }
}

#[test]
fn a_failing_disk_is_told_apart_from_a_damaged_journal() {
    let hive = Hive::new();
    let paid = hive.submit(None, allocate("alice", 5000)).unwrap().stored.record.id;
    hive.engine.stop();
    let error = Arc::new(Mutex::new(None));
    let store = Arc::new(Failing { store: hive.store.clone(), error: error.clone() });
    let engine = Engine::start(store, Policy::default(), hive.clock.clone(), Limits::default()).unwrap();
    let code = || block_on(engine.find(paid)).map(|found| found.is_some()).map_err(|problem| problem.code());
    assert_eq!(code(), Ok(true));
    *error.lock().unwrap() = Some(StoreError::Io("told to".into()));
    assert_eq!(code(), Err(Code::JOURNAL_UNAVAILABLE));
    *error.lock().unwrap() = Some(StoreError::Damaged("told to".into()));
    assert_eq!(code(), Err(Code::INTERNAL));
    *error.lock().unwrap() = None;
    assert_eq!(code(), Ok(true));
}

#[test]
fn history_is_refused_and_the_books_are_answered() {
    let (engine, _) = reopened();
    let history = block_on(engine.history(AccountNo(0), Span::Before(u64::MAX), 10));
    assert_eq!(history.map(|_| ()).map_err(|problem: Problem| problem.code()), Err(Code::VIEW_BEHIND));
    assert!(block_on(engine.read(|desk| Ledger::verify(&desk.state.ledger))).unwrap().is_ok());
}
