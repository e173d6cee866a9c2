//! Opening a Hive: from settings to the rooms' policies, a store, an engine, a server.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lab3_engine::{Engine, Limits, Policy, SystemClock};
use lab3_providers::dialect::openai_chat::{self, Flavour};
use lab3_providers::dialect::{Back, anthropic, gemini, ollama};
use lab3_providers::{Base, Connections, Dialect, Patience, Remote, Source};
use lab3_server::{
    App, CacheSettings, CarbonSettings, Checkpoints, Connected, Documents, Fetching, Gateway, GatewaySettings, LimitSettings, RateLimits,
    Readings, ServerSettings, Wiring, Witness,
};
use lab3_store::SqliteStore;
use tokio::sync::Semaphore;

use crate::config::{Kind, Provider, Settings, VerifyOnStart, grid};
use crate::{Failure, local_model, signer};

/// Opens the Hive in that folder. Blocks while the journal is checked and replayed.
pub fn open(settings: &Settings, folder: &Path) -> Result<Engine, Failure> {
    start(settings, signer::store(folder).map_err(|error| Failure::Other(error.to_string()))?)
}

/// Opens the Hive in that store. Blocks while the journal is checked and replayed.
pub fn start(settings: &Settings, store: SqliteStore) -> Result<Engine, Failure> {
    let started = Engine::start(Arc::new(store), policy(settings), Arc::new(SystemClock), limits(settings));
    started.map_err(|error| Failure::Other(error.to_string()))
}

/// What answers for the engine.
pub fn app(
    settings: &Settings,
    engine: Engine,
    checkpoints: Result<Checkpoints, String>,
    witness: Option<Witness>,
    readings: Readings,
) -> App {
    let documents: Box<dyn Documents> = Box::new(Web(Connections::new(DOCUMENT_CONNECT)));
    App::wired(engine, server(settings), Wiring { gateway: gateway(settings), checkpoints, witness, documents: Some(documents), readings })
}

fn server(settings: &Settings) -> ServerSettings {
    let (limits, body_bytes_max) = (settings.limits, settings.server.body_bytes_max);
    // One body of the largest size must always find room.
    let limits = LimitSettings { bodies_mb: limits.bodies_mb.max(body_bytes_max.div_ceil(1 << 20)), ..limits };
    let energy = &settings.energy;
    let zone = (!energy.zone.is_empty()).then(|| energy.zone.as_str().into());
    let average = f64::from(energy.carbon_g_per_kwh);
    let marginal = if energy.carbon_marginal_g_per_kwh == 0 { average } else { f64::from(energy.carbon_marginal_g_per_kwh) };
    let carbon = CarbonSettings { zone, grid: grid(average, marginal).unwrap_or_default(), draws: energy.draws.0.clone() };
    ServerSettings { body_bytes_max, limits, carbon, ..ServerSettings::default() }
}

/// Longest wait for a connection to where a DID's document is.
const DOCUMENT_CONNECT: Duration = Duration::from_secs(5);

/// Documents on the web.
struct Web(Connections);

impl Documents for Web {
    fn fetch(&self, url: &str, bytes_max: usize) -> Fetching {
        let (connections, url) = (self.0.clone(), url.to_owned());
        Box::pin(async move { connections.get(&url, bytes_max).await.map_err(|error| error.to_string()) })
    }
}

fn limits(settings: &Settings) -> Limits {
    let engine = &settings.engine;
    let verify_on_start = match settings.journal.verify_on_start {
        VerifyOnStart::All => lab3_engine::VerifyOnStart::All,
        VerifyOnStart::Tail => lab3_engine::VerifyOnStart::Tail,
    };
    Limits {
        queue_len_max: engine.queue_len_max,
        batch_len_max: engine.batch_len_max,
        snapshot_every_records: engine.snapshot_every_records,
        verify_on_start,
    }
}

