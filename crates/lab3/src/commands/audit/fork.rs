//! `lab3 audit --fork`: whether two checkpoints of one log contradict, as a proof that anybody can check; and checking such a proof.

use std::path::{Path, PathBuf};

use lab3_audit::{Source as _, Unserved, Visit};
use lab3_tlog::{Checkpoint, Fork, Hash, NoFork, Note, Tile, TileKind, TileNodes, VerifierKey, bridge};

use super::Desk;
use crate::Failure;

/// A checkpoint somebody kept, and the key it came with.
struct Kept {
    note: Note,
    size: u64,
    key: Option<VerifierKey>,
}

/// Of one file: whether it is a proof that holds. Of two: the proof that they contradict, if they do.
pub(super) fn run(files: &[PathBuf], key: Option<VerifierKey>, desk: Option<&mut Desk>) -> Result<String, Failure> {
    match files {
        [proof] => check(proof, key),
        [one, other] => find(&read(one)?, &read(other)?, key, desk),
        _ => Err(Failure::Usage("--fork takes one file, a proof, or two, checkpoints".to_owned())),
    }
}

fn check(file: &Path, key: Option<VerifierKey>) -> Result<String, Failure> {
    let shown = file.display();
    let fork = Fork::parse(&bytes(file)?).map_err(|error| Failure::Other(format!("{shown} proves nothing: {error}")))?;
    if key.is_some_and(|key| key != *fork.key()) {
        return Err(Failure::Other(format!("{shown} is about another key: {}", fork.key())));
    }
    let [older, newer] = fork.notes().map(|note| Checkpoint::parse(note.text()).map_or(0, |checkpoint| checkpoint.size));
    let key = fork.key();
    Ok(format!(
        "it holds: the key {key}\nsigned {older} records, and {newer} records that do not go on from them. Whose key it is you must know."
    ))
}

fn find(one: &Kept, other: &Kept, key: Option<VerifierKey>, desk: Option<&mut Desk>) -> Result<String, Failure> {
    let key = key.or_else(|| one.key.clone()).or_else(|| other.key.clone());
    let key = key.ok_or_else(|| Failure::Usage("whose checkpoints are these? Name the log's key with --key".to_owned()))?;
    let (old, new) = (one.size.min(other.size), one.size.max(other.size));
    let hashes = if old == new { Vec::new() } else { bridge_of(old, new, desk)? };
    match Fork::find(&key, &one.note, &other.note, &hashes) {
        Ok(fork) => Ok(fork.to_string()),
        Err(NoFork::Bridge(error)) => Err(Failure::Other(format!(
            "that desk does not serve the tree of the larger checkpoint ({error}): ask one that shows it, so that its tiles can be had"
        ))),
        Err(error) => Err(Failure::Other(format!("no proof: {error}"))),
    }
}

/// The hashes that fix the smaller tree's root, from the tiles of the larger.
fn bridge_of(old: u64, new: u64, desk: Option<&mut Desk>) -> Result<Vec<Hash>, Failure> {
    let Some(desk) = desk else {
        let why =
            format!("the checkpoints are of {old} and {new} records: name the URL of a desk that shows the larger one, for its tiles");
        return Err(Failure::Usage(why));
    };
    let mut nodes = TileNodes::new(new, |tile: Tile| match tile.kind() {
        TileKind::Hashes { level } => desk.tile(level, tile.index(), tile.width()),
        TileKind::Data => Err(Unserved("no tile of hashes".to_owned())),
    });
    bridge(&mut nodes, old, new).map_err(|error| Failure::Other(format!("the larger tree's tiles cannot be had: {error:?}")))
}

/// A visit's file, or a checkpoint as the log serves it.
fn read(file: &Path) -> Result<Kept, Failure> {
    let bytes = bytes(file)?;
    let bad = |error: &dyn std::fmt::Display| Failure::Other(format!("{} is no checkpoint: {error}", file.display()));
    if let Some(visit) = std::str::from_utf8(&bytes).ok().and_then(|text| Visit::parse(text).ok()) {
        return Ok(Kept { note: visit.note().clone(), size: visit.checkpoint().size, key: Some(visit.key().clone()) });
    }
    let note = Note::parse(&bytes).map_err(|error| bad(&error))?;
    let size = Checkpoint::parse(note.text()).map_err(|error| bad(&error))?.size;
    Ok(Kept { note, size, key: None })
}

fn bytes(file: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(file).map_err(|error| Failure::Other(format!("{}: {error}", file.display())))
}
