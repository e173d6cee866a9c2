//! A stored Hive: its data folder and its signer's folder, as files, as rows of SQLite, and as the signer's key and checkpoint.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use lab3_store::ApartFolder;
use lab3_tlog::{Checkpoint, Note, Signer, Tree, leaf_hash};
use rusqlite::Connection;

use crate::rows::{Entry, Row, entries_of};

pub const JOURNAL: &str = "data/journal.db";
pub const LOG: &str = "data/journal.db-wal";
pub const VIEWS: &str = "data/views.db";
pub const SNAPSHOTS: &str = "data/snapshots";
pub const SECRET: &str = "data.signer/log.key";
pub const STAMP: &str = "data.signer/snapshots.stamp";
pub const CHECKPOINT: &str = "data.signer/checkpoint";

/// The folder above both.
#[derive(Clone, Debug)]
pub struct Home(PathBuf);

/// Everything in a home, by its path in it.
#[derive(Clone, Debug, Default)]
pub struct Files(pub BTreeMap<String, Vec<u8>>);

impl Files {
    /// What the home has, but for what belongs to a running process. A log is kept to its last page: what follows are zeros.
    pub fn of(home: &Home) -> Self {
        let mut files = Self::default();
        for folder in ["data", "data.signer", SNAPSHOTS] {
            for entry in fs::read_dir(home.at(folder)).into_iter().flatten() {
                let path = entry.unwrap().path();
                let name = format!("{folder}/{}", path.file_name().unwrap().to_str().unwrap());
                if path.is_file() && !name.ends_with("-shm") && !name.ends_with("/lock") {
                    let mut bytes = fs::read(path).unwrap();
                    if name.ends_with("-wal") {
                        bytes.truncate(bytes.len() - bytes.iter().rev().take_while(|&&byte| byte == 0).count());
                    }
                    files.0.insert(name, bytes);
                }
            }
        }
        files
    }

    /// Puts them where there is nothing yet.
    pub fn put(&self, home: &Home) {
        let _ = fs::remove_dir_all(&home.0);
        fs::create_dir_all(home.at(SNAPSHOTS)).unwrap();
        fs::create_dir_all(home.at("data.signer")).unwrap();
        for (name, bytes) in &self.0 {
            fs::write(home.at(name), bytes).unwrap();
        }
    }

    /// Those whose path begins so.
    pub fn below(&self, start: &str) -> Vec<&str> {
        self.0.keys().map(String::as_str).filter(|name| name.starts_with(start)).collect()
    }
}

impl Home {
    pub fn new(path: PathBuf) -> Self {
        Self(path)
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn data(&self) -> PathBuf {
        self.at("data")
    }

    pub fn has(&self, name: &str) -> bool {
        self.at(name).exists()
    }

    /// Changes a file's bytes.
    pub fn edit(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = fs::read(self.at(name)).unwrap();
        change(&mut bytes);
        fs::write(self.at(name), bytes).unwrap();
    }

    pub fn remove(&self, name: &str) {
        let path = self.at(name);
        if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
    }

    pub fn sql(&self) -> Connection {
        Connection::open(self.at(JOURNAL)).unwrap()
    }

    /// The journal's rows.
    pub fn rows(&self) -> Vec<Row> {
        let connection = self.sql();
        let mut select = connection.prepare("SELECT first, len, body, openings FROM records ORDER BY first").unwrap();
        let row = |row: &rusqlite::Row<'_>| {
            let openings: Option<Vec<u8>> = row.get(3)?;
            Ok(Row { first: row.get(0)?, len: row.get(1)?, body: row.get(2)?, openings: openings.unwrap_or_default() })
        };
        select.query_map([], row).unwrap().map(Result::unwrap).collect()
    }

    /// Puts other rows in the place of all.
    pub fn write_rows(&self, rows: &[Row]) {
        let mut connection = self.sql();
        let transaction = connection.transaction().unwrap();
        transaction.execute("DELETE FROM records", []).unwrap();
        for Row { first, len, body, openings } in rows {
            let insert = "INSERT INTO records(first, len, body, openings) VALUES (?1, ?2, ?3, nullif(?4, x''))";
            transaction.execute(insert, (first, len, body, openings)).unwrap();
        }
        transaction.commit().unwrap();
    }

    pub fn entries(&self) -> Vec<Entry> {
        entries_of(&self.rows())
    }

    /// The key in the signer's folder.
    pub fn signer(&self) -> Option<Signer> {
        Signer::parse(fs::read_to_string(self.at(SECRET)).ok()?.trim()).ok()
    }

    /// The checkpoint in the signer's folder.
    pub fn signed(&self) -> Option<(Note, Checkpoint)> {
        let note = Note::parse(&fs::read(self.at(CHECKPOINT)).ok()?).ok()?;
        let checkpoint = Checkpoint::parse(note.text()).ok()?;
        Some((note, checkpoint))
    }

    /// Signs the journal as it now is with the key in the signer's folder, as a thief of both folders would.
    pub fn sign_again(&self) {
        let signer = self.signer().unwrap();
        let note = sign(&signer, &self.entries().iter().map(|entry| entry.bytes.clone()).collect::<Vec<_>>());
        fs::write(self.at(CHECKPOINT), note.to_string()).unwrap();
    }

    /// Puts another key into the signer's folder.
    pub fn write_secret(&self, signer: &Signer) {
        let apart = ApartFolder::open(ApartFolder::beside(&self.data())).unwrap();
        let _ = fs::remove_file(self.at(SECRET));
        apart.keep_secret(&signer.secret_text()).unwrap();
    }
}

/// What the key signs of a journal of these records.
pub fn sign(signer: &Signer, entries: &[Vec<u8>]) -> Note {
    let root = Tree::new(entries.iter().map(|entry| leaf_hash(entry)).collect()).root();
    let origin = signer.verifier().name().to_owned();
    Checkpoint { origin, size: entries.len() as u64, root, extensions: Vec::new() }.sign(signer).unwrap()
}

/// A folder that goes when this is dropped, in memory where the system has such a place.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new(name: &str) -> Self {
        let memory = Path::new("/dev/shm");
        let above = if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
        let path = above.join(format!("lab3-mutations-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn home(&self, name: &str) -> Home {
        Home::new(self.0.join(name))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("kept for a look: {}", self.0.display());
        } else {
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}
