//! A draft: the changes one command wants to make, checked against the books and each other before anything is real.
//!
//! All of a draft's events happen or none: linked transfers are simply several calls on one draft.

use hashbrown::{HashMap, HashSet};
use lab3_units::{Amount, Asset, Id, Owner, Time};

use crate::account::{Account, AccountNo, Limits, Purpose};
use crate::event::{Event, HoldEnd, Kind};
use crate::hold::{Hold, PlaceHold};
use crate::state::Ledger;

/// Why the books refuse a change. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The account has less available than needed.
    #[error("{needed:?} needed, {available:?} available")]
    Overdraft {
        /// The account that has too little.
        account: AccountNo,
        /// What was asked for.
        needed: Amount,
        /// What it has, neither spent nor held.
        available: Amount,
    },
    /// The account's balance would pass its ceiling.
    #[error("the balance would pass the ceiling of {ceiling:?}")]
    Ceiling {
        /// The account credited.
        account: AccountNo,
        /// The highest balance it may have.
        ceiling: Amount,
    },
    /// A sum would not fit 64 bits.
    #[error("the sum is too large to count")]
    Overflow,
    /// The amount is zero or negative where that makes no sense.
    #[error("the amount must be more than zero")]
    NotPositive,
    /// From and to are the same account.
    #[error("an account cannot pay itself")]
    SameAccount,
    /// From and to count different things.
    #[error("the accounts count different assets")]
    AssetMismatch,
    /// There is no such account.
    #[error("there is no account {}", .0.0)]
    NoAccount(AccountNo),
    /// There is no such open hold: it never was, or has ended.
    #[error("there is no such open hold")]
    NoHold(Id),
    /// A hold of that id is open already.
    #[error("a hold of that id is open already")]
    HoldExists(Id),
    /// As many holds are open on the account as may be.
    #[error("{open_max} holds are open on the account, and no more may be")]
    HoldsMax {
        /// How many may be.
        open_max: u32,
    },
}

/// A request to move an amount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer<'a> {
    /// The account to debit.
    pub from: AccountNo,
    /// The account to credit.
    pub to: AccountNo,
    /// How much, more than nothing.
    pub amount: Amount,
    /// What for.
    pub kind: Kind,
    /// The sender's words, or nothing.
    pub memo: &'a str,
}

/// How a settlement was paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// What the hold paid.
    pub from_hold: Amount,
    /// What was taken from what was available beyond the hold.
    pub beyond: Amount,
    /// What the hold had set aside and was not needed.
    pub freed: Amount,
}

/// What an account will be when the draft is applied.
#[derive(Clone, Copy, Debug)]
struct Standing {
    account: AccountNo,
    asset: Asset,
    limits: Limits,
    balance: Amount,
    held: Amount,
    holds_len: u32,
}

impl Standing {
    fn of(no: AccountNo, account: &Account) -> Self {
        let Account { asset, limits, balance, held, holds_len, .. } = *account;
        Self { account: no, asset, limits, balance, held, holds_len }
    }

    fn available(&self) -> Amount {
        self.balance.saturating_sub(self.held)
    }
}

/// Accounts a draft touches before it looks them up by hash instead of one by one.
const LINEAR_MAX: usize = 16;

/// The changes one command wants to make.
#[derive(Debug)]
pub struct Draft<'a> {
    ledger: &'a Ledger,
    events: Vec<Event>,
    standings: Vec<Standing>,
    /// Where an account's standing is, once there are more than [`LINEAR_MAX`].
    places: HashMap<AccountNo, usize>,
    opened: HashMap<(Owner, Asset, Purpose), AccountNo>,
    /// Holds this draft places, and holds it ends or extends: each once.
    placed: HashSet<Id>,
    touched: HashSet<Id>,
}

impl<'a> Draft<'a> {
    /// A draft that changes nothing yet.
    pub fn new(ledger: &'a Ledger) -> Self {
        Self {
            ledger,
            events: Vec::with_capacity(3),
            standings: Vec::with_capacity(4),
            places: HashMap::new(),
            opened: HashMap::new(),
            placed: HashSet::new(),
            touched: HashSet::new(),
        }
    }

    /// The events, in the order they must be applied.
    pub fn into_events(self) -> Vec<Event> {
        self.events
    }

