//! Random months of compute against a simple model: nobody uses more than a month's quota, and every KS is explained.

use std::collections::BTreeMap;

use lab3_ledger::Purpose;
use lab3_units::{Amount, Asset, Did, Duration, Id, Owner, Time};
use proptest::prelude::*;

use crate::testing::{Hive, did, used};
use crate::{Allocate, Fact, Late, Policy, Priority, Report, Reported, expire, quota, release};

/// The month's quota in KS: some twenty queries.
const QUOTA: i64 = 200_000;

const PROVIDERS: [&str; 3] = ["claude", "deepseek", "local"];

/// One random request. Citizens and allocations are numbers, amounts are KS.
#[derive(Clone, Debug)]
enum Ask {
    Allocate { citizen: u8, tokens: u64, preferred: usize, max_cost: Option<i64> },
    Report { citizen: u8, provider: usize, actual: i64, success: bool },
    ReportOn { which: usize, actual: i64, success: bool },
    ReportLate { which: usize, actual: i64 },
    Release(usize),
    Pass { minutes: u32 },
}

/// An allocation, as the model remembers it.
#[derive(Clone, Debug)]
struct Open {
    id: Id,
    citizen: u8,
    provider: Box<str>,
    amount: i64,
    month: u16,
    hive_pays: bool,
    deadline: Time,
}

#[derive(Default)]
struct Model {
    open: Vec<Open>,
    expired: Vec<(Open, Late)>,
    /// By citizen and month.
    spent: BTreeMap<(u8, u16), i64>,
    charged: i64,
    hive_paid: i64,
}

impl Model {
    fn held(&self, citizen: u8, month: u16) -> i64 {
        self.open.iter().filter(|open| open.citizen == citizen && open.month == month).map(|open| open.amount).sum()
    }

    fn left(&self, citizen: u8, month: u16) -> i64 {
        QUOTA - self.held(citizen, month) - self.spent.get(&(citizen, month)).copied().unwrap_or(0)
    }

    /// What a report should say: charged, overrun, paid by the Hive. Takes it into account.
    fn settle(&mut self, citizen: u8, month: u16, actual: i64, hold: Option<&Open>, hive_pays: bool) -> [i64; 3] {
        let promised = hold.map_or(0, |open| open.amount);
        // The allocation is closed already: what this month's held is counted as left.
        let earlier = hold.filter(|open| open.month < month).map_or(0, |open| open.amount);
        let charged = if hive_pays { 0 } else { actual.min(earlier + self.left(citizen, month)) };
        let from_hold = charged.min(promised);
        *self.spent.entry((citizen, hold.map_or(month, |hold| hold.month))).or_default() += from_hold;
        *self.spent.entry((citizen, month)).or_default() += charged - from_hold;
        let hive_paid = actual - charged;
        (self.charged, self.hive_paid) = (self.charged + charged, self.hive_paid + hive_paid);
        [charged, if hive_pays { 0 } else { hive_paid }, hive_paid]
    }
}

/// A Hive and the model beside it.
struct Pair {
    hive: Hive,
    model: Model,
}

fn citizen(number: u8) -> Did {
    did(&format!("did:kaizen:c{number}"))
}

fn used_by(who: u8, provider: &str, actual: i64, success: bool) -> Report {
    Report { citizen: citizen(who), actual_cost: Amount::new(actual), success, ..used("did:kaizen:x", provider, "0") }
}

impl Pair {
    fn new() -> Self {
        let mut hive = Hive::new();
        // Holds that last for days are often open when a month turns.
        let hold = Duration::from_secs(3 * 24 * 3600);
        hive.policy = Policy { quota: Amount::new(QUOTA), open_max: 6, hold, ..Policy::default() };
        hive.travel_to("2025-10-30T00:00:00Z");
        Self { hive, model: Model::default() }
    }

    fn month(&self) -> u16 {
        self.hive.now.period().number()
    }

