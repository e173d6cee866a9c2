//! Transfers between citizens, one or many at once. The fee is charged on top of the amount, to the pool.
//!
//! This is the desk's hottest path: a transfer between wallets that exist looks up two names and writes two events.

use lab3_ledger::{AccountNo, Draft, Event, Kind, Ledger, Purpose};
use lab3_units::{Amount, Asset, Code, Did, Owner, Problem};

use crate::accounts::{Office, beyond_the_books, check_positive, insufficient, wallet};
use crate::{Desk, Fact};

/// A request to move money between citizens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// Who pays, the fee included.
    pub from: Did,
    /// Who receives the amount.
    pub to: Did,
    /// How much, in KS, more than nothing.
    pub amount: Amount,
    /// What for, in the sender's words; may be empty.
    pub reason: Box<str>,
}

/// The wallets a transfer is between, as far as they are open. An account's number is its for ever, so they can be looked up
/// before the transfers ahead of this one are decided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wallets {
    from: Option<AccountNo>,
    to: Option<AccountNo>,
}

impl Wallets {
    /// Looks them up.
    pub fn of(ledger: &Ledger, transfer: &Transfer) -> Self {
        let wallet = |did: &Did| ledger.find(did.as_str(), Asset::MIC, Purpose::Wallet);
        Self { from: wallet(&transfer.from), to: wallet(&transfer.to) }
    }
}

/// Moves an amount from one wallet to another, and the fee from the sender to the pool. `wallets` may be what was looked up
/// earlier, or nothing: what is missing is looked up now.
///
/// Errors: `SAME_PARTY` (`to_did`), `MIC_INSUFFICIENT` and `BOOKS_LIMIT` (`amount`).
pub fn transfer(desk: &Desk<'_>, command: &Transfer, wallets: Wallets) -> Result<(Fact, Vec<Event>), Problem> {
    let mut draft = Draft::new(desk.ledger);
    draw_up(desk, &mut draft, command, wallets)?;
    Ok((Fact::Transferred, draft.into_events()))
}

/// Several transfers, in order, all or none; each may spend what those before it brought.
///
/// Errors: as [`transfer`], with the field of the first item refused: `transfers[3].amount`.
pub fn transfer_linked<'a>(desk: &Desk<'_>, commands: impl Iterator<Item = &'a Transfer>) -> Result<(Fact, Vec<Event>), Problem> {
    let mut draft = Draft::new(desk.ledger);
    for (item, command) in commands.enumerate() {
        draw_up(desk, &mut draft, command, Wallets::default()).map_err(|problem| {
            let field = format!("transfers[{item}].{}", problem.field.as_deref().unwrap_or("amount"));
            problem.in_field(field)
        })?;
    }
    Ok((Fact::Transferred, draft.into_events()))
}

fn draw_up(desk: &Desk<'_>, draft: &mut Draft<'_>, command: &Transfer, wallets: Wallets) -> Result<(), Problem> {
    let Transfer { from, to, amount, reason } = command;
    check_positive(*amount)?;
    if from == to {
        let detail = format!("{from} cannot pay itself. Name another recipient.");
        return Err(Problem::new(Code::SAME_PARTY, detail).in_field("to_did"));
    }
    let fee = desk.policy.fee.of(*amount);
    let too_large = || beyond_the_books(&lab3_ledger::Refusal::Overflow);
    let needed = amount.checked_add(fee).ok_or_else(too_large)?;
    let sender = wallets.from.or_else(|| draft.find(&Owner::from(from), Asset::MIC, Purpose::Wallet));
    let available = sender.map_or(Amount::ZERO, |account| draft.available(account));
    let Some(sender) = sender.filter(|_| available >= needed) else {
        return Err(insufficient(from, needed, fee, available));
    };
    let recipient = wallets.to.unwrap_or_else(|| wallet(draft, to));
    pay(draft, sender, recipient, *amount, Kind::Transfer, reason)?;
    if fee.is_positive() {
        let pool = Office::Pool.account(desk, draft);
        pay(draft, sender, pool, fee, Kind::Fee, "")?;
    }
    Ok(())
}

