//! Reports: what a query really cost, settled against its allocation, and what it tells of the provider's health.

use lab3_ledger::{AccountNo, Draft, Event, Hold, Kind, Transfer};
use lab3_units::{Amount, Code, Did, Id, Problem};

use crate::histogram::Histogram;
use crate::quota::{allocation, lapse_earlier, lapse_freed, less, open_month, plus};
use crate::{Desk, Fact, Health, Refusal, Reported, Sample, State, Tag, accounts};

/// What a query really cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Who asked and pays.
    pub citizen: Did,
    /// Who answered, by name or alias.
    pub provider: Box<str>,
    /// What it cost, in KS.
    pub actual_cost: Amount,
    /// Whether it succeeded.
    pub success: bool,
    /// The allocation it was made under; `None` looks for the open one that expires first.
    pub allocation: Option<Id>,
    /// Tokens of the query.
    pub input_tokens: Option<u64>,
    /// Tokens of the answer.
    pub output_tokens: Option<u64>,
    /// How long it took, in milliseconds.
    pub latency_ms: Option<u32>,
    /// What the journal tells of `allocation` when it expired before this report came.
    pub late: Option<Late>,
}

/// What the journal tells of an allocation that expired before its report came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Late {
    /// The quota account it stood on.
    pub account: AccountNo,
    /// The provider it was given to.
    pub provider: Box<str>,
    /// Whether the Hive was to pay.
    pub hive_pays: bool,
    /// The number of the month whose allowance was promised.
    pub period: u16,
    /// What was charged when its time was over, in KS: a metered allocation's hold, nothing of others.
    pub charged: Amount,
}

impl Late {
    /// Reads an expired allocation from the `HoldPlaced` the journal keeps, the account and the code; and what was charged when it
    /// expired.
    pub fn of(state: &State, account: AccountNo, code: u32, charged: Amount) -> Option<Self> {
        let tag = Tag::from_code(code);
        let provider = state.provider_name(tag.provider)?.into();
        Some(Self { account, provider, hive_pays: tag.hive_pays, period: tag.period, charged })
    }
}

/// What a report is about.
pub(crate) enum Basis<'a> {
    /// An open allocation, which it ends.
    Open(&'a Hold),
    /// An allocation that expired before: whether the Hive was to pay it, what was charged then, and of which month it was.
    Late { hive_pays: bool, charged: Amount, period: u16 },
    /// No allocation.
    Direct,
}

/// Who paid what.
#[derive(Default)]
pub(crate) struct Bill {
    pub(crate) charged: Amount,
    pub(crate) overrun: Amount,
    pub(crate) hive_paid: Amount,
}

/// Settles a query: what it really cost goes to the provider, from the allocation first, then from what the citizen has left,
/// then from the Hive. A query that failed costs nothing; its allocation is given back.
///
/// Errors: `PROVIDER_UNKNOWN` (`provider`), `ALLOCATION_DIFFERS` (`citizen_did` or `provider`), `BOOKS_LIMIT`
/// (`actual_cost`); [`Refusal::NotOpen`] for an allocation that is not open and not known to be late.
pub fn report(desk: &Desk<'_>, command: &Report) -> Result<(Fact, Vec<Event>), Refusal> {
    let provider = provider_name(desk, &command.provider)?;
    let basis = basis(desk, command, provider)?;
    let mut draft = Draft::new(desk.ledger);
    let purse = open_month(desk, &mut draft, &command.citizen)?;
    let bill = match &basis {
        Basis::Open(hold) if !command.success => {
            let freed = draft.release(hold.id)?;
            lapse_freed(desk, &mut draft, hold, freed)?;
            Bill::default()
        }
        basis => {
            let actual = if command.success { command.actual_cost } else { Amount::ZERO };
            charge(desk, &mut draft, basis, purse.account, provider, actual)?
        }
    };
    let (late, allocation) = match basis {
        Basis::Open(hold) => (false, Some(hold.id)),
        Basis::Late { .. } => (true, command.allocation),
        Basis::Direct => (false, None),
    };
    let (health, sample) = observe(desk, provider, command.success, command.latency_ms);
    let fact = Reported {
        allocation,
        late,
        provider: provider.into(),
        success: command.success,
        charged: bill.charged,
        overrun: bill.overrun,
        hive_paid: bill.hive_paid,
        quota_remaining: draft.available(purse.account),
        input_tokens: command.input_tokens,
        output_tokens: command.output_tokens,
        latency_ms: command.latency_ms,
        opening: purse.opening,
        health,
        sample,
    };
    Ok((Fact::Reported(Box::new(fact)), draft.into_events()))
}

/// The provider's name: a configured one, by name or alias, or one the books know and the configuration dropped.
fn provider_name<'a>(desk: &Desk<'a>, name: &str) -> Result<&'a str, Problem> {
    let configured = desk.policy.provider(name).map(|provider| &*provider.name);
    let known = || desk.state.track(name).map(|track| &*track.name);
    configured.or_else(known).ok_or_else(|| desk.policy.unknown(name).in_field("provider"))
}

