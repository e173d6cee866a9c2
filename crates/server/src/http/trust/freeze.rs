//! `POST /lab3/members/freeze` and `thaw`: for a while nothing leaves an account; and the end of that.

use lab3_trust::{Freeze, Thaw};
use lab3_units::{Code, Did};

use crate::App;
use crate::http::body::Sent;
use crate::http::doc::Doc;
use crate::http::permit::{Permit, Touches, Touching};
use crate::http::reply::Answer;
use crate::http::trust::done::{ActReply, act};
use crate::json::{Whole, Words, request};

request! {
    /// A request to freeze an account.
    #[example({ "citizen_did": "did:kaizen:alice", "hours": 24, "reason": "her keys were stolen" })]
    pub(crate) struct FreezeRequest {
        /// Whose.
        pub citizen_did: Did,
        /// For how long.
        pub hours: Whole<1, 72>,
        /// Why, for everybody to read.
        pub reason: Words<1, 200>,
    }
}

request! {
    /// A request to end a freeze.
    #[example({ "citizen_did": "did:kaizen:alice", "reason": "she has new keys" })]
    pub(crate) struct ThawRequest {
        /// Whose.
        pub citizen_did: Did,
        /// Why, for everybody to read.
        pub reason: Words<1, 200>,
    }
}

impl Touching for FreezeRequest {
    fn touches(&self) -> Touches<'_> {
        Touches::Citizen(&self.citizen_did)
    }
}

impl Touching for ThawRequest {
    fn touches(&self) -> Touches<'_> {
        Touches::Citizen(&self.citizen_did)
    }
}

pub(crate) fn freeze_doc() -> Doc {
    Doc::new("trust", "freeze", "Freeze an account for up to 72 hours")
        .about("Nothing leaves it meanwhile. After a freeze a day passes before the operator can freeze it again.")
        .reads::<FreezeRequest>()
        .answers::<ActReply>("It is frozen")
        .refuses(&[Code::STANDING, Code::INTENT_MISSING, Code::INTENT_INVALID])
}

pub(crate) fn thaw_doc() -> Doc {
    Doc::new("trust", "thaw", "End a freeze").reads::<ThawRequest>().answers::<ActReply>("It is free again").refuses(&[Code::STANDING])
}

pub(crate) async fn freeze(app: App, permit: Permit<Sent<FreezeRequest>>) -> Answer {
    let principal = permit.principal().clone();
    let (_, Sent { body, key }) = permit.open();
    let hours = u8::try_from(body.hours.0).unwrap_or(u8::MAX);
    let command = Freeze { citizen: body.citizen_did, hours, reason: body.reason.0, approval: None };
    act(&app, principal, key, command).await
}

pub(crate) async fn thaw(app: App, permit: Permit<Sent<ThawRequest>>) -> Answer {
    let principal = permit.principal().clone();
    let (_, Sent { body, key }) = permit.open();
    act(&app, principal, key, Thaw { citizen: body.citizen_did, reason: body.reason.0 }).await
}
