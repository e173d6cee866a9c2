//! A Hive in memory, for this room's tests: decides, keeps what was decided, and replays it.

use lab3_units::{Code, Did, Problem, Time};

use crate::{
    Bearer, Command, CreateKey, Deed, Desk, Fact, Holder, KeyText, Kind, Principal, PublicKey, Rule, Scopes, State, Touched, decide, judge,
};

pub(crate) const ALICE: &str = "did:kaizen:alice";
pub(crate) const BOB: &str = "did:kaizen:bob";

pub(crate) struct Hive {
    pub(crate) state: State,
    pub(crate) now: Time,
    journal: Vec<(Time, Fact)>,
}

pub(crate) fn did(text: &str) -> Did {
    Did::parse(text).unwrap()
}

pub(crate) fn citizen(text: &str) -> Holder {
    Holder::Citizen(did(text))
}

/// The code and field of a refusal.
pub(crate) fn told<T>(outcome: Result<T, Problem>) -> Result<T, (Code, String)> {
    outcome.map_err(|problem| (problem.code(), problem.field.as_deref().unwrap_or_default().to_owned()))
}

/// The key of that number, made of its number.
pub(crate) fn text(kind: Kind, number: u32) -> KeyText {
    let mut id = [0; 8];
    id[..4].copy_from_slice(&number.to_be_bytes());
    KeyText::make(kind, id, &[u8::try_from(number % 251).unwrap(); 32])
}

impl Hive {
    /// An open Hive.
    pub(crate) fn open() -> Self {
        Self { state: State::default(), now: Time::parse("2026-10-31T14:30:00Z").unwrap(), journal: Vec::new() }
    }

    /// A closed Hive, and its operator.
    pub(crate) fn new() -> (Self, Principal) {
        let mut hive = Self::open();
        let operator = hive.make(&Principal::Local, Holder::Operator).unwrap();
        (hive, operator)
    }

    pub(crate) fn desk(&self) -> Desk<'_> {
        Desk { state: &self.state, now: self.now }
    }

    pub(crate) fn run(&mut self, principal: &Principal, command: impl Into<Command>) -> Result<Deed, Problem> {
        let fact = decide(&self.desk(), principal, &command.into())?;
        self.state.apply(self.now, &fact);
        self.journal.push((self.now, fact.clone()));
        Ok(fact.deed)
    }

    /// A request for the next key, with the widest scopes of its kind.
    pub(crate) fn asking(&self, holder: Holder) -> CreateKey {
        let (kind, key) = (holder.kind(), text(holder.kind(), self.state.next_number()));
        let (id, hash, scopes) = (key.id(), key.hash(), kind.widest());
        CreateKey { id, hash, holder, scopes, expires: None, note: "".into(), citizens: Vec::new() }
    }

    /// Makes a key with the widest scopes of its kind.
    pub(crate) fn make(&mut self, by: &Principal, holder: Holder) -> Result<Principal, Problem> {
        let command = self.asking(holder);
        self.create(by, command)
    }

    /// Makes a key with these scopes.
    pub(crate) fn make_with(&mut self, by: &Principal, holder: Holder, scopes: Scopes) -> Result<Principal, Problem> {
        let command = CreateKey { scopes, ..self.asking(holder) };
        self.create(by, command)
    }

    pub(crate) fn create(&mut self, by: &Principal, command: CreateKey) -> Result<Principal, Problem> {
        self.run(by, command)?;
        Ok(self.bearer(self.state.next_number() - 1))
    }

    /// Who holds the key of that number.
    pub(crate) fn bearer(&self, number: u32) -> Principal {
        let key = self.state.key(number).unwrap();
        Principal::Key(Bearer { number, family: key.family, holder: key.holder.clone(), scopes: key.scopes })
    }

    pub(crate) fn judge(&self, principal: &Principal, rule: Rule, touched: &Touched<'_>) -> Result<(), Code> {
        judge(&self.state, self.now, principal, &rule, touched).map_err(|problem| problem.code())
    }

    pub(crate) fn pass_hours(&mut self, hours: i64) {
        self.now = Time::from_millis(self.now.millis() + hours * 3_600_000);
    }

    /// Checks that the journal's bytes give the same state again.
    pub(crate) fn verify(&self) {
        let journal: Vec<(Time, Fact)> = postcard::from_bytes(&postcard::to_stdvec(&self.journal).unwrap()).unwrap();
        let mut state = State::default();
        for (at, fact) in &journal {
            state.apply(*at, fact);
        }
        let bytes = postcard::to_stdvec(&self.state).unwrap();
        assert_eq!(postcard::to_stdvec(&state).unwrap(), bytes, "replay gives another state");
        let read: State = postcard::from_bytes(&bytes).unwrap();
        assert_eq!(postcard::to_stdvec(&read).unwrap(), bytes, "the snapshot gives another state");
    }
}

/// Alice who signs with the `did:key` of a secret of 32 such bytes.
pub(crate) fn signing(secret: u8) -> Principal {
    let key = PublicKey::of_secret(&[secret; 32]);
    Principal::Signed { did: key.to_did().unwrap(), key }
}
