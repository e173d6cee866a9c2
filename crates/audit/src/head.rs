//! The checkpoint: whose it is, who signed it, and whether it goes on from the last visit's.

use lab3_tlog::{Checkpoint, Fork, Note, Seconds, TileNodes, Trust, VerifierKey, bridge};
use lab3_units::Time;

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
    /// What the log showed as its newest, when this is a later one that witnesses have cosigned.
    pub shown: Option<Visit>,
}

impl Head {
    /// Asks for the checkpoint and checks its signatures. None when there is nothing to judge the records by.
    ///
    /// Where witnesses are needed, it is the newest, or one with at least as many records, that enough of them have cosigned: whatever the log
    /// shows one, they must have seen.
    pub fn open(source: &mut dyn Source, terms: &Terms, faults: &mut Faults) -> Option<Self> {
        let newest = Self::signed(source, terms, faults).map_err(|found| faults.add(None, found)).ok()?;
        if newest.seen(terms) >= terms.witnesses_needed {
            return Some(newest);
        }
        match newest.witnessed(source, terms) {
            Ok(later) => {
                let shown = Visit::new(newest.key, newest.note).ok();
                Some(Self { shown, ..later })
            }
            Err(found) => {
                faults.add(None, found);
                Some(newest)
            }
        }
    }

    /// How many of the witnesses one trusts have cosigned it, lately enough.
    fn seen(&self, terms: &Terms) -> usize {
        self.witnesses.iter().filter(|(_, at)| terms.witnessed_since.is_none_or(|since| *at >= since)).count()
    }

    /// The checkpoint that witnesses have cosigned, which must have every record this one has.
    fn witnessed(&self, source: &mut dyn Source, terms: &Terms) -> Result<Self, Found> {
        let lacking = |what: String| (Class::Witnesses, what);
        let (all, needed, size) = (terms.witnesses.len(), terms.witnesses_needed, self.checkpoint.size);
        let bytes = source.witnessed(size).map_err(|error| lacking(format!("nothing is shown that witnesses have cosigned: {error}")))?;
        let later = Self::opened(&bytes, &self.key, terms).map_err(|(_, what)| lacking(format!("what witnesses have cosigned: {what}")))?;
        let seen = later.seen(terms);
        if seen < needed {
            return Err(lacking(format!("{seen} of the {all} witnesses one trusts have cosigned{}, not {needed}", since(terms))));
        }
        if later.checkpoint.size < size {
            let what = format!("the log shows {size} records, of which the witnesses one trusts have seen {}", later.checkpoint.size);
            return Err(lacking(what));
        }
        Ok(later)
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
        Self::opened(&bytes, &key, terms)
    }

    /// Reads a checkpoint and checks its signatures.
    fn opened(bytes: &[u8], key: &VerifierKey, terms: &Terms) -> Result<Self, Found> {
        let bad = |what: String| (Class::Checkpoint, what);
        let note = Note::parse(bytes).map_err(|error| bad(error.to_string()))?;
        let trust = Trust { origin: key.name().to_owned(), log: key.clone(), witnesses: terms.witnesses.clone() };
        let opened = trust.open(&note).map_err(|error| bad(error.to_string()))?;
        Ok(Self { key: key.clone(), note, checkpoint: opened.checkpoint, witnesses: opened.witnesses, shown: None })
    }

    /// Compares a log that has no fewer records than at the last visit, all of which `leaves` has seen. Gives the size it goes on from, or
    /// the proof that it does not.
    pub fn goes_on(&self, last: &Visit, leaves: &Leaves, faults: &mut Faults) -> (Option<u64>, Option<Fork>) {
        let (old, new) = (last.checkpoint().size, self.checkpoint.size);
        if leaves.root_at(old) == Some(last.checkpoint().root) {
            return (Some(old), None);
        }
        faults.add(None, (Class::Visit, format!("the first {old} records are not those of the last visit")));
        let hashes = bridge(&mut &*leaves, old, new).unwrap_or_default();
        (None, Fork::find(&self.key, last.note(), &self.note, &hashes).ok())
    }

    /// Compares what witnesses have cosigned with what the log showed as its newest a moment before: the proof that they contradict, if so.
    pub fn covers(&self, shown: &Visit, leaves: &Leaves, faults: &mut Faults) -> Option<Fork> {
        let (old, new) = (shown.checkpoint().size, self.checkpoint.size);
        if leaves.root_at(old).is_none_or(|root| root == shown.checkpoint().root) {
            return None;
        }
        faults.add(None, (Class::Witnesses, format!("the first {old} records that witnesses have seen are not those the log shows")));
        let hashes = bridge(&mut &*leaves, old, new).unwrap_or_default();
        Fork::find(&self.key, shown.note(), &self.note, &hashes).ok()
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

/// Since when cosignatures count, in words.
fn since(terms: &Terms) -> String {
    let time = |at: Seconds| Time::from_millis(i64::try_from(at.get()).unwrap_or(0).saturating_mul(1000));
    terms.witnessed_since.map_or_else(String::new, |at| format!(" since {}", time(at)))
}

/// How what is not served is told.
pub(crate) fn unserved(error: Unserved) -> Found {
    (Class::Served, error.0)
}
