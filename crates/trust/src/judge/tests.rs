//! Who may do what to whose, cell by cell.

use lab3_units::{Amount, Code};

use crate::testing::{ALICE, BOB, Hive, citizen, did, signing};
use crate::{CreateKey, Holder, Kind, Owned, Principal, Rule, Scope, Scopes, Touched};

const READ: Rule = Rule::new(&[Kind::Operator, Kind::Citizen, Kind::Service, Kind::Auditor], Scope::Read, Owned::Citizen);
const PAY: Rule = Rule::new(&[Kind::Citizen, Kind::Operator], Scope::Money, Owned::Citizen);
const ALLOCATE: Rule = Rule::new(&[Kind::Citizen, Kind::Service, Kind::Operator], Scope::Compute, Owned::Citizen);
const SETTLE: Rule = Rule::new(&[Kind::Citizen, Kind::Service, Kind::Operator], Scope::Compute, Owned::Opened);
const BACKUP: Rule = Rule::new(&[Kind::Operator], Scope::Backup, Owned::Hive);
const METRICS: Rule = Rule::new(&[Kind::Operator, Kind::Auditor], Scope::Metrics, Owned::Hive);
const POOL: Rule = Rule::new(&Kind::ALL, Scope::Read, Owned::Nobody);
const APPEND: Rule = Rule::new(&[Kind::Meter, Kind::Operator], Scope::Meter, Owned::Meter);
const READ_OFF: Rule = Rule::new(&[Kind::Meter], Scope::Meter, Owned::Meter).or(&[Kind::Steward, Kind::Operator], Scope::Module);
const TEND: Rule = Rule::new(&[Kind::Steward, Kind::Operator], Scope::Module, Owned::Module);

/// Passes, is not allowed, or is nobody.
const OK: Result<(), Code> = Ok(());
const NO: Result<(), Code> = Err(Code::NOT_ALLOWED);
const WHO: Result<(), Code> = Err(Code::UNNAMED);

