//! The ledger's state: the books, which are what a snapshot keeps, and the indexes over them, which are rebuilt.

use std::collections::BTreeSet;
use std::hash::BuildHasher;

use foldhash::quality::FixedState;
use hashbrown::HashTable;
use lab3_units::{Amount, Asset, Id, Time};
use serde::{Deserialize, Serialize};

use crate::account::{Account, AccountNo, NO_HOLD, Purpose};
use crate::chunks::Chunks;
use crate::event::{Event, HoldEnd};
use crate::hold::{Hold, Slots};

/// Everything the ledger knows, in a form that can be cloned cheaply and serialized.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Books {
    owners: Chunks<Box<str>>,
    accounts: Chunks<Account>,
    holds: Slots,
}

/// The books with the indexes that make them quick.
#[derive(Debug, Default)]
pub struct Ledger {
    books: Books,
    owners_by_name: HashTable<u32>,
    accounts_by_key: HashTable<u32>,
    holds_by_id: HashTable<u32>,
    deadlines: BTreeSet<(Time, u32)>,
}

/// A broken invariant, found by [`Ledger::verify`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Debits and credits of an asset differ.
    #[error("the balances of asset {} add up to {sum}, not to zero", asset.name())]
    Unbalanced {
        /// The asset.
        asset: Asset,
        /// What the balances add up to.
        sum: i128,
    },
    /// An account says something else is held than its holds add up to.
    #[error("account {} says {said} units are held, its holds add up to {found}", account.0)]
    HeldDiffers {
        /// The account.
        account: AccountNo,
        /// What the account says.
        said: i64,
        /// What the holds add up to.
        found: i64,
    },
    /// An account says it has another number of open holds than there are, or than its chain holds.
    #[error("account {} says it has {said} open holds; there are {found}, and {chained} in its chain", account.0)]
    HoldsDiffer {
        /// The account.
        account: AccountNo,
        /// What the account says.
        said: u32,
        /// How many there are.
        found: u32,
        /// How many its chain leads to.
        chained: usize,
    },
    /// An account has more than it may.
    #[error("account {} is past its ceiling: balance {balance}", account.0)]
    PastCeiling {
        /// The account.
        account: AccountNo,
        /// Its balance.
        balance: i64,
    },
    /// An account without overdraft is overdrawn.
    #[error("account {} is overdrawn: balance {balance}, held {held}", account.0)]
    Overdrawn {
        /// The account.
        account: AccountNo,
        /// Its balance.
        balance: i64,
        /// What is held.
        held: i64,
    },
}

fn hash_one(value: impl std::hash::Hash) -> u64 {
    FixedState::with_seed(0x1ab3).hash_one(value)
}

fn account_hash(owner: &str, asset: Asset, purpose: Purpose) -> u64 {
    hash_one((owner, asset, purpose))
}

/// Amounts were checked when the event was decided, so the sum exists; a wrong one would be a defect in the rules.
fn sum(amount: Amount, change: i64) -> Amount {
    debug_assert!(amount.units().checked_add(change).is_some(), "a decided event overflows");
    Amount::new(amount.units().wrapping_add(change))
}

impl Books {
    fn owner_of(&self, account: &Account) -> &str {
        self.owners.get(account.owner as usize).map_or("", |name| name)
    }

    fn account_hash(&self, no: u32) -> u64 {
        self.accounts.get(no as usize).map_or(0, |account| account_hash(self.owner_of(account), account.asset, account.purpose))
    }
}

impl Ledger {
    /// The ledger with these books; builds the indexes.
    pub fn from_books(books: Books) -> Self {
        let mut ledger = Self { books, ..Self::default() };
        for (no, name) in (0_u32..).zip(ledger.books.owners.iter()) {
            let names = &ledger.books.owners;
            ledger.owners_by_name.insert_unique(hash_one(&**name), no, |&other| owner_hash(names, other));
        }
        for (no, account) in (0_u32..).zip(ledger.books.accounts.iter()) {
            let books = &ledger.books;
            let hash = account_hash(books.owner_of(account), account.asset, account.purpose);
            ledger.accounts_by_key.insert_unique(hash, no, |&other| books.account_hash(other));
        }
        for (slot, hold) in ledger.books.holds.iter() {
            let holds = &ledger.books.holds;
            ledger.holds_by_id.insert_unique(hash_one(hold.id), slot, |&other| hold_hash_at(holds, other));
            ledger.deadlines.insert((hold.deadline, slot));
        }
        ledger
    }

    /// The books as they are now: a cheap clone that later changes do not touch.
    pub fn books(&self) -> Books {
        self.books.clone()
    }

