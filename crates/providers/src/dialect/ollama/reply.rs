//! Answers and refusals as clients of Ollama read them.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::dialect::time::rfc3339;
use crate::dialect::{Failure, Receipt, Writer};
use crate::{Answer, Finish, Piece, Query, ToolCall};
use lab3_compute::Usage;

/// Which endpoint the reply is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// `/api/chat`: the answer is a message.
    Chat,
    /// `/api/generate`: the answer is a text.
    Generate,
}

#[derive(Serialize)]
struct Line<'a> {
    model: &'a str,
    created_at: &'a str,
    #[serde(flatten)]
    content: Content<'a>,
    done: bool,
    #[serde(flatten)]
    ending: Option<Ending<'a>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Content<'a> {
    Chat {
        message: Message<'a>,
    },
    Generate {
        response: &'a str,
        #[serde(skip_serializing_if = "str::is_empty")]
        thinking: &'a str,
    },
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    thinking: &'a str,
    #[serde(skip_serializing_if = "<[WireCall]>::is_empty")]
    tool_calls: &'a [WireCall],
}

#[derive(Serialize)]
struct WireCall {
    id: String,
    function: Function,
}

#[derive(Serialize)]
struct Function {
    index: usize,
    name: String,
    arguments: Box<RawValue>,
}

/// How an answer ends. Nothing here measures times: they are 0.
#[derive(Serialize)]
struct Ending<'a> {
    done_reason: &'static str,
    total_duration: u64,
    load_duration: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_eval_count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_eval_cached_count: Option<u64>,
    prompt_eval_duration: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    eval_count: Option<u64>,
    eval_duration: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    lab3: Option<&'a Receipt>,
}

impl<'a> Ending<'a> {
    fn new(finish: Option<&Finish>, usage: Option<&Usage>, receipt: Option<&'a Receipt>) -> Self {
        Self {
            done_reason: match finish {
                // Calls end with `stop` here.
                Some(Finish::Stop | Finish::StopText(_) | Finish::ToolCalls | Finish::Paused) => "stop",
                // What was cut off is not complete, and this is the dialect's only word for that.
                Some(Finish::Length) | None => "length",
                Some(Finish::Filtered) => "content_filter",
            },
            total_duration: 0,
            load_duration: 0,
            prompt_eval_count: usage.map(Usage::query_tokens),
            prompt_eval_cached_count: usage.map(|usage| usage.cache_read),
            prompt_eval_duration: 0,
            eval_count: usage.map(|usage| usage.output),
            eval_duration: 0,
            lab3: receipt,
        }
    }
}

/// What a line tells of the answer.
#[derive(Clone, Copy, Default)]
struct Words<'a> {
    text: &'a str,
    thinking: &'a str,
    calls: &'a [WireCall],
}

/// Which answer a line is of.
#[derive(Clone, Copy)]
struct Head<'a> {
    shape: Shape,
    model: &'a str,
    time: &'a str,
}

fn line(head: Head, words: Words, ending: Option<Ending<'_>>) -> Vec<u8> {
    let Words { text, thinking, calls } = words;
    let Head { shape, model, time } = head;
    let content = match shape {
        Shape::Chat => Content::Chat { message: Message { role: "assistant", content: text, thinking, tool_calls: calls } },
        Shape::Generate => Content::Generate { response: text, thinking },
    };
    let line = Line { model, created_at: time, content, done: ending.is_some(), ending };
    // Only a writer could fail, and memory does not.
    serde_json::to_vec(&line).unwrap_or_default()
}

