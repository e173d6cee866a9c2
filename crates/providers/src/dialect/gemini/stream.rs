//! Gemini's stream: server-sent events, each a chunk of the answer with what was used so far. Nothing says that it ends but the
//! reason of the answer's end.

use lab3_compute::Usage;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{SIGNATURE_MARK, message};
use crate::dialect::{Broken, Reader};
use crate::{Finish, LineReader, Piece};

/// Longest event over several lines, in bytes.
const DATA_BYTES_MAX: usize = 8 << 20;
/// Longest error outside of an event, in bytes.
const STRAY_BYTES_MAX: usize = 16 << 10;
/// Longest part of an answer's id in the id of a call: others allow 40 characters for the whole.
const ID_CHARS_MAX: usize = 24;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Chunk<'a> {
    #[serde(borrow)]
    candidates: Option<Vec<Candidate<'a>>>,
    prompt_feedback: Option<Feedback>,
    usage_metadata: Option<Counts>,
    model_version: Option<String>,
    response_id: Option<String>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Candidate<'a> {
    #[serde(default)]
    index: u32,
    #[serde(borrow)]
    content: Option<Content<'a>>,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Content<'a> {
    #[serde(borrow)]
    parts: Option<Vec<Part<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part<'a> {
    text: Option<String>,
    thought: Option<bool>,
    thought_signature: Option<String>,
    #[serde(borrow)]
    function_call: Option<FunctionCall<'a>>,
}

#[derive(Deserialize)]
struct FunctionCall<'a> {
    id: Option<String>,
    #[serde(default)]
    name: String,
    #[serde(borrow)]
    args: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Feedback {
    block_reason: Option<String>,
}

/// Tokens so far. A count that is 0 is left out.
#[derive(Deserialize)]
struct Counts {
    #[serde(rename = "promptTokenCount")]
    prompt: Option<u64>,
    #[serde(rename = "cachedContentTokenCount")]
    cached_content: Option<u64>,
    #[serde(rename = "toolUsePromptTokenCount")]
    tool_use_prompt: Option<u64>,
    #[serde(rename = "candidatesTokenCount")]
    candidates: Option<u64>,
    #[serde(rename = "thoughtsTokenCount")]
    thoughts: Option<u64>,
    #[serde(rename = "totalTokenCount")]
    total: Option<u64>,
}

impl Counts {
    /// What was used; `None` when nothing was counted yet.
    fn usage(&self) -> Option<Usage> {
        let counted = [self.prompt, self.candidates, self.thoughts, self.total];
        if counted.iter().all(Option::is_none) {
            return None;
        }
        let [prompt, cached, tools, thoughts] =
            [self.prompt, self.cached_content, self.tool_use_prompt, self.thoughts].map(Option::unwrap_or_default);
        // The total is the sum of the prompt, tools, thoughts and text: it tells the text where that is not said.
        let text = self
            .candidates
            .unwrap_or_else(|| [prompt, tools, thoughts].into_iter().fold(self.total.unwrap_or_default(), u64::saturating_sub));
        Some(Usage {
            input: prompt.saturating_sub(cached).saturating_add(tools),
            cache_read: cached,
            output: text.saturating_add(thoughts),
            reasoning: thoughts,
            ..Usage::default()
        })
    }
}

/// Gemini's stream as it is read.
#[derive(Default)]
pub(super) struct Stream {
    lines: LineReader,
    events: Events,
}

impl Reader for Stream {
    fn read(&mut self, bytes: &[u8], pieces: &mut Vec<Piece>) -> Result<(), Broken> {
        let Self { lines, events } = self;
        let mut outcome = Ok(());
        let read = lines.push(bytes, |line| {
            if outcome.is_ok() {
                outcome = events.take(line, pieces);
            }
        });
        outcome.and(read.map_err(|error| Broken::Malformed(error.to_string())))
    }

    fn is_done(&self) -> bool {
        self.events.answer.is_done
    }
}

/// The stream's lines as they become events.
#[derive(Default)]
struct Events {
    /// Data of an event whose JSON is not whole yet.
    data: String,
    /// What came outside of events: errors do, as JSON over several lines.
    stray: String,
    answer: Answer,
}

impl Events {
    fn take(&mut self, line: &str, pieces: &mut Vec<Piece>) -> Result<(), Broken> {
        if let Some(data) = line.strip_prefix("data:") {
            return self.take_data(data, pieces);
        }
        if line.is_empty() {
            return match std::mem::take(&mut self.data).as_str() {
                "" => Ok(()),
                data => self.answer.take(data, pieces)?.then_some(()).ok_or_else(|| Broken::Malformed("an event is cut off".to_owned())),
            };
        }
        if ["event:", "id:", "retry:", ":"].iter().any(|field| line.starts_with(field)) {
            return Ok(());
        }
        self.stray.push_str(line);
        if self.stray.len() > STRAY_BYTES_MAX {
            return Err(Broken::Malformed("it is not a stream of events".to_owned()));
        }
        match message(&self.stray) {
            Some(message) if line.ends_with(['}', ']']) => Err(Broken::Failed(message)),
            _ => Ok(()),
        }
    }

