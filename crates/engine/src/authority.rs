//! What the writer looks at of who asks, when a command is decided: whether he may still ask, whether those it takes from have said so as they have
//! to, and whether a service keeps within its day. Whose a thing is was judged at the door. Pure.

use lab3_ledger::Event;
use lab3_trust::{check_approval, check_counted, check_intent, check_not_frozen, check_unsigned, check_working};
use lab3_units::{Amount, Asset, Code, Did, Problem};

use crate::command::{Command, Energy, Submission, Will};
use crate::decide::Desk;
use crate::record::{Actor, Fact, held};

/// Whether the command may be decided at all.
pub fn check_before(desk: &Desk<'_>, submission: &Submission) -> Result<(), Problem> {
    check_still_named(desk, submission)?;
    check_will(desk, &submission.command, submission.will.as_deref())
}

/// Whether what was decided is within what its asker may set aside today.
pub fn check_after(desk: &Desk<'_>, actor: Actor, fact: &Fact, entries: &[Event]) -> Result<(), Problem> {
    let Actor::Key(number) = actor else { return Ok(()) };
    let Some(left) = desk.state.trust.left_today(number, desk.now) else { return Ok(()) };
    let (held, mic) = (held(fact, entries), |amount| Asset::COMPUTE.decimal(amount));
    if held <= left {
        return Ok(());
    }
    let detail = format!("This service may hold {} MIC more today (UTC), and this takes {}.", mic(left), mic(held));
    Err(Problem::new(Code::NOT_ALLOWED, detail + " Ask the operator for a higher daily cap, or wait until tomorrow."))
}

/// Whether who asked at the door may still ask: meanwhile a key may have been revoked, or the open Hive closed. What was begun in time is ended
/// in the name of who began it.
fn check_still_named(desk: &Desk<'_>, submission: &Submission) -> Result<(), Problem> {
    let trust = &desk.state.trust;
    if matches!(submission.command, Command::Settle(_) | Command::Extend(_)) {
        return Ok(());
    }
    match submission.actor {
        Actor::Key(number) => check_working(trust, desk.now, number),
        Actor::Open if !trust.is_open() => {
            let detail = "This Hive was closed while the request waited: somebody has to be named now. Nothing has changed; send a key.";
            Err(Problem::new(Code::UNNAMED, detail).in_field("Authorization"))
        }
        _ => Ok(()),
    }
}

/// Whether those whose money or allowance a command takes, or who answer for the Hive's, have said so as they have to.
fn check_will(desk: &Desk<'_>, command: &Command, will: Option<&Will>) -> Result<(), Problem> {
    let trust = &desk.state.trust;
    let approval = || match will {
        Some(Will::Approval(approval, _)) => check_approval(trust, desk.now, Some(approval)),
        Some(Will::Intent(..)) | None => check_approval(trust, desk.now, None),
    };
    match command {
        Command::Transfer(transfer) => pays(desk, &transfer.from, transfer.amount, desk.policy.finance.fee.of(transfer.amount), will),
        Command::TransferLinked(items) => {
            items.iter().try_for_each(|(_, transfer)| pays(desk, &transfer.from, transfer.amount, Amount::ZERO, None))
        }
        Command::Contribute(contribute) => pays(desk, &contribute.from, contribute.amount, Amount::ZERO, will),
        Command::Allocate(allocate) => check_not_frozen(trust, desk.now, &allocate.citizen),
        Command::Defer(defer) => check_not_frozen(trust, desk.now, &defer.allocate.citizen),
        Command::Attempt(attempt) => check_not_frozen(trust, desk.now, &attempt.allocate.citizen),
        Command::Energy(Energy::Book(book)) => check_not_frozen(trust, desk.now, &book.citizen),
        Command::Energy(Energy::ShareExports(share)) => shares(desk, share, will),
        Command::Grant(_) | Command::Mint(_) => approval(),
        _ => Ok(()),
    }
}

/// Whether a payer may share so much: as with any payment, and of what the desk counted no more than was signed.
fn shares(desk: &Desk<'_>, share: &lab3_energy::ShareExports, will: Option<&Will>) -> Result<(), Problem> {
    pays(desk, &share.payer, share.amount, Amount::ZERO, will)?;
    match will {
        Some(Will::Intent(intent, _)) if share.measured => check_counted(intent, share.amount),
        _ => Ok(()),
    }
}

/// Whether a citizen may pay so much: she is not frozen, and has signed where she has to.
fn pays(desk: &Desk<'_>, from: &Did, amount: Amount, fee: Amount, will: Option<&Will>) -> Result<(), Problem> {
    let trust = &desk.state.trust;
    check_not_frozen(trust, desk.now, from)?;
    match will {
        Some(Will::Intent(intent, _)) => check_intent(trust, desk.now, from, intent, fee),
        _ => check_unsigned(trust, from, amount, desk.policy.unsigned_max),
    }
}
