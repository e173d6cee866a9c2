//! The desk's figures: this month's counts, and every provider as the operator states it and as reports have it.

use lab3_units::{Amount, Period, Ratio, TokenRate};

use crate::quota::plus;
use crate::state::Track;
use crate::{CircuitState, Desk, Provider};

/// The desk's figures, for `GET /lab3/compute/stats`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stats {
    /// Allocations ever made.
    pub total_allocations: u64,
    /// Allocations open now.
    pub open_allocations: u64,
    /// Successful queries reported this month.
    pub queries_this_month: u64,
    /// What they cost, whoever paid, in KS.
    pub total_cost_this_month: Amount,
    /// What one cost on average, in KS, rounded down; nothing when there was none.
    pub avg_cost_per_query: Amount,
    /// Citizens who used compute this month.
    pub active_citizens: u64,
    /// The month.
    pub period: Period,
    /// Every provider configured, then those the books know and the configuration dropped.
    pub providers: Vec<ProviderStats>,
}

/// One provider's figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderStats {
    /// Its name.
    pub name: Box<str>,
    /// Whether queries go there.
    pub circuit: CircuitState,
    /// The share of queries expected to succeed: the operator's figure, moved by what was reported.
    pub success_rate: Ratio,
    /// Half of the queries were quicker, in milliseconds; `None` when none told.
    pub latency_ms_p50: Option<u32>,
    /// 95 of 100 queries were quicker, in milliseconds; `None` when none told.
    pub latency_ms_p95: Option<u32>,
    /// Successful queries reported this month.
    pub queries: u64,
    /// What they cost, whoever paid, in KS.
    pub cost: Amount,
}

/// A provider, for `GET /lab3/compute/providers`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderStatus {
    /// Its name.
    pub name: Box<str>,
    /// Other names requests may use.
    pub aliases: Vec<Box<str>>,
    /// Whether the operator lets queries go there.
    pub enabled: bool,
    /// Whether its health lets queries go there.
    pub circuit: CircuitState,
    /// Price of a token.
    pub rate: TokenRate,
    /// Latency expected now, in milliseconds: the operator's figure, moved by what was reported.
    pub latency_ms: u32,
    /// Latency the operator states.
    pub latency_ms_stated: u32,
    /// Capability of the model, as the operator states it.
    pub quality: Ratio,
    /// Share of queries expected to succeed now: the operator's figure, moved by what was reported.
    pub reliability: Ratio,
    /// Share the operator states.
    pub reliability_stated: Ratio,
    /// Longest query, in tokens.
    pub context_tokens_max: u64,
}

/// The desk's figures now.
pub fn stats(desk: &Desk<'_>) -> Stats {
    let (state, now) = (desk.state, desk.now);
    // Counts of a month that is over are kept until the next record; they are not this month's.
    let current = state.counts_month_of(now);
    let counted = |track: &Track| if current { (track.queries, track.cost) } else { (0, Amount::ZERO) };
    let (queries, cost) = state.tracks().iter().map(counted).fold((0, Amount::ZERO), |sum, one| (sum.0 + one.0, plus(sum.1, one.1)));
    let configured = desk.policy.providers.iter().map(|provider| (&*provider.name, provider.reliability));
    let is_dropped = |track: &&Track| desk.policy.providers.iter().all(|provider| provider.name != track.name);
    let dropped = state.tracks().iter().filter(is_dropped).map(|track| (&*track.name, Ratio::ONE));
    let of_provider = |(name, stated): (&str, Ratio)| match state.track(name) {
        Some(track) => ProviderStats {
            name: name.into(),
            circuit: track.health.circuit.state(now),
            success_rate: track.health.reliability(track.since, now, stated),
            latency_ms_p50: track.histogram.percentile(now, 50),
            latency_ms_p95: track.histogram.percentile(now, 95),
            queries: counted(track).0,
            cost: counted(track).1,
        },
        None => ProviderStats::unused(name, stated),
    };
    Stats {
        total_allocations: state.allocations(),
        open_allocations: state.open(),
        queries_this_month: queries,
        total_cost_this_month: cost,
        avg_cost_per_query: i64::try_from(queries).ok().and_then(|count| cost.units().checked_div(count)).map_or(Amount::ZERO, Amount::new),
        active_citizens: if current { state.active() } else { 0 },
        period: now.period(),
        providers: configured.chain(dropped).map(of_provider).collect(),
    }
}

impl ProviderStats {
    fn unused(name: &str, success_rate: Ratio) -> Self {
        let (circuit, cost) = (CircuitState::Closed, Amount::ZERO);
        Self { name: name.into(), circuit, success_rate, latency_ms_p50: None, latency_ms_p95: None, queries: 0, cost }
    }
}

