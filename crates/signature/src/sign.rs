//! The client's side: the headers that sign a request.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signer as _, SigningKey};

use crate::base::base;
use crate::claim::{INPUT, SIGNATURE};
use crate::digest::{self, ContentDigest};
use crate::error::SignatureError;
use crate::request::Request;
use crate::structured::{Bare, Item, List};
use crate::subset::{self, ALWAYS, TAG, WHEN_SENT};

/// What our signatures are called in the two headers. The name is not signed and says nothing.
const LABEL: &str = "lab3";

/// Who signs, and when.
#[derive(Clone, Copy)]
pub struct Signer<'a> {
    /// The secret Ed25519 key.
    pub seed: &'a [u8; 32],
    /// By which the server finds the public one: `did:key:z6Mk...`, `did:kaizen:alice#laptop`.
    pub key_id: &'a str,
    /// Now, in seconds since 1970.
    pub created: i64,
    /// A word of one's own to tell signatures apart, if one likes.
    pub nonce: Option<&'a str>,
}

/// Signs a request: gives the headers to send besides those it has, names in lower case. The request must already have its `Content-Type` (with
/// a body) and `Idempotency-Key` (for a write); the digest of the body is among what comes back. Errors: what a server would refuse.
pub fn sign(request: &Request<'_>, body: &[u8], signer: &Signer<'_>) -> Result<Vec<(&'static str, String)>, SignatureError> {
    for header in [digest::HEADER, INPUT, SIGNATURE] {
        if request.sends(header) {
            return Err(SignatureError::Present { header });
        }
    }
    let digest = if body.is_empty() { None } else { Some(ContentDigest::of(body).to_string()) };
    let mut headers = request.headers.to_vec();
    headers.extend(digest.as_ref().map(|digest| (digest::HEADER, digest.as_bytes())));
    let request = Request { headers: &headers, ..*request };
    let list = list(&request, signer);
    subset::check_components(&request, &list)?;
    if !body.is_empty() {
        subset::require_body(&list)?;
    }
    subset::terms(&list)?;
    let signature = SigningKey::from_bytes(signer.seed).sign(base(&request, &list)?.as_bytes());
    let mut signed: Vec<_> = digest.map(|digest| (digest::HEADER, digest)).into_iter().collect();
    signed.push((INPUT, format!("{LABEL}={list}")));
    signed.push((SIGNATURE, format!("{LABEL}=:{}:", BASE64.encode(signature.to_bytes()))));
    Ok(signed)
}

/// The components, and the parameters in the order of the RFC's examples.
fn list(request: &Request<'_>, signer: &Signer<'_>) -> List {
    let sent = WHEN_SENT.into_iter().filter(|name| request.sends(name));
    let items = ALWAYS.into_iter().chain(sent).map(|name| Item { value: string(name), params: Vec::new() }).collect();
    let mut params = vec![
        ("created".to_owned(), Bare::Integer(signer.created)),
        ("keyid".to_owned(), string(signer.key_id)),
        ("alg".to_owned(), string("ed25519")),
        ("tag".to_owned(), string(TAG)),
    ];
    params.extend(signer.nonce.map(|nonce| ("nonce".to_owned(), string(nonce))));
    List { items, params }
}

fn string(text: &str) -> Bare {
    Bare::String(text.to_owned())
}
