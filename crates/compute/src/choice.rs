//! The choice of a provider: who is eligible, who of them scores best, and who answers when nobody is.

use std::cmp::Reverse;

use lab3_units::{Amount, Ratio};

use crate::score::{Quantities, Scale};
use crate::{Allocate, CircuitState, Desk, Excluded, Line, Meter, Provider};

/// What a query asks of a provider.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wants<'q> {
    pub(crate) tokens: u64,
    /// What is known of a query the desk meters itself.
    pub(crate) meter: Option<&'q Meter>,
    pub(crate) min_quality: Ratio,
    /// Most it may cost, in KS.
    pub(crate) max_cost: Amount,
    /// Whether the request said so; else it is the month's quota.
    pub(crate) max_cost_named: bool,
    /// What the citizen has left, in KS.
    pub(crate) available: Amount,
}

impl<'q> Wants<'q> {
    pub(crate) fn of(desk: &Desk<'_>, command: &Allocate, meter: Option<&'q Meter>, available: Amount) -> Self {
        Self {
            tokens: command.tokens,
            meter,
            min_quality: command.min_quality.unwrap_or(desk.policy.min_quality),
            max_cost: command.max_cost.unwrap_or(desk.policy.quota),
            max_cost_named: command.max_cost.is_some(),
            available,
        }
    }

    /// Whether the citizen can and may pay so much.
    pub(crate) fn pays(&self, cost: Amount) -> bool {
        cost <= self.max_cost && cost <= self.available
    }
}

/// A provider looked at for one query.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate<'a> {
    pub(crate) provider: &'a Provider,
    /// What the query costs there, in KS; of a metered one, the most that an answer of the usual length can cost.
    pub(crate) cost: Amount,
    /// What must be paid at least to ask there, in KS: the cost, or the metered query with the shortest answer worth asking for.
    pub(crate) least: Amount,
    /// What the allowance must reach for, in KS: the least, or of a query that shall not be cut short what it usually costs.
    pub(crate) needed: Amount,
    /// What to expect, in milliseconds.
    pub(crate) latency_ms: u32,
    /// What to expect.
    pub(crate) reliability: Ratio,
    /// The first rule that keeps it out.
    pub(crate) excluded: Option<Excluded>,
}

impl<'a> Candidate<'a> {
    /// Looks at a provider. Who is switched off or has no room for the query is excluded by that before all else.
    pub(crate) fn of(desk: &Desk<'a>, provider: &'a Provider, wants: &Wants<'_>) -> Self {
        let (now, track) = (desk.now, desk.state.track(&provider.name));
        let (cost, least) = match wants.meter {
            None => (provider.cost(wants.tokens), provider.cost(wants.tokens)),
            Some(meter) => (meter.usual_cost(desk, provider), meter.least_cost(provider)),
        };
        let usual = wants.meter.is_some_and(|meter| meter.usual);
        let needed = if usual { cost.min(wants.max_cost).max(least) } else { least };
        let (latency_ms, reliability, circuit) = match track {
            None => (provider.latency_ms, provider.reliability, CircuitState::Closed),
            Some(track) => (
                track.health.latency_ms(track.since, now, provider.latency_ms),
                track.health.reliability(track.since, now, provider.reliability),
                track.health.circuit.state(now),
            ),
        };
        let rules = [
            (!provider.enabled, Excluded::Disabled),
            (wants.meter.map_or(provider.embeds, |meter| !meter.can_be_asked(provider)), Excluded::Unable),
            (wants.tokens > provider.context_tokens_max, Excluded::Context),
            (provider.quality < wants.min_quality, Excluded::Quality),
            (circuit == CircuitState::Open, Excluded::CircuitOpen),
            (least > wants.max_cost, Excluded::Cost),
            (needed > wants.available, Excluded::Allowance),
        ];
        let excluded = rules.into_iter().find(|&(broken, _)| broken).map(|(_, rule)| rule);
        Self { provider, cost, least, needed, latency_ms, reliability, excluded }
    }