/// Every configured provider as it is now, in the configuration's order.
pub fn provider_status(desk: &Desk<'_>) -> Vec<ProviderStatus> {
    let now = desk.now;
    let status = |provider: &Provider| {
        let measured = |track: &Track| {
            let latency_ms = track.health.latency_ms(track.since, now, provider.latency_ms);
            (track.health.circuit.state(now), latency_ms, track.health.reliability(track.since, now, provider.reliability))
        };
        let stated = (CircuitState::Closed, provider.latency_ms, provider.reliability);
        let (circuit, latency_ms, reliability) = desk.state.track(&provider.name).map_or(stated, measured);
        ProviderStatus {
            name: provider.name.clone(),
            aliases: provider.aliases.clone(),
            enabled: provider.enabled,
            circuit,
            rate: provider.rate,
            latency_ms,
            latency_ms_stated: provider.latency_ms,
            quality: provider.quality,
            reliability,
            reliability_stated: provider.reliability,
            context_tokens_max: provider.context_tokens_max,
        }
    };
    desk.policy.providers.iter().map(status).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Hive, mic, used};
    use crate::{Allocate, Priority, Report};

    /// Queries, cost, average, active citizens.
    fn check(hive: &Hive, queries: u64, cost: &str, average: &str, active: u64) {
        let stats = stats(&hive.desk());
        let found = (stats.queries_this_month, stats.total_cost_this_month, stats.avg_cost_per_query, stats.active_citizens);
        assert_eq!(found, (queries, mic(cost), mic(average), active));
        let by_provider = stats.providers.iter().fold(Amount::ZERO, |sum, provider| plus(sum, provider.cost));
        assert_eq!(by_provider, stats.total_cost_this_month);
        hive.verify();
    }

    #[test]
    fn counts_are_of_the_month() {
        let mut hive = Hive::new();
        check(&hive, 0, "0", "0", 0);
        hive.charge("did:kaizen:alice", "deepseek", "1");
        hive.charge("did:kaizen:alice", "claude", "0.000001");
        hive.charge("did:kaizen:bob", "claude", "101");
        hive.report(&Report { success: false, ..used("did:kaizen:carol", "claude", "5") }).unwrap();
        check(&hive, 3, "102.000001", "34.000000", 3);
        hive.policy.providers.remove(0);
        check(&hive, 3, "102.000001", "34", 3);
        hive.travel_to("2025-11-01T00:00:00Z");
        check(&hive, 0, "0", "0", 0);
        hive.charge("did:kaizen:alice", "deepseek", "1");
        check(&hive, 1, "1", "1", 1);
    }

    #[test]
    fn allocations_are_counted_for_ever_and_while_open() {
        let mut hive = Hive::new();
        let (min_quality, max_cost, preferred) = (None, None, None);
        let citizen = crate::testing::did("did:kaizen:alice");
        let command = Allocate { citizen, tokens: 1, priority: Priority::Standard, min_quality, max_cost, preferred, explain: false };
        let ids = [(); 3].map(|()| hive.allocate(&command).unwrap().0);
        hive.run(|desk| crate::release(desk, ids[0])).unwrap();
        hive.travel_to("2026-01-01T00:00:00Z");
        hive.run(|desk| Ok(crate::expire(desk, &ids[1..2]))).unwrap();
        let stats = stats(&hive.desk());
        assert_eq!((stats.total_allocations, stats.open_allocations), (3, 1));
    }

    #[test]
    fn providers_show_what_was_measured() {
        let mut hive = Hive::new();
        let shown = |hive: &Hive| {
            let claude = stats(&hive.desk()).providers.remove(0);
            (claude.circuit.as_str(), claude.success_rate.to_string(), claude.latency_ms_p50, claude.latency_ms_p95, claude.queries)
        };
        assert_eq!(shown(&hive), ("closed", "0.99".to_owned(), None, None, 0));
        for latency_ms in (0..100).map(|n| Some(if n < 90 { 500 } else { 4000 })) {
            hive.report(&Report { latency_ms, ..used("did:kaizen:alice", "claude", "0.01") }).unwrap();
        }
        assert_eq!(shown(&hive), ("closed", "0.998966".to_owned(), Some(500), Some(4000), 100));
        hive.break_provider("claude");
        assert_eq!(shown(&hive).0, "open");
        hive.pass_seconds(30);
        assert_eq!((shown(&hive).0, provider_status(&hive.desk())[0].circuit), ("half-open", CircuitState::HalfOpen));
    }
}
