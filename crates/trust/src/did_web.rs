//! `did:web`: where a DID's document stands, and which keys it says the DID signs with (w3c-ccg.github.io/did-method-web,
//! w3.org/TR/did-1.0, section 5.3).

use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lab3_units::Did;
use serde::Deserialize;

use crate::PublicKey;

/// Longest document that is read, in bytes.
pub const DOCUMENT_BYTES_MAX: usize = 64 * 1024;

/// Why a document says nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DidWebError {
    /// Not a `did:web` with the name of a host.
    #[error("a did:web names a host, not an address: did:web:example.org or did:web:example.org:members:alice")]
    Did,
    /// Not a DID document.
    #[error("it is no DID document in JSON: {0}")]
    Form(String),
    /// Another DID's.
    #[error("it is the document of {0}")]
    Other(String),
}

/// The address of a `did:web`'s document: `https://host/.well-known/did.json`, or `https://host/path/did.json`.
///
/// Errors: [`DidWebError::Did`].
pub fn document_url(did: &Did) -> Result<String, DidWebError> {
    let rest = did.as_str().strip_prefix("did:web:").ok_or(DidWebError::Did)?;
    let mut parts = rest.split(':');
    let host = parts.next().unwrap_or_default();
    let (name, port) = match host.split_once("%3A").or_else(|| host.split_once("%3a")) {
        Some((name, port)) => (name, Some(port.parse::<u16>().map_err(|_| DidWebError::Did)?)),
        None => (host, None),
    };
    let label = |label: &str| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !name.contains('.') || !name.split('.').all(label) || name.parse::<IpAddr>().is_ok() {
        return Err(DidWebError::Did);
    }
    let path: Vec<&str> = parts.collect();
    // A part that is empty, or dots, would be another path than the one written.
    if path.iter().any(|part| matches!(*part, "" | "." | "..") || part.contains('%')) {
        return Err(DidWebError::Did);
    }
    let port = port.map_or_else(String::new, |port| format!(":{port}"));
    let path = if path.is_empty() { ".well-known".to_owned() } else { path.join("/") };
    Ok(format!("https://{name}{port}/{path}/did.json"))
}

/// The parts of a DID document that say who signs.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    id: String,
    #[serde(default)]
    verification_method: Vec<Method>,
    #[serde(default)]
    authentication: Vec<Listed>,
    #[serde(default)]
    assertion_method: Vec<Listed>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Method {
    id: String,
    #[serde(default)]
    public_key_multibase: Option<String>,
    #[serde(default)]
    public_key_jwk: Option<Jwk>,
}

#[derive(Clone, Deserialize)]
struct Jwk {
    kty: String,
    #[serde(default)]
    crv: String,
    #[serde(default)]
    x: String,
}

/// A method that is listed for a purpose: by its id, or whole.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum Listed {
    Named(String),
    Whole(Method),
}

/// The Ed25519 keys a DID signs with, as its document says: those listed under `authentication` and `assertionMethod`, each once. Keys of
/// other kinds are passed over.
///
/// Errors: [`DidWebError::Form`], [`DidWebError::Other`].
pub fn document_keys(did: &Did, document: &[u8]) -> Result<Vec<PublicKey>, DidWebError> {
    let form = |error: &dyn std::fmt::Display| DidWebError::Form(error.to_string());
    if document.len() > DOCUMENT_BYTES_MAX {
        return Err(form(&format!("it has more than {DOCUMENT_BYTES_MAX} bytes")));
    }
    let document: Document = serde_json::from_slice(document).map_err(|error| form(&error))?;
    if document.id != did.as_str() {
        return Err(DidWebError::Other(document.id));
    }
    let mut keys = Vec::new();
    for listed in document.authentication.iter().chain(&document.assertion_method) {
        let method = match listed {
            Listed::Whole(method) => Some(method),
            Listed::Named(name) => document.verification_method.iter().find(|method| is_named(did, &method.id, name)),
        };
        if let Some(key) = method.and_then(Method::key).filter(|key| !keys.contains(key)) {
            keys.push(key);
        }
    }
    Ok(keys)
}

/// Whether a method is the one of that name; either may leave out the DID before the fragment.
fn is_named(did: &Did, id: &str, name: &str) -> bool {
    let fragment = |text: &str| text.strip_prefix(did.as_str()).unwrap_or(text).to_owned();
    fragment(id) == fragment(name)
}

