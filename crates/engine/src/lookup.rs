//! Looking into the journal and the views, off the writer's thread and off the async workers.

use std::sync::{Arc, Mutex, PoisonError};

use lab3_compute::{Counted, Late};
use lab3_ledger::{AccountNo, Event};
use lab3_units::{Amount, Code, Id, Problem};

use crate::codec::{self, Leaf};
use crate::command::Command;
use crate::decide::Desk;
use crate::engine::key_reused;
use crate::log::TreeNodes;
use crate::record::{Fact, Stored};
use crate::storage::{JournalReader, Row, Shelf, Store, StoreError};
use crate::views::{Entry, Span, Views};

/// Hands kept open for readers; more readers than that open their own and close them after.
const HANDS_KEPT: usize = 8;

/// Rows read at a time, at most: some 200 KB.
const ROWS_AT_ONCE: usize = 64;

/// A reader's hands on the journal and the shelf.
struct Hands {
    journal: Box<dyn JournalReader>,
    shelf: Box<dyn Shelf>,
}

/// The past: records by number and id, histories, endings.
#[derive(Clone)]
pub struct Archive(Arc<Inner>);

struct Inner {
    store: Arc<dyn Store>,
    views: Arc<Views>,
    idle: Mutex<Vec<Hands>>,
}

impl Archive {
    pub fn new(store: Arc<dyn Store>, views: Arc<Views>) -> Self {
        Self(Arc::new(Inner { store, views, idle: Mutex::new(Vec::new()) }))
    }

    /// The views.
    pub fn views(&self) -> &Views {
        &self.0.views
    }

    /// Looks at the journal's tree.
    pub async fn with_tree<T: Send + 'static>(
        &self,
        look: impl FnOnce(&mut TreeNodes<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Problem> {
        self.blocking(|views, hands| look(&mut TreeNodes::new(views, &mut *hands.journal))).await
    }

    /// Looks into the journal.
    pub async fn with_journal<T: Send + 'static>(
        &self,
        look: impl FnOnce(&mut dyn JournalReader) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Problem> {
        self.blocking(|_, hands| look(&mut *hands.journal)).await
    }

    /// Runs `work` where blocking is allowed.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Views, &mut Hands) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Problem> {
        let inner = self.0.clone();
        let done = tokio::task::spawn_blocking(move || inner.with_hands(work)).await;
        let unreadable = |code, error: &dyn std::fmt::Display| {
            tracing::error!(%error, "the journal or its views cannot be read");
            Problem::new(code, "The journal or its views cannot be read. The log says more.")
        };
        match done {
            Ok(Ok(found)) => Ok(found),
            // Damage does not pass; what the disk refuses now it may grant later.
            Ok(Err(error @ StoreError::Damaged(_))) => Err(unreadable(Code::INTERNAL, &error)),
            Ok(Err(error)) => Err(unreadable(Code::JOURNAL_UNAVAILABLE, &error)),
            Err(error) => Err(unreadable(Code::INTERNAL, &error)),
        }
    }

    pub async fn history(&self, account: AccountNo, span: Span, limit: usize) -> Result<Vec<Entry>, Problem> {
        self.blocking(move |views, hands| views.history(&mut *hands.shelf, account, span, limit)).await
    }

    pub async fn standing_at(&self, account: AccountNo, sequence: u64) -> Result<(i64, i64), Problem> {
        self.blocking(move |views, hands| views.standing_at(&mut *hands.shelf, account, sequence)).await
    }

    pub async fn find(&self, id: Id) -> Result<Option<Stored>, Problem> {
        self.blocking(move |views, hands| {
            let sequences = views.find(&mut *hands.shelf, id)?;
            hands.first_with(&sequences, id)
        })
        .await
    }

    pub async fn ending(&self, placed: u64) -> Result<Option<Stored>, Problem> {
        self.blocking(move |views, hands| match views.ending(&mut *hands.shelf, placed)? {
            Some(ended) => hands.record(ended),
            None => Ok(None),
        })
        .await
    }

    pub async fn records(&self, sequences: Vec<u64>) -> Result<Vec<Stored>, Problem> {
        self.blocking(move |_, hands| hands.records(&sequences)).await
    }

