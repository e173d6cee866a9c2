//! What treasurers decide: honest Hives pass both verifiers, and whatever is wrong with their signatures both catch.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

mod hive;
mod lies;
mod python;
mod served;

use std::sync::OnceLock;

use hive::governed::{approval, statement, treasurer};
use hive::{Hive, member};
use lab3_audit::{Class, audit};
use lab3_engine::{Actor, Fact, Record, Signed};
use lab3_finance::Fact as Money;
use lab3_ledger::{Kind, Purpose};
use lab3_trust::{Act, Approval, By, Deed, PolicyLines, Signature, Treasurers};
use lab3_units::{Amount, Id};
use lies::{judged, last, moved, office, terms, wallet};
use python::judge;
use served::{Log, signer};

fn honest() -> Log {
    static LOG: OnceLock<Log> = OnceLock::new();
    let live = || {
        let mut hive = Hive::new(7);
        hive.live(40);
        hive.govern(*signer(7).verifier().public());
        hive.live_on(40);
        hive.decide_together();
        hive.live_on(20);
        let entries = hive.entries();
        hive.stop();
        Log::of(entries)
    };
    LOG.get_or_init(live).clone()
}

/// The signatures a record has, behind it or in its fact.
fn signatures(record: &mut Record) -> Option<&mut Approval> {
    if let Some(signed) = record.signed.as_deref_mut() {
        return if let Signed::Approval(approval) = signed { Some(approval) } else { None };
    }
    let Fact::Trust(fact) = &mut record.fact else { return None };
    match &mut fact.deed {
        Deed::TreasurersNamed { approval, .. } | Deed::PolicyChanged { approval, .. } | Deed::Frozen { approval, .. } => approval.as_mut(),
        _ => None,
    }
}

/// A lie about each record that treasurers signed, for which the change says that it is one.
fn lies(change: impl Fn(&mut Record) -> bool) -> Vec<(usize, Log)> {
    let honest = honest();
    let all = (1..=honest.entries.len()).filter_map(|sequence| {
        let mut record = honest.record(sequence);
        signatures(&mut record)?;
        let mut log = honest.clone();
        change(&mut record).then(|| {
            log.entries[sequence - 1] = lab3_engine::write_entry(&record).unwrap();
            (sequence, log)
        })
    });
    all.collect()
}

/// Both verifiers find each of them, ours by its class at its record.
#[track_caller]
fn check(what: &str, class: Class, least: usize, logs: Vec<(usize, Log)>) {
    assert!(logs.len() >= least, "{what}: {}", logs.len());
    let folder = tempfile::tempdir().unwrap();
    let mut folders = Vec::new();
    for (at, (sequence, log)) in logs.into_iter().enumerate() {
        folders.push(folder.path().join(at.to_string()));
        log.clone().signed_again().export(folders.last().unwrap());
        judged(log, sequence, class);
    }
    for (status, words) in judge(&format!("--key {}", signer(7).verifier()), &folders).unwrap_or_default() {
        assert_eq!(status, 1, "{what}: {words}");
    }
}

fn change(what: &str, least: usize, change: impl Fn(&mut Approval) -> bool) {
    check(what, Class::Signatures, least, lies(|record| signatures(record).is_some_and(&change)));
}

#[test]
fn honest_hives_with_treasurers_hold() {
    let mut log = honest();
    let verdict = audit(&mut log, &terms(), |_, _| {});
    assert!(verdict.holds(), "{verdict}");
    let approved = (1..=log.entries.len()).filter(|&sequence| signatures(&mut log.record(sequence)).is_some()).count();
    assert_eq!(approved, 8);
    let folder = tempfile::tempdir().unwrap();
    log.export(folder.path());
    for (status, words) in judge("--fee 0.001", &[folder.path().to_path_buf()]).unwrap_or_default() {
        assert_eq!(status, 0, "{words}");
    }
}

#[test]
fn signatures_that_do_not_hold_are_found() {
    change("forged", 8, |approval| {
        let mut bytes = approval.signatures[0].signature.to_bytes();
        bytes[40] ^= 1;
        approval.signatures[0].signature = Signature::from_bytes(bytes);
        true
    });
    change("too few", 6, |approval| approval.signatures.len() == 2 && approval.signatures.pop().is_some());
    change("none", 7, |approval| {
        approval.signatures.clear();
        true
    });
    change("repeated", 7, |approval| {
        let first = approval.signatures[0].clone();
        approval.signatures.len() > 1 && {
            approval.signatures[1] = first;
            true
        }
    });
    change("in anothers name", 7, |approval| {
        let first = approval.signatures[0].treasurer.clone();
        approval.signatures.len() > 1 && {
            approval.signatures[1].treasurer = first;
            true
        }
    });
    change("for another time", 8, |approval| {
        approval.not_after = lab3_units::Time::from_millis(approval.not_after.millis() + 1);
        true
    });
}

#[test]
fn what_was_signed_is_what_was_done() {
    check(
        "another id",
        Class::Signatures,
        8,
        lies(|record| {
            record.id = Id::from_bytes([9; 16]);
            true
        }),
    );
    check(
        "another rule",
        Class::Signatures,
        1,
        lies(|record| match &mut record.fact {
            Fact::Trust(fact) => match &mut fact.deed {
                Deed::PolicyChanged { lines, .. } => {
                    *lines = PolicyLines::new([("finance.epoch_reward_gic", "6"), ("log.readers", "auditors")]).unwrap();
                    true
                }
                _ => false,
            },
            _ => false,
        }),
    );
    check(
        "somebody else did it",
        Class::Signatures,
        4,
        lies(|record| match &mut record.fact {
            Fact::Trust(fact) => {
                fact.by = By::Did(member(2));
                true
            }
            _ => false,
        }),
    );
    check(
        "another acted",
        Class::Signatures,
        4,
        lies(|record| {
            record.actor = Actor::Key(1);
            true
        }),
    );
}

