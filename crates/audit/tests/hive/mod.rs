//! Honest Hives with a random past, and their journal as leaves.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

pub mod energy;
pub mod governed;
pub mod shared;

use std::sync::Arc;

use lab3_compute as compute;
use lab3_engine::{Actor, Command, Engine, Key, Limits, ManualClock, MemoryStore, Order, Policy, Row, Store, Submission};
use lab3_finance as finance;
use lab3_trust::{
    Bearer, CreateKey, Delegate, HiveName, Holder, Inscription, KeyText, Kind, Principal, PublicKey, RevokeKey, RotateKey, Scope, Scopes,
};
use lab3_units::{Amount, Did, Duration, Id, Time};

/// Numbers that look random and are the same every time.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0xd1ce)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to `end`, which is not reached.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end.max(1)).unwrap()).unwrap()
    }

    pub fn units(&mut self, max: i64) -> Amount {
        Amount::new(1 + i64::try_from(self.next() % u64::try_from(max).unwrap()).unwrap())
    }
}

/// A Hive that lives.
pub struct Hive {
    engine: Engine,
    clock: Arc<ManualClock>,
    runtime: tokio::runtime::Runtime,
    pub dice: Dice,
    allocations: Vec<(usize, Actor, Id)>,
    keys: Vec<Principal>,
    drawn: u8,
    site: energy::Site,
}

impl Hive {
    pub fn new(seed: u64) -> Self {
        Self::on(seed, MemoryStore::new())
    }

