//! Requests a member signed (RFC 9421): who the signer is, from the head; and that the body is the signed one, once it is there.
//!
//! A request that was signed could be sent again by whoever saw it. What writes under the API's rules is done once by its `Idempotency-Key`, so
//! a signed write needs one; where keys mean nothing, a signature is taken once.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use lab3_signature::{Claim, Head, Scheme, SignatureError, WINDOW_SECONDS};
use lab3_trust::{Principal, PublicKey};
use lab3_units::{Code, Did, Problem};
use sha2::{Digest, Sha256};

use crate::App;
use crate::http::body::whole_body;
use crate::http::key::IDEMPOTENCY_KEY;
use crate::http::principal::network;
use crate::limits::Attempt;

/// Where idempotency keys hold.
const OURS: &str = "/lab3/";

/// Signatures remembered at once; more in ten minutes are refused.
const SEEN_MAX: usize = 100_000;

/// The signatures that were taken, until they are too old to be taken anyway.
#[derive(Debug, Default)]
pub(crate) struct Seen(Mutex<HashMap<[u8; 32], i64>>);

impl Seen {
    /// Whether it is taken now for the first time.
    fn take(&self, signature: [u8; 32], now: i64) -> bool {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= SEEN_MAX {
            seen.retain(|_, until| *until > now);
        }
        let until = now + 2 * i64::from(WINDOW_SECONDS);
        seen.len() < SEEN_MAX && seen.insert(signature, until).is_none_or(|until| until <= now)
    }
}

/// Whether somebody signed the request.
pub(crate) fn is_signed(headers: &HeaderMap) -> bool {
    headers.contains_key("signature") || headers.contains_key("signature-input")
}

/// Who signed the request's head.
///
/// Errors: `KEY_INVALID`, with the header to blame; `TOO_MANY_WRONG` and `TOO_FAST` where no more are looked at.
pub(crate) fn signer(app: &App, request: &Request, unread: &Attempt<'_>) -> Result<(Principal, Head), Problem> {
    let now = Instant::now();
    let (claim, did) = claimed(app, request).map_err(|problem| unread.wrong(problem, now))?;
    let attempt = app.limits().signature(network(request), &did, now)?;
    match verified(app, request, &claim, &did) {
        Ok((key, head)) => {
            attempt.right(now);
            Ok((Principal::Signed { did, key }, head))
        }
        Err(problem) => Err(attempt.wrong(problem, now)),
    }
}

/// What a request says of its signature, and who it says signed.
fn claimed(app: &App, request: &Request) -> Result<(Claim, Did), Problem> {
    let headers = request.headers();
    let lines = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect::<Vec<_>>();
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let uri = request.uri();
    let said = lab3_signature::Request {
        method: request.method().as_str(),
        scheme: Scheme::Http,
        authority: text(header::HOST).unwrap_or_default(),
        path: uri.path(),
        query: uri.query(),
        headers: &lines,
    };
    let claim = Claim::parse(&said, seconds(app), WINDOW_SECONDS).map_err(|error| refused(&error))?;
    let did = Did::parse(claim.key_id().did())
        .map_err(|error| invalid(format!("The signature's keyid is no DID: {error}."), "Signature-Input"))?;
    Ok((claim, did))
}

/// The key that made the signature, and the head it stands for.
fn verified(app: &App, request: &Request, claim: &Claim, did: &Did) -> Result<(PublicKey, Head), Problem> {
    let named = claim.key_id().fragment().and_then(PublicKey::parse);
    let known = app.engine().trust().keys_of(did);
    let mut of_did = known.into_iter().filter(|key| named.is_none_or(|named| named == *key));
    let (key, head) = of_did.find_map(|key| Some((key, claim.clone().verify(&key.to_bytes()).ok()?))).ok_or_else(|| {
        invalid(format!("No key of {did} made this signature. Over these lines it has to be:\n{}", claim.base()), "Signature")
    })?;
    check_once(app, request)?;
    Ok((key, head))
}

/// The engine's time, in seconds.
fn seconds(app: &App) -> i64 {
    app.engine().now().millis().div_euclid(1000)
}

/// Refuses a signed write that somebody could send again.
fn check_once(app: &App, request: &Request) -> Result<(), Problem> {
    if request.method() != Method::POST {
        return Ok(());
    }
    if request.uri().path().starts_with(OURS) {
        let keyed = request.headers().contains_key(IDEMPOTENCY_KEY);
        let missing = "A signed write needs an Idempotency-Key, signed with it: without one whoever saw it could send it again.";
        return if keyed { Ok(()) } else { Err(invalid(missing.to_owned(), "Idempotency-Key")) };
    }
    let signature = request.headers().get("signature").map(HeaderValue::as_bytes).unwrap_or_default();
    if app.seen().take(Sha256::digest(signature).into(), seconds(app)) {
        return Ok(());
    }
    Err(invalid("This signature was used already. Sign the request anew.".to_owned(), "Signature"))
}

/// The request with its body read, which is the one that was signed.
pub(crate) async fn with_body(app: &App, request: Request, head: Head) -> Result<Request, Problem> {
    let (parts, body) = request.into_parts();
    let bytes: Bytes = whole_body(body, app).await?;
    head.check_body(&bytes).map_err(|error| refused(&error))?;
    Ok(Request::from_parts(parts, Body::from(bytes)))
}

fn refused(error: &SignatureError) -> Problem {
    let capital = |word: &str| word.get(..1).map(|first| first.to_ascii_uppercase() + &word[1..]).unwrap_or_default();
    let field = error.header().split('-').map(capital).collect::<Vec<_>>().join("-");
    Problem::new(Code::KEY_INVALID, format!("The request's signature is not taken: {error}.")).in_field(field)
}

fn invalid(detail: String, field: &'static str) -> Problem {
    Problem::new(Code::KEY_INVALID, detail).in_field(field)
}
