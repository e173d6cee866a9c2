//! Mint: the operator makes new money, with a reason for everybody to read.

use lab3_ledger::{Draft, Event, Kind};
use lab3_units::{Amount, Did, Problem};

use crate::accounts::{Office, check_positive, supply, wallet};
use crate::transfer::pay;
use crate::{Desk, Fact};

/// A request to make new money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mint {
    /// Who receives it.
    pub to: Did,
    /// How much, in KS, more than nothing.
    pub amount: Amount,
    /// Why.
    pub reason: Box<str>,
}

/// Pays new money into a wallet. Whether the caller may is the server's to check.
///
/// Errors: `BOOKS_LIMIT` (`amount`) when the supply or the wallet would not fit 64 bits.
pub fn mint(desk: &Desk<'_>, command: &Mint) -> Result<(Fact, Vec<Event>), Problem> {
    let Mint { to, amount, reason } = command;
    check_positive(*amount)?;
    let mut draft = Draft::new(desk.ledger);
    let issuance = Office::Issuance.account(desk, &mut draft);
    let wallet = wallet(&mut draft, to);
    pay(&mut draft, issuance, wallet, *amount, Kind::Mint, reason)?;
    let fact = Fact::Minted { supply: supply(draft.balance(issuance)) };
    Ok((fact, draft.into_events()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Hive, did, mic};
    use lab3_units::Code;

    fn check(amount: &str, expected: Result<&str, Code>) {
        let mut hive = Hive::new();
        let command = Mint { to: did("did:kaizen:alice"), amount: mic(amount), reason: "welcome".into() };
        let outcome = hive.run(|desk| mint(desk, &command));
        let told = expected.map(|supply| Fact::Minted { supply: mic(supply) });
        assert_eq!(outcome.map_err(|problem| problem.code()), told);
        assert_eq!(hive.balance_of("did:kaizen:alice"), expected.map_or(Amount::ZERO, |_| mic(amount)));
        hive.verify();
    }

    #[test]
    fn new_money_raises_the_supply() {
        check("12.5", Ok("50012.5"));
        check("9223371986854.775807", Ok("9223372036854.775807"));
        check("9223372036854.775807", Err(Code::BOOKS_LIMIT));
        check("0", Err(Code::FIELD_RANGE));
    }
}
