//! Plays steps on the model alone, and writes down each call of the last step and what must come of it.
//!
//! What a step means (which account, how much) is worked out here, from the model as it then stands. So every step can be played
//! after any other, and a failing game can lose any of its steps.

use std::cell::Cell;
use std::marker::PhantomData;
use std::rc::Rc;

use lab3_ledger::{Limits, Settlement};
use lab3_units::Amount;
use proptest::prelude::*;
use proptest_state_machine::ReferenceStateMachine;

use super::call::{Call, account_no, id_of};
use super::model::{Funds, Model, Why};
use super::step::{Key, Operation, Size, Step, step};
use super::world::World;

/// Accounts, and what they have now.
pub type Changed = Vec<(usize, Funds)>;

/// A call, and what must come of it.
#[derive(Clone, Debug)]
pub struct Written {
    pub call: Call,
    /// Every reason that speaks against it; it is refused for one of them, or allowed when there is none.
    pub against: Vec<Why>,
    /// How the hold is paid out when it is allowed, of a call that ends one.
    pub paid: Option<Settlement>,
    /// The accounts it changed, and what they have after it.
    pub changed: Changed,
}

/// The model after a step, and how the step went.
#[derive(Clone, Debug)]
pub struct Paper {
    pub model: Model,
    pub now: i64,
    /// What was due in the last step and expired, when it let that happen; and the accounts that changed.
    pub expired: Option<(Vec<u16>, Changed)>,
    /// The calls of the last step's draft, up to the one at which it was given up.
    pub written: Vec<Written>,
    pub given_up: bool,
    /// Calls in all. Shared with whoever counts the operations.
    pub calls: Rc<Cell<u64>>,
    /// Any step. Kept, so that it is not put together anew for every step.
    any_step: BoxedStrategy<Step>,
}

impl Paper {
    /// A game of that world as it begins.
    pub fn new<W: World>() -> Self {
        let mut paper = Self {
            model: Model::default(),
            now: 0,
            expired: None,
            written: Vec::new(),
            given_up: false,
            calls: Rc::default(),
            any_step: step::<W>().boxed(),
        };
        paper.play(&beginning::<W>());
        paper
    }

    /// Plays one step.
    pub fn play(&mut self, step: &Step) {
        self.now += i64::from(step.passes);
        self.expired = step.expire_due.then(|| (self.model.expire_due(self.now), self.model.changed_since(0)));
        self.model.begin();
        self.written.clear();
        self.given_up = false;
        for operation in &step.operations {
            let mark = self.model.mark();
            let (call, paid, against) = self.attempt(operation);
            self.given_up = step.linked && !against.is_empty();
            self.written.push(Written { call, against, paid, changed: self.model.changed_since(mark) });
            if self.given_up {
                self.model.give_up();
                break;
            }
        }
        self.calls.set(self.calls.get() + self.written.len() as u64);
    }

    /// Works out what the operation means, and tries it on the model.
    fn attempt(&mut self, operation: &Operation) -> (Call, Option<Settlement>, Vec<Why>) {
        match *operation {
            Operation::Open { account, overdraft, ceiling } => {
                let opened = account_no(self.model.open(account, overdraft, ceiling));
                (Call::Open { account, limits: Limits { overdraft, ceiling: Amount::new(ceiling) }, opened }, None, Vec::new())
            }
            Operation::Transfer { from, to, amount } => {
                let (from, to) = (self.place(from), self.place(to));
                let amount = self.units(amount, from, to, None);
                (Call::transfer(from, to, amount), None, self.model.transfer(from, to, amount.into()))
            }
            Operation::Hold { id, account, amount, lasts, open_max } => {
                let (account, deadline) = (self.place(account), self.now + i64::from(lasts));
                let amount = self.units(amount, account, account, Some(id));
                let against = self.model.hold(id, account, amount.into(), deadline, open_max);
                (Call::hold(id, account, amount, deadline, open_max), None, against)
            }
            Operation::Settle { id, to, amount } => {
                let to = self.place(to);
                let payer = self.model.holds.get(&id).map_or(to, |hold| hold.account);
                let amount = self.units(amount, payer, to, Some(id));
                let paid = self.paid(id, amount);
                (Call::settle(id, to, amount), Some(paid), self.model.settle(id, to, amount.into()))
            }
            Operation::Extend { id, by, lasts } => {
                let account = self.model.holds.get(&id).map_or(usize::MAX, |hold| hold.account);
                let (by, deadline) = (self.units(by, account, account, Some(id)), self.now + i64::from(lasts));
                (Call::extend(id, by, deadline), None, self.model.extend(id, by.into(), deadline))
            }
            Operation::Release { id } => (Call::Release(id_of(id)), Some(self.paid(id, 0)), self.model.free(id)),
            Operation::Expire { id } => (Call::Expire(id_of(id)), Some(self.paid(id, 0)), self.model.free(id)),
        }
    }

