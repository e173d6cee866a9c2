//! Contributions: a citizen gives to the PublicGoodsPool.

use lab3_ledger::{Draft, Event, Kind, Purpose};
use lab3_units::{Amount, Asset, Did, Owner, Problem};

use crate::accounts::{Office, check_positive, insufficient};
use crate::transfer::pay;
use crate::{Desk, Fact};

/// A request to give to the PublicGoodsPool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contribute {
    /// Who gives.
    pub from: Did,
    /// How much, in KS, more than nothing.
    pub amount: Amount,
    /// The giver's words; may be empty.
    pub reason: Box<str>,
}

/// Moves an amount from a wallet to the pool. There is no fee: all of it is for the pool anyway.
///
/// Errors: `MIC_INSUFFICIENT` and `BOOKS_LIMIT` (`amount`).
pub fn contribute(desk: &Desk<'_>, command: &Contribute) -> Result<(Fact, Vec<Event>), Problem> {
    let Contribute { from, amount, reason } = command;
    check_positive(*amount)?;
    let mut draft = Draft::new(desk.ledger);
    let giver = draft.find(&Owner::from(from), Asset::MIC, Purpose::Wallet);
    let available = giver.map_or(Amount::ZERO, |account| draft.available(account));
    let Some(giver) = giver.filter(|_| available >= *amount) else {
        return Err(insufficient(from, *amount, Amount::ZERO, available));
    };
    let pool = Office::Pool.account(desk, &mut draft);
    pay(&mut draft, giver, pool, *amount, Kind::Contribution, reason)?;
    let fact = Fact::Contributed { pool_balance: draft.balance(pool) };
    Ok((fact, draft.into_events()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Hive, did, mic};
    use lab3_units::Code;

    fn check(amount: &str, expected: Result<&str, Code>) {
        let mut hive = Hive::new();
        hive.fund("did:kaizen:alice", "10");
        let command = Contribute { from: did("did:kaizen:alice"), amount: mic(amount), reason: "thanks".into() };
        let outcome = hive.run(|desk| contribute(desk, &command));
        let pool_balance = expected.map(|balance| Fact::Contributed { pool_balance: mic(balance) });
        assert_eq!(outcome.map_err(|problem| problem.code()), pool_balance);
        assert_eq!(hive.balance_of("hive:pool"), mic(expected.unwrap_or("50000")));
        hive.verify();
    }

    #[test]
    fn a_contribution_goes_whole_to_the_pool() {
        check("10", Ok("50010"));
        check("0.000001", Ok("50000.000001"));
        check("10.000001", Err(Code::MIC_INSUFFICIENT));
        check("0", Err(Code::FIELD_RANGE));
    }
}
