//! stats
use lab3_units::{Amount, Period, Ratio, TokenRate};

use crate::{CircuitState, Desk};

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

/// todo
pub fn stats(desk: &Desk<'_>) -> Stats {
    Stats {
        total_allocations: 0,
        open_allocations: 0,
        queries_this_month: 0,
        total_cost_this_month: Amount::ZERO,
        avg_cost_per_query: Amount::ZERO,
        active_citizens: 0,
        period: desk.now.period(),
        providers: Vec::new(),
    }
}

/// todo
pub fn provider_status(_desk: &Desk<'_>) -> Vec<ProviderStatus> {
    Vec::new()
}