    /// How the hold is paid out when it ends and so much is taken.
    fn paid(&self, id: u16, taken: i64) -> Settlement {
        let held = self.model.holds.get(&id).map_or(0, |hold| i64::try_from(hold.amount).unwrap());
        let from_hold = taken.min(held);
        let rest = |whole: i64| Amount::new(whole.saturating_sub(from_hold));
        Settlement { from_hold: Amount::new(from_hold), beyond: rest(taken), freed: rest(held) }
    }

    /// The account's number; one that is not open gets a number no account has.
    fn place(&self, account: Key) -> usize {
        self.model.keys.get(&account).copied().unwrap_or(1 << 20)
    }

    fn units(&self, size: Size, payer: usize, payee: usize, id: Option<u16>) -> i64 {
        let model = &self.model;
        let available = model.accounts.get(payer).map_or(0, |account| account.balance - account.held);
        let hold = id.and_then(|id| model.holds.get(&id)).map_or(0, |hold| hold.amount);
        let room = model.accounts.get(payee).map_or(0, |account| account.ceiling - account.balance);
        let units = match size {
            Size::Units(units) => units.into(),
            Size::Available(more) => available + i128::from(more),
            Size::Hold(more) => hold + i128::from(more),
            Size::HoldAndAvailable(more) => hold + available + i128::from(more),
            Size::Room(more) => room + i128::from(more),
        };
        i64::try_from(units.clamp(i64::MIN.into(), i64::MAX.into())).unwrap()
    }
}

/// Every owner has a wallet of each asset, every fourth owner's may be overdrawn, and there are some holds.
fn beginning<W: World>() -> Step {
    let overdraft = |owner: u16| owner.is_multiple_of(4);
    let wallet = |number: u16| {
        let (owner, asset) = (number / 2, u8::from(number % 2 == 1));
        Operation::Open { account: (owner, asset, 0), overdraft: overdraft(owner), ceiling: i64::MAX }
    };
    let hold = |id: u16| {
        let (owner, lasts) = (id % W::OWNERS, id.wrapping_mul(31) % W::LASTS_MAX);
        let amount = Size::Units(if overdraft(owner) { 5 } else { 0 });
        Operation::Hold { id, account: (owner, 0, 0), amount, lasts, open_max: u32::MAX }
    };
    let operations = (0..W::OWNERS * 2).map(wallet).chain((0..W::HOLDS_FIRST).map(hold)).collect();
    Step { passes: 0, expire_due: false, linked: false, operations }
}

/// The model as the library knows it, for games in that world.
pub struct OnPaper<W>(PhantomData<W>);

impl<W: World> ReferenceStateMachine for OnPaper<W> {
    type State = Paper;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Paper> {
        Just(Paper::new::<W>()).boxed()
    }

    fn transitions(paper: &Paper) -> BoxedStrategy<Step> {
        paper.any_step.clone()
    }

    fn apply(mut paper: Paper, step: &Step) -> Paper {
        paper.play(step);
        paper
    }
}
