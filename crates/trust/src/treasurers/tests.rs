//! What takes how many signatures; freezes and policy, which take them too.

use lab3_units::{Amount, Id};

use super::*;
use crate::testing::{ALICE, BOB, Hive, did, told};
use crate::{
    Act, ChangePolicy, Freeze, HiveName, Holder, Inscription, Intent, PolicyLines, SealedBy, Thaw, Verified, check_intent,
    check_not_frozen, check_unsigned,
};

fn key(secret: u8) -> PublicKey {
    PublicKey::of_secret(&[secret; 32])
}

fn treasurer(secret: u8) -> Did {
    key(secret).to_did().unwrap()
}

fn statement(act: Act) -> Statement {
    let (journal, id) = (Id::from_bytes([1; 16]), Id::from_bytes([2; 16]));
    Statement { hive: HiveName::parse("Mill").unwrap(), journal, id, not_after: Time::parse("2026-11-30T00:00:00Z").unwrap(), act }
}

fn approved(act: Act, secrets: &[u8]) -> Verified<Approval> {
    let statement = statement(act);
    let sign = |secret: &u8| {
        let signature = Signature::sign(&[*secret; 32], statement.text().as_bytes());
        Countersign { treasurer: treasurer(*secret), key: key(*secret), signature }
    };
    let signatures = secrets.iter().map(sign).collect();
    Approval { not_after: statement.not_after, signatures }.verify(&statement).unwrap()
}

fn lines() -> PolicyLines {
    PolicyLines::new([("finance.fee", "0.002")]).unwrap()
}

fn policy(secrets: &[u8]) -> crate::Command {
    ChangePolicy { lines: lines(), approval: Some(approved(Act::Policy(lines()), secrets)) }.into()
}

fn refused<T>(code: Code, field: &str) -> Result<T, (Code, String)> {
    Err((code, field.to_owned()))
}

/// A Hive whose treasurers are those of the secrets 1, 2 and 3, of whom two are needed.
fn governed() -> (Hive, Principal) {
    let (mut hive, operator) = Hive::new();
    let treasurers = Treasurers::new(2, [1, 2, 3].map(treasurer)).unwrap();
    hive.run(&operator, NameTreasurers { treasurers, approval: None }).unwrap();
    (hive, operator)
}

#[test]
fn without_treasurers_the_operator_decides() {
    let (mut hive, operator) = Hive::new();
    hive.run(&operator, ChangePolicy { lines: lines(), approval: None }).unwrap();
    assert_eq!(hive.state.policy("finance.fee"), Some("0.002"));
    assert_eq!(told(hive.run(&operator, policy(&[1, 2]))), refused(Code::INTENT_INVALID, "intent"));
    // A treasurer's key that was made before its holder was named reads, and decides nothing.
    let early = hive.make(&operator, Holder::Treasurer(treasurer(1))).unwrap();
    assert_eq!(told(hive.run(&early, ChangePolicy { lines: lines(), approval: None })), refused(Code::NOT_ALLOWED, ""));
    let freeze = Freeze { citizen: did(ALICE), hours: 1, reason: "x".into(), approval: None };
    assert_eq!(told(hive.run(&early, freeze)), refused(Code::NOT_ALLOWED, ""));
    hive.verify();
}

#[test]
fn with_treasurers_enough_of_them_sign() {
    let check = |secrets: &[u8], expected: Result<(), (Code, String)>| {
        let (mut hive, operator) = governed();
        assert_eq!(told(hive.run(&operator, policy(secrets))).map(|_| ()), expected, "{secrets:?}");
        hive.verify();
    };
    check(&[1, 2], Ok(()));
    check(&[3, 1, 2], Ok(()));
    check(&[1], refused(Code::INTENT_INVALID, "intent"));
    check(&[1, 1], refused(Code::INTENT_INVALID, "intent"));
    check(&[1, 4], refused(Code::INTENT_INVALID, "intent"));
    check(&[1, 2, 4], refused(Code::INTENT_INVALID, "intent"));
    check(&[], refused(Code::INTENT_INVALID, "intent"));
    let (mut hive, operator) = governed();
    assert_eq!(told(hive.run(&operator, ChangePolicy { lines: lines(), approval: None })), refused(Code::INTENT_MISSING, "intent"));
    hive.pass_hours(24 * 40);
    assert_eq!(told(hive.run(&operator, policy(&[1, 2]))), refused(Code::INTENT_INVALID, "intent"));
}

