//! The words of a query: what the mock takes for its tokens.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Fields whose texts are said to the model, in any dialect.
const SAID: [&str; 10] = ["content", "text", "parts", "input", "output", "thinking", "arguments", "functionResponse", "response", "result"];

/// How many words there are in all the text of a JSON value, whatever its shape; nothing of it is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Words(pub(crate) u64);

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Counter)
    }
}

struct Counter;

impl<'de> Visitor<'de> for Counter {
    type Value = Words;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text, or messages")
    }

    fn visit_str<E>(self, text: &str) -> Result<Words, E> {
        Ok(Words(text.split_whitespace().fold(0, |sum: u64, _| sum + 1)))
    }

    fn visit_unit<E>(self) -> Result<Words, E> {
        Ok(Words(0))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Words, E> {
        Ok(Words(0))
    }

    /// A number where text may stand is a token.
    fn visit_u64<E>(self, _: u64) -> Result<Words, E> {
        Ok(Words(1))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Words, E> {
        Ok(Words(1))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Words, E> {
        Ok(Words(1))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Words, A::Error> {
        let mut sum = 0;
        while let Some(Words(words)) = items.next_element()? {
            sum += words;
        }
        Ok(Words(sum))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Words, A::Error> {
        let mut sum = 0;
        while let Some(Said(said)) = map.next_key()? {
            if said {
                sum += map.next_value::<Words>()?.0;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Words(sum))
    }
}

/// Whether a field's text is said to the model.
struct Said(bool);

impl<'de> Deserialize<'de> for Said {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;

        impl Visitor<'_> for Name {
            type Value = Said;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a field's name")
            }

            fn visit_str<E>(self, name: &str) -> Result<Said, E> {
                Ok(Said(SAID.contains(&name)))
            }
        }

        deserializer.deserialize_str(Name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_counted_and_nothing_else() {
        let cases = [
            (r#""one two  three""#, 3),
            (r#"["one two", "three"]"#, 3),
            ("[1, 2, 3, 4]", 4),
            (r#"[{"role":"user","content":"one two"}]"#, 2),
            (r#"[{"role":"user","content":[{"type":"text","text":"one two"},{"type":"image_url","image_url":{"url":"a b"}}]}]"#, 2),
            (r#"[{"role":"user","parts":[{"text":"one"},{"text":"two é"}]}]"#, 3),
            (r#"{"parts":[{"functionResponse":{"name":"a b","response":{"output":"c"}}}]}"#, 1),
            (r#"[{"type":"tool_result","content":[{"type":"text","text":"a\nb"}]},null,true]"#, 2),
        ];
        for (json, expected) in cases {
            assert_eq!(serde_json::from_str::<Words>(json).unwrap(), Words(expected), "{json}");
        }
    }
}
