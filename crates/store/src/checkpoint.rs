//! Keeps the journal's log short: a thread with a connection of its own copies what was appended from the log into the journal.
//!
//! SQLite begins the log anew at the first append after *all* of it was copied. Beside a writer that never rests that moment never
//! comes by itself: while the last pages are being copied new ones arrive, and the log grows without end (a naive second
//! connection let it grow to three times the limit in three seconds). So the bulk is copied beside the writer, in rounds, until
//! little comes in during a round; then the writer is held at the door for the last few pages, some milliseconds.
//!
//! SQLite makes the journal durable only with the last page, which left 50 to 80 ms of it to the moment when the writer is held.
//! Hence the second handle on the file: each round makes durable what it copied. It is closed after every connection of this
//! process, because closing any handle on a file gives up all locks the process has on it.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use lab3_engine::StoreError;
use rusqlite::Connection;
use rusqlite::config::DbConfig;

use crate::folder::log_of;
use crate::{database, failure};

/// Page size of the journal, in bytes. A page holds about one row of 64 records. Commits a second were about the same with pages of 4, 8
/// and 16 KiB; those of a single record were fastest with 4 KiB.
pub(crate) const PAGE_BYTES: u32 = 4096;

/// The log is copied into the journal when it has this many pages (80 MB), or sooner where little is written.
pub(crate) const LOG_PAGES: u64 = 20_000;

/// The log's first lap, in pages (8 MB). Its bytes are there before they are written: a commit that makes the file longer waits for
/// the file system's own books, too, and takes twice as long (270 us, where one within the file took 130).
const FIRST_LAP_PAGES: u64 = LOG_PAGES / 10;

/// A lap sooner done than this makes the next twice as long: each ends with the writer held for a moment.
const LAP_SHORTEST: Duration = Duration::from_secs(10);

/// Bytes that are laid out at once.
const SYNC_BYTES: u64 = 1 << 20;

/// Bytes of a page in the log, and of what stands before the first.
const LOG_PAGE_BYTES: u64 = PAGE_BYTES as u64 + 24;
const LOG_HEAD_BYTES: u64 = 32;

/// The writer is held when fewer pages than this came in during a round ...
const LAST_PAGES: u64 = 256;

/// ... or after this many rounds.
const ROUNDS_MAX: u32 = 6;

/// The thread, and the door between it and the writer.
#[derive(Debug)]
pub(crate) struct Checkpoints {
    door: Arc<Door>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Door {
    state: Mutex<State>,
    changed: Condvar,
    /// Held while the log is copied: SQLite refuses a second copier at once, and waits for none.
    copying: Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    /// About how many pages the log has.
    pages: u64,
    /// At how many the thread is due.
    due: u64,
    /// An append is under way.
    writing: bool,
    /// The thread wants the door shut: no append begins.
    shut: bool,
    closing: bool,
}

impl Checkpoints {
    /// Starts the thread; it is due when the log has that many pages.
    pub fn start(connection: Connection, file: &Path, log_pages: u64) -> Result<Self, StoreError> {
        // A checkpoint makes the log durable before it touches the journal, and the journal before it lets go of the log.
        database::set(&connection, file, "synchronous", "FULL")?;
        let lap = Lap { pages: log_pages.min(FIRST_LAP_PAGES), pages_max: log_pages, since: Instant::now() };
        Self::lay_out(&log_of(file), lap.pages, |add| add());
        let door = Arc::new(Door::default());
        // Due at once: what an earlier process left in the log is copied first.
        let opened = File::open(file).map_err(|error| failure::file(file, &error))?;
        let copier = Copier { door: Arc::clone(&door), connection, file: file.to_path_buf(), opened, lap };
        let spawned = std::thread::Builder::new().name("checkpoints".to_owned()).spawn(move || copier.run());
        let thread = spawned.map_err(|error| failure::file(file, &error))?;
        Ok(Self { door, thread: Some(thread) })
    }

    /// A log longer than this is cut when it is begun anew. Twice what is usual: cutting and growing it costs, too.
    pub fn log_bytes_max() -> i64 {
        (2 * LOG_PAGES * u64::from(PAGE_BYTES)).cast_signed()
    }

    /// Gives a log the bytes of a lap. Reading ends at what is no page of the log, so zeros at its end change nothing. Each piece is
    /// added while nobody writes to the log, which `alone` sees to. Where there is no room for them the log grows as it is written.
    fn lay_out(log: &Path, pages: u64, alone: impl Fn(&mut dyn FnMut() -> std::io::Result<u64>) -> std::io::Result<u64>) {
        let wanted = LOG_HEAD_BYTES + pages * LOG_PAGE_BYTES;
        let zeros = vec![0; 64 * 1024];
        let lay = || -> std::io::Result<()> {
            let mut file = File::options().create(true).append(true).open(log)?;
            let synced = file.try_clone()?;
            let mut add = || {
                let there = file.metadata()?.len();
                let missing = usize::try_from(wanted.saturating_sub(there)).unwrap_or(usize::MAX);
                let added = file.write_all(&zeros[..missing.min(zeros.len())]);
                if added.is_err() {
                    file.set_len(there)?;
                }
                added.map(|()| there)
            };
            let mut laid = 0;
            // A little at a time: commits beside this wait for what is being made durable.
            while laid < wanted {
                laid = alone(&mut add)?;
                if laid % SYNC_BYTES < zeros.len() as u64 {
                    synced.sync_data()?;
                }
            }
            synced.sync_all()
        };
        if let Err(error) = lay() {
            tracing::debug!(%error, "the journal's log was not laid out; it grows as it is written");
        }
    }

