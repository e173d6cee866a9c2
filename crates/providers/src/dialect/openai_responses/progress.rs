//! A response as far as its events told it: what is needed to end it in the provider's stead.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::events::event;
use crate::dialect::merge::Room;

/// An event, as far as it is looked at.
#[derive(Deserialize)]
pub(super) struct Event<'a> {
    #[serde(rename = "type", default)]
    pub(super) kind: String,
    sequence_number: Option<u64>,
    #[serde(default)]
    output_index: u64,
    #[serde(default)]
    content_index: usize,
    #[serde(default)]
    summary_index: usize,
    #[serde(borrow)]
    delta: Option<&'a RawValue>,
    #[serde(borrow)]
    logprobs: Option<&'a RawValue>,
    #[serde(borrow)]
    annotation: Option<&'a RawValue>,
    #[serde(borrow)]
    item: Option<&'a RawValue>,
    #[serde(borrow)]
    part: Option<&'a RawValue>,
    #[serde(borrow)]
    response: Option<&'a RawValue>,
}

impl Event<'_> {
    /// Whether it is the last one, with the whole response in it.
    pub(super) fn is_end(&self) -> bool {
        matches!(self.kind.as_str(), "response.completed" | "response.incomplete")
    }

    /// The response's own text.
    pub(super) fn response(&self) -> Option<&str> {
        self.response.map(RawValue::get)
    }
}

/// A response so far.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// The response as it was told last.
    pub(super) response: Option<Map<String, Value>>,
    items: BTreeMap<u64, Item>,
    /// The number of the last event, if they are numbered.
    sequence: Option<u64>,
    room: Room,
}

#[derive(Debug)]
struct Item {
    value: Value,
    is_done: bool,
    /// The part that goes on: where it stands, and its place there.
    part: Option<(&'static str, usize)>,
}

/// Where parts of an item stand.
const CONTENT: &str = "content";
const SUMMARY: &str = "summary";

fn value(raw: Option<&RawValue>) -> Value {
    raw.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
}

impl Progress {
    /// Takes what an event tells.
    pub(super) fn take(&mut self, event: &Event<'_>) {
        self.sequence = event.sequence_number.or(self.sequence);
        if let Some(Value::Object(response)) = event.response.map(|response| value(Some(response))) {
            self.response = Some(response);
        }
        let Some(kind) = event.kind.strip_prefix("response.") else { return };
        match kind {
            "output_item.added" | "output_item.done" => {
                let (value, is_done) = (value(event.item), kind == "output_item.done");
                if self.room.take(&value) {
                    self.items.insert(event.output_index, Item { value, is_done, part: None });
                }
            }
            "content_part.added" => self.part(event, CONTENT, event.content_index, false),
            "content_part.done" => self.part(event, CONTENT, event.content_index, true),
            "reasoning_summary_part.added" => self.part(event, SUMMARY, event.summary_index, false),
            "reasoning_summary_part.done" => self.part(event, SUMMARY, event.summary_index, true),
            "output_text.delta" | "reasoning_text.delta" => self.words(event, CONTENT, event.content_index, "text"),
            "refusal.delta" => self.words(event, CONTENT, event.content_index, "refusal"),
            "reasoning_summary_text.delta" => self.words(event, SUMMARY, event.summary_index, "text"),
            "output_text.annotation.added" => self.add(event, "annotations", value(event.annotation)),
            "function_call_arguments.delta" | "mcp_call_arguments.delta" => self.own_words(event, "arguments"),
            "custom_tool_call_input.delta" => self.own_words(event, "input"),
            "code_interpreter_call_code.delta" => self.own_words(event, "code"),
            _ => {}
        }
    }

    /// A part that begins, or is told whole.
    fn part(&mut self, event: &Event<'_>, field: &'static str, index: usize, is_done: bool) {
        let part = value(event.part);
        if !self.room.take(&part) {
            return;
        }
        let Some(item) = self.items.get_mut(&event.output_index) else { return };
        if let Some(known) = slot(&mut item.value, field, index) {
            *known = part;
        }
        item.part = (!is_done).then_some((field, index));
    }

    /// More of a part's text.
    fn words(&mut self, event: &Event<'_>, field: &'static str, index: usize, name: &str) {
        let delta = value(event.delta);
        if !self.room.take(&delta) {
            return;
        }
        let Some(part) = self.items.get_mut(&event.output_index).and_then(|item| slot(&mut item.value, field, index)) else { return };
        append(part, name, &delta);
        if let Value::Array(more) = value(event.logprobs) {
            more.into_iter().filter(|one| self.room.take(one)).for_each(|one| push(part, "logprobs", one));
        }
    }

