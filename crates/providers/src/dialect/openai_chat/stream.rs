//! A provider's stream, read into pieces.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::calls::{CallPart, Calls, FunctionPart, text};
use super::usage;
use crate::dialect::{Broken, Reader};
use crate::{Event, EventReader, Finish, Piece};

/// Reads the chunks of one answer. Of several answers to one query the first is read; the usage is of all.
#[derive(Debug, Default)]
pub(super) struct ChatReader {
    events: EventReader,
    answer: Reading,
}

#[derive(Debug, Default)]
struct Reading {
    is_started: bool,
    is_finished: bool,
    is_done: bool,
    calls: Calls,
}

impl Reader for ChatReader {
    fn read(&mut self, bytes: &[u8], pieces: &mut Vec<Piece>) -> Result<(), Broken> {
        let Self { events, answer } = self;
        let mut result = Ok(());
        let read = events.push(bytes, |event| {
            if result.is_ok() {
                result = answer.event(event, pieces);
            }
        });
        result?;
        read.map_err(|broken| Broken::Malformed(broken.to_string()))
    }

    /// Not every server says `[DONE]`; each says why the answer ends.
    fn is_done(&self) -> bool {
        self.answer.is_done || self.answer.is_finished
    }
}

#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    model: Option<&'a RawValue>,
    #[serde(borrow)]
    choices: Option<Vec<Choice<'a>>>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    #[serde(borrow)]
    x_groq: Option<Groq<'a>>,
    /// Where llama.cpp tells it when it was not asked for usage.
    #[serde(borrow)]
    timings: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
    #[serde(borrow)]
    object: Option<&'a RawValue>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Groq<'a> {
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    index: Option<u32>,
    #[serde(borrow)]
    delta: Option<Delta<'a>>,
    #[serde(borrow)]
    finish_reason: Option<&'a RawValue>,
    /// Where Moonshot tells it.
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    /// The thoughts, as DeepSeek and most who show them have it.
    #[serde(borrow)]
    reasoning_content: Option<&'a RawValue>,
    /// The thoughts, as newer servers have it; some send both.
    #[serde(borrow)]
    reasoning: Option<&'a RawValue>,
    #[serde(borrow)]
    refusal: Option<&'a RawValue>,
    #[serde(borrow)]
    tool_calls: Option<Vec<CallPart<'a>>>,
    #[serde(borrow)]
    function_call: Option<FunctionPart<'a>>,
}

impl Reading {
    fn event(&mut self, event: &Event, pieces: &mut Vec<Piece>) -> Result<(), Broken> {
        let data = event.data.trim();
        if self.is_done || data.is_empty() {
            return Ok(());
        }
        if data.starts_with("[DONE]") {
            self.is_done = true;
            return Ok(());
        }
        let chunk: Chunk<'_> = serde_json::from_str(data).map_err(|error| Broken::Malformed(error.to_string()))?;
        let failure = failure(&chunk, &event.name);
        let result = self.chunk(chunk, pieces);
        match failure {
            Some(failure) => Err(Broken::Failed(failure)),
            None => result,
        }
    }

    fn chunk(&mut self, chunk: Chunk<'_>, pieces: &mut Vec<Piece>) -> Result<(), Broken> {
        let choices = chunk.choices.unwrap_or_default();
        let id = text(chunk.id).unwrap_or_default();
        // Azure begins with a chunk about the query that has no id.
        if !self.is_started && (!id.is_empty() || !choices.is_empty()) {
            self.is_started = true;
            pieces.push(Piece::Start { id, model: text(chunk.model).unwrap_or_default() });
        }
        let mut told = chunk.usage.or(chunk.x_groq.and_then(|groq| groq.usage));
        let mut result = Ok(());
        for choice in choices {
            told = told.or(choice.usage);
            if choice.index.unwrap_or(0) == 0 {
                result = result.and(self.choice(choice, pieces));
            }
        }
        pieces.extend(told.or(chunk.timings).and_then(|told| usage::read(told.get())).map(Piece::Usage));
        result
    }

