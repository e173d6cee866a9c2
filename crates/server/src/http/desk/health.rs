//! `GET /lab3/health`: whether the desk is open, and which modules work.

use serde::Serialize;
use utoipa::ToSchema;

use crate::App;
use crate::http::doc::Doc;
use crate::http::parameters::Plain;
use crate::http::permit::Permit;
use crate::http::reply::{Answer, reply};

/// How the desk is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HealthReply {
    /// Always `lab3`.
    #[schema(example = "lab3")]
    lab: &'static str,
    /// `ok`, or `degraded` when histories cannot be answered.
    #[schema(example = "ok")]
    status: &'static str,
    /// The program's version.
    #[schema(example = "0.1.0")]
    version: &'static str,
    /// Each module's state.
    modules: Modules,
    /// The last durable journal record.
    sequence: u64,
    /// Records under the newest checkpoint; `null` where none is signed.
    #[schema(required, example = 1234)]
    signed: Option<u64>,
    /// Why checkpoints are not signed (any more).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    unsigned_because: Option<String>,
    /// Seconds since the desk opened.
    uptime_s: u64,
}

/// Each module's state: `active` or `planned`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Modules {
    #[schema(example = "active")]
    compute_allocation: &'static str,
    #[schema(example = "planned")]
    energy_routing: &'static str,
    #[schema(example = "planned")]
    supply_chain: &'static str,
    #[schema(example = "active")]
    financial_flows: &'static str,
    #[schema(example = "planned")]
    labor_market: &'static str,
    #[schema(example = "planned")]
    maintenance: &'static str,
}

/// What works today.
const MODULES: Modules = Modules {
    compute_allocation: "active",
    energy_routing: "planned",
    supply_chain: "planned",
    financial_flows: "active",
    labor_market: "planned",
    maintenance: "planned",
};

pub(crate) fn doc() -> Doc {
    Doc::new("desk", "health", "Whether the desk is open, and which modules work")
        .about("Answers without asking the writer, so that it tells of trouble rather than sharing it.")
        .plain()
        .answers::<HealthReply>("How the desk is")
}

pub(crate) async fn health(app: App, _: Permit<Plain>) -> Answer {
    let status = app.engine().status();
    let (signed, unsigned_because) = match app.checkpoints() {
        Ok(checkpoints) => (checkpoints.newest().map(|newest| newest.checkpoint.size), checkpoints.stopped().map(str::to_owned)),
        Err(why) => (None, Some(why.to_owned())),
    };
    Ok(reply(&HealthReply {
        lab: "lab3",
        status: if status.views_ok { "ok" } else { "degraded" },
        version: env!("CARGO_PKG_VERSION"),
        modules: MODULES,
        sequence: status.sequence,
        signed,
        unsigned_because,
        uptime_s: app.started().elapsed().as_secs(),
    }))
}