    /// The owner's account, if it is open or this draft opens it.
    pub fn find(&self, owner: &Owner, asset: Asset, purpose: Purpose) -> Option<AccountNo> {
        let found = self.ledger.find(owner.as_str(), asset, purpose);
        if found.is_some() || self.opened.is_empty() {
            return found;
        }
        self.opened.get(&(owner.clone(), asset, purpose)).copied()
    }

    /// The owner's account; opens it with these limits when there is none.
    pub fn open(&mut self, owner: &Owner, asset: Asset, purpose: Purpose, limits: Limits) -> AccountNo {
        if let Some(account) = self.find(owner, asset, purpose) {
            return account;
        }
        let account = AccountNo(u32::try_from(self.ledger.accounts_len() + self.opened.len()).unwrap_or(u32::MAX));
        self.opened.insert((owner.clone(), asset, purpose), account);
        self.events.push(Event::AccountOpened { owner: owner.clone(), asset, purpose, limits });
        let (balance, held) = (Amount::ZERO, Amount::ZERO);
        self.remember(Standing { account, asset, limits, balance, held, holds_len: 0 });
        account
    }

    /// What the account will have, as the draft stands.
    pub fn balance(&self, account: AccountNo) -> Amount {
        self.look(account).map_or(Amount::ZERO, |standing| standing.balance)
    }

    /// What the account will have neither spent nor held, as the draft stands.
    pub fn available(&self, account: AccountNo) -> Amount {
        self.look(account).map_or(Amount::ZERO, |standing| standing.available())
    }

    /// Moves an amount.
    pub fn transfer(&mut self, transfer: &Transfer<'_>) -> Result<(), Refusal> {
        let Transfer { from, to, amount, kind, memo } = *transfer;
        if !amount.is_positive() {
            return Err(Refusal::NotPositive);
        }
        self.move_amount(from, to, amount, Amount::ZERO)?;
        self.events.push(Event::Transferred { from, to, amount, kind, memo: memo.into() });
        Ok(())
    }

    /// Sets an amount aside.
    pub fn hold(&mut self, place: &PlaceHold) -> Result<(), Refusal> {
        let PlaceHold { id, account, amount, deadline, code, open_max } = *place;
        if amount < Amount::ZERO {
            return Err(Refusal::NotPositive);
        }
        if self.ledger.hold(id).is_some() || self.placed.contains(&id) {
            return Err(Refusal::HoldExists(id));
        }
        let standing = self.standing(account)?;
        if standing.holds_len >= open_max {
            return Err(Refusal::HoldsMax { open_max });
        }
        let available = standing.available();
        if !standing.limits.overdraft && available < amount {
            return Err(Refusal::Overdraft { account, needed: amount, available });
        }
        standing.held = standing.held.checked_add(amount).ok_or(Refusal::Overflow)?;
        standing.holds_len += 1;
        self.placed.insert(id);
        self.events.push(Event::HoldPlaced { id, account, amount, deadline, code });
        Ok(())
    }

    /// Sets `by` more aside (or nothing) on a hold that is open, until `deadline`. A draft extends a hold once, and does not end it.
    pub fn extend(&mut self, id: Id, by: Amount, deadline: Time) -> Result<(), Refusal> {
        if by < Amount::ZERO {
            return Err(Refusal::NotPositive);
        }
        let account = self.ledger.hold(id).ok_or(Refusal::NoHold(id))?.account;
        if self.touched.contains(&id) {
            return Err(Refusal::NoHold(id));
        }
        let standing = self.standing(account)?;
        let available = standing.available();
        if !standing.limits.overdraft && available < by {
            return Err(Refusal::Overdraft { account, needed: by, available });
        }
        standing.held = standing.held.checked_add(by).ok_or(Refusal::Overflow)?;
        self.touched.insert(id);
        self.events.push(Event::HoldExtended { id, account, by, deadline });
        Ok(())
    }

    /// Ends the hold in a payment of `amount` to `to`: from the hold first, then from what is available. What the hold
    /// had beyond the amount is free again. Nothing (`amount` zero) is a payment too.
    pub fn settle(&mut self, id: Id, to: AccountNo, amount: Amount) -> Result<Settlement, Refusal> {
        if amount < Amount::ZERO {
            return Err(Refusal::NotPositive);
        }
        let end = self.end(id)?;
        self.move_amount(end.account, to, amount, end.held)?;
        let from_hold = amount.min(end.held);
        let rest = |whole: Amount| whole.checked_sub(from_hold).unwrap_or(Amount::ZERO);
        let settlement = Settlement { from_hold, beyond: rest(amount), freed: rest(end.held) };
        self.free(&end)?;
        self.events.push(Event::HoldSettled { end, to, taken: amount });
        Ok(settlement)
    }

