//! Exports shared: the sum is exact, who stands where changes nothing, who weighs more gets no less, and no hour is shared twice.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

use std::collections::BTreeMap;

use lab3_energy::carbon::certificates::{Issue, Source};
use lab3_energy::{Among, Certify, Desk, ExportShared, Fact, MEMBERS_MAX, Policy, ShareExports, State, certify, share_exports};
use lab3_ledger::{Draft, Event, Kind, Ledger, Limits, Purpose, Transfer};
use lab3_units::{Amount, Asset, Code, Did, Id, Owner, Problem, Time};
use proptest::prelude::*;

const HOUR_MS: i64 = 3_600_000;
const NOW: &str = "2026-11-23T10:20:00Z";

struct Hive {
    ledger: Ledger,
    state: State,
    policy: Policy,
    now: Time,
    records: u64,
}

fn did(number: usize) -> Did {
    Did::parse(&format!("did:kaizen:c{number}")).unwrap()
}

fn time(text: &str) -> Time {
    Time::parse(text).unwrap()
}

fn id(number: u64) -> Id {
    Id::from_bytes(u128::from(number + 1).to_be_bytes())
}

impl Hive {
    /// The first member has so much.
    fn new(funds: i64) -> Self {
        let mut hive = Self { ledger: Ledger::default(), state: State::default(), policy: Policy::default(), now: time(NOW), records: 0 };
        let mut draft = Draft::new(&hive.ledger);
        let from = draft.open(&Owner::hive("issuance"), Asset::MIC, Purpose::Issuance, Limits::OVERDRAFT);
        let to = draft.open(&Owner::from(&did(0)), Asset::MIC, Purpose::Wallet, Limits::NO_OVERDRAFT);
        draft.transfer(&Transfer { from, to, amount: Amount::new(funds), kind: Kind::Mint, memo: "" }).unwrap();
        for event in &draft.into_events() {
            hive.ledger.apply(1, event);
        }
        hive
    }

