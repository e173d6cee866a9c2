//! Sixteen-byte ids, and how they look outside: `tx_06c2...`, `al_06c2...`.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Crockford's base 32, in lower case: no i, l, o, u.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Characters sixteen bytes take in base 32.
const TEXT_LEN: usize = 26;

/// The id of one journal record: a UUIDv7 the server made, or a hash of the key the client chose.
///
/// Sixteen bytes in the journal, 26 characters where people read (JSON).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id([u8; 16]);

/// Why a text is not an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an id is its prefix, an underscore and 26 characters of 0-9 a-z without i, l, o, u")]
pub struct IdError;

impl Id {
    /// The id with these bytes, big-endian.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The id's bytes, big-endian.
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0
    }

    fn digits(self) -> [u8; TEXT_LEN] {
        let mut digits = [0; TEXT_LEN];
        let mut rest = u128::from_be_bytes(self.0);
        for slot in digits.iter_mut().rev() {
            *slot = ALPHABET[usize::try_from(rest % 32).unwrap_or_default()];
            rest /= 32;
        }
        digits
    }

    /// The id as text behind `prefix` and an underscore.
    pub fn text(self, prefix: &'static str) -> impl fmt::Display {
        Text { prefix, id: self }
    }

    /// Reads what [`Id::text`] wrote.
    pub fn parse(prefix: &str, text: &str) -> Result<Self, IdError> {
        Self::from_digits(text.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('_')).ok_or(IdError)?)
    }

    fn from_digits(digits: &str) -> Result<Self, IdError> {
        if digits.len() != TEXT_LEN {
            return Err(IdError);
        }
        let mut value: u128 = 0;
        for byte in digits.bytes() {
            let digit = ALPHABET.iter().position(|&letter| letter == byte).ok_or(IdError)?;
            value = value.checked_mul(32).ok_or(IdError)? | (digit as u128);
        }
        Ok(Self(value.to_be_bytes()))
    }
}

struct Text {
    prefix: &'static str,
    id: Id,
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.prefix, str::from_utf8(&self.id.digits()).unwrap_or_default())
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serializer.serialize_str(str::from_utf8(&self.digits()).unwrap_or_default());
        }
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let digits = std::borrow::Cow::<str>::deserialize(deserializer)?;
            return Self::from_digits(&digits).map_err(serde::de::Error::custom);
        }
        <[u8; 16]>::deserialize(deserializer).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_back_is_the_same_id() {
        for value in [0, 1, u128::MAX, 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef] {
            let id = Id(value.to_be_bytes());
            assert_eq!(Id::parse("tx", &id.text("tx").to_string()), Ok(id));
        }
    }

    #[test]
    fn other_texts_are_not_ids() {
        let good = Id::from_bytes(7_u128.to_be_bytes()).text("tx").to_string();
        for text in
            ["", "tx_", "tx_abc", &good.replace("tx", "al"), &good.replace('7', "u"), &format!("{good}0"), "tx_zzzzzzzzzzzzzzzzzzzzzzzzzz"]
        {
            assert_eq!(Id::parse("tx", text), Err(IdError), "{text}");
        }
    }
}
