//! A client's query, and who pays for it: the citizen whose key it carries, or the one a service or an open Hive's neighbour names.

use axum::body::Body;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use lab3_trust::Principal;
use lab3_units::{Code, Did, Problem};

use super::text;
use crate::App;
use crate::http::permit::{Input, Touches};
use crate::http::principal::key;

/// The header that names the citizen.
const CITIZEN: &str = "x-citizen-did";

/// A query somebody pays for.
#[derive(Debug)]
pub(crate) struct Paid {
    pub(crate) citizen: Did,
    pub(crate) parts: Parts,
    pub(crate) body: Body,
}

impl Input for Paid {
    async fn read(request: Request, _: &App, principal: &Principal) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        Ok(Self { citizen: payer(principal, &parts.headers)?, parts, body })
    }

    fn touches(&self) -> Touches<'_> {
        Touches::Citizen(&self.citizen)
    }
}

/// A request of another protocol that costs nothing.
#[derive(Debug)]
pub(crate) struct Free {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
}

impl Input for Free {
    async fn read(request: Request, _: &App, _: &Principal) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        Ok(Self { headers: parts.headers, body })
    }

    fn touches(&self) -> Touches<'_> {
        Touches::Nothing
    }
}

/// Who pays. On an open Hive the DID may also be sent as the API key: most clients can be given no header, but all a key.
fn payer(principal: &Principal, headers: &HeaderMap) -> Result<Did, Problem> {
    let named = text(headers, CITIZEN).map(did).transpose()?;
    let unknown = |detail| Problem::new(Code::PAYER_UNKNOWN, detail).in_field(CITIZEN);
    match principal.did() {
        Some(own) if named.as_ref().is_none_or(|named| named == own) => return Ok(own.clone()),
        None if *principal == Principal::Local && named.is_none() => {
            let of_key = key(headers)?.filter(|key| key.starts_with("did:")).map(|key| did(&key)).transpose()?;
            let nobody = "Nobody is named who pays. Send the header x-citizen-did: did:kaizen:alice, or the DID as the API key.";
            return of_key.ok_or_else(|| unknown(nobody));
        }
        // Whether it is somebody the asker may name is judged.
        _ => {}
    }
    named.ok_or_else(|| unknown("Nobody is named who pays. Name the citizen this is for: x-citizen-did: did:kaizen:alice."))
}

fn did(text: &str) -> Result<Did, Problem> {
    Did::parse(text).map_err(|error| Problem::new(Code::DID_MALFORMED, error.to_string()).in_field(CITIZEN))
}
