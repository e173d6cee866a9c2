//! What happened to the Hive's money, as facts: results, not rules. The journal stores them, replay folds them.
//!
//! The order of variants and fields is the journal's encoding: add variants at the end, never change one. A reply is made
//! from a fact, the record's ledger events (amounts, fees, words), its id and its time; what those tell is not repeated.

use lab3_ledger::AccountNo;
use lab3_units::Amount;
use serde::{Deserialize, Serialize};

/// One thing that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// An epoch ended: its rewards are the `EpochReward` events, one a recipient.
    EpochClosed {
        /// The epoch that ended.
        closed: u32,
        /// The epoch that began.
        opened: u32,
        /// What was minted for it, in KS.
        reward: Amount,
        /// All the MIC there is now, in KS.
        supply: Amount,
    },
}
