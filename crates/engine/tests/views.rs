//! The past as people ask for it, through the whole engine: histories that reach over several segments of the views, and records by
//! number, over a store that notes which rows of the journal are read.
//!
//! It fails when a page of a history, or a balance of the past, is not what the journal's records add up to, before or after a restart;
//! when records do not come in the order asked; when a row is read twice for one question; and when reading a stretch of records takes a
//! read for each.

#![allow(clippy::unwrap_used, reason = "outside of #[test] functions clippy does not see that this is a test")]

mod hive;

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex};

use hive::{block_on, did, submission, transfer};
use lab3_engine::{
    Command, Engine, Entry, Journal, JournalReader, Limits, ManualClock, MemoryStore, Policy, Row, Shelf, Snapshots, Span, Store,
    StoreError, Stored,
};
use lab3_ledger::AccountNo;
use lab3_units::Amount;

/// A store that notes which rows are read by anybody but the follower, one list a call.
#[derive(Clone, Default)]
struct Noting {
    memory: MemoryStore,
    calls: Arc<Mutex<Vec<Vec<u64>>>>,
}

impl Noting {
    fn engine(&self) -> Engine {
        let clock = Arc::new(ManualClock::new(hive::start_time()));
        Engine::start(Arc::new(self.clone()), Policy::default(), clock, Limits::default()).unwrap()
    }

    fn records(&self) -> Vec<Stored> {
        let mut all = Vec::new();
        lab3_engine::read_records(&self.memory, 1, |stored| all.push(stored)).unwrap();
        all
    }
}

impl Store for Noting {
    fn journal(&self) -> Result<Box<dyn Journal>, StoreError> {
        self.memory.journal()
    }

    fn reader(&self) -> Result<Box<dyn JournalReader>, StoreError> {
        Ok(Box::new(Reader { reader: self.memory.reader()?, calls: self.calls.clone() }))
    }

    fn shelf(&self) -> Result<Box<dyn Shelf>, StoreError> {
        self.memory.shelf()
    }

    fn snapshots(&self) -> Box<dyn Snapshots> {
        self.memory.snapshots()
    }
}

struct Reader {
    reader: Box<dyn JournalReader>,
    calls: Arc<Mutex<Vec<Vec<u64>>>>,
}

impl Reader {
    fn note<'a>(&self, rows: impl IntoIterator<Item = &'a Row>) {
        if std::thread::current().name() != Some("lab3-follower") {
            self.calls.lock().unwrap().push(rows.into_iter().map(|row| row.first).collect());
        }
    }
}

impl JournalReader for Reader {
    fn last(&mut self) -> Result<u64, StoreError> {
        self.reader.last()
    }

    fn row_with(&mut self, sequence: u64) -> Result<Option<Row>, StoreError> {
        let row = self.reader.row_with(sequence)?;
        self.note(&row);
        Ok(row)
    }

    fn rows_from(&mut self, sequence: u64, rows_max: usize) -> Result<Vec<Row>, StoreError> {
        let rows = self.reader.rows_from(sequence, rows_max)?;
        self.note(&rows);
        Ok(rows)
    }
}

fn mint(engine: &Engine, to: &str) {
    let mint = lab3_finance::Mint { to: did(to), amount: Amount::new(1_000_000_000), reason: "for a test".into() };
    block_on(engine.submit(submission(None, Command::Mint(mint)))).unwrap();
}

fn transfers(engine: &Engine, from: &str, to: &str, len: i64) {
    let items = (1..=len).map(|units| submission(None, Command::Transfer(transfer(from, to, units)))).collect();
    let done = block_on(engine.submit_batch(None, items)).unwrap();
    assert!(done.iter().all(Result::is_ok));
}

/// Every account's history, added up from the records.
fn histories(records: &[Stored]) -> BTreeMap<AccountNo, Vec<Entry>> {
    let mut histories = BTreeMap::<AccountNo, Vec<Entry>>::new();
    for stored in records {
        for posting in stored.record.entries.iter().flat_map(lab3_ledger::Event::postings).flatten() {
            let history = histories.entry(posting.account).or_default();
            let mut entry = history.last().copied().unwrap_or_default();
            if entry.sequence == stored.sequence {
                history.pop();
            }
            entry.sequence = stored.sequence;
            entry.balance += posting.balance;
            entry.held += posting.held;
            history.push(entry);
        }
    }
    histories
}

