//! A JSON object whose numbers keep their digits, and a URL path whose parts are escaped.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::value::RawValue;

use crate::json_text::printable;

/// A JSON object. Its values stay text, so that an amount is shown with the digits the server sent.
#[derive(Debug)]
pub struct Document(BTreeMap<String, Box<RawValue>>);

impl Document {
    /// Reads an object; `None` when the text is not one.
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().map(Self)
    }

    /// The field as text for people: a string without quotes, a number with its digits, nothing for null or no such field.
    pub fn text(&self, field: &str) -> String {
        self.0.get(field).map_or_else(String::new, |value| shown(value))
    }

    /// The field with a unit behind it; nothing when there is no such field.
    pub fn with_unit(&self, field: &str, unit: &str) -> String {
        match self.text(field) {
            text if text.is_empty() => text,
            text => format!("{text} {unit}"),
        }
    }

    /// Whether the field is there and not null.
    pub fn has(&self, field: &str) -> bool {
        self.0.get(field).is_some_and(|value| value.get() != "null")
    }

    /// The object under the field.
    pub fn object(&self, field: &str) -> Option<Document> {
        self.0.get(field).and_then(|value| Document::parse(value.get()))
    }

    /// The objects of the list under the field; none when there is no such list.
    pub fn list(&self, field: &str) -> Vec<Document> {
        let list = self.0.get(field).and_then(|value| serde_json::from_str::<Vec<_>>(value.get()).ok());
        list.unwrap_or_default().into_iter().map(Document).collect()
    }

    /// The strings of the list under the field; none when there is no such list.
    pub fn words(&self, field: &str) -> Vec<String> {
        let list = self.0.get(field).and_then(|value| serde_json::from_str::<Vec<String>>(value.get()).ok());
        list.unwrap_or_default().iter().map(|word| printable(word)).collect()
    }

    /// The object's fields whose values are objects, by name.
    pub fn objects(&self) -> impl Iterator<Item = (&str, Document)> {
        self.0.iter().filter_map(|(name, value)| Some((name.as_str(), Document::parse(value.get())?)))
    }
}

fn shown(value: &RawValue) -> String {
    match serde_json::from_str::<Option<String>>(value.get()) {
        Ok(text) => printable(&text.unwrap_or_default()),
        Err(_) => printable(value.get()),
    }
}

/// A path under the desk's address, with its query.
#[derive(Clone, Debug)]
pub struct Path {
    text: String,
    queried: bool,
}

impl Path {
    /// A path as it stands.
    pub fn new(path: &str) -> Self {
        Self { text: path.to_owned(), queried: false }
    }

    /// The path with one more part, escaped. (The `%` of a `did:web` must not be taken for an escape.)
    #[must_use]
    pub fn part(mut self, part: &str) -> Self {
        self.text.push('/');
        escape(&mut self.text, part);
        self
    }

    /// The path with a query parameter, escaped; unchanged when there is no value.
    #[must_use]
    pub fn query(mut self, name: &str, value: Option<impl ToString>) -> Self {
        if let Some(value) = value {
            self.text.push(if self.queried { '&' } else { '?' });
            self.text.push_str(name);
            self.text.push('=');
            escape(&mut self.text, &value.to_string());
            self.queried = true;
        }
        self
    }

    /// The path as it is sent.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

fn escape(out: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b':' => out.push(char::from(byte)),
            _ => {
                // Writing to a String cannot fail.
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_escaped() {
        let path = Path::new("/lab3/financial/balance").part("did:web:example.org%3A3000").query("at", Some(7)).query("x", None::<u64>);
        assert_eq!(path.query("y", Some("a&b")).as_str(), "/lab3/financial/balance/did:web:example.org%253A3000?at=7&y=a%26b");
    }

    #[test]
    fn numbers_keep_their_digits_and_text_loses_control_characters() {
        let document =
            Document::parse(r#"{"a": 9007199254740993.100001, "b": "x\u001b[2J", "c": null, "d": [{"e": 1}], "f": {"g": {"h": true}}}"#)
                .unwrap();
        assert_eq!(document.text("a"), "9007199254740993.100001");
        assert_eq!(document.with_unit("a", "MIC"), "9007199254740993.100001 MIC");
        assert_eq!(document.text("b"), "x\u{fffd}[2J");
        assert_eq!((document.text("c"), document.with_unit("z", "MIC")), (String::new(), String::new()));
        assert!(document.has("a") && !document.has("c") && !document.has("z"));
        assert_eq!(document.list("d")[0].text("e"), "1");
        let inner = document.object("f").unwrap();
        assert_eq!(inner.objects().map(|(name, object)| format!("{name} {}", object.text("h"))).collect::<Vec<_>>(), ["g true"]);
    }
}
