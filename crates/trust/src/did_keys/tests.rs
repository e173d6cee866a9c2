//! The life of a DID's keys, event by event.

use lab3_units::Time;

use super::*;
use crate::testing::{ALICE, Hive, citizen, did, signing, told};
use crate::{Act, Command, HiveName, Holder, Note, Scopes, Signature, Statement};

fn key(secret: u8) -> PublicKey {
    PublicKey::of_secret(&[secret; 32])
}

/// A change of alice's keys, signed with that secret.
fn signed(number: u32, change: Change, recovery: Option<u8>, secret: u8) -> Command {
    let event = DidKeyEvent { did: did(ALICE), number, change, recovery: recovery.map(|secret| recovery_hash(&key(secret))) };
    change_of(event, secret)
}

fn change_of(event: DidKeyEvent, secret: u8) -> Command {
    let not_after = Time::parse("2026-11-30T00:00:00Z").unwrap();
    let id = lab3_units::Id::from_bytes([1; 16]);
    let hive = HiveName::parse("Mill").unwrap();
    let statement = Statement { hive, journal: id, id, not_after, act: Act::DidKey(event.clone()) };
    let signature = Signature::sign(&[secret; 32], statement.text().as_bytes());
    let intent = Intent { not_after, fee_max: Amount::ZERO, key: key(secret), signature }.verify(&statement).unwrap();
    Command::ChangeDidKeys(Box::new(ChangeDidKeys { event, intent }))
}

fn refused<T>(code: Code, field: &str) -> Result<T, (Code, String)> {
    Err((code, field.to_owned()))
}

/// A Hive in which the operator answered for alice's first key, and nobody else need be named.
fn enrolled(recovery: Option<u8>) -> Hive {
    let (mut hive, operator) = Hive::new();
    hive.run(&operator, signed(1, Change::Add(key(1)), recovery, 1)).unwrap();
    hive
}

#[test]
fn a_did_grows_and_changes_its_keys() {
    let mut hive = enrolled(None);
    let mut check = |change, recovery, secret, expected: &[u8]| {
        let number = hive.state.next_event(&did(ALICE));
        hive.run(&Principal::Nobody, signed(number, change, recovery, secret)).unwrap();
        let keys: Vec<PublicKey> = expected.iter().map(|secret| key(*secret)).collect();
        assert_eq!(hive.state.keys_of(&did(ALICE)), keys);
        hive.verify();
    };
    check(Change::Add(key(2)), Some(9), 1, &[1, 2]);
    check(Change::Rotate { old: key(1), new: key(3) }, None, 2, &[2, 3]);
    check(Change::Revoke(key(2)), None, 2, &[3]);
    check(Change::Recover(key(4)), Some(10), 9, &[4]);
    check(Change::Recover(key(5)), None, 10, &[5]);
}

#[test]
fn what_cannot_be_is_refused() {
    let check = |change, recovery, secret, code, field: &str| {
        let mut hive = enrolled(Some(9));
        assert_eq!(told(hive.run(&Principal::Nobody, signed(2, change, recovery, secret))), refused(code, field), "{change:?}");
    };
    check(Change::Add(key(2)), None, 2, Code::INTENT_INVALID, "intent");
    check(Change::Add(key(2)), None, 9, Code::INTENT_INVALID, "intent");
    check(Change::Add(key(1)), None, 1, Code::FIELD_RANGE, "key");
    check(Change::Revoke(key(1)), None, 1, Code::FIELD_RANGE, "old");
    check(Change::Revoke(key(2)), None, 1, Code::FIELD_RANGE, "old");
    check(Change::Rotate { old: key(2), new: key(3) }, None, 1, Code::FIELD_RANGE, "old");
    check(Change::Rotate { old: key(1), new: key(1) }, None, 1, Code::FIELD_RANGE, "key");
    check(Change::Add(key(2)), Some(8), 1, Code::FIELD_RANGE, "recovery");
    check(Change::Recover(key(2)), None, 1, Code::INTENT_INVALID, "intent");
    check(Change::Recover(key(2)), None, 2, Code::INTENT_INVALID, "intent");
    let mut hive = enrolled(None);
    assert_eq!(told(hive.run(&Principal::Nobody, signed(2, Change::Recover(key(2)), None, 2))), refused(Code::INTENT_INVALID, "intent"));
    for number in [0, 1, 3] {
        let again = signed(number, Change::Add(key(2)), None, 1);
        assert_eq!(told(hive.run(&Principal::Nobody, again)), refused(Code::STANDING, "event"));
    }
    for more in 2..=16 {
        hive.run(&Principal::Nobody, signed(u32::from(more), Change::Add(key(more)), None, 1)).unwrap();
    }
    assert_eq!(told(hive.run(&Principal::Nobody, signed(17, Change::Add(key(17)), None, 1))), refused(Code::FIELD_RANGE, "key"));
    hive.pass_hours(24 * 365);
    assert_eq!(told(hive.run(&Principal::Nobody, signed(17, Change::Revoke(key(2)), None, 1))), refused(Code::INTENT_INVALID, "intent"));
}

