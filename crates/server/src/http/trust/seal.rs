//! `POST /lab3/seal`: closes an open Hive without making a key.

use lab3_trust::SealedBy;
use lab3_units::Code;

use crate::App;
use crate::http::body::Sent;
use crate::http::doc::Doc;
use crate::http::permit::{Permit, Touches, Touching};
use crate::http::reply::Answer;
use crate::http::trust::done::{ActReply, act};
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

pub(crate) fn doc() -> Doc {
    Doc::new("trust", "seal", "Close the open Hive")
        .about(
            "For good: from then on somebody has to be named. Operators' keys are then made on the desk's own machine (`lab3 key create`).",
        )
        .reads::<SealRequest>()
        .answers::<ActReply>("It is closed")
        .refuses(&[Code::STANDING])
}

pub(crate) async fn seal(app: App, permit: Permit<Sent<SealRequest>>) -> Answer {
    let principal = permit.principal().clone();
    let (actor, Sent { key, .. }) = permit.open();
    act(&app, (principal, actor), key, SealedBy::Command).await
}
