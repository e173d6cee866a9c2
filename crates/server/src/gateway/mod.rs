//! The gateway: a client's query is put to the provider that module 1 chooses, under a hold that cannot be overspent, and its
//! answer comes back in the client's own dialect.
//!
//! [`ask`] is the way of one query: hold, ask, relay, hold more, settle. It runs as a task of its own, for what was begun must
//! be settled whether or not the client stays. The endpoints are in `http/gateway/`. The plan and its reasons:
//! `docs/modules/gateway.md`.

pub(crate) mod ask;
mod count;
mod size;

use std::sync::Arc;

use lab3_providers::{Query, Source};
use tokio::sync::Semaphore;

/// A provider that can be asked.
#[derive(Clone)]
pub struct Connected {
    /// Its name, as the policy has it.
    pub name: Box<str>,
    /// The models it is asked for: the first when the client names none of them.
    pub models: Vec<String>,
    /// Who answers.
    pub source: Arc<dyn Source>,
    /// How many answers it may make at once; further queries wait.
    pub room: Arc<Semaphore>,
}

/// The providers that can be asked.
#[derive(Clone, Default)]
pub struct Gateway {
    connected: Vec<Connected>,
}

impl Gateway {
    /// A gateway to these.
    pub fn new(connected: Vec<Connected>) -> Self {
        Self { connected }
    }

    /// Every provider that can be asked.
    pub(crate) fn connected(&self) -> &[Connected] {
        &self.connected
    }

    pub(crate) fn find(&self, name: &str) -> Option<&Connected> {
        self.connected.iter().find(|connected| *connected.name == *name)
    }

    /// The provider that has this model.
    pub(crate) fn with_model(&self, model: &str) -> Option<&Connected> {
        self.connected.iter().find(|connected| connected.models.iter().any(|known| known == model))
    }
}

/// About how many tokens a query has; no provider is asked.
pub(crate) fn estimate(query: &Query, body_bytes: usize) -> u64 {
    size::of(query, body_bytes).tokens
}
