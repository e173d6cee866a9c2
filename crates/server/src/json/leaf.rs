//! Single values of requests: DIDs, numbers, words. Each knows its JSON, its text in a path or query, and its schema.

use std::borrow::Cow;
use std::fmt;

use lab3_compute::Priority;
use lab3_units::{Amount, AmountError, Code, Did, DidError, Id, Problem, Ratio};
use serde::{Serialize, Serializer};
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};

/// A value without parts, read from its JSON text.
pub(crate) trait Leaf: Sized {
    /// Reads the value; the text is one whole JSON value of any kind.
    fn read(json: &str) -> Result<Self, Problem>;

    /// Its schema.
    fn schema() -> Schema;
}

/// A value of a path or a query, read from its text.
pub(crate) trait Parameter: Sized {
    /// Reads the value.
    fn parse(text: &str) -> Result<Self, Problem>;

    /// Its schema.
    fn schema() -> Schema;
}

/// Refuses a value of the wrong type, saying what belongs there and what was sent.
pub(super) fn mistyped(expected: &str, json: &str) -> Problem {
    let found = match json.as_bytes().first() {
        Some(b'"') => "a string",
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b't' | b'f') => "true or false",
        Some(b'n') => "null",
        _ => "a number",
    };
    Problem::new(Code::FIELD_TYPE, format!("Here belongs {expected}; this is {found}."))
}

/// The letters of a JSON string.
pub(super) fn letters<'a>(expected: &str, json: &'a str) -> Result<Cow<'a, str>, Problem> {
    let quoted = json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let inner = quoted.ok_or_else(|| mistyped(expected, json))?;
    if !inner.contains('\\') {
        return Ok(Cow::Borrowed(inner));
    }
    let malformed = |error| Problem::new(Code::MALFORMED_BODY, format!("What stands here is not JSON: {error}."));
    serde_json::from_str(json).map(Cow::Owned).map_err(malformed)
}

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

/// A whole number from `MIN` to `MAX`. `5000.0` and `5e3` are whole numbers too, as JSON Schema has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Whole<const MIN: u64, const MAX: u64>(pub(crate) u64);

/// A journal record's number, or a cursor made of one.
pub(crate) type Sequence = Whole<0, { i64::MAX.unsigned_abs() }>;

impl<const MIN: u64, const MAX: u64> Whole<MIN, MAX> {
    fn from_amount(amount: Amount) -> Option<Self> {
        u64::try_from(amount.units()).ok().filter(|number| (MIN..=MAX).contains(number)).map(Self)
    }

    fn words() -> String {
        if MAX == i64::MAX.unsigned_abs() {
            format!("a whole number, {MIN} or more")
        } else {
            format!("a whole number from {MIN} to {MAX}")
        }
    }

    fn out_of_range(code: Code) -> Problem {
        Problem::new(code, format!("Here belongs {}.", Self::words()))
    }
}

impl<const MIN: u64, const MAX: u64> Leaf for Whole<MIN, MAX> {
    fn read(json: &str) -> Result<Self, Problem> {
        match Amount::parse(json, 0) {
            Ok(amount) => Self::from_amount(amount).ok_or_else(|| Self::out_of_range(Code::FIELD_RANGE)),
            Err(AmountError::TooLarge) => Err(Self::out_of_range(Code::FIELD_RANGE)),
            Err(AmountError::TooPrecise { .. }) => {
                Err(Problem::new(Code::FIELD_TYPE, format!("Here belongs {}; this has a fraction.", Self::words())))
            }
            Err(AmountError::NotANumber) => Err(mistyped(&Self::words(), json)),
        }
    }

    fn schema() -> Schema {
        // Beyond 2^53 a float, which utoipa keeps limits as, is no longer exact; up to there it is.
        ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(limit(MIN))).maximum(Some(limit(MAX))).into()
    }
}

fn limit(number: u64) -> utoipa::Number {
    isize::try_from(number).map_or(utoipa::Number::Int(isize::MAX), utoipa::Number::Int)
}

impl<const MIN: u64, const MAX: u64> Parameter for Whole<MIN, MAX> {
    fn parse(text: &str) -> Result<Self, Problem> {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let amount = digits.then(|| Amount::parse(text, 0).ok()).flatten();
        amount.and_then(Self::from_amount).ok_or_else(|| Self::out_of_range(Code::PARAMETER))
    }

    fn schema() -> Schema {
        <Self as Leaf>::schema()
    }
}

impl Leaf for bool {
    fn read(json: &str) -> Result<Self, Problem> {
        match json {
            "true" => Ok(true),
            "false" => Ok(false),
            other => Err(mistyped("true or false", other)),
        }
    }

    fn schema() -> Schema {
        ObjectBuilder::new().schema_type(Type::Boolean).into()
    }
}

impl Parameter for bool {
    fn parse(text: &str) -> Result<Self, Problem> {
        match text {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(Problem::new(Code::PARAMETER, "Here belongs true or false.")),
        }
    }

    fn schema() -> Schema {
        <Self as Leaf>::schema()
    }
}

impl Leaf for Ratio {
    fn read(json: &str) -> Result<Self, Problem> {
        const EXPECTED: &str = "a number from 0 to 1";
        if json.starts_with('"') {
            return Err(mistyped(EXPECTED, json));
        }
        let out_of_range = || Problem::new(Code::FIELD_RANGE, format!("Here belongs {EXPECTED}."));
        match Amount::parse(json, 6) {
            Ok(millionths) => match u32::try_from(millionths.units()) {
                Ok(millionths @ 0..=1_000_000) => Ok(Ratio::from_millionths(millionths)),
                _ => Err(out_of_range()),
            },
            Err(AmountError::TooPrecise { .. }) => {
                Err(Problem::new(Code::FIELD_PRECISION, format!("Here belongs {EXPECTED} with at most six decimals.")))
            }
            Err(AmountError::TooLarge) => Err(out_of_range()),
            Err(AmountError::NotANumber) => Err(mistyped(EXPECTED, json)),
        }
    }

    fn schema() -> Schema {
        let number = ObjectBuilder::new().schema_type(Type::Number).minimum(Some(0)).maximum(Some(1));
        number.multiple_of(Some(0.000_001)).into()
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

/// An allocation's id: `al_` and 26 characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AllocationId(pub(crate) Id);

impl Serialize for AllocationId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0.text("al"))
    }
}

impl Leaf for AllocationId {
    fn read(json: &str) -> Result<Self, Problem> {
        <Self as Parameter>::parse(&letters("an allocation's id", json)?)
    }

    fn schema() -> Schema {
        <Self as Parameter>::schema()
    }
}

impl Parameter for AllocationId {
    fn parse(text: &str) -> Result<Self, Problem> {
        Id::parse("al", text).map(Self).map_err(|_| malformed_id("al_06f2x1w0v7r9h3kz8q5d4c2bgm"))
    }

    fn schema() -> Schema {
        text().pattern(Some(format!("^al_{BASE32}$"))).examples(["al_06f2x1w0v7r9h3kz8q5d4c2bgm"]).into()
    }
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