    /// The record that used up a key, among those that may hold it, and its leaf hash.
    pub async fn earlier(&self, sequences: Vec<u64>, id: Id, fingerprint: Option<u64>) -> Result<(Stored, Leaf), Problem> {
        let look = move |hands: &mut Hands| {
            let Some(stored) = hands.first_with(&sequences, id)? else { return Ok(None) };
            Ok(hands.leaf(stored.sequence)?.map(|leaf| (stored, leaf)))
        };
        let found = self.blocking(move |_, hands| look(hands)).await?;
        match found {
            Some((stored, leaf)) if fingerprint.is_none_or(|wanted| wanted == stored.record.fingerprint) => Ok((stored, leaf)),
            // None of them holds the key: two keys whose 64-bit hashes are the same. Refusing is safe; it will not be seen.
            Some(_) | None => Err(key_reused()),
        }
    }

    /// What became of an allocation that is not open, once the views have caught up.
    pub async fn ended_allocation(&self, allocation: Id) -> Result<Ended, Problem> {
        self.blocking(move |views, hands| {
            let sequences = views.find(&mut *hands.shelf, allocation)?;
            let Some(placed) = hands.first_with(&sequences, allocation)? else { return Ok(Ended::Never) };
            let Some(Event::HoldPlaced { account, code, .. }) = placed.record.entries.iter().find(|event| placed_by(event, allocation))
            else {
                return Ok(Ended::Never);
            };
            let ended = views.ending(&mut *hands.shelf, placed.sequence)?;
            let ended = ended.map(|sequence| hands.record(sequence)).transpose()?.flatten();
            let how = ended.as_ref().map(|stored| (&stored.record.fact, stored.sequence));
            Ok(match how {
                Some((Fact::Compute(lab3_compute::Fact::Expired(_)), _)) => {
                    Ended::Expired { account: *account, code: *code, charged: Amount::ZERO }
                }
                Some((Fact::Compute(lab3_compute::Fact::Settled(settled)), _)) if settled.counted == Counted::Lease => {
                    Ended::Expired { account: *account, code: *code, charged: settled.reported.charged }
                }
                Some((Fact::Compute(lab3_compute::Fact::Released(_)), sequence)) => Ended::Otherwise("released", sequence),
                Some((_, sequence)) => Ended::Otherwise("settled", sequence),
                None => Ended::Never,
            })
        })
        .await
    }
}

fn placed_by(event: &Event, hold: Id) -> bool {
    matches!(event, Event::HoldPlaced { id, .. } if *id == hold)
}

/// What became of an allocation that is not open.
#[derive(Clone, Copy, Debug)]
pub enum Ended {
    /// There never was one.
    Never,
    /// Nobody reported in time.
    Expired { account: AccountNo, code: u32, charged: Amount },
    /// It was given back or settled, by that record.
    Otherwise(&'static str, u64),
}

impl Ended {
    /// The command to decide instead, now that this is known.
    pub fn command(self, command: Command, desk: &Desk<'_>) -> Command {
        match (self, command) {
            (Ended::Expired { account, code, charged }, Command::Report(mut report)) => {
                report.late = Late::of(&desk.state.compute, account, code, charged);
                Command::Report(report)
            }
            (Ended::Expired { .. }, _) => refused("The allocation expired: its deadline passed before this. Nothing is held any more."),
            (Ended::Otherwise(how, sequence), _) => refused(&format!("The allocation was {how} already, by record {sequence}.")),
            (Ended::Never, _) => {
                let detail = "There is no such allocation. Its id stands in the reply to the allocate request.";
                Command::Refused(Problem::new(Code::ALLOCATION_UNKNOWN, detail).in_field("allocation_id"))
            }
        }
    }
}

fn refused(detail: &str) -> Command {
    Command::Refused(Problem::new(Code::ALLOCATION_ENDED, detail.to_owned()).in_field("allocation_id"))
}

impl Inner {
    fn with_hands<T>(&self, work: impl FnOnce(&Views, &mut Hands) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut hands = match idle {
            Some(hands) => hands,
            None => Hands { journal: self.store.reader()?, shelf: self.store.shelf()? },
        };
        let found = work(&self.views, &mut hands)?;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < HANDS_KEPT {
            idle.push(hands);
        }
        Ok(found)
    }
}

impl Hands {
    fn record(&mut self, sequence: u64) -> Result<Option<Stored>, StoreError> {
        match self.journal.row_with(sequence)? {
            Some(row) => one(&row, sequence),
            None => self.beyond(sequence).map(|()| None),
        }
    }

