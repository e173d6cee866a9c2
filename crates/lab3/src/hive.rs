//! Opening a Hive: from settings to the rooms' policies, a store, an engine, a server.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use lab3_engine::{Engine, Limits, Policy, SystemClock};
use lab3_server::{App, ServerSettings};
use lab3_store::SqliteStore;

use crate::Failure;
use crate::config::{Provider, Settings, VerifyOnStart};

/// Opens the Hive in that folder. Blocks while the journal is checked and replayed.
pub fn open(settings: &Settings, folder: &Path) -> Result<Engine, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::Other(error.to_string());
    let store = Arc::new(SqliteStore::open(folder).map_err(|error| failed(&error))?);
    Engine::start(store, policy(settings), Arc::new(SystemClock), limits(settings)).map_err(|error| failed(&error))
}

/// What the server needs to know beside the engine, once it is known where it listens.
pub fn app(settings: &Settings, engine: Engine, bound: SocketAddr) -> App {
    let settings = ServerSettings {
        body_bytes_max: settings.server.body_bytes_max,
        operator_token: settings.operator.token.expose().map(str::to_owned),
        loopback: bound.ip().is_loopback(),
    };
    App::new(engine, settings)
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

fn policy(settings: &Settings) -> Policy {
    let (compute, finance) = (&settings.compute, &settings.finance);
    Policy {
        compute: lab3_compute::Policy {
            providers: settings.providers.iter().map(provider).collect(),
            fallback: settings.fallback_provider().map(|provider| provider.name.as_str().into()),
            quota: compute.quota,
            min_quality: compute.min_quality,
            hold: compute.hold,
            open_max: compute.open_allocations_max,
        },
        finance: lab3_finance::Policy {
            fee: finance.fee,
            pool_initial: finance.pool_initial_balance,
            epoch_days: u16::try_from(finance.epoch_days).unwrap_or(u16::MAX),
            epoch_reward: finance.epoch_reward,
            epoch_shares: finance.epoch_shares.clone(),
            grants: if settings.grants_governed() { lab3_finance::Grants::Governed } else { lab3_finance::Grants::Open },
        },
    }
}

fn provider(provider: &Provider) -> lab3_compute::Provider {
    lab3_compute::Provider {
        name: provider.name.as_str().into(),
        aliases: provider.aliases.iter().map(|alias| alias.as_str().into()).collect(),
        enabled: provider.enabled,
        rate: provider.cost,
        latency_ms: provider.latency_ms,
        quality: provider.quality,
        reliability: provider.reliability,
        context_tokens_max: provider.context_tokens_max,
    }
}