    /// The Hive whose journal this store has.
    fn on(seed: u64, store: MemoryStore) -> Self {
        let clock = Arc::new(ManualClock::new(Time::parse("2025-10-31T14:30:00Z").unwrap()));
        let engine = Engine::start(Arc::new(store), Policy::default(), clock.clone(), Limits::default()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        Self {
            engine,
            clock,
            runtime,
            dice: Dice::new(seed),
            allocations: Vec::new(),
            keys: Vec::new(),
            drawn: 0,
            site: energy::Site::default(),
        }
    }

    /// The journal's records so far, as they stand in the leaves.
    pub fn entries(&self) -> Vec<Vec<u8>> {
        while self.runtime.block_on(self.engine.find(Id::from_bytes([0; 16]))).is_err() {}
        let last = self.engine.log().size();
        self.runtime.block_on(self.engine.log().entries(1..last + 1)).unwrap()
    }

    pub fn stop(&self) {
        self.engine.stop();
    }

    /// Says whose journal this is, and that this key signs it.
    pub fn inscribe(&mut self, log_key: [u8; 32]) {
        self.order(&Principal::Desk, inscription(log_key).into());
    }

    /// Lives so many steps with nobody named, then as many closed.
    pub fn live(&mut self, steps: usize) {
        for who in 0..4 {
            self.mint(who, 100_000_000);
        }
        for _ in 0..steps {
            self.step();
        }
        self.close();
        for _ in 0..steps {
            self.step();
        }
        // One has used no compute before.
        for who in [0, 1, 2, 7] {
            let (asked, actor) = (self.asking(who), self.user(who));
            let command = self.later(asked, who != 1);
            self.open(who, actor, command);
        }
    }

    /// Lives so many steps more.
    pub fn live_on(&mut self, steps: usize) {
        for _ in 0..steps {
            self.step();
        }
    }

    pub fn mint(&mut self, who: usize, units: i64) {
        let mint = finance::Mint { to: member(who), amount: Amount::new(units), reason: "welcome".into() };
        let treasury = self.operator();
        self.send(treasury, Command::Mint(mint));
    }

    /// Closes the epoch.
    pub fn close_epoch(&mut self) {
        let operator = self.operator();
        self.send(operator, Command::CloseEpoch(finance::CloseEpoch { epoch: None }));
    }

    /// One command of any kind, by somebody who may.
    pub fn step(&mut self) {
        let (who, other) = (self.dice.below(4), self.dice.below(4));
        let amount = self.dice.units(3_000_000);
        let (payer, user, operator) = (self.payer(who), self.user(who), self.operator());
        match self.dice.below(20) {
            0..=3 => self.send(payer, Command::Transfer(transfer(who, other, amount))),
            4 => {
                let items = (0..self.dice.below(5)).map(|at| (None, transfer(who, at, Amount::new(amount.units() / 7 + 1)))).collect();
                self.send(payer, Command::TransferLinked(items));
            }
            5 => self.send(payer, Command::Contribute(finance::Contribute { from: member(who), amount, reason: "thanks".into() })),
            6 => {
                let grant = finance::Grant { recipient: member(other), amount, project: "beds".into(), approved: true };
                self.send(operator, Command::Grant(grant));
            }
            7 => self.mint(who, amount.units()),
            8 if self.dice.below(4) == 0 => self.close_epoch(),
            8..=10 => self.allocate(who, user),
            11 => self.attempt(who, user),
            12 | 13 => self.end(),
            14 => self.clock.advance(Duration::from_secs(u32::try_from(self.dice.below(500)).unwrap())),
            15..=18 => self.energy(),
            _ if self.dice.below(6) == 0 => self.clock.advance(Duration::from_secs(20 * 24 * 3600)),
            _ => self.trust(),
        }
    }

    fn allocate(&mut self, who: usize, actor: Actor) {
        let command = Command::Allocate(self.asking(who));
        self.open(who, actor, command);
    }

    fn attempt(&mut self, who: usize, actor: Actor) {
        let meter = compute::Meter { query_tokens_max: 900, answers: 1, able: vec!["anthropic_claude".into()], ..Default::default() };
        let attempt = compute::Attempt { allocate: self.asking(who), meter };
        self.open(who, actor, Command::Attempt(Box::new(attempt)));
    }

    /// The query may wait until tomorrow: for a cleaner hour, or for none.
    fn later(&self, asked: compute::Allocate, cleaner: bool) -> Command {
        let later = |hours: u32| self.engine.now().after(Duration::from_secs(hours * 3600));
        let clean = cleaner.then(|| (later(3), later(4)));
        let (energy_mwh, saved) = (Some(Amount::new(300)), Some(Amount::new(90)));
        let [carbon_ug_per_kwh, at_once_ug_per_kwh] = [Some(100_000_000), Some(400_000_000)];
        let gain = compute::Gain { carbon_ug_per_kwh, at_once_ug_per_kwh, energy_mwh, carbon_saved_mg: saved };
        let chance = compute::Chance { provider: "anthropic_claude".into(), clean, gain, reason: "cleaner".into() };
        Command::Defer(Box::new(compute::Defer { allocate: asked, deadline: later(24), chances: vec![chance] }))
    }

    fn asking(&mut self, who: usize) -> compute::Allocate {
        let tokens = 1 + self.dice.next() % 3000;
        compute::Allocate {
            citizen: member(who),
            tokens,
            priority: compute::Priority::QualityOptimized,
            min_quality: None,
            max_cost: None,
            preferred: Some("anthropic_claude".into()),
            explain: self.dice.below(8) == 0,
        }
    }

    fn open(&mut self, who: usize, actor: Actor, command: Command) {
        let submission = self.submission(actor, command);
        if let Ok(done) = self.runtime.block_on(self.engine.submit(submission)) {
            self.allocations.push((who, actor, done.stored.record.id));
        }
    }

    /// Does something about an allocation, whether it is still open or not.
    fn end(&mut self) {
        if self.allocations.is_empty() {
            return;
        }
        let (who, actor, allocation) = self.allocations[self.dice.below(self.allocations.len())];
        let amount = self.dice.units(60_000);
        let usage = compute::Usage { input: 100, output: self.dice.next() % 2000, ..Default::default() };
        let report = compute::Report {
            citizen: member(who),
            provider: "anthropic_claude".into(),
            actual_cost: amount,
            success: self.dice.below(4) > 0,
            allocation: Some(allocation),
            input_tokens: Some(7),
            output_tokens: None,
            latency_ms: Some(1200),
            late: None,
        };
        let command = match self.dice.below(4) {
            0 => Command::Release(allocation),
            1 => Command::Extend(compute::Extend {
                allocation,
                query_tokens_max: 900,
                tool_runs_max: 0,
                output_tokens: 4000,
                output_tokens_least: 1,
            }),
            2 => Command::Settle(Box::new(compute::Settle {
                citizen: member(who),
                allocation,
                usage,
                counted: compute::Counted::Provider,
                success: true,
                latency_ms: Some(900),
            })),
            _ => Command::Report(report),
        };
        let lives = match actor {
            Actor::Key(2) if !self.engine.trust().acts_for(2, &member(who)) => false,
            Actor::Key(number) => self.engine.trust().key(number).is_some_and(|key| key.standing(self.engine.now()).works()),
            Actor::Open => self.engine.trust().is_open(),
            _ => true,
        };
        if lives {
            let settles = matches!(command, Command::Report(_) | Command::Settle(_));
            let draw = (settles && self.dice.below(4) > 0).then(|| Box::new(self.drawn(who, allocation)));
            let submission = Submission { draw, ..self.submission(actor, command) };
            drop(self.runtime.block_on(self.engine.submit(submission)));
        }
    }

    /// Closes the Hive: keys for the operator, a service, two citizens and the steward of energy.
    fn close(&mut self) {
        self.make(&Principal::Local, Holder::Operator, Vec::new());
        let operator = self.keys[0].clone();
        self.make(&operator, Holder::Service { daily_cap: Amount::new(200_000_000) }, vec![member(0), member(1)]);
        for who in 0..2 {
            self.make(&signing(who), Holder::Citizen(member(who)), Vec::new());
        }
        self.make(&operator, Holder::Steward { module: "energy".into() }, Vec::new());
    }

    /// Something about keys that may be.
    fn trust(&mut self) {
        let Some(operator) = self.keys.first().cloned() else { return };
        match self.dice.below(4) {
            0 => self.make(&operator, Holder::Auditor, Vec::new()),
            1 => {
                let citizen = member(self.dice.below(4));
                let on = !self.engine.trust().acts_for(2, &citizen);
                self.order(&operator, lab3_trust::Command::Delegate(Delegate { service: 2, citizen, on }));
            }
            2 => {
                let text = self.draw(Kind::Operator);
                let rotate = RotateKey { number: number(&operator), id: text.id(), hash: text.hash(), overlap: None };
                self.order(&operator, lab3_trust::Command::RotateKey(rotate));
                let newest = self.engine.trust().keys().last().unwrap().number;
                self.keys[0] = self.bearer(newest);
            }
            _ => {
                let newest = self.engine.trust().keys().last().unwrap().number;
                if newest > 5 && newest != number(&operator) {
                    self.order(&operator, lab3_trust::Command::RevokeKey(RevokeKey { number: newest, reason: "lost".into() }));
                }
            }
        }
    }

    fn make(&mut self, by: &Principal, holder: Holder, citizens: Vec<Did>) {
        let kind = holder.kind();
        let text = self.draw(kind);
        let scopes = if kind == Kind::Citizen { Scopes::of(&[Scope::Read, Scope::Money, Scope::Compute]) } else { kind.widest() };
        let create = CreateKey { id: text.id(), hash: text.hash(), holder, scopes, expires: None, note: "".into(), citizens };
        self.order(by, lab3_trust::Command::CreateKey(create));
        let newest = self.engine.trust().keys().last().unwrap().number;
        if self.keys.len() < 4 {
            let bearer = self.bearer(newest);
            self.keys.push(bearer);
        }
    }

    fn draw(&mut self, kind: Kind) -> KeyText {
        self.drawn += 1;
        KeyText::make(kind, [self.drawn; 8], &[self.drawn; 32])
    }

    fn bearer(&self, number: u32) -> Principal {
        let trust = self.engine.trust();
        let key = trust.key(number).unwrap();
        Principal::Key(Bearer { number, family: key.family, holder: key.holder.clone(), scopes: key.scopes })
    }

    fn order(&mut self, principal: &Principal, command: lab3_trust::Command) {
        let order = Order { principal: principal.clone(), command };
        let submission = self.submission(Actor::of(principal).unwrap(), Command::Trust(Box::new(order)));
        // What stands so already is refused.
        drop(self.runtime.block_on(self.engine.submit(submission)));
    }

    /// Who may pay for a member: her key. What takes an intent of hers is refused here; the tests of the whole desk sign.
    fn payer(&mut self, who: usize) -> Actor {
        match self.asker(who) {
            Actor::Signed => Actor::Open,
            actor => actor,
        }
    }

    /// Who may ask for a member: her key, or her signature.
    fn asker(&mut self, who: usize) -> Actor {
        match self.keys.get(2 + who) {
            Some(key) if who < 2 && self.dice.below(2) == 0 => Actor::of(key).unwrap(),
            Some(_) => Actor::Signed,
            None => {
                if self.keys.is_empty() {
                    Actor::Open
                } else {
                    Actor::Signed
                }
            }
        }
    }

    /// Who may spend a member's allowance: the service too.
    fn user(&mut self, who: usize) -> Actor {
        if self.keys.len() > 1 && self.engine.trust().acts_for(2, &member(who)) && self.dice.below(2) == 0 {
            return Actor::Key(2);
        }
        self.asker(who)
    }

    fn operator(&self) -> Actor {
        self.keys.first().map_or(Actor::Open, |key| Actor::of(key).unwrap())
    }

    fn submission(&mut self, actor: Actor, command: Command) -> Submission {
        let id = Id::from_bytes(((u128::from(self.dice.next()) << 64) | u128::from(self.dice.next())).to_be_bytes());
        let key = (self.dice.below(2) == 0).then_some(Key { id, fingerprint: 1 + self.dice.next() / 2 });
        Submission::new(actor, key, id, command)
    }

    /// Sends a command, whatever becomes of it.
    fn send(&mut self, actor: Actor, command: Command) {
        let submission = self.submission(actor, command);
        drop(self.runtime.block_on(self.engine.submit(submission)));
    }
}

/// The records of a journal in the text of `crates/engine/tests/journal`: a row a line, its first record, how many it holds, its bytes.
pub fn entries_of_rows(text: &str) -> Vec<Vec<u8>> {
    let store = MemoryStore::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let bytes = |hex: &str| (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
        let openings = words.get(3).map(|hex| bytes(hex)).unwrap_or_default();
        let row = Row { first: words[0].parse().unwrap(), len: words[1].parse().unwrap(), body: bytes(words[2]), openings };
        store.journal().unwrap().append(&[row]).unwrap();
    }
    let hive = Hive::on(0, store);
    let entries = hive.entries();
    hive.stop();
    entries
}

fn number(principal: &Principal) -> u32 {
    match principal {
        Principal::Key(bearer) => bearer.number,
        _ => 0,
    }
}

/// The secret of one of the members.
pub fn secret(who: usize) -> [u8; 32] {
    [u8::try_from(who + 1).unwrap(); 32]
}

/// Whose journals these are, when they say so.
pub fn inscription(log_key: [u8; 32]) -> Inscription {
    Inscription { hive: HiveName::parse("Mill").unwrap(), journal: Id::from_bytes([1; 16]), log_key }
}

fn key(who: usize) -> PublicKey {
    PublicKey::of_secret(&secret(who))
}

/// The DID of one of the members.
pub fn member(who: usize) -> Did {
    key(who).to_did().unwrap()
}

fn signing(who: usize) -> Principal {
    Principal::Signed { did: member(who), key: key(who) }
}

fn transfer(from: usize, to: usize, amount: Amount) -> finance::Transfer {
    finance::Transfer { from: member(from), to: member(to), amount, reason: "for tomatoes".into() }
}
