//! Random histories: whatever is asked by whom, nobody gets more than his maker had, and no key that the operator could know moves a
//! member's money.

mod treasury;

use std::collections::BTreeSet;

use lab3_units::{Amount, Code, Duration};
use proptest::prelude::*;

use crate::testing::{ALICE, BOB, Hive, did, signing, text};
use crate::{
    By, CreateKey, Delegate, Freeze, Holder, Kind, NameTreasurers, Owned, Principal, RevokeKey, RotateKey, Rule, Scope, Scopes, SealedBy,
    Touched, Treasurers,
};

/// Paying, as loose as a careless table could have it: every kind may come.
const PAY: Rule = Rule::new(&Kind::ALL, Scope::Money, Owned::Citizen);

/// One thing somebody tries. Numbers choose among what there is.
#[derive(Clone, Debug)]
enum Step {
    Create { actor: usize, kind: usize, whose: usize, scopes: u32, citizens: bool },
    Rotate { actor: usize, number: u32, overlap_hours: u32 },
    Revoke { actor: usize, number: u32 },
    Delegate { actor: usize, service: u32, whose: usize, on: bool },
    Freeze { actor: usize, whose: usize },
    Name { actor: usize },
    Seal { actor: usize },
    Wait { hours: i64 },
}

fn steps() -> impl Strategy<Value = Step> {
    let (actor, number) = (0..40_usize, 1..30_u32);
    let scopes = prop_oneof![Just(u32::MAX), any::<u32>(), (0..Scope::ALL.len()).prop_map(|bit| 1 << bit)];
    prop_oneof![
        6 => (actor.clone(), 0..8_usize, 0..5_usize, scopes, any::<bool>())
            .prop_map(|(actor, kind, whose, scopes, citizens)| Step::Create { actor, kind, whose, scopes, citizens }),
        4 => (actor.clone(), number.clone(), 0..48_u32).prop_map(|(actor, number, overlap_hours)| Step::Rotate { actor, number, overlap_hours }),
        1 => (actor.clone(), number.clone()).prop_map(|(actor, number)| Step::Revoke { actor, number }),
        1 => (actor.clone(), number, 0..5_usize, any::<bool>()).prop_map(|(actor, service, whose, on)| Step::Delegate { actor, service, whose, on }),
        1 => (actor.clone(), 0..5_usize).prop_map(|(actor, whose)| Step::Freeze { actor, whose }),
        1 => actor.clone().prop_map(|actor| Step::Name { actor }),
        1 => actor.prop_map(|actor| Step::Seal { actor }),
        1 => (0..30_i64).prop_map(|hours| Step::Wait { hours }),
    ]
}

/// A Hive, and the numbers of the keys whose secrets the operator knows or could have learned.
struct World {
    hive: Hive,
    known: BTreeSet<u32>,
}

impl World {
    fn citizen(whose: usize) -> lab3_units::Did {
        match whose {
            0 => did(ALICE),
            1 => did(BOB),
            secret => signing(u8::try_from(secret).unwrap()).did().unwrap().clone(),
        }
    }

    fn actor(&self, actor: usize) -> Principal {
        let keys = usize::try_from(self.hive.state.next_number()).unwrap() - 1;
        match actor {
            0 => Principal::Nobody,
            1 => Principal::Local,
            2 => Principal::Desk,
            3..=5 => signing(u8::try_from(actor - 1).unwrap()),
            _ if keys == 0 => Principal::Nobody,
            chosen => self.hive.bearer(u32::try_from((chosen - 6) % keys + 1).unwrap()),
        }
    }

