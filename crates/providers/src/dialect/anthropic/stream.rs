//! Reading the provider's stream. Its usage comes in parts: the query's with the beginning, the answer's (counted from the start, not
//! what was added) with the end, where newer servers say the query's again.

use std::collections::HashMap;

use lab3_compute::Usage;
use serde::Deserialize;
use serde_json::Number;
use serde_json::value::RawValue;

use super::ApiError;
use crate::dialect::signature::ANTHROPIC;
use crate::dialect::{Broken, Reader};
use crate::{Event, EventReader, Finish, Piece};

/// Reads a message's stream.
#[derive(Default)]
pub(super) struct MessageReader {
    events: EventReader,
    message: Message,
}

impl Reader for MessageReader {
    fn read(&mut self, bytes: &[u8], pieces: &mut Vec<Piece>) -> Result<(), Broken> {
        let Self { events, message } = self;
        let mut read = Ok(());
        let split = events.push(bytes, |event| {
            if read.is_ok() {
                read = message.event(event, pieces);
            }
        });
        read.and(split.map_err(|error| Broken::Malformed(error.to_string())))
    }

    fn is_done(&self) -> bool {
        self.message.done
    }
}

/// A message as far as it came.
#[derive(Default)]
struct Message {
    started: bool,
    done: bool,
    /// Calls so far.
    calls: u32,
    /// The block of thoughts of whose signature some came.
    signed: Option<u64>,
    /// The calls whose blocks are open, by the block's index.
    open: HashMap<u64, OpenCall>,
    counts: Counts,
}

/// A call whose arguments are coming.
struct OpenCall {
    call: u32,
    /// The arguments that came with the beginning: what counts when no others follow.
    input: String,
    has_arguments: bool,
}

/// An event. Its parts are read when its kind is known: others may have parts of the same name that are something else.
#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(rename = "type", default)]
    kind: String,
    index: Option<Number>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    #[serde(borrow)]
    content_block: Option<&'a RawValue>,
    #[serde(borrow)]
    delta: Option<&'a RawValue>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

/// What a block or a delta is.
#[derive(Deserialize)]
struct Kind {
    #[serde(rename = "type", default)]
    kind: String,
}

#[derive(Deserialize)]
struct Started {
    id: Option<String>,
    model: Option<String>,
    usage: Option<WireUsage>,
}

#[derive(Default, Deserialize)]
struct Block<'a> {
    text: Option<String>,
    thinking: Option<String>,
    signature: Option<String>,
    id: Option<String>,
    name: Option<String>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
struct Delta {
    text: Option<String>,
    thinking: Option<String>,
    signature: Option<String>,
    partial_json: Option<String>,
    stop_reason: Option<String>,
    stop_sequence: Option<String>,
    stop_details: Option<StopDetails>,
}

#[derive(Deserialize)]
struct StopDetails {
    explanation: Option<String>,
}

/// Numbers that are none of ours (negative, broken) are passed over, not stumbled at.
#[derive(Deserialize)]
struct WireUsage {
    input_tokens: Option<Number>,
    output_tokens: Option<Number>,
    cache_read_input_tokens: Option<Number>,
    cache_creation_input_tokens: Option<Number>,
    cache_creation: Option<WireCacheCreation>,
    output_tokens_details: Option<WireOutputDetails>,
    server_tool_use: Option<WireToolUse>,
}

#[derive(Deserialize)]
struct WireCacheCreation {
    ephemeral_5m_input_tokens: Option<Number>,
    ephemeral_1h_input_tokens: Option<Number>,
}

#[derive(Deserialize)]
struct WireOutputDetails {
    thinking_tokens: Option<Number>,
}

#[derive(Deserialize)]
struct WireToolUse {
    web_search_requests: Option<Number>,
}

