//! The checkpoints' thread meets errors: of the disk, after which it gives up, and others, after which it tries again.
//!
//! They are real ones: a file that cannot be made durable, a log whose end cannot be read, a checkpoint that is interrupted. It fails when
//! the thread goes on after an error of the disk or gives up after another, when appends end with it, when nobody is told, and when the log is
//! let go of before all of it is surely on the disk.

use std::fmt::{self, Write as _};
use std::fs::{self, File};
use std::ops::Range;
use std::os::unix::fs::{FileExt, MetadataExt, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Once};
use std::time::{Duration, Instant};

use lab3_engine::{Row, Store};
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use tempfile::TempDir;
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber, span};

use super::{Checkpoints, PAGE_BYTES};
use crate::folder::{Folder, file_bytes, log_of};
use crate::sqlite::Writing;
use crate::{SqliteStore, journal};

/// The thread is due when the log has this many pages.
const LOG_PAGES: u64 = 200;

/// Rows of a log that an earlier process left.
const ROWS_LEFT: u64 = 300;

/// Row `number` of the journal, from 0: 64 records in about a page.
fn row(number: u64) -> Row {
    let body = number.to_le_bytes().repeat(440);
    Row { first: number * 64 + 1, len: 64, body, openings: Vec::new() }
}

/// A connection that appends, as the journal's: it makes no checkpoints, also when it is closed.
fn appending(file: &Path) -> Connection {
    let connection = Connection::open(file).unwrap();
    connection.pragma_update(None, "wal_autocheckpoint", 0).unwrap();
    assert!(connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap());
    connection
}

fn append(connection: &Connection, number: u64) {
    let Row { first, len, body, .. } = row(number);
    connection.execute("INSERT INTO records(first, len, body) VALUES (?1, ?2, ?3)", (first.cast_signed(), len, body)).unwrap();
}

/// A journal with a log as it is after a crash: nothing of it was copied.
fn with_a_log_left(folder: &Folder) {
    let prepared = journal::prepare(folder).unwrap();
    let connection = appending(&folder.journal());
    (0..ROWS_LEFT).for_each(|number| append(&connection, number));
    assert!(prepared.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap());
}

/// Whether this process holds a lock on the file.
fn is_locked(file: &Path) -> bool {
    let [process, file] = [format!(" {} ", std::process::id()), format!(":{} ", fs::metadata(file).unwrap().ino())];
    let locks = fs::read_to_string("/proc/locks").unwrap();
    locks.lines().any(|lock| lock.contains(&process) && lock.contains(&file))
}

/// Looks that a store has so many rows, and no other.
fn check_rows(store: &SqliteStore, rows: u64) {
    let found = store.reader().unwrap().rows_from(1, usize::MAX).unwrap();
    assert!(found.into_iter().eq((0..rows).map(row)), "the journal is not what was appended");
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(30), "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// What the process has said, a line for each event.
static SAID: Mutex<String> = Mutex::new(String::new());

/// Writes down what is said.
struct Listener;

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}

impl Subscriber for Listener {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        SAID.lock().unwrap().push_str(&(line.0 + "\n"));
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| tracing::subscriber::set_global_default(Listener).unwrap());
}

/// Whether all of this was said in one line, which names the file.
fn said(file: &Path, parts: &[&str]) -> bool {
    let file = file.display().to_string();
    SAID.lock().unwrap().lines().any(|line| line.contains(&file) && parts.iter().all(|part| line.contains(part)))
}

#[test]
fn a_log_is_kept_when_its_copy_could_not_be_made_durable() {
    listen();
    let (home, elsewhere) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let folder = Folder::make(home.path()).unwrap();
    with_a_log_left(&folder);
    let (log, on_the_disk) = (file_bytes(&log_of(&folder.journal())), fs::read(folder.journal()).unwrap());
    // What cannot be made durable: the system refuses it for a device.
    let device = elsewhere.path().join("device");
    symlink("/dev/null", &device).unwrap();
    let checkpoints = Checkpoints::start(journal::prepare(&folder).unwrap(), &device, LOG_PAGES).unwrap();
    until("it gives up", || said(&device, &["ERROR", "kept=true", "look after the disk"]));
    drop(checkpoints);
    assert!(file_bytes(&folder.journal()) > ROWS_LEFT * u64::from(PAGE_BYTES), "the log was copied");
    assert_eq!(file_bytes(&log_of(&folder.journal())), log, "and kept");
    // The pages that were copied are lost.
    fs::write(folder.journal(), on_the_disk).unwrap();
    check_rows(&SqliteStore::open(home.path()).unwrap(), ROWS_LEFT);
}

