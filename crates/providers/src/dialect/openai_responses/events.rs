//! An answer, written as the typed events a client reads. Every event is numbered; every item is announced, told piece by piece, and told
//! whole when it is done.

use lab3_compute::Usage;
use serde_json::{Value, json};

use super::output::{Item, Kind, Response, Said, State, ended, incomplete, response_id, summary_part};
use crate::dialect::openai_chat::error;
use crate::dialect::{Failure, Receipt, Writer};
use crate::{Finish, Piece, Query};

/// Writes an answer as events.
#[derive(Debug)]
pub(super) struct EventWriter {
    response: Response,
    id: String,
    is_started: bool,
    /// The number of the next event.
    sequence: u64,
    items: Vec<Item>,
    /// Whether the last item, when it is thoughts or words, goes on. Calls go on until the end: their parts may come mixed.
    is_open: bool,
    finish: Option<Finish>,
    usage: Option<Usage>,
}

impl EventWriter {
    pub(super) fn new(query: &Query) -> Self {
        Self {
            response: Response::new(query),
            id: response_id(""),
            is_started: false,
            sequence: 0,
            items: Vec::new(),
            is_open: false,
            finish: None,
            usage: None,
        }
    }

    fn event(&mut self, kind: &str, fields: Value, out: &mut Vec<u8>) {
        event(kind, &self.numbered(kind, fields).to_string(), out);
    }

    fn numbered(&mut self, kind: &str, mut fields: Value) -> Value {
        fields["type"] = kind.into();
        fields["sequence_number"] = self.sequence.into();
        self.sequence += 1;
        fields
    }

    /// An event about an item; `fields` beside what says which.
    fn item_event(&mut self, kind: &str, index: usize, mut fields: Value, out: &mut Vec<u8>) {
        fields["item_id"] = self.items.get(index).map_or(Value::Null, |item| item.id.as_str().into());
        fields["output_index"] = index.into();
        self.event(kind, fields, out);
    }

    fn start(&mut self, out: &mut Vec<u8>) {
        if !self.is_started {
            self.is_started = true;
            let response = self.response.to_json(&self.id, &State::InProgress, &[]);
            self.event("response.created", json!({"response": response}), out);
            self.event("response.in_progress", json!({"response": response}), out);
        }
    }

    /// Announces an item. It begins without content.
    fn open(&mut self, kind: Kind, out: &mut Vec<u8>) -> usize {
        self.start(out);
        self.close(out);
        let index = self.items.len();
        let item = Item::new(&self.id, index, kind);
        let told = item.to_json("in_progress");
        self.items.push(item);
        self.event("response.output_item.added", json!({"output_index": index, "item": told}), out);
        index
    }

    /// Ends the thoughts or words that go on.
    fn close(&mut self, out: &mut Vec<u8>) {
        if std::mem::take(&mut self.is_open) {
            self.done(self.items.len() - 1, "completed", out);
        }
    }

    /// Tells an item whole.
    fn done(&mut self, index: usize, status: &str, out: &mut Vec<u8>) {
        self.content_done(index, out);
        let Some(item) = self.items.get(index).map(|item| item.to_json(status)) else { return };
        self.event("response.output_item.done", json!({"output_index": index, "item": item}), out);
    }

    /// Tells whole what an item's last content is.
    fn content_done(&mut self, index: usize, out: &mut Vec<u8>) {
        match self.items.get(index).map(|item| &item.kind) {
            Some(Kind::Message { parts }) => {
                let Some((at, said)) = parts.len().checked_sub(1).zip(parts.last()) else { return };
                let (text, part) = (said.text.clone(), said.to_json());
                let (kind, fields) = if said.is_refusal {
                    ("response.refusal.done", json!({"content_index": at, "refusal": text}))
                } else {
                    ("response.output_text.done", json!({"content_index": at, "text": text, "logprobs": []}))
                };
                self.item_event(kind, index, fields, out);
                self.item_event("response.content_part.done", index, json!({"content_index": at, "part": part}), out);
            }
            Some(Kind::Thoughts { summary, .. }) if !summary.is_empty() => {
                let (text, part) = (summary.clone(), summary_part(summary));
                self.item_event("response.reasoning_summary_text.done", index, json!({"summary_index": 0, "text": text}), out);
                self.item_event("response.reasoning_summary_part.done", index, json!({"summary_index": 0, "part": part}), out);
            }
            Some(Kind::Call { name, arguments, .. }) => {
                let fields = json!({"name": name, "arguments": arguments});
                self.item_event("response.function_call_arguments.done", index, fields, out);
            }
            _ => {}
        }
    }

    /// The last item, if it goes on.
    fn current(&mut self) -> Option<(usize, &mut Kind)> {
        let index = self.items.len().checked_sub(1).filter(|_| self.is_open)?;
        self.items.last_mut().map(|item| (index, &mut item.kind))
    }

    fn say(&mut self, is_refusal: bool, text: &str, out: &mut Vec<u8>) {
        if !matches!(self.current(), Some((_, Kind::Message { .. }))) {
            self.open(Kind::Message { parts: Vec::new() }, out);
            self.is_open = true;
        }
        let goes_on =
            matches!(self.current(), Some((_, Kind::Message { parts })) if parts.last().is_some_and(|said| said.is_refusal == is_refusal));
        if !goes_on {
            self.next_part(is_refusal, out);
        }
        let Some((index, Kind::Message { parts })) = self.current() else { return };
        let at = parts.len().saturating_sub(1);
        if let Some(said) = parts.last_mut() {
            said.text.push_str(text);
        }
        if is_refusal {
            self.item_event("response.refusal.delta", index, json!({"content_index": at, "delta": text}), out);
        } else {
            self.item_event("response.output_text.delta", index, json!({"content_index": at, "delta": text, "logprobs": []}), out);
        }
    }