impl Message {
    fn event(&mut self, event: &Event, pieces: &mut Vec<Piece>) -> Result<(), Broken> {
        // Some servers end as OpenAI's do, some ping without data worth the name; and nothing counts after the end.
        if self.done || event.name == "ping" || event.data.trim() == "[DONE]" {
            return Ok(());
        }
        let wire: Wire = serde_json::from_str(&event.data).map_err(|error| malformed(&error))?;
        let index = wire.index.and_then(|index| index.as_u64()).unwrap_or_default();
        match wire.kind.as_str() {
            "message_start" => self.start(part(wire.message)?, pieces),
            "content_block_start" => self.open_block(index, wire.content_block, pieces)?,
            "content_block_delta" => self.delta(index, wire.delta, pieces)?,
            "content_block_stop" => self.close_call(index, pieces),
            "message_delta" => self.change(part(wire.delta)?, part(wire.usage)?.as_ref(), pieces),
            "message_stop" => {
                self.close_calls(pieces);
                self.done = true;
            }
            "error" => return Err(Broken::Failed(part::<ApiError>(wire.error)?.unwrap_or_default().sentence())),
            // The API may send kinds of events that are not yet known.
            _ => {}
        }
        Ok(())
    }

    fn start(&mut self, started: Option<Started>, pieces: &mut Vec<Piece>) {
        let Some(Started { id, model, usage }) = started.filter(|_| !self.started) else { return };
        self.started = true;
        pieces.push(Piece::Start { id: id.unwrap_or_default(), model: model.unwrap_or_default() });
        pieces.extend(usage.map(|usage| self.counts.take(&usage)));
    }

    fn open_block(&mut self, index: u64, raw: Option<&RawValue>, pieces: &mut Vec<Piece>) -> Result<(), Broken> {
        match kind(raw)?.as_str() {
            "text" => pieces.extend(said(part::<Block>(raw)?.unwrap_or_default().text).map(Piece::Text)),
            "thinking" => {
                let block = part::<Block>(raw)?.unwrap_or_default();
                pieces.extend(said(block.thinking).map(Piece::Thinking));
                self.sign(index, block.signature, pieces);
            }
            "tool_use" => {
                let block = part::<Block>(raw)?.unwrap_or_default();
                let call = self.calls;
                self.calls = self.calls.saturating_add(1);
                pieces.push(Piece::ToolCall { call, id: block.id.unwrap_or_default(), name: block.name.unwrap_or_default() });
                let input = block.input.map(RawValue::get).filter(|input| input.starts_with('{')).unwrap_or("{}").to_owned();
                self.open.insert(index, OpenCall { call, input, has_arguments: false });
            }
            // Hidden thoughts and the tools the provider runs itself: nothing of them can be told in another dialect.
            _ => {}
        }
        Ok(())
    }

    /// More of a signature, which begins with whose it is.
    fn sign(&mut self, index: u64, signature: Option<String>, pieces: &mut Vec<Piece>) {
        let Some(signature) = said(signature) else { return };
        let mark = if self.signed == Some(index) { "" } else { ANTHROPIC };
        self.signed = Some(index);
        pieces.push(Piece::Signature(format!("{mark}{signature}")));
    }

    fn delta(&mut self, index: u64, raw: Option<&RawValue>, pieces: &mut Vec<Piece>) -> Result<(), Broken> {
        let kind = kind(raw)?;
        if !matches!(kind.as_str(), "text_delta" | "thinking_delta" | "signature_delta" | "input_json_delta") {
            return Ok(());
        }
        let delta = part::<Delta>(raw)?.unwrap_or_default();
        pieces.extend(said(delta.text).map(Piece::Text));
        pieces.extend(said(delta.thinking).map(Piece::Thinking));
        self.sign(index, delta.signature, pieces);
        // Tools that the provider runs itself get their arguments the same way; they are no calls.
        if let (Some(open), Some(json)) = (self.open.get_mut(&index), said(delta.partial_json)) {
            open.has_arguments = true;
            pieces.push(Piece::Arguments { call: open.call, json });
        }
        Ok(())
    }

    /// A call without arguments streams none, where readers of other dialects expect JSON.
    fn close_call(&mut self, index: u64, pieces: &mut Vec<Piece>) {
        if let Some(open) = self.open.remove(&index).filter(|open| !open.has_arguments) {
            pieces.push(Piece::Arguments { call: open.call, json: open.input });
        }
    }

    fn close_calls(&mut self, pieces: &mut Vec<Piece>) {
        let mut left = self.open.keys().copied().collect::<Vec<_>>();
        left.sort_unstable();
        for index in left {
            self.close_call(index, pieces);
        }
    }