/// Calls as the dialect has them: whole, their arguments an object. One whose arguments are none, because the answer ended in the
/// midst of them, is left out: nobody should run it.
fn wire_calls(calls: &[ToolCall]) -> Vec<WireCall> {
    let wire = |(index, call): (usize, &ToolCall)| {
        let text = if call.arguments.trim().is_empty() { "{}" } else { call.arguments.trim() };
        // Line ends outside of strings mean nothing in JSON, but would end the stream's line; in strings they are written otherwise.
        let arguments = RawValue::from_string(text.replace(['\n', '\r'], " ")).ok().filter(|json| json.get().starts_with('{'))?;
        Some(WireCall { id: call.id.clone(), function: Function { index, name: call.name.clone(), arguments } })
    };
    calls.iter().enumerate().filter_map(wire).collect()
}

/// The answer as one body.
pub(super) fn whole(shape: Shape, query: &Query, answer: &Answer, receipt: &Receipt) -> Vec<u8> {
    let model = if answer.model.is_empty() { &query.model } else { &answer.model };
    let text = format!("{}{}", answer.text, answer.refusal);
    let calls = wire_calls(&answer.calls);
    let ending = Ending::new(answer.finish.as_ref(), answer.usage.as_ref(), Some(receipt));
    let time = rfc3339(query.asked_at);
    line(Head { shape, model, time: &time }, Words { text: &text, thinking: &answer.thinking, calls: &calls }, Some(ending))
}

/// The reply to a request that only asks for a model to be loaded, or unloaded.
pub(super) fn loaded(shape: Shape, model: &str, is_unload: bool, now: u64) -> Vec<u8> {
    let mut ending = Ending::new(None, None, None);
    ending.done_reason = if is_unload { "unload" } else { "load" };
    line(Head { shape, model, time: &rfc3339(now) }, Words::default(), Some(ending))
}

/// A refusal as one body. `error` is what clients show; the code is ours.
pub(super) fn refusal(failure: &Failure) -> Vec<u8> {
    #[derive(Serialize)]
    struct Refusal<'a> {
        error: &'a str,
        code: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        field: Option<&'a str>,
    }
    let Failure { code, detail, field, .. } = failure;
    serde_json::to_vec(&Refusal { error: detail, code, field: field.as_deref() }).unwrap_or_default()
}

/// Writes an answer as lines.
pub(super) struct Lines {
    shape: Shape,
    model: String,
    time: String,
    /// Calls come whole: they are kept until the answer ends.
    answer: Answer,
}

impl Lines {
    pub(super) fn new(shape: Shape, query: &Query) -> Self {
        Self { shape, model: query.model.clone(), time: rfc3339(query.asked_at), answer: Answer::default() }
    }

    fn write(&self, words: Words, ending: Option<Ending<'_>>, out: &mut Vec<u8>) {
        let head = Head { shape: self.shape, model: &self.model, time: &self.time };
        out.extend(line(head, words, ending));
        out.push(b'\n');
    }
}

impl Writer for Lines {
    fn piece(&mut self, piece: &Piece, out: &mut Vec<u8>) {
        match piece {
            Piece::Start { model, .. } if !model.is_empty() => self.model.clone_from(model),
            Piece::Text(text) | Piece::Refusal(text) => self.write(Words { text, ..Words::default() }, None, out),
            Piece::Thinking(thinking) => self.write(Words { thinking, ..Words::default() }, None, out),
            Piece::Start { .. } | Piece::Signature(_) => {}
            Piece::ToolCall { .. } | Piece::Arguments { .. } | Piece::Finish(_) | Piece::Usage(_) => self.answer.add(piece),
        }
    }

    fn end(&mut self, receipt: &Receipt, out: &mut Vec<u8>) {
        let calls = wire_calls(&self.answer.calls);
        if !calls.is_empty() && self.shape == Shape::Chat {
            self.write(Words { calls: &calls, ..Words::default() }, None, out);
        }
        let Answer { finish, usage, .. } = &self.answer;
        let ending = Ending::new(finish.as_ref(), usage.as_ref(), Some(receipt));
        self.write(Words::default(), Some(ending), out);
    }

    fn fail(&mut self, failure: &Failure, out: &mut Vec<u8>) {
        out.extend(refusal(failure));
        out.push(b'\n');
    }
}