    /// How many accounts there are.
    pub fn accounts_len(&self) -> usize {
        self.books.accounts.len()
    }

    /// How many owners there are.
    pub fn owners_len(&self) -> usize {
        self.books.owners.len()
    }

    /// How many holds are open.
    pub fn holds_len(&self) -> u64 {
        self.books.holds.open_len()
    }

    /// The account of that number.
    pub fn account(&self, no: AccountNo) -> Option<&Account> {
        self.books.accounts.get(no.0 as usize)
    }

    /// The name of an account's owner.
    pub fn owner_name(&self, no: AccountNo) -> &str {
        self.account(no).map_or("", |account| self.books.owner_of(account))
    }

    /// The number of an owner's name, when the books know it.
    pub fn owner_no(&self, owner: &str) -> Option<u32> {
        let same = |&no: &u32| self.books.owners.get(no as usize).is_some_and(|name| &**name == owner);
        self.owners_by_name.find(hash_one(owner), same).copied()
    }

    /// The owner's account of that asset and purpose.
    pub fn find(&self, owner: &str, asset: Asset, purpose: Purpose) -> Option<AccountNo> {
        let same = |&no: &u32| {
            let same = |account: &Account| account.asset == asset && account.purpose == purpose && self.books.owner_of(account) == owner;
            self.books.accounts.get(no as usize).is_some_and(same)
        };
        self.accounts_by_key.find(account_hash(owner, asset, purpose), same).map(|&no| AccountNo(no))
    }

    /// The open hold of that id.
    pub fn hold(&self, id: Id) -> Option<&Hold> {
        self.books.holds.get(self.slot_of(id)?)
    }

    /// The account's open holds, oldest first.
    pub fn holds_of(&self, account: AccountNo) -> impl Iterator<Item = &Hold> {
        let mut slot = self.account(account).map_or(NO_HOLD, |account| account.first_hold);
        std::iter::from_fn(move || {
            let hold = self.books.holds.get(slot)?;
            slot = hold.newer;
            Some(hold)
        })
    }

    /// When the next hold ends by itself.
    pub fn next_deadline(&self) -> Option<Time> {
        self.deadlines.first().map(|&(deadline, _)| deadline)
    }

    /// The open holds whose deadline has passed at `now`, earliest deadline first.
    pub fn due(&self, now: Time) -> impl Iterator<Item = &Hold> {
        let due = self.deadlines.range(..=(now, u32::MAX));
        due.filter_map(|&(_, slot)| self.books.holds.get(slot))
    }

    /// Writes one event of record `sequence` into the books. Events come from a [`crate::Draft`] or the journal.
    pub fn apply(&mut self, sequence: u64, event: &Event) {
        match event {
            Event::AccountOpened { owner, asset, purpose, limits } => {
                let hash = account_hash(owner.as_str(), *asset, *purpose);
                let owner = self.intern(owner.as_str());
                let no = u32::try_from(self.books.accounts.len()).unwrap_or(u32::MAX);
                self.books.accounts.push(Account::new(owner, *asset, *purpose, *limits));
                let books = &self.books;
                self.accounts_by_key.insert_unique(hash, no, |&other| books.account_hash(other));
            }
            Event::HoldPlaced { id, account, amount, deadline, code } => {
                let (older, newer) = (NO_HOLD, NO_HOLD);
                let (amount, deadline) = (*amount, *deadline);
                self.place(Hold { id: *id, placed: sequence, account: *account, amount, deadline, code: *code, older, newer });
            }
            Event::HoldSettled { end, .. } | Event::HoldReleased(end) | Event::HoldExpired(end) => self.end(end),
            Event::HoldExtended { id, by, deadline, .. } => self.extend(*id, *by, *deadline),
            Event::Transferred { .. } => {}
        }
        for posting in event.postings().into_iter().flatten() {
            if let Some(account) = self.books.accounts.get_mut(posting.account.0 as usize) {
                account.balance = sum(account.balance, posting.balance);
                account.held = sum(account.held, posting.held);
            }
        }
    }

