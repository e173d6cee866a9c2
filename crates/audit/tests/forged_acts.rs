//! Deeds nobody could have done, signed by the log's own key.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod hive;
mod lies;
mod served;

use hive::member;
use lab3_audit::{Class, audit};
use lab3_compute::Fact as Compute;
use lab3_engine::{Actor, Fact, Record, write_entry};
use lab3_finance::Fact as Money;
use lab3_ledger::Event;
use lab3_trust::{By, Deed, Holder, KeyId, Scopes};
use lab3_units::{Amount, Id};
use lies::{TRANSFERRED, check, check_added, honest, judged, key_of, paid, record, signed, terms};
use served::Log;

#[test]
fn nobody_acts_who_could_not() {
    let by = |actor: Actor, record: Record| Record { actor, ..record };
    let pays = |log: &Log| record(log, TRANSFERRED, paid(log, 0, 1, 1000));
    let operator = |log: &Log| Actor::Key(key_of(log, |holder| matches!(holder, Holder::Operator)));
    let told = check_added(Class::Actors, |log| by(operator(log), pays(log)));
    assert!(told.contains("operator's key"), "{told}");
    check_added(Class::Actors, |log| by(Actor::Operator, pays(log)));
    check_added(Class::Actors, |log| by(Actor::Engine, pays(log)));
    check_added(Class::Actors, |log| by(Actor::Open, pays(log)));
    check_added(Class::Actors, |log| by(Actor::Key(4711), pays(log)));
    check_added(Class::Actors, |log| by(Actor::Key(0), pays(log)));
    // Another member's key; a service's; an auditor's.
    check_added(Class::Actors, |log| by(Actor::Key(key_of(log, |h| *h == Holder::Citizen(member(1)))), pays(log)));
    check_added(Class::Actors, |log| by(Actor::Key(key_of(log, |h| matches!(h, Holder::Service { .. }))), pays(log)));
    // The pool's and the mint's doors.
    check_added(Class::Actors, |log| {
        let fact = Fact::Finance(Money::Granted { pool_balance: Amount::ZERO });
        by(Actor::Key(key_of(log, |h| *h == Holder::Citizen(member(0)))), record(log, fact, Vec::new()))
    });
    // What only the desk does.
    check(Class::Actors, |record| {
        let expired = matches!(record.fact, Fact::Compute(Compute::Expired(_)));
        record.actor = if expired { Actor::Open } else { record.actor };
        expired
    });
    check_added(Class::Actors, |log| by(Actor::Engine, record(log, Fact::Batch { items: 0 }, Vec::new())));
}

#[test]
fn a_dead_key_does_nothing() {
    let mut log = honest();
    let number = key_of(&log, |holder| *holder == Holder::Citizen(member(0)));
    let revoked = lab3_trust::Fact { by: By::Did(member(0)), deed: Deed::KeyRevoked { number, reason: "".into() } };
    let revoked = record(&log, Fact::Trust(Box::new(revoked)), Vec::new());
    let pays = Record { actor: Actor::Key(number), id: Id::from_bytes([2; 16]), ..record(&log, TRANSFERRED, paid(&log, 0, 1, 1000)) };
    let pays = signed(&log, pays);
    let good = signed(&log, Record { id: Id::from_bytes([3; 16]), ..pays.clone() });
    for record in [good, revoked, pays] {
        log.entries.push(write_entry(&record).unwrap());
    }
    let last = log.entries.len();
    let verdict = audit(&mut log.clone().signed_again(), &terms(), |_, _| {});
    assert_eq!(verdict.faults.len(), 1, "{verdict}");
    judged(log, last, Class::Actors);
}

#[test]
fn a_service_keeps_within_its_day_and_its_citizens() {
    check(Class::Actors, |record| match (&record.actor, &mut record.entries[..]) {
        (Actor::Key(2), [.., Event::HoldPlaced { amount, .. }]) => {
            *amount = Amount::new(200_000_001);
            true
        }
        _ => false,
    });
    // Not one hold is larger, but two of a day.
    let mut log = honest();
    let mut first = None;
    let second = (1..=log.entries.len()).find(|&sequence| {
        let mut record = log.record(sequence);
        let (Actor::Key(2), [.., Event::HoldPlaced { amount, .. }]) = (record.actor, &mut record.entries[..]) else { return false };
        *amount = Amount::new(150_000_000);
        let day = record.at.millis() / 86_400_000;
        let of_a_day = first == Some(day);
        if first.is_none() || of_a_day {
            log.write(sequence, &record);
        }
        first.get_or_insert(day);
        of_a_day
    });
    judged(log, second.unwrap(), Class::Actors);
    // Another member's key.
    check(Class::Actors, |record| {
        let is = record.actor == Actor::Key(3) && matches!(record.fact, Fact::Compute(Compute::Allocated(_)));
        record.actor = if is { Actor::Key(4) } else { record.actor };
        is
    });
    // A service that was never given them.
    let mut log = honest();
    let made = (1..=log.entries.len()).find(|&at| matches!(&log.record(at).fact, Fact::Trust(fact) if is_service(&fact.deed))).unwrap();
    let mut record = log.record(made);
    if let Fact::Trust(fact) = &mut record.fact
        && let Deed::KeyCreated(created) = &mut fact.deed
    {
        created.citizens.clear();
    }
    log.write(made, &record);
    let verdict = audit(&mut log.signed_again(), &terms(), |_, _| {});
    // What it held for them it could not, and what it never had was not taken from it.
    let classes = verdict.faults.iter().map(|fault| fault.class).collect::<std::collections::BTreeSet<_>>();
    assert_eq!(classes, [Class::Actors, Class::Keys].into(), "{verdict}");
}

