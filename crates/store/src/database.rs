//! Opening the two database files: connections that wait a bounded time, and the marks that say what a file is.

use std::path::Path;
use std::time::Duration;

use lab3_engine::StoreError;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::failure;

/// How long a connection waits for a lock another one holds before it says `InUse`.
const LOCK_WAIT: Duration = Duration::from_secs(2);

/// What a file is, and how it is laid out: SQLite's `application_id` and `user_version`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Format {
    pub application: i32,
    pub version: i32,
}

/// What is found in a file, seen against the format this program writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing yet.
    Nothing,
    /// The format itself.
    Same,
    /// The same application's, of another version.
    Version(i32),
    /// Another application's file.
    Foreign,
}

/// A connection that reads and writes; makes the file when it is missing.
pub(crate) fn writing(file: &Path) -> Result<Connection, StoreError> {
    connect(file, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)
}

/// A connection that only reads; the file must be there.
pub(crate) fn reading(file: &Path) -> Result<Connection, StoreError> {
    let connection = connect(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    set(&connection, file, "query_only", 1)?;
    Ok(connection)
}

fn connect(file: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    let connection = Connection::open_with_flags(file, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(failure::on(file))?;
    connection.busy_timeout(LOCK_WAIT).map_err(failure::on(file))?;
    Ok(connection)
}

/// Sets a pragma, whether or not SQLite answers it with a row.
pub(crate) fn set(connection: &Connection, file: &Path, pragma: &str, value: impl rusqlite::ToSql) -> Result<(), StoreError> {
    connection.pragma_update(None, pragma, value).map_err(failure::on(file))
}

/// Sets the way commits are made, and checks that SQLite took it: it keeps the old one, without an error, where it cannot.
pub(crate) fn set_journal_mode(connection: &Connection, file: &Path, mode: &str) -> Result<(), StoreError> {
    let taken: String = connection.pragma_update_and_check(None, "journal_mode", mode, |row| row.get(0)).map_err(failure::on(file))?;
    if taken.eq_ignore_ascii_case(mode) {
        return Ok(());
    }
    Err(StoreError::Other(format!("{}: this file system cannot do journal_mode={mode} (SQLite kept {taken})", file.display())))
}

/// Looks what the file is.
pub(crate) fn find(connection: &Connection, file: &Path, format: Format) -> Result<Found, StoreError> {
    let number = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0)).map_err(failure::on(file));
    let found = Format { application: number("application_id")?, version: number("user_version")? };
    if found == format {
        return Ok(Found::Same);
    }
    if found.application == format.application {
        return Ok(Found::Version(found.version));
    }
    let tables: u32 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(failure::on(file))?;
    let untouched = Format { application: 0, version: 0 };
    Ok(if found == untouched && tables == 0 { Found::Nothing } else { Found::Foreign })
}

/// Makes the tables and marks the file, in one step: no crash leaves a file that is marked and empty, or the reverse.
pub(crate) fn create(connection: &mut Connection, file: &Path, format: Format, schema: &str) -> Result<(), StoreError> {
    let mut made = || {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(schema)?;
        transaction.pragma_update(None, "application_id", format.application)?;
        transaction.pragma_update(None, "user_version", format.version)?;
        transaction.commit()
    };
    made().map_err(failure::on(file))
}