#[test]
fn histories_are_what_the_records_add_up_to() {
    let store = Noting::default();
    let engine = store.engine();
    mint(&engine, "alice");
    mint(&engine, "bob");
    // Two segments and what stays in memory: alice and bob in every record, carol now and then.
    for batch in 0..60 {
        transfers(&engine, ["alice", "bob"][batch % 2], ["bob", "alice"][batch % 2], 5000);
        transfers(&engine, "alice", "carol", 1);
    }
    let histories = histories(&store.records());
    assert!(histories.values().any(|entries| entries.len() > 300_000) && histories.values().any(|entries| entries.len() == 60));
    check(&engine, &histories);
    engine.stop();
    let engine = store.engine();
    check(&engine, &histories);
}

fn check(engine: &Engine, histories: &BTreeMap<AccountNo, Vec<Entry>>) {
    for (&account, entries) in histories {
        // All of it, page by page, as who follows a Hive reads it; and back again.
        let (mut after, mut before, limit) = (0, u64::MAX, 1 + entries.len() / 23);
        for page in entries.chunks(limit) {
            assert_eq!(block_on(engine.history(account, Span::After(after), limit)).unwrap(), page);
            after = page.last().unwrap().sequence;
        }
        assert_eq!(block_on(engine.history(account, Span::After(after), limit)).unwrap(), []);
        for page in entries.rchunks(limit) {
            let newest_first = page.iter().rev().copied().collect::<Vec<_>>();
            assert_eq!(block_on(engine.history(account, Span::Before(before), limit)).unwrap(), newest_first);
            before = page[0].sequence;
        }
        assert_eq!(block_on(engine.history(account, Span::Before(before), limit)).unwrap(), []);
        for entry in entries.iter().step_by(1 + entries.len() / 50) {
            let standing = block_on(engine.standing_at(account, entry.sequence)).unwrap();
            assert_eq!(standing, (entry.balance, entry.held), "after record {}", entry.sequence);
        }
    }
}

/// A journal with rows of 64 records, rows of one, and rows in between.
fn rows_of_many_sizes() -> (Noting, Engine, Vec<Stored>) {
    let store = Noting::default();
    let engine = store.engine();
    mint(&engine, "alice");
    transfers(&engine, "alice", "bob", 1000);
    (0..150).for_each(|_| transfers(&engine, "alice", "bob", 1));
    transfers(&engine, "alice", "bob", 300);
    let records = store.records();
    (store, engine, records)
}

#[test]
fn records_come_in_the_order_asked_and_no_row_is_read_twice() {
    let (store, engine, records) = rows_of_many_sizes();
    let last = records.len() as u64;
    let mut dice = 0x1ab3_u64;
    let mut throw = |below: u64| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (dice >> 33) % below
    };
    let mut questions: Vec<Vec<u64>> = vec![
        vec![],
        (1..=last).collect(),
        (1..=last).rev().collect(),
        (1..=last).step_by(7).collect(),
        (1..=last).rev().step_by(90).collect(),
        vec![0],
        vec![u64::MAX, last + 1, last, 0, 1, last + 70],
        vec![5, 5, 900, 5, 899, 900],
        (last - 5..last + 200).collect(),
    ];
    questions.extend((0..60).map(|n| (0..n * 5).map(|_| throw(last + 20)).collect()));
    questions.extend((0..60).map(|_| {
        let start = throw(last);
        (start..start + throw(300)).collect()
    }));
    for question in questions {
        let known = question.iter().filter_map(|&n| records.get(usize::try_from(n.checked_sub(1)?).ok()?));
        store.calls.lock().unwrap().clear();
        let answer = block_on(engine.records(question.clone())).unwrap();
        assert!(answer.iter().eq(known), "{question:?}");
        let rows = store.calls.lock().unwrap().concat();
        assert_eq!(rows.iter().collect::<HashSet<_>>().len(), rows.len(), "{question:?} read {rows:?}");
    }
}

#[test]
fn a_stretch_of_records_takes_few_reads() {
    let (store, engine, records) = rows_of_many_sizes();
    let cost = |first: u64, len: u64| {
        store.calls.lock().unwrap().clear();
        assert_eq!(block_on(engine.records((first..first + len).rev().collect())).unwrap().len() as u64, len);
        let calls = store.calls.lock().unwrap();
        (calls.len(), calls.concat().len())
    };
    // 256 records in rows of 64 lie in five; in rows of one record they are asked for by the dozen.
    let (calls, rows) = cost(100, 256);
    assert!(calls <= 4 && rows <= 6, "{calls} calls, {rows} rows");
    let (calls, rows) = cost(1010, 140);
    assert!(calls <= 9 && rows <= 142, "{calls} calls, {rows} rows");
    let (calls, rows) = cost(1, records.len() as u64);
    assert!(calls <= 20 && rows <= 180, "{calls} calls, {rows} rows");
}
