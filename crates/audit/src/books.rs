//! The books, kept a second time: what each account has and holds, by nothing but the journal's entries.

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use lab3_ledger::{AccountNo, Event, Limits, Purpose};
use lab3_units::{Amount, Asset, Did, Owner, Time};

use crate::holds::Holds;
use crate::verdict::{Class, Found};

/// One account.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub owner: Owner,
    pub asset: Asset,
    pub purpose: Purpose,
    limits: Limits,
    pub balance: i64,
    pub held: i64,
    /// The month of compute last opened on it; 0 is none.
    pub month: u16,
}

/// Accounts and open holds.
#[derive(Debug, Default)]
pub(crate) struct Books {
    accounts: Vec<Account>,
    names: HashMap<(Owner, Asset, Purpose), AccountNo, RandomState>,
    pub holds: Holds,
    /// By asset: credits less debits, nothing after every entry.
    sums: Vec<(Asset, i128)>,
}

impl Books {
    pub fn account(&self, no: AccountNo) -> Option<&Account> {
        self.accounts.get(usize::try_from(no.0).ok()?)
    }

    pub fn account_mut(&mut self, no: AccountNo) -> Option<&mut Account> {
        self.accounts.get_mut(usize::try_from(no.0).ok()?)
    }

    /// The account of an owner, an asset and a purpose.
    pub fn find(&self, owner: &Owner, asset: Asset, purpose: Purpose) -> Option<AccountNo> {
        self.names.get(&(owner.clone(), asset, purpose)).copied()
    }

