//! Values for the Hive's rules: an object whose names are rules, each with a value as text or a number.

use std::fmt;

use lab3_engine::{HiveRule, RULES};
use lab3_units::{Code, Problem};
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Schema, SchemaType, Type};

use super::field::{Field, Name, mistyped, nearest};
use super::leaf::{letters, mistyped as mistyped_value};
use super::{Place, described};

/// Rules, and what they shall be.
#[derive(Clone, Debug)]
pub(crate) struct RuleValues(pub(crate) Vec<(&'static str, Box<str>)>);

/// The rule of that name, when it can be set to this.
///
/// Errors: `FIELD_UNKNOWN`, with the nearest name, and `FIELD_RANGE`.
pub(crate) fn check_rule(name: &str, value: &str) -> Result<&'static str, Problem> {
    let rule = HiveRule::named(name).ok_or_else(|| unknown(name))?;
    rule.check(value).map(|()| rule.name)
}

fn unknown(name: &str) -> Problem {
    let known: Vec<&str> = RULES.iter().map(|rule| rule.name).collect();
    let help = nearest(name, &known).map_or_else(|| format!("Known are: {}.", known.join(", ")), |near| format!("Did you mean {near}?"));
    let shown: String = name.chars().filter(|letter| !letter.is_control()).take(64).collect();
    Problem::new(Code::FIELD_UNKNOWN, format!("There is no rule {shown}. {help}"))
}

impl Field for RuleValues {
    fn read<'de, D: Deserializer<'de>>(json: D, place: &Place<'_>) -> Result<Self, D::Error> {
        json.deserialize_any(Pairs(place)).map(Self)
    }

    fn schema() -> RefOr<Schema> {
        let object = ObjectBuilder::new().additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)));
        let rules = RULES.iter().fold(object, |object, rule| {
            let value = ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::String, Type::Number]));
            object.property(rule.name, described(RefOr::T(value.into()), format!("{} Takes {}.", rule.meaning, rule.takes)))
        });
        RefOr::T(rules.min_properties(Some(1)).into())
    }
}

struct Pairs<'a>(&'a Place<'a>);

impl Pairs<'_> {
    fn mistyped<E: Error>(&self, found: &str) -> E {
        self.0.refuse(Problem::new(Code::FIELD_TYPE, format!("Here belongs an object of rules and values; this is {found}.")))
    }
}

impl<'de> Visitor<'de> for Pairs<'_> {
    type Value = Vec<(&'static str, Box<str>)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs: Vec<(&'static str, Box<str>)> = Vec::new();
        while let Some(Name(name)) = map.next_key()? {
            let shown: String = name.chars().filter(|letter| !letter.is_control()).take(64).collect();
            let place = self.0.field(&shown);
            let raw: &RawValue = map.next_value().inspect_err(|error| place.malformed(error))?;
            let read = value(raw.get()).and_then(|text| check_rule(&name, &text).map(|rule| (rule, text)));
            let pair = read.map_err(|problem| place.refuse(problem))?;
            if pairs.iter().any(|(rule, _)| *rule == pair.0) {
                return Err(place.refuse(Problem::new(Code::FIELD_TWICE, "The rule stands twice. Send it once.")));
            }
            pairs.push(pair);
        }
        if pairs.is_empty() {
            return Err(self.0.refuse(Problem::new(Code::FIELD_RANGE, "Name at least one rule. GET /lab3/policy lists them.")));
        }
        Ok(pairs)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<Self::Value, A::Error> {
        Err(self.mistyped("a list"))
    }

    mistyped!(mistyped: visit_bool(bool) "true or false", visit_i64(i64) "a number", visit_u64(u64) "a number",
        visit_f64(f64) "a number", visit_str(&str) "a string");
}

/// A rule's value as text; a number keeps its digits.
fn value(json: &str) -> Result<Box<str>, Problem> {
    const EXPECTED: &str = "a string or a number";
    match json.as_bytes().first() {
        Some(b'-' | b'0'..=b'9') => Ok(json.into()),
        Some(b'"') => letters(EXPECTED, json).map(Into::into),
        _ => Err(mistyped_value(EXPECTED, json)),
    }
}
