//! The secret that snapshots are stamped with. It stands apart from the data: who can change the data cannot make a snapshot that is believed,
//! and the desk begins with the journal instead.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;

use lab3_engine::{Stamp, StoreError};

use crate::{ApartFolder, failure, folder};

const STAMP: &str = "snapshots.stamp";

impl ApartFolder {
    /// The stamp kept here; the first time, or when the file is none, `fresh` is kept. Without its stamp a snapshot is no loss: it shortens a start.
    pub fn stamp(&self, fresh: Stamp) -> Result<Stamp, StoreError> {
        let path = self.path().join(STAMP);
        let failed = |error: &io::Error| failure::file(&path, error);
        match fs::read(&path) {
            Ok(bytes) => {
                if let Ok(stamp) = bytes.try_into() {
                    return Ok(stamp);
                }
            }
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(&error)),
            Err(_) => {}
        }
        let write = || -> io::Result<()> {
            let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
            file.write_all(&fresh)?;
            file.sync_all()
        };
        write().map_err(|error| failed(&error))?;
        folder::sync(self.path())?;
        Ok(fresh)
    }
}
