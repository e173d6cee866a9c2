//! Signals and telemetry: what is measured and foreseen, in bulk. It stands beside the journal and is no part of it: nothing that is booked follows from it
//! alone, and losing it costs readings, never the start of the desk.
//!
//! Two tables of numbers in one SQLite file, `energy.db`, and one of what was planned. A commit is whole, and durable at the next checkpoint of its log: a power cut may cost the last moments.

mod notes;
mod signals;
mod telemetry;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use lab3_engine::StoreError;
use lab3_units::Time;
use rusqlite::backup::Backup;
use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::database::{self, Format, Found};
use crate::failure;
use crate::folder::{self, Folder};

pub use signals::{KeptSignal, PUSH_STEPS_MAX, Pushed, SIGNALS_MAX, STEPS_MAX};
pub use telemetry::{Appended, DEVICES_MAX, DeviceReading, Gauge, READINGS_MAX};

const FORMAT: Format = Format { application: 0x4C33_454E, version: 1 };

const SCHEMA: &str = "
CREATE TABLE signals(
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, zone TEXT NOT NULL, source TEXT NOT NULL, detail TEXT NOT NULL,
    step_s INTEGER NOT NULL, first_s INTEGER NOT NULL, end_s INTEGER NOT NULL,
    measured INTEGER NOT NULL, forecast INTEGER NOT NULL, filled INTEGER NOT NULL, written_ms INTEGER NOT NULL,
    UNIQUE(kind, zone, source, detail)
) STRICT;
CREATE TABLE steps(
    signal INTEGER NOT NULL, at_s INTEGER NOT NULL, value REAL NOT NULL, mark INTEGER NOT NULL, PRIMARY KEY(signal, at_s)
) STRICT, WITHOUT ROWID;
CREATE TABLE devices(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE telemetry(
    device INTEGER NOT NULL, quantity INTEGER NOT NULL, at_ms INTEGER NOT NULL, value REAL NOT NULL, PRIMARY KEY(device, quantity, at_ms)
) STRICT, WITHOUT ROWID;
CREATE TABLE notes(kind INTEGER NOT NULL, at_ms INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY(kind, at_ms)) STRICT, WITHOUT ROWID;
CREATE TABLE totals(readings INTEGER NOT NULL) STRICT;
INSERT INTO totals VALUES (0);
";

/// Why something was not kept, or not found. Nothing of it was.
#[derive(Debug)]
pub enum ReadingsError {
    /// It cannot be kept, in words that say why and what would help.
    Refused(String),
    /// The file cannot be written or read.
    Failed(StoreError),
}

impl std::fmt::Display for ReadingsError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused(why) => f.write_str(why),
            Self::Failed(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ReadingsError {}

/// The readings of a Hive. Every method blocks.
#[derive(Debug)]
pub struct ReadingsFile {
    folder: Folder,
    file: PathBuf,
    keep_ms: i64,
    writer: Mutex<Writer>,
    /// Questions do not wait for what is being written.
    reader: Mutex<Connection>,
}

#[derive(Debug)]
struct Writer {
    connection: Connection,
    /// When old telemetry was last looked for, in milliseconds since 1970.
    pruned_ms: i64,
}

impl ReadingsFile {
    /// Opens the readings of the Hive in that folder, and makes the file when it is missing. Telemetry is kept for so many days. A file that is damaged is put
    /// aside as `energy.db.damaged`, and another begun.
    ///
    /// # Errors
    /// Those of the disk; [`StoreError::Other`] when the file is another program's, or of a later format.
    pub fn open(folder: impl AsRef<Path>, keep_days: u32) -> Result<Self, StoreError> {
        let folder = Folder::make(folder.as_ref())?;
        let file = folder.readings();
        if folder.readings_damaged().exists() {
            put_aside(&folder, "it was found damaged while in use")?;
        }
        let writer = match prepare(&file) {
            Err(StoreError::Damaged(why)) => {
                put_aside(&folder, &why)?;
                prepare(&file)?
            }
            prepared => prepared?,
        };
        let reader = Mutex::new(database::reading(&file)?);
        let writer = Mutex::new(Writer { connection: writer, pruned_ms: i64::MIN });
        Ok(Self { folder, file, keep_ms: i64::from(keep_days) * 86_400_000, writer, reader })
    }

    /// The least time of telemetry that is kept.
    pub fn keeps_from(&self, now: Time) -> Time {
        Time::from_millis(now.millis().saturating_sub(self.keep_ms))
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does it in one transaction: all of it is kept or nothing.
    fn write<T>(&self, writer: &mut Writer, act: impl FnOnce(&Transaction<'_>) -> Result<T, Stop>) -> Result<T, ReadingsError> {
        let done = || -> Result<T, Stop> {
            let transaction = writer.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let given = act(&transaction)?;
            transaction.commit()?;
            Ok(given)
        };
        done().map_err(|stop| match stop {
            Stop::Refused(why) => ReadingsError::Refused(why),
            Stop::Failed(error) => ReadingsError::Failed(self.told(&error)),
        })
    }

    fn read<T>(&self, ask: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, ReadingsError> {
        let connection = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        ask(&connection).map_err(|error| ReadingsError::Failed(self.told(&error)))
    }

    /// Puts an error into the engine's words. Damage is remembered for the next opening, which begins another file.
    fn told(&self, error: &rusqlite::Error) -> StoreError {
        let error = failure::sqlite(&self.file, error);
        if matches!(error, StoreError::Damaged(_)) {
            let mark = self.folder.readings_damaged();
            if let Err(error) = fs::File::create(&mark) {
                tracing::warn!(file = %mark.display(), %error, "could not note that the readings are damaged");
            }
        }
        error
    }
}

/// Why a transaction was given up.
enum Stop {
    Refused(String),
    Failed(rusqlite::Error),
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(error)
    }
}

/// A connection to the file, which has its tables.
fn prepare(file: &Path) -> Result<Connection, StoreError> {
    let mut connection = database::writing(file)?;
    match database::find(&connection, file, FORMAT)? {
        Found::Same => {}
        Found::Nothing => {
            database::set_journal_mode(&connection, file, "wal")?;
            database::create(&mut connection, file, FORMAT, SCHEMA)?;
        }
        Found::Version(version) => {
            let (file, known) = (file.display(), FORMAT.version);
            return Err(StoreError::Other(format!("{file} is of format {version}, and this lab3 knows {known}: use a newer lab3")));
        }
        Found::Foreign => return Err(StoreError::Other(format!("{} holds no readings of lab3: move it away", file.display()))),
    }
    // A copy comes without a log.
    database::set_journal_mode(&connection, file, "wal")?;
    database::set(&connection, file, "synchronous", "NORMAL")?;
    database::set(&connection, file, "journal_size_limit", 64 * 1024 * 1024)?;
    Ok(connection)
}

/// What is in the file is nowhere else: it is kept for whoever can mend it, in the place of what was put aside before.
fn put_aside(folder: &Folder, why: &str) -> Result<(), StoreError> {
    let (file, aside) = (folder.readings(), folder.readings_aside());
    tracing::error!(file = %file.display(), aside = %aside.display(), why, "the readings are put aside, and others begun");
    folder::remove_database(&aside)?;
    if file.exists() {
        fs::rename(&file, &aside).map_err(|error| failure::file(&file, &error))?;
    }
    folder::remove_database(&file)?;
    folder::remove(&folder.readings_damaged())
}

/// What a folder's readings are like, for who looks at them from beside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadingsStanding {
    /// How large the file and its log are, in bytes.
    pub bytes: u64,
    /// How many signals there are.
    pub signals: u64,
    /// How many readings of devices.
    pub readings: u64,
    /// Whether they were found damaged while in use: the next opening puts them aside.
    pub damaged: bool,
    /// Where readings stand that were put aside, if any were.
    pub aside: Option<PathBuf>,
}

/// Looks at the readings of a folder, beside a process that may go on writing; none where none are kept yet.
///
/// # Errors
/// Those of the disk, and of a file that is damaged, another program's or of another format.
pub fn readings_standing(folder: &Path) -> Result<Option<ReadingsStanding>, StoreError> {
    let folder = Folder::at(folder);
    let file = folder.readings();
    if !file.exists() {
        return Ok(None);
    }
    let connection = database::reading(&file)?;
    if database::find(&connection, &file, FORMAT)? != Found::Same {
        return Err(StoreError::Other(format!("{} is of another program, or of another version of lab3", file.display())));
    }
    let count = |question: &str| connection.query_row(question, [], |row| row.get::<_, i64>(0)).map_err(failure::on(&file));
    let (signals, readings) = (count("SELECT count(*) FROM signals")?, count("SELECT readings FROM totals")?);
    Ok(Some(ReadingsStanding {
        bytes: folder::file_bytes(&file) + folder::file_bytes(&folder::log_of(&file)),
        signals: u64::try_from(signals).unwrap_or(0),
        readings: u64::try_from(readings).unwrap_or(0),
        damaged: folder.readings_damaged().exists(),
        aside: Some(folder.readings_aside()).filter(|aside| aside.exists()),
    }))
}

/// Copies the readings of the folder `from` into the folder `to`, beside a process that may go on writing. Gives the copy's size in bytes, 0 when there are none.
///
/// # Errors
/// Those of the two disks; what was copied until then is removed.
pub fn copy_readings(from: &Path, to: &Path) -> Result<u64, StoreError> {
    let (source, destination) = (Folder::at(from).readings(), Folder::at(to).readings());
    if !source.exists() {
        return Ok(0);
    }
    let copied = copy(&source, &destination);
    if copied.is_err()
        && let Err(error) = folder::remove_database(&destination)
    {
        tracing::warn!(%error, "part of a copy could not be removed");
    }
    copied
}

fn copy(from: &Path, to: &Path) -> Result<u64, StoreError> {
    let source = database::reading(from)?;
    let mut destination = database::writing(to)?;
    let backup = Backup::new(&source, &mut destination).map_err(failure::on(to))?;
    // In one step, so that it is the file as of one moment.
    backup.step(-1).map_err(failure::on(to))?;
    drop(backup);
    database::set_journal_mode(&destination, to, "delete")?;
    destination.close().map_err(|(_, error)| failure::sqlite(to, &error))?;
    folder::sync(to)?;
    Ok(folder::file_bytes(to))
}
