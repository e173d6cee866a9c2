//! The meter: queries the desk itself puts to a provider. What such a query can cost at most is held before it leaves, more is
//! held while the answer comes, and what was used is settled to the token.
//!
//! The hold bounds the query from above and pays for an answer of the usual length: a long limit reserves neither everything nor
//! nothing. How the sums are made is told in `docs/modules/compute.md`.

use lab3_ledger::{Draft, Event};
use lab3_units::{Amount, Id};
use serde::{Deserialize, Serialize};

use crate::allocate::place;
use crate::quota::allocation;
use crate::{Allocate, Allocated, Desk, Fact, Provider, Refusal, Tag};

/// What is known of a query before it is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meter {
    /// No provider counts more tokens for the query than that.
    pub query_tokens_max: u64,
    /// Most tokens of all answers together; `None` when the caller set no limit.
    pub output_tokens_max: Option<u64>,
    /// How many answers are wanted.
    pub answers: u32,
    /// Most runs of the provider's own tools.
    pub tool_runs_max: u64,
    /// Whether the allowance must reach for an answer of the usual length, or none is begun. Else one of sixteen tokens will do.
    pub usual: bool,
    /// Who can be asked: connected, able to say this query, and not failed at it already.
    pub able: Vec<Box<str>>,
}

/// What a metered answer may take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allotment {
    /// What is held for it, in KS.
    pub held: Amount,
    /// The longest answer that pays, in tokens.
    pub output_tokens_held: u64,
    /// The longest answer it may become if more can be held, in tokens: what the provider is told as the limit.
    pub output_tokens_max: u64,
}

impl Allotment {
    /// Of a query whose cost is one figure.
    pub(crate) fn of_cost(held: Amount) -> Self {
        Self { held, output_tokens_held: 0, output_tokens_max: 0 }
    }
}

impl Meter {
    pub(crate) fn can_be_asked(&self, provider: &Provider) -> bool {
        self.able.contains(&provider.name) && (self.tool_runs_max == 0 || provider.prices.sells_tools())
    }

    /// What the query costs with an answer of the usual length.
    pub(crate) fn usual_cost(&self, desk: &Desk<'_>, provider: &Provider) -> Amount {
        self.bound(provider, self.usual_output(desk, provider))
    }

    /// What the query costs with the shortest answer worth asking for.
    pub(crate) fn least_cost(&self, provider: &Provider) -> Amount {
        self.bound(provider, self.output_tokens_max.unwrap_or(LEAST_OUTPUT_TOKENS).min(LEAST_OUTPUT_TOKENS))
    }

    /// What is held, and how long the answer may become, when so much may be spent.
    pub(crate) fn allot(&self, desk: &Desk<'_>, provider: &Provider, budget: Amount) -> Allotment {
        let payable = provider.prices.output_within(self.query_tokens_max, self.tool_runs_max, budget).unwrap_or(0);
        let output_tokens_max = self.output_tokens_max.unwrap_or(u64::MAX).min(provider.output_tokens_max).min(payable);
        let output_tokens_held = self.usual_output(desk, provider).min(output_tokens_max);
        Allotment { held: self.bound(provider, output_tokens_held), output_tokens_held, output_tokens_max }
    }

    fn bound(&self, provider: &Provider, output_tokens: u64) -> Amount {
        provider.prices.bound(self.query_tokens_max, output_tokens, self.tool_runs_max)
    }

    /// Room for what answers of this provider usually are, all of them wanted together; no more than the caller's limit. Twice what
    /// was learned, for the desk's own count while an answer comes is rather too high, and holding more in the midst costs a commit.
    fn usual_output(&self, desk: &Desk<'_>, provider: &Provider) -> u64 {
        let learned = desk.state.track(&provider.name).and_then(|track| track.outputs.percentile(desk.now, USUAL_PERCENT));
        let one = learned.map_or(desk.policy.usual_output_tokens, |tokens| 2 * u64::from(tokens)).max(1);
        one.saturating_mul(u64::from(self.answers.max(1))).min(self.output_tokens_max.unwrap_or(u64::MAX))
    }
}

/// An answer that could not even become so long is not begun, in tokens.
const LEAST_OUTPUT_TOKENS: u64 = 16;

