//! Allocation: chooses a provider for a query and holds its cost on the citizen's allowance.

use lab3_ledger::{Draft, Event, PlaceHold};
use lab3_units::{Amount, Did, Id, Problem, Ratio, Time};

use crate::choice::{self, Candidate, NoFallback, Nobody, Wants};
use crate::quota::open_month;
use crate::score::Scale;
use crate::{Allocated, Allotment, Desk, Fact, Meter, Priority, Provider, Refusal, Tag, reason};

/// A request for a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allocate {
    /// Who asks and pays.
    pub citizen: Did,
    /// Tokens of the query.
    pub tokens: u64,
    /// What the caller wants most.
    pub priority: Priority,
    /// Least quality; `None` is the policy's.
    pub min_quality: Option<Ratio>,
    /// Most it may cost, in KS; `None` is the month's quota.
    pub max_cost: Option<Amount>,
    /// The provider the caller would like, by name or alias.
    pub preferred: Option<Box<str>>,
    /// Whether to say of every provider why it was or was not chosen.
    pub explain: bool,
}

/// Who answers, and why.
struct Answer<'a> {
    candidate: Candidate<'a>,
    reason: String,
    hive_pays: bool,
    is_fallback: bool,
}

/// Chooses a provider and holds the cost, under the record's id. Shown without being applied, it is a dry run.
///
/// Errors: `PROVIDER_UNKNOWN` (`preferred_provider`); when nobody is eligible and no fallback answers: `NO_PROVIDER_FITS`
/// (the field that keeps all out, if one does), `QUOTA_EXHAUSTED`, `NO_PROVIDER_UP`; `ALLOCATIONS_OPEN`.
pub fn allocate(desk: &Desk<'_>, id: Id, command: &Allocate) -> Result<(Fact, Vec<Event>), Refusal> {
    let (allocated, _, events) = place(desk, id, command, None, |_, _| desk.now)?;
    Ok((Fact::Allocated(Box::new(allocated)), events))
}

/// As [`allocate`], and what a metered answer may take. `latest` is when the query begins at the latest, by the provider and its latency.
pub(crate) fn place(
    desk: &Desk<'_>,
    id: Id,
    command: &Allocate,
    meter: Option<&Meter>,
    latest: impl FnOnce(&str, u32) -> Time,
) -> Result<(Allocated, Allotment, Vec<Event>), Refusal> {
    let preferred = preferred(desk, command)?;
    let mut draft = Draft::new(desk.ledger);
    let purse = open_month(desk, &mut draft, &command.citizen)?;
    let wants = Wants::of(desk, command, meter, draft.available(purse.account));
    let candidates: Vec<Candidate<'_>> = desk.policy.providers.iter().map(|provider| Candidate::of(desk, provider, &wants)).collect();
    let scale = choice::scale(command, &candidates);
    let answer = answer(desk, command, preferred, &wants, &candidates, &scale)?;

    let Candidate { provider, cost, latency_ms, .. } = answer.candidate;
    let (metered, number) = (meter.is_some(), desk.state.number(&provider.name));
    let tag = Tag { provider: number, hive_pays: answer.hive_pays, metered, period: purse.month };
    let budget = if answer.hive_pays { Amount::MAX } else { wants.max_cost.min(wants.available) };
    let allotment = meter.map_or(Allotment::of_cost(cost), |meter| meter.allot(desk, provider, budget));
    let amount = if answer.hive_pays { Amount::ZERO } else { allotment.held };
    let deadline = latest(&provider.name, latency_ms).after(desk.policy.hold);
    let (account, open_max) = (purse.account, desk.policy.open_max);
    draft.hold(&PlaceHold { id, account, amount, deadline, code: tag.code(), open_max })?;

    let track = desk.state.track(&provider.name);
    let other = choice::fallback(desk, &wants).ok().filter(|other| !answer.is_fallback && other.provider.name != provider.name);
    let allocated = Allocated {
        provider: provider.name.clone(),
        query_tokens: command.tokens,
        priority: command.priority,
        estimated_cost: cost,
        estimated_latency_ms: latency_ms,
        quota_remaining: draft.available(account),
        fallback_provider: other.map(|other| other.provider.name.clone()),
        reason: answer.reason.into(),
        hive_pays: answer.hive_pays,
        opening: purse.opening,
        circuit: track.and_then(|track| track.health.circuit.let_through(desk.now)),
        explanation: command.explain.then(|| choice::explanation(&candidates, &scale)),
    };
    Ok((allocated, allotment, draft.into_events()))
}

