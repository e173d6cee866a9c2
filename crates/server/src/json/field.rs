//! Fields and objects: what can stand in a request, and how an object is read name by name.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use lab3_units::{Code, Problem};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{Ref, RefOr};

use super::leaf::Leaf;
use super::{Place, schema};

/// Something that can stand behind a name in a request.
pub(crate) trait Field: Sized {
    /// Whether the name may be left out.
    const OPTIONAL: bool = false;

    /// Reads it, wherever it stands.
    fn read<'de, D: Deserializer<'de>>(json: D, place: &Place<'_>) -> Result<Self, D::Error>;

    /// What it is when its name is left out; `None` when it may not be.
    fn absent() -> Option<Self> {
        None
    }

    /// Its schema.
    fn schema() -> RefOr<Schema>;

    /// The schemas it refers to by name.
    fn parts(_: &mut Vec<(String, RefOr<Schema>)>) {}
}

impl<T: Leaf> Field for T {
    fn read<'de, D: Deserializer<'de>>(json: D, place: &Place<'_>) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(json)?;
        T::read(raw.get()).map_err(|problem| place.refuse(problem))
    }

    fn schema() -> RefOr<Schema> {
        RefOr::T(T::schema())
    }
}

/// `null` and absence are the same.
impl<T: Leaf> Field for Option<T> {
    const OPTIONAL: bool = true;

    fn read<'de, D: Deserializer<'de>>(json: D, place: &Place<'_>) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(json)?;
        match raw.get() {
            "null" => Ok(None),
            text => T::read(text).map(Some).map_err(|problem| place.refuse(problem)),
        }
    }

    fn absent() -> Option<Self> {
        Some(None)
    }

    fn schema() -> RefOr<Schema> {
        RefOr::T(schema::nullable(T::schema()))
    }
}

/// A JSON object of known fields. Made by [`request!`](super::request).
pub(crate) trait Object: Sized {
    /// The fields read so far.
    type Slots: Default;

    /// What the schema is called.
    const NAME: &'static str;
    /// The names of the fields.
    const NAMES: &'static [&'static str];
    /// Whether every field may be left out, and so the whole body.
    const OPTIONAL: bool;

    /// Reads the value behind `name` into its slot.
    fn take<'de, A: MapAccess<'de>>(slots: &mut Self::Slots, name: &str, map: &mut A, object: &Place<'_>) -> Result<(), A::Error>;

    /// The object, once every name has been read.
    fn finish<E: Error>(slots: Self::Slots, object: &Place<'_>) -> Result<Self, E>;

    /// The schema, and those it refers to by name.
    fn schemas() -> Vec<(String, RefOr<Schema>)>;

    /// The schema's address.
    fn reference() -> RefOr<Schema> {
        RefOr::Ref(Ref::from_schema_name(Self::NAME))
    }
}

/// Reads an object of known fields.
pub(crate) fn read_object<'de, T: Object, D: Deserializer<'de>>(json: D, place: &Place<'_>) -> Result<T, D::Error> {
    json.deserialize_any(Names(place, PhantomData))
}

/// Reads something that may be `null`.
pub(crate) fn read_optional<'de, T: Field, D: Deserializer<'de>>(json: D, place: &Place<'_>) -> Result<Option<T>, D::Error> {
    let raw = <&RawValue>::deserialize(json)?;
    if raw.get() == "null" {
        return Ok(None);
    }
    // What is wrong within is noted in its place; this error only ends the reading.
    T::read(&mut serde_json::Deserializer::from_str(raw.get()), place).map(Some).map_err(Error::custom)
}

impl Place<'_> {
    /// Reads the value behind `name` into its slot, which must be empty.
    pub(crate) fn take<'de, T: Field, A: MapAccess<'de>>(&self, slot: &mut Option<T>, name: &str, map: &mut A) -> Result<(), A::Error> {
        let place = self.field(name);
        if slot.is_some() {
            return Err(place.refuse(Problem::new(Code::FIELD_TWICE, "The field stands twice in the same object. Send it once.")));
        }
        let value = map.next_value_seed(Value(&place, PhantomData)).inspect_err(|error| place.malformed(error))?;
        *slot = Some(value);
        Ok(())
    }

    /// What the slot holds, or what the field is when its name was left out.
    pub(crate) fn finish<T: Field, E: Error>(&self, slot: Option<T>, name: &str) -> Result<T, E> {
        let missing = || Problem::new(Code::FIELD_MISSING, format!("The field {name} is missing. It is required."));
        slot.or_else(T::absent).ok_or_else(|| self.field(name).refuse(missing()))
    }

    /// Refuses a name that is not one of `known`.
    pub(crate) fn unknown<E: Error>(&self, name: &str, known: &[&str]) -> E {
        let help = nearest(name, known).map_or_else(|| format!("Known are: {}.", known.join(", ")), |near| format!("Did you mean {near}?"));
        let shown: String = name.chars().filter(|letter| !letter.is_control()).take(64).collect();
        self.field(&shown).refuse(Problem::new(Code::FIELD_UNKNOWN, format!("There is no field of that name here. {help}")))
    }
}

/// The known name that is nearest to the one sent, when one is near.
pub(crate) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let short: String = name.chars().take(64).collect();
    let scored = known.iter().map(|&near| (strsim::jaro_winkler(&short, near), near));
    scored.filter(|(score, _)| *score > 0.75).max_by(|left, right| left.0.total_cmp(&right.0)).map(|(_, near)| near)
}

