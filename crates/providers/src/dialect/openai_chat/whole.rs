//! The stream of a provider that speaks Chat Completions, put together into the one body that it would have answered without: of all
//! choices, and with fields that nobody here knows.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::reply::{ChatWriter, error};
use super::usage::Told;
use crate::Query;
use crate::dialect::Failure;
use crate::dialect::merge::{Room, add, add_fields};
use crate::dialect::relay::{Ending, Passage};
use crate::split::data;

/// Puts the chunks of one answer together.
#[derive(Debug)]
pub(super) struct Completion {
    /// What is said where the provider says nothing.
    model: String,
    created: u64,
    fields: Map<String, Value>,
    choices: BTreeMap<u64, Choice>,
    room: Room,
    is_full: bool,
}

#[derive(Debug, Default)]
struct Choice {
    message: Map<String, Value>,
    fields: Map<String, Value>,
}

impl Completion {
    pub(super) fn new(query: &Query) -> Self {
        let model = query.model.clone();
        Self { model, created: query.asked_at, fields: Map::new(), choices: BTreeMap::new(), room: Room::default(), is_full: false }
    }

    fn chunk(&mut self, chunk: Map<String, Value>) {
        for (name, value) in chunk {
            match (name.as_str(), value) {
                ("choices", Value::Array(choices)) => choices.into_iter().for_each(|choice| self.choice(choice)),
                // What only streams have: their kind, and what hides how long their parts are.
                ("choices" | "object" | "obfuscation", _) => {}
                (_, Value::Null) => {
                    self.fields.entry(name).or_insert(Value::Null);
                }
                ("id" | "model" | "created", value) => {
                    let known = self.fields.entry(name).or_insert(Value::Null);
                    // Azure begins with a chunk that has none of them yet.
                    if [json!(null), json!(""), json!(0)].contains(known) {
                        *known = value;
                    }
                }
                // What is told again is told whole.
                (_, value) => {
                    self.fields.insert(name, value);
                }
            }
        }
    }

    fn choice(&mut self, choice: Value) {
        self.is_full |= !self.room.take(&choice);
        let Value::Object(mut choice) = choice else { return };
        let index = choice.remove("index").and_then(|index| index.as_u64()).unwrap_or(0);
        let known = self.choices.entry(index).or_default();
        if self.is_full {
            return;
        }
        if let Some(Value::Object(delta)) = choice.remove("delta") {
            add_fields(&mut known.message, delta);
        }
        for (name, value) in choice {
            match known.fields.get_mut(&name) {
                Some(told) if told.is_object() || told.is_array() => add(told, value, &name),
                Some(_) if value.is_null() || value == "" => {}
                _ => {
                    known.fields.insert(name, value);
                }
            }
        }
    }
}

impl Choice {
    fn whole(self, index: u64, is_cut: bool) -> Value {
        let Self { mut message, mut fields } = self;
        for call in message.get_mut("tool_calls").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(call) = call.as_object_mut() {
                call.remove("index");
            }
        }
        let says = |name: &str| message.get(name).is_some_and(|value| !matches!(value, Value::Null) && *value != "");
        let is_said_otherwise = ["tool_calls", "refusal", "function_call"].into_iter().any(says);
        let content = message.entry("content").or_insert(Value::Null);
        if is_said_otherwise && *content == "" {
            *content = Value::Null;
        }
        for (name, usual) in [("role", json!("assistant")), ("refusal", Value::Null)] {
            message.entry(name).or_insert(usual);
        }
        fields.insert("index".to_owned(), index.into());
        fields.insert("message".to_owned(), message.into());
        fields.entry("logprobs").or_insert(Value::Null);
        let reason = fields.entry("finish_reason").or_insert(Value::Null);
        // What was cut off is as long as was allowed.
        if is_cut || !reason.is_string() {
            *reason = "length".into();
        }
        fields.into()
    }
}

impl Passage for Completion {
    fn unit(&mut self, raw: &[u8], _out: &mut Vec<u8>) {
        if let Some(Ok(chunk)) = data(raw).map(|text| serde_json::from_str(&text)) {
            self.chunk(chunk);
        }
    }

    fn end(&mut self, ending: &Ending<'_>, out: &mut Vec<u8>) {
        let mut body = std::mem::take(&mut self.fields);
        let mut choices = std::mem::take(&mut self.choices);
        choices.entry(0).or_default();
        let is_cut = ending.heard.is_cut || self.is_full;
        let choices = choices.into_iter().map(|(index, choice)| choice.whole(index, is_cut)).collect::<Vec<_>>();
        let (id, model) = ending.heard.names();
        let id = if id.is_empty() { ChatWriter::NO_ID } else { id };
        let model = if model.is_empty() { &self.model } else { model };
        for (name, usual) in [("id", json!(id)), ("created", json!(self.created)), ("model", json!(model))] {
            let known = body.entry(name).or_insert(Value::Null);
            if known.is_null() || known == "" {
                *known = usual;
            }
        }
        if let Some(usage) = ending.heard.usage.filter(|_| !body.get("usage").is_some_and(Value::is_object)) {
            body.insert("usage".to_owned(), json!(Told::from(&usage)));
        }
        body.insert("object".to_owned(), "chat.completion".into());
        body.insert("choices".to_owned(), choices.into());
        out.extend_from_slice(ending.receipt.beside(&Value::Object(body).to_string()).as_bytes());
    }

    fn fail(&mut self, failure: &Failure, out: &mut Vec<u8>) {
        out.extend_from_slice(error(failure).to_string().as_bytes());
    }
}