    /// More of an item's own text.
    fn own_words(&mut self, event: &Event<'_>, name: &str) {
        let delta = value(event.delta);
        if !self.room.take(&delta) {
            return;
        }
        if let Some(item) = self.items.get_mut(&event.output_index) {
            append(&mut item.value, name, &delta);
        }
    }

    fn add(&mut self, event: &Event<'_>, name: &str, more: Value) {
        if !self.room.take(&more) {
            return;
        }
        let item = self.items.get_mut(&event.output_index);
        if let Some(part) = item.and_then(|item| slot(&mut item.value, CONTENT, event.content_index)) {
            push(part, name, more);
        }
    }

    /// The items told, in their order.
    pub(super) fn output(&self) -> Vec<Value> {
        self.items.values().map(|item| item.value.clone()).collect()
    }

    /// Writes an event, numbered if the provider's are.
    pub(super) fn event(&mut self, kind: &str, fields: Value, out: &mut Vec<u8>) {
        event(kind, &self.numbered(kind, fields).to_string(), out);
    }

    /// What an event says, numbered if the provider's are.
    pub(super) fn numbered(&mut self, kind: &str, mut fields: Value) -> Value {
        fields["type"] = kind.into();
        if let Some(sequence) = &mut self.sequence {
            *sequence += 1;
            fields["sequence_number"] = (*sequence).into();
        }
        fields
    }

    /// Ends what still goes on: nothing more comes of it.
    pub(super) fn close(&mut self, out: &mut Vec<u8>) {
        let open: Vec<u64> = self.items.iter().filter(|(_, item)| !item.is_done).map(|(&index, _)| index).collect();
        for index in open {
            let Some(item) = self.items.get_mut(&index) else { continue };
            item.is_done = true;
            item.value["status"] = "incomplete".into();
            let (value, part) = (item.value.clone(), item.part.take());
            for (kind, mut fields) in ends(&value, part) {
                fields["item_id"] = value["id"].clone();
                fields["output_index"] = index.into();
                self.event(kind, fields, out);
            }
            self.event("response.output_item.done", json!({"output_index": index, "item": value}), out);
        }
    }
}

/// The events that tell whole what of an item went on.
fn ends(item: &Value, part: Option<(&'static str, usize)>) -> Vec<(&'static str, Value)> {
    let Some((field, index)) = part else {
        return match item["type"].as_str() {
            Some("function_call") => {
                let fields = json!({"name": item["name"], "arguments": item["arguments"]});
                vec![("response.function_call_arguments.done", fields)]
            }
            Some("custom_tool_call") => vec![("response.custom_tool_call_input.done", json!({"input": item["input"]}))],
            _ => Vec::new(),
        };
    };
    let part = &item[field][index];
    let text = match (field, part["type"].as_str()) {
        (SUMMARY, _) => Some(("response.reasoning_summary_text.done", json!({"summary_index": index, "text": part["text"]}))),
        (_, Some("refusal")) => Some(("response.refusal.done", json!({"content_index": index, "refusal": part["refusal"]}))),
        (_, Some("reasoning_text")) => Some(("response.reasoning_text.done", json!({"content_index": index, "text": part["text"]}))),
        (_, Some("output_text")) => {
            let logprobs = part.get("logprobs").filter(|told| told.is_array()).cloned().unwrap_or_else(|| json!([]));
            Some(("response.output_text.done", json!({"content_index": index, "text": part["text"], "logprobs": logprobs})))
        }
        _ => None,
    };
    let whole = if field == SUMMARY {
        ("response.reasoning_summary_part.done", json!({"summary_index": index, "part": part}))
    } else {
        ("response.content_part.done", json!({"content_index": index, "part": part}))
    };
    text.into_iter().chain([whole]).collect()
}

/// A part of an item; the next one is made where it is not announced.
fn slot<'a>(item: &'a mut Value, field: &str, index: usize) -> Option<&'a mut Value> {
    let parts = item.as_object_mut()?.entry(field).or_insert_with(|| json!([]));
    if !parts.is_array() {
        *parts = json!([]);
    }
    let parts = parts.as_array_mut()?;
    if index == parts.len() {
        parts.push(json!({}));
    }
    parts.get_mut(index)
}

fn append(object: &mut Value, name: &str, more: &Value) {
    let Some((fields, more)) = object.as_object_mut().zip(more.as_str()) else { return };
    match fields.get_mut(name) {
        Some(Value::String(text)) => text.push_str(more),
        _ => {
            fields.insert(name.to_owned(), more.into());
        }
    }
}

fn push(object: &mut Value, name: &str, more: Value) {
    let Some(fields) = object.as_object_mut() else { return };
    match fields.get_mut(name) {
        Some(Value::Array(list)) => list.push(more),
        _ => {
            fields.insert(name.to_owned(), json!([more]));
        }
    }
}
