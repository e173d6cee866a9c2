//! A Hive's home in one folder, held by one process at a time.

use std::fmt;
use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex};

use lab3_engine::{Journal, JournalReader, Shelf, Snapshots, Stamp, Store, StoreError};

use crate::checkpoint::{Checkpoints, LOG_PAGES};
use crate::folder::{FilesBytes, Folder};
use crate::journal::{self, Desk};
use crate::reader::SqliteReader;
use crate::shelf::{self, SqliteShelf};
use crate::snapshots::{self, FolderSnapshots};
use crate::{database, folder};

/// A store in one folder. The folder is let go of when the store and all that was opened through it are dropped.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    home: Arc<Home>,
}

/// What the store and everything opened through it share.
pub(crate) struct Home {
    pub folder: Folder,
    /// What snapshots are stamped with.
    pub stamp: Stamp,
    /// None when the store was opened for reading only.
    writing: Option<Writing>,
}

/// What only the process that holds the folder has. Dropped from the top: the connection that appends, then the checkpoints with
/// theirs, and the lock last.
pub(crate) struct Writing {
    pub desk: Desk,
    pub checkpoints: Checkpoints,
    /// One snapshot is written at a time.
    pub saving: Mutex<()>,
    _lock: File,
}

impl SqliteStore {
    /// Opens the store in that folder and takes the folder for this process; makes both when they are missing.
    ///
    /// # Errors
    /// [`StoreError::InUse`] when another process has it; [`StoreError::Damaged`] when the journal is no database; and
    /// [`StoreError::Other`] when it is of a later format, or not a journal.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::open_with(folder.as_ref(), LOG_PAGES)
    }

    /// Opens the store as [`SqliteStore::open`] does; of its snapshots those with this stamp are believed.
    ///
    /// # Errors
    /// As [`SqliteStore::open`].
    pub fn open_stamped(folder: impl AsRef<Path>, stamp: Stamp) -> Result<Self, StoreError> {
        Self::open_at(folder.as_ref(), LOG_PAGES, stamp)
    }

    pub(crate) fn open_with(path: &Path, log_pages: u64) -> Result<Self, StoreError> {
        Self::open_at(path, log_pages, [0; 32])
    }

    fn open_at(path: &Path, log_pages: u64, stamp: Stamp) -> Result<Self, StoreError> {
        let folder = Folder::make(path)?;
        let lock = folder.lock()?;
        let connection = journal::prepare(&folder)?;
        shelf::prepare(&folder)?;
        snapshots::prepare(&folder)?;
        folder::sync(path)?;
        let checkpoints = Checkpoints::start(connection, &folder.journal(), log_pages)?;
        let desk = Desk::new(&folder);
        let writing = Writing { desk, checkpoints, saving: Mutex::default(), _lock: lock };
        Ok(Self { home: Arc::new(Home { folder, stamp, writing: Some(writing) }) })
    }

    /// Opens the store in that folder beside the process that writes there, if there is one, and without its lock. Only
    /// [`Store::reader`] works, and reading snapshots.
    ///
    /// # Errors
    /// As [`SqliteStore::open`]; [`StoreError::Other`] when there is no journal.
    pub fn open_read_only(folder: impl AsRef<Path>) -> Result<Self, StoreError> {
        let folder = Folder::at(folder.as_ref());
        let file = folder.journal();
        if !file.exists() {
            return Err(StoreError::Other(format!("there is no journal in {}", folder.path().display())));
        }
        let connection = database::reading(&file)?;
        journal::accept(database::find(&connection, &file, journal::FORMAT)?, &file)?;
        Ok(Self { home: Arc::new(Home { folder, stamp: [0; 32], writing: None }) })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.home.folder.path()
    }

    /// How large its files are. Asks the file system only.
    pub fn files_bytes(&self) -> FilesBytes {
        self.home.folder.bytes()
    }

    #[cfg(test)]
    pub(crate) fn home(&self) -> &Home {
        &self.home
    }
}

impl Home {
    /// What is needed to write.
    pub fn writing(&self) -> Result<&Writing, StoreError> {
        let folder = self.folder.path().display();
        self.writing.as_ref().ok_or_else(|| StoreError::Other(format!("{folder} was opened for reading only")))
    }
}

impl fmt::Debug for Home {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Home").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl Store for SqliteStore {
    fn journal(&self) -> Result<Box<dyn Journal>, StoreError> {
        Ok(Box::new(self.home.writing()?.desk.open(&self.home)?))
    }

    fn reader(&self) -> Result<Box<dyn JournalReader>, StoreError> {
        Ok(Box::new(SqliteReader::open(&self.home)?))
    }

    fn shelf(&self) -> Result<Box<dyn Shelf>, StoreError> {
        self.home.writing()?;
        Ok(Box::new(SqliteShelf::open(&self.home)?))
    }

    fn snapshots(&self) -> Box<dyn Snapshots> {
        Box::new(FolderSnapshots::new(&self.home))
    }
}
