//! `POST /lab3/members/delegate`: a service may act for a citizen, or no longer.

use lab3_trust::Delegate;
use lab3_units::{Code, Did};

use crate::App;
use crate::http::body::Sent;
use crate::http::doc::Doc;
use crate::http::permit::{Permit, Touches, Touching};
use crate::http::reply::Answer;
use crate::http::trust::done::{ActReply, act};
use crate::json::{Whole, request};

request! {
    /// A request to let a service act for a citizen, or no longer.
    #[example({ "citizen_did": "did:kaizen:alice", "service": 2, "on": true })]
    pub(crate) struct DelegateRequest {
        /// For whom.
        pub citizen_did: Did,
        /// The number of one of the service's keys.
        pub service: Whole<1, 4_294_967_295>,
        /// Whether it may from now on.
        pub on: bool,
    }
}

impl Touching for DelegateRequest {
    fn touches(&self) -> Touches<'_> {
        Touches::Citizen(&self.citizen_did)
    }
}

pub(crate) fn doc() -> Doc {
    Doc::new("trust", "delegate", "Let a service act for a citizen, or no longer")
        .about("The citizen herself, or the operator.")
        .reads::<DelegateRequest>()
        .answers::<ActReply>("It is so now")
        .refuses(&[Code::STANDING, Code::KEY_UNKNOWN])
}

pub(crate) async fn delegate(app: App, permit: Permit<Sent<DelegateRequest>>) -> Answer {
    let principal = permit.principal().clone();
    let (_, Sent { body, key }) = permit.open();
    let service = u32::try_from(body.service.0).unwrap_or(u32::MAX);
    act(&app, principal, key, Delegate { service, citizen: body.citizen_did, on: body.on }).await
}
