//! From a store to a state: the newest snapshot that fits, the records after it, and the chain checked.

use crate::codec::{self, CHAIN_START, ChainHash, Damage};
use crate::recent::RecentKeys;
use crate::record::Stored;
use crate::state::{Frozen, State};
use crate::storage::{JournalReader, Store, StoreError};
use crate::views::hash_of;

/// Rows read from the journal at a time.
const ROWS_AT_ONCE: usize = 256;

/// How much of the chain is checked before the desk opens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum VerifyOnStart {
    /// Every record.
    #[default]
    All,
    /// The records after the snapshot; `lab3 journal verify` checks the rest.
    Tail,
}

/// Why the desk cannot open.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The journal is damaged; nothing was repaired.
    #[error("the journal is damaged and was left as it is: {0}. Restore a backup, or see what is left with `lab3 journal export`")]
    Damaged(#[from] Damage),
    /// The operating system gave no thread.
    #[error("no thread could be started: {0}")]
    Thread(String),
}

/// A state ready to go on from.
#[derive(Debug)]
pub struct Loaded {
    /// The state after the journal's last record.
    pub state: State,
    /// The chain's hash after that record.
    pub head: ChainHash,
    /// Keys of records the views have not indexed, with the record each names.
    pub recent: RecentKeys,
    /// The snapshot it began with, 0 for none.
    pub snapshot: u64,
}

/// Loads the state. Keys of records after `indexed` are kept.
pub fn load(store: &dyn Store, indexed: u64, verify: VerifyOnStart) -> Result<Loaded, StartError> {
    let last = store.reader()?.last()?;
    let base = newest_snapshot(store, last);
    let (boundary, expected) = (base.sequence, base.head);
    std::thread::scope(|scope| {
        let earlier = (verify == VerifyOnStart::All && boundary > 0).then(|| scope.spawn(|| check_chain(store, boundary)));
        let replayed = replay(store, base, indexed);
        if let Some(earlier) = earlier {
            let found = earlier.join().map_err(|_| StartError::Thread("the chain's checker failed".into()))??;
            if found != expected {
                tracing::warn!(snapshot = boundary, "the snapshot is not of this journal; replaying from the first record");
                return replay(store, Frozen::empty(), indexed);
            }
        }
        replayed
    })
}

/// The newest snapshot that can be read and is not ahead of the journal, else the empty state.
pub(crate) fn newest_snapshot(store: &dyn Store, last: u64) -> Frozen {
    let snapshots = store.snapshots();
    let stamp = snapshots.stamp();
    let mut known = snapshots.list().unwrap_or_default();
    known.sort_unstable();
    for sequence in known.into_iter().rev().filter(|&sequence| sequence <= last) {
        let frozen = snapshots.open(sequence).map_err(|error| error.to_string());
        match frozen.and_then(|mut input| Frozen::read(&mut *input, &stamp).map_err(|error| error.to_string())) {
            Ok(frozen) if frozen.sequence == sequence => return frozen,
            Ok(frozen) => tracing::warn!(snapshot = sequence, holds = frozen.sequence, "snapshot ignored: it is of another record"),
            Err(error) => tracing::warn!(snapshot = sequence, %error, "snapshot ignored"),
        }
    }
    Frozen::empty()
}

/// Checks the chain from the first record to `last` and gives the hash there.
fn check_chain(store: &dyn Store, last: u64) -> Result<ChainHash, StartError> {
    let mut head = CHAIN_START;
    let mut reader = store.reader()?;
    each_row(&mut *reader, 1, Some(last), |row| {
        head = codec::check_row(row, &head)?;
        Ok(())
    })?;
    Ok(head)
}

fn replay(store: &dyn Store, base: Frozen, indexed: u64) -> Result<Loaded, StartError> {
    let (snapshot, mut head) = (base.sequence, base.head);
    let mut state = base.thaw();
    let mut recent = RecentKeys::new(indexed);
    let mut reader = store.reader()?;
    each_row(&mut *reader, snapshot.min(indexed) + 1, None, |row| {
        if row.last() <= snapshot {
            codec::read_row(row)?.iter().for_each(|stored| keep_keys(&mut recent, stored, indexed));
            recent.turn(row.last(), indexed);
            return Ok(());
        }
        head = codec::read_checked(row, &head, |stored| {
            state.apply(stored.sequence, &stored.record);
            keep_keys(&mut recent, &stored, indexed);
            Ok(())
        })?;
        recent.turn(row.last(), indexed);
        Ok(())
    })?;
    Ok(Loaded { state, head, recent, snapshot })
}

fn keep_keys(recent: &mut RecentKeys, stored: &Stored, indexed: u64) {
    if stored.sequence > indexed {
        stored.record.keys().for_each(|id| recent.insert(hash_of(id), stored.sequence));
    }
}

/// Hands on each row from the one that holds `first` to the one that holds `last`, and checks that none is missing.
pub(crate) fn each_row(
    reader: &mut dyn JournalReader,
    first: u64,
    last: Option<u64>,
    mut each: impl FnMut(&crate::storage::Row) -> Result<(), Damage>,
) -> Result<(), StartError> {
    let mut next = first;
    while last.is_none_or(|last| next <= last) {
        let rows = reader.rows_from(next, ROWS_AT_ONCE)?;
        let Some(end) = rows.last().map(crate::storage::Row::last) else {
            return match last {
                Some(_) => Err(Damage { sequence: next, what: "is missing".into() }.into()),
                None => Ok(()),
            };
        };
        for row in &rows {
            // The first row asked for may begin earlier; every later one continues the row before.
            if row.first > next || (row.first != next && next != first) {
                return Err(Damage { sequence: next, what: format!("is missing; the journal goes on with record {}", row.first) }.into());
            }
            next = row.last() + 1;
            each(row)?;
            if last.is_some_and(|last| row.last() >= last) {
                return Ok(());
            }
        }
        next = end + 1;
    }
    Ok(())
}
