//! The writing end of the journal: one row a run of records, one transaction an append, durable when it returns.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lab3_engine::{Journal, Row, StoreError};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, TransactionBehavior};

use crate::checkpoint::{Checkpoints, PAGE_BYTES, Turn};
use crate::database::{self, Format, Found};
use crate::folder::{Folder, file_bytes, log_of};
use crate::sqlite::Home;
use crate::{failure, reader};

pub(crate) const FORMAT: Format = Format { application: 0x4C33_4A4F, version: 2 };

/// The format before it, which is read as it is and brought up when it is opened to be written: it has no openings.
pub(crate) const FORMAT_BEFORE: i32 = 1;

const SCHEMA: &str =
    "CREATE TABLE records(first INTEGER PRIMARY KEY, len INTEGER NOT NULL CHECK (len > 0), body BLOB NOT NULL, openings BLOB) STRICT";

const BRING_UP: &str = "ALTER TABLE records ADD COLUMN openings BLOB";

const INSERT: &str = "INSERT INTO records(first, len, body, openings) VALUES (?1, ?2, ?3, nullif(?4, x''))";

const REPLACE_OPENINGS: &str = "UPDATE records SET openings = nullif(?2, x'') WHERE first = ?1";

/// The journal's file, made when the folder has none. The connection is for the checkpoints.
pub(crate) fn prepare(folder: &Folder) -> Result<Connection, StoreError> {
    let file = folder.journal();
    refuse_remains(folder)?;
    let mut connection = database::writing(&file)?;
    match database::find(&connection, &file, FORMAT)? {
        Found::Nothing => {
            database::set(&connection, &file, "page_size", PAGE_BYTES)?;
            database::set_journal_mode(&connection, &file, "wal")?;
            database::create(&mut connection, &file, FORMAT, SCHEMA)?;
        }
        Found::Version(FORMAT_BEFORE) => database::create(&mut connection, &file, FORMAT, BRING_UP)?,
        found => accept(found, &file)?,
    }
    // A journal that was copied here comes without a log.
    database::set_journal_mode(&connection, &file, "wal")?;
    Ok(connection)
}

/// Refuses a file that is not a journal this program can read.
pub(crate) fn accept(found: Found, file: &Path) -> Result<(), StoreError> {
    let (file, known) = (file.display(), FORMAT.version);
    let why = match found {
        Found::Same | Found::Version(FORMAT_BEFORE) => return Ok(()),
        Found::Version(version) => format!("{file} is a journal of format {version}, this lab3 knows {known}: use a newer lab3"),
        Found::Nothing => format!("{file} is empty: there is no journal in it"),
        Found::Foreign => format!("{file} is a database, but not a journal of lab3: give lab3 a folder of its own"),
    };
    Err(StoreError::Other(why))
}

/// Refuses a folder in which a journal was and is no more: to begin an empty one there would bury what can still be saved.
fn refuse_remains(folder: &Folder) -> Result<(), StoreError> {
    let file = folder.journal();
    let unfinished = folder.unfinished_journal();
    if unfinished.exists() {
        let unfinished = unfinished.display();
        return Err(StoreError::Damaged(format!("a copy into this folder was cut off: remove {unfinished} and copy again")));
    }
    if file_bytes(&file) == 0 && file_bytes(&log_of(&file)) > 0 {
        let (file, log) = (file.display(), log_of(&file));
        return Err(StoreError::Damaged(format!("{file} is missing, but its log {} is there: restore both from a backup", log.display())));
    }
    Ok(())
}

/// The one connection that appends. It stays in the store, so that opening the journal again can close the one before it.
#[derive(Debug)]
pub(crate) struct Desk {
    file: PathBuf,
    seat: Mutex<Seat>,
}

#[derive(Debug, Default)]
struct Seat {
    /// How often the journal was opened: the number of the writing end that may append.
    opening: u64,
    /// None after an error, until the journal is opened again.
    connection: Option<Connection>,
}

impl Desk {
    pub fn new(folder: &Folder) -> Self {
        Self { file: folder.journal(), seat: Mutex::default() }
    }

    /// Opens the journal for writing, and gives up the writing end that was open.
    pub fn open(&self, home: &Arc<Home>) -> Result<SqliteJournal, StoreError> {
        let mut seat = self.seat();
        seat.connection = None;
        seat.opening += 1;
        seat.connection = Some(self.connect()?);
        Ok(SqliteJournal { home: Arc::clone(home), opening: seat.opening })
    }

