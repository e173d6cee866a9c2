//! Answers put together of what came piece by piece, whatever fields are in it.

use serde_json::{Map, Value};

/// Most of an answer that is kept to be told whole, in bytes. A model's longest answers, with all that streams tell of each
/// token, stay below.
const WHOLE_BYTES_MAX: usize = 64 << 20;

/// About what a value needs in memory beside its texts.
const VALUE_BYTES: usize = 32;

/// The room for a whole answer.
#[derive(Debug)]
pub(super) struct Room(usize);

impl Default for Room {
    fn default() -> Self {
        Self(WHOLE_BYTES_MAX)
    }
}

impl Room {
    /// Takes room for a value. Once there is none, there is none for anything that follows: an answer has no holes.
    pub(super) fn take(&mut self, value: &Value) -> bool {
        self.0 = self.0.saturating_sub(weight(value));
        self.0 > 0
    }
}

fn weight(value: &Value) -> usize {
    let inside = match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(weight).sum(),
        Value::Object(fields) => fields.iter().map(|(name, value)| name.len() + weight(value)).sum(),
    };
    inside + VALUE_BYTES
}

/// Texts that name something come whole, and again; any other goes on.
fn is_name(field: &str) -> bool {
    matches!(field, "id" | "type" | "role" | "name" | "format" | "object" | "status" | "model" | "tool_name" | "call_id")
}

/// Adds each field of a part to what came before it: texts go on, lists grow, objects are added to, anything else is replaced.
pub(super) fn add_fields(whole: &mut Map<String, Value>, part: Map<String, Value>) {
    for (name, value) in part {
        match whole.get_mut(&name) {
            None => {
                whole.insert(name, value);
            }
            Some(known) => add(known, value, &name),
        }
    }
}

/// Adds a part of the field `name`.
pub(super) fn add(whole: &mut Value, part: Value, name: &str) {
    match (whole, part) {
        (_, Value::Null) => {}
        (Value::String(text), Value::String(more)) if !is_name(name) => text.push_str(&more),
        (Value::String(text), Value::String(more)) => {
            if text.is_empty() {
                *text = more;
            }
        }
        (Value::Object(fields), Value::Object(more)) => add_fields(fields, more),
        (Value::Array(items), Value::Array(more)) => more.into_iter().for_each(|item| add_item(items, item)),
        // Mistral tells words as a text, and as parts while it thinks.
        (Value::Array(items), Value::String(text)) if name == "content" => items.push(text_part(&text)),
        (whole, Value::Array(more)) if name == "content" && whole.is_string() => {
            let said = std::mem::take(whole).as_str().unwrap_or_default().to_owned();
            let said = (!said.is_empty()).then(|| text_part(&said));
            *whole = said.into_iter().chain(more).collect();
        }
        (whole, other) => *whole = other,
    }
}

fn text_part(text: &str) -> Value {
    serde_json::json!({"type": "text", "text": text})
}

/// Adds to the item that a part belongs to, or puts it behind the others.
fn add_item(items: &mut Vec<Value>, part: Value) {
    let place = place(items, &part);
    match (place.and_then(|place| items.get_mut(place)), part) {
        (Some(Value::Object(known)), Value::Object(more)) => {
            // It says which, and does not grow.
            add_fields(known, more);
        }
        (_, part) => items.push(part),
    }
}

/// Which item a part goes on with. Parts of calls are told apart in the ways servers number them, as they are when they are read.
fn place(items: &[Value], part: &Value) -> Option<usize> {
    let text = |value: &Value, path: &str| value.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (id, name) = (text(part, "/id"), text(part, "/function/name"));
    let index = part.get("index").and_then(Value::as_u64);
    let last = items.len().checked_sub(1);
    if let Some(index) = index {
        let found = items.iter().rposition(|item| item.get("index").and_then(Value::as_u64) == Some(index));
        return found.filter(|&place| {
            let known = items.get(place).map(|item| text(item, "/id")).unwrap_or_default();
            id.is_empty() || known.is_empty() || known == id || (name.is_empty() && part.get("function").is_some())
        });
    }
    part.get("function")?;
    if !id.is_empty() {
        return items.iter().rposition(|item| text(item, "/id") == id).or(last.filter(|_| name.is_empty()));
    }
    last.filter(|_| name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(parts: &[Value], expected: &Value) {
        let mut whole = json!({});
        for part in parts {
            add(&mut whole, part.clone(), "");
        }
        assert_eq!(whole, *expected, "{parts:?}");
    }

    #[test]
    fn parts_become_a_whole() {
        check(&[json!({"a": "x", "n": null}), json!({"a": "y", "n": 1}), json!({"a": null, "n": 2})], &json!({"a": "xy", "n": 2}));
        check(&[json!({"role": "", "id": "1"}), json!({"role": "r", "id": "1"})], &json!({"role": "r", "id": "1"}));
        check(&[json!({"l": {"c": [1]}}), json!({"l": {"c": [2, 3], "r": []}})], &json!({"l": {"c": [1, 2, 3], "r": []}}));
        let text = |text: &str| json!({"type": "text", "text": text});
        check(
            &[json!({"content": "a"}), json!({"content": [{"t": 1}]}), json!({"content": "b"})],
            &json!({"content": [text("a"), {"t": 1}, text("b")]}),
        );
        check(&[json!({"content": ""}), json!({"content": [{"t": 1}]})], &json!({"content": [{"t": 1}]}));
    }

    #[test]
    fn items_are_told_apart_as_servers_number_them() {
        let part = |index: Option<u64>, id: &str, name: &str, text: &str| {
            let mut part = json!({"function": {"arguments": text}});
            if let Some(index) = index {
                part["index"] = index.into();
            }
            if !id.is_empty() {
                part["id"] = id.into();
            }
            if !name.is_empty() {
                part["function"]["name"] = name.into();
            }
            part
        };
        let calls = |parts: Vec<Value>| {
            let mut whole = json!({"c": []});
            for part in parts {
                add(&mut whole, json!({"c": [part]}), "");
            }
            let arguments = |call: &Value| call["function"]["arguments"].as_str().unwrap().to_owned();
            whole["c"].as_array().unwrap().iter().map(arguments).collect::<Vec<_>>()
        };
        let (zero, one) = (Some(0), Some(1));
        assert_eq!(calls(vec![part(zero, "a", "f", "1"), part(one, "b", "f", "2"), part(zero, "", "", "3")]), ["13", "2"]);
        assert_eq!(calls(vec![part(zero, "a", "f", "1"), part(zero, "b", "f", "2")]), ["1", "2"]);
        assert_eq!(calls(vec![part(zero, "a", "f", "1"), part(zero, "made-up", "", "2")]), ["12"]);
        assert_eq!(calls(vec![part(None, "a", "f", "1"), part(None, "b", "f", "2"), part(None, "a", "", "3")]), ["13", "2"]);
        assert_eq!(calls(vec![part(None, "", "f", "1"), part(None, "", "", "2"), part(None, "", "f", "3")]), ["12", "3"]);
    }

    #[test]
    fn room_is_bounded_and_what_comes_after_does_not_fit_either() {
        let mut room = Room::default();
        let much = Value::String("x".repeat(WHOLE_BYTES_MAX / 2));
        assert!(room.take(&much) && !room.take(&much) && !room.take(&json!(1)));
    }
}