    /// Checks every invariant of the books from scratch.
    pub fn verify(&self) -> Result<(), Fault> {
        let mut held = vec![(0_i64, 0_u32); self.books.accounts.len()];
        for (_, hold) in self.books.holds.iter() {
            if let Some((held, len)) = held.get_mut(hold.account.0 as usize) {
                *held += hold.amount.units();
                *len += 1;
            }
        }
        let mut sums = std::collections::BTreeMap::<Asset, i128>::new();
        for (no, (account, &(found, len))) in (0_u32..).zip(self.books.accounts.iter().zip(&held)) {
            let (account_no, said, balance) = (AccountNo(no), account.held.units(), account.balance.units());
            *sums.entry(account.asset).or_default() += i128::from(balance);
            if said != found {
                return Err(Fault::HeldDiffers { account: account_no, said, found });
            }
            let chained = self.holds_of(account_no).filter(|hold| hold.account == account_no).count();
            if account.holds_len != len || chained != len as usize {
                return Err(Fault::HoldsDiffer { account: account_no, said: account.holds_len, found: len, chained });
            }
            if account.balance > account.limits.ceiling {
                return Err(Fault::PastCeiling { account: account_no, balance });
            }
            if !account.limits.overdraft && balance < said {
                return Err(Fault::Overdrawn { account: account_no, balance, held: said });
            }
        }
        match sums.into_iter().find(|&(_, sum)| sum != 0) {
            Some((asset, sum)) => Err(Fault::Unbalanced { asset, sum }),
            None => Ok(()),
        }
    }

    fn slot_of(&self, id: Id) -> Option<u32> {
        let same = |&slot: &u32| self.books.holds.get(slot).is_some_and(|hold| hold.id == id);
        self.holds_by_id.find(hash_one(id), same).copied()
    }

    fn intern(&mut self, name: &str) -> u32 {
        if let Some(no) = self.owner_no(name) {
            return no;
        }
        let no = u32::try_from(self.books.owners.len()).unwrap_or(u32::MAX);
        self.books.owners.push(name.into());
        let names = &self.books.owners;
        self.owners_by_name.insert_unique(hash_one(name), no, |&other| owner_hash(names, other));
        no
    }

    /// Takes the hold into its slot, the indexes and the end of its account's chain.
    fn place(&mut self, mut hold: Hold) {
        let (id, deadline, account_no) = (hold.id, hold.deadline, hold.account);
        let last = self.account(account_no).map_or(NO_HOLD, |account| account.last_hold);
        hold.older = last;
        let slot = self.books.holds.insert(hold);
        match self.books.holds.get_mut(last) {
            Some(older) => older.newer = slot,
            None => self.with_account(account_no, |account| account.first_hold = slot),
        }
        self.with_account(account_no, |account| {
            account.last_hold = slot;
            account.holds_len += 1;
        });
        let holds = &self.books.holds;
        self.holds_by_id.insert_unique(hash_one(id), slot, |&other| hold_hash_at(holds, other));
        self.deadlines.insert((deadline, slot));
    }

    fn extend(&mut self, id: Id, by: Amount, deadline: Time) {
        let Some(slot) = self.slot_of(id) else {
            debug_assert!(false, "a hold was extended that was not open");
            return;
        };
        let Some(hold) = self.books.holds.get_mut(slot) else { return };
        hold.amount = sum(hold.amount, by.units());
        let before = std::mem::replace(&mut hold.deadline, deadline);
        self.deadlines.remove(&(before, slot));
        self.deadlines.insert((deadline, slot));
    }

    /// Takes the hold out of its slot, the indexes and its account's chain.
    fn end(&mut self, end: &HoldEnd) {
        let Ok(entry) = self.holds_by_id.find_entry(hash_one(end.id), |&slot| self.books.holds.get(slot).is_some_and(|h| h.id == end.id))
        else {
            debug_assert!(false, "a hold ended that was not open");
            return;
        };
        let slot = entry.remove().0;
        let Some(hold) = self.books.holds.remove(slot) else { return };
        self.deadlines.remove(&(hold.deadline, slot));
        match self.books.holds.get_mut(hold.older) {
            Some(older) => older.newer = hold.newer,
            None => self.with_account(hold.account, |account| account.first_hold = hold.newer),
        }
        match self.books.holds.get_mut(hold.newer) {
            Some(newer) => newer.older = hold.older,
            None => self.with_account(hold.account, |account| account.last_hold = hold.older),
        }
        self.with_account(hold.account, |account| account.holds_len -= 1);
    }

    fn with_account(&mut self, no: AccountNo, change: impl FnOnce(&mut Account)) {
        if let Some(account) = self.books.accounts.get_mut(no.0 as usize) {
            change(account);
        }
    }
}

fn owner_hash(names: &Chunks<Box<str>>, no: u32) -> u64 {
    names.get(no as usize).map_or(0, |name| hash_one(&**name))
}

fn hold_hash_at(holds: &Slots, slot: u32) -> u64 {
    holds.get(slot).map_or(0, |hold| hash_one(hold.id))
}