    fn change(&mut self, delta: Option<Delta>, usage: Option<&WireUsage>, pieces: &mut Vec<Piece>) {
        let Delta { stop_reason, stop_sequence, stop_details, .. } = delta.unwrap_or_default();
        if let Some(reason) = stop_reason {
            self.close_calls(pieces);
            pieces.extend(said(stop_details.and_then(|details| details.explanation)).map(Piece::Refusal));
            pieces.push(Piece::Finish(finish(&reason, stop_sequence)));
        }
        pieces.extend(usage.map(|usage| self.counts.take(usage)));
    }
}

fn malformed(error: &serde_json::Error) -> Broken {
    Broken::Malformed(format!("{error} in an event"))
}

/// A part of an event, if it is there.
fn part<'a, T: Deserialize<'a>>(raw: Option<&'a RawValue>) -> Result<Option<T>, Broken> {
    raw.map(|raw| serde_json::from_str(raw.get()).map_err(|error| malformed(&error))).transpose()
}

fn kind(raw: Option<&RawValue>) -> Result<String, Broken> {
    Ok(part::<Kind>(raw)?.map(|part| part.kind).unwrap_or_default())
}

/// Text that says something.
fn said(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

fn finish(reason: &str, stop_sequence: Option<String>) -> Finish {
    match reason {
        "stop_sequence" => stop_sequence.map_or(Finish::Stop, Finish::StopText),
        "max_tokens" | "model_context_window_exceeded" => Finish::Length,
        "tool_use" => Finish::ToolCalls,
        "refusal" => Finish::Filtered,
        "pause_turn" => Finish::Paused,
        // end_turn, and what is not yet known.
        _ => Finish::Stop,
    }
}

/// The counts so far. Each that is said again replaces the one before: they count from the start.
#[derive(Default)]
struct Counts {
    input: u64,
    cache_read: u64,
    cache_write: u64,
    cache_write_1h: u64,
    output: u64,
    reasoning: u64,
    tool_runs: u64,
}

impl Counts {
    /// Takes what is said now; tells all that is known.
    fn take(&mut self, said: &WireUsage) -> Piece {
        let number = |number: &Option<Number>| number.as_ref().and_then(Number::as_u64);
        let query = [&said.input_tokens, &said.cache_read_input_tokens, &said.cache_creation_input_tokens].map(number);
        // No query has no tokens: some servers say 0 at the beginning, some at the end, and mean that they say it elsewhere.
        if query.iter().flatten().any(|&tokens| tokens > 0) {
            let [input, cache_read, cache_write] = query;
            self.input = input.unwrap_or(self.input);
            self.cache_read = cache_read.unwrap_or(self.cache_read);
            self.written(cache_write, said.cache_creation.as_ref());
        }
        self.output = number(&said.output_tokens).unwrap_or(self.output);
        let details = said.output_tokens_details.as_ref();
        self.reasoning = details.and_then(|details| number(&details.thinking_tokens)).unwrap_or(self.reasoning);
        let tools = said.server_tool_use.as_ref();
        self.tool_runs = tools.and_then(|tools| number(&tools.web_search_requests)).unwrap_or(self.tool_runs);
        Piece::Usage(self.usage())
    }

    /// The tokens written to the cache, of which some say for how long. Without that word they are as they were before: all for
    /// an hour when all were, else five minutes, which is the default.
    fn written(&mut self, total: Option<u64>, parts: Option<&WireCacheCreation>) {
        let number = |number: &Option<Number>| number.as_ref().and_then(Number::as_u64).unwrap_or(0);
        match (total, parts) {
            (_, Some(parts)) => {
                self.cache_write_1h = number(&parts.ephemeral_1h_input_tokens);
                let sum = number(&parts.ephemeral_5m_input_tokens).saturating_add(self.cache_write_1h);
                self.cache_write = total.unwrap_or(0).max(sum);
            }
            (Some(total), None) => {
                let all_long = self.cache_write > 0 && self.cache_write_1h == self.cache_write;
                self.cache_write_1h = if all_long { total } else { self.cache_write_1h.min(total) };
                self.cache_write = total;
            }
            (None, None) => {}
        }
    }

    fn usage(&self) -> Usage {
        Usage {
            input: self.input,
            cache_read: self.cache_read,
            cache_write_5m: self.cache_write.saturating_sub(self.cache_write_1h),
            cache_write_1h: self.cache_write_1h,
            output: self.output,
            reasoning: self.reasoning.min(self.output),
            tool_runs: self.tool_runs,
        }
    }
}
