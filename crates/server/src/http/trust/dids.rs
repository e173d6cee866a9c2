//! `GET /lab3/dids/{did}`: the keys that sign for a DID here.

use lab3_units::{Code, Did, Time};
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;
use crate::http::doc::Doc;
use crate::http::parameters::Named;
use crate::http::permit::Permit;
use crate::http::reply::{Answer, Shown, reply};

/// The keys of a DID.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DidReply {
    /// The DID.
    #[schema(example = "did:kaizen:alice")]
    did: String,
    /// The keys that sign for it now.
    keys: Vec<String>,
    /// The number of its next key event.
    #[schema(example = 1)]
    next_event: u32,
    /// Until when its account is frozen.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    frozen_until: Option<Shown<Time>>,
}

pub(crate) fn doc() -> Doc {
    Doc::new("trust", "did", "The keys that sign for a DID here")
        .names::<Did>("did", "The DID.", Code::DID_MALFORMED)
        .answers::<DidReply>("Its keys")
}

pub(crate) async fn did(app: App, permit: Permit<Named<Did>>) -> Answer {
    let (_, Named(did)) = permit.open();
    let (trust, now) = (app.engine().trust(), app.engine().now());
    Ok(reply(&DidReply {
        keys: trust.keys_of(&did).iter().map(ToString::to_string).collect(),
        next_event: trust.next_event(&did),
        frozen_until: trust.frozen(&did, now).map(|frozen| Shown(frozen.until)),
        did: did.to_string(),
    }))
}
