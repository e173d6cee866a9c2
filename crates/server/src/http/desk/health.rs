//! `GET /lab3/health`: whether the desk is open, and which modules work.

use lab3_units::Time;
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;
use crate::http::doc::Doc;
use crate::http::parameters::Plain;
use crate::http::permit::Permit;
use crate::http::reply::{Answer, Shown, reply};
use crate::witnesses::{Standing, seen};

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
    /// Who has seen the journal, and how long ago; empty where no witness is named.
    #[schema(example = "Seen by 3 Hives, 12 s ago")]
    seen: String,
    /// How each witness stands.
    witnesses: Vec<WitnessReply>,
    /// Seconds since the desk opened.
    uptime_s: u64,
}

/// How one witness of the journal stands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WitnessStanding)]
pub(crate) struct WitnessReply {
    /// Its key's name.
    #[schema(example = "riverside/jn_06f2x1w0v7r9h3kz8q5d4c2bgm/witness")]
    name: String,
    /// Records it has seen; `null` before it has cosigned once.
    #[schema(required, example = 1234)]
    records: Option<u64>,
    /// When, by its clock.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    seen_at: Option<Shown<Time>>,
    /// Why it did not cosign when it was asked last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    trouble: Option<String>,
    /// Whether it says that this journal's past is not the one it saw.
    refused: bool,
}

impl From<Standing> for WitnessReply {
    fn from(standing: Standing) -> Self {
        let time = |seconds: u64| Shown(Time::from_millis(i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1000)));
        Self {
            name: standing.name().to_owned(),
            records: standing.records,
            seen_at: standing.seen_at.map(time),
            trouble: standing.trouble,
            refused: standing.refused,
        }
    }
}

/// Each module's state: `active` or `planned`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Modules {
    #[schema(example = "active")]
    compute_allocation: &'static str,
    #[schema(example = "active")]
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
    energy_routing: "active",
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
    let standings = app.checkpoints().map(|checkpoints| checkpoints.witnesses().standings()).unwrap_or_default();
    let now = u64::try_from(app.engine().now().millis().div_euclid(1000)).unwrap_or(0);
    Ok(reply(&HealthReply {
        lab: "lab3",
        status: if status.views_ok { "ok" } else { "degraded" },
        version: env!("CARGO_PKG_VERSION"),
        modules: MODULES,
        sequence: status.sequence,
        signed,
        unsigned_because,
        seen: seen(&standings, now),
        witnesses: standings.into_iter().map(WitnessReply::from).collect(),
        uptime_s: app.started().elapsed().as_secs(),
    }))
}
