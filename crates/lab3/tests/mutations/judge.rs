//! Who notices that a stored Hive was changed.

use std::sync::Arc;

use lab3_audit::{Class, Source, Terms, audit};
use lab3_engine::Stored as Record;
use lab3_tlog::{AddCheckpoint, WitnessedLog};
use lab3_units::FeeRate;
use tokio::runtime::Runtime;

use crate::desk::{Closed, Desk};
use crate::home::Home;
use crate::honest::{Honest, size_of};
use crate::stored::Stored;

/// Who caught a change first; the order in which they come to see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Caught {
    /// The desk does not open.
    Start,
    /// `lab3 audit`, by an auditor who was there before.
    Audit,
    /// A witness, who refuses to cosign.
    Witness,
    /// Whoever reads the record whose words do not fit, or were erased.
    Reading,
    /// Nobody, and nobody can: everything the desk serves is as it was.
    Harmless,
}

impl Caught {
    pub const ALL: [Self; 5] = [Self::Start, Self::Audit, Self::Witness, Self::Reading, Self::Harmless];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Audit => "audit",
            Self::Witness => "witness",
            Self::Reading => "reading",
            Self::Harmless => "harmless",
        }
    }
}

/// Opens the desk and asks everybody; `visited` is how many records the auditor saw last. The error tells what nobody caught.
pub fn judge(home: &Home, honest: &Honest, visited: usize, runtime: &Arc<Runtime>) -> Result<(Caught, String), String> {
    let mut desk = match Desk::try_open(home, honest.now, runtime) {
        Ok(desk) => desk,
        Err(Closed::Refused(refusal)) => return Ok((Caught::Start, refusal)),
        Err(Closed::Asserted) => return as_stored(home, honest, visited),
    };
    if let Some(fault) = audited(&mut desk, honest, visited) {
        return Ok((Caught::Audit, fault));
    }
    if let Some(refusal) = witnessed(&desk, honest) {
        return Ok((Caught::Witness, refusal));
    }
    match read(&desk, honest)? {
        Some(found) => Ok((Caught::Reading, found)),
        None => Ok((Caught::Harmless, String::new())),
    }
}

/// Judges what a desk would do that passes over what ours stops at: compares with the last checkpoint, then serves what is stored.
fn as_stored(home: &Home, honest: &Honest, visited: usize) -> Result<(Caught, String), String> {
    let Some(mut stored) = Stored::of(home) else { return Ok((Caught::Start, "another past than was signed".to_owned())) };
    match audited(&mut stored, honest, visited) {
        Some(fault) => Ok((Caught::Audit, fault)),
        None => Err("a record that does what cannot be passes the audit".to_owned()),
    }
}

/// What `lab3 audit` finds.
fn audited(desk: &mut dyn Source, honest: &Honest, visited: usize) -> Option<String> {
    let fee = FeeRate::from_percent("0.001").ok();
    let terms = Terms { last: Some(honest.visit(visited)), fee, ..Terms::default() };
    let verdict = audit(desk, &terms, |_, _| {});
    let forked = verdict.faults.iter().any(|fault| fault.class == Class::Visit);
    let grown = verdict.checkpoint.as_ref().is_some_and(|checkpoint| checkpoint.size >= visited as u64);
    assert!(!forked || !grown || verdict.fork.is_some(), "two stories under one key, and no proof for others: {verdict}");
    verdict.faults.first().map(ToString::to_string)
}

/// Why a witness refuses who has seen all of the honest journal.
fn witnessed(desk: &Desk, honest: &Honest) -> Option<String> {
    let note = desk.note.clone()?;
    let last = honest.witnessed();
    let proof = desk.wait(desk.engine.log().consistency(last.size, size_of(&note))).unwrap_or_default();
    let known = WitnessedLog { keys: vec![honest.key().clone()], last: Some(last) };
    AddCheckpoint { old: last.size, proof, note }.judge(Some(&known)).err().map(|refusal| refusal.to_string())
}

/// Compares everything that is served with what it was. `Some` tells of words that are refused, or told to be erased; an error of anything
/// else.
fn read(desk: &Desk, honest: &Honest) -> Result<Option<String>, String> {
    let problem = |problem: lab3_units::Problem| problem.to_string();
    if desk.entries().map_err(problem)? != honest.entries {
        return Err("other records are served".to_owned());
    }
    if desk.wait(desk.engine.log().head()).map_err(problem)?.root != honest.root {
        return Err("the tree has another root".to_owned());
    }
    if desk.state_hash() != honest.state_hash {
        return Err("the state is not what the journal makes of it".to_owned());
    }
    let mut found = None;
    for (stored, was) in desk.records().into_iter().zip(&honest.records) {
        match stored {
            Ok(Some(stored)) if stored == *was => {}
            Ok(Some(stored)) if without_words(&stored) == without_words(was) && is_erased(&stored) => {
                found = Some(format!("what was written in record {} is told to be erased", was.sequence));
            }
            Ok(_) => return Err(format!("record {} is read otherwise", was.sequence)),
            Err(_) => found = Some(format!("record {} is refused", was.sequence)),
        }
    }
    if found.is_none() {
        for was in honest.records.iter().step_by(29) {
            if desk.find(was.record.id).map_err(problem)?.as_ref() != Some(was) {
                return Err(format!("record {} is not found by its id", was.sequence));
            }
        }
    }
    Ok(found)
}

fn without_words(stored: &Record) -> Record {
    let mut stored = stored.clone();
    words(&mut stored).for_each(|memo| *memo = Box::default());
    stored
}

fn is_erased(stored: &Record) -> bool {
    words(&mut stored.clone()).any(|memo| memo.is_empty())
}

fn words(stored: &mut Record) -> impl Iterator<Item = &mut Box<str>> {
    stored.record.entries.iter_mut().filter_map(|event| match event {
        lab3_ledger::Event::Transferred { memo, kind, .. } if kind.has_words() => Some(memo),
        _ => None,
    })
}
