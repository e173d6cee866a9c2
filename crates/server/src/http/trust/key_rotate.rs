//! `POST /lab3/keys/{number}/rotate`: a key's successor; the old one works a while longer.

use lab3_trust::RotateKey;
use lab3_units::{Code, Duration};

use crate::App;
use crate::http::body::Sent;
use crate::http::doc::Doc;
use crate::http::parameters::Named;
use crate::http::permit::Permit;
use crate::http::reply::{Answer, done};
use crate::http::trust::done::order;
use crate::http::trust::keys::{KeyNumber, unknown_key};
use crate::http::trust::told::{KeyMade, fresh_key};
use crate::json::{Whole, request};

request! {
    /// A request to replace a key by another for the same holder, good for the same.
    #[example({ "overlap_seconds": 3600 })]
    pub(crate) struct KeyRotateRequest {
        /// How long the old key still works; a day when left out.
        pub overlap_seconds: Option<Whole<0, 2_592_000>>,
    }
}

pub(crate) fn doc() -> Doc {
    Doc::new("trust", "rotate_key", "Replace a key by another that is good for the same")
        .about("Until its overlap ends the old key works, but manages no keys.")
        .names::<KeyNumber>("number", "The key, by its number.", Code::ID_MALFORMED)
        .reads::<KeyRotateRequest>()
        .answers::<KeyMade>("Its successor")
        .refuses(&[Code::KEY_UNKNOWN, Code::STANDING])
}

pub(crate) async fn key_rotate(app: App, permit: Permit<(Named<KeyNumber>, Sent<KeyRotateRequest>)>) -> Answer {
    let principal = permit.principal().clone();
    let (_, (Named(KeyNumber(number)), Sent { body, key })) = permit.open();
    let kind = app.engine().trust().key(number).map(|key| key.holder.kind()).ok_or_else(|| unknown_key(number))?;
    let fresh = fresh_key(kind)?;
    let seconds = |seconds: Whole<0, 2_592_000>| Duration::from_secs(u32::try_from(seconds.0).unwrap_or(u32::MAX));
    let rotate = RotateKey { number, id: fresh.id(), hash: fresh.hash(), overlap: body.overlap_seconds.map(seconds) };
    let committed = order(&app, principal, key, rotate).await?;
    Ok(done(&app, &KeyMade::of(&committed, &fresh)?, &committed))
}
