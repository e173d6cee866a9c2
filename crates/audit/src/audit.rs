//! An audit from beginning to end, in one pass over the records.

use lab3_tlog::{Hash, Seconds, TILE_WIDTH, VerifierKey, decode_entries};
use lab3_units::FeeRate;

use crate::head::{Head, unserved};
use crate::leaves::Leaves;
use crate::receipts::Receipts;
use crate::replay::Replay;
use crate::verdict::{Class, Faults, Found};
use crate::{Figures, Source, Verdict, Visit};

/// What an auditor goes by.
#[derive(Clone, Debug)]
pub struct Terms {
    /// The log's key, when it is known from elsewhere than the log. Else the last visit's; at a first visit the one the log shows.
    pub key: Option<VerifierKey>,
    /// The witnesses one trusts.
    pub witnesses: Vec<VerifierKey>,
    /// How many of them must have cosigned.
    pub witnesses_needed: usize,
    /// Since when: an earlier cosignature does not count, for who is shown an old state has only old ones.
    pub witnessed_since: Option<Seconds>,
    /// The last visit.
    pub last: Option<Visit>,
    /// The fee on transfers, when it is known: each must then be that. Else the rates that the journal shows are told in the figures.
    pub fee: Option<FeeRate>,
    /// Receipts the log gave: signed notes.
    pub receipts: Vec<Vec<u8>>,
    /// Faults told one by one.
    pub faults_max: usize,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            key: None,
            witnesses: Vec::new(),
            witnesses_needed: 0,
            witnessed_since: None,
            last: None,
            fee: None,
            receipts: Vec::new(),
            faults_max: 20,
        }
    }
}

/// Checks a log. `progress` is told after each tile how many records are done, and of how many.
pub fn audit(source: &mut dyn Source, terms: &Terms, mut progress: impl FnMut(u64, u64)) -> Verdict {
    let mut faults = Faults::new(terms.faults_max);
    let Some(head) = Head::open(source, terms, &mut faults) else {
        let Faults { list, more, .. } = faults;
        let (figures, witnesses) = (Figures::default(), Vec::new());
        return Verdict {
            key: None,
            checkpoint: None,
            witnesses,
            follows: None,
            receipts: 0,
            figures,
            faults: list,
            faults_more: more,
            fork: None,
            visit: None,
        };
    };
    let size = head.checkpoint.size;
    let grown = terms.last.as_ref().filter(|last| last.checkpoint().size <= size);
    let earlier = grown.map(|last| last.checkpoint().size).into_iter().chain(head.shown.as_ref().map(|shown| shown.checkpoint().size));
    let mut leaves = Leaves::new(size, earlier);
    let (mut replay, mut receipts) = (Replay::new(terms.fee), Receipts::open(&terms.receipts, &head.key, &mut faults));
    let each = |sequence, leaf, entry: &[u8], faults: &mut Faults| {
        receipts.take(sequence, leaf);
        replay.take(entry, faults);
    };
    if let Err(found) = read(source, size, &mut leaves, each, &mut faults, &mut progress) {
        faults.add(None, found);
    }
    let figures = Figures { leaves: leaves.size(), ..replay.figures() };
    let whole = leaves.size() == size && leaves.root() == head.checkpoint.root;
    if leaves.size() == size && !whole {
        faults.add(None, (Class::Root, format!("the {size} records served do not lead to the root that was signed")));
    }
    let receipts = receipts.kept(size, &mut faults);
    if replay.log_key().is_some_and(|key| key != *head.key.public()) {
        faults.add(None, (Class::Checkpoint, "the journal names another key as its log's than the one that signed".to_owned()));
    }
    let shown = head.shown.as_ref().and_then(|shown| head.covers(shown, &leaves, &mut faults));
    let (follows, fork) = match (&terms.last, grown) {
        (Some(last), Some(_)) if leaves.root_at(last.checkpoint().size).is_some() => head.goes_on(last, &leaves, &mut faults),
        (Some(last), None) => (None, head.shrank(source, last, &mut faults)),
        _ => (None, None),
    };
    let goes_on = terms.last.is_none() || follows.is_some();
    let visit = (whole && goes_on && shown.is_none()).then(|| Visit::new(head.key.clone(), head.note.clone()).ok()).flatten();
    let Faults { list, more, .. } = faults;
    Verdict {
        key: Some(head.key),
        checkpoint: Some(head.checkpoint),
        witnesses: head.witnesses,
        follows,
        receipts,
        figures,
        faults: list,
        faults_more: more,
        fork: fork.or(shown),
        visit,
    }
}

/// Reads every record, a tile at a time. Ends at the first tile that is not served whole: what follows it has no place.
fn read(
    source: &mut dyn Source,
    size: u64,
    leaves: &mut Leaves,
    mut each: impl FnMut(u64, Hash, &[u8], &mut Faults),
    faults: &mut Faults,
    progress: &mut impl FnMut(u64, u64),
) -> Result<(), Found> {
    let full = u64::from(TILE_WIDTH);
    while leaves.size() < size {
        let index = leaves.size() / full;
        let width = u16::try_from((size - leaves.size()).min(full)).unwrap_or(TILE_WIDTH);
        let bytes = source.data_tile(index, width).map_err(unserved)?;
        let bundle = |error: lab3_tlog::EntriesError| (Class::Served, format!("the records from {} on: {error}", index * full + 1));
        for entry in decode_entries(&bytes, width).map_err(bundle)? {
            let leaf = leaves.push(entry);
            each(leaves.size(), leaf, entry, faults);
        }
        progress(leaves.size(), size);
    }
    Ok(())
}