    /// An event's data is one line as a rule: it is read from there, and without waiting for the event's end.
    fn take_data(&mut self, data: &str, pieces: &mut Vec<Piece>) -> Result<(), Broken> {
        if self.data.is_empty() && self.answer.take(data, pieces)? {
            return Ok(());
        }
        if self.data.len() + data.len() > DATA_BYTES_MAX {
            return Err(Broken::Malformed("an event has no end".to_owned()));
        }
        self.data.push_str(data);
        self.data.push('\n');
        Ok(())
    }
}

/// What of the answer was read.
#[derive(Default)]
struct Answer {
    id: String,
    is_started: bool,
    calls: u32,
    is_signed: bool,
    is_done: bool,
}

impl Answer {
    /// Takes a chunk in; false when its text is not all of it.
    fn take(&mut self, text: &str, pieces: &mut Vec<Piece>) -> Result<bool, Broken> {
        let chunk: Chunk = match serde_json::from_str(text) {
            Ok(chunk) => chunk,
            Err(error) if error.is_eof() => return Ok(false),
            Err(_) if text.trim() == "[DONE]" => return Ok(true),
            Err(error) => return Err(message(text).map_or_else(|| Broken::Malformed(error.to_string()), Broken::Failed)),
        };
        if chunk.error.is_some() {
            return Err(Broken::Failed(message(text).unwrap_or_else(|| "without a message".to_owned())));
        }
        self.start(&chunk, pieces);
        // Pieces are of one answer, and one was asked for.
        let candidate = chunk.candidates.into_iter().flatten().find(|candidate| candidate.index == 0);
        let (content, reason) = candidate.map_or((None, None), |candidate| (candidate.content, candidate.finish_reason));
        for part in content.and_then(|content| content.parts).into_iter().flatten() {
            self.part(part, pieces);
        }
        // Before the end, which may be an error: what was used is owed all the same.
        pieces.extend(chunk.usage_metadata.and_then(|counts| counts.usage()).map(Piece::Usage));
        let blocked = chunk.prompt_feedback.and_then(|feedback| feedback.block_reason);
        self.end(reason.as_deref(), blocked.is_some(), pieces)?;
        Ok(true)
    }

    fn start(&mut self, chunk: &Chunk, pieces: &mut Vec<Piece>) {
        if self.is_started {
            return;
        }
        self.is_started = true;
        self.id = chunk.response_id.clone().unwrap_or_default();
        pieces.push(Piece::Start { id: self.id.clone(), model: chunk.model_version.clone().unwrap_or_default() });
    }

    fn part(&mut self, part: Part, pieces: &mut Vec<Piece>) {
        if let Some(text) = part.text.filter(|text| !text.is_empty()) {
            pieces.push(if part.thought == Some(true) { Piece::Thinking(text) } else { Piece::Text(text) });
        }
        let Some(function) = part.function_call else { return };
        // Only the first call's signature is demanded back. One on a text may be left out, and two would run into each other.
        if let Some(signature) = part.thought_signature.filter(|_| !self.is_signed) {
            self.is_signed = true;
            pieces.push(Piece::Signature(format!("{SIGNATURE_MARK}{signature}")));
        }
        let call = self.calls;
        self.calls += 1;
        let id = function.id.filter(|id| !id.is_empty()).unwrap_or_else(|| self.call_id(call));
        let json = function.args.map(RawValue::get).filter(|args| *args != "null").unwrap_or("{}").to_owned();
        pieces.extend([Piece::ToolCall { call, id, name: function.name }, Piece::Arguments { call, json }]);
    }

    /// An id for a call without one. The answer's id is in it: other providers demand that ids are unique in a conversation.
    fn call_id(&self, call: u32) -> String {
        let is_plain = |c: &char| c.is_ascii_alphanumeric() || *c == '-' || *c == '_';
        match self.id.chars().filter(is_plain).take(ID_CHARS_MAX).collect::<String>().as_str() {
            "" => format!("call_{call}"),
            id => format!("call_{id}_{call}"),
        }
    }

    fn end(&mut self, reason: Option<&str>, is_blocked: bool, pieces: &mut Vec<Piece>) -> Result<(), Broken> {
        let finish = match reason {
            _ if is_blocked => Finish::Filtered,
            None | Some("" | "FINISH_REASON_UNSPECIFIED") => return Ok(()),
            Some("STOP") if self.calls > 0 => Finish::ToolCalls,
            Some("STOP") => Finish::Stop,
            Some("MAX_TOKENS" | "CONTINUATION") => Finish::Length,
            Some(
                reason @ ("MALFORMED_FUNCTION_CALL"
                | "MALFORMED_RESPONSE"
                | "UNEXPECTED_TOOL_CALL"
                | "TOO_MANY_TOOL_CALLS"
                | "MISSING_THOUGHT_SIGNATURE"),
            ) => return Err(Broken::Failed(format!("the answer cannot be used ({reason})"))),
            // SAFETY, RECITATION, BLOCKLIST, PROHIBITED_CONTENT, SPII, LANGUAGE, OTHER and what is still to come: somebody at the
            // provider did not let the answer come to its end.
            Some(_) => Finish::Filtered,
        };
        if !self.is_done {
            self.is_done = true;
            pieces.push(Piece::Finish(finish));
        }
        Ok(())
    }
}
