//! A stored journal served as it stands, by nobody's rules.

use lab3_audit::{Source, Unserved};
use lab3_tlog::{Note, Tree, encode_entries, leaf_hash, root};

use crate::home::{Home, sign};

/// What a home's files would serve.
pub struct Stored {
    entries: Vec<Vec<u8>>,
    key: String,
    note: Note,
}

impl Stored {
    /// None where the last checkpoint is not of these records: then no desk opens. What is new since then a desk signs.
    pub fn of(home: &Home) -> Option<Self> {
        let entries: Vec<_> = home.entries().into_iter().map(|entry| entry.bytes).collect();
        let ((note, checkpoint), signer) = (home.signed()?, home.signer()?);
        let tree = Tree::new(entries.iter().map(|entry| leaf_hash(entry)).collect());
        let before = (checkpoint.size <= tree.size()).then(|| root(&mut &tree, checkpoint.size).unwrap());
        let note = if checkpoint.size == tree.size() { note } else { sign(&signer, &entries) };
        (before == Some(checkpoint.root)).then(|| Self { entries, key: signer.verifier().to_string(), note })
    }
}

impl Source for Stored {
    fn checkpoint(&mut self) -> Result<Vec<u8>, Unserved> {
        Ok(self.note.to_string().into_bytes())
    }

    fn key(&mut self) -> Result<String, Unserved> {
        Ok(self.key.clone())
    }

    fn data_tile(&mut self, index: u64, width: u16) -> Result<Vec<u8>, Unserved> {
        let first = usize::try_from(index * 256).unwrap();
        Ok(encode_entries(&self.entries[first..first + usize::from(width)]).unwrap())
    }

    fn tile(&mut self, _level: u8, _index: u64, _width: u16) -> Result<Vec<u8>, Unserved> {
        Err(Unserved("no tile of hashes".to_owned()))
    }
}
