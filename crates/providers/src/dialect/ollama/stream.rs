//! The stream of an Ollama server: lines of JSON, the last of which says that it is and what was used.

use lab3_compute::Usage;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::message;
use crate::dialect::{Broken, Reader};
use crate::{Finish, LineReader, Piece};

#[derive(Deserialize)]
struct Line<'a> {
    model: Option<String>,
    created_at: Option<String>,
    #[serde(borrow)]
    message: Option<Message<'a>>,
    done: Option<bool>,
    done_reason: Option<String>,
    prompt_eval_count: Option<u64>,
    prompt_eval_cached_count: Option<u64>,
    eval_count: Option<u64>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Message<'a> {
    content: Option<String>,
    thinking: Option<String>,
    #[serde(borrow)]
    tool_calls: Option<Vec<Call<'a>>>,
}

#[derive(Deserialize)]
struct Call<'a> {
    id: Option<String>,
    #[serde(borrow)]
    function: Function<'a>,
}

#[derive(Deserialize)]
struct Function<'a> {
    name: String,
    #[serde(borrow)]
    arguments: Option<&'a RawValue>,
}

/// The stream as it is read.
#[derive(Default)]
pub(super) struct Stream {
    lines: LineReader,
    answer: Answer,
}

impl Reader for Stream {
    fn read(&mut self, bytes: &[u8], pieces: &mut Vec<Piece>) -> Result<(), Broken> {
        let Self { lines, answer } = self;
        let mut outcome = Ok(());
        let read = lines.push(bytes, |line| {
            if outcome.is_ok() && !line.trim().is_empty() {
                outcome = answer.take(line, pieces);
            }
        });
        outcome.and(read.map_err(|error| Broken::Malformed(error.to_string())))
    }

    fn end(&mut self, pieces: &mut Vec<Piece>) -> Result<(), Broken> {
        let line = self.lines.finish().map_err(|error| Broken::Malformed(error.to_string()))?;
        match line.filter(|line| !line.trim().is_empty()) {
            // Of what was cut off in the midst of a line nothing can be read; that the answer is not done is enough to know.
            Some(line) if serde_json::from_str::<serde::de::IgnoredAny>(&line).is_ok() => self.answer.take(&line, pieces),
            _ => Ok(()),
        }
    }

    fn is_done(&self) -> bool {
        self.answer.is_done
    }
}

/// What of the answer was read.
#[derive(Default)]
struct Answer {
    is_started: bool,
    has_content: bool,
    calls: u32,
    is_done: bool,
}

impl Answer {
    fn take(&mut self, text: &str, pieces: &mut Vec<Piece>) -> Result<(), Broken> {
        let line: Line = serde_json::from_str(text).map_err(|error| Broken::Malformed(error.to_string()))?;
        if let Some(error) = line.error {
            return Err(Broken::Failed(message(&error).unwrap_or_else(|| "without a message".to_owned())));
        }
        if !self.is_started {
            self.is_started = true;
            pieces.push(Piece::Start { id: String::new(), model: line.model.clone().unwrap_or_default() });
        }
        let before = pieces.len();
        // The last line may have content, too.
        if let Some(Message { content, thinking, tool_calls }) = line.message {
            pieces.extend(thinking.filter(|text| !text.is_empty()).map(Piece::Thinking));
            pieces.extend(content.filter(|text| !text.is_empty()).map(Piece::Text));
            for call in tool_calls.into_iter().flatten() {
                self.call(call, line.created_at.as_deref().unwrap_or_default(), pieces);
            }
        }
        self.has_content |= pieces.len() > before;
        let reason = line.done_reason.as_deref().unwrap_or_default();
        // Some servers give the reason and forget to say that they are done.
        if (line.done == Some(true) || !reason.is_empty()) && !self.is_done {
            self.is_done = true;
            pieces.extend(self.usage([line.prompt_eval_count, line.prompt_eval_cached_count, line.eval_count]).map(Piece::Usage));
            pieces.push(Piece::Finish(match reason {
                "length" => Finish::Length,
                "content_filter" => Finish::Filtered,
                // Ollama says `stop` after calls, too.
                _ if self.calls > 0 => Finish::ToolCalls,
                _ => Finish::Stop,
            }));
        }
        Ok(())
    }

    fn call(&mut self, call: Call, time: &str, pieces: &mut Vec<Piece>) {
        let number = self.calls;
        self.calls += 1;
        // Servers before 0.12.10 give no ids. The time is in ours because others demand that ids are unique in a conversation.
        let id = call.id.filter(|id| !id.is_empty()).unwrap_or_else(|| {
            match time.chars().filter(char::is_ascii_digit).collect::<String>().as_str() {
                "" => format!("call_{number}"),
                time => format!("call_{time}_{number}"),
            }
        });
        let raw = call.function.arguments.map(RawValue::get).filter(|json| *json != "null").unwrap_or("{}");
        // An object here; as text, as in OpenAI's dialect, from some servers.
        let json = serde_json::from_str::<String>(raw).unwrap_or_else(|_| raw.to_owned());
        pieces.extend([Piece::ToolCall { call: number, id, name: call.function.name }, Piece::Arguments { call: number, json }]);
    }

    /// What was used, when all of it is said. Servers leave a count out when it is 0, and older ones leave the prompt's out when
    /// they had it in their cache. A prompt is never nothing: to say 0 would be untrue, so nothing is said, and the desk counts
    /// for itself. A missing count of the answer is 0 only if nothing came.
    fn usage(&self, [prompt, cached, output]: [Option<u64>; 3]) -> Option<Usage> {
        let output = output.or((!self.has_content).then_some(0))?;
        // The prompt's count has the cached tokens in it.
        let (prompt, cached) = (prompt?, cached.unwrap_or_default());
        Some(Usage { input: prompt.saturating_sub(cached), cache_read: cached, output, ..Usage::default() })
    }
}
