//! What happened to the Hive's money, as facts: results, not rules. The journal stores them, replay folds them.
//!
//! The order of variants and fields is the journal's encoding: add variants at the end, never change one. A reply is made
//! from a fact, the record's ledger events (amounts, fees, words), its id and its time; what those tell is not repeated.

use lab3_ledger::{AccountNo, Purpose};
use lab3_units::{Amount, Asset};
use serde::{Deserialize, Serialize};

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fact {
    /// The Hive opened its books, and epoch 1 began.
    Opened {
        /// Where MIC enters the books.
        issuance: AccountNo,
        /// The PublicGoodsPool.
        pool: AccountNo,
        /// The Hive's reserve.
        reserve: AccountNo,
        /// What the pool holds, in KS.
        pool_balance: Amount,
    },
    /// Money went from citizen to citizen: each `Transfer` event, followed by its `Fee` when there is one.
    Transferred,
    /// The pool paid a project.
    Granted {
        /// What the pool holds now, in KS.
        pool_balance: Amount,
    },
    /// A citizen gave to the pool.
    Contributed {
        /// What the pool holds now, in KS.
        pool_balance: Amount,
    },
    /// New money was made.
    Minted {
        /// All the MIC there is now, in KS.
        supply: Amount,
    },
    /// An epoch ended: its rewards are the `EpochReward` events, one a recipient. Old journals have it; an epoch that ends now is
    /// [`Fact::EpochBalanced`].
    EpochClosed(Closing),
    /// An epoch ended as in [`Fact::EpochClosed`], and what everybody had then is summed up, so that each can prove what was hers.
    EpochBalanced(Box<Balanced>),
}

impl Fact {
    /// The end of an epoch this is, if it is one.
    pub fn closing(&self) -> Option<Closing> {
        match self {
            Fact::EpochClosed(closing) => Some(*closing),
            Fact::EpochBalanced(balanced) => Some(balanced.closing),
            Fact::Opened { .. } | Fact::Transferred | Fact::Granted { .. } | Fact::Contributed { .. } | Fact::Minted { .. } => None,
        }
    }
}

/// The end of an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    /// The epoch that ended.
    pub closed: u32,
    /// The epoch that began.
    pub opened: u32,
    /// What was minted for it, in KS.
    pub reward: Amount,
    /// All the MIC there is now, in KS.
    pub supply: Amount,
}

/// The end of an epoch, and the books summed up right after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balanced {
    /// The end of the epoch.
    pub closing: Closing,
    /// What everybody has after this record.
    pub sheet: Sheet,
}

/// What all accounts have at one place of the journal, summed up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sheet {
    /// How many accounts there are.
    pub accounts: u32,
    /// What they have together: one line an asset and purpose there are accounts of, in the order of their numbers. The lines of one asset
    /// add up to nothing.
    pub totals: Vec<Total>,
    /// Root of the Merkle tree (RFC 6962) whose leaf `n` is the balance of account `n`; `docs/journal.md` says how a leaf is written.
    pub root: [u8; 32],
}

/// What all accounts of one asset and purpose have together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Total {
    /// What they count.
    pub asset: Asset,
    /// What they are for.
    pub purpose: Purpose,
    /// The sum of their balances, in the asset's smallest unit; of an issuance what was given out, as a debt.
    pub balance: Amount,
}
