//! The HTTP API: strict requests in, replies made from the journal's records alone out.
//!
//! [`serve`] answers on a listener until told to stop; [`router`] is the same without a socket; [`openapi`] is the contract.
//! The table of contents is `http/mod.rs`, one line a route.

mod carbon;
mod checkpoints;
pub mod errors;
mod gateway;
mod http;
mod json;
mod limits;
mod metrics;
mod peer;
mod planning;
mod readings;
mod serve;
mod uses;
mod witness;
mod witnesses;

use std::sync::Arc;
use std::time::Instant;

use lab3_engine::Engine;
use lab3_units::Time;

use crate::carbon::Carbon;
pub use crate::carbon::{CarbonSettings, ProviderDraw};
pub use crate::checkpoints::{Checkpoints, Keep, origin};
pub use crate::gateway::{CacheSettings, Connected, Gateway, GatewaySettings, RateLimits};
use crate::http::signed::Seen;
pub use crate::http::{Documents, Fetching, Row};
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::planning::Planning;
use crate::uses::Uses;
pub use limits::LimitSettings;
pub use peer::Peer;
pub use readings::{
    Appended, FetchStanding, Fetches, Gauge, Import, KeptSignal, Pushed, Quantity, Reading, ReadingMemory, Readings, Taken, Unkept,
};
pub use serve::serve;
pub use witness::{Witness, WitnessMemory};
pub use witnesses::{AskedWitness, Asking, Outside, Standing, WitnessAnswer, Witnesses, ago, seen};

/// How the desk answers.
#[derive(Clone)]
pub struct ServerSettings {
    /// Largest request body, in bytes.
    pub body_bytes_max: usize,
    /// How much anybody may ask for.
    pub limits: LimitSettings,
    /// What queries draw, and what that emits.
    pub carbon: CarbonSettings,
    /// Meters of the grid's connection, which are everybody's: whoever shares what exports earned may have them counted.
    pub export_meters: Vec<Box<str>>,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            body_bytes_max: 4 << 20,
            limits: LimitSettings::default(),
            carbon: CarbonSettings::default(),
            export_meters: vec!["grid".into()],
        }
    }
}

/// What every handler works with. Cloning gives another handle on the same.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    engine: Engine,
    settings: ServerSettings,
    gateway: Gateway,
    carbon: Carbon,
    checkpoints: Result<Checkpoints, String>,
    witness: Option<Witness>,
    documents: Option<Box<dyn Documents>>,
    limits: Limits,
    metrics: Metrics,
    planning: Planning,
    readings: Readings,
    uses: Uses,
    seen: Seen,
    started: Instant,
    opened: Time,
}

/// What an app works with beside its engine.
pub struct Wiring {
    /// The providers its gateway asks.
    pub gateway: Gateway,
    /// The signer of its checkpoints, or why there is none.
    pub checkpoints: Result<Checkpoints, String>,
    /// What it is to others' logs.
    pub witness: Option<Witness>,
    /// The way to documents on the web.
    pub documents: Option<Box<dyn Documents>>,
    /// Where signals and telemetry are kept.
    pub readings: Readings,
}

impl Default for Wiring {
    fn default() -> Self {
        let checkpoints = Err("it has no signer".to_owned());
        Self { gateway: Gateway::default(), checkpoints, witness: None, documents: None, readings: Readings::default() }
    }
}

impl App {
    /// An app over a running engine, that is wired to nothing.
    pub fn new(engine: Engine, settings: ServerSettings) -> Self {
        Self::wired(engine, settings, Wiring::default())
    }

    /// An app over a running engine, and what it works with beside it.
    pub fn wired(engine: Engine, settings: ServerSettings, wiring: Wiring) -> Self {
        let Wiring { gateway, checkpoints, witness, documents, readings } = wiring;
        let (metrics, planning, uses, seen) = (Metrics::default(), Planning::default(), Uses::default(), Seen::default());
        let carbon = Carbon::new(settings.carbon.clone());
        let (limits, started, opened) = (Limits::new(settings.limits), Instant::now(), engine.now());
        Self(Arc::new(Inner {
            engine,
            settings,
            gateway,
            carbon,
            checkpoints,
            witness,
            documents,
            limits,
            metrics,
            planning,
            readings,
            uses,
            seen,
            started,
            opened,
        }))
    }

    fn gateway(&self) -> &Gateway {
        &self.0.gateway
    }

    /// What queries draw.
    fn carbon(&self) -> &Carbon {
        &self.0.carbon
    }

    fn engine(&self) -> &Engine {
        &self.0.engine
    }

    /// The settings.
    fn settings(&self) -> &ServerSettings {
        &self.0.settings
    }

    /// The signer of the journal's checkpoints, or why there is none.
    fn checkpoints(&self) -> Result<&Checkpoints, &str> {
        self.0.checkpoints.as_ref().map_err(String::as_str)
    }

    /// What this Hive is to others' logs.
    fn witness(&self) -> Option<&Witness> {
        self.0.witness.as_ref()
    }

    /// The way to documents on the web, if there is one.
    fn documents(&self) -> Option<&dyn Documents> {
        self.0.documents.as_deref()
    }

    fn limits(&self) -> &Limits {
        &self.0.limits
    }

    fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// Where plans are made.
    fn planning(&self) -> &Planning {
        &self.0.planning
    }

    /// Where signals and telemetry are kept.
    fn readings(&self) -> &Readings {
        &self.0.readings
    }

    fn uses(&self) -> &Uses {
        &self.0.uses
    }

    /// The signatures that were taken.
    fn seen(&self) -> &Seen {
        &self.0.seen
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
