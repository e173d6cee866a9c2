//! The reading end of the journal: a connection that cannot write, and short reads that each see the newest commit.

use std::path::PathBuf;
use std::sync::Arc;

use lab3_engine::{JournalReader, Row, StoreError};
use rusqlite::{Connection, OptionalExtension};

use crate::database::Found;
use crate::journal::{FORMAT, FORMAT_BEFORE};
use crate::sqlite::Home;
use crate::{database, failure};

const ROW_WITH: &str = "WHERE first <= ?1 ORDER BY first DESC LIMIT 1";

const ROWS_FROM: &str = "WHERE first >= coalesce((SELECT first FROM records WHERE first <= ?1 ORDER BY first DESC LIMIT 1), 0)
    ORDER BY first LIMIT ?2";

/// Sequence number of the last record, 0 when there is none.
pub(crate) fn last(connection: &Connection) -> rusqlite::Result<u64> {
    let mut last = connection.prepare_cached("SELECT first + len - 1 FROM records ORDER BY first DESC LIMIT 1")?;
    Ok(last.query_row([], |row| number(row, 0)).optional()?.unwrap_or(0))
}

/// Every read is a transaction of its own: nothing is pinned between calls, so a reader never keeps the log from being reused.
#[derive(Debug)]
pub(crate) struct SqliteReader {
    connection: Connection,
    file: PathBuf,
    row_with: String,
    rows_from: String,
    /// Keeps the folder's lock, and what must be closed after this connection.
    _home: Arc<Home>,
}

impl SqliteReader {
    pub fn open(home: &Arc<Home>) -> Result<Self, StoreError> {
        let file = home.folder.journal();
        let connection = database::reading(&file)?;
        let found = database::find(&connection, &file, FORMAT)?;
        let openings = if found == Found::Version(FORMAT_BEFORE) { "NULL" } else { "openings" };
        let select = |which: &str| format!("SELECT first, len, body, {openings} FROM records {which}");
        Ok(Self { connection, file, row_with: select(ROW_WITH), rows_from: select(ROWS_FROM), _home: Arc::clone(home) })
    }
}

impl JournalReader for SqliteReader {
    fn last(&mut self) -> Result<u64, StoreError> {
        last(&self.connection).map_err(failure::on(&self.file))
    }

    fn row_with(&mut self, sequence: u64) -> Result<Option<Row>, StoreError> {
        let find = || self.connection.prepare_cached(&self.row_with)?.query_row([limited(sequence)], row).optional();
        let found = find().map_err(failure::on(&self.file))?;
        Ok(found.filter(|row| row.last() >= sequence))
    }

    fn rows_from(&mut self, sequence: u64, rows_max: usize) -> Result<Vec<Row>, StoreError> {
        let rows_max = i64::try_from(rows_max).unwrap_or(i64::MAX);
        let read = || {
            let mut statement = self.connection.prepare_cached(&self.rows_from)?;
            let rows = statement.query_map([limited(sequence), rows_max], row)?;
            // The row before the end is found for a number beyond it, too.
            rows.filter(|row| !row.as_ref().is_ok_and(|row| row.last() < sequence)).collect::<rusqlite::Result<Vec<Row>>>()
        };
        read().map_err(failure::on(&self.file))
    }
}

/// SQLite's numbers end at `i64::MAX`; no journal gets there.
fn limited(sequence: u64) -> i64 {
    i64::try_from(sequence).unwrap_or(i64::MAX)
}

fn number(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, number))
}

fn row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    Ok(Row { first: number(row, 0)?, len: row.get(1)?, body: row.get(2)?, openings: row.get::<_, Option<Vec<u8>>>(3)?.unwrap_or_default() })
}
