//! The books as one would keep them on paper: a list of accounts, a map of holds, sums in 128 bits, no cleverness.

use std::collections::{BTreeMap, BTreeSet};

use lab3_ledger::Refusal;

/// An account on paper.
#[derive(Clone, Debug, Default)]
pub struct Account {
    pub asset: u8,
    pub overdraft: bool,
    pub ceiling: i128,
    pub balance: i128,
    pub held: i128,
    /// Ids of the open holds, oldest first.
    pub holds: Vec<u16>,
}

impl Account {
    pub fn funds(&self) -> Funds {
        Funds { balance: self.balance, held: self.held }
    }
}

/// What an account has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Funds {
    pub balance: i128,
    pub held: i128,
}

impl Funds {
    /// As the ledger says it, which counts in 64 bits.
    pub fn available(self) -> i64 {
        i64::try_from((self.balance - self.held).clamp(i64::MIN.into(), i64::MAX.into())).unwrap()
    }
}

/// A hold on paper.
#[derive(Clone, Copy, Debug)]
pub struct Hold {
    pub account: usize,
    pub amount: i128,
    pub deadline: i64,
}

/// Why something is refused, without the particulars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    Overdraft,
    Ceiling,
    Overflow,
    NotPositive,
    SameAccount,
    AssetMismatch,
    NoAccount,
    NoHold,
    HoldExists,
    HoldsMax,
}

impl From<&Refusal> for Why {
    fn from(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::Overdraft { .. } => Self::Overdraft,
            Refusal::Ceiling { .. } => Self::Ceiling,
            Refusal::Overflow => Self::Overflow,
            Refusal::NotPositive => Self::NotPositive,
            Refusal::SameAccount => Self::SameAccount,
            Refusal::AssetMismatch => Self::AssetMismatch,
            Refusal::NoAccount(_) => Self::NoAccount,
            Refusal::NoHold(_) => Self::NoHold,
            Refusal::HoldExists(_) => Self::HoldExists,
            Refusal::HoldsMax { .. } => Self::HoldsMax,
        }
    }
}

/// The books on paper, and what is needed to take back a draft.
#[derive(Clone, Debug, Default)]
pub struct Model {
    pub accounts: Vec<Account>,
    pub keys: BTreeMap<(u16, u8, u8), usize>,
    pub holds: BTreeMap<u16, Hold>,
    /// Ids of holds that ended, were placed or were extended in the draft under way: none can end or be extended (again) in it.
    busy: BTreeSet<u16>,
    before: Vec<Before>,
}

#[derive(Clone, Debug)]
enum Before {
    Opened((u16, u8, u8)),
    Account(usize, Account),
    Hold(u16, Option<Hold>),
}

impl Model {
    /// Begins a draft.
    pub fn begin(&mut self) {
        self.before.clear();
        self.busy.clear();
    }

    /// Where the draft under way stands, for [`Model::changed_since`].
    pub fn mark(&self) -> usize {
        self.before.len()
    }

    /// The accounts changed since the mark, and what they have now.
    pub fn changed_since(&self, mark: usize) -> Vec<(usize, Funds)> {
        let changed = self.before[mark..].iter().filter_map(|before| match before {
            Before::Opened(key) => Some(self.keys[key]),
            Before::Account(no, _) => Some(*no),
            Before::Hold(..) => None,
        });
        changed.map(|no| (no, self.accounts[no].funds())).collect()
    }

    /// Takes the draft under way back.
    pub fn give_up(&mut self) {
        while let Some(before) = self.before.pop() {
            match before {
                Before::Opened(key) => {
                    self.keys.remove(&key);
                    self.accounts.pop();
                }
                Before::Account(no, account) => self.accounts[no] = account,
                Before::Hold(id, None) => drop(self.holds.remove(&id)),
                Before::Hold(id, Some(hold)) => drop(self.holds.insert(id, hold)),
            }
        }
    }

    pub fn open(&mut self, key: (u16, u8, u8), overdraft: bool, ceiling: i64) -> usize {
        if let Some(&no) = self.keys.get(&key) {
            return no;
        }
        self.before.push(Before::Opened(key));
        self.keys.insert(key, self.accounts.len());
        self.accounts.push(Account { asset: key.1, overdraft, ceiling: ceiling.into(), ..Account::default() });
        self.accounts.len() - 1
    }

    /// Every reason that speaks against it; done when there is none.
    pub fn transfer(&mut self, from: usize, to: usize, amount: i128) -> Vec<Why> {
        let mut against = self.against_moving(from, to, amount, 0);
        if amount <= 0 {
            against.push(Why::NotPositive);
        }
        if against.is_empty() {
            self.account(from).balance -= amount;
            self.account(to).balance += amount;
        }
        against
    }

