//! Single values that are strings in JSON: DIDs, words, ids. What they look like in a path or query is the same.

use std::fmt;

use lab3_compute::Priority;
use lab3_units::{Code, Did, DidError, Id, Problem, Time};
use serde::{Serialize, Serializer};
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};

use super::leaf::{Leaf, Parameter, letters};

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

const DID: &str = "a DID such as did:kaizen:alice";
const DID_PATTERN: &str = "^did:[a-z0-9]+:([A-Za-z0-9._:-]|%[0-9A-Fa-f]{2})*([A-Za-z0-9._-]|%[0-9A-Fa-f]{2})$";

impl Leaf for Did {
    fn read(json: &str) -> Result<Self, Problem> {
        <Self as Parameter>::parse(&letters(DID, json)?)
    }

    fn schema() -> Schema {
        <Self as Parameter>::schema()
    }
}

impl Parameter for Did {
    fn parse(text: &str) -> Result<Self, Problem> {
        let malformed = |error: DidError| Problem::new(Code::DID_MALFORMED, format!("This is not a DID: {error}."));
        Did::parse(text).map_err(malformed)
    }

    fn schema() -> Schema {
        text().pattern(Some(DID_PATTERN)).max_length(Some(255)).examples(["did:kaizen:alice"]).into()
    }
}

impl Leaf for Priority {
    fn read(json: &str) -> Result<Self, Problem> {
        let words = Priority::ALL.map(Priority::as_str);
        let word = letters("a word", json)?;
        Priority::parse(&word).ok_or_else(|| Problem::new(Code::FIELD_RANGE, format!("Here belongs one of {}.", words.join(", "))))
    }

    fn schema() -> Schema {
        text().enum_values(Some(Priority::ALL.map(Priority::as_str))).into()
    }
}

impl Leaf for Time {
    fn read(json: &str) -> Result<Self, Problem> {
        const EXPECTED: &str = "a time such as 2026-11-23T06:00:00Z";
        let text = letters(EXPECTED, json)?;
        Time::parse(&text).ok_or_else(|| Problem::new(Code::FIELD_RANGE, format!("Here belongs {EXPECTED} (RFC 3339).")))
    }

    fn schema() -> Schema {
        text().format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime))).into()
    }
}

/// A person's words: `MIN` to `MAX` characters, none of them a control character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Words<const MIN: usize, const MAX: usize>(pub(crate) Box<str>);

impl<const MIN: usize, const MAX: usize> Leaf for Words<MIN, MAX> {
    fn read(json: &str) -> Result<Self, Problem> {
        let words = letters("a string", json)?;
        if words.chars().any(char::is_control) {
            return Err(Problem::new(Code::FIELD_RANGE, "The text has a control character, such as a line break. Leave it out."));
        }
        // A character takes one byte at least and four at most, so most texts need not be counted.
        let short_enough = words.len() <= MAX || words.chars().take(MAX + 1).count() <= MAX;
        if words.len() < MIN || !short_enough {
            return Err(Problem::new(Code::FIELD_RANGE, format!("The text must have {MIN} to {MAX} characters.")));
        }
        Ok(Self(words.into()))
    }

    fn schema() -> Schema {
        text().min_length(Some(MIN)).max_length(Some(MAX)).pattern(Some("^[^\\u0000-\\u001f\\u007f-\\u009f]*$")).into()
    }
}

/// Lines of text, of at most `MAX` bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lines<const MAX: usize>(pub(crate) Box<str>);

impl<const MAX: usize> Leaf for Lines<MAX> {
    fn read(json: &str) -> Result<Self, Problem> {
        let lines = letters("a string", json)?;
        if (1..=MAX).contains(&lines.len()) {
            return Ok(Self(lines.into()));
        }
        Err(Problem::new(Code::FIELD_RANGE, format!("The text must have 1 to {MAX} bytes.")))
    }

    fn schema() -> Schema {
        text().min_length(Some(1)).max_length(Some(MAX)).into()
    }
}

