//! The same Hives under treasurers: two of three sign, with keys in their names and with registered ones.

use lab3_engine::{Actor, Command, Key, Order, Submission, Will};
use lab3_finance::{Grant, Mint};
use lab3_trust::{
    Act, Approval, Change, ChangeDidKeys, ChangePolicy, Countersign, DidKeyEvent, Freeze, HiveName, Inscription, Intent, MemoHash,
    NameTreasurers, Note, PolicyLines, Principal, PublicKey, Signature, Statement, Treasurers,
};
use lab3_units::{Amount, Did, Duration, Id, Time};

use super::{Hive, member};

const SALT: [u8; 16] = [0x5a; 16];

/// Treasurers by their secrets, 32 of the same byte: of 31 the key is in his name, that of 32 is registered here, that of 33 was noted.
pub fn treasurer(secret: u8) -> Did {
    match secret {
        32 => Did::parse("did:kaizen:carol").unwrap(),
        33 => Did::parse("did:web:example.org").unwrap(),
        _ => key(secret).to_did().unwrap(),
    }
}

fn key(secret: u8) -> PublicKey {
    PublicKey::of_secret(&[secret; 32])
}

fn sign(secret: u8, text: &str) -> Signature {
    Signature::sign(&[secret; 32], text.as_bytes())
}

/// What these sign for the statement. Knows no state: they may be none.
pub fn approval(statement: &Statement, secrets: &[u8]) -> Approval {
    let sign = |&secret: &u8| Countersign { treasurer: treasurer(secret), key: key(secret), signature: sign(secret, &statement.text()) };
    Approval { not_after: statement.not_after, signatures: secrets.iter().map(sign).collect() }
}

/// The statement of that id, good for an hour and some milliseconds after `now`.
pub fn statement(id: Id, now: Time, act: Act) -> Statement {
    let not_after = Time::from_millis(now.after(Duration::from_secs(3600)).millis() + 70);
    Statement { hive: HiveName::parse("Mill").unwrap(), journal: Id::from_bytes([1; 16]), id, not_after, act }
}

impl Hive {
    /// Inscribes the closed Hive's journal, with the key that signs its log, and names its treasurers.
    pub fn govern(&mut self, log_key: [u8; 32]) {
        let operator = self.keys[0].clone();
        let inscription = Inscription { hive: HiveName::parse("Mill").unwrap(), journal: Id::from_bytes([1; 16]), log_key };
        self.order(&Principal::Desk, inscription.into());
        self.enrol(1, Change::Add(key(40)), 40);
        self.enrol(2, Change::Rotate { old: key(40), new: key(32) }, 40);
        let note =
            Note { did: treasurer(33), url: "https://example.org/.well-known/did.json".into(), document: [0; 32], keys: vec![key(33)] };
        self.order(&operator, note.into());
        let lines = PolicyLines::new([("trust.unsigned_max_gic", "2")]).unwrap();
        self.order(&operator, ChangePolicy { lines, approval: None }.into());
        let treasurers = Treasurers::new(2, [31, 32, 33].map(treasurer)).unwrap();
        self.order(&operator, NameTreasurers { treasurers, approval: None }.into());
        assert!(self.engine.trust().treasurers().is_some());
    }

    /// Everything treasurers decide, once, and a freeze of the operator's.
    pub fn decide_together(&mut self) {
        self.mint_together(&[31, 32]);
        self.mint_together(&[33, 31]);
        let (amount, project) = (Amount::new(70_000), "beds");
        let act = Act::Grant { to: member(1), amount, memo: Some(MemoHash::of(&SALT, project)) };
        let grant = Grant { recipient: member(1), amount, project: project.into(), approved: true };
        self.will(Command::Grant(grant), act, &[32, 33, 31]);
        let lines = PolicyLines::new([("finance.epoch_reward_gic", "5"), ("log.readers", "auditors")]).unwrap();
        self.deed(Act::Policy(lines.clone()), &[31, 33], |approval| ChangePolicy { lines, approval }.into());
        let operator = self.keys[0].clone();
        let freeze = |hours, approval| Freeze { citizen: member(3), hours, reason: "stolen".into(), approval };
        self.order(&operator, freeze(2, None).into());
        for hours in [3, 72] {
            let act = Act::Freeze { citizen: member(3), hours, reason: "stolen".into() };
            self.deed(act, &[32, 33], |approval| freeze(hours, approval).into());
        }
        let next = Treasurers::new(1, [31, 34].map(treasurer)).unwrap();
        self.deed(Act::Treasurers(next.clone()), &[31, 32], |approval| NameTreasurers { treasurers: next, approval }.into());
        self.mint_together(&[34]);
    }

    pub fn mint_together(&mut self, secrets: &[u8]) {
        let (to, amount, reason) = (member(0), Amount::new(90_000_000), "welcome");
        let act = Act::Mint { to: to.clone(), amount, memo: Some(MemoHash::of(&SALT, reason)) };
        self.will(Command::Mint(Mint { to, amount, reason: reason.into() }), act, secrets);
    }

    fn will(&mut self, command: Command, act: Act, secrets: &[u8]) {
        let statement = self.stated(act);
        let verified = approval(&statement, secrets).verify(&statement).unwrap();
        self.take(statement.id, command, Some(Will::Approval(verified, Some(SALT))));
    }

    fn deed(&mut self, act: Act, secrets: &[u8], command: impl FnOnce(Option<lab3_trust::Verified<Approval>>) -> lab3_trust::Command) {
        let statement = self.stated(act);
        let verified = approval(&statement, secrets).verify(&statement).unwrap();
        let order = Order { principal: Principal::Nobody, command: command(Some(verified)) };
        self.take(statement.id, Command::Trust(Box::new(order)), None);
    }

    fn stated(&mut self, act: Act) -> Statement {
        statement(Id::from_bytes([&self.dice.next().to_be_bytes()[..]; 2].concat().try_into().unwrap()), self.engine.now(), act)
    }

    /// Does it, which must go well.
    fn take(&mut self, id: Id, command: Command, will: Option<Will>) {
        let submission =
            Submission { actor: Actor::Signed, id, key: Some(Key { id, fingerprint: 7 }), command, draw: None, will: will.map(Box::new) };
        self.runtime.block_on(self.engine.submit(submission)).unwrap();
    }

    /// Changes the keys of the treasurer whose DID has registered ones; the operator answers for the first.
    fn enrol(&mut self, number: u32, change: Change, secret: u8) {
        let event = DidKeyEvent { did: treasurer(32), number, change, recovery: None };
        let statement = self.stated(Act::DidKey(event.clone()));
        let (not_after, signature) = (statement.not_after, sign(secret, &statement.text()));
        let intent = Intent { not_after, fee_max: Amount::ZERO, key: key(secret), signature }.verify(&statement).unwrap();
        let principal = self.keys[0].clone();
        let order = Order { principal: principal.clone(), command: Box::new(ChangeDidKeys { event, intent }).into() };
        let submission = Submission::new(Actor::of(&principal).unwrap(), None, statement.id, Command::Trust(Box::new(order)));
        self.runtime.block_on(self.engine.submit(submission)).unwrap();
    }
}
