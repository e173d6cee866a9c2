//! `GET` and `POST /lab3/treasurers`: who decides together about new money, grants and rules; and the naming of the first.

use lab3_trust::{Act, NameTreasurers, Treasurers};
use lab3_units::{Code, Did, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;
use crate::http::body::Sent;
use crate::http::doc::Doc;
use crate::http::parameters::Plain;
use crate::http::permit::{Permit, Touches, Touching};
use crate::http::reply::{Answer, reply};
use crate::http::trust::done::{ActReply, act};
use crate::http::trust::governed::with_text;
use crate::json::{List, Whole, request};

request! {
    /// A request to name the treasurers.
    #[example({
        "needed": 2,
        "treasurers": ["did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK", "did:kaizen:alice", "did:kaizen:bob"]
    })]
    pub(crate) struct TreasurersRequest {
        /// How many of them have to sign.
        pub needed: Whole<1, 32>,
        /// Who they shall be: DIDs that have a key to sign with.
        pub treasurers: List<Did, 1, 32>,
    }
}

impl Touching for TreasurersRequest {
    fn touches(&self) -> Touches<'_> {
        Touches::Hive
    }
}

/// The treasurers.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TreasurersReply {
    /// How many of them have to sign; 0 while there are none, and the operator's keys decide.
    #[schema(example = 2)]
    needed: u8,
    /// Who they are.
    treasurers: Vec<TreasurerTold>,
}

/// A treasurer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TreasurerTold {
    /// Who.
    #[schema(example = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK")]
    did: String,
    /// The keys that sign for it now; without one it cannot sign.
    public_keys: Vec<String>,
}

pub(crate) fn doc() -> Doc {
    Doc::new("trust", "treasurers", "Who decides together about new money, grants and rules")
        .plain()
        .answers::<TreasurersReply>("The treasurers")
}

pub(crate) fn name_doc() -> Doc {
    Doc::new("trust", "name_treasurers", "Name the first treasurers")
        .about(
            "From then on new money, grants and rules take the signatures of `needed` of them, and so does naming others: their intents come \
             over `POST /lab3/intents`.",
        )
        .reads::<TreasurersRequest>()
        .answers::<ActReply>("They are named")
        .refuses(&[Code::INTENT_MISSING])
}

pub(crate) async fn treasurers(app: App, _: Permit<Plain>) -> Answer {
    let trust = app.engine().trust();
    let told =
        |did: &Did| TreasurerTold { did: did.to_string(), public_keys: trust.keys_of(did).iter().map(ToString::to_string).collect() };
    Ok(reply(&match trust.treasurers() {
        None => TreasurersReply { needed: 0, treasurers: Vec::new() },
        Some(named) => TreasurersReply { needed: named.needed(), treasurers: named.iter().map(told).collect() },
    }))
}

pub(crate) async fn name(app: App, permit: Permit<Sent<TreasurersRequest>>) -> Answer {
    let principal = permit.principal().clone();
    let (_, Sent { body, key }) = permit.open();
    let treasurers = named(body)?;
    let command = NameTreasurers { treasurers: treasurers.clone(), approval: None };
    let answer = act(&app, principal, key, command).await;
    answer.map_err(|refused| with_text(&app, refused.0, "", |_| Act::Treasurers(treasurers)).into())
}

/// Nobody is named twice: who means three and names two should hear of it.
fn named(TreasurersRequest { needed, treasurers: List(dids) }: TreasurersRequest) -> Result<Treasurers, Problem> {
    if let Some(at) = (1..dids.len()).find(|&at| dids[..at].contains(&dids[at])) {
        let detail = format!("{} stands twice. Name each treasurer once.", dids[at]);
        return Err(Problem::new(Code::FIELD_RANGE, detail).in_field(format!("treasurers[{at}]")));
    }
    Treasurers::new(u8::try_from(needed.0).unwrap_or(u8::MAX), dids)
}