    /// Every account, in the order of the numbers.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.iter()
    }

    pub fn accounts_len(&self) -> u64 {
        self.accounts.len() as u64
    }

    /// The balance of an account; nothing of one that is not there.
    pub fn balance(&self, no: AccountNo) -> i64 {
        self.account(no).map_or(0, |account| account.balance)
    }

    /// Enters one event of the record `sequence`, taken `at`. What is wrong is told; as much as can be is entered all the same.
    pub fn enter(&mut self, sequence: u64, at: Time, event: &Event) -> Result<(), Found> {
        match event {
            Event::AccountOpened { owner, asset, purpose, limits } => self.open(owner, *asset, *purpose, *limits),
            Event::Transferred { from, to, amount, .. } => {
                let moved = self.pay(*from, *to, *amount, Amount::ZERO);
                if amount.is_positive() { moved } else { limits("moves nothing, or less".to_owned()) }
            }
            Event::HoldPlaced { id, account, amount, deadline, .. } => {
                self.holds.place(sequence, *id, *account, *amount, *deadline)?;
                self.set_aside(*account, amount.units())
            }
            Event::HoldExtended { id, account, by, deadline } => {
                self.holds.extend(*id, *account, *by, *deadline)?;
                self.set_aside(*account, by.units())
            }
            Event::HoldSettled { end, to, taken } => {
                self.holds.end(end, None)?;
                let paid = self.pay(end.account, *to, *taken, end.held);
                if *taken < Amount::ZERO { limits("a settlement takes less than nothing".to_owned()) } else { paid }
            }
            Event::HoldReleased(end) => {
                self.holds.end(end, None)?;
                self.free(end.account, end.held)
            }
            Event::HoldExpired(end) => {
                let ended = self.holds.end(end, Some(at));
                ended.and(self.free(end.account, end.held))
            }
        }
    }

    fn open(&mut self, owner: &Owner, asset: Asset, purpose: Purpose, limits: Limits) -> Result<(), Found> {
        let number = AccountNo(u32::try_from(self.accounts.len()).unwrap_or(u32::MAX));
        self.accounts.push(Account { owner: owner.clone(), asset, purpose, limits, balance: 0, held: 0, month: 0 });
        if self.names.insert((owner.clone(), asset, purpose), number).is_some() {
            return Err((Class::Accounts, format!("the {} of {owner} is opened a second time", purpose.as_str())));
        }
        if !may_be(owner.as_str(), asset, purpose, limits.overdraft) {
            let debt = if limits.overdraft { "with" } else { "without" };
            let what = format!("{owner} opens an account no rule opens: {}, asset {}, {debt} overdraft", purpose.as_str(), asset.number());
            return Err((Class::Accounts, what));
        }
        Ok(())
    }

    /// Takes `amount` from one account, which gets back `freed` of what it held, and gives it to the other.
    fn pay(&mut self, from: AccountNo, to: AccountNo, amount: Amount, freed: Amount) -> Result<(), Found> {
        let change = i128::from(amount.units());
        let debited = self.post(from, -change, -i128::from(freed.units()));
        let credited = self.post(to, change, 0);
        debited.and(credited).and(self.balanced())?;
        if from == to { limits(format!("account {} pays itself", from.0)) } else { Ok(()) }
    }

    /// Whether debits and credits are the same. A difference is told once, where it began.
    fn balanced(&mut self) -> Result<(), Found> {
        let Some((asset, sum)) = self.sums.iter_mut().find(|(_, sum)| *sum != 0) else { return Ok(()) };
        let what = format!("debits and credits of {} differ by {} units", asset.name(), std::mem::take(sum));
        Err((Class::Sums, what))
    }

    fn set_aside(&mut self, account: AccountNo, amount: i64) -> Result<(), Found> {
        self.post(account, 0, i128::from(amount))
    }

    fn free(&mut self, account: AccountNo, amount: Amount) -> Result<(), Found> {
        self.post(account, 0, -i128::from(amount.units()))
    }

    /// Changes an account's balance and what it holds, and checks its limits.
    fn post(&mut self, no: AccountNo, change: i128, held: i128) -> Result<(), Found> {
        let Some(account) = self.accounts.get_mut(usize::try_from(no.0).unwrap_or(usize::MAX)) else {
            return Err((Class::Accounts, format!("account {} was never opened", no.0)));
        };
        match self.sums.iter_mut().find(|(asset, _)| *asset == account.asset) {
            Some((_, sum)) => *sum += change,
            None => self.sums.push((account.asset, change)),
        }
        let (balance, held) = (i128::from(account.balance) + change, i128::from(account.held) + held);
        let (Ok(balance), Ok(held)) = (i64::try_from(balance), i64::try_from(held)) else {
            return limits(format!("account {} has more than can be counted", no.0));
        };
        (account.balance, account.held) = (balance, held);
        if held < 0 {
            return limits(format!("account {} holds {held} units", no.0));
        }
        if !account.limits.overdraft && balance < held {
            return limits(format!(
                "account {} ({}) has {balance} units, {held} of them held, and may not be overdrawn",
                no.0, account.owner
            ));
        }
        if change > 0 && balance > account.limits.ceiling.units() {
            return limits(format!("account {} has {balance} units, more than its ceiling", no.0));
        }
        Ok(())
    }
}

fn limits(what: String) -> Result<(), Found> {
    Err((Class::Limits, what))
}

/// The accounts there are: who owns them, and whether they may be overdrawn. An account that may be is a place where an asset is made.
fn may_be(owner: &str, asset: Asset, purpose: Purpose, overdraft: bool) -> bool {
    let by_purpose = match (asset, purpose) {
        (Asset::MIC, Purpose::Wallet) | (Asset::COMPUTE, Purpose::Quota) => Did::parse(owner).is_ok(),
        (Asset::MIC, Purpose::Issuance) => owner == "hive:issuance",
        (Asset::MIC, Purpose::Pool) => owner == "hive:pool",
        (Asset::MIC, Purpose::Reserve) => owner == "hive:reserve",
        (Asset::COMPUTE, Purpose::Issuance | Purpose::Expense) => owner == "hive:compute",
        (Asset::COMPUTE, Purpose::Earnings) => owner.starts_with("hive:provider/"),
        (Asset::ENERGY | Asset::CARBON, Purpose::Issuance) => owner == "hive:energy" || owner.starts_with("hive:provider/"),
        (Asset::ENERGY | Asset::CARBON, Purpose::Usage) => matches!(owner, "hive:idle" | "hive:house") || Did::parse(owner).is_ok(),
        _ => false,
    };
    by_purpose && overdraft == matches!(purpose, Purpose::Issuance | Purpose::Expense)
}
