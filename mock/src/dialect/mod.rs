//! Dialects: each reads a request and writes answers and errors, from the protocols' public documentation. Nothing here is shared with
//! the gateway, so that a mistake in one shows against the other.

pub(crate) mod anthropic;
mod call;
pub(crate) mod embeddings;
pub(crate) mod gemini;
pub(crate) mod ollama;
pub(crate) mod openai_chat;
pub(crate) mod openai_responses;

use std::fmt::{self, Display, Write as _};

use hyper::body::Bytes;
use percent_encoding::percent_decode_str;

pub(crate) use self::call::{ARGUMENTS_START, Call};
use crate::plan::Plan;
use crate::script::{Script, UsageMode};

/// The time every answer bears: 2025-01-01T00:00:00Z, in seconds since 1970. The mock reads no clock.
pub(crate) const CREATED: u64 = 1_735_689_600;

/// The same as text.
pub(crate) const CREATED_TEXT: &str = "2025-01-01T00:00:00.123456Z";

/// What a request's head says that a dialect may need.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head<'a> {
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
}

/// What is asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ask {
    pub(crate) model: String,
    pub(crate) stream: bool,
    /// Most output tokens of one answer.
    pub(crate) limit: Option<u64>,
    /// Words of all text.
    pub(crate) words: u64,
    /// How many answers are wanted.
    pub(crate) answers: u32,
    /// Whether the stream shall tell its usage, where that is asked for.
    pub(crate) usage: bool,
    /// Whether thoughts shall be told, where that is asked for.
    pub(crate) thoughts: Option<bool>,
    /// Whether the stream is a JSON array (Gemini) or embeddings are base64.
    pub(crate) packed: bool,
    /// Texts to embed, and the length of their vectors.
    pub(crate) embeddings: (usize, usize),
}

