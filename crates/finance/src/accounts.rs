//! The accounts finance writes to: citizens' wallets and the Hive's own offices, and how the books' refusals read here.

use lab3_ledger::{AccountNo, Draft, Limits, Purpose, Refusal};
use lab3_units::{Amount, Asset, Code, Did, Owner, Problem};

use crate::Desk;
use crate::state::Offices;

/// One of the Hive's own offices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Office {
    /// `hive:issuance`, where MIC enters the books: its balance is minus the supply.
    Issuance,
    /// `hive:pool`, the PublicGoodsPool.
    Pool,
    /// `hive:reserve`, what the Hive sets aside.
    Reserve,
}

impl Office {
    /// The office's account. Genesis opened it and the state knows its number; only before genesis is it looked up by name.
    pub(crate) fn account(self, desk: &Desk<'_>, draft: &mut Draft<'_>) -> AccountNo {
        match desk.state.offices {
            Some(offices) => self.of(offices),
            None => self.open(draft),
        }
    }

    /// The office's account, opened when there is none.
    pub(crate) fn open(self, draft: &mut Draft<'_>) -> AccountNo {
        let (name, purpose, limits) = match self {
            Self::Issuance => ("issuance", Purpose::Issuance, Limits::OVERDRAFT),
            Self::Pool => ("pool", Purpose::Pool, Limits::NO_OVERDRAFT),
            Self::Reserve => ("reserve", Purpose::Reserve, Limits::NO_OVERDRAFT),
        };
        draft.open(&Owner::hive(name), Asset::MIC, purpose, limits)
    }

    /// What the office has now; nothing before genesis.
    pub(crate) fn balance(self, desk: &Desk<'_>) -> Amount {
        let account = desk.state.offices.and_then(|offices| desk.ledger.account(self.of(offices)));
        account.map_or(Amount::ZERO, lab3_ledger::Account::balance)
    }

    fn of(self, offices: Offices) -> AccountNo {
        match self {
            Self::Issuance => offices.issuance,
            Self::Pool => offices.pool,
            Self::Reserve => offices.reserve,
        }
    }
}

/// The wallet of a DID, opened when there is none.
pub(crate) fn wallet(draft: &mut Draft<'_>, did: &Did) -> AccountNo {
    draft.open(&Owner::from(did), Asset::MIC, Purpose::Wallet, Limits::NO_OVERDRAFT)
}

/// All the MIC there is: what the issuance account has given out.
pub(crate) fn supply(issuance: Amount) -> Amount {
    issuance.checked_neg().unwrap_or(Amount::MAX)
}

/// Refuses an amount that is not more than nothing. The server has checked it already; a rule does not rely on that.
pub(crate) fn check_positive(amount: Amount) -> Result<(), Problem> {
    if amount.is_positive() {
        return Ok(());
    }
    Err(Problem::new(Code::FIELD_RANGE, "The amount must be more than zero.").in_field("amount"))
}

/// The wallet's refusal when it has too little.
pub(crate) fn insufficient(who: &Did, needed: Amount, fee: Amount, available: Amount) -> Problem {
    let mic = |amount| Asset::MIC.decimal(amount);
    let with_fee = if fee.is_zero() { String::new() } else { format!(" with the fee of {}", mic(fee)) };
    let detail = format!("{who} needs {} MIC{with_fee}, has {}. Send less, or receive MIC first.", mic(needed), mic(available));
    Problem::new(Code::MIC_INSUFFICIENT, detail).in_field("amount")
}

/// What is left of the books' refusals once funds and parties have been checked: sums too large to count.
pub(crate) fn beyond_the_books(refusal: &Refusal) -> Problem {
    Problem::new(Code::BOOKS_LIMIT, format!("The books refuse it: {refusal}. Use a smaller amount.")).in_field("amount")
}