    /// Begins another part of the words that go on.
    fn next_part(&mut self, is_refusal: bool, out: &mut Vec<u8>) {
        let Some(index) = self.current().map(|(index, _)| index) else { return };
        self.content_done(index, out);
        let said = Said { is_refusal, text: String::new() };
        let part = said.to_json();
        let Some((_, Kind::Message { parts })) = self.current() else { return };
        parts.push(said);
        let at = parts.len() - 1;
        self.item_event("response.content_part.added", index, json!({"content_index": at, "part": part}), out);
    }

    fn think(&mut self, text: &str, proof: &str, out: &mut Vec<u8>) {
        if !matches!(self.current(), Some((_, Kind::Thoughts { .. }))) {
            self.open(Kind::Thoughts { summary: String::new(), signature: String::new() }, out);
            self.is_open = true;
        }
        let Some((index, Kind::Thoughts { summary, signature })) = self.current() else { return };
        signature.push_str(proof);
        if text.is_empty() {
            return;
        }
        let is_first = summary.is_empty();
        summary.push_str(text);
        if is_first {
            let fields = json!({"summary_index": 0, "part": summary_part("")});
            self.item_event("response.reasoning_summary_part.added", index, fields, out);
        }
        self.item_event("response.reasoning_summary_text.delta", index, json!({"summary_index": 0, "delta": text}), out);
    }

    fn arguments(&mut self, number: u32, json: &str, out: &mut Vec<u8>) {
        let index = self.items.iter().position(|item| matches!(item.kind, Kind::Call { call, .. } if call == number));
        let Some(index) = index else { return };
        if let Some(Kind::Call { arguments, .. }) = self.items.get_mut(index).map(|item| &mut item.kind) {
            arguments.push_str(json);
        }
        self.item_event("response.function_call_arguments.delta", index, json!({"delta": json}), out);
    }

    /// Ends what still goes on: thoughts or words, and calls.
    fn close_all(&mut self, out: &mut Vec<u8>) {
        let is_cut = incomplete(self.finish.as_ref()).is_some();
        for index in 0..self.items.len() {
            let is_last = index + 1 == self.items.len();
            let is_call = self.items.get(index).is_some_and(|item| matches!(item.kind, Kind::Call { .. }));
            if is_call || (is_last && self.is_open) {
                self.done(index, if is_cut && is_last { "incomplete" } else { "completed" }, out);
            }
        }
        self.is_open = false;
    }
}

impl Writer for EventWriter {
    fn piece(&mut self, piece: &Piece, out: &mut Vec<u8>) {
        match piece {
            Piece::Start { id, model } => {
                self.id = response_id(id);
                self.response.answered_by(model);
                self.start(out);
            }
            Piece::Text(text) => self.say(false, text, out),
            Piece::Refusal(text) => self.say(true, text, out),
            Piece::Thinking(text) => self.think(text, "", out),
            Piece::Signature(signature) => self.think("", signature, out),
            Piece::ToolCall { call, id, name } => {
                let kind = Kind::Call { call: *call, id: id.clone(), name: name.clone(), arguments: String::new() };
                self.open(kind, out);
            }
            Piece::Arguments { call, json } => self.arguments(*call, json, out),
            Piece::Finish(finish) => self.finish = Some(finish.clone()),
            Piece::Usage(usage) => self.usage = Some(*usage),
        }
    }

    /// The receipt is in the last event's response, where the whole reply has it.
    fn end(&mut self, receipt: &Receipt, out: &mut Vec<u8>) {
        self.start(out);
        self.close_all(out);
        let finish = self.finish.as_ref();
        let kind = if incomplete(finish).is_some() { "response.incomplete" } else { "response.completed" };
        let state = State::Ended { finish, usage: self.usage };
        let response = self.response.to_json(&self.id, &state, &ended(&self.items, finish));
        let told = self.numbered(kind, json!({"response": response})).to_string();
        event(kind, &receipt.within(&told, "response"), out);
    }

    /// First the response fails, then comes the error at which clients throw: those that do not throw have seen the former.
    fn fail(&mut self, failure: &Failure, out: &mut Vec<u8>) {
        if self.is_started {
            let state = State::Failed { error: json!({"code": failed_code(failure), "message": failure.detail}) };
            let response = self.response.to_json(&self.id, &state, &ended(&self.items, None));
            self.event("response.failed", json!({"response": response}), out);
        }
        self.event("error", error_event(failure), out);
    }
}

/// Appends an event.
pub(super) fn event(kind: &str, data: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("event: {kind}\ndata: {data}\n\n").as_bytes());
}

/// The codes of a failed response are a closed set.
pub(super) fn failed_code(failure: &Failure) -> &'static str {
    if failure.status == 429 { "rate_limit_exceeded" } else { "server_error" }
}

/// The fields of an event that says an error: as documented at the top, and as OpenAI sends it and its clients look for it: inside.
pub(super) fn error_event(failure: &Failure) -> Value {
    let mut fields = error(failure);
    for name in ["code", "message", "param"] {
        fields[name] = fields["error"][name].clone();
    }
    fields
}
