//! The balances that are summed up when an epoch is closed: written again from the books kept here, leaf by leaf, by `docs/journal.md`.

use std::collections::BTreeMap;

use lab3_engine::{Fact, Record};
use lab3_finance::{Fact as Money, Sheet, Total};
use lab3_ledger::{Event, Purpose};
use lab3_tlog::{Frontier, Hash, leaf_hash};
use lab3_units::{Amount, Asset};
use sha2::{Digest, Sha256};

use crate::books::{Account, Books};
use crate::verdict::{Class, Found};

/// What the records so far leave to be known.
#[derive(Debug, Default)]
pub(crate) struct Sheets {
    /// What salts are made of.
    seed: Hash,
    /// Whether an epoch was closed with a sheet: then none is closed without one any more.
    begun: bool,
}

fn bad<T>(what: String) -> Result<T, Found> {
    Err((Class::Balances, what))
}

impl Sheets {
    /// Checks what a record sums up against the books after it.
    pub fn check(&mut self, books: &Books, record: &Record) -> Result<(), Found> {
        let checked = match &record.fact {
            Fact::Finance(Money::EpochBalanced(balanced)) => {
                self.begun = true;
                self.holds(books, balanced.closing.closed, &balanced.sheet)
            }
            Fact::Finance(Money::EpochClosed(closing)) if self.begun => {
                bad(format!("epoch {} is closed without its balances", closing.closed))
            }
            _ => Ok(()),
        };
        if record.entries.iter().any(|event| matches!(event, Event::AccountOpened { .. })) {
            self.seed = Sha256::new().chain_update(self.seed).chain_update(record.id.to_bytes()).finalize().into();
        }
        checked
    }

    fn holds(&self, books: &Books, epoch: u32, sheet: &Sheet) -> Result<(), Found> {
        if u64::from(sheet.accounts) != books.accounts_len() {
            return bad(format!("it sums up {} accounts; there are {}", sheet.accounts, books.accounts_len()));
        }
        if sheet.totals != totals(books) {
            return bad("its totals are not those of the accounts".to_owned());
        }
        let mut tree = Frontier::new();
        for (number, account) in (0_u32..).zip(books.accounts()) {
            let leaf = Leaf::of(number, account, self.salt(epoch, number));
            tree.push(leaf_hash(leaf.text().as_bytes()), |_, _| {});
        }
        if tree.root() == sheet.root { Ok(()) } else { bad("the balances do not lead to the root it has".to_owned()) }
    }

    fn salt(&self, epoch: u32, account: u32) -> u128 {
        let salted = Sha256::new().chain_update(self.seed).chain_update(epoch.to_be_bytes()).chain_update(account.to_be_bytes());
        let hash: Hash = salted.finalize().into();
        hash.iter().take(16).fold(0, |salt, byte| salt << 8 | u128::from(*byte))
    }
}

/// The words for assets and for what accounts are for, as leaves have them.
const ASSETS: [(Asset, &str); 4] = [(Asset::MIC, "MIC"), (Asset::COMPUTE, "compute"), (Asset::ENERGY, "energy"), (Asset::CARBON, "carbon")];
const PURPOSES: [Purpose; 8] = [
    Purpose::Wallet,
    Purpose::Quota,
    Purpose::Issuance,
    Purpose::Pool,
    Purpose::Reserve,
    Purpose::Earnings,
    Purpose::Expense,
    Purpose::Usage,
];

/// What a leaf says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Leaf<'a> {
    pub account: u32,
    pub owner: &'a str,
    pub asset: Asset,
    pub purpose: Purpose,
    pub balance: i64,
    pub held: i64,
    pub salt: u128,
}

impl<'a> Leaf<'a> {
    fn of(account: u32, found: &'a Account, salt: u128) -> Self {
        let Account { asset, purpose, balance, held, .. } = *found;
        Self { account, owner: found.owner.as_str(), asset, purpose, balance, held, salt }
    }

    fn text(&self) -> String {
        let Self { account, owner, asset, purpose, balance, held, salt } = self;
        let asset = ASSETS.iter().find(|(known, _)| known == asset).map_or("other", |(_, word)| word);
        let purpose = purpose.as_str();
        format!(
            "lab3 balance 1\naccount: {account}\nowner: {owner}\nasset: {asset}\npurpose: {purpose}\nbalance: {balance}\nheld: {held}\n\
             salt: {salt:032x}\n"
        )
    }

    /// Reads a leaf's text; there is one way to write it.
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut lines = text.lines().skip(1);
        let mut value = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(": ");
        let leaf = Self {
            account: value("account")?.parse().ok()?,
            owner: value("owner")?,
            asset: value("asset").and_then(|word| ASSETS.iter().find(|(_, known)| *known == word))?.0,
            purpose: value("purpose").and_then(|word| PURPOSES.into_iter().find(|known| known.as_str() == word))?,
            balance: value("balance")?.parse().ok()?,
            held: value("held")?.parse().ok()?,
            salt: u128::from_str_radix(value("salt")?, 16).ok()?,
        };
        (leaf.text() == text).then_some(leaf)
    }
}

fn totals(books: &Books) -> Vec<Total> {
    let mut sums = BTreeMap::<(Asset, Purpose), i64>::new();
    for account in books.accounts() {
        let sum = sums.entry((account.asset, account.purpose)).or_default();
        *sum = sum.saturating_add(account.balance);
    }
    sums.into_iter().map(|((asset, purpose), sum)| Total { asset, purpose, balance: Amount::new(sum) }).collect()
}
