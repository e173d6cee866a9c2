//! What an honest Hive lives through: open at first, then closed; money, compute, keys, treasurers, signed intents, an epoch, refusals.

use lab3_compute as compute;
use lab3_engine::{Actor, Command, Committed, Key, Order, Submission, Will};
use lab3_finance as finance;
use lab3_trust::{
    Act, Approval, Bearer, Change, ChangeDidKeys, CreateKey, DidKeyEvent, Freeze, Holder, Intent, KeyText, Kind, MemoHash, NameTreasurers,
    Principal, PublicKey, RotateKey, Scope, Scopes, Signature, Statement, Thaw, Treasurers,
};
use lab3_units::{Amount, Did, Duration, Id, Problem};

use crate::desk::Desk;
use crate::dice::Dice;

/// Members whose name is their key, and one with keys in the Hive's registry.
pub const MEMBERS: usize = 5;
const DORA: &str = "did:kaizen:dora";
const SALT: [u8; 16] = [3; 16];

/// A member's secret.
pub fn secret(who: usize) -> [u8; 32] {
    [u8::try_from(who + 1).unwrap(); 32]
}

pub fn key(who: usize) -> PublicKey {
    PublicKey::of_secret(&secret(who))
}

pub fn member(who: usize) -> Did {
    key(who).to_did().unwrap()
}

fn dora() -> Did {
    Did::parse(DORA).unwrap()
}

/// A life on a desk.
pub struct Life<'a> {
    pub desk: &'a Desk,
    pub dice: Dice,
    allocations: Vec<(Actor, Id, usize)>,
}

impl<'a> Life<'a> {
    pub fn on(desk: &'a Desk, seed: u64) -> Self {
        Self { desk, dice: Dice::new(seed), allocations: Vec::new() }
    }

    /// The Hive's first days: nobody is named.
    pub fn open(&mut self) {
        for who in 0..MEMBERS {
            self.mint(Actor::Open, &member(who), None).unwrap();
        }
        self.mint(Actor::Open, &dora(), None).unwrap();
        for _ in 0..60 {
            let (who, other) = (self.dice.below(MEMBERS), self.dice.below(MEMBERS));
            self.day(Actor::Open, who, other);
        }
        self.batch();
        drop(self.send(Actor::Open, Command::CloseEpoch(finance::CloseEpoch { epoch: None })));
    }

    /// Keys, and everything that happens with them.
    pub fn close(&mut self) {
        self.make(&Principal::Local, Holder::Operator, 1);
        let operator = self.bearer(1);
        self.make(&operator, Holder::Service { daily_cap: Amount::new(300_000_000) }, 2);
        self.make(&operator, Holder::Auditor, 3);
        for who in 0..2 {
            let number = u8::try_from(4 + who).unwrap();
            self.make(&Principal::Signed { did: member(who), key: key(who) }, Holder::Citizen(member(who)), number);
        }
        self.register(&operator, Change::Add(key(9)), 9);
        self.register(&operator, Change::Rotate { old: key(9), new: key(10) }, 9);
        let treasurers = Treasurers::new(2, (0..3).map(member)).unwrap();
        self.order(&operator, NameTreasurers { treasurers, approval: None }.into()).unwrap();
        for _ in 0..60 {
            self.signed_day();
        }
        let text = KeyText::make(Kind::Operator, [6; 8], &[6; 32]);
        self.order(&operator, RotateKey { number: 1, id: text.id(), hash: text.hash(), overlap: None }.into()).unwrap();
        let operator = self.bearer(self.desk.engine.trust().keys().last().unwrap().number);
        self.freeze(&operator);
        for _ in 0..60 {
            self.signed_day();
        }
    }

    /// Days like those before.
    pub fn live_on(&mut self, days: usize) {
        for _ in 0..days {
            self.signed_day();
        }
    }

    /// Something that may be refused.
    fn day(&mut self, actor: Actor, who: usize, other: usize) {
        let amount = self.amount(2_000_000);
        match self.dice.below(10) {
            0..=3 => drop(self.send(actor, Command::Transfer(transfer(who, other, amount)))),
            4 => {
                let items = (0..3).map(|at| (None, transfer(who, at, amount))).collect();
                drop(self.send(actor, Command::TransferLinked(items)));
            }
            5 => drop(self.send(actor, Command::Contribute(contribute(who, amount)))),
            6 => drop(self.send_keyed(actor, Command::Transfer(transfer(who, other, Amount::new(i64::MAX / 4))))),
            7 => self.desk.clock.advance(Duration::from_secs(60)),
            _ => self.compute(actor, who),
        }
    }

