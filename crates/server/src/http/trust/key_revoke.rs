//! `POST /lab3/keys/{number}/revoke`: a key that works no more, from now on.

use lab3_trust::RevokeKey;
use lab3_units::Code;
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;
use crate::http::body::Sent;
use crate::http::doc::Doc;
use crate::http::parameters::Named;
use crate::http::permit::Permit;
use crate::http::reply::{Answer, done};
use crate::http::trust::done::order;
use crate::http::trust::keys::KeyNumber;
use crate::json::{Words, request};

request! {
    /// A request to revoke a key.
    #[example({ "reason": "the laptop was stolen" })]
    pub(crate) struct KeyRevokeRequest {
        /// Why, for the journal.
        pub reason: Option<Words<0, 200>>,
    }
}

/// A key that was revoked.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeyRevoked {
    /// Its number.
    #[schema(example = 3)]
    number: u32,
    /// Always `revoked`.
    #[schema(example = "revoked")]
    standing: &'static str,
    /// The journal record this stands in.
    sequence: u64,
}

pub(crate) fn doc() -> Doc {
    Doc::new("trust", "revoke_key", "Revoke a key, at once")
        .about("Whoever holds a key may give it up; the operator may revoke any.")
        .names::<KeyNumber>("number", "The key, by its number.", Code::ID_MALFORMED)
        .reads::<KeyRevokeRequest>()
        .answers::<KeyRevoked>("It works no more")
        .refuses(&[Code::KEY_UNKNOWN, Code::STANDING])
}

pub(crate) async fn key_revoke(app: App, permit: Permit<(Named<KeyNumber>, Sent<KeyRevokeRequest>)>) -> Answer {
    let principal = permit.principal().clone();
    let (_, (Named(KeyNumber(number)), Sent { body, key })) = permit.open();
    let reason = body.reason.map_or_else(Box::default, |reason| reason.0);
    let committed = order(&app, principal, key, RevokeKey { number, reason }).await?;
    let reply = KeyRevoked { number, standing: "revoked", sequence: committed.stored.sequence };
    Ok(done(&app, &reply, &committed))
}