    /// Waits at the door; an append may be made while what it returns lives.
    pub fn turn(&self) -> Turn<'_> {
        let mut state = self.door.wait_while(self.door.lock(), |state| state.shut);
        state.writing = true;
        Turn { door: &self.door }
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.door.lock().closing = true;
        self.door.changed.notify_all();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that keeps the journal's log short has failed");
        }
    }
}

/// The writer's turn.
#[derive(Debug)]
pub(crate) struct Turn<'door> {
    door: &'door Door,
}

impl Turn<'_> {
    /// Says that the append put about so many pages into the log.
    pub fn wrote(&self, pages: u64) {
        self.door.lock().pages += pages;
    }

    /// Does what copies the log, while the thread does not.
    pub fn copying<T>(&self, act: impl FnOnce() -> T) -> T {
        let _alone = self.door.copies();
        act()
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut state = self.door.lock();
        state.writing = false;
        if state.shut || state.pages >= state.due {
            self.door.changed.notify_all();
        }
    }
}

impl Door {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until nobody copies the log. Whoever waits at the door, or keeps it shut, does not hold this.
    fn copies(&self) -> MutexGuard<'_, ()> {
        self.copying.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_while<'door>(&self, state: MutexGuard<'door, State>, holds: impl Fn(&State) -> bool) -> MutexGuard<'door, State> {
        self.changed.wait_while(state, |state| holds(state)).unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the writer out while the act is done.
    fn shut<T>(&self, act: impl FnOnce() -> T) -> T {
        struct Opens<'door>(&'door Door);
        impl Drop for Opens<'_> {
            fn drop(&mut self) {
                self.0.lock().shut = false;
                self.0.changed.notify_all();
            }
        }
        let opens = Opens(self);
        let mut state = self.lock();
        state.shut = true;
        drop(self.wait_while(state, |state| state.writing));
        let done = act();
        drop(opens);
        done
    }
}

struct Copier {
    door: Arc<Door>,
    connection: Connection,
    file: PathBuf,
    /// After the connection: see above.
    opened: File,
    lap: Lap,
}

/// How long the log becomes before it is begun anew.
#[derive(Debug)]
struct Lap {
    pages: u64,
    pages_max: u64,
    since: Instant,
}

impl Lap {
    /// The log begins anew; whether the new lap is longer.
    fn ended(&mut self) -> bool {
        let before = self.pages;
        if self.since.elapsed() < LAP_SHORTEST {
            self.pages = (self.pages * 2).min(self.pages_max);
        }
        self.since = Instant::now();
        self.pages > before
    }
}

impl Copier {
    fn run(mut self) {
        loop {
            let state = self.door.wait_while(self.door.lock(), |state| !state.closing && state.pages < state.due);
            if state.closing {
                return;
            }
            let is_full = state.pages >= self.lap.pages;
            drop(state);
            let log = self.shorten();
            match &log {
                Ok(_) => {}
                Err(error @ StoreError::Io(_)) => return self.give_up(error),
                Err(error) => {
                    tracing::warn!(%error, "the journal's log could not be copied into the journal; it grows until that succeeds");
                }
            }
            let mut state = self.door.lock();
            match log {
                Ok(pages) if pages < self.lap.pages => {
                    let longer = is_full && self.lap.ended();
                    (state.pages, state.due) = (pages, self.lap.pages);
                    drop(state);
                    if longer {
                        Checkpoints::lay_out(&log_of(&self.file), self.lap.pages, |add| self.door.shut(add));
                    }
                }
                // All is copied, or a reader holds the rest: look again soon whether the log was begun anew.
                _ => state.due = state.pages + self.lap.pages / 16,
            }
        }
    }

    /// After an error of the disk nobody may trust what was copied: the system forgets the pages it could not write, reports that
    /// once, and SQLite would let go of the log after the next success. So the log is kept, also when the connection closes; the
    /// next opening copies all of it again. Ends when the store is closed, and the handle on the file with it: see above.
    fn give_up(&self, error: &StoreError) {
        let kept = self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
        let kept = kept.is_ok_and(|kept| kept);
        tracing::error!(%error, kept, "the journal's log is kept as it is and grows until lab3 is started again; look after the disk");
        drop(self.door.wait_while(self.door.lock(), |state| !state.closing));
    }

    /// Copies the log into the journal if it is long, and says how many pages it has.
    fn shorten(&self) -> Result<u64, StoreError> {
        let mut log = 0;
        for _ in 0..ROUNDS_MAX {
            let before = self.door.lock().pages;
            log = self.copy()?;
            if log < self.lap.pages {
                return Ok(log);
            }
            // Whatever the reason, also a lack of space: what could not be made durable may be forgotten.
            self.opened.sync_data().map_err(|error| StoreError::Io(format!("{}: {error}", self.file.display())))?;
            if self.door.lock().pages - before < LAST_PAGES {
                break;
            }
        }
        self.door.shut(|| self.copy()).map(|_| log)
    }

    /// One checkpoint that waits for nobody; how many pages the log has.
    fn copy(&self) -> Result<u64, StoreError> {
        let _alone = self.door.copies();
        let copied = self.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get::<_, i64>(1));
        // -1 where there is no log.
        copied.map(|pages| u64::try_from(pages).unwrap_or(0)).map_err(failure::on(&self.file))
    }
}

#[cfg(test)]
mod faults;
