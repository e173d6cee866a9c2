//! Backup and restore: one copy of a journal, into a folder that has nothing in it.

use std::fs;
use std::path::Path;

use lab3_engine::StoreError;
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use crate::folder::{self, Folder};
use crate::{database, failure, journal, reader};

/// Pages copied between two calls of the progress.
const STEP_PAGES: i32 = 1000;

/// What was copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Sequence number of the last record in the copy, 0 when there is none.
    pub last: u64,
    /// Size of the copy.
    pub bytes: u64,
}

/// Copies the journal of the folder `from` into the folder `to`, which is made, or is there and empty. A process may go on
/// writing in `from`: the copy is the journal as of one moment, and durable when this returns. Views and snapshots are not
/// copied; they are made again. `progress` is told pages done and pages in all.
///
/// The copy is one file without a log, so that it can be moved and read anywhere; opened as a store it works as any other.
/// While it runs the log in `from` cannot be begun anew, and grows by what is appended.
///
/// # Errors
/// [`StoreError::Other`] when there is no journal in `from` or something in `to`; and those of the two disks. What was copied
/// until then is removed.
pub fn copy_journal(from: &Path, to: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<Copied, StoreError> {
    let source = Folder::at(from).journal();
    if !source.exists() {
        return Err(StoreError::Other(format!("there is no journal in {}", from.display())));
    }
    let connection = database::reading(&source)?;
    journal::accept(database::find(&connection, &source, journal::FORMAT)?, &source)?;
    let destination = Folder::make(to)?;
    refuse_full(to)?;
    // Under another name until it is whole: a copy cut off by a crash is never taken for a journal.
    let unfinished = destination.unfinished_journal();
    let copied = copy(&connection, &source, &unfinished, progress).and_then(|()| finish(&unfinished));
    let copied = copied.and_then(|copied| {
        let finished = destination.journal();
        fs::rename(&unfinished, &finished).map_err(|error| failure::file(&finished, &error))?;
        folder::sync(to)?;
        Ok(copied)
    });
    if copied.is_err()
        && let Err(error) = folder::remove_database(&unfinished)
    {
        tracing::warn!(%error, "part of a copy could not be removed");
    }
    copied
}

fn refuse_full(to: &Path) -> Result<(), StoreError> {
    let mut entries = fs::read_dir(to).map_err(|error| failure::file(to, &error))?;
    match entries.next() {
        None => Ok(()),
        Some(_) => Err(StoreError::Other(format!("{} is not empty: give the copy a new folder", to.display()))),
    }
}

/// Copies every page, all as of one moment.
fn copy(source: &Connection, source_file: &Path, file: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<(), StoreError> {
    let (from_failed, to_failed) = (failure::on(source_file), failure::on(file));
    // The read is begun here and held to the end; SQLite then copies within it, and does not begin again at every append.
    let read = source.unchecked_transaction().map_err(&from_failed)?;
    reader::last(source).map_err(&from_failed)?;
    let mut destination = database::writing(file)?;
    // Nobody sees the file before it is whole, and it is made durable as a whole.
    database::set(&destination, file, "journal_mode", "OFF")?;
    database::set(&destination, file, "synchronous", "OFF")?;
    let backup = Backup::new(source, &mut destination).map_err(&to_failed)?;
    loop {
        let step = backup.step(STEP_PAGES).map_err(&to_failed)?;
        let pages = backup.progress();
        let count = |pages: i32| u64::try_from(pages).unwrap_or(0);
        progress(count(pages.pagecount - pages.remaining), count(pages.pagecount));
        match step {
            StepResult::More => {}
            StepResult::Done => break,
            _ => return Err(StoreError::InUse(format!("{}: locked by somebody else", file.display()))),
        }
    }
    drop(backup);
    read.finish().map_err(&from_failed)
}

/// Makes the copy one file without a log, and durable; looks what is in it.
fn finish(file: &Path) -> Result<Copied, StoreError> {
    let connection = database::writing(file)?;
    database::set_journal_mode(&connection, file, "delete")?;
    let last = reader::last(&connection).map_err(failure::on(file))?;
    connection.close().map_err(|(_, error)| failure::sqlite(file, &error))?;
    folder::sync(file)?;
    Ok(Copied { last, bytes: folder::file_bytes(file) })
}