    pub fn hold(&mut self, id: u16, account: usize, amount: i128, deadline: i64, open_max: u32) -> Vec<Why> {
        let mut against = Vec::new();
        let mut refuse = |holds: bool, why| {
            if holds {
                against.push(why);
            }
        };
        refuse(amount < 0, Why::NotPositive);
        refuse(self.holds.contains_key(&id) || self.busy.contains(&id), Why::HoldExists);
        match self.accounts.get(account) {
            None => refuse(true, Why::NoAccount),
            Some(found) => {
                refuse(found.holds.len() >= usize::try_from(open_max).unwrap(), Why::HoldsMax);
                refuse(!found.overdraft && found.balance - found.held < amount, Why::Overdraft);
                refuse(found.held + amount > i64::MAX.into(), Why::Overflow);
            }
        }
        if against.is_empty() {
            let place = self.account(account);
            place.held += amount;
            place.holds.push(id);
            self.before.push(Before::Hold(id, None));
            self.holds.insert(id, Hold { account, amount, deadline });
            self.busy.insert(id);
        }
        against
    }

    pub fn extend(&mut self, id: u16, by: i128, deadline: i64) -> Vec<Why> {
        let mut against = if by < 0 { vec![Why::NotPositive] } else { Vec::new() };
        let Some(hold) = self.ending(id) else {
            against.push(Why::NoHold);
            return against;
        };
        let account = &self.accounts[hold.account];
        if !account.overdraft && account.balance - account.held < by {
            against.push(Why::Overdraft);
        }
        if account.held + by > i64::MAX.into() {
            against.push(Why::Overflow);
        }
        if against.is_empty() {
            self.account(hold.account).held += by;
            self.before.push(Before::Hold(id, Some(hold)));
            self.holds.insert(id, Hold { amount: hold.amount + by, deadline, ..hold });
            self.busy.insert(id);
        }
        against
    }

    pub fn settle(&mut self, id: u16, to: usize, amount: i128) -> Vec<Why> {
        let Some(hold) = self.ending(id) else { return if amount < 0 { vec![Why::NoHold, Why::NotPositive] } else { vec![Why::NoHold] } };
        let mut against = self.against_moving(hold.account, to, amount, hold.amount);
        if amount < 0 {
            against.push(Why::NotPositive);
        }
        if against.is_empty() {
            self.end(id, hold);
            self.account(hold.account).balance -= amount;
            self.account(to).balance += amount;
        }
        against
    }

    /// Release and expiry are the same to the books.
    pub fn free(&mut self, id: u16) -> Vec<Why> {
        let Some(hold) = self.ending(id) else { return vec![Why::NoHold] };
        self.end(id, hold);
        Vec::new()
    }

    /// Frees every hold whose deadline has passed, in a draft of its own; says which.
    pub fn expire_due(&mut self, now: i64) -> Vec<u16> {
        self.begin();
        let due = self.holds.iter().filter(|(_, hold)| hold.deadline <= now).map(|(&id, _)| id).collect::<Vec<_>>();
        for &id in &due {
            self.free(id);
        }
        due
    }

    fn against_moving(&self, from: usize, to: usize, amount: i128, freed: i128) -> Vec<Why> {
        let mut against = Vec::new();
        let mut refuse = |holds: bool, why| {
            if holds {
                against.push(why);
            }
        };
        refuse(from == to, Why::SameAccount);
        let (Some(debit), Some(credit)) = (self.accounts.get(from), self.accounts.get(to)) else {
            refuse(true, Why::NoAccount);
            return against;
        };
        refuse(debit.asset != credit.asset, Why::AssetMismatch);
        refuse(!debit.overdraft && debit.balance - debit.held + freed < amount, Why::Overdraft);
        refuse(credit.balance + amount > credit.ceiling, Why::Ceiling);
        refuse(credit.balance + amount > i64::MAX.into() || debit.balance - amount < i64::MIN.into(), Why::Overflow);
        against
    }

    fn ending(&self, id: u16) -> Option<Hold> {
        self.holds.get(&id).copied().filter(|_| !self.busy.contains(&id))
    }

    fn end(&mut self, id: u16, hold: Hold) {
        self.before.push(Before::Hold(id, Some(hold)));
        self.holds.remove(&id);
        self.busy.insert(id);
        let account = self.account(hold.account);
        account.held -= hold.amount;
        account.holds.retain(|&other| other != id);
    }

    fn account(&mut self, no: usize) -> &mut Account {
        self.before.push(Before::Account(no, self.accounts[no].clone()));
        &mut self.accounts[no]
    }
}