    pub(crate) fn is_eligible(&self) -> bool {
        self.excluded.is_none()
    }

    fn quantities(&self) -> Quantities {
        Quantities {
            cost: u64::try_from(self.cost.units()).unwrap_or(0),
            latency: u64::from(self.latency_ms),
            quality: u64::from(self.provider.quality.millionths()),
            reliability: u64::from(self.reliability.millionths()),
        }
    }
}

/// The scale the eligible are scored on.
pub(crate) fn scale(command: &Allocate, candidates: &[Candidate<'_>]) -> Scale {
    let eligible = candidates.iter().filter(|candidate| candidate.is_eligible());
    Scale::of(command.priority, eligible.map(Candidate::quantities))
}

/// The eligible provider that scores best; on a tie the cheaper, then the first by name.
pub(crate) fn best<'c, 'a>(candidates: &'c [Candidate<'a>], scale: &Scale) -> Option<&'c Candidate<'a>> {
    let eligible = candidates.iter().filter(|candidate| candidate.is_eligible());
    eligible.max_by_key(|one| (scale.score(one.quantities()), Reverse(one.cost), Reverse(&*one.provider.name)))
}

/// The provider of last resort, when it can answer: switched on, with room for the query, its circuit not open. Price and
/// quality are not asked for.
pub(crate) fn fallback<'a>(desk: &Desk<'a>, wants: &Wants<'_>) -> Result<Candidate<'a>, NoFallback> {
    let name = desk.policy.fallback.as_deref();
    let provider = name.and_then(|name| desk.policy.provider(name)).ok_or(NoFallback::Unfit)?;
    let anything = Wants { min_quality: Ratio::ZERO, max_cost: Amount::MAX, available: Amount::MAX, ..*wants };
    let candidate = Candidate::of(desk, provider, &anything);
    match candidate.excluded {
        None => Ok(candidate),
        Some(Excluded::CircuitOpen) => Err(NoFallback::Down),
        Some(_) => Err(NoFallback::Unfit),
    }
}

/// Why there is no fallback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoFallback {
    /// There is none, it is switched off, or the query is too long for it.
    Unfit,
    /// It fails too often at the moment.
    Down,
}

/// Why nobody is eligible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nobody {
    /// Quality or context (or the operator's switch) keeps everybody out: the caller's to change.
    Unfit,
    /// Somebody would answer within limit and allowance, but fails too often at the moment.
    Outage,
    /// Somebody would answer within the limit, but the allowance does not reach.
    Exhausted,
    /// Whoever fits costs more than the limit.
    Limit,
}

impl Nobody {
    /// Why none of these is eligible.
    pub(crate) fn of(candidates: &[Candidate<'_>], wants: &Wants<'_>) -> Self {
        let fits = |rule| !matches!(rule, Excluded::Disabled | Excluded::Context | Excluded::Quality | Excluded::Unable);
        let mut fitting = candidates.iter().filter(|candidate| candidate.excluded.is_some_and(fits)).peekable();
        if fitting.peek().is_none() {
            return Self::Unfit;
        }
        fitting.fold(Self::Limit, |nobody, candidate| match nobody {
            _ if candidate.least <= wants.max_cost && candidate.needed <= wants.available => Self::Outage,
            Self::Limit if candidate.least <= wants.max_cost => Self::Exhausted,
            found => found,
        })
    }
}

/// One line a provider, for who asked why.
pub(crate) fn explanation(candidates: &[Candidate<'_>], scale: &Scale) -> Vec<Line> {
    let line = |one: &Candidate<'_>| {
        let (score, terms) = one.is_eligible().then(|| scale.explained(one.quantities())).unzip();
        Line {
            provider: one.provider.name.clone(),
            excluded_by: one.excluded,
            cost: one.cost,
            latency_ms: one.latency_ms,
            quality: one.provider.quality,
            reliability: one.reliability,
            score,
            terms,
        }
    };
    candidates.iter().map(line).collect()
}
