//! Accounts: who owns how much of what, and what may never happen to it.

use lab3_units::{Amount, Asset};
use serde::{Deserialize, Serialize};

/// An account's place in the books. Dense, from 0, in the order of opening; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountNo(pub u32);

/// What an owner keeps an account for. The order is what the journal stores: add at the end, never reorder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Purpose {
    /// Money to spend.
    Wallet,
    /// The month's compute allowance.
    Quota,
    /// Where an asset enters and leaves the books; its balance is minus the supply.
    Issuance,
    /// The PublicGoodsPool.
    Pool,
    /// Money set aside by the Hive.
    Reserve,
    /// What a provider of a service has earned.
    Earnings,
    /// What the Hive pays on its members' behalf.
    Expense,
    /// What was used up: energy drawn, carbon emitted.
    Usage,
}

impl Purpose {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Purpose::Wallet => "wallet",
            Purpose::Quota => "quota",
            Purpose::Issuance => "issuance",
            Purpose::Pool => "pool",
            Purpose::Reserve => "reserve",
            Purpose::Earnings => "earnings",
            Purpose::Expense => "expense",
            Purpose::Usage => "usage",
        }
    }
}

/// What may never happen to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Whether the balance may go below what is held, and below zero.
    pub overdraft: bool,
    /// The highest balance allowed.
    pub ceiling: Amount,
}

impl Limits {
    /// For citizens: never below zero, no ceiling.
    pub const NO_OVERDRAFT: Limits = Limits { overdraft: false, ceiling: Amount::MAX };
    /// For the Hive's own offices that issue or absorb an asset.
    pub const OVERDRAFT: Limits = Limits { overdraft: true, ceiling: Amount::MAX };
}

/// No hold: the end of a chain.
pub(crate) const NO_HOLD: u32 = u32::MAX;

/// One account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Number of the owner's name in the books.
    pub(crate) owner: u32,
    pub(crate) asset: Asset,
    pub(crate) purpose: Purpose,
    pub(crate) limits: Limits,
    pub(crate) balance: Amount,
    pub(crate) held: Amount,
    /// The open holds, oldest first, as a chain through the slots.
    pub(crate) first_hold: u32,
    pub(crate) last_hold: u32,
    pub(crate) holds_len: u32,
}

impl Account {
    pub(crate) fn new(owner: u32, asset: Asset, purpose: Purpose, limits: Limits) -> Self {
        let zero = Amount::ZERO;
        Self { owner, asset, purpose, limits, balance: zero, held: zero, first_hold: NO_HOLD, last_hold: NO_HOLD, holds_len: 0 }
    }

    /// Number of the owner's name in the books: dense, from 0.
    pub fn owner_no(&self) -> u32 {
        self.owner
    }

    /// What the account counts.
    pub fn asset(&self) -> Asset {
        self.asset
    }

    /// What the account is for.
    pub fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// What may never happen to it.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Credits less debits.
    pub fn balance(&self) -> Amount {
        self.balance
    }

    /// What open holds have set aside.
    pub fn held(&self) -> Amount {
        self.held
    }

    /// What is neither spent nor promised: balance less held.
    pub fn available(&self) -> Amount {
        self.balance.saturating_sub(self.held)
    }

    /// How many holds are open.
    pub fn holds_len(&self) -> u32 {
        self.holds_len
    }
}
