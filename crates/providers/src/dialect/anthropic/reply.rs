//! Writing answers and refusals to a client: the events of a stream in the order that the official clients put together, or one
//! body. The receipt stands as `lab3` in the stream's `message_delta` event and in the body: both clients keep fields there that
//! they do not know, but drop those of `message_stop`.

use std::collections::VecDeque;
use std::fmt::Display;

use lab3_compute::Usage;
use serde::Serialize;
use serde_json::{Value, json};

use super::{Input, call_id};
use crate::dialect::signature::ANTHROPIC;
use crate::dialect::{Failure, Receipt, Writer};
use crate::{Answer, Finish, Piece, Query};

/// The reply to a request to count tokens.
pub fn token_count(input_tokens: u64) -> Vec<u8> {
    json!({"input_tokens": input_tokens}).to_string().into_bytes()
}

/// Writes an answer as a message's stream.
#[derive(Debug, Default)]
pub(super) struct MessageWriter {
    /// The model as the client named it; what is said when the provider names none.
    asked: String,
    id: String,
    model: String,
    /// The beginning is written.
    started: bool,
    /// Blocks begun so far.
    blocks: u32,
    open: Option<Open>,
    /// Calls that began while another was open.
    waiting: VecDeque<Waiting>,
    calls: u32,
    refusal: String,
    finish: Option<Finish>,
    usage: Option<Usage>,
}

/// The block that is being written.
#[derive(Debug)]
enum Open {
    Text,
    /// With the signature so far: clients take the last piece of one for all of it.
    Thinking(String),
    Call(u32),
}

/// A call that waits for its turn, for blocks come one after the other.
#[derive(Debug)]
struct Waiting {
    call: u32,
    id: String,
    name: String,
    arguments: String,
}

impl MessageWriter {
    pub(super) fn new(query: &Query) -> Self {
        Self { asked: query.model.clone(), ..Self::default() }
    }

    fn start(&mut self, out: &mut Vec<u8>) {
        if self.started {
            return;
        }
        self.started = true;
        let message = json!({
            "id": message_id(&self.id, ""),
            "type": "message",
            "role": "assistant",
            "model": either(&self.model, &self.asked),
            "content": [],
            "stop_reason": null,
            "stop_sequence": null,
            "usage": usage(&self.usage.unwrap_or_default()),
        });
        event("message_start", &json!({"type": "message_start", "message": message}), out);
    }

    fn open(&mut self, open: Open, block: &Value, out: &mut Vec<u8>) {
        let index = self.blocks;
        event("content_block_start", &json!({"type": "content_block_start", "index": index, "content_block": block}), out);
        self.blocks = self.blocks.saturating_add(1);
        self.open = Some(open);
    }

    fn delta(&self, delta: &Value, out: &mut Vec<u8>) {
        let index = self.blocks.saturating_sub(1);
        event("content_block_delta", &json!({"type": "content_block_delta", "index": index, "delta": delta}), out);
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        let Some(open) = self.open.take() else { return };
        if let Open::Thinking(signature) = open
            && !signature.is_empty()
        {
            self.delta(&json!({"type": "signature_delta", "signature": unmarked(&signature)}), out);
        }
        let index = self.blocks.saturating_sub(1);
        event("content_block_stop", &json!({"type": "content_block_stop", "index": index}), out);
    }

    /// Closes the open block, and writes the calls that waited for that.
    fn close_all(&mut self, out: &mut Vec<u8>) {
        self.close(out);
        while let Some(call) = self.waiting.pop_front() {
            self.open_call(call, out);
            self.close(out);
        }
    }

    fn text(&mut self, text: &str, out: &mut Vec<u8>) {
        if !matches!(self.open, Some(Open::Text)) {
            self.close_all(out);
            self.open(Open::Text, &json!({"type": "text", "text": ""}), out);
        }
        self.delta(&json!({"type": "text_delta", "text": text}), out);
    }

    /// The open block of thoughts. What is thought after a signature is in another block.
    fn thoughts(&mut self, goes_on: impl Fn(&str) -> bool, out: &mut Vec<u8>) {
        if !matches!(&self.open, Some(Open::Thinking(signature)) if goes_on(signature)) {
            self.close_all(out);
            self.open(Open::Thinking(String::new()), &json!({"type": "thinking", "thinking": "", "signature": ""}), out);
        }
    }

