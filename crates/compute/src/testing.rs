//! A Hive in memory, for this room's tests: decides, keeps what was decided, and can replay it.

use lab3_ledger::{Event, Ledger};
use lab3_units::{Amount, Asset, Did, Duration, Id, Problem, Time};

use crate::{Allocate, Allocated, Defer, Deferred, Desk, Fact, Policy, Refusal, Report, Reported, State, allocate, defer, report};

pub(crate) struct Hive {
    pub(crate) ledger: Ledger,
    pub(crate) state: State,
    pub(crate) policy: Policy,
    pub(crate) now: Time,
    journal: Vec<(Time, Fact, Vec<Event>)>,
}

pub(crate) fn did(text: &str) -> Did {
    Did::parse(text).unwrap()
}

pub(crate) fn mic(text: &str) -> Amount {
    Asset::COMPUTE.parse(text).unwrap()
}

/// A successful report on an open or no allocation.
pub(crate) fn used(citizen: &str, provider: &str, cost: &str) -> Report {
    Report {
        citizen: did(citizen),
        provider: provider.into(),
        actual_cost: mic(cost),
        success: true,
        allocation: None,
        input_tokens: None,
        output_tokens: None,
        latency_ms: None,
        late: None,
    }
}

impl Hive {
    pub(crate) fn new() -> Self {
        let now = Time::parse("2025-10-31T14:30:00Z").unwrap();
        let (ledger, state, policy) = (Ledger::default(), State::default(), Policy::default());
        Self { ledger, state, policy, now, journal: Vec::new() }
    }

    pub(crate) fn desk(&self) -> Desk<'_> {
        Desk { ledger: &self.ledger, state: &self.state, policy: &self.policy, now: self.now }
    }

    /// The id the next record gets.
    pub(crate) fn next_id(&self) -> Id {
        Id::from_bytes((self.journal.len() as u128 + 1).to_be_bytes())
    }

    pub(crate) fn run(&mut self, decide: impl FnOnce(&Desk<'_>) -> Result<(Fact, Vec<Event>), Refusal>) -> Result<Fact, Refusal> {
        let (fact, events) = decide(&self.desk())?;
        self.journal.push((self.now, fact, events));
        let (at, fact, events) = self.journal.last().unwrap();
        apply(&mut self.ledger, &mut self.state, self.journal.len(), *at, fact, events);
        Ok(fact.clone())
    }

    pub(crate) fn allocate(&mut self, command: &Allocate) -> Result<(Id, Allocated), Problem> {
        let id = self.next_id();
        match self.run(|desk| allocate(desk, id, command)) {
            Ok(Fact::Allocated(allocated)) => Ok((id, *allocated)),
            Err(Refusal::Problem(problem)) => Err(problem),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn defer(&mut self, command: &Defer) -> Result<(Id, Deferred), Problem> {
        let id = self.next_id();
        match self.run(|desk| defer(desk, id, command)) {
            Ok(Fact::Deferred(deferred)) => Ok((id, *deferred)),
            Err(Refusal::Problem(problem)) => Err(problem),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn report(&mut self, command: &Report) -> Result<Reported, Refusal> {
        self.run(|desk| report(desk, command)).map(|fact| match fact {
            Fact::Reported(reported) => *reported,
            other => panic!("{other:?}"),
        })
    }

    /// Charges a query directly.
    pub(crate) fn charge(&mut self, citizen: &str, provider: &str, cost: &str) {
        self.report(&used(citizen, provider, cost)).unwrap();
    }

    /// Opens the provider's circuit.
    pub(crate) fn break_provider(&mut self, provider: &str) {
        for _ in 0..5 {
            self.report(&Report { success: false, ..used("did:kaizen:tester", provider, "0") }).unwrap();
        }
    }

    pub(crate) fn pass_seconds(&mut self, seconds: u32) {
        self.now = self.now.after(Duration::from_secs(seconds));
    }

    pub(crate) fn travel_to(&mut self, time: &str) {
        self.now = Time::parse(time).unwrap();
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

fn apply(ledger: &mut Ledger, state: &mut State, sequence: usize, at: Time, fact: &Fact, events: &[Event]) {
    for event in events {
        ledger.apply(sequence as u64, event);
    }
    state.apply(at, fact);
}
