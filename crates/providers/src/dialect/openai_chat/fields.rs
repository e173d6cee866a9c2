//! The fields of a request's objects, read so that what is wrong is blamed on the exact field: readers tell paths as seen from where
//! they stand, and whoever called them says where that is.

use std::fmt::{self, Display};

use serde_json::{Map, Number, Value};

use crate::dialect::Unreadable;

/// An object's fields. A null is a field that is not there.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a>(&'a Map<String, Value>);

impl<'a> Fields<'a> {
    pub(crate) fn of(value: &'a Value) -> Result<Self, Unreadable> {
        value.as_object().map(Self).ok_or_else(|| wrong("", "an object", value))
    }

    pub(crate) fn get(self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A field as what `as_kind` makes of it.
    fn kind<T>(self, name: &str, kind: &str, as_kind: impl FnOnce(&'a Value) -> Option<T>) -> Result<Option<T>, Unreadable> {
        self.get(name).map(|value| as_kind(value).ok_or_else(|| wrong(name, kind, value))).transpose()
    }

    pub(crate) fn text(self, name: &str) -> Result<Option<&'a str>, Unreadable> {
        self.kind(name, "a string", Value::as_str)
    }

    /// A text that must be there.
    pub(crate) fn need_text(self, name: &str) -> Result<&'a str, Unreadable> {
        self.text(name)?.ok_or_else(|| missing(name, "a string"))
    }

    pub(crate) fn flag(self, name: &str) -> Result<Option<bool>, Unreadable> {
        self.kind(name, "true or false", Value::as_bool)
    }

    /// A number of things, at least one.
    pub(crate) fn count(self, name: &str) -> Result<Option<u64>, Unreadable> {
        self.kind(name, "a whole number above 0", |value| value.as_u64().filter(|&count| count > 0))
    }

    pub(crate) fn integer(self, name: &str) -> Result<Option<i64>, Unreadable> {
        self.kind(name, "a whole number", Value::as_i64)
    }

    pub(crate) fn number(self, name: &str) -> Result<Option<Number>, Unreadable> {
        self.kind(name, "a number", |value| value.as_number().cloned())
    }

    pub(crate) fn list(self, name: &str) -> Result<Option<&'a [Value]>, Unreadable> {
        self.kind(name, "a list", |value| value.as_array().map(Vec::as_slice))
    }

    pub(crate) fn fields(self, name: &str) -> Result<Option<Self>, Unreadable> {
        self.kind(name, "an object", |value| value.as_object().map(Self))
    }

    /// An object that must be there.
    pub(crate) fn need_fields(self, name: &str) -> Result<Self, Unreadable> {
        self.fields(name)?.ok_or_else(|| missing(name, "an object"))
    }
}

/// A whole body as an object's fields.
pub(crate) fn parse(body: &[u8]) -> Result<Value, Unreadable> {
    serde_json::from_slice(body).map_err(|error| Unreadable::new("", format!("the body is not JSON: {error}; send one JSON object")))
}

/// A field is not there.
pub(crate) fn missing(name: &str, wanted: &str) -> Unreadable {
    Unreadable::new(name, format!("{name} is missing; it must be {wanted}"))
}

/// A field is not of its kind.
pub(crate) fn wrong(name: &str, wanted: &str, found: &Value) -> Unreadable {
    let what = if name.is_empty() { "this" } else { name };
    Unreadable::new(name, format!("{what} must be {wanted}; it is {}", kind_of(found)))
}

fn kind_of(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "true or false".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(_) => "a string".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

/// Where something stands in what holds it.
#[derive(Clone, Copy)]
pub(crate) enum Place<'a> {
    Field(&'a str),
    Item(usize),
}

impl Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) => f.write_str(name),
            Self::Item(index) => write!(f, "[{index}]"),
        }
    }
}

/// A complaint about something inside, as seen from outside.
pub(crate) fn within<T>(place: Place<'_>, result: Result<T, Unreadable>) -> Result<T, Unreadable> {
    result.map_err(|mut complaint| {
        complaint.field = join(place, &complaint.field);
        complaint
    })
}

fn join(place: Place<'_>, rest: &str) -> String {
    let dot = if rest.is_empty() || rest.starts_with('[') { "" } else { "." };
    format!("{place}{dot}{rest}")
}

/// What a query asks that its own dialect alone can say, and what would help where the provider speaks another.
#[derive(Debug, Default)]
pub(crate) struct Notes(pub(crate) Vec<Unreadable>);

impl Notes {
    pub(crate) fn add(&mut self, field: &str, detail: String) {
        self.0.push(Unreadable::new(field, detail));
    }

    /// Reads something inside: complaints and notes get the place put before their paths.
    pub(crate) fn within<T>(&mut self, place: Place<'_>, read: impl FnOnce(&mut Self) -> Result<T, Unreadable>) -> Result<T, Unreadable> {
        let before = self.0.len();
        let result = read(self);
        for note in self.0.iter_mut().skip(before) {
            note.field = join(place, &note.field);
        }
        within(place, result)
    }

    /// Reads each item of a list that stands in a field.
    pub(crate) fn each(
        &mut self,
        field: &str,
        items: &[Value],
        mut read: impl FnMut(&mut Self, &Value) -> Result<(), Unreadable>,
    ) -> Result<(), Unreadable> {
        self.within(Place::Field(field), |notes| {
            items.iter().enumerate().try_for_each(|(index, item)| notes.within(Place::Item(index), |notes| read(notes, item)))
        })
    }
}
