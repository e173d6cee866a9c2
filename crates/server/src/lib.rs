//! The HTTP API: strict requests in, replies made from the journal's records alone out.
//!
//! [`serve`] answers on a listener until told to stop; [`router`] is the same without a socket; [`openapi`] is the contract.
//! The table of contents is `http/mod.rs`, one line a route.

pub mod errors;
mod gateway;
mod http;
mod json;
mod metrics;
mod peer;
mod serve;

use std::sync::Arc;
use std::time::Instant;

use lab3_engine::Engine;
use lab3_units::Time;

pub use crate::gateway::{CacheSettings, Connected, Gateway, GatewaySettings, RateLimits};
pub use crate::http::Row;
use crate::metrics::Metrics;
pub use peer::Peer;
pub use serve::serve;

/// How the desk answers.
#[derive(Clone)]
pub struct ServerSettings {
    /// Largest request body, in bytes.
    pub body_bytes_max: usize,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self { body_bytes_max: 4 << 20 }
    }
}

/// What every handler works with. Cloning gives another handle on the same.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    engine: Engine,
    settings: ServerSettings,
    gateway: Gateway,
    metrics: Metrics,
    started: Instant,
    opened: Time,
}

impl App {
    /// An app over a running engine, with no provider connected.
    pub fn new(engine: Engine, settings: ServerSettings) -> Self {
        Self::with_gateway(engine, settings, Gateway::default())
    }

    /// An app over a running engine and the providers its gateway asks.
    pub fn with_gateway(engine: Engine, settings: ServerSettings, gateway: Gateway) -> Self {
        let (metrics, started, opened) = (Metrics::default(), Instant::now(), engine.now());
        Self(Arc::new(Inner { engine, settings, gateway, metrics, started, opened }))
    }

    fn gateway(&self) -> &Gateway {
        &self.0.gateway
    }

    fn engine(&self) -> &Engine {
        &self.0.engine
    }

    /// The settings.
    fn settings(&self) -> &ServerSettings {
        &self.0.settings
    }

    fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    fn started(&self) -> Instant {
        self.0.started
    }

    /// When it was opened, by the engine's clock.
    fn opened(&self) -> Time {
        self.0.opened
    }
}

/// The whole API as a router, ready to be served.
pub fn router(app: App) -> axum::Router {
    http::table(app.metrics()).into_router().with_state(app)
}

/// The API's contract: OpenAPI 3.1, as indented JSON. `docs/openapi.json` is this text.
pub fn openapi() -> String {
    http::table(&Metrics::default()).into_openapi()
}

/// What every route asks of whoever comes: the table the check itself goes by.
pub fn routes() -> Vec<Row> {
    http::table(&Metrics::default()).rows().to_vec()
}
