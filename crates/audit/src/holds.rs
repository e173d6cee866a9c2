//! Holds: placed once, extended while open, ended once, each time as they were placed.

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use lab3_ledger::{AccountNo, HoldEnd};
use lab3_units::{Amount, Id, Time};

use crate::verdict::{Class, Found};

/// An open hold.
#[derive(Clone, Copy, Debug)]
struct Hold {
    placed: u64,
    account: AccountNo,
    amount: Amount,
    deadline: Time,
}

/// The open holds.
#[derive(Debug, Default)]
pub(crate) struct Holds {
    open: HashMap<Id, Hold, RandomState>,
    pub placed: u64,
}

fn bad<T>(id: Id, what: &str) -> Result<T, Found> {
    Err((Class::Holds, format!("hold {} {what}", id.text("al"))))
}

impl Holds {
    pub fn len(&self) -> u64 {
        self.open.len() as u64
    }

    /// A hold is placed by record `placed`.
    pub fn place(&mut self, placed: u64, id: Id, account: AccountNo, amount: Amount, deadline: Time) -> Result<(), Found> {
        if amount < Amount::ZERO {
            return bad(id, "sets less than nothing aside");
        }
        self.placed += 1;
        match self.open.insert(id, Hold { placed, account, amount, deadline }) {
            None => Ok(()),
            Some(_) => bad(id, "is placed while it is open"),
        }
    }

    /// A hold sets more aside.
    pub fn extend(&mut self, id: Id, account: AccountNo, by: Amount, deadline: Time) -> Result<(), Found> {
        let Some(hold) = self.open.get_mut(&id) else { return bad(id, "is extended and is not open") };
        hold.deadline = deadline;
        if hold.account != account || by < Amount::ZERO {
            return bad(id, "is extended on another account, or by less than nothing");
        }
        match hold.amount.checked_add(by) {
            Some(amount) => hold.amount = amount,
            None => return bad(id, "sets aside more than can be counted"),
        }
        Ok(())
    }

    /// A hold ends; `at` is the moment when it ends because its time is over.
    pub fn end(&mut self, end: &HoldEnd, at: Option<Time>) -> Result<(), Found> {
        let Some(hold) = self.open.remove(&end.id) else { return bad(end.id, "ends and is not open") };
        if (hold.placed, hold.account, hold.amount) != (end.placed, end.account, end.held) {
            let Hold { placed, account, amount, .. } = hold;
            let what = format!("ends otherwise than it stood: by record {placed}, on account {}, {} units", account.0, amount.units());
            return bad(end.id, &what);
        }
        if at.is_some_and(|at| at < hold.deadline) {
            return bad(end.id, "expires before its deadline");
        }
        Ok(())
    }
}