/// The rules' parameters, as the configuration has them.
pub fn policy(settings: &Settings) -> Policy {
    let (compute, finance) = (&settings.compute, &settings.finance);
    Policy {
        compute: lab3_compute::Policy {
            providers: settings.providers.iter().map(|one| provider(settings, one)).collect(),
            fallback: settings.fallback_provider().map(|provider| provider.name.as_str().into()),
            quota: compute.quota,
            min_quality: compute.min_quality,
            hold: compute.hold,
            open_max: compute.open_allocations_max,
            cached_percent: settings.gateway.cache_price_percent,
            usual_output_tokens: lab3_compute::Policy::default().usual_output_tokens,
        },
        energy: lab3_energy::Policy {
            jobs_w_max: Some(u64::from(settings.energy.jobs_w_max)).filter(|watts| *watts > 0),
            ..lab3_energy::Policy::default()
        },
        finance: lab3_finance::Policy {
            fee: finance.fee,
            pool_initial: finance.pool_initial_balance,
            epoch_days: u16::try_from(finance.epoch_days).unwrap_or(u16::MAX),
            epoch_reward: finance.epoch_reward,
            epoch_shares: finance.epoch_shares.clone(),
            grants: if settings.grants_governed() { lab3_finance::Grants::Governed } else { lab3_finance::Grants::Open },
        },
        unsigned_max: settings.trust.unsigned_max,
    }
}

fn provider(settings: &Settings, provider: &Provider) -> lab3_compute::Provider {
    let (quality, context_tokens_max) = local_model::as_it_is(settings, provider);
    lab3_compute::Provider {
        name: provider.name.as_str().into(),
        aliases: provider.aliases.iter().map(|alias| alias.as_str().into()).collect(),
        enabled: provider.enabled,
        rate: provider.cost,
        latency_ms: provider.latency_ms,
        quality,
        reliability: provider.reliability,
        context_tokens_max,
        prices: provider.prices.over(provider.cost),
        output_tokens_max: provider.output_tokens_max,
        embeds: provider.embeds,
    }
}

/// The providers the gateway can ask: switched on, with something to speak, a place and, where one is needed, a key; and the local model,
/// also when there is none, to say so.
fn gateway(settings: &Settings) -> Gateway {
    let all = settings.providers.iter().filter(|provider| provider.enabled).filter_map(|provider| {
        if local_model::is_ours(provider) {
            let (source, models) = local_model::source(settings, provider);
            return Some(connected(provider, models, Arc::new(source)));
        }
        let (dialect, back) = back(provider.kind)?;
        let base = Base::parse(&provider.base_url.0).ok()?;
        let key = provider.api_key.expose().map(str::to_owned);
        if key.is_none() && needs_key(provider.kind) {
            return None;
        }
        let (connect, first_byte, idle) = (provider.connect.into(), provider.first_byte.into(), provider.idle.into());
        let patience = Patience { connect, first_byte, idle };
        let source = Arc::new(Remote { connections: Connections::new(connect), base, dialect, back, key, patience });
        Some(connected(provider, provider.models.0.clone(), source))
    });
    let gateway = &settings.gateway;
    let rates = RateLimits { queries_per_minute: gateway.queries_per_minute, tokens_per_minute: gateway.tokens_per_minute };
    let cache = CacheSettings { bytes_max: gateway.cache_mb << 20, keep: gateway.cache.into() };
    Gateway::new(all.collect(), GatewaySettings { rates, queries_open_max: gateway.queries_open_max, wait_max: gateway.wait.into(), cache })
}

fn connected(provider: &Provider, models: Vec<String>, source: Arc<dyn Source>) -> Connected {
    let (name, room) = (provider.name.as_str().into(), Arc::new(Semaphore::new(provider.answers_max)));
    Connected { name, models, embeds: provider.embeds, source, room }
}

/// Whether a provider of that kind is asked only with a key.
pub fn needs_key(kind: Kind) -> bool {
    matches!(kind, Kind::Anthropic | Kind::OpenAi | Kind::Gemini | Kind::DeepSeek)
}

fn back(kind: Kind) -> Option<(Dialect, Arc<dyn Back>)> {
    Some(match kind {
        Kind::None => return None,
        Kind::Anthropic => (Dialect::Anthropic, Arc::new(anthropic::Anthropic)),
        Kind::OpenAi => (Dialect::OpenAiChat, Arc::new(openai_chat::OpenAiChatBack { flavour: Flavour::OpenAi })),
        Kind::OpenAiCompatible => (Dialect::OpenAiChat, Arc::new(openai_chat::OpenAiChatBack { flavour: Flavour::Compatible })),
        Kind::DeepSeek => (Dialect::OpenAiChat, Arc::new(openai_chat::OpenAiChatBack { flavour: Flavour::DeepSeek })),
        Kind::Gemini => (Dialect::Gemini, Arc::new(gemini::Gemini)),
        Kind::Ollama => (Dialect::Ollama, Arc::new(ollama::OllamaChat)),
    })
}
