//! The key that signs is the one the journal names; what is erased was written before.
//!
//! It fails when a log signed by another key than its journal names passes either verifier, or a note of erasing what is not there yet does.

#![allow(clippy::unwrap_used, reason = "outside of #[test] functions clippy does not see that this is a test")]

mod hive;
mod served;

use std::process::Command;

use hive::Hive;
use lab3_audit::{Class, Terms, audit};
use lab3_engine::{Actor, Fact, Record, write_entry};
use lab3_trust::{By, Deed, HiveName, Inscription, Resumption};
use lab3_units::Id;
use served::{Log, signer};

/// A short past, and behind it these deeds of the desk's own.
fn log(deeds: Vec<Deed>) -> Log {
    let mut hive = Hive::new(5);
    hive.live(10);
    let mut entries = hive.entries();
    hive.stop();
    let at = lab3_engine::read_entry(entries.len() as u64, entries.last().unwrap()).unwrap().record.at;
    for (no, deed) in (1_u8..).zip(deeds) {
        let fact = Fact::Trust(Box::new(lab3_trust::Fact { by: By::Desk, deed }));
        let id = Id::from_bytes([no; 16]);
        let record = Record { at, actor: Actor::Operator, id, aliases: vec![], fingerprint: 0, fact, entries: vec![], signed: None };
        entries.push(write_entry(&record).unwrap());
    }
    Log::of(entries)
}

fn inscribed(seed: u8) -> Deed {
    let hive = HiveName::parse("hive").unwrap();
    Deed::Inscribed(Inscription { hive, journal: Id::from_bytes([9; 16]), log_key: *signer(seed).verifier().public() })
}

fn resumed(seed: u8) -> Deed {
    let log_key = *signer(seed).verifier().public();
    Deed::Resumed(Box::new(Resumption { journal: Id::from_bytes([8; 16]), log_key, signed: 0, root: [0; 32], reason: "lost".into() }))
}

/// What both verifiers say: the classes of faults, and whether the one in Python agrees.
fn verdicts(mut log: Log) -> (Vec<Class>, bool) {
    let verdict = audit(&mut log, &Terms::default(), |_, _| ());
    let folder = tempfile::tempdir().unwrap();
    log.export(folder.path());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/verify/verify.py");
    let python = Command::new("python3").arg(script).arg(folder.path()).output().unwrap();
    assert!(matches!(python.status.code(), Some(0 | 1)), "{}", String::from_utf8_lossy(&python.stdout));
    (verdict.faults.iter().map(|fault| fault.class).collect(), python.status.success())
}

#[test]
fn the_key_that_signs_is_the_one_the_journal_names() {
    assert_eq!(verdicts(log(vec![inscribed(7)])), (vec![], true));
    assert_eq!(verdicts(log(vec![inscribed(8)])), (vec![Class::Checkpoint], false));
    assert_eq!(verdicts(log(vec![inscribed(8), resumed(7)])), (vec![], true));
    assert_eq!(verdicts(log(vec![inscribed(7), resumed(8)])), (vec![Class::Checkpoint], false));
}

#[test]
fn what_is_erased_was_written_before() {
    let erased = |record| Deed::Erased { record, reason: "why".into() };
    assert_eq!(verdicts(log(vec![inscribed(7), erased(3)])), (vec![], true));
    assert_eq!(verdicts(log(vec![inscribed(7), erased(1_000)])), (vec![Class::Facts], false));
}
