//! Single values of requests: each knows its JSON, perhaps its text in a path or query, and its schema. Numbers are here.

use std::borrow::Cow;

use lab3_units::{Amount, AmountError, Code, Problem, Ratio};
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

/// A reading, a power, a price: a number from `MIN` to `MAX` that is no amount of the ledger, and so a float.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Figure<const MIN: i64, const MAX: i64>(pub(crate) f64);

impl<const MIN: i64, const MAX: i64> Figure<MIN, MAX> {
    fn words() -> String {
        format!("a number from {MIN} to {MAX}")
    }
}

#[allow(clippy::cast_precision_loss, reason = "the limits are far below 2^52")]
impl<const MIN: i64, const MAX: i64> Leaf for Figure<MIN, MAX> {
    fn read(json: &str) -> Result<Self, Problem> {
        let is_number = json.starts_with(|letter: char| letter == '-' || letter.is_ascii_digit());
        let figure: f64 = json.parse().ok().filter(|_| is_number).ok_or_else(|| mistyped(&Self::words(), json))?;
        if figure >= MIN as f64 && figure <= MAX as f64 {
            return Ok(Self(figure));
        }
        Err(Problem::new(Code::FIELD_RANGE, format!("Here belongs {}.", Self::words())))
    }

    fn schema() -> Schema {
        ObjectBuilder::new().schema_type(Type::Number).minimum(Some(MIN as f64)).maximum(Some(MAX as f64)).into()
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