    fn call(&mut self, call: u32, id: &str, name: &str, out: &mut Vec<u8>) {
        let id = if id.is_empty() { made_id(&self.id, call) } else { id.to_owned() };
        let call = Waiting { call, id, name: name.to_owned(), arguments: String::new() };
        self.calls = self.calls.saturating_add(1);
        if matches!(self.open, Some(Open::Call(_))) {
            self.waiting.push_back(call);
        } else {
            self.close(out);
            self.open_call(call, out);
        }
    }

    fn open_call(&mut self, call: Waiting, out: &mut Vec<u8>) {
        let Waiting { call, id, name, arguments } = call;
        self.open(Open::Call(call), &json!({"type": "tool_use", "id": id, "name": name, "input": {}}), out);
        self.arguments(call, &arguments, out);
    }

    fn arguments(&mut self, call: u32, json: &str, out: &mut Vec<u8>) {
        if json.is_empty() {
            return;
        }
        if matches!(self.open, Some(Open::Call(open)) if open == call) {
            self.delta(&json!({"type": "input_json_delta", "partial_json": json}), out);
        } else if let Some(waiting) = self.waiting.iter_mut().find(|waiting| waiting.call == call) {
            waiting.arguments.push_str(json);
        }
    }
}

impl Writer for MessageWriter {
    fn piece(&mut self, piece: &Piece, out: &mut Vec<u8>) {
        match piece {
            // The beginning tells the usage, too, which is the next piece where the provider tells it early: it waits for that.
            Piece::Start { id, model } => (self.id, self.model) = (id.clone(), model.clone()),
            Piece::Usage(usage) => self.usage = Some(*usage),
            _ => {}
        }
        if matches!(piece, Piece::Start { .. }) {
            return;
        }
        self.start(out);
        match piece {
            Piece::Text(text) => self.text(text, out),
            Piece::Refusal(text) => {
                self.refusal.push_str(text);
                self.text(text, out);
            }
            Piece::Thinking(text) => {
                self.thoughts(str::is_empty, out);
                self.delta(&json!({"type": "thinking_delta", "thinking": text}), out);
            }
            Piece::Signature(text) => {
                self.thoughts(|_| true, out);
                if let Some(Open::Thinking(signature)) = &mut self.open {
                    signature.push_str(text);
                }
            }
            Piece::ToolCall { call, id, name } => self.call(*call, id, name, out),
            Piece::Arguments { call, json } => self.arguments(*call, json, out),
            Piece::Finish(finish) => self.finish = Some(finish.clone()),
            Piece::Start { .. } | Piece::Usage(_) => {}
        }
    }

    fn end(&mut self, receipt: &Receipt, out: &mut Vec<u8>) {
        self.start(out);
        self.close_all(out);
        let ending = Ending::of(self.finish.as_ref(), self.calls > 0, &self.refusal);
        change(&ending, &self.usage.unwrap_or_default(), receipt, out);
        event("message_stop", &json!({"type": "message_stop"}), out);
    }

    fn fail(&mut self, failure: &Failure, out: &mut Vec<u8>) {
        event("error", &error(failure), out);
    }
}

fn change(ending: &Ending, used: &Usage, receipt: &Receipt, out: &mut Vec<u8>) {
    let change = json!({"type": "message_delta", "delta": ending, "usage": usage(used)});
    event("message_delta", &receipt.beside(&change.to_string()), out);
}

/// Says that as many tokens came as were allowed.
pub(super) fn end_at_limit(used: &Usage, receipt: &Receipt, out: &mut Vec<u8>) {
    change(&Ending::of(Some(&Finish::Length), false, ""), used, receipt, out);
}

/// Anthropic's own signatures have no mark here.
fn unmarked(signature: &str) -> &str {
    signature.strip_prefix(ANTHROPIC).unwrap_or(signature)
}

/// Why the message ends.
#[derive(Serialize)]
struct Ending {
    #[serde(rename = "stop_reason")]
    reason: &'static str,
    #[serde(rename = "stop_sequence")]
    sequence: Option<String>,
    #[serde(rename = "stop_details", skip_serializing_if = "Option::is_none")]
    details: Option<Value>,
}

impl Ending {
    /// Not every provider says that it waits for tools, or that its words were a refusal.
    fn of(finish: Option<&Finish>, has_calls: bool, refusal: &str) -> Self {
        let reason = match finish {
            Some(Finish::Filtered) => "refusal",
            // What was cut off is as long as was allowed.
            Some(Finish::Length) | None => "max_tokens",
            Some(Finish::ToolCalls) => "tool_use",
            Some(Finish::Paused) => "pause_turn",
            Some(Finish::StopText(_)) => "stop_sequence",
            Some(Finish::Stop) if !refusal.is_empty() => "refusal",
            Some(Finish::Stop) if has_calls => "tool_use",
            Some(Finish::Stop) => "end_turn",
        };
        let details = json!({"type": "refusal", "category": null, "explanation": refusal});
        Self {
            reason,
            sequence: if let Some(Finish::StopText(text)) = finish { Some(text.clone()) } else { None },
            details: (reason == "refusal" && !refusal.is_empty()).then_some(details),
        }
    }
}

