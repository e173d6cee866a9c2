//! Random histories of who decides: once there are treasurers, nothing is decided without enough of those who are treasurers then, whoever asks
//! and whichever keys he knows; and they change only so.

use lab3_units::{Code, Did, Id};
use proptest::prelude::*;

use crate::testing::{ALICE, Hive, did, signing};
use crate::{
    Act, Approval, By, ChangePolicy, Countersign, Deed, Freeze, HiveName, Holder, NameTreasurers, PolicyLines, Principal, PublicKey,
    Signature, Statement, Treasurers, Verified, check_approval,
};

/// People by their secrets, 1 to 6, each with the key in his name.
fn person(secret: u8) -> Did {
    PublicKey::of_secret(&[secret; 32]).to_did().unwrap()
}

/// What these sign, each as many times as it stands there; the last, if so wanted, in another's name.
fn signed(hive: &Hive, act: Act, secrets: &[u8], borrowed: bool) -> Option<Verified<Approval>> {
    let not_after = hive.now;
    let statement =
        Statement { hive: HiveName::parse("Mill").unwrap(), journal: Id::from_bytes([1; 16]), id: Id::from_bytes([2; 16]), not_after, act };
    let text = statement.text();
    let sign = |(at, &secret): (usize, &u8)| {
        let name = if borrowed && at + 1 == secrets.len() { secret % 6 + 1 } else { secret };
        let key = PublicKey::of_secret(&[secret; 32]);
        Countersign { treasurer: person(name), key, signature: Signature::sign(&[secret; 32], text.as_bytes()) }
    };
    let signatures = secrets.iter().enumerate().map(sign).collect();
    (!secrets.is_empty()).then(|| Approval { not_after, signatures }.verify(&statement).unwrap())
}

/// Somebody asks for something, with these signatures.
#[derive(Clone, Debug)]
struct Step {
    asker: usize,
    what: usize,
    needed: u8,
    members: Vec<u8>,
    secrets: Vec<u8>,
    borrowed: bool,
}

fn steps() -> impl Strategy<Value = Step> {
    let people = |most| proptest::collection::vec(1..7_u8, 0..most);
    (0..5_usize, 0..4_usize, 1..4_u8, people(4), people(5), proptest::bool::weighted(0.1))
        .prop_map(|(asker, what, needed, members, secrets, borrowed)| Step { asker, what, needed, members, secrets, borrowed })
}

/// Whether these are enough, worked out apart from the rule: all of them treasurers, each once, each in his own name, and as many as needed.
fn enough(treasurers: &Treasurers, step: &Step) -> bool {
    let mut once = step.secrets.clone();
    once.sort_unstable();
    once.dedup();
    let all = step.secrets.iter().all(|secret| treasurers.iter().any(|did| *did == person(*secret)));
    !step.borrowed && all && once.len() == step.secrets.len() && once.len() >= usize::from(treasurers.needed())
}

fn asker(hive: &Hive, asker: usize) -> Principal {
    match asker {
        0 => Principal::Nobody,
        1 => Principal::Local,
        2 => Principal::Desk,
        3 => hive.bearer(1),
        _ => signing(1),
    }
}

fn take(hive: &mut Hive, step: &Step) {
    let before = hive.state.treasurers().cloned();
    let principal = asker(hive, step.asker);
    let done = match step.what {
        0 | 1 => {
            let Ok(treasurers) = Treasurers::new(step.needed, step.members.iter().map(|secret| person(*secret))) else { return };
            let approval = signed(hive, Act::Treasurers(treasurers.clone()), &step.secrets, step.borrowed);
            hive.run(&principal, NameTreasurers { treasurers, approval })
        }
        2 => {
            let lines = PolicyLines::new([("log.readers", "everybody")]).unwrap();
            let approval = signed(hive, Act::Policy(lines.clone()), &step.secrets, step.borrowed);
            hive.run(&principal, ChangePolicy { lines, approval })
        }
        _ => {
            let act = Act::Freeze { citizen: did(ALICE), hours: step.needed, reason: "x".into() };
            let approval = signed(hive, act, &step.secrets, step.borrowed);
            hive.run(&principal, Freeze { citizen: did(ALICE), hours: step.needed, reason: "x".into(), approval })
        }
    };
    let Ok(deed) = done else { return };
    let operators = matches!(step.asker, 3) && step.secrets.is_empty();
    match before {
        Some(treasurers) if !step.secrets.is_empty() => assert!(enough(&treasurers, step), "{step:?} of {treasurers:?}"),
        Some(_) => assert!(operators && matches!(deed, Deed::Frozen { .. }), "{step:?} without signatures"),
        None => assert!(operators, "{step:?} without treasurers"),
    }
}

/// New money and grants ask the same of the state, and have no other door.
fn check_money(hive: &Hive, step: &Step) {
    let Some(treasurers) = hive.state.treasurers() else { return };
    assert_eq!(check_approval(&hive.state, hive.now, None).map_err(|problem| problem.code()), Err(Code::INTENT_MISSING));
    let lines = PolicyLines::new([("a", "b")]).unwrap();
    if let Some(approval) = signed(hive, Act::Policy(lines), &step.secrets, step.borrowed) {
        let allowed = check_approval(&hive.state, hive.now, Some(&approval)).is_ok();
        assert_eq!(allowed, enough(treasurers, step), "{step:?} of {treasurers:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn once_there_are_treasurers_only_enough_of_them_decide(history in proptest::collection::vec(steps(), 1..24)) {
        let (mut hive, operator) = Hive::new();
        assert!(matches!(operator, Principal::Key(ref bearer) if bearer.holder == Holder::Operator));
        for step in &history {
            take(&mut hive, step);
            check_money(&hive, step);
        }
        hive.verify();
    }
}

#[test]
fn who_signed_first_is_said_to_have_acted() {
    let (mut hive, operator) = Hive::new();
    let treasurers = Treasurers::new(1, [person(1), person(2)]).unwrap();
    hive.run(&operator, NameTreasurers { treasurers, approval: None }).unwrap();
    let lines = PolicyLines::new([("log.readers", "everybody")]).unwrap();
    let approval = signed(&hive, Act::Policy(lines.clone()), &[2, 1], false);
    for brought in [&Principal::Nobody, &operator] {
        let command = ChangePolicy { lines: lines.clone(), approval: approval.clone() };
        let fact = crate::decide(&hive.desk(), brought, &command.into()).unwrap();
        assert_eq!(fact.by, By::Did(person(2)));
    }
}
