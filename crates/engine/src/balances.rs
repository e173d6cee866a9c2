//! Balances that can be proved: when an epoch is closed every account's balance is a leaf of a Merkle tree, whose root the record carries.
//!
//! A leaf is text that anybody can write again (`docs/journal.md`, *Balances*), with a salt, so that who is shown one leaf cannot guess what its
//! neighbour's hash stands for. Pure.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;
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
            None if last == 0 => {
                refused("No epoch is closed yet. Balances can be proved as they are when the first one closes.".to_owned())
            }
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
        Asset::ENERGY => "energy",
        Asset::CARBON => "carbon",
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

/// Accounts in a part: a power of two, so that a part is a subtree. Fewer are not worth a thread.
const PART_ACCOUNTS: u32 = 4096;

/// Threads at most.
const THREADS_MAX: usize = 8;

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
        let line = self.entered(account).or_else(|| self.opened(account))?;
        Some(Line { balance: line.balance.wrapping_add(more), held: line.held.wrapping_add(held_more), ..line })
    }

    /// An account as the books have it.
    fn entered(&self, account: AccountNo) -> Option<Line<'_>> {
        let found = self.ledger.account(account)?;
        let (owner, balance, held) = (self.ledger.owner_name(account), found.balance().units(), found.held().units());
        Some(Line { account, owner, asset: found.asset(), purpose: found.purpose(), balance, held })
    }

    /// An account as the events open it.
    fn opened(&self, account: AccountNo) -> Option<Line<'_>> {
        let place = usize::try_from(account.0).ok()?.checked_sub(self.ledger.accounts_len())?;
        let &(owner, asset, purpose) = self.opened.get(place)?;
        Some(Line { account, owner, asset, purpose, balance: 0, held: 0 })
    }

    /// The text of an account's leaf; none for an account there is not.
    pub fn leaf(&self, account: AccountNo, salts: &Salts) -> Option<String> {
        let mut text = String::new();
        self.line(account)?.write(salts.of(account), &mut text);
        Some(text)
    }

    /// The leaf hashes of all accounts, in the order of their numbers.
    pub fn leaves(&self, salts: &Salts) -> Vec<Hash> {
        self.in_parts(|lines| hashes(lines, salts).collect::<Vec<_>>()).concat()
    }

    /// The sheet of all balances.
    ///
    /// Errors: `BOOKS_LIMIT` when a total would not fit 64 bits.
    pub fn sum_up(&self, salts: &Salts) -> Result<Sheet, Problem> {
        let parts = self.in_parts(|lines| (root_of(hashes(lines.clone(), salts)), sums_of(lines)));
        // A part is a perfect subtree, all but the last, which is what its level has last: so the tree goes on from them as from leaves.
        let root = root_of(parts.iter().map(|(root, _)| *root));
        let mut sums = Sums::new();
        for (key, sum) in parts.into_iter().flat_map(|(_, sums)| sums) {
            *sums.entry(key).or_default() += sum;
        }
        let total = |((asset, purpose), sum)| {
            let balance = i64::try_from(sum).map_err(|_| Problem::new(Code::BOOKS_LIMIT, "All balances together do not fit 64 bits."))?;
            Ok(Total { asset, purpose, balance: Amount::new(balance) })
        };
        Ok(Sheet { accounts: self.accounts(), totals: sums.into_iter().map(total).collect::<Result<_, _>>()?, root })
    }

    /// Does something with each part of the accounts, on every core there is: the writer waits for it.
    fn in_parts<T: Send>(&'a self, work: impl Fn(Lines<'a>) -> T + Sync) -> Vec<T> {
        let accounts = self.accounts();
        let parts = (0..accounts).step_by(PART_ACCOUNTS as usize).map(|from| from..accounts.min(from.saturating_add(PART_ACCOUNTS)));
        let parts = parts.map(|numbers| Lines { standing: self, numbers }).collect::<Vec<_>>();
        let threads = thread::available_parallelism().map_or(1, usize::from).min(THREADS_MAX);
        let work = |share: &[Lines<'a>]| share.iter().cloned().map(&work).collect::<Vec<_>>();
        let mut shares = parts.chunks(parts.len().div_ceil(threads).max(1)).collect::<Vec<_>>();
        let own = shares.pop().unwrap_or_default();
        thread::scope(|scope| {
            let spawn = |share| (share, thread::Builder::new().spawn_scoped(scope, move || work(share)).ok());
            let others = shares.into_iter().map(spawn).collect::<Vec<_>>();
            let own = work(own);
            // What no thread could be had for is done here.
            let done =
                others.into_iter().map(|(share, thread)| thread.and_then(|thread| thread.join().ok()).unwrap_or_else(|| work(share)));
            done.chain([own]).flatten().collect()
        })
    }
}

/// Some accounts in the order of their numbers.
#[derive(Clone)]
struct Lines<'a> {
    standing: &'a Standing<'a>,
    numbers: Range<u32>,
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        self.standing.line(AccountNo(self.numbers.next()?))
    }
}

/// What accounts of one asset and purpose have together.
type Sums = BTreeMap<(Asset, Purpose), i128>;

fn sums_of(lines: Lines<'_>) -> Vec<((Asset, Purpose), i128)> {
    let mut sums = Vec::<((Asset, Purpose), i128)>::new();
    for line in lines {
        let key = (line.asset, line.purpose);
        match sums.iter_mut().find(|(known, _)| *known == key) {
            Some((_, sum)) => *sum += i128::from(line.balance),
            None => sums.push((key, line.balance.into())),
        }
    }
    sums
}

fn hashes<'a>(lines: Lines<'a>, salts: &'a Salts) -> impl Iterator<Item = Hash> + 'a {
    let mut text = String::new();
    lines.map(move |line| {
        line.write(salts.of(line.account), &mut text);
        leaf_hash(text.as_bytes())
    })
}

fn root_of(leaves: impl Iterator<Item = Hash>) -> Hash {
    let mut tree = Frontier::new();
    leaves.for_each(|leaf| tree.push(leaf, |_, _| {}));
    tree.root()
}