    /// Whether a record that was not found lies after the journal's end: one that is not there before it is damage.
    fn beyond(&mut self, sequence: u64) -> Result<(), StoreError> {
        if sequence == 0 || sequence > self.journal.last()? {
            return Ok(());
        }
        Err(StoreError::Damaged(format!("record {sequence} is not found")))
    }

    fn leaf(&mut self, sequence: u64) -> Result<Option<Leaf>, StoreError> {
        let Some(row) = self.journal.row_with(sequence)? else { return Ok(None) };
        let leaves = codec::leaves(&row).map_err(|damage| StoreError::Damaged(damage.to_string()))?;
        Ok(leaves.into_iter().zip(row.first..).find(|(_, number)| *number == sequence).map(|(leaf, _)| leaf))
    }

    /// The records of these numbers, in the order given. Each row is read once, however many of them it holds, and rows that
    /// follow each other are read several at a time.
    fn records(&mut self, sequences: &[u64]) -> Result<Vec<Stored>, StoreError> {
        let mut ascending = sequences.iter().copied().zip(0..).collect::<Vec<(u64, usize)>>();
        ascending.sort_unstable();
        let mut found = Vec::new();
        found.resize_with(sequences.len(), || None);
        // Records are numbered from 1 without a gap: the first of the others that is missing lies after the last, as do all that follow.
        let mut wanted = &ascending[ascending.partition_point(|&(sequence, _)| sequence == 0)..];
        let mut rows_max = 1;
        while let Some(&(next, _)) = wanted.first() {
            let rows = self.rows_with(next, rows_max)?;
            if rows.first().is_none_or(|row| row.first > next || row.last() < next) {
                self.beyond(next)?;
                break;
            }
            let Some(last) = rows.last() else { break };
            for row in &rows {
                let start = wanted.partition_point(|&(sequence, _)| sequence < row.first);
                let end = wanted.partition_point(|&(sequence, _)| sequence <= row.last());
                for &(sequence, place) in &wanted[start..end] {
                    found[place] = one(row, sequence)?;
                }
                wanted = &wanted[end..];
            }
            rows_max = rows_next(rows.len(), last, wanted);
        }
        Ok(found.into_iter().flatten().collect())
    }

    /// The row that holds the record, and some that follow. One alone is found in half the time.
    fn rows_with(&mut self, sequence: u64, rows_max: usize) -> Result<Vec<Row>, StoreError> {
        if rows_max > 1 { self.journal.rows_from(sequence, rows_max) } else { Ok(self.journal.row_with(sequence)?.into_iter().collect()) }
    }

    fn first_with(&mut self, sequences: &[u64], id: Id) -> Result<Option<Stored>, StoreError> {
        for &sequence in sequences {
            if let Some(stored) = self.record(sequence)?.filter(|stored| stored.record.ids().any(|known| known == id)) {
                return Ok(Some(stored));
            }
        }
        Ok(None)
    }
}

/// How many rows to read at a time after so many, the last of which is given: more and more while all are of use.
fn rows_next(rows: usize, last: &Row, wanted: &[(u64, usize)]) -> usize {
    let near = wanted.first().is_some_and(|&(next, _)| next <= last.last() + u64::from(last.len));
    let rows_wanted = wanted.len().div_ceil(last.len.max(1) as usize);
    if near { rows_wanted.min(2 * rows).min(ROWS_AT_ONCE) } else { 1 }
}

fn one(row: &Row, sequence: u64) -> Result<Option<Stored>, StoreError> {
    codec::read_one(row, sequence).map_err(|damage| StoreError::Damaged(damage.to_string()))
}