    /// Ends the hold because nobody needs it any more; says what is free again.
    pub fn release(&mut self, id: Id) -> Result<Amount, Refusal> {
        let end = self.end(id)?;
        self.free(&end)?;
        let freed = end.held;
        self.events.push(Event::HoldReleased(end));
        Ok(freed)
    }

    /// Ends the hold because its deadline passed; says what is free again.
    pub fn expire(&mut self, id: Id) -> Result<Amount, Refusal> {
        let end = self.end(id)?;
        self.free(&end)?;
        let freed = end.held;
        self.events.push(Event::HoldExpired(end));
        Ok(freed)
    }

    /// Debits and credits, when every limit allows; `freed` is what a hold on `from` is about to give back.
    fn move_amount(&mut self, from: AccountNo, to: AccountNo, amount: Amount, freed: Amount) -> Result<(), Refusal> {
        if from == to {
            return Err(Refusal::SameAccount);
        }
        let (from_place, to_place) = (self.place(from)?, self.place(to)?);
        let (Some(&debit), Some(&credit)) = (self.standings.get(from_place), self.standings.get(to_place)) else {
            return Err(Refusal::NoAccount(from));
        };
        if debit.asset != credit.asset {
            return Err(Refusal::AssetMismatch);
        }
        let available = debit.available().checked_add(freed).ok_or(Refusal::Overflow)?;
        if !debit.limits.overdraft && available < amount {
            return Err(Refusal::Overdraft { account: from, needed: amount, available });
        }
        let credited = credit.balance.checked_add(amount).ok_or(Refusal::Overflow)?;
        if credited > credit.limits.ceiling {
            return Err(Refusal::Ceiling { account: to, ceiling: credit.limits.ceiling });
        }
        let debited = debit.balance.checked_sub(amount).ok_or(Refusal::Overflow)?;
        for (place, balance) in [(from_place, debited), (to_place, credited)] {
            if let Some(standing) = self.standings.get_mut(place) {
                standing.balance = balance;
            }
        }
        Ok(())
    }

    /// The hold of that id as it ends; a hold ends once, in the books and in the draft.
    fn end(&mut self, id: Id) -> Result<HoldEnd, Refusal> {
        let Hold { placed, account, amount, .. } = *self.ledger.hold(id).ok_or(Refusal::NoHold(id))?;
        if self.touched.contains(&id) {
            return Err(Refusal::NoHold(id));
        }
        Ok(HoldEnd { id, placed, account, held: amount })
    }

    fn free(&mut self, end: &HoldEnd) -> Result<(), Refusal> {
        let standing = self.standing(end.account)?;
        standing.held = standing.held.checked_sub(end.held).ok_or(Refusal::Overflow)?;
        standing.holds_len = standing.holds_len.saturating_sub(1);
        self.touched.insert(end.id);
        Ok(())
    }

    fn place_of(&self, account: AccountNo) -> Option<usize> {
        if self.standings.len() <= LINEAR_MAX {
            return self.standings.iter().position(|standing| standing.account == account);
        }
        self.places.get(&account).copied()
    }

    fn look(&self, account: AccountNo) -> Option<Standing> {
        match self.place_of(account) {
            Some(place) => self.standings.get(place).copied(),
            None => self.ledger.account(account).map(|found| Standing::of(account, found)),
        }
    }

    /// Where the account's standing is; takes it in first when it is not there yet.
    fn place(&mut self, account: AccountNo) -> Result<usize, Refusal> {
        if let Some(place) = self.place_of(account) {
            return Ok(place);
        }
        let found = self.ledger.account(account).ok_or(Refusal::NoAccount(account))?;
        Ok(self.remember(Standing::of(account, found)))
    }

    /// The account's standing, to change.
    fn standing(&mut self, account: AccountNo) -> Result<&mut Standing, Refusal> {
        let place = self.place(account)?;
        self.standings.get_mut(place).ok_or(Refusal::NoAccount(account))
    }

    fn remember(&mut self, standing: Standing) -> usize {
        let place = self.standings.len();
        self.standings.push(standing);
        if place == LINEAR_MAX {
            self.places = self.standings.iter().map(|standing| standing.account).zip(0..).collect();
        } else if place > LINEAR_MAX {
            self.places.insert(standing.account, place);
        }
        place
    }
}