/// A record after the last, by one who signed, with what these secrets sign for it.
fn added(log: &Log, act: &Act, fact: impl FnOnce(Option<Approval>) -> Fact, secrets: Option<&[u8]>) -> Record {
    let (id, at) = (Id::from_bytes([0xab; 16]), last(log).at);
    let approval = secrets.map(|secrets| approval(&statement(id, at, act.clone()), secrets));
    let pays = matches!(act, Act::Mint { .. });
    let entries = if pays { vec![moved(office(log, Purpose::Issuance), wallet(log, 0), 5, Kind::Mint)] } else { Vec::new() };
    let (behind, inside) = if pays { (approval, None) } else { (None, approval) };
    let signed = behind.map(|approval| Box::new(Signed::Approval(approval)));
    Record { at, actor: Actor::Signed, id, aliases: Vec::new(), fingerprint: 0, fact: fact(inside), entries, signed }
}

fn minted(log: &Log, secrets: Option<&[u8]>, actor: Actor) -> Record {
    let supply = audit(&mut log.clone(), &terms(), |_, _| {}).figures.supply;
    let act = Act::Mint { to: member(0), amount: Amount::new(5), memo: None };
    let fact = |_| Fact::Finance(Money::Minted { supply: Amount::new(supply.units() + 5) });
    Record { actor, ..added(log, &act, fact, secrets) }
}

fn told(fact: Deed) -> Fact {
    Fact::Trust(Box::new(lab3_trust::Fact { by: By::Did(treasurer(34)), deed: fact }))
}

/// The journal with that record at its end.
fn with(record: &Record) -> (usize, Log) {
    let mut log = honest();
    log.entries.push(lab3_engine::write_entry(record).unwrap());
    (log.entries.len(), log)
}

#[test]
fn nobody_decides_for_the_treasurers() {
    let log = honest();
    let good = with(&minted(&log, Some(&[34]), Actor::Signed));
    let verdict = audit(&mut good.1.signed_again(), &terms(), |_, _| {});
    assert!(verdict.holds(), "the lies below differ from this: {verdict}");
    let operator = Actor::Key(lies::key_of(&log, |holder| *holder == lab3_trust::Holder::Operator));
    // 32 and 33 were treasurers until others followed them; 35 never was.
    let lies = [
        minted(&log, None, operator),
        minted(&log, None, Actor::Signed),
        minted(&log, Some(&[32, 33]), Actor::Signed),
        minted(&log, Some(&[35]), Actor::Signed),
        minted(&log, Some(&[34, 35]), Actor::Signed),
        minted(&log, Some(&[34, 34]), Actor::Signed),
    ];
    check("new money", Class::Signatures, 6, lies.iter().map(with).collect());
    let next = Treasurers::new(1, [treasurer(35)]).unwrap();
    let name = |secrets: Option<&[u8]>| {
        let treasurers = next.clone();
        added(&log, &Act::Treasurers(next.clone()), |approval| told(Deed::TreasurersNamed { treasurers, approval }), secrets)
    };
    let rules = PolicyLines::new([("log.readers", "everybody")]).unwrap();
    let rule = |secrets: Option<&[u8]>| {
        let lines = rules.clone();
        added(&log, &Act::Policy(rules.clone()), |approval| told(Deed::PolicyChanged { lines, approval }), secrets)
    };
    let lies = [name(None), name(Some(&[35])), rule(None), rule(Some(&[35]))];
    check("other treasurers and rules", Class::Signatures, 4, lies.iter().map(with).collect());
}

#[test]
fn a_freeze_has_its_bounds() {
    let log = honest();
    let frozen = |citizen: usize, hours: u8, lasts: i64, by: By, actor: Actor| {
        let until = lab3_units::Time::from_millis(last(&log).at.millis() + lasts * 3_600_000);
        let deed = Deed::Frozen { citizen: member(citizen), hours, until, reason: "x".into(), approval: None };
        let fact = Fact::Trust(Box::new(lab3_trust::Fact { by, deed }));
        Record { actor, ..added(&log, &Act::Policy(PolicyLines::new([("a", "b")]).unwrap()), |_| fact, None) }
    };
    let number = lies::key_of(&log, |holder| *holder == lab3_trust::Holder::Operator);
    let (by, operator) = (By::Key(number), Actor::Key(number));
    let (_, mut fine) = with(&frozen(2, 72, 72, by.clone(), operator));
    let verdict = audit(&mut fine.clone().signed_again(), &terms(), |_, _| {});
    assert!(verdict.holds(), "{verdict}");
    fine.entries.pop();
    for record in [
        frozen(2, 73, 73, by.clone(), operator),
        frozen(2, 1, 2, by.clone(), operator),
        frozen(3, 1, 1, by, operator),
        frozen(2, 1, 1, By::Did(member(0)), Actor::Signed),
    ] {
        let (sequence, log) = with(&record);
        judged(log, sequence, Class::Actors);
    }
}
