//! Snapshots: one file each, which appears under its name when it is whole and durable.

use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

use lab3_engine::{Snapshots, Stamp, StoreError};

use crate::failure;
use crate::folder::{self, Folder};
use crate::sqlite::Home;

/// The name of a finished snapshot ends so ...
const ENDING: &str = ".snapshot";

/// ... and that of one being written so.
const PART_ENDING: &str = ".part";

/// Makes the folder for snapshots, and removes what a crash left half written.
pub(crate) fn prepare(folder: &Folder) -> Result<(), StoreError> {
    let path = folder.snapshots();
    fs::create_dir_all(&path).map_err(|error| failure::file(&path, &error))?;
    names(&path)?.iter().filter(|name| name.ends_with(PART_ENDING)).try_for_each(|name| folder::remove(&path.join(name)))
}

fn names(path: &Path) -> Result<Vec<String>, StoreError> {
    let failed = |error: std::io::Error| failure::file(path, &error);
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    entries.map(|entry| entry.map(name).map_err(failed)).collect()
}

/// The snapshots of a folder.
#[derive(Debug)]
pub(crate) struct FolderSnapshots {
    path: PathBuf,
    home: Arc<Home>,
}

impl FolderSnapshots {
    pub fn new(home: &Arc<Home>) -> Self {
        Self { path: home.folder.snapshots(), home: Arc::clone(home) }
    }

    fn file(&self, sequence: u64) -> PathBuf {
        self.path.join(format!("{sequence:020}{ENDING}"))
    }
}

/// A file being written, gone when this is dropped unless it got its own name before.
struct Part(PathBuf);

impl Drop for Part {
    fn drop(&mut self) {
        if let Err(error) = folder::remove(&self.0) {
            tracing::warn!(%error, "half a snapshot could not be removed; the next start does it");
        }
    }
}

impl Snapshots for FolderSnapshots {
    fn stamp(&self) -> Stamp {
        self.home.stamp
    }

    fn list(&self) -> Result<Vec<u64>, StoreError> {
        let sequence = |name: &String| name.strip_suffix(ENDING).filter(|digits| digits.len() == 20)?.parse().ok();
        let mut sequences: Vec<u64> = names(&self.path)?.iter().filter_map(sequence).collect();
        sequences.sort_unstable();
        Ok(sequences)
    }

    fn open(&self, sequence: u64) -> Result<Box<dyn Read + Send>, StoreError> {
        let path = self.file(sequence);
        let opened = File::open(&path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => StoreError::Other(format!("there is no snapshot {sequence}")),
            _ => failure::file(&path, &error),
        })?;
        Ok(Box::new(BufReader::new(opened)))
    }

    fn save(&self, sequence: u64, content: &mut dyn FnMut(&mut dyn Write) -> std::io::Result<()>) -> Result<(), StoreError> {
        let _saving = self.home.writing()?.saving.lock().unwrap_or_else(PoisonError::into_inner);
        let path = self.file(sequence);
        let part = Part(self.path.join(format!("{sequence:020}{PART_ENDING}")));
        let mut write = || {
            let mut file = BufWriter::with_capacity(256 * 1024, File::create(&part.0)?);
            content(&mut file)?;
            file.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
            fs::rename(&part.0, &path)
        };
        write().map_err(|error| failure::file(&path, &error))?;
        folder::sync(&self.path)
    }

    fn remove(&self, sequence: u64) -> Result<(), StoreError> {
        self.home.writing()?;
        folder::remove(&self.file(sequence))
    }
}
