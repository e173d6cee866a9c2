//! A log as it is served: records, and what its key signs over them. Tests change either.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

use std::fs;
use std::path::Path;

use lab3_audit::{Source, Unserved};
use lab3_engine::{Record, read_entry, write_entry};
use lab3_tlog::{Checkpoint, Note, Signer, Tile, TileKind, Tree, encode_entries, leaf_hash};

pub const ORIGIN: &str = "hive.example/jn_0123456789";

pub fn signer(seed: u8) -> Signer {
    Signer::new(ORIGIN, &[seed; 32]).unwrap()
}

/// A log: what it serves may be anything.
#[derive(Clone)]
pub struct Log {
    pub entries: Vec<Vec<u8>>,
    pub key: String,
    pub note: Vec<u8>,
    /// What witnesses have cosigned, where that is not the newest.
    pub witnessed: Option<Vec<u8>>,
    /// Records of a larger tree whose tiles of hashes are still served.
    pub larger: Vec<Vec<u8>>,
    /// Tiles of records served otherwise than the records say, by index.
    pub tiles: Vec<(u64, Vec<u8>)>,
}

impl Log {
    /// The log with these records, signed as it should be.
    pub fn of(entries: Vec<Vec<u8>>) -> Self {
        let note = sign(&entries, &signer(7)).to_string().into_bytes();
        Self { entries, key: signer(7).verifier().to_string(), note, witnessed: None, larger: Vec::new(), tiles: Vec::new() }
    }

    /// As it is, signed again by its own key.
    pub fn signed_again(self) -> Self {
        Self::of(self.entries)
    }

    pub fn record(&self, sequence: usize) -> Record {
        read_entry(sequence as u64, &self.entries[sequence - 1]).unwrap().record
    }

    /// Writes another record in the place of one.
    pub fn write(&mut self, sequence: usize, record: &Record) {
        self.entries[sequence - 1] = write_entry(record).unwrap();
    }

    /// Writes it into a folder, as files.
    pub fn export(&mut self, folder: &Path) {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join("key"), &self.key).unwrap();
        fs::write(folder.join("checkpoint"), &self.note).unwrap();
        let size =
            Note::parse(&self.note).ok().and_then(|note| Checkpoint::parse(note.text()).ok()).map_or(0, |checkpoint| checkpoint.size);
        for index in 0..size.div_ceil(256) {
            let width = u16::try_from((size - index * 256).min(256)).unwrap();
            let Ok(bytes) = self.data_tile(index, width) else { continue };
            let path = folder.join(Tile::new(TileKind::Data, index, width).unwrap().to_string());
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
    }
}

pub fn sign(entries: &[Vec<u8>], signer: &Signer) -> Note {
    let root = Tree::new(entries.iter().map(|entry| leaf_hash(entry)).collect()).root();
    let size = entries.len() as u64;
    Checkpoint { origin: ORIGIN.to_owned(), size, root, extensions: Vec::new() }.sign(signer).unwrap()
}

impl Source for Log {
    fn checkpoint(&mut self) -> Result<Vec<u8>, Unserved> {
        Ok(self.note.clone())
    }

    fn witnessed(&mut self, _: u64) -> Result<Vec<u8>, Unserved> {
        Ok(self.witnessed.clone().unwrap_or_else(|| self.note.clone()))
    }

    fn key(&mut self) -> Result<String, Unserved> {
        Ok(self.key.clone())
    }

    fn data_tile(&mut self, index: u64, width: u16) -> Result<Vec<u8>, Unserved> {
        if let Some((_, bytes)) = self.tiles.iter().find(|(other, _)| *other == index) {
            return Ok(bytes.clone());
        }
        let first = usize::try_from(index * 256).unwrap();
        let records = self.entries.get(first..first + usize::from(width));
        let records = records.ok_or_else(|| Unserved(format!("tile {index} of {width} records is not there")))?;
        Ok(encode_entries(records).unwrap())
    }

    fn tile(&mut self, level: u8, index: u64, width: u16) -> Result<Vec<u8>, Unserved> {
        let tree = Tree::new(self.larger.iter().map(|entry| leaf_hash(entry)).collect());
        let hashes = (0..u64::from(width)).map(|at| tree.get(level * 8, index * 256 + at).copied()).collect::<Option<Vec<_>>>();
        hashes.map(|hashes| hashes.concat()).ok_or_else(|| Unserved("it is not there".to_owned()))
    }
}