    /// A day of the closed Hive: payments are signed, compute is asked for by the service or by signature.
    fn signed_day(&mut self) {
        let (who, other) = (self.dice.below(MEMBERS), self.dice.below(MEMBERS));
        let amount = self.amount(900_000);
        let to = if self.dice.below(5) == 0 { dora() } else { member(other) };
        match self.dice.below(10) {
            0..=3 => drop(self.pay(&member(who), &to, amount, who)),
            4 => drop(self.pay(&dora(), &member(other), Amount::new(amount.units() % 50_000 + 1), 10)),
            5 => drop(self.contribute(who, amount)),
            6 => drop(self.mint(Actor::Signed, &member(other), Some([0, 2]))),
            7 => drop(self.grant(other, amount)),
            8 => self.compute(if who < 2 { Actor::Key(2) } else { Actor::Signed }, who),
            _ => self.desk.clock.advance(Duration::from_secs(30)),
        }
    }

    fn compute(&mut self, actor: Actor, who: usize) {
        let ends = self.allocations.len() > 3;
        if ends {
            let (actor, allocation, who) = self.allocations.remove(self.dice.below(3));
            let command = if self.dice.below(2) == 0 { Command::Release(allocation) } else { Command::Report(report(who, allocation)) };
            drop(self.send(actor, command));
            return;
        }
        let asked = compute::Allocate {
            citizen: member(who),
            tokens: 1 + self.dice.bits() % 3000,
            priority: compute::Priority::QualityOptimized,
            min_quality: None,
            max_cost: None,
            preferred: Some("anthropic_claude".into()),
            explain: false,
        };
        if let Ok(done) = self.send(actor, Command::Allocate(asked)) {
            self.allocations.push((actor, done.stored.record.id, who));
        }
    }

    /// Several transfers under one key, which are records of their own.
    fn batch(&mut self) {
        let key = Key { id: self.id(), fingerprint: 77 };
        let item = |who| Submission::new(Actor::Open, None, self.id(), Command::Transfer(transfer(who, who + 1, Amount::new(7))));
        let items = (0..4).map(item).collect();
        self.desk.wait(self.desk.engine.submit_batch(Some((Actor::Open, key)), items)).unwrap();
    }

    /// A payment signed with the key of `signer`.
    pub fn pay(&mut self, from: &Did, to: &Did, amount: Amount, signer: usize) -> Result<Committed, Problem> {
        let (id, fee_max, memo) = (self.id(), Amount::new(100_000), "for tomatoes");
        let act = Act::Transfer { from: from.clone(), to: to.clone(), amount, fee_max, memo: Some(MemoHash::of(&SALT, memo)) };
        let will = self.intent(id, act, fee_max, signer);
        let transfer = finance::Transfer { from: from.clone(), to: to.clone(), amount, reason: memo.into() };
        self.submit(Submission { will: Some(will), ..Submission::new(Actor::Signed, None, id, Command::Transfer(transfer)) })
    }

    fn contribute(&mut self, who: usize, amount: Amount) -> Result<Committed, Problem> {
        let (id, given) = (self.id(), contribute(who, amount));
        let act = Act::Contribute { from: member(who), amount, memo: Some(MemoHash::of(&SALT, &given.reason)) };
        let will = self.intent(id, act, Amount::ZERO, who);
        self.submit(Submission { will: Some(will), ..Submission::new(Actor::Signed, None, id, Command::Contribute(given)) })
    }

    /// New money, signed by treasurers when there are.
    pub fn mint(&mut self, actor: Actor, to: &Did, treasurers: Option<[usize; 2]>) -> Result<Committed, Problem> {
        let (id, amount, reason) = (self.id(), Amount::new(90_000_000), "welcome");
        let act = Act::Mint { to: to.clone(), amount, memo: Some(MemoHash::of(&SALT, reason)) };
        let will = treasurers.map(|who| self.approval(id, act, &who));
        let mint = finance::Mint { to: to.clone(), amount, reason: reason.into() };
        self.submit(Submission { will, ..Submission::new(actor, None, id, Command::Mint(mint)) })
    }

    fn grant(&mut self, to: usize, amount: Amount) -> Result<Committed, Problem> {
        let (id, project) = (self.id(), "beds");
        let act = Act::Grant { to: member(to), amount, memo: Some(MemoHash::of(&SALT, project)) };
        let will = Some(self.approval(id, act, &[0, 1]));
        let grant = finance::Grant { recipient: member(to), amount, project: project.into(), approved: true };
        self.submit(Submission { will, ..Submission::new(Actor::Signed, None, id, Command::Grant(grant)) })
    }

    fn statement(&self, id: Id, act: Act) -> Statement {
        let trust = self.desk.engine.trust();
        let ours = trust.inscription().unwrap();
        Statement { hive: ours.hive.clone(), journal: ours.journal, id, not_after: self.desk.now().after(Duration::from_secs(3600)), act }
    }