/// How a dialect reads and writes.
pub(crate) trait Dialect: Send + Sync + 'static {
    /// Type of a streamed answer.
    const STREAM_TYPE: &'static str = "text/event-stream; charset=utf-8";

    /// The line between events that says the connection lives.
    const KEEP_ALIVE: &'static str = ": keep-alive\n\n";

    /// Reads a request; the error is for the client.
    fn read(head: Head<'_>, body: &[u8]) -> Result<Ask, String>;

    /// The events of a streamed answer.
    fn stream(answer: &Answer<'_>) -> Plan;

    /// An answer in one piece.
    fn whole(answer: &Answer<'_>) -> String;

    /// The body of an error.
    fn error(status: u16, message: &str, retry_after: Option<u64>) -> String;

    /// The events of an error in mid-stream.
    fn stream_error(answer: &Answer<'_>) -> Vec<String>;
}

/// An answer about to be written.
#[derive(Clone, Debug)]
pub(crate) struct Answer<'a> {
    pub(crate) script: &'a Script,
    pub(crate) ask: &'a Ask,
    /// A number no other answer has.
    pub(crate) serial: u64,
    /// The model's name as JSON.
    pub(crate) model: String,
    /// Whether the limit ends it.
    pub(crate) is_short: bool,
    /// Tokens of one answer that are thoughts.
    pub(crate) reasoning: u64,
    /// Tokens of one answer that are said.
    pub(crate) said: u64,
}

/// A text and how often it comes.
pub(crate) struct TextEvents {
    pub(crate) text: String,
    pub(crate) times: u64,
    /// Tokens of the text.
    pub(crate) tokens: u64,
}

/// What is told of the tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Of the whole query, those below included.
    pub(crate) input: u64,
    pub(crate) cached: u64,
    pub(crate) write_5m: u64,
    pub(crate) write_1h: u64,
    /// Of all answers, thoughts included.
    pub(crate) output: u64,
    pub(crate) reasoning: u64,
}

impl Usage {
    pub(crate) fn total(&self) -> u64 {
        self.input.saturating_add(self.output)
    }

    /// Written to the cache.
    pub(crate) fn written(&self) -> u64 {
        self.write_5m.saturating_add(self.write_1h)
    }

    /// Read at the full price.
    pub(crate) fn fresh(&self) -> u64 {
        self.input.saturating_sub(self.cached).saturating_sub(self.written())
    }
}

impl<'a> Answer<'a> {
    pub(crate) fn new(script: &'a Script, ask: &'a Ask, serial: u64) -> Self {
        // Where nothing is said at all, nobody says too much.
        let limit = ask.limit.filter(|limit| !script.ignore_limit || *limit == 0).unwrap_or(u64::MAX);
        let tokens = script.tokens.min(limit);
        let reasoning = script.reasoning.min(tokens);
        let model = json(&ask.model);
        Self { script, ask, serial, model, is_short: tokens < script.tokens, reasoning, said: tokens - reasoning }
    }

    /// How many answers there are, at least one.
    pub(crate) fn answers(&self) -> u32 {
        self.ask.answers.max(1)
    }

    /// Whether thoughts are told, in a dialect that does or does not when nobody says.
    pub(crate) fn tells_thoughts(&self, usually: bool) -> bool {
        self.reasoning > 0 && self.script.thoughts.or(self.ask.thoughts).unwrap_or(usually)
    }

    /// What is told of the tokens, true or not.
    pub(crate) fn usage(&self) -> Usage {
        let script = self.script;
        let parts = [script.cached, script.write_5m, script.write_1h].into_iter().fold(0, u64::saturating_add);
        let answers = u64::from(self.answers());
        let factor = match script.usage {
            UsageMode::Zero => 0,
            UsageMode::Double => 2,
            _ => 1,
        };
        Usage {
            input: script.input.unwrap_or(self.ask.words.max(parts)).saturating_mul(factor),
            cached: script.cached.saturating_mul(factor),
            write_5m: script.write_5m.saturating_mul(factor),
            write_1h: script.write_1h.saturating_mul(factor),
            output: (self.reasoning + self.said).saturating_mul(answers * factor),
            reasoning: self.reasoning.saturating_mul(answers * factor),
        }
    }

    /// What is said, event by event.
    pub(crate) fn said_events(&self) -> Vec<TextEvents> {
        self.text_events(self.said)
    }

    /// What is thought, event by event.
    pub(crate) fn thought_events(&self) -> Vec<TextEvents> {
        self.word_events(self.reasoning)
    }

    /// So many tokens, event by event, of which the first may be big.
    fn text_events(&self, tokens: u64) -> Vec<TextEvents> {
        if self.script.big == 0 || tokens == 0 {
            return self.word_events(tokens);
        }
        let mut events = vec![TextEvents { text: "x".repeat(self.script.big), times: 1, tokens: 1 }];
        events.extend(self.word_events(tokens - 1));
        events
    }

    /// So many tokens, event by event.
    fn word_events(&self, tokens: u64) -> Vec<TextEvents> {
        let per_event = self.script.per_event;
        let groups = [(per_event, tokens / per_event), (tokens % per_event, 1)];
        let groups = groups.into_iter().filter(|(tokens, times)| *tokens > 0 && *times > 0);
        groups.map(|(tokens, times)| TextEvents { text: repeat(&self.script.text, tokens), times, tokens }).collect()
    }

    /// All that is said.
    pub(crate) fn said_text(&self) -> String {
        joined(&self.said_events())
    }

    /// All that is thought.
    pub(crate) fn thought_text(&self) -> String {
        joined(&self.thought_events())
    }

    /// The object of the usage, unless the script has none or null.
    pub(crate) fn usage_or(&self, object: impl FnOnce() -> String) -> String {
        match self.script.usage {
            UsageMode::None => String::new(),
            UsageMode::Null => "null".to_owned(),
            _ => object(),
        }
    }

    /// An id no other answer has, written as JSON.
    pub(crate) fn id(&self, prefix: &str) -> String {
        format!("\"{prefix}mock{}\"", self.serial)
    }

    /// Why it ends, as JSON: as the script says, otherwise the dialect's word for its limit, a call or the end.
    pub(crate) fn finish(&self, length: &str, call: &str, stop: &str) -> String {
        match self.script.finish.as_deref() {
            Some("none") => "null".to_owned(),
            Some(word) => json(word),
            None if self.is_short => json(length),
            None if self.script.tool.is_some() => json(call),
            None => json(stop),
        }
    }
}

/// A text as JSON.
pub(crate) fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A text as JSON without its quotes.
pub(crate) fn json_inner(text: &str) -> String {
    let quoted = json(text);
    quoted[1..quoted.len() - 1].to_owned()
}

fn joined(events: &[TextEvents]) -> String {
    events.iter().map(|event| repeat(&event.text, event.times)).collect()
}

fn repeat(text: &str, times: u64) -> String {
    text.repeat(usize::try_from(times).unwrap_or(usize::MAX))
}

/// An object of these fields in their order; a field whose value is empty is left out.
pub(crate) fn object(fields: &[(&str, &dyn Display)]) -> String {
    let mut text = String::with_capacity(256);
    for (name, value) in fields {
        let before = text.len();
        let separator = if before == 0 { '{' } else { ',' };
        // Writing to memory does not fail.
        let _ = write!(text, "{separator}\"{name}\":");
        let start = text.len();
        let _ = write!(text, "{value}");
        if text.len() == start {
            text.truncate(before);
        }
    }
    text.push_str(if text.is_empty() { "{}" } else { "}" });
    text
}

/// An array of these values.
pub(crate) fn array(values: impl IntoIterator<Item = String>) -> String {
    format!("[{}]", values.into_iter().collect::<Vec<_>>().join(","))
}

/// A text, written as JSON.
pub(crate) struct Text<'a>(pub(crate) &'a str);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&json(self.0))
    }
}

/// The text, if that is so; otherwise none.
pub(crate) fn when(is: bool, text: impl FnOnce() -> String) -> String {
    if is { text() } else { String::new() }
}

/// Reads a request's body; the error is for the client.
pub(crate) fn body<'a, T: serde::Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, String> {
    serde_json::from_slice(bytes).map_err(|error| format!("the body is not as it should be: {error}"))
}

/// A part of a path as it was meant.
pub(crate) fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Part of an answer in one piece, in proportion to the events sent of all.
pub(crate) fn share(whole: &Bytes, sent: u64, of: u64) -> Bytes {
    let bytes = u128::try_from(whole.len()).unwrap_or(u128::MAX).saturating_mul(u128::from(sent)) / u128::from(of.max(1));
    whole.slice(..usize::try_from(bytes).unwrap_or(usize::MAX).min(whole.len()))
}
