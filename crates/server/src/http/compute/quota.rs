//! `GET /lab3/compute/quota/{citizen_did}`: what a citizen may still use this month.

use lab3_units::{Code, Did, Period, Time};
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;
use crate::http::doc::Doc;
use crate::http::parameters::Named;
use crate::http::permit::Permit;
use crate::http::reply::{Answer, Mic, Shown, reply};

/// What a citizen may still use this month.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QuotaReply<'a> {
    /// The citizen.
    #[schema(example = "did:kaizen:alice")]
    citizen_did: &'a str,
    /// What is neither used nor held.
    #[schema(value_type = f64, example = 99.925)]
    quota_remaining_gic: Mic,
    /// A month's quota.
    #[schema(value_type = f64, example = 100.0)]
    default_quota_gic: Mic,
    /// What open allocations hold.
    #[schema(value_type = f64, example = 0.075)]
    held_gic: Mic,
    /// What was charged this month.
    #[schema(value_type = f64, example = 0.0)]
    used_gic: Mic,
    /// The month.
    #[schema(value_type = String, pattern = "^[0-9]{4}-[0-9]{2}$", example = "2025-10")]
    period: Shown<Period>,
    /// When the next month begins.
    #[schema(value_type = String, format = DateTime, example = "2025-11-01T00:00:00Z")]
    resets_at: Shown<Time>,
}

pub(crate) fn doc() -> Doc {
    Doc::new("compute", "quota", "What a citizen may still use this month")
        .about("A DID the Hive has not met has the whole quota before it.")
        .names::<Did>("citizen_did", "The citizen.", Code::DID_MALFORMED)
        .asks_engine()
        .answers::<QuotaReply>("The month's allowance")
}

pub(crate) async fn quota(app: App, permit: Permit<Named<Did>>) -> Answer {
    let (_, Named(citizen)) = permit.open();
    let whose = citizen.clone();
    let status = app.engine().read(move |desk| lab3_compute::quota(&desk.compute(), &whose)).await?;
    Ok(reply(&QuotaReply {
        citizen_did: citizen.as_str(),
        quota_remaining_gic: Mic(status.remaining),
        default_quota_gic: Mic(status.default),
        held_gic: Mic(status.held),
        used_gic: Mic(status.used),
        period: Shown(status.period),
        resets_at: Shown(status.resets_at),
    }))
}