    fn choice(&mut self, choice: Choice<'_>, pieces: &mut Vec<Piece>) -> Result<(), Broken> {
        if let Some(delta) = choice.delta {
            self.delta(delta, pieces);
        }
        let Some(reason) = text(choice.finish_reason).filter(|reason| !reason.is_empty()) else { return Ok(()) };
        self.is_finished = true;
        pieces.push(Piece::Finish(match reason.as_str() {
            "length" | "max_tokens" | "model_length" => Finish::Length,
            "tool_calls" | "function_call" => Finish::ToolCalls,
            "content_filter" => Finish::Filtered,
            // DeepSeek is out of machines, vLLM gave up.
            "insufficient_system_resource" | "abort" | "error" => {
                self.is_finished = false;
                return Err(Broken::Failed(format!("the answer broke off: {reason}")));
            }
            // OpenAI says stop after a call it was made to do, others after each call.
            _ if !self.calls.is_empty() => Finish::ToolCalls,
            _ => Finish::Stop,
        }));
        Ok(())
    }

    fn delta(&mut self, delta: Delta<'_>, pieces: &mut Vec<Piece>) {
        let thinking = text(delta.reasoning_content).filter(|thinking| !thinking.is_empty()).or_else(|| text(delta.reasoning));
        push_text(thinking, Piece::Thinking, pieces);
        content(delta.content, pieces);
        push_text(text(delta.refusal), Piece::Refusal, pieces);
        for part in delta.tool_calls.unwrap_or_default() {
            self.calls.part(part, pieces);
        }
        if let Some(function) = delta.function_call {
            self.calls.part(CallPart { index: Some(0), id: None, function: Some(function) }, pieces);
        }
    }
}

fn push_text(text: Option<String>, kind: impl Fn(String) -> Piece, pieces: &mut Vec<Piece>) {
    pieces.extend(text.filter(|text| !text.is_empty()).map(kind));
}

/// Content is text, or a list of parts (Mistral's thoughts).
fn content(raw: Option<&RawValue>, pieces: &mut Vec<Piece>) {
    let Some(raw) = raw else { return };
    if !raw.get().starts_with('[') {
        return push_text(text(Some(raw)), Piece::Text, pieces);
    }
    let parts: Vec<Value> = serde_json::from_str(raw.get()).unwrap_or_default();
    for part in &parts {
        push_text(part["text"].as_str().map(str::to_owned), Piece::Text, pieces);
        for thought in part["thinking"].as_array().into_iter().flatten() {
            push_text(thought["text"].as_str().map(str::to_owned), Piece::Thinking, pieces);
        }
    }
}

/// The provider's word that it failed: an `error`, an event or object of that name.
fn failure(chunk: &Chunk<'_>, event: &str) -> Option<String> {
    let error: Option<Value> = chunk.error.and_then(|error| serde_json::from_str(error.get()).ok());
    if let Some(error) = error.filter(is_said) {
        return Some(message_of(&error));
    }
    let is_error = event == "error" || text(chunk.object).as_deref() == Some("error");
    is_error.then(|| text(chunk.message).unwrap_or_else(|| NO_MESSAGE.to_owned()))
}

/// Some servers write an error that says nothing into every chunk.
fn is_said(error: &Value) -> bool {
    match error {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        _ => true,
    }
}

const NO_MESSAGE: &str = "it did not say why";

/// Longest message passed on, in bytes.
const MESSAGE_BYTES_MAX: usize = 500;

/// The message of an error, in the ways servers tell it.
pub(crate) fn message_of(error: &Value) -> String {
    let found = ["/error/message", "/error", "/message", "/detail/0/msg", "/detail", "/msg"]
        .iter()
        .find_map(|path| error.pointer(path).and_then(Value::as_str))
        .or(error.as_str());
    cut(found.filter(|found| !found.trim().is_empty()).unwrap_or(NO_MESSAGE)).to_owned()
}

/// What an error reply says.
pub(crate) fn error_of(body: &[u8]) -> String {
    match serde_json::from_slice(body) {
        // Gemini puts the object into a list.
        Ok(Value::Array(list)) if !list.is_empty() => message_of(&list[0]),
        Ok(value) => message_of(&value),
        Err(_) => match String::from_utf8_lossy(body).trim() {
            "" => NO_MESSAGE.to_owned(),
            text => cut(text).to_owned(),
        },
    }
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(MESSAGE_BYTES_MAX.min(text.len()))]
}
