//! The stream of a provider that speaks the Messages API, put together into the one message that it would have answered without:
//! blocks of every kind, with fields that nobody here knows.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Input, reply};
use crate::Query;
use crate::dialect::Failure;
use crate::dialect::merge::{Room, add_fields};
use crate::dialect::relay::{Ending, Passage};
use crate::split::data;

/// Puts the events of one message together.
#[derive(Debug)]
pub(super) struct Message {
    query: Query,
    fields: Option<Map<String, Value>>,
    blocks: BTreeMap<u64, Block>,
    room: Room,
    is_full: bool,
}

#[derive(Debug)]
struct Block {
    fields: Map<String, Value>,
    /// A call's arguments as far as they came.
    input: String,
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    index: u64,
    #[serde(default)]
    message: Map<String, Value>,
    #[serde(default)]
    content_block: Map<String, Value>,
    #[serde(default)]
    delta: Map<String, Value>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl Message {
    pub(super) fn new(query: &Query) -> Self {
        Self { query: query.clone(), fields: None, blocks: BTreeMap::new(), room: Room::default(), is_full: false }
    }

    fn event(&mut self, event: Event) {
        let Event { kind, index, message, content_block, delta, rest } = event;
        match kind.as_str() {
            "message_start" => {
                self.fields.get_or_insert(message);
            }
            "content_block_start" if self.has_room(&content_block) => {
                self.blocks.insert(index, Block { fields: content_block, input: String::new() });
            }
            "content_block_delta" if self.has_room(&delta) => {
                if let Some(block) = self.blocks.get_mut(&index) {
                    block.add(delta);
                }
            }
            "message_delta" => self.change(delta, rest),
            _ => {}
        }
    }

    fn has_room(&mut self, fields: &Map<String, Value>) -> bool {
        let weighed = fields.iter().all(|(_, value)| self.room.take(value));
        self.is_full |= !weighed;
        !self.is_full
    }

    /// The end: why, and all counts, those of the beginning again.
    fn change(&mut self, delta: Map<String, Value>, mut rest: Map<String, Value>) {
        let Some(message) = &mut self.fields else { return };
        let usage = rest.remove("usage");
        message.extend(delta.into_iter().chain(rest));
        match (message.get_mut("usage").and_then(Value::as_object_mut), usage) {
            (Some(known), Some(Value::Object(usage))) => known.extend(usage.into_iter().filter(|(_, count)| !count.is_null())),
            (None, Some(usage)) => {
                message.insert("usage".to_owned(), usage);
            }
            _ => {}
        }
    }
}

impl Block {
    /// Each kind of delta has more of the block's field of the same name; a citation is one of its citations.
    fn add(&mut self, mut delta: Map<String, Value>) {
        delta.remove("type");
        if let Some(Value::String(json)) = delta.remove("partial_json") {
            self.input.push_str(&json);
        }
        if let Some(citation) = delta.remove("citation") {
            delta.insert("citations".to_owned(), json!([citation]));
        }
        add_fields(&mut self.fields, delta);
    }

    fn whole(mut self) -> Value {
        if !self.input.is_empty() {
            let input = serde_json::to_value(Input(&self.input)).unwrap_or_default();
            self.fields.insert("input".to_owned(), input);
        }
        self.fields.into()
    }
}

impl Passage for Message {
    fn unit(&mut self, raw: &[u8], _out: &mut Vec<u8>) {
        if let Some(Ok(event)) = data(raw).map(|text| serde_json::from_str(&text)) {
            self.event(event);
        }
    }

    fn end(&mut self, ending: &Ending<'_>, out: &mut Vec<u8>) {
        let Some(mut message) = self.fields.take() else {
            return out.extend(reply::whole(&self.query, &ending.heard.cut_answer(), ending.receipt));
        };
        let blocks = std::mem::take(&mut self.blocks);
        message.insert("content".to_owned(), blocks.into_values().map(Block::whole).collect());
        let is_ended = message.get("stop_reason").is_some_and(Value::is_string);
        if ending.heard.is_cut || self.is_full || !is_ended {
            message.insert("stop_reason".to_owned(), "max_tokens".into());
            message.insert("stop_sequence".to_owned(), Value::Null);
        }
        if let Some(usage) = ending.heard.usage.filter(|_| !is_ended) {
            message.insert("usage".to_owned(), reply::usage(&usage));
        }
        out.extend_from_slice(ending.receipt.beside(&Value::Object(message).to_string()).as_bytes());
    }

    fn fail(&mut self, failure: &Failure, out: &mut Vec<u8>) {
        out.extend(reply::refusal(failure));
    }
}