#[test]
fn one_key_under_two_names_counts_once() {
    let (mut hive, operator) = Hive::new();
    let web = did("did:web:example.org");
    let note =
        crate::Note { did: web.clone(), url: "https://example.org/.well-known/did.json".into(), document: [0; 32], keys: vec![key(1)] };
    hive.run(&operator, note).unwrap();
    let treasurers = Treasurers::new(2, [treasurer(1), web.clone()]).unwrap();
    hive.run(&operator, NameTreasurers { treasurers, approval: None }).unwrap();
    let mut approval = approved(Act::Policy(lines()), &[1, 1]).into_inner();
    approval.signatures[1].treasurer = web;
    let approval = Some(approval.verify(&statement(Act::Policy(lines()))).unwrap());
    assert_eq!(told(hive.run(&operator, ChangePolicy { lines: lines(), approval })), refused(Code::INTENT_INVALID, "intent"));
}

#[test]
fn treasurers_name_those_who_follow_them() {
    let (mut hive, operator) = governed();
    let next = Treasurers::new(1, [treasurer(4)]).unwrap();
    let name = |approval| NameTreasurers { treasurers: next.clone(), approval };
    assert_eq!(told(hive.run(&operator, name(None))), refused(Code::INTENT_MISSING, "intent"));
    let keyless = Treasurers::new(1, [did(ALICE)]).unwrap();
    let command = NameTreasurers { treasurers: keyless.clone(), approval: Some(approved(Act::Treasurers(keyless), &[1, 2])) };
    assert_eq!(told(hive.run(&operator, command)), refused(Code::FIELD_RANGE, "treasurers"));
    hive.run(&operator, name(Some(approved(Act::Treasurers(next.clone()), &[1, 2])))).unwrap();
    assert_eq!(told(hive.run(&operator, policy(&[1, 2]))), refused(Code::INTENT_INVALID, "intent"));
    hive.run(&operator, policy(&[4])).unwrap();
    for (needed, members) in [(0, 1), (2, 1), (1, 33)] {
        let members = (0..members).map(|number| did(&format!("did:kaizen:{number}")));
        assert_eq!(Treasurers::new(needed, members).map_err(|problem| problem.code()), Err(Code::FIELD_RANGE));
    }
    hive.verify();
}

#[test]
fn a_freeze_ends_and_has_a_pause() {
    let (mut hive, operator) = governed();
    let alice = did(ALICE);
    let freeze = |hours, reason: &str, approval| Freeze { citizen: did(ALICE), hours, reason: reason.into(), approval };
    for (hours, reason, field) in [(0, "x", "hours"), (73, "x", "hours"), (1, " ", "reason"), (1, "a\nb", "reason")] {
        assert_eq!(told(hive.run(&operator, freeze(hours, reason, None))), refused(Code::FIELD_RANGE, field));
    }
    hive.run(&operator, freeze(72, "stolen", None)).unwrap();
    let frozen = |hive: &Hive| check_not_frozen(&hive.state, hive.now, &alice).map_err(|problem| problem.code());
    assert_eq!(frozen(&hive), Err(Code::ACCOUNT_FROZEN));
    assert_eq!(told(hive.run(&operator, freeze(1, "again", None))), refused(Code::STANDING, "citizen_did"));
    // Treasurers need not wait for its end, but do not shorten it.
    let stolen = |hours| Act::Freeze { citizen: alice.clone(), hours, reason: "stolen".into() };
    assert_eq!(
        told(hive.run(&operator, freeze(72, "stolen", Some(approved(stolen(72), &[1, 2]))))),
        refused(Code::STANDING, "citizen_did")
    );
    hive.pass_hours(1);
    assert_eq!(
        told(hive.run(&operator, freeze(71, "stolen", Some(approved(stolen(71), &[1, 2]))))),
        refused(Code::STANDING, "citizen_did")
    );
    hive.run(&Principal::Nobody, freeze(72, "stolen", Some(approved(stolen(72), &[1, 2])))).unwrap();
    hive.pass_hours(72);
    assert_eq!(frozen(&hive), Ok(()));
    hive.pass_hours(23);
    assert_eq!(told(hive.run(&operator, freeze(1, "again", None))), refused(Code::STANDING, "citizen_did"));
    let act = Act::Freeze { citizen: alice.clone(), hours: 1, reason: "again".into() };
    let one = freeze(1, "again", Some(approved(act.clone(), &[1])));
    assert_eq!(told(hive.run(&operator, one)), refused(Code::INTENT_INVALID, "intent"));
    hive.run(&operator, freeze(1, "again", Some(approved(act, &[1, 2])))).unwrap();
    let thaw = || Thaw { citizen: did(ALICE), reason: "found".into() };
    hive.run(&operator, thaw()).unwrap();
    assert_eq!(frozen(&hive), Ok(()));
    assert_eq!(told(hive.run(&operator, thaw())), refused(Code::STANDING, "citizen_did"));
    hive.pass_hours(24);
    let bearer = hive.make(&operator, Holder::Treasurer(treasurer(1))).unwrap();
    assert_eq!(told(hive.run(&bearer, freeze(1, "alone", None))), refused(Code::INTENT_MISSING, "intent"));
    hive.run(&operator, freeze(1, "third", None)).unwrap();
    hive.verify();
}

