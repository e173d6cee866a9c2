//! An answer, written as the client reads it: in chunks, or whole.

use lab3_compute::Usage;
use serde::Serialize;
use serde_json::{Value, json};

use super::usage::Told;
use crate::dialect::{Failure, Receipt, Writer};
use crate::{Answer, Finish, Piece, Query};

/// Writes an answer in chunks.
#[derive(Debug)]
pub(super) struct ChatWriter {
    id: String,
    created: u64,
    model: String,
    wants_usage: bool,
    is_started: bool,
    /// These end the stream, with the receipt in the very last chunk, and so wait for it.
    finish: Option<Finish>,
    usage: Option<Usage>,
}

#[derive(Serialize)]
struct Chunk<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: &'a [Choice<'a>],
    /// Where usage is asked for every chunk has the field: null in all but the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lab3: Option<&'a Receipt>,
}

#[derive(Serialize)]
struct Choice<'a> {
    index: u32,
    delta: Delta<'a>,
    logprobs: Option<()>,
    finish_reason: Option<&'static str>,
}

#[derive(Default, Serialize)]
struct Delta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_calls: Option<[CallPart<'a>; 1]>,
}

#[derive(Serialize)]
struct CallPart<'a> {
    index: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    function: Function<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    arguments: &'a str,
}

impl ChatWriter {
    /// Clients want an id.
    pub(super) const NO_ID: &'static str = "chatcmpl-lab3";

    pub(super) fn new(query: &Query) -> Self {
        Self {
            id: String::new(),
            created: query.asked_at,
            model: query.model.clone(),
            wants_usage: query.stream_usage,
            is_started: false,
            finish: None,
            usage: None,
        }
    }

    fn delta(&mut self, delta: Delta<'_>, out: &mut Vec<u8>) {
        self.start(out);
        self.choice(delta, None, None, out);
    }

    /// Says who speaks, once, before all else.
    fn start(&mut self, out: &mut Vec<u8>) {
        if !self.is_started {
            self.is_started = true;
            self.choice(Delta { role: Some("assistant"), content: Some(""), ..Delta::default() }, None, None, out);
        }
    }

    fn choice(&self, delta: Delta<'_>, finish_reason: Option<&'static str>, lab3: Option<&Receipt>, out: &mut Vec<u8>) {
        let choice = Choice { index: 0, delta, logprobs: None, finish_reason };
        self.event(&[choice], self.wants_usage.then_some(Value::Null), lab3, out);
    }

    fn event(&self, choices: &[Choice<'_>], usage: Option<Value>, lab3: Option<&Receipt>, out: &mut Vec<u8>) {
        let id = id(&self.id);
        let chunk = Chunk { id, object: "chat.completion.chunk", created: self.created, model: &self.model, choices, usage, lab3 };
        event(&chunk, out);
    }
}

impl Writer for ChatWriter {
    fn piece(&mut self, piece: &Piece, out: &mut Vec<u8>) {
        let delta = match piece {
            Piece::Start { id, model } => {
                self.id.clone_from(id);
                if !model.is_empty() {
                    self.model.clone_from(model);
                }
                return self.start(out);
            }
            Piece::Text(text) => Delta { content: Some(text), ..Delta::default() },
            Piece::Thinking(text) => Delta { reasoning_content: Some(text), ..Delta::default() },
            Piece::Refusal(text) => Delta { refusal: Some(text), ..Delta::default() },
            Piece::ToolCall { call, id, name } => Delta {
                tool_calls: Some([CallPart {
                    index: *call,
                    id: Some(call_id(id, *call)),
                    kind: Some("function"),
                    function: Function { name: Some(name), arguments: "" },
                }]),
                ..Delta::default()
            },
            Piece::Arguments { call, json } => {
                let function = Function { name: None, arguments: json };
                Delta { tool_calls: Some([CallPart { index: *call, id: None, kind: None, function }]), ..Delta::default() }
            }
            // There is no field for it.
            Piece::Signature(_) => return,
            Piece::Finish(finish) => return self.finish = Some(finish.clone()),
            Piece::Usage(usage) => return self.usage = Some(*usage),
        };
        self.delta(delta, out);
    }

    fn end(&mut self, receipt: &Receipt, out: &mut Vec<u8>) {
        self.start(out);
        let usage = self.usage.as_ref().filter(|_| self.wants_usage).map(|usage| json!(Told::from(usage)));
        let reason = Some(finish_reason(self.finish.as_ref()));
        if usage.is_none() {
            self.choice(Delta::default(), reason, Some(receipt), out);
        } else {
            self.choice(Delta::default(), reason, None, out);
            self.event(&[], usage, Some(receipt), out);
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
    }

    fn fail(&mut self, failure: &Failure, out: &mut Vec<u8>) {
        event(&error(failure), out);
    }
}

/// Appends an event.
fn event(data: &impl Serialize, out: &mut Vec<u8>) {
    out.extend_from_slice(b"data: ");
    // To memory, of text keys only: this does not fail.
    let _ = serde_json::to_writer(&mut *out, data);
    out.extend_from_slice(b"\n\n");
}

fn id(id: &str) -> &str {
    if id.is_empty() { ChatWriter::NO_ID } else { id }
}

/// Clients tell calls apart by their ids.
pub(crate) fn call_id(id: &str, call: u32) -> String {
    if id.is_empty() { format!("call_{call}") } else { id.to_owned() }
}

/// Why the answer ended; what was cut off is as long as was allowed.
fn finish_reason(finish: Option<&Finish>) -> &'static str {
    match finish {
        Some(Finish::Stop | Finish::StopText(_) | Finish::Paused) => "stop",
        Some(Finish::Length) | None => "length",
        Some(Finish::ToolCalls) => "tool_calls",
        Some(Finish::Filtered) => "content_filter",
    }
}

/// The whole answer.
pub(super) fn whole(query: &Query, answer: &Answer, receipt: &Receipt) -> Vec<u8> {
    let text = |text: &str| if text.is_empty() { Value::Null } else { text.into() };
    let mut message = json!({"role": "assistant", "content": answer.text, "refusal": text(&answer.refusal)});
    if answer.text.is_empty() && !(answer.calls.is_empty() && answer.refusal.is_empty()) {
        message["content"] = Value::Null;
    }
    if !answer.thinking.is_empty() {
        message["reasoning_content"] = answer.thinking.as_str().into();
    }
    if !answer.calls.is_empty() {
        message["tool_calls"] = (0..)
            .zip(&answer.calls)
            .map(|(index, call)| {
                let function = json!({"name": call.name, "arguments": call.arguments});
                json!({"id": call_id(&call.id, index), "type": "function", "function": function})
            })
            .collect();
    }
    let finish_reason = finish_reason(answer.finish.as_ref());
    let mut body = json!({
        "id": id(&answer.id),
        "object": "chat.completion",
        "created": query.asked_at,
        "model": if answer.model.is_empty() { &query.model } else { &answer.model },
        "choices": [{"index": 0, "message": message, "logprobs": null, "finish_reason": finish_reason}],
    });
    if let Some(usage) = &answer.usage {
        body["usage"] = json!(Told::from(usage));
    }
    receipt.beside(&body.to_string()).into_bytes()
}

/// A refusal, as OpenAI's clients read it.
pub(crate) fn error(failure: &Failure) -> Value {
    let kind = match failure.status {
        401 => "authentication_error",
        402 => "insufficient_quota",
        403 => "permission_error",
        429 => "rate_limit_error",
        500.. => "server_error",
        _ => "invalid_request_error",
    };
    json!({"error": {"message": failure.detail, "type": kind, "param": failure.field, "code": failure.code}})
}