    fn connect(&self) -> Result<Connection, StoreError> {
        let file = &self.file;
        let connection = database::writing(file)?;
        // FULL: a commit is on the disk when it returns. No checkpoints here: they would make the slowest commits.
        database::set(&connection, file, "synchronous", "FULL")?;
        database::set(&connection, file, "wal_autocheckpoint", 0)?;
        // What is erased is overwritten, not only forgotten; appends erase nothing.
        database::set(&connection, file, "secure_delete", "ON")?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(failure::on(file))?;
        database::set(&connection, file, "cache_size", -8 * 1024)?;
        // A log that grew beside a long read is cut back when it is begun anew.
        database::set(&connection, file, "journal_size_limit", Checkpoints::log_bytes_max())?;
        Ok(connection)
    }

    fn append(&self, checkpoints: &Checkpoints, opening: u64, rows: &[Row]) -> Result<(), StoreError> {
        self.write(checkpoints, opening, |connection, turn| {
            insert(connection, &self.file, rows)?;
            turn.wrote(pages(rows));
            Ok(())
        })
    }

    fn replace_openings(&self, checkpoints: &Checkpoints, opening: u64, first: u64, openings: &[u8]) -> Result<(), StoreError> {
        let busy = self.write(checkpoints, opening, |connection, turn| {
            let failed = failure::on(&self.file);
            let replaced = connection.execute(REPLACE_OPENINGS, (first.cast_signed(), openings)).map_err(&failed)?;
            if replaced == 0 {
                return Err(StoreError::Other(format!("no row begins with record {first}")));
            }
            // The log still has the page as it was: all of it is copied into the journal, and the log's file cut.
            turn.copying(|| connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, bool>(0))).map_err(&failed)
        })?;
        // Nothing failed: somebody reads, and the connection goes on.
        if busy { Err(StoreError::InUse("the journal's log is being read: what was erased is still in it".to_owned())) } else { Ok(()) }
    }

    fn write<T>(
        &self,
        checkpoints: &Checkpoints,
        opening: u64,
        act: impl FnOnce(&mut Connection, &Turn<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut seat = self.seat();
        if seat.opening != opening {
            return Err(StoreError::InUse("the journal was opened again, and this writing end of it given up".to_owned()));
        }
        // Taken, and put back only after a success: a connection that failed is closed here and never used again.
        let Some(mut connection) = seat.connection.take() else {
            return Err(StoreError::Other("this writing end of the journal was closed after an error: open it again".to_owned()));
        };
        let turn = checkpoints.turn();
        let done = act(&mut connection, &turn)?;
        seat.connection = Some(connection);
        Ok(done)
    }

    fn seat(&self) -> MutexGuard<'_, Seat> {
        self.seat.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a test do to the appending connection what disks do.
    #[cfg(test)]
    pub fn with_connection<T>(&self, act: impl FnOnce(&Connection) -> T) -> Option<T> {
        self.seat().connection.as_ref().map(act)
    }
}

/// One transaction. The end of the journal is read inside it, not remembered: that costs two microseconds, and whoever slipped in
/// since the last append, from this process or another, is found.
fn insert(connection: &mut Connection, file: &Path, rows: &[Row]) -> Result<(), StoreError> {
    let failed = failure::on(file);
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&failed)?;
    let mut expected = reader::last(&transaction).map_err(&failed)? + 1;
    {
        let mut insert = transaction.prepare_cached(INSERT).map_err(&failed)?;
        for row in rows {
            if row.first != expected || row.len == 0 {
                return Err(StoreError::Fenced { expected, given: row.first });
            }
            insert.execute((row.first.cast_signed(), row.len, &row.body, &row.openings)).map_err(&failed)?;
            expected += u64::from(row.len);
        }
    }
    // An error here leaves open whether the rows are there, as the trait says; trying again is for those who have looked.
    transaction.commit().map_err(&failed)
}

/// About how many pages of the log these rows take: their own, and those of the tree above them.
fn pages(rows: &[Row]) -> u64 {
    let page_bytes = usize::try_from(PAGE_BYTES).unwrap_or(usize::MAX);
    let pages: usize = rows.iter().map(|row| (row.body.len() + row.openings.len()) / page_bytes + 1).sum();
    u64::try_from(pages + 2).unwrap_or(u64::MAX)
}

/// A writing end of the journal.
pub(crate) struct SqliteJournal {
    home: Arc<Home>,
    opening: u64,
}

impl fmt::Debug for SqliteJournal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SqliteJournal").field("opening", &self.opening).finish_non_exhaustive()
    }
}

impl Journal for SqliteJournal {
    fn append(&mut self, rows: &[Row]) -> Result<(), StoreError> {
        if rows.is_empty() {
            return Ok(());
        }
        let writing = self.home.writing()?;
        writing.desk.append(&writing.checkpoints, self.opening, rows)
    }

    fn replace_openings(&mut self, first: u64, openings: &[u8]) -> Result<(), StoreError> {
        let writing = self.home.writing()?;
        writing.desk.replace_openings(&writing.checkpoints, self.opening, first, openings)
    }
}