/// Finds what the report is about: the allocation it names, else of the citizen's open ones with that provider the one that expires first. As a rule
/// that is the oldest; one that waits for its time is not taken for one that runs now.
fn basis<'a>(desk: &Desk<'a>, command: &Report, provider: &str) -> Result<Basis<'a>, Refusal> {
    let account = accounts::find_quota(desk.ledger, &command.citizen);
    let number = desk.state.number(provider);
    let Some(id) = command.allocation else {
        let open = account.into_iter().flat_map(|account| desk.ledger.holds_of(account));
        let of_provider = open.filter(|hold| Tag::from_code(hold.code).provider == number);
        return Ok(of_provider.min_by_key(|hold| hold.deadline).map_or(Basis::Direct, Basis::Open));
    };
    let (stands_on, given_to, basis) = match (allocation(desk, id), &command.late) {
        (Some(hold), _) => (hold.account, Tag::from_code(hold.code).provider, Basis::Open(hold)),
        (None, Some(late)) => (
            late.account,
            desk.state.number(&late.provider),
            Basis::Late { hive_pays: late.hive_pays, charged: late.charged, period: late.period },
        ),
        (None, None) => return Err(Refusal::NotOpen(id)),
    };
    let differs = |field, detail| Err(Problem::new(Code::ALLOCATION_DIFFERS, detail).in_field(field).into());
    if account != Some(stands_on) {
        return differs("citizen_did", format!("The allocation is not one of {}.", command.citizen));
    }
    if given_to != number {
        let other = desk.state.provider_name(given_to).unwrap_or("another provider");
        return differs("provider", format!("The allocation was given to {other}, not to {provider}."));
    }
    Ok(basis)
}

/// Pays the provider. What was charged before, when the allocation expired, counts: the difference is paid, or given back.
pub(crate) fn charge(
    desk: &Desk<'_>,
    draft: &mut Draft<'_>,
    basis: &Basis<'_>,
    account: AccountNo,
    provider: &str,
    actual: Amount,
) -> Result<Bill, Refusal> {
    let earnings = accounts::earnings(draft, provider);
    let (set_aside, hive_pays) = match basis {
        Basis::Open(hold) => (hold.amount, Tag::from_code(hold.code).hive_pays),
        Basis::Late { hive_pays, charged, .. } => (*charged, *hive_pays),
        Basis::Direct => (Amount::ZERO, false),
    };
    let payable = if hive_pays { set_aside } else { plus(set_aside, draft.available(account)) };
    let charged = actual.min(payable);
    match basis {
        Basis::Open(hold) => {
            let settled = draft.settle(hold.id, earnings, charged).map_err(too_much)?;
            lapse_freed(desk, draft, hold, settled.freed)?;
        }
        Basis::Late { period, .. } => {
            pay(draft, account, earnings, less(charged, set_aside), "")?;
            let refund = less(set_aside, charged);
            pay(draft, earnings, account, refund, "reconciled")?;
            lapse_earlier(desk, draft, account, *period, refund)?;
        }
        Basis::Direct => pay(draft, account, earnings, charged, "")?,
    }
    let hive_paid = less(actual, charged);
    let memo = if hive_pays { "fallback" } else { "overrun" };
    if hive_paid.is_positive() {
        let from = accounts::expense(draft);
        pay(draft, from, earnings, hive_paid, memo)?;
    }
    let overrun = if hive_pays { Amount::ZERO } else { hive_paid };
    Ok(Bill { charged, overrun, hive_paid })
}

/// Moves an amount, if there is one.
fn pay(draft: &mut Draft<'_>, from: AccountNo, to: AccountNo, amount: Amount, memo: &str) -> Result<(), Refusal> {
    if amount.is_positive() {
        draft.transfer(&Transfer { from, to, amount, kind: Kind::Settlement, memo }).map_err(too_much)?;
    }
    Ok(())
}

/// The books' refusal of a payment: what the citizen has was asked before, so the sums are too large.
fn too_much(refusal: lab3_ledger::Refusal) -> Refusal {
    match Refusal::from(refusal) {
        Refusal::Problem(problem) => problem.in_field("actual_cost").into(),
        not_open @ Refusal::NotOpen(_) => not_open,
    }
}

/// The provider's health after the report, and where its latency fell.
pub(crate) fn observe(desk: &Desk<'_>, provider: &str, success: bool, latency_ms: Option<u32>) -> (Health, Option<Sample>) {
    let (now, timed) = (desk.now, latency_ms.filter(|_| success));
    let Some(track) = desk.state.track(provider) else {
        let health = Health::default().reported(now, now, success, timed);
        return (health, timed.map(|ms| Histogram::default().place(now, ms)));
    };
    let health = track.health.reported(track.since, now, success, timed);
    (health, timed.map(|ms| track.histogram.place(now, ms)))
}

#[cfg(test)]
mod tests;
