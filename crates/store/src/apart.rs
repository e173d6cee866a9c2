//! What is kept apart from the data: the secret that signs the journal's checkpoints, and the last checkpoint it signed. A copy of the
//! data's folder has neither, so a copy that is put back cannot sign another past. What this Hive is as a witness of others' logs stands here
//! too, for the same reason: its key, and what it cosigned last of each log.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use lab3_engine::StoreError;

use crate::{failure, folder};

const SECRET: &str = "log.key";
const CHECKPOINT: &str = "checkpoint";
const WITNESSED: &str = "witnessed";
const WITNESSES: &str = "witnesses.json";
const WITNESS_SECRET: &str = "witness.key";
/// The folder of the logs this Hive is a witness of.
const LOGS: &str = "logs";

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
        self.write_once(SECRET, secret)
    }

    /// The last checkpoint that was signed.
    pub fn checkpoint(&self) -> Result<Option<String>, StoreError> {
        self.read(CHECKPOINT)
    }

    /// Keeps a checkpoint in the place of the one before; durable when it returns, and never half.
    pub fn keep_checkpoint(&self, note: &str) -> Result<(), StoreError> {
        self.replace(CHECKPOINT, note)
    }

    /// The newest checkpoint that witnesses have cosigned, with their cosignatures.
    pub fn witnessed(&self) -> Result<Option<String>, StoreError> {
        self.read(WITNESSED)
    }

    /// Keeps it in the place of the one before.
    pub fn keep_witnessed(&self, note: &str) -> Result<(), StoreError> {
        self.replace(WITNESSED, note)
    }

    /// How each witness stands, as the desk said last.
    pub fn witnesses(&self) -> Result<Option<String>, StoreError> {
        self.read(WITNESSES)
    }

    /// Keeps that in the place of what was said before.
    pub fn keep_witnesses(&self, standings: &str) -> Result<(), StoreError> {
        self.replace(WITNESSES, standings)
    }

    /// The secret this Hive cosigns others' checkpoints with, if there is one.
    pub fn witness_secret(&self) -> Result<Option<String>, StoreError> {
        self.read(WITNESS_SECRET)
    }

    /// Keeps that secret; there must be none yet.
    pub fn keep_witness_secret(&self, secret: &str) -> Result<(), StoreError> {
        self.write_once(WITNESS_SECRET, secret)
    }

    /// The checkpoint this Hive cosigned last of the log of that origin.
    pub fn cosigned(&self, origin: &str) -> Result<Option<String>, StoreError> {
        self.read(&log_file(origin, "cosigned"))
    }

    /// Keeps it in the place of the one before; durable when it returns, and never half. One at a time for a log.
    pub fn keep_cosigned(&self, origin: &str, note: &str) -> Result<(), StoreError> {
        self.in_logs()?;
        self.replace(&log_file(origin, "cosigned"), note)
    }

    /// The proof that the log of that origin told two stories, if this Hive has met one.
    pub fn fork(&self, origin: &str) -> Result<Option<String>, StoreError> {
        self.read(&log_file(origin, "fork"))
    }

    /// Keeps that proof in the place of an earlier one.
    pub fn keep_fork(&self, origin: &str, proof: &str) -> Result<(), StoreError> {
        self.in_logs()?;
        self.replace(&log_file(origin, "fork"), proof)
    }

    /// Where the proof of a fork of the log of that origin is kept.
    pub fn fork_path(&self, origin: &str) -> PathBuf {
        self.0.join(log_file(origin, "fork"))
    }

    /// Makes the folder of the logs, durably, when it is missing.
    fn in_logs(&self) -> Result<(), StoreError> {
        let path = self.0.join(LOGS);
        if path.exists() {
            return Ok(());
        }
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&path);
        made.map_err(|error| failure::file(&path, &error))?;
        folder::sync(&self.0)
    }

    fn write_once(&self, name: &str, text: &str) -> Result<(), StoreError> {
        let path = self.0.join(name);
        let write = || -> io::Result<()> {
            let mut file = File::options().write(true).create_new(true).mode(0o600).open(&path)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()
        };
        write().map_err(|error| failure::file(&path, &error))?;
        folder::sync(&self.0)
    }

    fn replace(&self, name: &str, text: &str) -> Result<(), StoreError> {
        let (pending, path) = (self.0.join(format!("{name}.new")), self.0.join(name));
        let write = || -> io::Result<()> {
            let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&pending)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&pending, &path)
        };
        write().map_err(|error| failure::file(&path, &error))?;
        folder::sync(path.parent().unwrap_or(&self.0))
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

/// The file of a log: its origin, in which what a file's name cannot have, or another origin could be mistaken for, is written `%2f`.
fn log_file(origin: &str, ending: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "-_.".contains(letter);
    let escaped = |letter: char| if plain(letter) { letter.to_string() } else { format!("%{:02x}", u32::from(letter)) };
    format!("{LOGS}/{}.{ending}", origin.chars().map(escaped).collect::<String>())
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

    #[test]
    fn each_log_has_files_of_its_own() {
        let base = tempfile::TempDir::new().unwrap();
        let apart = ApartFolder::open(base.path().join("data.signer")).unwrap();
        let origins = ["a/b", "a%2fb", "a%b", "..", ".", "../../etc/x", "\u{e9}/jn_1"];
        for origin in origins {
            assert_eq!((apart.cosigned(origin).unwrap(), apart.fork(origin).unwrap()), (None, None), "{origin}");
            apart.keep_cosigned(origin, "before").unwrap();
            apart.keep_cosigned(origin, origin).unwrap();
            apart.keep_fork(origin, &format!("fork of {origin}")).unwrap();
        }
        for origin in origins {
            let kept = (apart.cosigned(origin).unwrap(), apart.fork(origin).unwrap());
            assert_eq!(kept, (Some(origin.to_owned()), Some(format!("fork of {origin}"))));
        }
        assert_eq!(fs::read_dir(apart.path().join(LOGS)).unwrap().count(), 2 * origins.len(), "all are in one folder");
    }
}
