//! What entries did to accounts of energy and carbon, added up, and what a fact says they did.

use std::collections::{BTreeMap, BTreeSet};

use lab3_ledger::{AccountNo, Event, HoldEnd, Kind};
use lab3_units::{Amount, Id};

use crate::books::Books;
use crate::verdict::{Class, Found};

/// How a hold ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Settled,
    Released,
    Expired,
}

/// What was done.
#[derive(Debug, Default)]
pub(crate) struct Deeds {
    /// Whose energy was used, given back or set aside.
    pub from: BTreeSet<String>,
    /// What those who use it got of it.
    pub used: BTreeMap<AccountNo, i128>,
    /// Holds that were placed.
    pub placed: Vec<(Id, Amount)>,
    /// Holds that ended.
    pub ended: Vec<(End, Id)>,
    /// What those that were not settled had set aside.
    pub freed: i128,
}

impl Deeds {
    /// What the entries did.
    pub fn done(books: &Books, entries: &[Event]) -> Self {
        let mut done = Self::default();
        for event in entries {
            if let Some(account) = done.add(event).and_then(|no| books.account(no)) {
                done.from.insert(account.owner.as_str().to_owned());
            }
        }
        done
    }

    /// Adds what an entry did; the account the energy is of.
    fn add(&mut self, event: &Event) -> Option<AccountNo> {
        match event {
            Event::Transferred { from, to, amount, kind: Kind::Draw, .. } => {
                self.gets(*to, i128::from(amount.units()));
                Some(*from)
            }
            Event::Transferred { from, to, amount, kind: Kind::Correction, .. } => {
                self.gets(*from, -i128::from(amount.units()));
                Some(*to)
            }
            Event::HoldPlaced { id, account, amount, .. } => {
                self.placed.push((*id, *amount));
                Some(*account)
            }
            Event::HoldSettled { end, to, taken } => {
                self.gets(*to, i128::from(taken.units()));
                self.ended.push((End::Settled, end.id));
                Some(end.account)
            }
            Event::HoldReleased(end) => Some(self.frees(End::Released, end)),
            Event::HoldExpired(end) => Some(self.frees(End::Expired, end)),
            Event::AccountOpened { .. } | Event::HoldExtended { .. } | Event::Transferred { .. } => None,
        }
    }

    fn frees(&mut self, how: End, end: &HoldEnd) -> AccountNo {
        self.ended.push((how, end.id));
        self.freed += i128::from(end.held.units());
        end.account
    }

    /// An account got so much more, or less.
    pub fn gets(&mut self, account: AccountNo, units: i128) {
        *self.used.entry(account).or_default() += units;
    }

    /// Whether what is said here is what was done.
    pub fn is(&self, done: &Self) -> Result<(), Found> {
        let bad = |what: String| Err((Class::Facts, what));
        for account in self.used.keys().chain(done.used.keys()) {
            let got = |deeds: &Self| deeds.used.get(account).copied().unwrap_or(0);
            let (said, found) = (got(self), got(done));
            if said != found {
                return bad(format!("it says account {} used {said} more; by the entries it is {found}", account.0));
            }
        }
        if self.placed != done.placed {
            return bad("it sets aside for other jobs, or other amounts, than it says".to_owned());
        }
        if self.ended != done.ended {
            return bad("other jobs end than it says, or otherwise".to_owned());
        }
        if self.freed != done.freed {
            return bad(format!("it says it freed {}; by the entries it is {}", self.freed, done.freed));
        }
        Ok(())
    }
}