/// The log cannot be read for a while: from the beginning, or only when the writer is held for the last pages.
fn appends_go_on_when_the_log_cannot_be_read(writer_is_held: bool) {
    listen();
    let folder = TempDir::new().unwrap();
    let store = SqliteStore::open_with(folder.path(), LOG_PAGES).unwrap();
    let [file, log] = ["journal.db", "journal.db-wal"].map(|name| folder.path().join(name));
    let Writing { desk, checkpoints, .. } = store.home().writing().unwrap();
    let door = &checkpoints.door;
    // The first look comes by itself, the next one when it is told that the log is long.
    until("it has nothing to do", || door.lock().due == LOG_PAGES);
    let tell = || {
        door.lock().pages = LOG_PAGES;
        door.changed.notify_all();
    };
    let mut journal = store.journal().unwrap();
    let append_untold = |rows: Range<u64>| desk.with_connection(|connection| rows.for_each(|number| append(connection, number))).unwrap();
    append_untold(0..150);
    let turn = checkpoints.turn();
    if writer_is_held {
        tell();
        until("it shuts the door", || door.lock().shut);
    }
    append_untold(150..200);
    let (whole, unreadable) = (fs::read(&log).unwrap(), File::options().write(true).open(&log).unwrap());
    unreadable.set_len(u64::from(PAGE_BYTES)).unwrap();
    if !writer_is_held {
        tell();
    }
    drop(turn);
    until("it gives up", || said(&file, &["ERROR", "disk I/O error", "kept=true", "look after the disk"]));
    unreadable.write_all_at(&whole, 0).unwrap();

    let copied = file_bytes(&file);
    let writer = std::thread::spawn(move || (200..1000).for_each(|number| journal.append(&[row(number)]).unwrap()));
    until("appends go on", || writer.is_finished());
    writer.join().unwrap();
    check_rows(&store, 1000);
    assert_eq!(file_bytes(&file), copied, "nothing more was copied");
    assert!(is_locked(&file), "another process may take itself for the last one, and remove the log");
    let kept = file_bytes(&log);
    assert!(kept > 800 * u64::from(PAGE_BYTES), "the log has {kept} bytes");
    drop(store);
    assert_eq!(file_bytes(&log), kept, "also when the store is closed");

    let store = SqliteStore::open_with(folder.path(), LOG_PAGES).unwrap();
    check_rows(&store, 1000);
    drop(store);
    assert_eq!(file_bytes(&log), 0, "copied by the next opening");
    check_rows(&SqliteStore::open_read_only(folder.path()).unwrap(), 1000);
}

#[test]
fn appends_go_on_without_checkpoints_after_an_error_of_the_disk() {
    appends_go_on_when_the_log_cannot_be_read(false);
}

#[test]
fn appends_go_on_after_an_error_of_the_disk_while_the_writer_was_held() {
    appends_go_on_when_the_log_cannot_be_read(true);
}

#[test]
fn it_tries_again_after_an_error_that_is_not_of_the_disk() {
    listen();
    let home = TempDir::new().unwrap();
    let folder = Folder::make(home.path()).unwrap();
    with_a_log_left(&folder);
    let file = folder.journal();
    let connection = journal::prepare(&folder).unwrap();
    let somebody = connection.get_interrupt_handle();
    let checkpoints = Arc::new(Checkpoints::start(connection, &file, LOG_PAGES).unwrap());
    let enough = Arc::new(AtomicBool::new(false));
    let writer = std::thread::spawn({
        let (checkpoints, enough, connection) = (checkpoints.clone(), enough.clone(), appending(&file));
        move || {
            let mut rows = ROWS_LEFT;
            // It ends in any case, so that a test that fails does not fill the disk.
            while rows < 20_000 && !enough.load(Ordering::Relaxed) {
                let turn = checkpoints.turn();
                append(&connection, rows);
                turn.wrote(3);
                rows += 1;
            }
            rows
        }
    });
    until("a checkpoint is interrupted", || {
        (0..50_000).for_each(|_| somebody.interrupt());
        said(&file, &["WARN", "interrupted", "could not be copied"])
    });
    let copied = file_bytes(&file);
    until("a checkpoint is made", || file_bytes(&file) > copied + LOG_PAGES * u64::from(PAGE_BYTES));
    enough.store(true, Ordering::Relaxed);
    let rows = writer.join().unwrap();
    drop(checkpoints);
    assert_eq!(file_bytes(&log_of(&file)), 0, "and the last one on closing");
    check_rows(&SqliteStore::open_read_only(home.path()).unwrap(), rows);
}
