//! Settlement of metered queries: what an answer used is priced and paid, once; what nobody settles in time is charged.

use lab3_ledger::{Draft, Event};
use lab3_units::{Amount, Did, Id};
use serde::{Deserialize, Serialize};

use crate::histogram::Histogram;
use crate::quota::{allocation, lapse_freed, open_month, remaining};
use crate::report::{Basis, charge, observe};
use crate::{Desk, Fact, Health, Refusal, Reported, Sample, Tag, Usage, accounts};

/// How it is known what an answer used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Counted {
    /// The provider said so.
    Provider,
    /// The desk counted what came.
    Estimate,
    /// Nobody said: the allocation's time was over, and what it held was charged.
    Lease,
    /// The provider was not asked: it had said it of the very same query, whose answer the desk had kept.
    Cache,
}

/// What became of a query the desk put to a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settle {
    /// Who asked and pays.
    pub citizen: Did,
    /// The allocation it was put under.
    pub allocation: Id,
    /// What it used; nothing when it failed before an answer began.
    pub usage: Usage,
    /// How that is known.
    pub counted: Counted,
    /// Whether the provider did what it was asked.
    pub success: bool,
    /// How long it took, in milliseconds.
    pub latency_ms: Option<u32>,
}

/// A query the desk put to a provider was settled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// Who paid what, and the provider's health after it.
    pub reported: Reported,
    /// What was used.
    pub usage: Usage,
    /// How that is known.
    pub counted: Counted,
    /// Where the length of the answer fell, when it was whole.
    pub output_sample: Option<Sample>,
}

/// Settles a metered query: what it used, at the provider's prices, is paid from the allocation first.
///
/// Errors: [`Refusal::NotOpen`] when it was settled or charged already.
pub fn settle(desk: &Desk<'_>, command: &Settle) -> Result<(Fact, Vec<Event>), Refusal> {
    let hold = allocation(desk, command.allocation).ok_or(Refusal::NotOpen(command.allocation))?;
    let name = desk.state.provider_name(Tag::from_code(hold.code).provider).unwrap_or_default();
    let provider = desk.policy.provider(name).ok_or_else(|| desk.policy.unknown(name))?;
    let mut draft = Draft::new(desk.ledger);
    let purse = open_month(desk, &mut draft, &command.citizen)?;
    let is_cached = command.counted == Counted::Cache;
    let bill = provider.prices.bill(&command.usage);
    let actual = if is_cached { percent(bill, desk.policy.cached_percent) } else { bill };
    let bill = charge(desk, &mut draft, &Basis::Open(hold), hold.account, name, actual)?;
    let (health, sample) = match desk.state.track(name) {
        // Nothing was seen of the provider.
        track if is_cached => (track.map_or_else(Health::default, |track| track.health), None),
        _ => observe(desk, name, command.success, command.latency_ms),
    };
    let whole = command.success && command.counted == Counted::Provider;
    let tokens = u32::try_from(command.usage.output).unwrap_or(u32::MAX);
    let output_sample = whole.then(|| match desk.state.track(name) {
        Some(track) => track.outputs.place(desk.now, tokens),
        None => Histogram::default().place(desk.now, tokens),
    });
    let reported = Reported {
        allocation: Some(hold.id),
        late: false,
        provider: name.into(),
        success: command.success,
        charged: bill.charged,
        overrun: bill.overrun,
        hive_paid: bill.hive_paid,
        quota_remaining: remaining(desk, &draft, purse.account),
        input_tokens: Some(command.usage.query_tokens()),
        output_tokens: Some(command.usage.output),
        latency_ms: command.latency_ms,
        opening: purse.opening,
        health,
        sample,
    };
    let fact = Settled { reported, usage: command.usage, counted: command.counted, output_sample };
    Ok((Fact::Settled(Box::new(fact)), draft.into_events()))
}

/// So many percent of an amount, rounded up to a KS.
fn percent(amount: Amount, percent: u32) -> Amount {
    let hundredfold = i128::from(amount.units()) * i128::from(percent.min(100));
    i64::try_from((hundredfold + 99) / 100).map_or(amount, Amount::new)
}

/// Whether a hold of this code is charged when its time is over, because its answer may have been made: by [`charge_lease`].
pub fn is_lease(code: u32) -> bool {
    Tag::from_code(code).metered
}

/// Ends an allocation whose time is over and whose outcome nobody told: what it held goes to the provider. Should the truth
/// come later, a report on the allocation corrects it.
///
/// Errors: [`Refusal::NotOpen`].
pub fn charge_lease(desk: &Desk<'_>, allocation_id: Id) -> Result<(Fact, Vec<Event>), Refusal> {
    let hold = allocation(desk, allocation_id).ok_or(Refusal::NotOpen(allocation_id))?;
    let name = desk.state.provider_name(Tag::from_code(hold.code).provider).unwrap_or_default();
    let mut draft = Draft::new(desk.ledger);
    let earnings = accounts::earnings(&mut draft, name);
    let settled = draft.settle(hold.id, earnings, hold.amount)?;
    lapse_freed(desk, &mut draft, hold, settled.freed)?;
    let reported = Reported {
        allocation: Some(hold.id),
        late: false,
        provider: name.into(),
        success: false,
        charged: hold.amount,
        overrun: Amount::ZERO,
        hive_paid: Amount::ZERO,
        quota_remaining: remaining(desk, &draft, hold.account),
        input_tokens: None,
        output_tokens: None,
        latency_ms: None,
        opening: None,
        health: desk.state.track(name).map_or_else(Health::default, |track| track.health),
        sample: None,
    };
    let fact = Settled { reported, usage: Usage::default(), counted: Counted::Lease, output_sample: None };
    Ok((Fact::Settled(Box::new(fact)), draft.into_events()))
}

#[cfg(test)]
mod tests;
