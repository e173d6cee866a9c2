//! What is kept apart from the data: the secret that signs the journal's checkpoints, and the last checkpoint it signed. A copy of the
//! data's folder has neither, so a copy that is put back cannot sign another past.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use lab3_engine::StoreError;

use crate::{failure, folder};

const SECRET: &str = "log.key";
const CHECKPOINT: &str = "checkpoint";
const PENDING: &str = "checkpoint.new";

/// The folder beside the data. Only its owner can read it.
#[derive(Clone, Debug)]
pub struct ApartFolder(PathBuf);

impl ApartFolder {
    /// The folder that belongs to this data: the data's path and `.signer`.
    pub fn beside(data: &Path) -> PathBuf {
        // `.` and `..` have no name to put something behind; a slash at the end would put it within the data.
        let named = if data.file_name().is_some() { None } else { fs::canonicalize(data).ok() };
        let mut path = named.as_deref().unwrap_or(data).components().collect::<PathBuf>().into_os_string();
        path.push(".signer");
        path.into()
    }

    /// The folder, made when it is missing.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let path = path.into();
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&path);
        made.map_err(|error| failure::file(&path, &error))?;
        Ok(Self(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The secret, if there is one.
    pub fn secret(&self) -> Result<Option<String>, StoreError> {
        self.read(SECRET)
    }

    /// Keeps the secret; there must be none yet.
    pub fn keep_secret(&self, secret: &str) -> Result<(), StoreError> {
        let path = self.0.join(SECRET);
        let write = || -> io::Result<()> {
            let mut file = File::options().write(true).create_new(true).mode(0o600).open(&path)?;
            file.write_all(secret.as_bytes())?;
            file.sync_all()
        };
        write().map_err(|error| failure::file(&path, &error))?;
        folder::sync(&self.0)
    }

    /// The last checkpoint that was signed.
    pub fn checkpoint(&self) -> Result<Option<String>, StoreError> {
        self.read(CHECKPOINT)
    }

    /// Keeps a checkpoint in the place of the one before; durable when it returns, and never half.
    pub fn keep_checkpoint(&self, note: &str) -> Result<(), StoreError> {
        let (pending, path) = (self.0.join(PENDING), self.0.join(CHECKPOINT));
        let write = || -> io::Result<()> {
            let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&pending)?;
            file.write_all(note.as_bytes())?;
            file.sync_all()?;
            fs::rename(&pending, &path)
        };
        write().map_err(|error| failure::file(&path, &error))?;
        folder::sync(&self.0)
    }

    /// Puts secret and checkpoint aside under a name of their own, so that others can take their place.
    pub fn put_aside(&self, name: &str) -> Result<(), StoreError> {
        for file in [SECRET, CHECKPOINT] {
            let path = self.0.join(file);
            match fs::rename(&path, self.0.join(format!("{file}.{name}"))) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failure::file(&path, &error)),
                _ => {}
            }
        }
        folder::sync(&self.0)
    }

    fn read(&self, name: &str) -> Result<Option<String>, StoreError> {
        let path = self.0.join(name);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failure::file(&path, &error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn it_stands_beside_the_data_however_that_is_written() {
        for (data, expected) in
            [("lab3-data", "lab3-data.signer"), ("./lab3-data/", "./lab3-data.signer"), ("/var/lib/lab3//", "/var/lib/lab3.signer")]
        {
            assert_eq!(ApartFolder::beside(Path::new(data)), Path::new(expected), "{data}");
        }
        let here = std::env::current_dir().unwrap();
        assert_eq!(ApartFolder::beside(Path::new(".")), ApartFolder::beside(&here));
        assert_eq!(ApartFolder::beside(&here).parent(), here.parent());
    }

    #[test]
    fn secrets_and_checkpoints_are_kept_for_their_owner_alone() {
        let base = tempfile::TempDir::new().unwrap();
        let apart = ApartFolder::open(base.path().join("data.signer")).unwrap();
        assert_eq!((apart.secret().unwrap(), apart.checkpoint().unwrap()), (None, None));
        apart.keep_secret("s").unwrap();
        assert!(apart.keep_secret("t").is_err(), "a secret is never written over");
        apart.keep_checkpoint("one").unwrap();
        apart.keep_checkpoint("two").unwrap();
        let again = ApartFolder::open(apart.path()).unwrap();
        assert_eq!((again.secret().unwrap().as_deref(), again.checkpoint().unwrap().as_deref()), (Some("s"), Some("two")));
        apart.put_aside("jn_1").unwrap();
        assert_eq!((again.secret().unwrap(), again.checkpoint().unwrap()), (None, None));
        assert_eq!(fs::read_to_string(apart.0.join("log.key.jn_1")).unwrap(), "s");
        apart.put_aside("jn_2").unwrap();
        apart.keep_secret("u").unwrap();
        apart.keep_checkpoint("three").unwrap();
        let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!([mode(apart.0.clone()), mode(apart.0.join(SECRET)), mode(apart.0.join(CHECKPOINT))], [0o700, 0o600, 0o600]);
    }
}