/// Moves an amount the payer is known to have.
pub(crate) fn pay(draft: &mut Draft<'_>, from: AccountNo, to: AccountNo, amount: Amount, kind: Kind, memo: &str) -> Result<(), Problem> {
    let transfer = lab3_ledger::Transfer { from, to, amount, kind, memo };
    draft.transfer(&transfer).map_err(|refusal| beyond_the_books(&refusal))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Hive, did, mic};

    /// Alice has `funds`, the fee is `fee` percent; what a transfer of `amount` does, or the field and words of its refusal.
    fn check(funds: &str, fee: &str, from: &str, to: &str, amount: &str, expected: Result<[&str; 3], (Code, &str, String)>) {
        let mut hive = Hive::with_fee(fee);
        hive.fund("did:kaizen:alice", funds);
        let before = hive.balance_of("hive:pool");
        let command = Transfer { from: did(from), to: did(to), amount: mic(amount), reason: "why".into() };
        let outcome = hive.run(|desk| transfer(desk, &command, Wallets::default()));
        match expected {
            Ok([alice, bob, paid]) => {
                assert_eq!(outcome.map_err(|problem| problem.to_string()), Ok(Fact::Transferred));
                assert_eq!(hive.balance_of("did:kaizen:alice"), mic(alice), "what alice has left");
                assert_eq!(hive.balance_of("did:kaizen:bob"), mic(bob), "what bob has");
                assert_eq!(hive.balance_of("hive:pool").checked_sub(before), Some(mic(paid)), "the fee");
            }
            Err((code, field, detail)) => {
                let problem = outcome.unwrap_err();
                assert_eq!((problem.code(), problem.field.as_deref(), &*problem.detail), (code, Some(field), &*detail));
                assert_eq!(hive.balance_of("did:kaizen:alice"), mic(funds));
            }
        }
        hive.verify();
    }

    #[test]
    fn a_transfer_moves_the_amount_and_charges_the_fee_on_top() {
        let (alice, bob) = ("did:kaizen:alice", "did:kaizen:bob");
        check("100", "0.001", alice, bob, "50", Ok(["49.9995", "50", "0.0005"]));
        check("50.0005", "0.001", alice, bob, "50", Ok(["0", "50", "0.0005"]));
        check("1", "0.001", alice, bob, "0.000001", Ok(["0.999998", "0.000001", "0.000001"]));
        check("1", "0.001", alice, bob, "0.1", Ok(["0.899999", "0.1", "0.000001"]));
        check("1", "0.001", alice, bob, "0.100001", Ok(["0.899997", "0.100001", "0.000002"]));
        check("50", "0", alice, bob, "50", Ok(["0", "50", "0"]));
        check("100", "100", alice, bob, "50", Ok(["0", "50", "50"]));
    }

    #[test]
    fn a_transfer_that_cannot_be_is_refused_in_words() {
        let (alice, bob, eve) = ("did:kaizen:alice", "did:kaizen:bob", "did:kaizen:eve");
        let short = |detail: String| Err((Code::MIC_INSUFFICIENT, "amount", detail));
        let help = "Send less, or receive MIC first.";
        check("12", "0.001", alice, bob, "50", short(format!("{alice} needs 50.0005 MIC with the fee of 0.0005, has 12.0. {help}")));
        check("50", "0.001", alice, bob, "50", short(format!("{alice} needs 50.0005 MIC with the fee of 0.0005, has 50.0. {help}")));
        check("12", "0", alice, bob, "50", short(format!("{alice} needs 50.0 MIC, has 12.0. {help}")));
        check("12", "0", eve, bob, "1", short(format!("{eve} needs 1.0 MIC, has 0.0. {help}")));
        let same = format!("{alice} cannot pay itself. Name another recipient.");
        check("12", "0", alice, alice, "1", Err((Code::SAME_PARTY, "to_did", same)));
        let zero = "The amount must be more than zero.";
        check("12", "0", alice, bob, "0", Err((Code::FIELD_RANGE, "amount", zero.to_owned())));
        check("12", "0", alice, bob, "-1", Err((Code::FIELD_RANGE, "amount", zero.to_owned())));
        let large = "The books refuse it: the sum is too large to count. Use a smaller amount.";
        check("12", "1", alice, bob, "9223372036854", Err((Code::BOOKS_LIMIT, "amount", large.to_owned())));
    }

    #[test]
    fn the_fee_is_its_own_event_right_after_the_transfer() {
        let mut hive = Hive::new();
        hive.fund("did:kaizen:alice", "100");
        hive.fund("did:kaizen:bob", "1");
        let command = Transfer { from: did("did:kaizen:alice"), to: did("did:kaizen:bob"), amount: mic("50"), reason: "rent".into() };
        let (_, events) = transfer(&hive.desk(), &command, Wallets::default()).unwrap();
        let told: Vec<_> = events
            .iter()
            .map(|event| match event {
                Event::Transferred { amount, kind, memo, .. } => (kind.as_str(), amount.units(), &**memo),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(told, [("transfer", 50_000_000, "rent"), ("fee", 500, "")]);
    }

    /// Alice has 100 MIC. Runs linked transfers without fee; the field refused, if any, and what alice and bob have then.
    fn check_linked(items: &[(&str, &str, &str)], field: Option<&str>, balances: [&str; 2]) {
        let mut hive = Hive::with_fee("0");
        hive.fund("did:kaizen:alice", "100");
        let name = |short: &str| did(&format!("did:kaizen:{short}"));
        let command =
            |&(from, to, amount): &(&str, &str, &str)| Transfer { from: name(from), to: name(to), amount: mic(amount), reason: "".into() };
        let commands: Vec<Transfer> = items.iter().map(command).collect();
        let outcome = hive.run(|desk| transfer_linked(desk, commands.iter()));
        assert_eq!(outcome.err().and_then(|problem| problem.field).as_deref(), field);
        assert_eq!([hive.balance_of("did:kaizen:alice"), hive.balance_of("did:kaizen:bob")], balances.map(mic));
        hive.verify();
    }

    #[test]
    fn linked_transfers_happen_all_or_none() {
        check_linked(&[("alice", "bob", "60"), ("bob", "carol", "50")], None, ["40", "10"]);
        check_linked(&[("alice", "bob", "60"), ("alice", "bob", "50")], Some("transfers[1].amount"), ["100", "0"]);
        check_linked(&[("alice", "bob", "1"), ("bob", "bob", "1")], Some("transfers[1].to_did"), ["100", "0"]);
        check_linked(&[("bob", "alice", "1"), ("alice", "bob", "60")], Some("transfers[0].amount"), ["100", "0"]);
        check_linked(&[], None, ["100", "0"]);
    }

    #[test]
    fn eight_thousand_linked_transfers_between_strangers_are_one_draft() {
        let mut hive = Hive::new();
        hive.fund("did:kaizen:alice", "10000");
        let to =
            |n: u32| Transfer { from: did("did:kaizen:alice"), to: did(&format!("did:kaizen:c{n}")), amount: mic("1"), reason: "".into() };
        let commands: Vec<Transfer> = (0..8000).map(to).collect();
        hive.run(|desk| transfer_linked(desk, commands.iter())).unwrap();
        assert_eq!(hive.balance_of("did:kaizen:c7999"), mic("1"));
        assert_eq!(hive.balance_of("did:kaizen:alice"), mic("1999.92"));
        hive.verify();
    }
}
