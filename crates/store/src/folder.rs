//! The folder a Hive lives in: what is called what, who may write there, and how large it is.

use std::fs::{self, File, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use lab3_engine::StoreError;

use crate::failure;

/// How large the files of a store are. A file that is not there counts 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FilesBytes {
    /// The journal.
    pub journal: u64,
    /// SQLite's write-ahead log beside the journal: appended and durable, not yet copied into it.
    pub journal_log: u64,
    /// The views, with their log.
    pub views: u64,
    /// All snapshots together.
    pub snapshots: u64,
}

/// The folder, by the names in it.
#[derive(Clone, Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// The folder at that path, which need not exist.
    pub fn at(path: &Path) -> Self {
        Self(path.to_path_buf())
    }

    /// The folder at that path, made when it is missing.
    pub fn make(path: &Path) -> Result<Self, StoreError> {
        fs::create_dir_all(path).map_err(|error| failure::file(path, &error))?;
        // An entry is durable when the folder that holds it is.
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            sync(parent)?;
        }
        Ok(Self(path.to_path_buf()))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn journal(&self) -> PathBuf {
        self.0.join("journal.db")
    }

    /// A journal while it is being copied here, and what is left of one when the copy was cut off.
    pub fn unfinished_journal(&self) -> PathBuf {
        self.0.join("journal.db.copying")
    }

    pub fn views(&self) -> PathBuf {
        self.0.join("views.db")
    }

    /// Its presence says that the views were found damaged while in use; they are made again at the next opening.
    pub fn views_damaged(&self) -> PathBuf {
        self.0.join("views.damaged")
    }

    /// Signals and telemetry.
    pub fn readings(&self) -> PathBuf {
        self.0.join("energy.db")
    }

    /// Its presence says that the readings were found damaged while in use; they are put aside at the next opening.
    pub fn readings_damaged(&self) -> PathBuf {
        self.0.join("energy.damaged")
    }

    /// Readings that could not be read, put aside: what is in them is nowhere else.
    pub fn readings_aside(&self) -> PathBuf {
        self.0.join("energy.db.damaged")
    }

    pub fn snapshots(&self) -> PathBuf {
        self.0.join("snapshots")
    }

    /// Takes the folder for this process, for as long as the file that is returned stays open.
    pub fn lock(&self) -> Result<File, StoreError> {
        let path = self.0.join("lock");
        let failed = |error: &std::io::Error| failure::file(&path, error);
        let options = File::options().read(true).write(true).create(true).truncate(false).open(&path);
        let mut lock = options.map_err(|error| failed(&error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreError::InUse(self.taken(&mut lock))),
            Err(TryLockError::Error(error)) => return Err(failed(&error)),
        }
        // For the message above, in the process that comes second. Nothing depends on it.
        let noted = lock.set_len(0).and_then(|()| write!(lock, "{}", std::process::id()));
        noted.map_err(|error| failed(&error))?;
        Ok(lock)
    }

    fn taken(&self, lock: &mut File) -> String {
        let mut holder = String::new();
        let holder = match lock.take(20).read_to_string(&mut holder) {
            Ok(_) if !holder.is_empty() => format!("process {holder}"),
            _ => "another process".to_owned(),
        };
        let folder = self.0.display();
        format!("{folder} is open in {holder}; stop that one first, or give this one a folder of its own")
    }

    pub fn bytes(&self) -> FilesBytes {
        let snapshots = fs::read_dir(self.snapshots()).into_iter().flatten().flatten();
        FilesBytes {
            journal: file_bytes(&self.journal()),
            journal_log: file_bytes(&log_of(&self.journal())),
            views: file_bytes(&self.views()) + file_bytes(&log_of(&self.views())),
            snapshots: snapshots.map(|entry| file_bytes(&entry.path())).sum(),
        }
    }
}

/// The write-ahead log SQLite keeps beside a database.
pub(crate) fn log_of(database: &Path) -> PathBuf {
    beside(database, "-wal")
}

/// Removes a database with what SQLite keeps beside it. What is not there is no error.
pub(crate) fn remove_database(database: &Path) -> Result<(), StoreError> {
    [database.to_path_buf(), log_of(database), beside(database, "-shm"), beside(database, "-journal")]
        .iter()
        .try_for_each(|path| remove(path))
}

/// Removes a file. One that is not there is no error.
pub(crate) fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(failure::file(path, &error)),
        _ => Ok(()),
    }
}

/// Makes a file, or the entries of a folder, durable.
pub(crate) fn sync(path: &Path) -> Result<(), StoreError> {
    File::open(path).and_then(|opened| opened.sync_all()).map_err(|error| failure::file(path, &error))
}

fn beside(database: &Path, ending: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Asks for the size without opening the file: closing a database file behind SQLite's back would drop its locks.
pub(crate) fn file_bytes(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}