    fn intent(&self, id: Id, act: Act, fee_max: Amount, signer: usize) -> Box<Will> {
        let statement = self.statement(id, act);
        let signature = Signature::sign(&secret(signer), statement.text().as_bytes());
        let intent = Intent { not_after: statement.not_after, fee_max, key: key(signer), signature };
        Box::new(Will::Intent(intent.verify(&statement).unwrap(), Some(SALT)))
    }

    fn approval(&self, id: Id, act: Act, who: &[usize]) -> Box<Will> {
        let statement = self.statement(id, act);
        let sign = |&who: &usize| lab3_trust::Countersign {
            treasurer: member(who),
            key: key(who),
            signature: Signature::sign(&secret(who), statement.text().as_bytes()),
        };
        let approval = Approval { not_after: statement.not_after, signatures: who.iter().map(sign).collect() };
        Box::new(Will::Approval(approval.verify(&statement).unwrap(), Some(SALT)))
    }

    /// An event in the life of Dora's keys.
    fn register(&mut self, operator: &Principal, change: Change, signer: usize) {
        let (id, did) = (self.id(), dora());
        let event = DidKeyEvent { number: self.desk.engine.trust().next_event(&did), did, change, recovery: None };
        let statement = self.statement(id, Act::DidKey(event.clone()));
        let signature = Signature::sign(&secret(signer), statement.text().as_bytes());
        let intent = Intent { not_after: statement.not_after, fee_max: Amount::ZERO, key: key(signer), signature };
        let change = Box::new(ChangeDidKeys { event, intent: intent.verify(&statement).unwrap() });
        let order = Order { principal: operator.clone(), command: change.into() };
        self.submit(Submission::new(Actor::of(operator).unwrap(), None, id, Command::Trust(Box::new(order)))).unwrap();
    }

    fn freeze(&mut self, operator: &Principal) {
        let freeze = Freeze { citizen: member(4), hours: 2, reason: "her telephone was stolen".into(), approval: None };
        self.order(operator, freeze.into()).unwrap();
        self.order(operator, Thaw { citizen: member(4), reason: "it was found".into() }.into()).unwrap();
    }

    fn make(&mut self, by: &Principal, holder: Holder, number: u8) {
        let kind = holder.kind();
        let text = KeyText::make(kind, [number; 8], &[number; 32]);
        let scopes = if kind == Kind::Citizen { Scopes::of(&[Scope::Read, Scope::Money, Scope::Compute]) } else { kind.widest() };
        let citizens = if kind == Kind::Service { vec![member(0), member(1)] } else { Vec::new() };
        let create = CreateKey { id: text.id(), hash: text.hash(), holder, scopes, expires: None, note: "".into(), citizens };
        self.order(by, create.into()).unwrap();
    }

    pub fn bearer(&self, number: u32) -> Principal {
        let trust = self.desk.engine.trust();
        let key = trust.key(number).unwrap();
        Principal::Key(Bearer { number, family: key.family, holder: key.holder.clone(), scopes: key.scopes })
    }

    fn order(&mut self, principal: &Principal, command: lab3_trust::Command) -> Result<Committed, Problem> {
        let order = Order { principal: principal.clone(), command };
        self.send(Actor::of(principal).unwrap(), Command::Trust(Box::new(order)))
    }

    fn send(&mut self, actor: Actor, command: Command) -> Result<Committed, Problem> {
        let id = self.id();
        self.submit(Submission::new(actor, None, id, command))
    }

    fn send_keyed(&mut self, actor: Actor, command: Command) -> Result<Committed, Problem> {
        let key = Key { id: self.id(), fingerprint: 1 + self.dice.bits() / 2 };
        self.submit(Submission::new(actor, Some(key), key.id, command))
    }

    fn submit(&self, submission: Submission) -> Result<Committed, Problem> {
        self.desk.wait(self.desk.engine.submit(submission))
    }

    fn id(&mut self) -> Id {
        Id::from_bytes((u128::from(self.dice.bits()) << 64 | u128::from(self.dice.bits())).to_be_bytes())
    }

    fn amount(&mut self, most: usize) -> Amount {
        Amount::new(i64::try_from(1 + self.dice.below(most)).unwrap())
    }
}

fn transfer(from: usize, to: usize, amount: Amount) -> finance::Transfer {
    finance::Transfer { from: member(from), to: member(to), amount, reason: "for bread".into() }
}

fn contribute(who: usize, amount: Amount) -> finance::Contribute {
    finance::Contribute { from: member(who), amount, reason: "thanks".into() }
}

fn report(who: usize, allocation: Id) -> compute::Report {
    compute::Report {
        citizen: member(who),
        provider: "anthropic_claude".into(),
        actual_cost: Amount::new(5000),
        success: true,
        allocation: Some(allocation),
        input_tokens: Some(7),
        output_tokens: None,
        latency_ms: Some(1200),
        late: None,
    }
}