/// The provider the caller prefers.
fn preferred<'a>(desk: &Desk<'a>, command: &Allocate) -> Result<Option<&'a Provider>, Problem> {
    let Some(name) = &command.preferred else { return Ok(None) };
    desk.policy.provider(name).map(Some).ok_or_else(|| desk.policy.unknown(name).in_field("preferred_provider"))
}

/// The preferred provider if eligible, else the best by score, else the fallback.
fn answer<'a>(
    desk: &Desk<'a>,
    command: &Allocate,
    preferred: Option<&'a Provider>,
    wants: &Wants<'_>,
    candidates: &[Candidate<'a>],
    scale: &Scale,
) -> Result<Answer<'a>, Problem> {
    // Who puts a query to a provider by its name, and asks for no quality, takes the one it has.
    let min_quality = if takes_any_quality(command, wants) { Ratio::ZERO } else { wants.min_quality };
    let preferred = preferred.map(|provider| Candidate::of(desk, provider, &Wants { min_quality, ..*wants }));
    if let Some(candidate) = preferred.filter(Candidate::is_eligible) {
        let reason = reason::of_preferred(&candidate);
        return Ok(Answer { candidate, reason, hive_pays: false, is_fallback: false });
    }
    let mut answer = match choice::best(candidates, scale) {
        Some(best) => {
            let reason = reason::of_best(best, candidates, command.priority, wants);
            Answer { candidate: *best, reason, hive_pays: false, is_fallback: false }
        }
        None => last_resort(desk, command, wants, candidates)?,
    };
    if let Some(preferred) = preferred.filter(|preferred| preferred.provider.name != answer.candidate.provider.name) {
        answer.reason = reason::with_passed_over(&answer.reason, &preferred, wants);
    }
    Ok(answer)
}

/// Whether the policy's least quality is a wish and not a bar: the desk puts the query itself, and the caller named no least quality.
fn takes_any_quality(command: &Allocate, wants: &Wants<'_>) -> bool {
    wants.meter.is_some() && command.min_quality.is_none()
}

/// The fallback. The citizen pays it when limit and allowance reach; otherwise the Hive pays all of it. Of a query that the desk puts
/// itself it is also who answers when nobody connected has the policy's quality.
fn last_resort<'a>(desk: &Desk<'a>, command: &Allocate, wants: &Wants<'_>, candidates: &[Candidate<'a>]) -> Result<Answer<'a>, Problem> {
    let nobody = Nobody::of(candidates, wants);
    let refused = |nobody| reason::of_refusal(desk, nobody, &command.citizen, candidates, wants);
    if nobody == Nobody::Unfit && !takes_any_quality(command, wants) {
        return Err(refused(Nobody::Unfit));
    }
    let candidate = choice::fallback(desk, wants).map_err(|none| match none {
        NoFallback::Unfit => refused(nobody),
        // It will answer again soon, whatever kept the others out.
        NoFallback::Down => refused(Nobody::Outage),
    })?;
    let hive_pays = !wants.pays(candidate.cost);
    let reason = reason::of_fallback(desk, nobody, wants, &candidate, hive_pays);
    Ok(Answer { candidate, reason, hive_pays, is_fallback: true })
}

#[cfg(test)]
mod tests;
