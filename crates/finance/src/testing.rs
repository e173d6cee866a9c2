//! A Hive in memory, for this room's tests: decides, keeps what was decided, and replays it from time to time.

use lab3_ledger::{Event, Ledger, Purpose};
use lab3_units::{Amount, Asset, Did, FeeRate, Owner, Problem, Time};

use crate::{Desk, Fact, Mint, Policy, Sheet, State, genesis, mint};

pub(crate) struct Hive {
    pub(crate) ledger: Ledger,
    pub(crate) state: State,
    pub(crate) policy: Policy,
    pub(crate) now: Time,
    /// Every record, as the journal would keep it.
    journal: Vec<(Time, Fact, Vec<Event>)>,
}

pub(crate) fn did(text: &str) -> Did {
    Did::parse(text).unwrap()
}

pub(crate) fn mic(text: &str) -> Amount {
    Asset::MIC.parse(text).unwrap()
}

impl Hive {
    pub(crate) fn new() -> Self {
        Self::with_policy(Policy::default())
    }

    pub(crate) fn with_fee(percent: &str) -> Self {
        Self::with_policy(Policy { fee: FeeRate::from_percent(percent).unwrap(), ..Policy::default() })
    }

    pub(crate) fn with_policy(policy: Policy) -> Self {
        let now = Time::parse("2025-10-31T14:30:00Z").unwrap();
        let mut hive = Self { ledger: Ledger::default(), state: State::default(), policy, now, journal: Vec::new() };
        hive.run(|desk| Ok(genesis(desk))).unwrap();
        hive
    }

    pub(crate) fn desk(&self) -> Desk<'_> {
        Desk { ledger: &self.ledger, state: &self.state, policy: &self.policy, now: self.now }
    }

    pub(crate) fn run(&mut self, decide: impl FnOnce(&Desk<'_>) -> Result<(Fact, Vec<Event>), Problem>) -> Result<Fact, Problem> {
        let (fact, events) = decide(&self.desk())?;
        self.journal.push((self.now, fact, events));
        let (at, fact, events) = self.journal.last().unwrap();
        apply(&mut self.ledger, &mut self.state, self.journal.len(), *at, fact, events);
        Ok(fact.clone())
    }

    pub(crate) fn fund(&mut self, to: &str, amount: &str) {
        if mic(amount).is_positive() {
            self.run(|desk| mint(desk, &Mint { to: did(to), amount: mic(amount), reason: "start".into() })).unwrap();
        }
    }

    pub(crate) fn pass_days(&mut self, days: i64) {
        self.now = Time::from_millis(self.now.millis() + days * 86_400_000);
    }

    /// The balance of a DID's wallet or a Hive office.
    pub(crate) fn balance_of(&self, owner: &str) -> Amount {
        let (owner, purpose) = match owner {
            "hive:issuance" => (Owner::hive("issuance"), Purpose::Issuance),
            "hive:pool" => (Owner::hive("pool"), Purpose::Pool),
            "hive:reserve" => (Owner::hive("reserve"), Purpose::Reserve),
            text => (Owner::from(&did(text)), Purpose::Wallet),
        };
        let account = self.ledger.find(owner.as_str(), Asset::MIC, purpose).and_then(|account| self.ledger.account(account));
        account.map_or(Amount::ZERO, lab3_ledger::Account::balance)
    }

    /// Checks the books, and that the journal's bytes give the same state again.
    pub(crate) fn verify(&self) {
        assert_eq!(self.ledger.verify(), Ok(()));
        let bytes = postcard::to_stdvec(&self.journal).unwrap();
        let journal: Vec<(Time, Fact, Vec<Event>)> = postcard::from_bytes(&bytes).unwrap();
        let (mut ledger, mut state) = (Ledger::default(), State::default());
        for (sequence, (at, fact, events)) in (1..).zip(&journal) {
            apply(&mut ledger, &mut state, sequence, *at, fact, events);
        }
        let encoded = |ledger: &Ledger, state: &State| postcard::to_stdvec(&(ledger.books(), state)).unwrap();
        assert!(encoded(&ledger, &state) == encoded(&self.ledger, &self.state), "replay gives another state");
    }
}

/// A sheet with nothing on it: the rules here do not look at it.
pub(crate) fn blank_sheet() -> Sheet {
    Sheet { accounts: 0, totals: Vec::new(), root: [0; 32] }
}

fn apply(ledger: &mut Ledger, state: &mut State, sequence: usize, at: Time, fact: &Fact, events: &[Event]) {
    for event in events {
        ledger.apply(sequence as u64, event);
    }
    state.apply(at, fact);
}
