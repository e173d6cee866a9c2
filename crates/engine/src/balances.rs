//! Balances that can be proved: when an epoch is closed every account's balance is a leaf of a Merkle tree, whose root the record carries.
//!
//! A leaf is text that anybody can write again (`docs/journal.md`, *Balances*), with a salt, so that who is shown one leaf cannot guess what its
//! neighbour's hash stands for. Pure.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::thread;

use lab3_finance::{Fact as Money, Sheet, Total};
use lab3_ledger::{AccountNo, Chunks, Event, Ledger, Purpose};
use lab3_tlog::{Frontier, Hash, leaf_hash};
use lab3_units::{Amount, Asset, Code, Id, Problem};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::record::{Fact, Record};

/// What salts are made of: a hash over the ids of all records that opened accounts. Whoever has the journal can make it. Whoever lacks one of those
/// ids cannot, so neither a proof nor the payment that opened an account tells another's salt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seed(Hash);

impl Seed {
    /// The seed after the record of that id opened accounts.
    #[must_use]
    pub fn after(self, id: Id) -> Self {
        Self(Sha256::new().chain_update(self.0).chain_update(id.to_bytes()).finalize().into())
    }
}

/// The salts of one sheet. They are others for each epoch: a salt that was shown once tells nothing of the next balance.
#[derive(Clone, Copy, Debug)]
pub struct Salts {
    /// The seed before the record that closes the epoch.
    pub seed: Seed,
    /// The epoch that is closed.
    pub epoch: u32,
}

impl Salts {
    fn of(&self, account: AccountNo) -> [u8; 16] {
        let hashed = Sha256::new().chain_update(self.seed.0).chain_update(self.epoch.to_be_bytes()).chain_update(account.0.to_be_bytes());
        let hash: Hash = hashed.finalize().into();
        let mut salt = [0; 16];
        salt.copy_from_slice(&hash[..16]);
        salt
    }
}

/// What the state keeps for proofs of balances.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Closings {
    seed: Seed,
    /// By epoch, the first of which is 1: the record that closed it; 0 where that has no sheet.
    records: Chunks<u64>,
}

impl Closings {
    /// Takes note of a record.
    pub fn note(&mut self, sequence: u64, record: &Record) {
        if opens_accounts(record) {
            self.seed = self.seed.after(record.id);
        }
        match record.fact {
            Fact::Finance(Money::EpochBalanced(_)) => self.records.push(sequence),
            Fact::Finance(Money::EpochClosed(_)) => self.records.push(0),
            _ => {}
        }
    }

    /// The salts of the sheet that closes this epoch now.
    pub fn salts(&self, epoch: u32) -> Salts {
        Salts { seed: self.seed, epoch }
    }

    /// The record with the sheet of that epoch, or of the last that was closed, and which epoch that is.
    ///
    /// Errors: `EPOCH_UNPROVED` (`epoch`) where there is none.
    pub fn closed(&self, epoch: Option<u32>) -> Result<(u32, u64), Problem> {
        let last = u32::try_from(self.records.len()).unwrap_or(u32::MAX);
        let wanted = epoch.unwrap_or(last);
        let refused = |why: String| Err(Problem::new(Code::EPOCH_UNPROVED, why).in_field("epoch"));
        match wanted.checked_sub(1).and_then(|place| self.records.get(place as usize)) {
            Some(0) => refused(format!("Epoch {wanted} was closed when balances were not summed up yet. Ask for a later one.")),
            Some(&record) => Ok((wanted, record)),
            None if last == 0 => refused("No epoch is closed yet. Balances can be proved as they are when the first one closes.".to_owned()),
            None => refused(format!("Epoch {wanted} is not closed; the last that is is {last}.")),
        }
    }
}

/// Whether a record opens accounts: its id goes into the seed.
pub fn opens_accounts(record: &Record) -> bool {
    record.entries.iter().any(|event| matches!(event, Event::AccountOpened { .. }))
}

/// What one account has.
#[derive(Clone, Copy, Debug)]
struct Line<'a> {
    account: AccountNo,
    owner: &'a str,
    asset: Asset,
    purpose: Purpose,
    balance: i64,
    held: i64,
}

impl Line<'_> {
    /// Writes the leaf's text over what `text` had.
    fn write(&self, salt: [u8; 16], text: &mut String) {
        let Self { account: AccountNo(account), owner, asset, purpose, balance, held } = self;
        let (asset, purpose) = (asset_word(*asset), purpose.as_str());
        text.clear();
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "lab3 balance 1\naccount: {account}\nowner: {owner}\nasset: {asset}\npurpose: {purpose}\nbalance: {balance}\nheld: {held}\nsalt: {:032x}\n",
            u128::from_be_bytes(salt)
        );
    }
}

/// The asset's name in a leaf: one word, which never changes.
const fn asset_word(asset: Asset) -> &'static str {
    match asset {
        Asset::MIC => "MIC",
        Asset::COMPUTE => "compute",
        _ => "other",
    }
}

/// What every account has after some events, which the books need not have yet.
pub struct Standing<'a> {
    ledger: &'a Ledger,
    /// Accounts the events open.
    opened: Vec<(&'a str, Asset, Purpose)>,
    /// What the events add to balances and to what is held.
    changes: BTreeMap<AccountNo, (i64, i64)>,
}