impl Method {
    fn key(&self) -> Option<PublicKey> {
        match (&self.public_key_multibase, &self.public_key_jwk) {
            (Some(text), None) => PublicKey::parse(text),
            (None, Some(jwk)) if jwk.kty == "OKP" && jwk.crv == "Ed25519" => {
                let bytes = URL_SAFE_NO_PAD.decode(&jwk.x).ok()?;
                PublicKey::from_bytes(&bytes.try_into().ok()?)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn did(text: &str) -> Did {
        Did::parse(text).unwrap()
    }

    #[test]
    fn a_did_says_where_its_document_is() {
        for (text, url) in [
            ("did:web:w3c-ccg.github.io", "https://w3c-ccg.github.io/.well-known/did.json"),
            ("did:web:w3c-ccg.github.io:user:alice", "https://w3c-ccg.github.io/user/alice/did.json"),
            ("did:web:example.com%3A3000:user:alice", "https://example.com:3000/user/alice/did.json"),
        ] {
            assert_eq!(document_url(&did(text)).as_deref(), Ok(url));
        }
    }

    #[test]
    fn what_would_lead_elsewhere_is_no_did_web() {
        for text in [
            "did:web:localhost",
            "did:web:127.0.0.1",
            "did:web:example.com%2Fetc",
            "did:web:example.com%40evil.org",
            "did:web:example.com%3Aport",
            "did:web:example.com:..:alice",
            "did:web:example.com:a::b",
            "did:web:example.com:%2e%2e",
            "did:web:.example.com",
            "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
        ] {
            assert_eq!(document_url(&did(text)), Err(DidWebError::Did), "{text}");
        }
    }

    /// A key of its own for each number, in both spellings.
    fn key(number: u8) -> (PublicKey, String, String) {
        let key = PublicKey::of_secret(&[number; 32]);
        (key, key.to_string(), URL_SAFE_NO_PAD.encode(key.to_bytes()))
    }

    #[test]
    fn keys_that_sign_are_found_in_every_spelling() {
        let me = did("did:web:example.com");
        let ((one, first, _), (two, _, second), (three, third, _), (_, fourth, _)) = (key(1), key(2), key(3), key(4));
        let document = serde_json::json!({
            "@context": ["https://www.w3.org/ns/did/v1"],
            "id": me.as_str(),
            "verificationMethod": [
                { "id": "did:web:example.com#one", "type": "Multikey", "controller": me.as_str(), "publicKeyMultibase": first },
                { "id": "#two", "type": "JsonWebKey2020", "publicKeyJwk": { "kty": "OKP", "crv": "Ed25519", "x": second } },
                { "id": "#rsa", "type": "JsonWebKey2020", "publicKeyJwk": { "kty": "RSA", "n": "AQAB", "e": "AQAB" } },
                { "id": "#agreement", "type": "Multikey", "publicKeyMultibase": fourth },
            ],
            "authentication": ["#one", "did:web:example.com#two", "#rsa", "#gone",
                               { "id": "#three", "type": "Ed25519VerificationKey2020", "publicKeyMultibase": third }],
            "assertionMethod": ["did:web:example.com#one"],
            "keyAgreement": ["#agreement"],
        });
        assert_eq!(document_keys(&me, document.to_string().as_bytes()), Ok(vec![one, two, three]));
    }

    #[test]
    fn what_is_not_this_dids_document_gives_no_keys() {
        let me = did("did:web:example.com");
        let other = br#"{ "id": "did:web:evil.example", "authentication": [] }"#;
        assert_eq!(document_keys(&me, other), Err(DidWebError::Other("did:web:evil.example".to_owned())));
        for wrong in [&b""[..], b"<html>", b"[]", br#"{"authentication": []}"#, br#"{"id": "did:web:example.com", "authentication": [7]}"#]
        {
            assert!(matches!(document_keys(&me, wrong), Err(DidWebError::Form(_))), "{}", String::from_utf8_lossy(wrong));
        }
        let empty = br#"{ "id": "did:web:example.com" }"#;
        assert_eq!(document_keys(&me, empty), Ok(Vec::new()));
        let long = [&empty[..], &vec![b' '; DOCUMENT_BYTES_MAX]].concat();
        assert!(matches!(document_keys(&me, &long), Err(DidWebError::Form(_))));
    }
}