/// Reads one value of a known type.
pub(super) struct Value<'a, T>(pub(super) &'a Place<'a>, pub(super) PhantomData<T>);

impl<'de, T: Field> DeserializeSeed<'de> for Value<'_, T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<T, D::Error> {
        T::read(json, self.0)
    }
}

/// Reads an object's names, and hands each on to the field of that name.
struct Names<'a, T>(&'a Place<'a>, PhantomData<T>);

/// What stands where an object or a list belongs.
macro_rules! mistyped {
    ($refuse:ident: $($visit:ident($type:ty) $found:literal),+ $(,)?) => {
        $(fn $visit<E: Error>(self, _: $type) -> Result<Self::Value, E> { Err(self.$refuse($found)) })+
        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> { Err(self.$refuse("null")) }
    };
}
pub(super) use mistyped;

impl<'de, T: Object> Visitor<'de> for Names<'_, T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        let mut slots = T::Slots::default();
        let mut last: Option<Cow<'de, str>> = None;
        loop {
            match map.next_key() {
                Ok(Some(Name(name))) => {
                    T::take(&mut slots, &name, &mut map, self.0)?;
                    last = Some(name);
                }
                Ok(None) => return T::finish(slots, self.0),
                // What breaks the grammar stands right behind the last field, and is most easily found by its name.
                Err(error) => {
                    if let Some(name) = &last {
                        self.0.field(name).malformed(&error);
                    }
                    return Err(error);
                }
            }
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<T, A::Error> {
        Err(self.mistyped("a list"))
    }

    mistyped!(mistyped: visit_bool(bool) "true or false", visit_i64(i64) "a number", visit_u64(u64) "a number",
        visit_f64(f64) "a number", visit_str(&str) "a string");
}

impl<T: Object> Names<'_, T> {
    fn mistyped<E: Error>(&self, found: &str) -> E {
        let code = if self.0.is_body() { Code::MALFORMED_BODY } else { Code::FIELD_TYPE };
        self.0.refuse(Problem::new(code, format!("Here belongs a JSON object; this is {found}.")))
    }
}

/// A name in an object, borrowed from the request unless it has escapes.
pub(super) struct Name<'de>(pub(super) Cow<'de, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct Letters;
        impl<'de> Visitor<'de> for Letters {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Borrowed(name)))
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }
        json.deserialize_str(Letters)
    }
}
