//! An API key as people hold it: `lab3_<kind>_<id>_<secret>_<checksum>`.
//!
//! The secret has 256 random bits, so its SHA-256 is enough to keep: nobody guesses it. The checksum (CRC-32 of everything before its
//! underscore) lets a typo be told from a wrong key without asking anybody, and secret scanners be sure.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::crc32::crc32;
use crate::{Kind, base32};

/// What every key begins with.
const PREFIX: &str = "lab3_";

/// Bytes of the public part that a key is found by.
const ID_LEN: usize = 8;

/// Bytes of the secret.
const SECRET_LEN: usize = 32;

/// The public part of a key: stands in lists, logs and records.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct KeyId([u8; ID_LEN]);

/// SHA-256 of a key's text: what the journal has of it.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct KeyHash([u8; 32]);

/// A whole key, with its secret. Wiped from memory when dropped; never printed but by [`KeyText::show_once`].
#[derive(Clone)]
pub struct KeyText {
    kind: Kind,
    id: KeyId,
    text: Zeroizing<String>,
}

/// Why a text is not a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyTextError {
    /// It does not begin as our keys do.
    #[error("this is not a key of a Lab 3 desk: they begin with lab3_")]
    NotAKey,
    /// It begins as our keys do, and does not hold together.
    #[error("this key has a typo, or is not whole: its checksum does not fit. Copy it again")]
    Typo,
}

impl KeyId {
    /// The id with these bytes.
    pub const fn from_bytes(bytes: [u8; ID_LEN]) -> Self {
        Self(bytes)
    }

    /// The id's bytes.
    pub const fn to_bytes(self) -> [u8; ID_LEN] {
        self.0
    }

    /// Reads the 13 characters it shows as.
    pub fn parse(text: &str) -> Option<Self> {
        base32::decode(text).map(Self)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base32::encode(&self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Takes the same time whatever the difference.
impl PartialEq for KeyHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for KeyHash {}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyHash(..)")
    }
}

impl KeyText {
    /// The key with this id and secret, both drawn at random by the caller.
    pub fn make(kind: Kind, id: [u8; ID_LEN], secret: &[u8; SECRET_LEN]) -> Self {
        let id = KeyId(id);
        let secret = base32::encode(secret);
        let body = Zeroizing::new(format!("{PREFIX}{kind}_{id}_{}", *secret));
        let text = Zeroizing::new(format!("{}_{}", *body, *checksum(&body)));
        Self { kind, id, text }
    }

    /// Reads what [`KeyText::show_once`] showed.
    pub fn parse(text: &str) -> Result<Self, KeyTextError> {
        let rest = text.strip_prefix(PREFIX).ok_or(KeyTextError::NotAKey)?;
        Self::parts(text, rest).ok_or(KeyTextError::Typo)
    }

    fn parts(text: &str, rest: &str) -> Option<Self> {
        let mut words = rest.split('_');
        let (kind, id, secret, check) = (words.next()?, words.next()?, words.next()?, words.next()?);
        let (kind, id) = (Kind::parse(kind)?, KeyId::parse(id)?);
        Zeroizing::new(base32::decode::<SECRET_LEN>(secret)?);
        let body = text.strip_suffix(check)?.strip_suffix('_')?;
        let fits = words.next().is_none() && *checksum(body) == check;
        fits.then(|| Self { kind, id, text: Zeroizing::new(text.to_owned()) })
    }

    /// What the key says it is. Only its record says what it may do.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The public part.
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// What to keep of it.
    pub fn hash(&self) -> KeyHash {
        KeyHash(Sha256::digest(self.text.as_bytes()).into())
    }

    /// The whole key, for its holder, who sees it this once.
    pub fn show_once(&self) -> &str {
        &self.text
    }
}

/// Says which key, never the secret.
impl fmt::Display for KeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}_{}_...", self.kind, self.id)
    }
}

impl fmt::Debug for KeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn checksum(body: &str) -> Zeroizing<String> {
    base32::encode(&crc32(body.as_bytes()).to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key() -> KeyText {
        KeyText::make(Kind::Citizen, *b"12345678", &[0xa7; 32])
    }

    #[test]
    fn a_key_reads_back_and_hides_its_secret() {
        for kind in Kind::ALL {
            let made = KeyText::make(kind, [0xff; 8], &[kind as u8; 32]);
            let read = KeyText::parse(made.show_once()).unwrap();
            assert_eq!((read.kind(), read.id(), read.hash()), (kind, made.id(), made.hash()));
        }
        assert_eq!(key().show_once().len(), "lab3_citizen_".len() + 13 + 1 + 52 + 1 + 7);
        assert_eq!(key().to_string(), "lab3_citizen_32chk6gtkcdsr_...");
        let secret = key().show_once()[27..79].to_owned();
        for shown in [format!("{:?}", key()), key().to_string(), format!("{:?}", key().hash())] {
            assert!(!shown.contains(&secret[..8]), "{shown}");
        }
    }

    #[test]
    fn other_texts_are_no_keys() {
        let whole = key().show_once().to_owned();
        let check = |text: &str, error| assert_eq!(KeyText::parse(text).map(|_| ()), Err(error), "{text}");
        check("", KeyTextError::NotAKey);
        check("sk-abc", KeyTextError::NotAKey);
        check("did:kaizen:alice", KeyTextError::NotAKey);
        check(&whole.to_uppercase(), KeyTextError::NotAKey);
        check("lab3_", KeyTextError::Typo);
        check("lab3_citizen_é", KeyTextError::Typo);
        check(&format!("{whole}_"), KeyTextError::Typo);
        check(&format!("{whole} "), KeyTextError::Typo);
        check(&whole[..whole.len() - 1], KeyTextError::Typo);
        check(&whole.replace("citizen", "operator"), KeyTextError::Typo);
    }

    #[test]
    fn each_single_changed_character_is_found() {
        let whole = key().show_once().to_owned();
        for at in 0..whole.len() {
            for letter in (0x20..0x7f_u8).map(char::from).chain(['é', '\0']) {
                let mut changed = whole.clone();
                changed.replace_range(at..=at, &letter.to_string());
                assert!(changed == whole || KeyText::parse(&changed).is_err(), "{changed}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "(lab3_)?[a-z]{0,9}_?\\PC{0,90}") {
            let _ = KeyText::parse(&text);
        }

        #[test]
        fn any_change_is_a_typo_or_another_key(
            id in any::<[u8; 8]>(),
            secret in any::<[u8; 32]>(),
            at in 0..86_usize,
            new in any::<char>(),
        ) {
            let made = KeyText::make(Kind::Service, id, &secret);
            let changed: String = made.show_once().chars().enumerate().map(|(place, old)| if place == at { new } else { old }).collect();
            match KeyText::parse(&changed) {
                Ok(read) => prop_assert!(changed == made.show_once() && read.hash() == made.hash()),
                Err(error) => prop_assert_eq!(error == KeyTextError::NotAKey, at < 5),
            }
        }
    }
}