/// One principal of each sort, in a closed Hive: key 1 is the operator's, 3 and 4 are services' (3 acts for alice).
fn people() -> (Hive, Vec<(&'static str, Principal)>) {
    let mut hive = Hive::open();
    let local = Principal::Local;
    let all = CreateKey { scopes: Kind::Operator.widest(), ..hive.asking(Holder::Operator) };
    let alice = CreateKey { holder: citizen(ALICE), scopes: Kind::Citizen.widest(), ..hive.asking(citizen(ALICE)) };
    // Citizens' keys that move money are made while the Hive is open, or by themselves: here both stand in one step.
    let fact = |number: u32, command: CreateKey| {
        let CreateKey { id, hash, holder, scopes, expires, note, citizens } = command;
        let made = crate::KeyCreated { number, id, hash, holder, scopes, expires, note, citizens };
        crate::Fact { by: crate::By::Local, deed: crate::Deed::KeyCreated(Box::new(made)) }
    };
    hive.state.apply(hive.now, &fact(1, all));
    hive.state.apply(hive.now, &fact(2, alice));
    let operator = hive.bearer(1);
    let service = || Holder::Service { daily_cap: Amount::new(1000) };
    let lab2 = CreateKey { citizens: vec![did(ALICE)], ..hive.asking(service()) };
    let lab2 = hive.create(&operator, lab2).unwrap();
    let other = hive.make(&operator, service()).unwrap();
    let people = vec![
        ("nobody", Principal::Nobody),
        ("local", local),
        ("operator", operator.clone()),
        ("alice", hive.bearer(2)),
        ("signer", signing(1)),
        ("lab2", lab2),
        ("service", other),
        ("steward", hive.make(&operator, Holder::Steward { module: "energy".into() }).unwrap()),
        ("treasurer", hive.make(&operator, Holder::Treasurer(did(ALICE))).unwrap()),
        ("auditor", hive.make(&operator, Holder::Auditor).unwrap()),
        ("meter", hive.make(&operator, Holder::Meter { meter: "roof".into() }).unwrap()),
        ("witness", hive.make(&operator, Holder::Witness { name: "hive.example".into() }).unwrap()),
    ];
    (hive, people)
}

/// All but those named are refused; nobody and local, on a closed Hive, for not being named.
fn check(rule: Rule, touched: &Touched<'_>, pass: &[&str]) {
    let (hive, people) = people();
    for (name, principal) in people {
        let expected = match name {
            name if pass.contains(&name) => OK,
            "nobody" | "local" => WHO,
            _ => NO,
        };
        assert_eq!(hive.judge(&principal, rule, touched), expected, "{name} {rule:?} {touched:?}");
    }
}

#[test]
fn whose_is_what() {
    let (alice, bob, signer) = (did(ALICE), did(BOB), signing(1).did().unwrap().clone());
    check(READ, &Touched::Citizen(&alice), &["operator", "alice", "lab2", "auditor"]);
    check(READ, &Touched::Citizen(&bob), &["operator", "auditor"]);
    check(READ, &Touched::Citizen(&signer), &["operator", "signer", "auditor"]);
    check(READ, &Touched::Missing, &["operator", "auditor"]);
    check(PAY, &Touched::Citizen(&alice), &["alice"]);
    check(PAY, &Touched::Citizen(&bob), &[]);
    check(PAY, &Touched::Citizen(&signer), &["signer"]);
    check(ALLOCATE, &Touched::Citizen(&alice), &["alice", "lab2"]);
    check(ALLOCATE, &Touched::Citizen(&bob), &[]);
    check(BACKUP, &Touched::Hive, &["operator"]);
    check(METRICS, &Touched::Hive, &["operator", "auditor"]);
    check(APPEND, &Touched::Meter("roof"), &["meter"]);
    check(APPEND, &Touched::Meter("cellar"), &[]);
    check(READ_OFF, &Touched::Meter("roof"), &["meter"]);
    check(READ_OFF, &Touched::Meter("cellar"), &[]);
    check(READ_OFF, &Touched::Module("energy"), &["operator", "steward"]);
    check(READ_OFF, &Touched::Module("labor"), &["operator"]);
    check(TEND, &Touched::Module("energy"), &["operator", "steward"]);
    check(TEND, &Touched::Module("labor"), &["operator"]);
    check(POOL, &Touched::Nothing, &["operator", "alice", "signer", "lab2", "service", "steward", "treasurer", "auditor"]);
    let everybody: Vec<&str> = people().1.iter().map(|(name, _)| *name).collect();
    check(Rule::PUBLIC, &Touched::Nothing, &everybody);
}

#[test]
fn a_service_settles_what_it_opened() {
    let (alice, bob) = (did(ALICE), did(BOB));
    let opened = |citizen, by| Touched::Opened { citizen, by };
    check(SETTLE, &opened(&alice, Some(3)), &["lab2"]);
    check(SETTLE, &opened(&alice, Some(4)), &[]);
    check(SETTLE, &opened(&alice, Some(99)), &["alice"]);
    check(SETTLE, &opened(&alice, None), &["alice"]);
    check(SETTLE, &opened(&bob, Some(3)), &[]);
    check(SETTLE, &Touched::Missing, &[]);
}

#[test]
fn what_another_owns_and_what_is_not_there_sound_alike() {
    let (hive, people) = people();
    let bob = did(BOB);
    for (name, principal) in people.iter().filter(|(name, _)| !["operator", "auditor"].contains(name)) {
        let words = |touched| crate::judge(&hive.state, hive.now, principal, &READ, &touched).unwrap_err();
        assert_eq!(words(Touched::Citizen(&bob)), words(Touched::Missing), "{name}");
    }
}

#[test]
fn an_open_hive_lets_local_do_everything() {
    let hive = Hive::open();
    let alice = did(ALICE);
    for (rule, touched) in [(PAY, Touched::Citizen(&alice)), (BACKUP, Touched::Hive), (READ, Touched::Missing)] {
        assert_eq!(hive.judge(&Principal::Local, rule, &touched), OK);
        assert_eq!(hive.judge(&Principal::Nobody, rule, &touched), WHO);
    }
}

#[test]
fn a_touched_thing_the_rule_does_not_speak_of_is_refused_to_all() {
    let (hive, people) = people();
    let alice = did(ALICE);
    for (name, principal) in [("local", Principal::Local)].into_iter().chain(people) {
        for touched in [Touched::Nothing, Touched::Hive, Touched::Meter("roof"), Touched::Key(1)] {
            assert_eq!(hive.judge(&principal, PAY, &touched), Err(Code::INTERNAL), "{name}");
        }
        assert_eq!(hive.judge(&principal, Rule::PUBLIC, &Touched::Citizen(&alice)), Err(Code::INTERNAL));
    }
    assert_eq!(Hive::open().judge(&Principal::Local, PAY, &Touched::Nothing), Err(Code::INTERNAL));
}

#[test]
fn a_key_that_is_gone_or_narrow_passes_nowhere() {
    let (mut hive, _) = people();
    let operator = hive.bearer(1);
    let alice = did(ALICE);
    let reads = hive.make_with(&operator, citizen(ALICE), Scopes::of(&[Scope::Read])).unwrap();
    assert_eq!(hive.judge(&reads, READ, &Touched::Citizen(&alice)), OK);
    assert_eq!(hive.judge(&reads, ALLOCATE, &Touched::Citizen(&alice)), NO);
    let Principal::Key(bearer) = &reads else { panic!() };
    let number = bearer.number;
    hive.run(&operator, crate::RevokeKey { number, reason: "".into() }).unwrap();
    assert_eq!(hive.judge(&reads, READ, &Touched::Citizen(&alice)), Err(Code::KEY_INVALID));
    // What the server made of a request does not count, only what the journal has.
    let forged = Principal::Key(crate::Bearer { number: 99, ..bearer.clone() });
    assert_eq!(hive.judge(&forged, READ, &Touched::Citizen(&alice)), WHO);
    let Principal::Signed { key, .. } = signing(1) else { panic!() };
    let stolen = Principal::Signed { did: alice.clone(), key };
    assert_eq!(hive.judge(&stolen, READ, &Touched::Citizen(&alice)), Err(Code::KEY_INVALID));
}

#[test]
fn a_rotated_service_settles_what_its_old_key_opened() {
    let (mut hive, _) = people();
    let (lab2, alice) = (hive.bearer(3), did(ALICE));
    let key = crate::testing::text(Kind::Service, hive.state.next_number());
    let command = crate::RotateKey { number: 3, id: key.id(), hash: key.hash(), overlap: None };
    hive.run(&lab2, command).unwrap();
    let new = hive.bearer(hive.state.next_number() - 1);
    assert_eq!(hive.judge(&new, SETTLE, &Touched::Opened { citizen: &alice, by: Some(3) }), OK);
    assert_eq!(hive.judge(&new, ALLOCATE, &Touched::Citizen(&alice)), OK);
}

#[test]
fn a_service_holds_no_more_than_its_cap_in_a_day() {
    let (mut hive, _) = people();
    let left = |hive: &Hive, number| hive.state.left_today(number, hive.now).map(Amount::units);
    assert_eq!((left(&hive, 3), left(&hive, 2)), (Some(1000), None));
    hive.state.count_held(hive.now, 3, Amount::new(700));
    hive.state.count_held(hive.now, 2, Amount::new(700));
    assert_eq!((left(&hive, 3), left(&hive, 4)), (Some(300), Some(1000)));
    hive.state.count_held(hive.now, 3, Amount::new(700));
    assert_eq!(left(&hive, 3), Some(0));
    hive.pass_hours(24);
    assert_eq!(left(&hive, 3), Some(1000));
}

#[test]
fn delegations_come_and_go() {
    let (mut hive, _) = people();
    let (operator, alice_key, lab2) = (hive.bearer(1), hive.bearer(2), hive.bearer(3));
    let (alice, bob) = (did(ALICE), did(BOB));
    let delegate = |service, citizen: &lab3_units::Did, on| crate::Delegate { service, citizen: citizen.clone(), on };
    let code = |outcome: Result<crate::Deed, lab3_units::Problem>| outcome.map(|_| ()).map_err(|problem| problem.code());
    assert_eq!(code(hive.run(&lab2, delegate(3, &bob, true))), NO);
    assert_eq!(code(hive.run(&alice_key, delegate(3, &bob, true))), NO);
    assert_eq!(code(hive.run(&operator, delegate(3, &bob, true))), OK);
    assert_eq!(code(hive.run(&operator, delegate(3, &bob, true))), Err(Code::STANDING));
    assert_eq!(code(hive.run(&operator, delegate(2, &bob, true))), Err(Code::KEY_UNKNOWN));
    assert_eq!(hive.state.citizens_of(3), [ALICE, BOB]);
    assert_eq!(code(hive.run(&alice_key, delegate(3, &alice, false))), OK);
    assert_eq!(code(hive.run(&alice_key, delegate(3, &alice, false))), Err(Code::STANDING));
    assert_eq!(hive.judge(&lab2, ALLOCATE, &Touched::Citizen(&alice)), NO);
    assert_eq!(hive.judge(&lab2, ALLOCATE, &Touched::Citizen(&bob)), OK);
}
