//! What can happen to the books, as facts. The journal stores these; replay applies them and asks no rule.
//!
//! The order of the variants is the journal's encoding: add at the end, never change one. What an event does to each
//! account it touches can be read off the event alone ([`Event::postings`]), so that views need no state.

use lab3_units::{Amount, Asset, Id, Owner, Time};
use serde::{Deserialize, Serialize};

use crate::{AccountNo, Limits, Purpose};

/// What a transfer was for. The ledger only carries it. The order is the journal's encoding: add at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// From one citizen to another.
    Transfer,
    /// From the PublicGoodsPool to a project.
    Grant,
    /// For a service used.
    Settlement,
    /// From a citizen to the PublicGoodsPool.
    Contribution,
    /// A transfer's fee, to the PublicGoodsPool.
    Fee,
    /// New money.
    Mint,
    /// New money paid at the close of an epoch.
    EpochReward,
    /// A month's allowance.
    Allowance,
    /// Allowance that was not used in its month.
    Lapse,
    /// Energy that was drawn, or carbon emitted with it.
    Draw,
    /// A draw taken back, because a meter says less.
    Correction,
    /// A member's share of what exports earned.
    ExportShare,
}

impl Kind {
    /// Whether the memo of such a transfer is people's own words, not ours.
    pub const fn has_words(self) -> bool {
        matches!(self, Kind::Transfer | Kind::Grant | Kind::Contribution | Kind::Mint)
    }

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Transfer => "transfer",
            Kind::Grant => "grant",
            Kind::Settlement => "settlement",
            Kind::Contribution => "contribution",
            Kind::Fee => "fee",
            Kind::Mint => "mint",
            Kind::EpochReward => "epoch_reward",
            Kind::Allowance => "allowance",
            Kind::Lapse => "lapse",
            Kind::Draw => "draw",
            Kind::Correction => "correction",
            Kind::ExportShare => "export_share",
        }
    }
}

/// The end of a hold: which it was, and what it had set aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldEnd {
    /// The hold.
    pub id: Id,
    /// Sequence number of the record that placed it.
    pub placed: u64,
    /// The account it stood on.
    pub account: AccountNo,
    /// What it had set aside.
    pub held: Amount,
}

/// Something that happened to the books.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// An account was opened; its number is the next one.
    AccountOpened {
        /// Who owns it.
        owner: Owner,
        /// What it counts.
        asset: Asset,
        /// What it is for.
        purpose: Purpose,
        /// What may never happen to it.
        limits: Limits,
    },
    /// An amount moved.
    Transferred {
        /// The account debited.
        from: AccountNo,
        /// The account credited.
        to: AccountNo,
        /// How much, more than nothing.
        amount: Amount,
        /// What for.
        kind: Kind,
        /// The sender's words, or nothing.
        memo: Box<str>,
    },
    /// An amount was set aside.
    HoldPlaced {
        /// The hold's id.
        id: Id,
        /// The account it stands on.
        account: AccountNo,
        /// How much; may be nothing, when somebody else will pay.
        amount: Amount,
        /// When it ends by itself.
        deadline: Time,
        /// What the module that placed it needs to recognise it by.
        code: u32,
    },
    /// A hold ended in a payment; what was not taken is free again.
    HoldSettled {
        /// The hold that ended.
        end: HoldEnd,
        /// The account credited.
        to: AccountNo,
        /// How much was taken in all, from the hold and beyond it.
        taken: Amount,
    },
    /// A hold ended because nobody needs it any more.
    HoldReleased(HoldEnd),
    /// A hold ended because its deadline passed.
    HoldExpired(HoldEnd),
    /// A hold sets more aside, for longer.
    HoldExtended {
        /// The hold.
        id: Id,
        /// The account it stands on.
        account: AccountNo,
        /// How much more; may be nothing.
        by: Amount,
        /// When it ends by itself now.
        deadline: Time,
    },
}

/// What one event did to one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Posting {
    /// The account.
    pub account: AccountNo,
    /// Change of the balance, in the asset's smallest unit.
    pub balance: i64,
    /// Change of what is held.
    pub held: i64,
}

impl Event {
    /// What the event did to each account it touched: none, one or two.
    pub fn postings(&self) -> [Option<Posting>; 2] {
        let posting = |account, balance, held| Some(Posting { account, balance, held });
        match self {
            Event::AccountOpened { .. } => [None, None],
            Event::Transferred { from, to, amount, .. } => [posting(*from, -amount.units(), 0), posting(*to, amount.units(), 0)],
            Event::HoldPlaced { account, amount, .. } | Event::HoldExtended { account, by: amount, .. } => {
                [posting(*account, 0, amount.units()), None]
            }
            Event::HoldSettled { end, to, taken } => {
                [posting(end.account, -taken.units(), -end.held.units()), posting(*to, taken.units(), 0)]
            }
            Event::HoldReleased(end) | Event::HoldExpired(end) => [posting(end.account, 0, -end.held.units()), None],
        }
    }
}
