//! `GET /lab3/compute/providers`: who sells compute, at what price, how well.

use lab3_compute::ProviderStatus;
use lab3_units::{Ratio, TokenRate};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use crate::App;
use crate::gateway::Connected;
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
    /// Whether the gateway can put queries to it now.
    connected: bool,
    /// The models the gateway asks it for, the usual one first; none where it has no connection.
    #[schema(example = json!(["claude-opus-4-8"]))]
    models: &'a [String],
    /// Why it is not connected, and what would help; null where it is.
    #[schema(example = json!(null))]
    why_not: Option<String>,
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
    let told = providers.iter().map(|provider| ProviderReply::new(provider, app.gateway().find(&provider.name)));
    Ok(reply(&ProvidersReply { providers: told.collect() }))
}

impl<'a> ProviderReply<'a> {
    fn new(provider: &'a ProviderStatus, connected: Option<&'a Connected>) -> Self {
        let why_not = connected.map_or_else(|| Some(no_connection(provider)), |connected| connected.source.absent());
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
            connected: why_not.is_none(),
            models: connected.map_or(&[], |connected| &connected.models),
            why_not,
        }
    }
}

/// Why the gateway knows no way to it: nothing but the configuration makes one.
fn no_connection(provider: &ProviderStatus) -> String {
    let name = &provider.name;
    if provider.enabled {
        let missing = format!("providers.{name}.kind, providers.{name}.base_url or providers.{name}.api_key");
        format!("its kind, address or key is not set: set {missing}, and start the desk again")
    } else {
        format!("it is switched off: set providers.{name}.enabled, and start the desk again")
    }
}