    fn step(&mut self, step: &Step) {
        let hive = &mut self.hive;
        let before = hive.state.next_number();
        match step {
            Step::Create { actor, kind, whose, scopes, citizens } => {
                let principal = self.actor(*actor);
                let command = self.asking(*kind, *whose, *scopes, *citizens);
                let _ = self.hive.run(&principal, command);
            }
            Step::Rotate { actor, number, overlap_hours } => {
                let key = text(Kind::Citizen, before);
                let overlap = Some(Duration::from_secs(overlap_hours * 3600));
                let principal = self.actor(*actor);
                let _ = self.hive.run(&principal, RotateKey { number: number % before + 1, id: key.id(), hash: key.hash(), overlap });
            }
            Step::Revoke { actor, number } => {
                let principal = self.actor(*actor);
                let _ = self.hive.run(&principal, RevokeKey { number: number % before + 1, reason: "".into() });
            }
            Step::Delegate { actor, service, whose, on } => {
                let principal = self.actor(*actor);
                let _ = self.hive.run(&principal, Delegate { service: service % before + 1, citizen: Self::citizen(*whose), on: *on });
            }
            Step::Freeze { actor, whose } => {
                let principal = self.actor(*actor);
                let freeze = Freeze { citizen: Self::citizen(*whose), hours: 1, reason: "x".into(), approval: None };
                let _ = self.hive.run(&principal, freeze);
            }
            Step::Name { actor } => {
                let principal = self.actor(*actor);
                let treasurers = Treasurers::new(1, [Self::citizen(2)]).unwrap();
                let _ = self.hive.run(&principal, NameTreasurers { treasurers, approval: None });
            }
            Step::Seal { actor } => {
                let principal = self.actor(*actor);
                let _ = self.hive.run(&principal, SealedBy::Command);
            }
            Step::Wait { hours } => hive.pass_hours(*hours),
        }
        if self.hive.state.next_number() > before {
            self.check_made(before);
        }
    }

    fn asking(&self, kind: usize, whose: usize, scopes: u32, citizens: bool) -> CreateKey {
        let holder = match Kind::ALL[kind] {
            Kind::Operator => Holder::Operator,
            Kind::Citizen => Holder::Citizen(Self::citizen(whose)),
            Kind::Service => Holder::Service { daily_cap: Amount::new(1) },
            Kind::Steward => Holder::Steward { module: "energy".into() },
            Kind::Treasurer => Holder::Treasurer(Self::citizen(whose)),
            Kind::Auditor => Holder::Auditor,
            Kind::Meter => Holder::Meter { meter: "roof".into() },
            Kind::Witness => Holder::Witness { name: "w".into() },
        };
        // Mostly what the kind can have, now and then what it cannot.
        let chosen = Scope::ALL.iter().filter(|scope| scopes >> **scope as u32 & 1 == 1).fold(Scopes::NONE, |set, scope| set.with(*scope));
        let scopes = if citizens { chosen } else { chosen.both(holder.kind().widest()) };
        let citizens = if holder.kind() == Kind::Service { vec![did(ALICE)] } else { Vec::new() };
        CreateKey { scopes, citizens, ..self.hive.asking(holder) }
    }

    /// The key that was just made has no more than its maker had, or than the key it replaces when that replaced itself.
    fn check_made(&mut self, number: u32) {
        let key = self.hive.state.key(number).unwrap().clone();
        let old = self.hive.state.keys().find(|old| old.rotated.is_some_and(|rotated| rotated.to == number));
        let maker = match &key.by {
            By::Desk => Kind::Operator.widest(),
            By::Local => Scopes::ALL,
            By::Key(maker) => self.hive.state.key(*maker).unwrap().scopes,
            By::Did(_) => Kind::Citizen.widest(),
        };
        assert!(key.scopes.is_within(maker), "{key:?}");
        assert!(key.scopes.is_within(key.holder.kind().widest()), "{key:?}");
        assert!(old.is_none_or(|old| (&old.holder, old.scopes, old.expires) == (&key.holder, key.scopes, key.expires)));
        let operators = matches!(key.holder, Holder::Operator);
        if operators || key.by == By::Desk || matches!(key.by, By::Key(maker) if self.known.contains(&maker)) {
            self.known.insert(number);
        }
    }

    fn check_money(&self) {
        for number in &self.known {
            let bearer = self.hive.bearer(*number);
            for whose in 0..5 {
                let paid = self.hive.judge(&bearer, PAY, &Touched::Citizen(&Self::citizen(whose)));
                assert!(matches!(paid, Err(Code::NOT_ALLOWED | Code::KEY_INVALID)), "key {number} pays");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn nobody_gets_more_than_his_maker_and_the_operator_moves_no_money(
        open in 0..3_usize,
        history in proptest::collection::vec(steps(), 1..40),
    ) {
        let mut world = World { hive: Hive::open(), known: BTreeSet::new() };
        // Some Hives begin with an operator, some with a citizen who can pay, some with nothing.
        let first = [None, Some(Holder::Operator), Some(Holder::Citizen(did(ALICE)))][open].clone();
        if let Some(holder) = first {
            world.hive.make(&Principal::Local, holder).unwrap();
            world.check_made(1);
        }
        for step in &history {
            world.step(step);
            world.check_money();
        }
        world.hive.verify();
    }
}