fn is_service(deed: &Deed) -> bool {
    matches!(deed, Deed::KeyCreated(made) if matches!(made.holder, Holder::Service { .. }))
}

#[test]
fn keys_are_made_in_turn() {
    let deed = |change: fn(&mut Deed) -> bool| {
        check(Class::Keys, move |record| match &mut record.fact {
            Fact::Trust(fact) => change(&mut fact.deed),
            _ => false,
        });
    };
    let number = |deed: &mut Deed| match deed {
        Deed::KeyCreated(made) if made.number > 2 => {
            made.number += 1;
            true
        }
        _ => false,
    };
    deed(number);
    deed(|deed| match deed {
        Deed::KeyRotated { number, .. } => {
            *number += 1;
            true
        }
        _ => false,
    });
    deed(|deed| match deed {
        Deed::KeyRotated { old, .. } => {
            *old = 99;
            true
        }
        _ => false,
    });
    deed(|deed| match deed {
        Deed::KeyRevoked { number, .. } => {
            *number = 99;
            true
        }
        _ => false,
    });
    deed(|deed| match deed {
        Deed::KeyCreated(made) if made.number == 2 => {
            made.scopes = Scopes::ALL;
            true
        }
        _ => false,
    });
    deed(|deed| match deed {
        Deed::KeyCreated(made) if made.number == 2 => {
            made.id = KeyId::from_bytes([1; 8]);
            true
        }
        _ => false,
    });
    // Another than the one who asked is said to have done it.
    check(Class::Keys, |record| match &mut record.fact {
        Fact::Trust(fact) if fact.by != By::Desk => {
            fact.by = By::Desk;
            true
        }
        _ => false,
    });
}

/// The gates through which keys come into the journal.
#[test]
fn keys_are_made_by_who_may_make_them() {
    // An operator's key that a member's key makes; a service's delegation by a stranger.
    for actor in [|holder: &Holder| *holder == Holder::Citizen(member(0)), |holder: &Holder| *holder == Holder::Auditor] {
        check_added(Class::Keys, |log| {
            let last = (1..=log.entries.len()).rev().find_map(|at| made(&log.record(at))).unwrap();
            let mut first = (1..=log.entries.len()).map(|at| log.record(at)).find(|record| made(record).is_some()).unwrap();
            let by = key_of(log, actor);
            if let Fact::Trust(fact) = &mut first.fact
                && let Deed::KeyCreated(key) = &mut fact.deed
            {
                (key.number, key.id, fact.by) = (last + 1, KeyId::from_bytes([0xee; 8]), By::Key(by));
            }
            Record { actor: Actor::Key(by), ..record(log, first.fact, Vec::new()) }
        });
    }
    check_added(Class::Keys, |log| {
        let by = key_of(log, |holder| *holder == Holder::Citizen(member(0)));
        let deed = Deed::Noted(Box::new(lab3_trust::Note {
            did: lab3_units::Did::parse("did:web:example.org").unwrap(),
            url: "https://example.org/.well-known/did.json".into(),
            document: [0; 32],
            keys: Vec::new(),
        }));
        let fact = Fact::Trust(Box::new(lab3_trust::Fact { by: By::Key(by), deed }));
        Record { actor: Actor::Key(by), ..record(log, fact, Vec::new()) }
    });
}

fn made(record: &Record) -> Option<u32> {
    let Fact::Trust(fact) = &record.fact else { return None };
    match &fact.deed {
        Deed::KeyCreated(made) => Some(made.number),
        Deed::KeyRotated { number, .. } => Some(*number),
        _ => None,
    }
}

#[test]
fn nobody_who_has_a_key_pays_without_it() {
    let told = check_added(Class::Signatures, |log| Record { signed: None, ..record(log, TRANSFERRED, paid(log, 0, 1, 1000)) });
    assert!(told.contains("without its signature"), "{told}");
    let told = check_added(Class::Signatures, |log| {
        let entries = [paid(log, 0, 1, 1000), paid(log, 0, 2, 7)].concat();
        record(log, TRANSFERRED, entries)
    });
    assert!(told.contains("more was paid"), "{told}");
}