#[derive(Serialize)]
struct Whole<'a> {
    id: String,
    r#type: &'static str,
    role: &'static str,
    model: &'a str,
    content: Vec<Block<'a>>,
    #[serde(flatten)]
    ending: Ending,
    usage: Value,
    lab3: &'a Receipt,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Block<'a> {
    Thinking { thinking: &'a str, signature: &'a str },
    Text { text: &'a str },
    ToolUse { id: String, name: &'a str, input: Input<'a> },
}

/// The whole answer as a message.
pub(super) fn whole(query: &Query, answer: &Answer, receipt: &Receipt) -> Vec<u8> {
    let id = message_id(&answer.id, &receipt.allocation_id);
    let mut content = Vec::new();
    if !answer.thinking.is_empty() || answer.signature.is_some() {
        content.push(Block::Thinking { thinking: &answer.thinking, signature: unmarked(answer.signature.as_deref().unwrap_or_default()) });
    }
    content.extend([&answer.text, &answer.refusal].into_iter().filter(|text| !text.is_empty()).map(|text| Block::Text { text }));
    for (call, at) in answer.calls.iter().zip(0_u32..) {
        let id = if call.id.is_empty() { made_id(&id, at) } else { call.id.clone() };
        content.push(Block::ToolUse { id, name: &call.name, input: Input(&call.arguments) });
    }
    let message = Whole {
        id,
        r#type: "message",
        role: "assistant",
        model: either(&answer.model, &query.model),
        content,
        ending: Ending::of(answer.finish.as_ref(), !answer.calls.is_empty(), &answer.refusal),
        usage: usage(&answer.usage.unwrap_or_default()),
        lab3: receipt,
    };
    serde_json::to_vec(&message).unwrap_or_default()
}

/// A refusal as a body.
pub(super) fn refusal(failure: &Failure) -> Vec<u8> {
    error(failure).to_string().into_bytes()
}

/// An error in the API's form. Clients show `error_code` as the stable name of the cause.
pub(super) fn error(failure: &Failure) -> Value {
    let kind = match failure.status {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        409 => "conflict_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        408 | 504 => "timeout_error",
        503 | 529 => "overloaded_error",
        400..500 => "invalid_request_error",
        _ => "api_error",
    };
    let mut details = json!({"error_code": failure.code});
    if let Some(field) = &failure.field {
        details["field"] = json!(field);
    }
    json!({"type": "error", "error": {"type": kind, "message": failure.detail, "details": details}})
}

/// The usage as the API tells it.
pub(super) fn usage(usage: &Usage) -> Value {
    let mut told = json!({
        "input_tokens": usage.input,
        "cache_read_input_tokens": usage.cache_read,
        "cache_creation_input_tokens": usage.cache_write_5m.saturating_add(usage.cache_write_1h),
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write_5m,
            "ephemeral_1h_input_tokens": usage.cache_write_1h,
        },
        "output_tokens": usage.output,
    });
    if usage.reasoning > 0 {
        told["output_tokens_details"] = json!({"thinking_tokens": usage.reasoning});
    }
    if usage.tool_runs > 0 {
        told["server_tool_use"] = json!({"web_search_requests": usage.tool_runs, "web_fetch_requests": 0});
    }
    told
}

/// The answer's id: the provider's, or one made of ours.
fn message_id(id: &str, ours: &str) -> String {
    match (id, ours) {
        ("", "") => "msg_lab3".to_owned(),
        ("", ours) => format!("msg_{}", call_id(ours)),
        (id, _) => id.to_owned(),
    }
}

/// The id of a call that has none: clients name it in the results.
fn made_id(message: &str, call: u32) -> String {
    format!("toolu_{}_{call}", call_id(either(message, "lab3")))
}

fn either<'a>(first: &'a str, second: &'a str) -> &'a str {
    if first.is_empty() { second } else { first }
}

/// Appends an event.
pub(super) fn event(name: &str, data: &impl Display, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("event: {name}\ndata: {data}\n\n").as_bytes());
}