    fn run(&mut self, ask: &Ask) {
        match *ask {
            Ask::Allocate { citizen, tokens, preferred, max_cost } => self.allocate(citizen, tokens, preferred, max_cost),
            Ask::Report { citizen: who, provider, actual, success } => {
                let name = &self.hive.policy.provider(PROVIDERS[provider]).unwrap().name;
                let found = self.model.open.iter().position(|open| open.citizen == who && open.provider == *name);
                let hold = found.map(|place| self.model.open.remove(place));
                self.report(&used_by(who, PROVIDERS[provider], actual, success), who, hold.as_ref());
            }
            Ask::ReportOn { which, actual, success } if !self.model.open.is_empty() => {
                let hold = self.model.open.remove(which % self.model.open.len());
                let report = used_by(hold.citizen, &hold.provider, actual, success);
                self.report(&Report { allocation: Some(hold.id), ..report }, hold.citizen, Some(&hold));
            }
            Ask::ReportLate { which, actual } if !self.model.expired.is_empty() => {
                let (hold, late) = self.model.expired.remove(which % self.model.expired.len());
                let hold = Open { amount: 0, month: self.month(), ..hold };
                let report = used_by(hold.citizen, &hold.provider, actual, true);
                self.report(&Report { allocation: Some(hold.id), late: Some(late), ..report }, hold.citizen, Some(&hold));
            }
            Ask::Release(which) if !self.model.open.is_empty() => {
                let hold = self.model.open.remove(which % self.model.open.len());
                let fact = self.hive.run(|desk| release(desk, hold.id)).unwrap();
                assert!(matches!(&fact, Fact::Released(released) if released.released.units() == hold.amount));
            }
            Ask::Pass { minutes } => self.pass(minutes),
            _ => {}
        }
    }

    fn allocate(&mut self, who: u8, tokens: u64, preferred: usize, max_cost: Option<i64>) {
        let command = Allocate {
            citizen: citizen(who),
            tokens,
            priority: Priority::Standard,
            min_quality: None,
            max_cost: max_cost.map(Amount::new),
            preferred: Some(PROVIDERS[preferred].into()),
            explain: false,
        };
        let (left, month) = (self.model.left(who, self.month()), self.month());
        let Ok((id, fact)) = self.hive.allocate(&command) else { return };
        let cost = fact.estimated_cost.units();
        assert!(fact.hive_pays || (cost <= left && max_cost.is_none_or(|most| cost <= most)), "{fact:?}");
        let (amount, hive_pays) = (if fact.hive_pays { 0 } else { cost }, fact.hive_pays);
        let deadline = self.hive.now.after(self.hive.policy.hold);
        let provider = fact.provider;
        self.model.open.push(Open { id, citizen: who, provider, amount, month, hive_pays, deadline });
        assert_eq!(fact.quota_remaining.units(), self.model.left(who, month));
    }

    /// Reports on `hold`, or on nothing that is open.
    fn report(&mut self, report: &Report, who: u8, hold: Option<&Open>) {
        let fact = self.hive.report(report).unwrap();
        let (month, hive_pays) = (self.month(), hold.is_some_and(|hold| hold.hive_pays));
        let actual = report.actual_cost.units();
        let expected = if report.success { self.model.settle(who, month, actual, hold, hive_pays) } else { [0; 3] };
        let Reported { charged, overrun, hive_paid, quota_remaining, .. } = &fact;
        assert_eq!([charged, overrun, hive_paid].map(|amount| amount.units()), expected, "{fact:?}");
        assert_eq!(quota_remaining.units(), self.model.left(who, month));
        assert_eq!(fact.allocation, hold.map(|hold| hold.id));
    }

    /// Time passes; what is due expires.
    fn pass(&mut self, minutes: u32) {
        self.hive.pass_seconds(minutes * 60);
        let due: Vec<Id> = self.hive.ledger.due(self.hive.now).map(|hold| hold.id).collect();
        let now = self.hive.now;
        let (expired, open): (Vec<Open>, Vec<Open>) =
            std::mem::take(&mut self.model.open).into_iter().partition(|open| open.deadline <= now);
        self.model.open = open;
        assert_eq!(expired.len(), due.len());
        for one in expired {
            let hold = self.hive.ledger.hold(one.id).unwrap();
            let late = Late::of(&self.hive.state, hold.account, hold.code, Amount::ZERO).unwrap();
            self.model.expired.push((one, late));
        }
        if !due.is_empty() {
            self.hive.run(|desk| Ok(expire(desk, &due))).unwrap();
        }
    }