    fn run(&mut self, decide: impl FnOnce(&Desk<'_>) -> Result<(Fact, Vec<Event>), Problem>) -> Result<Fact, Problem> {
        let desk = Desk { ledger: &self.ledger, state: &self.state, policy: &self.policy, now: self.now };
        let (fact, events) = decide(&desk)?;
        self.records += 1;
        for event in &events {
            self.ledger.apply(self.records + 1, event);
        }
        self.state.apply(self.now, &fact);
        Ok(fact)
    }

    fn share(&mut self, share: &ShareExports) -> Result<ExportShared, Problem> {
        match self.run(|desk| share_exports(desk, share))? {
            Fact::ExportShared(shared) => Ok(*shared),
            other => panic!("{other:?}"),
        }
    }

    fn balance(&self, number: usize) -> i64 {
        let wallet = self.ledger.find(did(number).as_str(), Asset::MIC, Purpose::Wallet);
        wallet.and_then(|wallet| self.ledger.account(wallet)).map_or(0, |account| account.balance().units())
    }

    fn issue(&mut self, number: u64, owner: usize, wh: i64, hour: &str) {
        let generated_mwh = Amount::new(wh * 1000);
        let (hour, owner) = (time(hour), Owner::from(&did(owner)));
        let issue = Issue { id: id(number), generated_mwh, hour, source: Source::Solar, device: format!("roof-{number}").into(), owner };
        self.certify(&Certify::Issue(issue));
    }

    fn certify(&mut self, command: &Certify) {
        self.run(|desk| certify(desk, command).map(|fact| (fact, Vec::new()))).unwrap();
    }
}

/// Of the day before, from the first member.
fn share(amount: i64, among: Among) -> ShareExports {
    ShareExports {
        id: id(1000),
        payer: did(0),
        device: "grid".into(),
        from: time("2026-11-22T00:00:00Z"),
        to: time("2026-11-23T00:00:00Z"),
        amount: Amount::new(amount),
        exported_mwh: None,
        measured: false,
        among,
    }
}

fn parts(shared: &ExportShared) -> Vec<i64> {
    shared.shares.iter().map(|share| share.amount.units()).collect()
}

#[test]
fn it_is_split_by_weights_to_the_last_ks_and_the_first_did_wins_a_tie() {
    let mut hive = Hive::new(1000);
    let shared = hive.share(&share(100, Among::Equal(vec![did(3), did(1), did(2)]))).unwrap();
    assert_eq!(parts(&shared), [34, 33, 33]);
    assert_eq!([0, 1, 2, 3].map(|number| hive.balance(number)), [900, 34, 33, 33]);
    let mut hive = Hive::new(1000);
    let shared = hive.share(&share(10, Among::Weights(vec![(did(1), 3), (did(2), 1)]))).unwrap();
    assert_eq!(parts(&shared), [8, 2], "7.5 and 2.5");
    let mut hive = Hive::new(2);
    hive.share(&share(2, Among::Weights(vec![(did(1), 1_000), (did(2), 1)]))).unwrap();
    assert_eq!([0, 1, 2].map(|number| hive.balance(number)), [0, 2, 0]);
}

#[test]
fn who_pays_and_is_a_member_keeps_its_part() {
    let mut hive = Hive::new(5);
    let shared = hive.share(&share(10, Among::Equal(vec![did(0), did(1)]))).unwrap();
    assert_eq!((parts(&shared), hive.balance(0), hive.balance(1)), (vec![5, 5], 0, 5));
    let mut hive = Hive::new(4);
    assert_eq!(hive.share(&share(10, Among::Equal(vec![did(0), did(1)]))).unwrap_err().code(), Code::MIC_INSUFFICIENT);
}

#[test]
fn generation_counts_what_was_issued_of_that_time_to_whomever_it_was() {
    let mut hive = Hive::new(1000);
    hive.issue(1, 1, 3000, "2026-11-22T00:00:00Z");
    hive.issue(2, 2, 500, "2026-11-22T23:00:00Z");
    hive.issue(3, 2, 500, "2026-11-22T12:00:00Z");
    hive.issue(4, 2, 9000, "2026-11-23T00:00:00Z");
    hive.issue(5, 1, 9000, "2026-11-21T23:00:00Z");
    // What became of them since changes nothing.
    let by = Owner::from(&did(1));
    hive.certify(&Certify::Split { id: id(1), by: by.clone(), first_wh: Amount::new(1000), into: [id(61), id(62)] });
    hive.certify(&Certify::Hand { id: id(61), by, to: Owner::from(&did(3)) });
    let shared = hive.share(&share(100, Among::Generation(Vec::new()))).unwrap();
    assert_eq!((parts(&shared), shared.shares[0].weight, hive.balance(3)), (vec![75, 25], 3000, 0));
    let mut only = share(100, Among::Generation(vec![did(2), did(9)]));
    only.device = "other".into();
    assert_eq!(parts(&hive.share(&only).unwrap()), [100]);
    only.among = Among::Generation(vec![did(9)]);
    only.device = "third".into();
    assert_eq!(hive.share(&only).unwrap_err().code(), Code::CERTIFICATE_UNKNOWN);
}

/// What is refused of a sharing of the day before, otherwise well: its code and field. Nothing has changed then.
#[track_caller]
fn refused(change: impl FnOnce(&mut ShareExports), code: Code, field: &str) {
    let mut hive = Hive::new(1000);
    hive.share(&ShareExports { to: time("2026-11-22T02:00:00Z"), ..share(10, Among::Equal(vec![did(1)])) }).unwrap();
    let books = |hive: &Hive| (hive.ledger.accounts_len(), [0, 1, 2].map(|number| hive.balance(number)), hive.state.clone());
    let before = books(&hive);
    let mut wrong = ShareExports { from: time("2026-11-22T02:00:00Z"), ..share(10, Among::Equal(vec![did(1)])) };
    change(&mut wrong);
    let problem = hive.share(&wrong).unwrap_err();
    assert_eq!((problem.code(), problem.field.as_deref()), (code, Some(field)), "{}", problem.detail);
    assert_eq!(books(&hive), before);
}

#[test]
fn what_cannot_be_is_refused_by_its_field() {
    refused(|share| share.from = time("2026-11-22T02:30:00Z"), Code::FIELD_RANGE, "from");
    refused(|share| share.to = time("2026-11-22T23:59:59Z"), Code::FIELD_RANGE, "to");
    refused(|share| share.to = share.from, Code::FIELD_RANGE, "to");
    refused(|share| share.from = time("2025-11-21T23:00:00Z"), Code::FIELD_RANGE, "to");
    refused(|share| share.to = time("2026-11-23T11:00:00Z"), Code::HOUR_CLOSED, "to");
    refused(|share| share.from = time("2026-11-22T01:00:00Z"), Code::HOUR_CLOSED, "from");
    refused(|share| (share.from, share.to) = (time("2026-11-21T00:00:00Z"), time("2026-11-23T00:00:00Z")), Code::HOUR_CLOSED, "from");
    refused(|share| share.amount = Amount::ZERO, Code::FIELD_RANGE, "amount_gic");
    refused(|share| share.amount = Amount::new(991), Code::MIC_INSUFFICIENT, "amount_gic");
    refused(|share| share.payer = did(7), Code::MIC_INSUFFICIENT, "amount_gic");
    refused(|share| share.among = Among::Equal(Vec::new()), Code::FIELD_RANGE, "members");
    refused(|share| share.among = Among::Equal((0..=MEMBERS_MAX).map(did).collect()), Code::FIELD_RANGE, "members");
    refused(|share| share.among = Among::Equal(vec![did(1), did(2), did(1)]), Code::FIELD_RANGE, "members[2].did");
    refused(|share| share.among = Among::Weights(vec![(did(1), 1), (did(2), 0)]), Code::FIELD_RANGE, "members[1].weight");
    refused(|share| share.among = Among::Generation(Vec::new()), Code::CERTIFICATE_UNKNOWN, "rule");
}

#[test]
fn another_meters_hours_and_another_payers_are_their_own() {
    let mut hive = Hive::new(1000);
    let day = share(10, Among::Equal(vec![did(1)]));
    hive.share(&day).unwrap();
    hive.share(&ShareExports { device: "barn".into(), ..day.clone() }).unwrap();
    hive.share(&ShareExports { payer: did(1), ..day.clone() }).unwrap();
    assert_eq!(hive.share(&day).unwrap_err().code(), Code::HOUR_CLOSED);
    assert_eq!(hive.state.exports().latest(None, 10).len(), 3);
}

#[test]
fn thousands_of_members_are_paid_in_one_record() {
    let mut hive = Hive::new(1_000_000_007);
    let shared = hive.share(&share(1_000_000_007, Among::Equal((1..=MEMBERS_MAX).map(did).collect()))).unwrap();
    assert_eq!((parts(&shared).iter().sum::<i64>(), hive.balance(0)), (1_000_000_007, 0));
    assert!(parts(&shared).iter().all(|part| [250_000, 250_001].contains(part)));
}

fn weights() -> impl Strategy<Value = BTreeMap<usize, u64>> {
    proptest::collection::btree_map(0_usize..40, prop_oneof![1_u64..5, 1_u64..1_000_000_000_000], 1..30)
}

fn weighted(weights: &BTreeMap<usize, u64>) -> Vec<(Did, u64)> {
    weights.iter().map(|(number, weight)| (did(*number), *weight)).collect()
}

proptest! {
    #[test]
    fn the_sum_is_exact_and_who_weighs_more_gets_no_less(amount in prop_oneof![1_i64..100, 1_i64..1_000_000_000_000_000], weights in weights()) {
        let mut hive = Hive::new(amount);
        let shared = hive.share(&share(amount, Among::Weights(weighted(&weights)))).unwrap();
        prop_assert_eq!(parts(&shared).iter().sum::<i64>(), amount);
        prop_assert_eq!((0..40).map(|number| hive.balance(number)).sum::<i64>(), amount);
        let total: u128 = weights.values().map(|weight| u128::from(*weight)).sum();
        for one in &shared.shares {
            // Never further from its exact part than one KS.
            let exact = u128::from(amount.unsigned_abs()) * u128::from(one.weight);
            let got = u128::from(one.amount.units().unsigned_abs());
            prop_assert!(got * total < exact + total && (got + 1) * total > exact);
            prop_assert!(shared.shares.iter().all(|other| other.weight >= one.weight || other.amount <= one.amount));
        }
        hive.ledger.verify().unwrap();
    }

    #[test]
    fn who_stands_where_changes_nothing(amount in 1_i64..10_000, weights in weights(), turn in 0_usize..30) {
        let members = weighted(&weights);
        let mut turned = members.clone();
        turned.rotate_left(turn % members.len());
        turned.reverse();
        let one = Hive::new(amount).share(&share(amount, Among::Weights(members))).unwrap();
        let other = Hive::new(amount).share(&share(amount, Among::Weights(turned))).unwrap();
        prop_assert_eq!(one, other);
    }

    #[test]
    fn who_comes_to_weigh_more_gets_no_less_than_before(amount in 1_i64..10_000, weights in weights(), who in 0_usize..30, more in 1_u64..1_000) {
        let who = who % weights.len();
        let mut heavier = weighted(&weights);
        let before = Hive::new(amount).share(&share(amount, Among::Weights(heavier.clone()))).unwrap();
        let (did, weight) = &mut heavier[who];
        *weight += more;
        let place = {
            let mut dids: Vec<_> = weighted(&weights).into_iter().map(|(did, _)| did).collect();
            dids.sort();
            dids.iter().position(|other| other == did).unwrap()
        };
        let after = Hive::new(amount).share(&share(amount, Among::Weights(heavier))).unwrap();
        prop_assert!(parts(&after)[place] >= parts(&before)[place]);
    }

    /// Against a set of hours: a time can be shared exactly when none of its hours was.
    #[test]
    fn each_hour_is_shared_once(spans in proptest::collection::vec((0_i64..60, 1_i64..12), 1..40)) {
        let mut hive = Hive::new(1_000_000);
        let begin = time("2026-11-20T00:00:00Z").millis();
        let mut taken = std::collections::BTreeSet::new();
        for (start, hours) in spans {
            let hour = |number: i64| Time::from_millis(begin + number * HOUR_MS);
            let one = ShareExports { from: hour(start), to: hour(start + hours), ..share(10, Among::Equal(vec![did(1)])) };
            let free = (start..start + hours).all(|hour| !taken.contains(&hour));
            let shared = hive.share(&one).map_err(|problem| problem.code());
            prop_assert_eq!(shared.is_ok(), free);
            prop_assert!(shared.is_ok() || shared == Err(Code::HOUR_CLOSED));
            taken.extend((start..start + hours).filter(|_| free));
        }
    }
}
