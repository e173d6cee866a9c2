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
    Ok(reply(&HealthReply {
        lab: "lab3",
        status: if status.views_ok { "ok" } else { "degraded" },
        version: env!("CARGO_PKG_VERSION"),
        modules: MODULES,
        sequence: status.sequence,
        uptime_s: app.started().elapsed().as_secs(),
    }))
}
