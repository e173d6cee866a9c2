//! Whose key is said to have signed: a DID, and which of its keys.

use std::fmt;

use crate::error::SignatureError;

/// Bytes of the longest key id.
pub(crate) const KEY_ID_BYTES_MAX: usize = 512;

/// A key by its DID URL: `did:key:z6Mk...` (which is its own key), or `did:kaizen:alice#laptop`. Only the text: the caller finds the key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyId {
    did: String,
    fragment: Option<String>,
}

impl KeyId {
    /// Reads one. A `did:key` needs no fragment, and if it has one, it is the key again. Whether the DID's own text is in order is for whoever
    /// resolves it to say.
    pub fn parse(text: &str) -> Result<Self, SignatureError> {
        let form = SignatureError::KeyId;
        if text.len() > KEY_ID_BYTES_MAX || !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":._%#-".contains(&byte)) {
            return Err(form);
        }
        let (did, fragment) = match text.split_once('#') {
            Some((did, fragment)) if !fragment.is_empty() && !fragment.contains('#') => (did, Some(fragment)),
            Some(_) => return Err(form),
            None => (text, None),
        };
        let (method, id) = did.strip_prefix("did:").and_then(|rest| rest.split_once(':')).ok_or(SignatureError::KeyId)?;
        let fits = if method == "key" { fragment.is_none_or(|fragment| fragment == id) } else { fragment.is_some() };
        if method.is_empty() || id.is_empty() || !fits {
            return Err(form);
        }
        Ok(Self { did: did.to_owned(), fragment: fragment.map(str::to_owned) })
    }

    /// The DID: `did:kaizen:alice`.
    pub fn did(&self) -> &str {
        &self.did
    }

    /// Which of the DID's keys: `laptop`. None for most `did:key`.
    pub fn fragment(&self) -> Option<&str> {
        self.fragment.as_deref()
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.did)?;
        self.fragment.as_ref().map_or(Ok(()), |fragment| write!(f, "#{fragment}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, parts: Option<(&str, Option<&str>)>) {
        let read = KeyId::parse(text);
        assert_eq!(read.as_ref().ok().map(|id| (id.did(), id.fragment())), parts, "{text}");
        assert!(read.is_ok_and(|id| id.to_string() == text) || parts.is_none());
    }

    #[test]
    fn a_key_id_is_a_did_and_which_of_its_keys() {
        check("did:key:z6Mk", Some(("did:key:z6Mk", None)));
        check("did:key:z6Mk#z6Mk", Some(("did:key:z6Mk", Some("z6Mk"))));
        check("did:kaizen:alice#laptop", Some(("did:kaizen:alice", Some("laptop"))));
        check("did:web:hive.example%3A8080:users:a_b#key-1", Some(("did:web:hive.example%3A8080:users:a_b", Some("key-1"))));
        check("did:key:z6Mk#z6Mother", None);
        check("did:key:z6Mk#", None);
        check("did:kaizen:alice", None);
        check("did:kaizen:alice#", None);
        check("did:kaizen:alice#a#b", None);
        check("did:kaizen:#a", None);
        check("did::alice#a", None);
        check("did:kaizen#a", None);
        check("key-1", None);
        check("", None);
        check("did:kaizen:al ice#a", None);
        check("did:kaizen:alice/path#a", None);
        check("did:kaizen:alice?query#a", None);
        check(&format!("did:key:z{}", "a".repeat(512)), None);
    }
}
