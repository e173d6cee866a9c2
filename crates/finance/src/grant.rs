//! Grants: the PublicGoodsPool pays a project. A governed Hive asks for an approval first.

use lab3_ledger::{Draft, Event, Kind};
use lab3_units::{Amount, Asset, Code, Did, Problem};

use crate::accounts::{Office, check_positive, wallet};
use crate::transfer::pay;
use crate::{Desk, Fact, Grants};

/// A request to pay a project from the PublicGoodsPool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Who receives it.
    pub recipient: Did,
    /// How much, in KS, more than nothing.
    pub amount: Amount,
    /// What for.
    pub project: Box<str>,
    /// Whether governance (or the operator) approved it.
    pub approved: bool,
}

/// Pays a project from the pool. There is no fee.
///
/// Errors: `GRANT_UNAPPROVED`; `POOL_INSUFFICIENT` and `BOOKS_LIMIT` (`amount`).
pub fn grant(desk: &Desk<'_>, command: &Grant) -> Result<(Fact, Vec<Event>), Problem> {
    let Grant { recipient, amount, project, approved } = command;
    if desk.policy.grants == Grants::Governed && !approved {
        let detail = "This Hive pays grants only with an approval by governance. Have the grant approved, or ask the operator.";
        return Err(Problem::new(Code::GRANT_UNAPPROVED, detail));
    }
    check_positive(*amount)?;
    let mut draft = Draft::new(desk.ledger);
    let pool = Office::Pool.account(desk, &mut draft);
    let available = draft.available(pool);
    if available < *amount {
        let mic = |amount| Asset::MIC.decimal(amount);
        let detail = format!("The grant needs {} MIC, the PublicGoodsPool has {}. Ask for less.", mic(*amount), mic(available));
        return Err(Problem::new(Code::POOL_INSUFFICIENT, detail).in_field("amount"));
    }
    let wallet = wallet(&mut draft, recipient);
    pay(&mut draft, pool, wallet, *amount, Kind::Grant, project)?;
    let fact = Fact::Granted { pool_balance: draft.balance(pool) };
    Ok((fact, draft.into_events()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Hive, did, mic};

    fn check(grants: Grants, approved: bool, amount: &str, expected: Result<&str, (Code, Option<&str>)>) {
        let mut hive = Hive::new();
        hive.policy.grants = grants;
        let command = Grant { recipient: did("did:kaizen:garden"), amount: mic(amount), project: "Solar".into(), approved };
        let outcome = hive.run(|desk| grant(desk, &command));
        let told = outcome.map_err(|problem| (problem.code(), problem.field.map(String::from)));
        let pool_balance = expected.map(|balance| Fact::Granted { pool_balance: mic(balance) });
        assert_eq!(told, pool_balance.map_err(|(code, field)| (code, field.map(str::to_owned))));
        let (pool, garden) = expected.map_or(("50000", "0"), |balance| (balance, amount));
        assert_eq!((hive.balance_of("hive:pool"), hive.balance_of("did:kaizen:garden")), (mic(pool), mic(garden)));
        hive.verify();
    }

    #[test]
    fn a_grant_needs_the_money_and_on_a_governed_hive_an_approval() {
        check(Grants::Open, false, "1000", Ok("49000"));
        check(Grants::Open, false, "50000", Ok("0"));
        check(Grants::Open, false, "50000.000001", Err((Code::POOL_INSUFFICIENT, Some("amount"))));
        check(Grants::Open, false, "0", Err((Code::FIELD_RANGE, Some("amount"))));
        check(Grants::Governed, true, "1000", Ok("49000"));
        check(Grants::Governed, false, "1000", Err((Code::GRANT_UNAPPROVED, None)));
        check(Grants::Governed, false, "60000", Err((Code::GRANT_UNAPPROVED, None)));
    }

    #[test]
    fn a_pool_too_small_says_what_it_has() {
        let hive = Hive::new();
        let command = Grant { recipient: did("did:kaizen:garden"), amount: mic("60000"), project: "Solar".into(), approved: false };
        let problem = grant(&hive.desk(), &command).unwrap_err();
        assert_eq!(problem.detail, "The grant needs 60000.0 MIC, the PublicGoodsPool has 50000.0. Ask for less.");
    }
}