#[test]
fn what_is_done_once_is_not_done_twice() {
    let mut hive = Hive::open();
    let inscription = Inscription { hive: HiveName::parse("Mill").unwrap(), journal: Id::from_bytes([1; 16]), log_key: [2; 32] };
    hive.run(&Principal::Desk, inscription.clone()).unwrap();
    assert_eq!(told(hive.run(&Principal::Local, inscription.clone())), refused(Code::STANDING, ""));
    assert!(hive.state.is_open());
    hive.run(&Principal::Local, SealedBy::Command).unwrap();
    assert!(!hive.state.is_open());
    assert_eq!(told(hive.run(&Principal::Local, SealedBy::Secret)), refused(Code::UNNAMED, "Authorization"));
    assert_eq!(told(hive.run(&Principal::Desk, SealedBy::Secret)), refused(Code::STANDING, ""));
    assert_eq!(hive.state.inscription(), Some(&inscription));
    hive.verify();
}

#[test]
fn an_intent_holds_for_its_text_key_time_and_fee() {
    let pay =
        |fee_max| Act::Transfer { from: treasurer(1), to: did(BOB), amount: Amount::new(5), fee_max: Amount::new(fee_max), memo: None };
    let text = statement(pay(10));
    let intent = |secret: u8, fee_max| Intent {
        not_after: text.not_after,
        fee_max: Amount::new(fee_max),
        key: key(secret),
        signature: Signature::sign(&[secret; 32], text.text().as_bytes()),
    };
    let other_fee = intent(1, 11).verify(&text);
    assert_eq!(told(other_fee), refused(Code::INTENT_INVALID, "intent"));
    assert_eq!(told(intent(1, 11).verify(&statement(pay(11)))), refused(Code::INTENT_INVALID, "intent"));
    let elsewhere = Statement { journal: Id::from_bytes([9; 16]), ..text.clone() };
    assert_eq!(told(intent(1, 10).verify(&elsewhere)), refused(Code::INTENT_INVALID, "intent"));
    let later = Intent { not_after: Time::from_millis(i64::MAX), ..intent(1, 10) };
    assert_eq!(told(later.clone().verify(&text)), refused(Code::INTENT_INVALID, "intent"));
    // A time without a spelling: its text would be another time's.
    let spelt = Statement { not_after: later.not_after, ..text.clone() };
    let signature = Signature::sign(&[1; 32], spelt.text().as_bytes());
    assert_eq!(told(Intent { signature, ..later }.verify(&spelt)), refused(Code::INTENT_INVALID, "intent"));
    let (hive, now) = (Hive::open(), text.not_after);
    let check = |secret, now, fee| {
        let intent = intent(secret, 10).verify(&text).unwrap();
        check_intent(&hive.state, now, &treasurer(1), &intent, Amount::new(fee)).map_err(|problem| problem.code())
    };
    assert_eq!(check(1, now, 10), Ok(()));
    assert_eq!(check(1, now, 11), Err(Code::INTENT_INVALID));
    assert_eq!(check(1, now.after(lab3_units::Duration::from_millis(1)), 10), Err(Code::INTENT_INVALID));
    assert_eq!(check(2, now, 10), Err(Code::INTENT_INVALID));
}

#[test]
fn small_sums_go_unsigned_until_there_is_a_key() {
    let check = |hive: &Hive, from: &Did, amount| {
        check_unsigned(&hive.state, from, Amount::new(amount), Amount::new(1_000_000)).map_err(|problem| problem.code())
    };
    let (closed, _) = Hive::new();
    assert_eq!(check(&closed, &did(ALICE), 1_000_000), Ok(()));
    assert_eq!(check(&closed, &did(ALICE), 1_000_001), Err(Code::INTENT_MISSING));
    assert_eq!(check(&closed, &treasurer(1), 1), Err(Code::INTENT_MISSING));
    assert_eq!(check(&Hive::open(), &treasurer(1), i64::MAX), Ok(()));
}

#[test]
fn a_treasurer_who_signs_is_a_citizen_too() {
    let (hive, _) = governed();
    let signing = |secret| Principal::Signed { did: treasurer(secret), key: key(secret) };
    let pay = Rule::new(&[Kind::Citizen, Kind::Treasurer], Scope::Money, Owned::Citizen);
    let mint = Rule::new(&[Kind::Citizen, Kind::Treasurer], Scope::Mint, Owned::Hive);
    for (secret, may_mint) in [(1, Ok(())), (4, Err(Code::NOT_ALLOWED))] {
        assert_eq!(hive.judge(&signing(secret), pay, &Touched::Citizen(&treasurer(secret))), Ok(()));
        assert_eq!(hive.judge(&signing(secret), pay, &Touched::Citizen(&did(BOB))), Err(Code::NOT_ALLOWED));
        assert_eq!(hive.judge(&signing(secret), mint, &Touched::Hive), may_mint);
    }
}
