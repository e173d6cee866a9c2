//! `Content-Digest`: hashes of the body as it is sent (RFC 9530).

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha2::{Digest, Sha256, Sha512};

use crate::error::SignatureError;
use crate::structured::{Bare, Item, Member, dictionary};

/// The header's name.
pub(crate) const HEADER: &str = "content-digest";

/// The hashes a `Content-Digest` names: `sha-256`, `sha-512` or both. Others are passed over, as the RFC asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentDigest {
    sha256: Option<[u8; 32]>,
    sha512: Option<[u8; 64]>,
}

impl ContentDigest {
    /// The SHA-256 of a body. [`fmt::Display`] writes the header's value.
    pub fn of(body: &[u8]) -> Self {
        Self { sha256: Some(Sha256::digest(body).into()), sha512: None }
    }

    /// Reads the header's value. Errors: no dictionary, a hash of another length, or neither of the two.
    pub fn parse(text: &str) -> Result<Self, SignatureError> {
        let mut digest = Self { sha256: None, sha512: None };
        for (key, member) in dictionary(text).map_err(|fault| SignatureError::form(HEADER, fault))? {
            match key.as_str() {
                "sha-256" => digest.sha256 = Some(hash(&member).ok_or(SignatureError::DigestForm)?),
                "sha-512" => digest.sha512 = Some(hash(&member).ok_or(SignatureError::DigestForm)?),
                _ => {}
            }
        }
        if digest.sha256.is_none() && digest.sha512.is_none() { Err(SignatureError::DigestForm) } else { Ok(digest) }
    }

    /// Whether this is the body: each hash that is named must fit.
    pub fn fits(&self, body: &[u8]) -> bool {
        self.sha256.is_none_or(|hash| Sha256::digest(body).as_slice() == hash)
            && self.sha512.is_none_or(|hash| Sha512::digest(body).as_slice() == hash)
    }
}

fn hash<const N: usize>(member: &Member) -> Option<[u8; N]> {
    match member {
        Member::Item(Item { value: Bare::Bytes(bytes), params }) if params.is_empty() => bytes.as_slice().try_into().ok(),
        _ => None,
    }
}

impl fmt::Display for ContentDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sha256 = self.sha256.map(|hash| format!("sha-256=:{}:", BASE64.encode(hash)));
        let sha512 = self.sha512.map(|hash| format!("sha-512=:{}:", BASE64.encode(hash)));
        f.write_str(&[sha256, sha512].into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}
