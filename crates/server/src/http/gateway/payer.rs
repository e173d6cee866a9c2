//! Who pays for a query. Until citizens have keys: whoever the request names, on a Hive that is open on loopback.

use axum::http::HeaderMap;
use lab3_units::{Code, Did, Problem};

use super::text;
use crate::App;

/// The header that names the citizen.
pub(crate) const CITIZEN: &str = "x-citizen-did";

/// The citizen named by `x-citizen-did`, or by an API key that is a DID: most clients can be given no header, but all a key.
pub(crate) fn payer(app: &App, headers: &HeaderMap) -> Result<Did, Problem> {
    if !app.settings().loopback {
        let detail = "This desk listens beyond its own machine, and citizens have no keys yet: queries are answered on loopback only.";
        return Err(Problem::new(Code::PAYER_UNKNOWN, detail));
    }
    let bearer = || text(headers, "authorization").and_then(|sent| sent.split_once(' ')).map(|(_, key)| key.trim());
    let key = || bearer().or_else(|| text(headers, "x-api-key")).or_else(|| text(headers, "x-goog-api-key"));
    let named = text(headers, CITIZEN).or_else(|| key().filter(|key| key.starts_with("did:")));
    let Some(named) = named else {
        let detail = "Nobody is named who pays. Send the header x-citizen-did: did:kaizen:alice, or the DID as the API key.";
        return Err(Problem::new(Code::PAYER_UNKNOWN, detail).in_field(CITIZEN));
    };
    Did::parse(named).map_err(|error| Problem::new(Code::DID_MALFORMED, error.to_string()).in_field(CITIZEN))
}
