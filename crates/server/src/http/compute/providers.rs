//! `GET /lab3/compute/providers`: who sells compute, at what price, how well.

use lab3_compute::ProviderStatus;
use lab3_units::{Ratio, TokenRate};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use crate::App;
use crate::http::doc::Doc;
use crate::http::parameters::Plain;
use crate::http::permit::Permit;
use crate::http::reply::{Answer, Number, reply};

/// Everybody who sells compute.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProvidersReply<'a> {
    /// In the operator's order.
    providers: Vec<ProviderReply<'a>>,
}

/// A provider: what the operator states, moved by what was measured.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProviderReply<'a> {
    /// Its name.
    #[schema(example = "anthropic_claude")]
    name: &'a str,
    /// Other names requests may use.
    #[schema(value_type = Vec<String>, example = json!(["anthropic", "claude"]))]
    aliases: &'a [Box<str>],
    /// Whether the operator lets queries go there.
    enabled: bool,
    /// Its circuit: `closed` (queries go there), `half-open` (a few do), `open` (none do).
    #[schema(example = "closed")]
    state: &'static str,
    /// Price of a thousand tokens, with at most nine decimals.
    #[schema(value_type = f64, example = 0.015)]
    cost_gic_per_1k: Price,
    /// Latency expected now.
    #[schema(example = 600)]
    latency_ms: u32,
    /// Latency the operator states.
    #[schema(example = 600)]
    latency_ms_stated: u32,
    /// Capability of the model, 0 to 1, as the operator states it.
    #[schema(value_type = f64, example = 0.97)]
    quality: Number<Ratio>,
    /// Share of queries expected to succeed now, 0 to 1.
    #[schema(value_type = f64, example = 0.99)]
    reliability: Number<Ratio>,
    /// Share the operator states.
    #[schema(value_type = f64, example = 0.99)]
    reliability_stated: Number<Ratio>,
    /// Longest query.
    #[schema(example = 200_000)]
    context_tokens_max: u64,
}

/// A price in MIC per thousand tokens.
#[derive(Debug)]
struct Price(TokenRate);

impl Serialize for Price {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Number(self.0.mic_per_thousand()).serialize(serializer)
    }
}

pub(crate) fn doc() -> Doc {
    Doc::new("compute", "providers", "Who sells compute, at what price, how well")
        .asks_engine()
        .answers::<ProvidersReply>("Every provider the operator configured")
}

pub(crate) async fn providers(app: App, _: Permit<Plain>) -> Answer {
    let providers = app.engine().read(|desk| lab3_compute::provider_status(&desk.compute())).await?;
    Ok(reply(&ProvidersReply { providers: providers.iter().map(ProviderReply::new).collect() }))
}

impl<'a> ProviderReply<'a> {
    fn new(provider: &'a ProviderStatus) -> Self {
        Self {
            name: &provider.name,
            aliases: &provider.aliases,
            enabled: provider.enabled,
            state: provider.circuit.as_str(),
            cost_gic_per_1k: Price(provider.rate),
            latency_ms: provider.latency_ms,
            latency_ms_stated: provider.latency_ms_stated,
            quality: Number(provider.quality),
            reliability: Number(provider.reliability),
            reliability_stated: Number(provider.reliability_stated),
            context_tokens_max: provider.context_tokens_max,
        }
    }
}
