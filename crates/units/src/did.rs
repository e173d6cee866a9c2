//! Who owns accounts: citizens and projects by their DID, and the Hive's own offices.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Longest DID accepted, in bytes.
const DID_BYTES_MAX: usize = 255;

/// A W3C decentralized identifier (`did:method:specific-id`). Opaque: validated once, never parsed for rights. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Did(Arc<str>);

/// Why a text is not a DID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DidError {
    /// Longer than 255 bytes.
    #[error("a DID has at most 255 characters")]
    TooLong,
    /// Not `did:method:id`.
    #[error("a DID looks like did:kaizen:alice: did, a method in lower case, an id")]
    Syntax,
}

impl Did {
    /// Checks the syntax of W3C DID Core 1.0, section 3.1.
    pub fn parse(text: &str) -> Result<Self, DidError> {
        if text.len() > DID_BYTES_MAX {
            return Err(DidError::TooLong);
        }
        let (method, id) = text.strip_prefix("did:").and_then(|rest| rest.split_once(':')).ok_or(DidError::Syntax)?;
        let method_ok = !method.is_empty() && method.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        if method_ok && id_is_valid(id.as_bytes()) { Ok(Self(text.into())) } else { Err(DidError::Syntax) }
    }

    /// The whole DID.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// `*( *idchar ":" ) 1*idchar`: so it may not end in a colon, and `%` starts two hexadecimal digits.
fn id_is_valid(id: &[u8]) -> bool {
    let mut at = 0;
    while at < id.len() {
        at += match id[at] {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b':' => 1,
            b'%' if id[at + 1..].len() >= 2 && id[at + 1..at + 3].iter().all(u8::is_ascii_hexdigit) => 3,
            _ => return false,
        };
    }
    id.last().is_some_and(|&last| last != b':')
}

impl fmt::Display for Did {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who owns an account: a DID, or one of the Hive's own offices (`hive:pool`), which no DID can spell.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Owner(Arc<str>);

impl Owner {
    /// The Hive's office of that name: `hive:` and the name.
    pub fn hive(office: &str) -> Self {
        Self(format!("hive:{office}").into())
    }

    /// The text the ledger knows the owner by.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&Did> for Owner {
    fn from(did: &Did) -> Self {
        Self(did.0.clone())
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dids_of_the_w3c_syntax_are_accepted() {
        for text in ["did:kaizen:alice", "did:web:example.org%3A3000:user", "did:key:z6Mk-a_b.c", "did:a1::b"] {
            assert_eq!(Did::parse(text).map(|did| did.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn other_texts_are_not() {
        let long = format!("did:kaizen:{}", "a".repeat(245));
        for text in
            ["", "alice", "did:", "did:kaizen", "did:kaizen:", "did:Kaizen:a", "did::a", "did:k:a b", "did:k:a:", "did:k:%4", "did:k:é"]
        {
            assert_eq!(Did::parse(text), Err(DidError::Syntax), "{text}");
        }
        assert_eq!(Did::parse(&long), Err(DidError::TooLong));
    }
}
