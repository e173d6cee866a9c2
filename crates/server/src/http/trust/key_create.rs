//! `POST /lab3/keys`: makes a key. The first one closes an open Hive.

use lab3_trust::{CreateKey, Holder, Kind, Scope, Scopes};
use lab3_units::{Code, Did, Problem, Time};

use crate::App;
use crate::http::body::Sent;
use crate::http::doc::Doc;
use crate::http::permit::{Permit, Touches, Touching};
use crate::http::reply::{Answer, done};
use crate::http::trust::done::order;
use crate::http::trust::told::{KeyMade, fresh_key};
use crate::json::{List, Positive, Words, request};

request! {
    /// A request to make a key.
    #[example({ "kind": "citizen", "did": "did:kaizen:alice", "scopes": ["read", "compute"], "note": "Alice's laptop" })]
    pub(crate) struct KeyCreateRequest {
        /// `operator`, `citizen`, `service`, `steward`, `treasurer`, `auditor`, `meter` or `witness`.
        pub kind: Words<1, 16>,
        /// Whose it shall be: a citizen's or a treasurer's DID.
        pub did: Option<Did>,
        /// What it shall be good for; all that its kind can do, as far as its maker can give it, when left out.
        pub scopes: Option<List<Words<1, 32>, 1, 32>>,
        /// The citizens a service may act for.
        pub citizens: Option<List<Did, 0, 4096>>,
        /// The most a service may hold in a day (UTC), for all its citizens together.
        pub daily_cap_gic: Option<Positive>,
        /// The module a steward looks after, the meter, or the name of the witnessed log.
        pub name: Option<Words<1, 200>>,
        /// When it shall stop working, in RFC 3339.
        pub expires_at: Option<Words<20, 40>>,
        /// What it is for.
        pub note: Option<Words<0, 200>>,
    }
}

impl Touching for KeyCreateRequest {
    fn touches(&self) -> Touches<'_> {
        match &self.did {
            Some(did) if *self.kind.0 == *Kind::Citizen.as_str() => Touches::Citizen(did),
            _ => Touches::Hive,
        }
    }
}

pub(crate) fn doc() -> Doc {
    Doc::new("trust", "create_key", "Make a key")
        .about(
            "Nobody hands out more than is his. The key is shown once. The first one closes an open Hive for good: from then on somebody \
             has to be named.",
        )
        .reads::<KeyCreateRequest>()
        .answers::<KeyMade>("The key")
        .refuses(&[Code::STANDING])
}

pub(crate) async fn key_create(app: App, permit: Permit<Sent<KeyCreateRequest>>) -> Answer {
    let principal = permit.principal().clone();
    let (_, Sent { body, key }) = permit.open();
    let kind = kind(&body.kind.0)?;
    let fresh = fresh_key(kind)?;
    let scopes = match &body.scopes {
        Some(words) => scopes(words)?,
        None => kind.widest().both(app.engine().trust().can_give(app.engine().now(), &principal)),
    };
    let expires = body.expires_at.as_ref().map(|text| moment(&text.0)).transpose()?;
    let citizens = body.citizens.as_ref().map(|citizens| citizens.0.clone()).unwrap_or_default();
    let note = body.note.as_ref().map(|note| note.0.clone()).unwrap_or_default();
    let create = CreateKey { id: fresh.id(), hash: fresh.hash(), holder: holder(kind, body)?, scopes, expires, note, citizens };
    let committed = order(&app, principal, key, create).await?;
    Ok(done(&app, &KeyMade::of(&committed, &fresh)?, &committed))
}

fn kind(word: &str) -> Result<Kind, Problem> {
    let words = Kind::ALL.map(Kind::as_str).join(", ");
    Kind::parse(word).ok_or_else(|| Problem::new(Code::FIELD_RANGE, format!("There is no such kind. Known are: {words}.")).in_field("kind"))
}

fn scopes(words: &List<Words<1, 32>, 1, 32>) -> Result<Scopes, Problem> {
    Scopes::parse(words.0.iter().map(|word| &*word.0)).map_err(|unknown| {
        let known = Scope::ALL.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(", ");
        Problem::new(Code::FIELD_RANGE, format!("There is no scope `{unknown}`. Known are: {known}.")).in_field("scopes")
    })
}

fn moment(text: &str) -> Result<Time, Problem> {
    let malformed = || Problem::new(Code::FIELD_RANGE, "Write the moment in RFC 3339: 2027-01-31T12:00:00Z.").in_field("expires_at");
    Time::parse(text).ok_or_else(malformed)
}

/// Whose the key shall be. What is missing for its kind, or does not belong to it, is refused.
fn holder(kind: Kind, body: KeyCreateRequest) -> Result<Holder, Problem> {
    let KeyCreateRequest { did, citizens, daily_cap_gic, name, .. } = body;
    let needs = [
        ("did", did.is_some(), matches!(kind, Kind::Citizen | Kind::Treasurer)),
        ("name", name.is_some(), matches!(kind, Kind::Steward | Kind::Meter | Kind::Witness)),
        ("daily_cap_gic", daily_cap_gic.is_some(), kind == Kind::Service),
    ];
    for (field, sent, needed) in needs {
        if needed && !sent {
            return Err(Problem::new(Code::FIELD_MISSING, format!("A key of the kind {kind} needs it.")).in_field(field));
        }
        if sent && !needed {
            return Err(
                Problem::new(Code::FIELD_RANGE, format!("It does not belong to a key of the kind {kind}. Leave it out.")).in_field(field)
            );
        }
    }
    if citizens.is_some() && kind != Kind::Service {
        return Err(Problem::new(Code::FIELD_RANGE, "Only a service acts for citizens. Leave it out.").in_field("citizens"));
    }
    let name = name.map_or_else(Box::default, |name| name.0);
    Ok(match (kind, did) {
        (Kind::Citizen, Some(did)) => Holder::Citizen(did),
        (Kind::Treasurer, Some(did)) => Holder::Treasurer(did),
        (Kind::Service, _) => Holder::Service { daily_cap: daily_cap_gic.map_or_else(Default::default, |cap| cap.0) },
        (Kind::Steward, _) => Holder::Steward { module: name },
        (Kind::Meter, _) => Holder::Meter { meter: name },
        (Kind::Witness, _) => Holder::Witness { name },
        (Kind::Auditor, _) => Holder::Auditor,
        (Kind::Operator | Kind::Citizen | Kind::Treasurer, _) => Holder::Operator,
    })
}
