//! Reading a request's JSON: one pass over the text, strict, and every refusal names the field to blame.
//!
//! A request is declared once, by [`request!`](crate::json::request): from that come the struct, its schema and its reader, so
//! that they cannot disagree. Values are read from their text; no number passes through a float.

mod amount;
mod field;
mod leaf;
mod list;
mod place;
mod request;
mod rules;
mod schema;
mod text;
mod word;

pub(crate) use amount::{Kwh, NotNegative, Positive};
pub(crate) use field::{Field, Object, nearest, read_object, read_optional};
pub(crate) use leaf::{Figure, Leaf, Parameter, Sequence, Whole};
pub(crate) use list::List;
pub(crate) use place::Place;
pub(crate) use request::{about, request};
pub(crate) use rules::{RuleValues, check_rule};
pub(crate) use schema::described;
pub(crate) use text::{AllocationId, CertificateId, ClientId, JobId, Lines, TransactionId, Words};
pub(crate) use word::Word;

use lab3_units::{Code, Problem};

/// Reads a whole request from its text.
pub(crate) fn read<T: Object>(text: &str) -> Result<T, Problem> {
    let fault = std::cell::OnceCell::new();
    let body = Place::body(&fault);
    let mut json = serde_json::Deserializer::from_str(text);
    let read = read_object::<T, _>(&mut json, &body).and_then(|request| json.end().map(|()| request));
    read.map_err(|error| {
        let malformed = || Problem::new(Code::MALFORMED_BODY, format!("The body is not a JSON object: {error}."));
        fault.into_inner().unwrap_or_else(malformed)
    })
}