#[test]
fn somebody_answers_for_the_first_key() {
    let first = || signed(1, Change::Add(key(1)), None, 1);
    let (mut hive, operator) = Hive::new();
    let reading = hive.make_with(&operator, citizen(ALICE), Scopes::of(&[Scope::Read, Scope::Keys])).unwrap();
    let steward = hive.make(&operator, Holder::Steward { module: "labor".into() }).unwrap();
    let auditor = hive.make(&operator, Holder::Auditor).unwrap();
    assert_eq!(told(hive.run(&Principal::Nobody, first())), refused(Code::UNNAMED, "Authorization"));
    for other in [&reading, &auditor, &signing(1)] {
        assert_eq!(told(hive.run(other, first())), refused(Code::NOT_ALLOWED, ""));
    }
    assert_eq!(told(hive.run(&operator, signed(1, Change::Add(key(1)), None, 2))), refused(Code::INTENT_INVALID, "intent"));
    assert_eq!(told(hive.run(&operator, signed(1, Change::Recover(key(1)), None, 1))), refused(Code::FIELD_RANGE, "change"));
    hive.run(&steward, first()).unwrap();
    assert!(hive.state.holds(&did(ALICE), &key(1)) && !hive.state.holds(&did(ALICE), &key(2)));
}

#[test]
fn the_operator_answers_for_nobody_who_can_pay_already() {
    let mut hive = Hive::open();
    let facts = |hive: &Hive, holder: Holder| hive.asking(holder);
    let alice = facts(&hive, citizen(ALICE));
    hive.create(&Principal::Local, alice).unwrap();
    let alice = hive.bearer(1);
    let operator = hive.make(&Principal::Desk, Holder::Operator).unwrap();
    let first = || signed(1, Change::Add(key(1)), None, 1);
    assert_eq!(told(hive.run(&operator, first())), refused(Code::NOT_ALLOWED, ""));
    hive.run(&alice, first()).unwrap();
    hive.verify();
}

#[test]
fn the_first_did_key_closes_the_open_hive() {
    let mut hive = Hive::open();
    hive.run(&Principal::Local, signed(1, Change::Add(key(1)), None, 1)).unwrap();
    assert!(!hive.state.is_open());
}

#[test]
fn other_methods_have_their_keys_elsewhere() {
    let (mut hive, operator) = Hive::new();
    for text in [signing(1).did().unwrap().as_str(), "did:key:z6Mkbroken", "did:web:example.org"] {
        let event = DidKeyEvent { did: did(text), number: 1, change: Change::Add(key(1)), recovery: None };
        assert_eq!(told(hive.run(&operator, change_of(event, 1))), refused(Code::FIELD_RANGE, "did"), "{text}");
    }
    let note = |text: &str, url: &str, keys: &[u8]| {
        let keys = keys.iter().map(|secret| key(*secret)).collect();
        Note { did: did(text), url: url.into(), document: [7; 32], keys }
    };
    let (web, url) = ("did:web:example.org", "https://example.org/.well-known/did.json");
    assert_eq!(told(hive.run(&operator, note(ALICE, url, &[1]))), refused(Code::FIELD_RANGE, "did"));
    assert_eq!(told(hive.run(&operator, note(web, "http://example.org/", &[1]))), refused(Code::FIELD_RANGE, "url"));
    assert_eq!(told(hive.run(&operator, note(web, "https://example.org/\n", &[1]))), refused(Code::FIELD_RANGE, "url"));
    assert_eq!(told(hive.run(&operator, note(web, url, &[1, 1]))), refused(Code::FIELD_RANGE, "keys"));
    assert_eq!(told(hive.run(&signing(1), note(web, url, &[1]))), refused(Code::NOT_ALLOWED, ""));
    hive.run(&operator, note(web, url, &[1, 2])).unwrap();
    assert_eq!(hive.state.keys_of(&did(web)), [key(1), key(2)]);
    assert_eq!(hive.state.note_of(&did(web)).map(|note| &*note.url), Some(url));
    hive.run(&operator, note(web, url, &[])).unwrap();
    assert!(hive.state.keys_of(&did(web)).is_empty());
    hive.verify();
}