/// Fewest accounts for which another thread is worth it.
const ACCOUNTS_A_THREAD_MIN: u32 = 8192;

impl<'a> Standing<'a> {
    /// The books, and behind them these events, decided upon them.
    pub fn after(ledger: &'a Ledger, events: &'a [Event]) -> Self {
        let opened = events.iter().filter_map(|event| match event {
            Event::AccountOpened { owner, asset, purpose, .. } => Some((owner.as_str(), *asset, *purpose)),
            _ => None,
        });
        let mut changes = BTreeMap::<AccountNo, (i64, i64)>::new();
        for posting in events.iter().flat_map(Event::postings).flatten() {
            let (balance, held) = changes.entry(posting.account).or_default();
            // As the ledger adds them up itself; that it can was seen when the event was decided.
            (*balance, *held) = (balance.wrapping_add(posting.balance), held.wrapping_add(posting.held));
        }
        Self { ledger, opened: opened.collect(), changes }
    }

    fn accounts(&self) -> u32 {
        u32::try_from(self.ledger.accounts_len() + self.opened.len()).unwrap_or(u32::MAX)
    }

    fn line(&self, account: AccountNo) -> Option<Line<'_>> {
        let (more, held_more) = self.changes.get(&account).copied().unwrap_or_default();
        let line = match self.ledger.account(account) {
            Some(found) => {
                let (owner, balance, held) = (self.ledger.owner_name(account), found.balance().units(), found.held().units());
                Line { account, owner, asset: found.asset(), purpose: found.purpose(), balance, held }
            }
            None => {
                let place = usize::try_from(account.0).ok()?.checked_sub(self.ledger.accounts_len())?;
                let &(owner, asset, purpose) = self.opened.get(place)?;
                Line { account, owner, asset, purpose, balance: 0, held: 0 }
            }
        };
        Some(Line { balance: line.balance.wrapping_add(more), held: line.held.wrapping_add(held_more), ..line })
    }

    fn lines(&self, from: u32, to: u32) -> impl Iterator<Item = Line<'_>> {
        (from..to).filter_map(|no| self.line(AccountNo(no)))
    }

    /// The text of an account's leaf; none for an account there is not.
    pub fn leaf(&self, account: AccountNo, salts: &Salts) -> Option<String> {
        let mut text = String::new();
        self.line(account)?.write(salts.of(account), &mut text);
        Some(text)
    }

    /// The leaf hashes of all accounts, in the order of their numbers.
    pub fn leaves(&self, salts: &Salts) -> Vec<Hash> {
        let (accounts, threads) = (self.accounts(), thread::available_parallelism().map_or(1, usize::from).min(4));
        let part = accounts.div_ceil(u32::try_from(threads).unwrap_or(1)).max(ACCOUNTS_A_THREAD_MIN);
        let parts = (0..accounts).step_by(part as usize).map(|from| (from, accounts.min(from.saturating_add(part))));
        thread::scope(|scope| {
            let working = parts.map(|(from, to)| {
                let work = move || self.leaves_of(from, to, salts);
                // The last part is ours; so is every one no thread can be had for.
                let spawned = (to < accounts).then(|| thread::Builder::new().spawn_scoped(scope, work).ok()).flatten();
                (spawned, from, to)
            });
            let working = working.collect::<Vec<_>>();
            let done = working.into_iter().map(|(spawned, from, to)| {
                let theirs = spawned.and_then(|thread| thread.join().ok());
                theirs.unwrap_or_else(|| self.leaves_of(from, to, salts))
            });
            done.collect::<Vec<_>>().concat()
        })
    }

    fn leaves_of(&self, from: u32, to: u32, salts: &Salts) -> Vec<Hash> {
        let mut text = String::new();
        let hash = |line: Line<'_>| {
            line.write(salts.of(line.account), &mut text);
            leaf_hash(text.as_bytes())
        };
        self.lines(from, to).map(hash).collect()
    }

    /// The sheet of all balances.
    ///
    /// Errors: `BOOKS_LIMIT` when a total would not fit 64 bits.
    pub fn sum_up(&self, salts: &Salts) -> Result<Sheet, Problem> {
        let mut tree = Frontier::new();
        self.leaves(salts).into_iter().for_each(|leaf| tree.push(leaf, |_, _| {}));
        Ok(Sheet { accounts: self.accounts(), totals: self.totals()?, root: tree.root() })
    }

    fn totals(&self) -> Result<Vec<Total>, Problem> {
        let mut sums = BTreeMap::<(Asset, Purpose), i128>::new();
        for line in self.lines(0, self.accounts()) {
            *sums.entry((line.asset, line.purpose)).or_default() += i128::from(line.balance);
        }
        let total = |((asset, purpose), sum)| {
            let balance = i64::try_from(sum).map_err(|_| Problem::new(Code::BOOKS_LIMIT, "All balances together do not fit 64 bits."))?;
            Ok(Total { asset, purpose, balance: Amount::new(balance) })
        };
        sums.into_iter().map(total).collect()
    }
}