/// Of a hundred answers so many are no longer than what is held for one at first.
const USUAL_PERCENT: u32 = 90;

/// A request to put a query to a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Who asks, and what is wanted of the provider; `tokens` is the likely number of the query's tokens.
    pub allocate: Allocate,
    /// What is known of the query.
    pub meter: Meter,
}

/// A query is about to be put to a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempted {
    /// To whom, why, and what is left.
    pub allocated: Allocated,
    /// No provider counts more tokens for the query than that.
    pub query_tokens_max: u64,
    /// Most runs of the provider's own tools.
    pub tool_runs_max: u64,
    /// What the answer may take.
    pub allotment: Allotment,
}

/// Chooses a provider among those able, and holds what the query can cost there with an answer of the usual length, or with as
/// long a one as can still be paid.
///
/// Errors: as [`crate::allocate`].
pub fn attempt(desk: &Desk<'_>, id: Id, command: &Attempt) -> Result<(Fact, Vec<Event>), Refusal> {
    let (allocated, allotment, events) = place(desk, id, &command.allocate, Some(&command.meter), |_, _| desk.now)?;
    let Meter { query_tokens_max, tool_runs_max, .. } = command.meter;
    let fact = Attempted { allocated, query_tokens_max, tool_runs_max, allotment };
    Ok((Fact::Attempted(Box::new(fact)), events))
}

/// A request to hold more for an answer that goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extend {
    /// The allocation.
    pub allocation: Id,
    /// Tokens the query was bounded by.
    pub query_tokens_max: u64,
    /// Runs of tools it was bounded by.
    pub tool_runs_max: u64,
    /// The longest answer that shall be paid for, in tokens.
    pub output_tokens: u64,
    /// The longest answer that came already: at least so much must be paid for, or more is not held at all.
    pub output_tokens_least: u64,
}

/// More is held for an answer that goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extended {
    /// The allocation.
    pub allocation: Id,
    /// What is held now in all, in KS.
    pub held: Amount,
    /// The longest answer that pays, in tokens; 0 when the Hive pays, who sets no limit.
    pub output_tokens_held: u64,
    /// What the citizen has left this month, in KS.
    pub quota_remaining: Amount,
}

/// Holds more for an answer, as much as wanted or what can still be paid, and gives it time again.
///
/// Errors: [`Refusal::NotOpen`]; `QUOTA_EXHAUSTED` when not even the least can be held: the answer has to end.
pub fn extend(desk: &Desk<'_>, command: &Extend) -> Result<(Fact, Vec<Event>), Refusal> {
    let hold = allocation(desk, command.allocation).ok_or(Refusal::NotOpen(command.allocation))?;
    let tag = Tag::from_code(hold.code);
    let name = desk.state.provider_name(tag.provider).unwrap_or_default();
    let provider = desk.policy.provider(name).ok_or_else(|| desk.policy.unknown(name))?;
    let mut draft = Draft::new(desk.ledger);
    let budget = crate::quota::plus(hold.amount, draft.available(hold.account));
    let (wanted, least) = (command.output_tokens, command.output_tokens_least);
    let Extend { query_tokens_max: query, tool_runs_max: runs, .. } = *command;
    let (held, output_tokens_held) = if tag.hive_pays {
        (Amount::ZERO, 0)
    } else {
        let payable = provider.prices.output_within(query, runs, budget).filter(|&payable| payable >= least);
        let output = payable.ok_or_else(|| exhausted(desk))?.min(wanted);
        (provider.prices.bound(query, output, runs).max(hold.amount), output)
    };
    draft.extend(hold.id, crate::quota::less(held, hold.amount), desk.now.after(desk.policy.hold))?;
    let quota_remaining = crate::quota::remaining(desk, &draft, hold.account);
    let fact = Extended { allocation: hold.id, held, output_tokens_held, quota_remaining };
    Ok((Fact::Extended(fact), draft.into_events()))
}

fn exhausted(desk: &Desk<'_>) -> Refusal {
    use lab3_units::{Code, Problem};
    let renewed = desk.now.period().next().start();
    let detail = format!("No more can be held for this answer: the month's allowance is used up. A new month begins at {renewed}.");
    Problem::new(Code::QUOTA_EXHAUSTED, detail).into()
}

#[cfg(test)]
mod tests;
