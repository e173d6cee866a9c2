//! The shelf: a table of numbered byte strings for each kind of view. It may be lost at any time and is made again from the
//! journal, so its commits need not be durable, only whole.

use std::path::PathBuf;
use std::sync::Arc;

use lab3_engine::{Put, Shelf, ShelfTable, StoreError};
use rusqlite::{CachedStatement, Connection, OptionalExtension, TransactionBehavior};

use crate::database::{self, Format, Found};
use crate::failure;
use crate::folder::{self, Folder};
use crate::sqlite::Home;

const FORMAT: Format = Format { application: 0x4C33_5649, version: 2 };

/// In the order of their numbers.
const TABLES: [ShelfTable; 6] =
    [ShelfTable::Position, ShelfTable::Heads, ShelfTable::Chunks, ShelfTable::Keys, ShelfTable::Endings, ShelfTable::Tree];

fn name(table: ShelfTable) -> &'static str {
    match table {
        ShelfTable::Position => "position",
        ShelfTable::Heads => "heads",
        ShelfTable::Chunks => "chunks",
        ShelfTable::Keys => "keys",
        ShelfTable::Endings => "endings",
        ShelfTable::Tree => "tree",
    }
}

/// Makes the views' file, or makes it again when it cannot be used.
pub(crate) fn prepare(folder: &Folder) -> Result<(), StoreError> {
    let file = folder.views();
    let damaged = if folder.views_damaged().exists() { Some("they were found damaged while in use".to_owned()) } else { unusable(folder)? };
    if let Some(why) = damaged {
        tracing::warn!(file = %file.display(), why, "the views are made again from the journal");
        folder::remove_database(&file)?;
        folder::remove(&folder.views_damaged())?;
    }
    let mut connection = database::writing(&file)?;
    if database::find(&connection, &file, FORMAT)? == Found::Nothing {
        database::set_journal_mode(&connection, &file, "wal")?;
        let tables = TABLES.map(|table| format!("CREATE TABLE {}(key INTEGER PRIMARY KEY, value BLOB NOT NULL) STRICT;", name(table)));
        database::create(&mut connection, &file, FORMAT, &tables.concat())?;
    }
    Ok(())
}

/// Why the views cannot be used as they are.
fn unusable(folder: &Folder) -> Result<Option<String>, StoreError> {
    let file = folder.views();
    let found = database::writing(&file).and_then(|connection| database::find(&connection, &file, FORMAT));
    match found {
        Ok(Found::Nothing | Found::Same) => Ok(None),
        Ok(Found::Version(version)) => Ok(Some(format!("they are of format {version}, not {}", FORMAT.version))),
        Ok(Found::Foreign) => Ok(Some("the file is not ours".to_owned())),
        Err(StoreError::Damaged(why)) => Ok(Some(why)),
        Err(error) => Err(error),
    }
}

/// A hand on the shelf.
#[derive(Debug)]
pub(crate) struct SqliteShelf {
    connection: Connection,
    file: PathBuf,
    /// Keeps the folder's lock.
    home: Arc<Home>,
}

impl SqliteShelf {
    pub fn open(home: &Arc<Home>) -> Result<Self, StoreError> {
        let file = home.folder.views();
        let connection = database::writing(&file)?;
        database::set(&connection, &file, "synchronous", "NORMAL")?;
        database::set(&connection, &file, "wal_autocheckpoint", 4000)?;
        database::set(&connection, &file, "journal_size_limit", 64 * 1024 * 1024)?;
        database::set(&connection, &file, "cache_size", -32 * 1024)?;
        connection.set_prepared_statement_cache_capacity(4 * TABLES.len());
        Ok(Self { connection, file, home: Arc::clone(home) })
    }

    /// Puts an error into the engine's words. Damage is remembered for the next opening, which makes the views again.
    fn told(&self, error: &rusqlite::Error) -> StoreError {
        let error = failure::sqlite(&self.file, error);
        if matches!(error, StoreError::Damaged(_)) {
            let mark = self.home.folder.views_damaged();
            if let Err(error) = std::fs::File::create(&mark) {
                tracing::warn!(file = %mark.display(), %error, "could not note that the views are damaged");
            }
        }
        error
    }

    /// Entries with keys, as SQLite orders them, from one to another.
    fn range(&self, table: ShelfTable, keys: (i64, i64), entries_max: usize) -> rusqlite::Result<Vec<(u64, Vec<u8>)>> {
        let scan = format!("SELECT key, value FROM {} WHERE key BETWEEN ?1 AND ?2 ORDER BY key LIMIT ?3", name(table));
        let entries_max = i64::try_from(entries_max).unwrap_or(i64::MAX);
        let mut scan = self.connection.prepare_cached(&scan)?;
        let entries = scan.query_map((keys.0, keys.1, entries_max), |row| Ok((row.get::<_, i64>(0)?.cast_unsigned(), row.get(1)?)))?;
        entries.collect()
    }

    fn write_all(&mut self, puts: &[Put]) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        {
            let put = |table| transaction.prepare_cached(&format!("REPLACE INTO {}(key, value) VALUES (?1, ?2)", name(table)));
            let mut statements = TABLES.into_iter().map(put).collect::<rusqlite::Result<Vec<CachedStatement<'_>>>>()?;
            for put in puts {
                statements[put.table as usize].execute((put.key.cast_signed(), &put.value))?;
            }
        }
        transaction.commit()
    }

    fn clear_all(&mut self) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        TABLES.into_iter().try_for_each(|table| transaction.execute_batch(&format!("DELETE FROM {}", name(table))))?;
        transaction.commit()
    }
}

/// Keys are stored bit for bit in SQLite's signed numbers: those beyond `i64::MAX` stand there as negative ones, in the same order
/// among themselves, but before the others. [`Shelf::scan`] reads the two halves one after the other.
impl Shelf for SqliteShelf {
    fn get(&mut self, table: ShelfTable, key: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let get = format!("SELECT value FROM {} WHERE key = ?1", name(table));
        let found = || self.connection.prepare_cached(&get)?.query_row([key.cast_signed()], |row| row.get(0)).optional();
        found().map_err(|error| self.told(&error))
    }

    fn scan(&mut self, table: ShelfTable, from: u64, entries_max: usize) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        let from = from.cast_signed();
        let scan = || {
            if from < 0 {
                return self.range(table, (from, -1), entries_max);
            }
            let mut entries = self.range(table, (from, i64::MAX), entries_max)?;
            if entries.len() < entries_max {
                entries.extend(self.range(table, (i64::MIN, -1), entries_max - entries.len())?);
            }
            Ok(entries)
        };
        scan().map_err(|error| self.told(&error))
    }

    fn write(&mut self, puts: &[Put]) -> Result<(), StoreError> {
        self.write_all(puts).map_err(|error| self.told(&error))
    }

    fn clear(&mut self) -> Result<(), StoreError> {
        self.clear_all().map_err(|error| self.told(&error))
    }
}
