//! `GET /lab3/keys`: every key there ever was, or a citizen's.

use lab3_units::{Code, Did, Problem};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};

use crate::App;
use crate::http::doc::Doc;
use crate::http::parameters::{Asked, parameters};
use crate::http::permit::{Permit, Touches, Touching};
use crate::http::reply::{Answer, reply};
use crate::http::trust::told::KeyTold;
use crate::json::Parameter;

/// A key, by its number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyNumber(pub(crate) u32);

impl Parameter for KeyNumber {
    fn parse(text: &str) -> Result<Self, Problem> {
        let malformed = || Problem::new(Code::ID_MALFORMED, "A key is named by its number, as GET /lab3/keys tells it.");
        text.parse().map(Self).map_err(|_| malformed())
    }

    fn schema() -> Schema {
        ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).into()
    }
}

impl Touching for KeyNumber {
    fn touches(&self) -> Touches<'_> {
        Touches::Key(self.0)
    }
}

parameters! {
    /// Whose keys.
    pub(crate) struct KeysQuery {
        /// The citizen or treasurer; everybody's when left out.
        pub did: Option<Did>,
    }
}

impl Touching for KeysQuery {
    fn touches(&self) -> Touches<'_> {
        self.did.as_ref().map_or(Touches::Everybodys, Touches::Citizen)
    }
}

/// Keys.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeysReply {
    /// In the order they were made.
    keys: Vec<KeyTold>,
    /// Whether this Hive is open: nobody has to be named yet.
    open: bool,
}

pub(crate) fn doc() -> Doc {
    Doc::new("trust", "keys", "Every key there ever was, or a citizen's").asks::<KeysQuery>(&[]).answers::<KeysReply>("The keys")
}

pub(crate) async fn keys(app: App, permit: Permit<Asked<KeysQuery>>) -> Answer {
    let (_, Asked(query)) = permit.open();
    let (trust, now) = (app.engine().trust(), app.engine().now());
    let told = |key: &lab3_trust::Key| KeyTold::of(key, now, app.uses().last(key.number));
    let keys = match &query.did {
        Some(did) => trust.keys_for(did).map(told).collect(),
        None => trust.keys().map(told).collect(),
    };
    Ok(reply(&KeysReply { keys, open: trust.is_open() }))
}

/// The refusal for a key there is not.
pub(crate) fn unknown_key(number: u32) -> Problem {
    Problem::new(Code::KEY_UNKNOWN, format!("There is no key {number}. GET /lab3/keys lists them.")).in_field("number")
}
