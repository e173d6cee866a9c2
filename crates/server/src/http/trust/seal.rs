//! `POST /lab3/seal`: closes an open Hive without making a key.

use lab3_trust::SealedBy;
use lab3_units::{Code, Time};
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;
use crate::http::body::Sent;
use crate::http::doc::Doc;
use crate::http::permit::{Permit, Touches, Touching};
use crate::http::reply::{Answer, Shown, done};
use crate::http::trust::done::order;
use crate::json::request;

request! {
    /// A request to close the open Hive. It has no fields; the body may be left out.
    #[example({})]
    pub(crate) struct SealRequest {}
}

impl Touching for SealRequest {
    fn touches(&self) -> Touches<'_> {
        Touches::Hive
    }
}

/// A Hive that was closed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SealReply {
    /// Always `false`.
    #[schema(example = false)]
    open: bool,
    /// When.
    #[schema(value_type = String, format = DateTime, example = "2025-10-31T14:30:00Z")]
    closed_at: Shown<Time>,
    /// The journal record this stands in.
    sequence: u64,
}

pub(crate) fn doc() -> Doc {
    Doc::new("trust", "seal", "Close the open Hive")
        .about(
            "For good: from then on somebody has to be named. Operators' keys are then made on the desk's own machine (`lab3 key create`).",
        )
        .reads::<SealRequest>()
        .answers::<SealReply>("It is closed")
        .refuses(&[Code::STANDING])
}

pub(crate) async fn seal(app: App, permit: Permit<Sent<SealRequest>>) -> Answer {
    let principal = permit.principal().clone();
    let (_, Sent { key, .. }) = permit.open();
    let committed = order(&app, principal, key, SealedBy::Command).await?;
    let reply = SealReply { open: false, closed_at: Shown(committed.stored.record.at), sequence: committed.stored.sequence };
    Ok(done(&app, &reply, &committed))
}
