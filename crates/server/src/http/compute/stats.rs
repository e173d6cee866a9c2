//! `GET /lab3/compute/stats`: how compute is used, and how the providers are.

use std::collections::BTreeMap;

use lab3_compute::{CircuitState, ProviderStats};
use lab3_units::{Period, Ratio};
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;
use crate::http::doc::Doc;
use crate::http::parameters::Plain;
use crate::http::permit::Permit;
use crate::http::reply::{Answer, Mic, Number, Shown, reply};

/// How compute is used, and how the providers are.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StatsReply<'a> {
    /// Allocations ever made.
    total_allocations: u64,
    /// Allocations open now.
    open_allocations: u64,
    /// Successful queries reported this month.
    queries_this_month: u64,
    /// What they cost, whoever paid.
    #[schema(value_type = f64)]
    total_cost_this_month: Mic,
    /// What one cost on average, rounded down.
    #[schema(value_type = f64)]
    avg_cost_per_query: Mic,
    /// Citizens who used compute this month.
    active_citizens: u64,
    /// Each provider's health: the share of its queries expected to succeed; 0 while its circuit is open.
    #[schema(value_type = BTreeMap<String, f64>)]
    provider_health: BTreeMap<&'a str, Number<Ratio>>,
    /// Each provider's figures.
    providers: BTreeMap<&'a str, ProviderFigures>,
    /// The month.
    #[schema(value_type = String, example = "2025-10")]
    period: Shown<Period>,
}

/// One provider's figures.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProviderFigures {
    /// Its circuit: `closed` (queries go there), `half-open` (a few do), `open` (none do).
    #[schema(example = "closed")]
    state: &'static str,
    /// The share of queries expected to succeed, 0 to 1.
    #[schema(value_type = f64, example = 0.99)]
    success_rate: Number<Ratio>,
    /// Half of the queries were quicker; `null` when none told.
    #[schema(required)]
    latency_ms_p50: Option<u32>,
    /// 95 of 100 queries were quicker; `null` when none told.
    #[schema(required)]
    latency_ms_p95: Option<u32>,
    /// Successful queries reported this month.
    queries: u64,
    /// What they cost, whoever paid.
    #[schema(value_type = f64)]
    cost_gic: Mic,
}

pub(crate) fn doc() -> Doc {
    Doc::new("compute", "stats", "How compute is used, and how the providers are")
        .asks_engine()
        .answers::<StatsReply>("The figures as they are now")
}

pub(crate) async fn stats(app: App, _: Permit<Plain>) -> Answer {
    let stats = app.engine().read(|desk| lab3_compute::stats(&desk.compute())).await?;
    Ok(reply(&StatsReply {
        total_allocations: stats.total_allocations,
        open_allocations: stats.open_allocations,
        queries_this_month: stats.queries_this_month,
        total_cost_this_month: Mic(stats.total_cost_this_month),
        avg_cost_per_query: Mic(stats.avg_cost_per_query),
        active_citizens: stats.active_citizens,
        provider_health: stats.providers.iter().map(|provider| (&*provider.name, Number(health(provider)))).collect(),
        providers: stats.providers.iter().map(|provider| (&*provider.name, figures(provider))).collect(),
        period: Shown(stats.period),
    }))
}

/// A provider nobody is sent to is as good as down.
fn health(provider: &ProviderStats) -> Ratio {
    match provider.circuit {
        CircuitState::Open => Ratio::ZERO,
        CircuitState::Closed | CircuitState::HalfOpen => provider.success_rate,
    }
}

fn figures(provider: &ProviderStats) -> ProviderFigures {
    ProviderFigures {
        state: provider.circuit.as_str(),
        success_rate: Number(provider.success_rate),
        latency_ms_p50: provider.latency_ms_p50,
        latency_ms_p95: provider.latency_ms_p95,
        queries: provider.queries,
        cost_gic: Mic(provider.cost),
    }
}
