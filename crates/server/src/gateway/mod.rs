//! The gateway: a client's query is put to the provider that module 1 chooses, under a hold that cannot be overspent, and its
//! answer comes back in the client's own dialect.
//!
//! [`ask`] is the way of one query: hold, ask, relay, hold more, settle. It runs as a task of its own, for what was begun must
//! be settled whether or not the client stays. The endpoints are in `http/gateway/`. The plan and its reasons:
//! `docs/modules/gateway.md`.

pub(crate) mod ask;
mod attempt;
mod cache;
mod count;
mod line;
mod miss;
mod rates;
mod relay;
mod repeat;
mod size;

use std::sync::Arc;
use std::time::Duration;

use lab3_providers::Source;
use tokio::sync::Semaphore;

use cache::Cache;
pub use cache::CacheSettings;
use lab3_units::{Code, Did, Problem};
use line::{Lines, Place};
pub use rates::RateLimits;
pub(crate) use rates::Rates;

/// A provider that can be asked.
#[derive(Clone)]
pub struct Connected {
    /// Its name, as the policy has it.
    pub name: Box<str>,
    /// The models it is asked for: the first when the client names none of them.
    pub models: Vec<String>,
    /// Whether its models make embeddings, and no answers.
    pub embeds: bool,
    /// Who answers.
    pub source: Arc<dyn Source>,
    /// How many answers it may make at once; further queries wait.
    pub room: Arc<Semaphore>,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Chat,
    Embeddings,
}

impl Operation {
    /// Its name in the figures.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Embeddings => "embeddings",
        }
    }
}

impl Connected {
    /// Whether it is called that, or has the model.
    fn has(&self, name: &str) -> bool {
        *self.name == *name || self.models.iter().any(|model| model == name)
    }

    fn does(&self, operation: Operation) -> bool {
        self.embeds == (operation == Operation::Embeddings)
    }
}

/// How queries are treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GatewaySettings {
    /// How much a citizen may ask for in a minute.
    pub rates: RateLimits,
    /// Queries of a citizen under way at once, their streams included; 0 is as many as anybody likes.
    pub queries_open_max: usize,
    /// How long a query waits at most for room at a provider, or for what other queries of its citizen give back.
    pub wait_max: Duration,
    /// What answers are kept.
    pub cache: CacheSettings,
}

impl Default for GatewaySettings {
    fn default() -> Self {
        Self { rates: RateLimits::default(), queries_open_max: 256, wait_max: Duration::from_secs(20), cache: CacheSettings::default() }
    }
}

/// The providers that can be asked, and who asks them.
pub struct Gateway {
    connected: Vec<Arc<Connected>>,
    settings: GatewaySettings,
    rates: Rates,
    lines: Lines,
    cache: Cache,
}

impl Default for Gateway {
    fn default() -> Self {
        Self::new(Vec::new(), GatewaySettings::default())
    }
}

impl Gateway {
    /// A gateway to these.
    pub fn new(connected: Vec<Connected>, settings: GatewaySettings) -> Self {
        let connected = connected.into_iter().map(Arc::new).collect();
        Self { connected, settings, rates: Rates::new(settings.rates), lines: Lines::default(), cache: Cache::new(settings.cache) }
    }

    /// Every provider that can be asked.
    pub(crate) fn connected(&self) -> &[Arc<Connected>] {
        &self.connected
    }

    pub(crate) fn settings(&self) -> &GatewaySettings {
        &self.settings
    }

    pub(crate) fn rates(&self) -> &Rates {
        &self.rates
    }

    fn cache(&self) -> &Cache {
        &self.cache
    }

    /// A place for one more query of the citizen.
    ///
    /// Errors: `QUERIES_OPEN`.
    pub(crate) fn place(&self, citizen: &Did) -> Result<Place, Problem> {
        let most = self.settings.queries_open_max;
        self.lines.place(citizen, most).ok_or_else(|| {
            let detail = format!("{citizen} has {most} queries under way, as many as this desk allows. Wait until one has ended.");
            Problem::new(Code::QUERIES_OPEN, detail).after(1)
        })
    }

    /// The provider of that name.
    pub(crate) fn find(&self, name: &str) -> Option<&Connected> {
        self.connected.iter().map(|connected| &**connected).find(|connected| *connected.name == *name)
    }

    /// The provider that has this model.
    pub(crate) fn with_model(&self, model: &str, operation: Operation) -> Option<&Connected> {
        let does = self.connected.iter().filter(|connected| connected.does(operation));
        does.map(|connected| &**connected).find(|connected| connected.models.iter().any(|known| known == model))
    }
}

pub(crate) use size::{bounded as size_bounded, of as size_of};