/// A client's own id for something: 1 to 255 visible ASCII characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClientId(pub(crate) Box<str>);

impl ClientId {
    /// Checks the characters.
    pub(crate) fn parse(bytes: &[u8]) -> Result<&str, Problem> {
        let visible = (1..=255).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic);
        let malformed = || Problem::new(Code::ID_MALFORMED, "A key or id has 1 to 255 visible ASCII characters, no spaces.");
        str::from_utf8(bytes).ok().filter(|_| visible).ok_or_else(malformed)
    }
}

impl Leaf for ClientId {
    fn read(json: &str) -> Result<Self, Problem> {
        let letters = letters("a string", json)?;
        Self::parse(letters.as_bytes()).map(|id| Self(id.into()))
    }

    fn schema() -> Schema {
        text().min_length(Some(1)).max_length(Some(255)).pattern(Some("^[\\x21-\\x7e]+$")).into()
    }
}

/// Twenty-six characters of base 32: 128 bits, so the first is at most 7.
const BASE32: &str = "[0-7][0-9a-hjkmnp-tv-z]{25}";

fn malformed_id(example: &str) -> Problem {
    Problem::new(Code::ID_MALFORMED, format!("This is not such an id. One looks like {example}."))
}

/// Ids with a prefix of two letters: `al_` and 26 characters.
macro_rules! ids {
    ($($name:ident, $prefix:literal, $what:literal;)*) => {$(
        #[doc = concat!($what, " id: `", $prefix, "_` and 26 characters.")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) struct $name(pub(crate) Id);

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(&self.0.text($prefix))
            }
        }

        impl Leaf for $name {
            fn read(json: &str) -> Result<Self, Problem> {
                <Self as Parameter>::parse(&letters(concat!($what, " id"), json)?)
            }

            fn schema() -> Schema {
                <Self as Parameter>::schema()
            }
        }

        impl Parameter for $name {
            fn parse(text: &str) -> Result<Self, Problem> {
                Id::parse($prefix, text).map(Self).map_err(|_| malformed_id(concat!($prefix, "_06f2x1w0v7r9h3kz8q5d4c2bgm")))
            }

            fn schema() -> Schema {
                let pattern = format!("^{}_{BASE32}$", $prefix);
                text().pattern(Some(pattern)).examples([concat!($prefix, "_06f2x1w0v7r9h3kz8q5d4c2bgm")]).into()
            }
        }
    )*};
}

ids! {
    AllocationId, "al", "an allocation's";
    CertificateId, "ce", "a certificate's";
    JobId, "jb", "a job's";
}

/// A transaction's id: `tx_` and 26 characters; further transactions under the same id have `_1`, `_2` ... behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TransactionId {
    /// The id.
    pub(crate) id: Id,
    /// Which transaction under it; 0 is the first.
    pub(crate) further: u32,
}

impl fmt::Display for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.id.text("tx").fmt(f)?;
        if self.further > 0 { write!(f, "_{}", self.further) } else { Ok(()) }
    }
}

impl Serialize for TransactionId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Parameter for TransactionId {
    fn parse(text: &str) -> Result<Self, Problem> {
        let (id, further) = match text.match_indices('_').nth(1) {
            Some((at, _)) => (&text[..at], Some(&text[at + 1..])),
            None => (text, None),
        };
        let further = match further {
            None => Some(0),
            Some(digits) if digits.starts_with('0') || !digits.bytes().all(|byte| byte.is_ascii_digit()) => None,
            Some(digits) => digits.parse::<u32>().ok().filter(|further| *further < 100_000),
        };
        let id = Id::parse("tx", id).ok();
        id.zip(further).map(|(id, further)| Self { id, further }).ok_or_else(|| malformed_id("tx_06f2x1w0v7r9h3kz8q5d4c2bgm"))
    }

    fn schema() -> Schema {
        text().pattern(Some(format!("^tx_{BASE32}(_[1-9][0-9]{{0,4}})?$"))).examples(["tx_06f2x1w0v7r9h3kz8q5d4c2bgm"]).into()
    }
}
