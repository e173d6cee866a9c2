//! A JSON object of which only some fields are looked at or changed; the others keep their bytes.

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A JSON object's fields in their order, each value as it was written.
#[derive(Debug)]
pub struct Envelope<'a> {
    fields: Vec<(String, Field<'a>)>,
}

#[derive(Debug)]
enum Field<'a> {
    Kept(&'a RawValue),
    Set(String),
}

impl<'a> Envelope<'a> {
    /// Reads an object. Only its outermost level is taken apart; the values are checked to be JSON.
    pub fn read(bytes: &'a [u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }

    /// A field's value as it was written; the last one when the field stands there twice, as JSON readers do.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().rev().find(|(field, _)| field == name).map(|(_, value)| match value {
            Field::Kept(raw) => raw.get(),
            Field::Set(text) => text,
        })
    }

    /// A field's value as something else, if it is there and is that.
    pub fn read_field<T: serde::de::DeserializeOwned>(&self, name: &str) -> Option<T> {
        serde_json::from_str(self.get(name)?).ok()
    }

    /// Sets a field where it stands, or at the end.
    pub fn set(&mut self, name: &str, value: &impl Serialize) {
        let value = json(value);
        let place = self.fields.iter().position(|(field, _)| field == name);
        // Once is enough: what a reader would have ignored goes.
        let mut at = 0;
        self.fields.retain(|(field, _)| {
            at += 1;
            field != name || Some(at - 1) == place
        });
        match place {
            Some(place) => self.fields[place].1 = Field::Set(value),
            None => self.fields.push((name.to_owned(), Field::Set(value))),
        }
    }

    /// Takes a field out.
    pub fn remove(&mut self, name: &str) {
        self.fields.retain(|(field, _)| field != name);
    }

    /// Leaves only these fields.
    pub fn keep(&mut self, names: &[&str]) {
        self.fields.retain(|(field, _)| names.contains(&field.as_str()));
    }

    /// The object again.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.to_text().into_bytes()
    }

    fn to_text(&self) -> String {
        let mut out = String::from("{");
        for (at, (name, value)) in self.fields.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            out.push_str(&json(name));
            out.push(':');
            out.push_str(match value {
                Field::Kept(raw) => raw.get(),
                Field::Set(text) => text,
            });
        }
        out.push('}');
        out
    }
}

/// A value's text. What is written here has texts for names, and so can be.
fn json(value: &(impl Serialize + ?Sized)) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}

/// The text of an object with a field set: behind the others, whose bytes stay as they are. A text that is no object stays.
pub(crate) fn with_field(object: &str, name: &str, value: &impl Serialize) -> String {
    let Ok(mut envelope) = Envelope::read(object.as_bytes()) else { return object.to_owned() };
    match object.rsplit_once('}') {
        Some((before, after)) if envelope.get(name).is_none() => {
            let comma = if envelope.fields.is_empty() { "" } else { "," };
            format!("{before}{comma}{}:{}}}{after}", json(name), json(value))
        }
        _ => {
            envelope.set(name, value);
            envelope.to_text()
        }
    }
}

/// The same within a field that is an object itself; the text stays when it is none.
pub(crate) fn with_field_in(object: &str, outer: &str, name: &str, value: &impl Serialize) -> String {
    let Ok(envelope) = Envelope::read(object.as_bytes()) else { return object.to_owned() };
    let Some(inner) = envelope.get(outer) else { return object.to_owned() };
    // The field's text is a part of the object's: where, its address tells.
    let place = inner.as_ptr().addr().checked_sub(object.as_ptr().addr());
    let around = place.and_then(|place| Some((object.get(..place)?, object.get(place + inner.len()..)?)));
    around.map_or_else(|| object.to_owned(), |(before, after)| format!("{before}{}{after}", with_field(inner, name, value)))
}

impl<'de: 'a, 'a> Deserialize<'de> for Envelope<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields<'a>(std::marker::PhantomData<&'a ()>);

        impl<'de: 'a, 'a> Visitor<'de> for Fields<'a> {
            type Value = Envelope<'a>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Envelope<'a>, A::Error> {
                let mut fields = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, &'de RawValue>()? {
                    fields.push((name, Field::Kept(value)));
                }
                Ok(Envelope { fields })
            }
        }

        deserializer.deserialize_map(Fields(std::marker::PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_is_set_changes() {
        let text = br#" { "model" : "auto", "x": 1.50, "max_tokens":7, "y":{"b" :1,"a":[ ]}, "max_tokens":8 } "#;
        let mut envelope = Envelope::read(text).unwrap();
        assert_eq!((envelope.get("x"), envelope.read_field::<u64>("max_tokens")), (Some("1.50"), Some(8)));
        envelope.set("max_tokens", &json!(5));
        envelope.set("stream", &json!(true));
        envelope.remove("nothing");
        let out = String::from_utf8(envelope.to_bytes()).unwrap();
        assert_eq!(out, r#"{"model":"auto","x":1.50,"max_tokens":5,"y":{"b" :1,"a":[ ]},"stream":true}"#);
    }

    #[test]
    fn a_field_is_added_and_all_else_stays() {
        for (text, added) in [
            ("{}", r#"{"x":1}"#),
            (" { } ", r#" { "x":1} "#),
            (r#"{"a" : 1.0 , "b":{"x":2} }"#, r#"{"a" : 1.0 , "b":{"x":2} ,"x":1}"#),
            (r#"{"x" : 0, "a":2}"#, r#"{"x":1,"a":2}"#),
            ("[1]", "[1]"),
        ] {
            assert_eq!(with_field(text, "x", &json!(1)), added);
        }
        for (text, added) in [
            (r#"{"r" : {"a": 1 }, "b":2 }"#, r#"{"r" : {"a": 1 ,"x":1}, "b":2 }"#),
            (r#"{"q":{}, "r":{}}"#, r#"{"q":{}, "r":{"x":1}}"#),
            (r#"{"r":null}"#, r#"{"r":null}"#),
            (r#"{"q":1}"#, r#"{"q":1}"#),
        ] {
            assert_eq!(with_field_in(text, "r", "x", &json!(1)), added);
        }
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for text in ["", "[]", "1", "{", r#"{"a":}"#, "{} {}"] {
            assert!(Envelope::read(text.as_bytes()).is_err(), "{text}");
        }
    }
}
