//! The HTTP API: strict requests in, replies made from the journal's records alone out.
//!
//! [`serve`] answers on a listener until told to stop; [`router`] is the same without a socket; [`openapi`] is the contract.
//! The table of contents is `http/mod.rs`, one line a route.

pub mod errors;
mod gateway;
mod http;
mod json;
mod metrics;
mod serve;

use std::sync::Arc;
use std::time::Instant;

use lab3_engine::Engine;

pub use crate::gateway::{CacheSettings, Connected, Gateway, GatewaySettings, RateLimits};
use crate::http::TokenHash;
use crate::metrics::Metrics;
pub use serve::serve;

/// How the desk answers.
#[derive(Clone)]
pub struct ServerSettings {
    /// Largest request body, in bytes.
    pub body_bytes_max: usize,
    /// The operator's token. Without one, what only the operator may do is done for everybody on loopback and for nobody
    /// elsewhere.
    pub operator_token: Option<String>,
    /// Whether the desk listens on loopback only.
    pub loopback: bool,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self { body_bytes_max: 4 << 20, operator_token: None, loopback: true }
    }
}

/// What every handler works with. Cloning gives another handle on the same.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    engine: Engine,
    settings: ServerSettings,
    operator_token: Option<TokenHash>,
    gateway: Gateway,
    metrics: Metrics,
    started: Instant,
}

impl App {
    /// An app over a running engine, with no provider connected.
    pub fn new(engine: Engine, settings: ServerSettings) -> Self {
        Self::with_gateway(engine, settings, Gateway::default())
    }

    /// An app over a running engine and the providers its gateway asks.
    pub fn with_gateway(engine: Engine, mut settings: ServerSettings, gateway: Gateway) -> Self {
        let operator_token = settings.operator_token.take().map(|token| TokenHash::of(&token));
        let (metrics, started) = (Metrics::default(), Instant::now());
        Self(Arc::new(Inner { engine, settings, operator_token, gateway, metrics, started }))
    }

    fn gateway(&self) -> &Gateway {
        &self.0.gateway
    }

    fn engine(&self) -> &Engine {
        &self.0.engine
    }

    /// The settings, without the token.
    fn settings(&self) -> &ServerSettings {
        &self.0.settings
    }

    fn operator_token(&self) -> Option<&TokenHash> {
        self.0.operator_token.as_ref()
    }

    fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    fn started(&self) -> Instant {
        self.0.started
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
