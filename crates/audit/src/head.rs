//! The checkpoint: whose it is, who signed it, and whether it goes on from the last visit's.

use lab3_tlog::{Checkpoint, Fork, Note, Seconds, TileNodes, Trust, VerifierKey, bridge};

use crate::leaves::Leaves;
use crate::verdict::{Class, Faults, Found};
use crate::{Source, Terms, Unserved, Visit};

/// A checkpoint that the log's key has signed.
#[derive(Debug)]
pub(crate) struct Head {
    pub key: VerifierKey,
    pub note: Note,
    pub checkpoint: Checkpoint,
    pub witnesses: Vec<(VerifierKey, Seconds)>,
}

impl Head {
    /// Asks for the checkpoint and checks its signatures. None when there is nothing to judge the records by.
    pub fn open(source: &mut dyn Source, terms: &Terms, faults: &mut Faults) -> Option<Self> {
        let opened = Self::signed(source, terms, faults).map_err(|found| faults.add(None, found)).ok()?;
        let (seen, needed) = (opened.witnesses.len(), terms.witnesses_needed);
        if seen < needed {
            let what = format!("{seen} of the {} witnesses one trusts have cosigned, not {needed}", terms.witnesses.len());
            faults.add(None, (Class::Witnesses, what));
        }
        Some(opened)
    }

    fn signed(source: &mut dyn Source, terms: &Terms, faults: &mut Faults) -> Result<Self, Found> {
        let bad = |what: String| (Class::Checkpoint, what);
        let known = terms.key.as_ref().or(terms.last.as_ref().map(Visit::key));
        let served = source.key().map_err(unserved).and_then(|text| {
            VerifierKey::parse(text.trim_end_matches('\n')).map_err(|error| bad(format!("the key served is none: {error}")))
        });
        let key = match (known, served) {
            (None, served) => served?,
            (Some(known), served) => {
                if served.is_ok_and(|served| served != *known) {
                    faults.add(None, bad(format!("the log shows another key than the one known, {known}")));
                }
                known.clone()
            }
        };
        let bytes = source.checkpoint().map_err(unserved)?;
        let note = Note::parse(&bytes).map_err(|error| bad(error.to_string()))?;
        let trust = Trust { origin: key.name().to_owned(), log: key.clone(), witnesses: terms.witnesses.clone() };
        let opened = trust.open(&note).map_err(|error| bad(error.to_string()))?;
        Ok(Self { key, note, checkpoint: opened.checkpoint, witnesses: opened.witnesses })
    }

    /// Compares a log that has no fewer records than at the last visit, all of which `leaves` has seen. Gives the size it goes on from, or
    /// the proof that it does not.
    pub fn goes_on(&self, last: &Visit, leaves: &Leaves, faults: &mut Faults) -> (Option<u64>, Option<Fork>) {
        let (old, new) = (last.checkpoint().size, self.checkpoint.size);
        if leaves.old_root == Some(last.checkpoint().root) {
            return (Some(old), None);
        }
        faults.add(None, (Class::Visit, format!("the first {old} records are not those of the last visit")));
        let hashes = bridge(&mut &*leaves, old, new).unwrap_or_default();
        (None, Fork::find(&self.key, last.note(), &self.note, &hashes).ok())
    }

    /// What to say of a log that has fewer records than at the last visit. A proof for others needs tiles of the larger tree, which the log
    /// may still serve.
    pub fn shrank(&self, source: &mut dyn Source, last: &Visit, faults: &mut Faults) -> Option<Fork> {
        let (old, new) = (last.checkpoint().size, self.checkpoint.size);
        let mut nodes = TileNodes::new(old, |tile: lab3_tlog::Tile| match tile.kind() {
            lab3_tlog::TileKind::Hashes { level } => source.tile(level, tile.index(), tile.width()),
            lab3_tlog::TileKind::Data => Err(Unserved("no tile of hashes".to_owned())),
        });
        let hashes = bridge(&mut nodes, new, old).unwrap_or_default();
        let fork = Fork::find(&self.key, last.note(), &self.note, &hashes).ok();
        let rest = if fork.is_some() { "and is not its beginning" } else { "both signed by its key" };
        faults.add(None, (Class::Visit, format!("the log shows {new} records, and showed {old} at the last visit, {rest}")));
        fork
    }
}

/// How what is not served is told.
pub(crate) fn unserved(error: Unserved) -> Found {
    (Class::Served, error.0)
}