    fn balance(&self, owner: &Owner, purpose: Purpose) -> i64 {
        let account = self.hive.ledger.find(owner.as_str(), Asset::COMPUTE, purpose).and_then(|account| self.hive.ledger.account(account));
        account.map_or(0, |account| account.balance().units())
    }

    /// What must hold after every record.
    fn check(&self) {
        assert_eq!(self.hive.ledger.verify(), Ok(()));
        for (&(who, month), &spent) in &self.model.spent {
            assert!(spent + self.model.held(who, month) <= QUOTA, "c{who} used more than a month's quota in {month}");
        }
        let mut allowances = 0;
        for who in 0..3 {
            let status = quota(&self.hive.desk(), &citizen(who));
            let spent = self.model.spent.get(&(who, self.month())).copied().unwrap_or(0);
            let expected = [self.model.left(who, self.month()), self.model.held(who, self.month()), spent];
            assert_eq!([status.remaining, status.held, status.used].map(Amount::units), expected, "c{who}");
            allowances += self.balance(&Owner::from(&citizen(who)), Purpose::Quota);
        }
        let compute = Owner::hive("compute");
        let earned = |name: &str| self.balance(&Owner::hive(&format!("provider/{name}")), Purpose::Earnings);
        let earned: i64 = self.hive.policy.providers.iter().map(|provider| earned(&provider.name)).sum();
        assert_eq!(earned, self.model.charged + self.model.hive_paid);
        assert_eq!(self.balance(&compute, Purpose::Expense), -self.model.hive_paid);
        assert_eq!(-self.balance(&compute, Purpose::Issuance), allowances + self.model.charged);
    }
}

fn asks() -> impl Strategy<Value = Ask> {
    let actual = || prop_oneof![0_i64..100_000, Just(75_000), Just(10_000), Just(300_000)];
    let success = || prop::bool::weighted(0.8);
    let max_cost = prop_oneof![3 => Just(None), 1 => (1_i64..80_000).prop_map(Some)];
    prop_oneof![
        5 => (0_u8..3, prop_oneof![Just(5000_u64), 1_u64..40_000], 0_usize..3, max_cost)
            .prop_map(|(citizen, tokens, preferred, max_cost)| Ask::Allocate { citizen, tokens, preferred, max_cost }),
        3 => (0_u8..3, 0_usize..3, actual(), success())
            .prop_map(|(citizen, provider, actual, success)| Ask::Report { citizen, provider, actual, success }),
        3 => (any::<usize>(), actual(), success()).prop_map(|(which, actual, success)| Ask::ReportOn { which, actual, success }),
        1 => (any::<usize>(), actual()).prop_map(|(which, actual)| Ask::ReportLate { which, actual }),
        1 => any::<usize>().prop_map(Ask::Release),
        2 => prop_oneof![1_u32..20, 500_u32..2000, Just(20_000_u32)].prop_map(|minutes| Ask::Pass { minutes }),
        1 => Just(Ask::Pass { minutes: 5 }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn nobody_uses_more_than_a_months_quota_and_every_unit_is_explained(asks in prop::collection::vec(asks(), 1..120)) {
        let mut pair = Pair::new();
        for ask in &asks {
            pair.run(ask);
            pair.check();
        }
        pair.hive.verify();
    }
}

/// A month's turn while holds are open, exactly at midnight: what the random months meet only sometimes.
#[test]
fn a_hold_open_over_midnight_is_the_old_months() {
    let mut pair = Pair::new();
    pair.hive.travel_to("2025-10-31T23:50:00Z");
    for ask in [
        Ask::Allocate { citizen: 0, tokens: 5000, preferred: 0, max_cost: None },
        Ask::Allocate { citizen: 0, tokens: 5000, preferred: 1, max_cost: None },
        Ask::Pass { minutes: 10 },
        Ask::Report { citizen: 0, provider: 0, actual: 275_000, success: true },
        Ask::Report { citizen: 0, provider: 0, actual: 1, success: true },
        Ask::Pass { minutes: 3 * 24 * 60 },
        Ask::ReportLate { which: 0, actual: 5 },
    ] {
        pair.run(&ask);
        pair.check();
    }
    assert_eq!((pair.model.charged, pair.model.hive_paid), (275_000, 6));
    pair.hive.verify();
}
