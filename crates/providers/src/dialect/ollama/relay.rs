//! The lines of an Ollama server, passed on or put together: the last one carries the receipt.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::reply::{self, Lines, Shape};
use crate::dialect::Failure;
use crate::dialect::merge::{Room, add, add_fields};
use crate::dialect::relay::{Ending, Passage, Tail};
use crate::{Envelope, Query};

/// A line, as far as it is looked at.
#[derive(Deserialize)]
struct Line {
    done: Option<bool>,
    done_reason: Option<String>,
}

impl Line {
    fn is_last(&self) -> bool {
        // Some servers give the reason and forget to say that they are done.
        self.done == Some(true) || self.done_reason.as_ref().is_some_and(|reason| !reason.is_empty())
    }
}

/// Passes the lines of one answer on.
pub(super) struct Passed {
    /// The line before, as an example for one of ours.
    before: String,
    tail: Tail,
    /// Writes an answer that the budget ended before anything of it went out.
    own: Lines,
}

impl Passed {
    pub(super) fn new(query: &Query) -> Self {
        Self { before: String::new(), tail: Tail::default(), own: Lines::new(Shape::Chat, query) }
    }

    /// The last line as the budget has it: like the one before, or what the provider's own last line is.
    fn cut_off(line: &str, ending: &Ending<'_>) -> Option<String> {
        let mut line = Envelope::read(line.as_bytes()).ok()?;
        let is_last = line.read_field::<bool>("done") == Some(true);
        if !is_last {
            line.keep(&["model", "created_at"]);
            line.set("message", &json!({"role": "assistant", "content": ""}));
        }
        line.set("done", &json!(true));
        line.set("done_reason", &json!("length"));
        if let Some(usage) = ending.heard.usage.filter(|_| !is_last) {
            line.set("prompt_eval_count", &json!(usage.query_tokens()));
            line.set("eval_count", &json!(usage.output));
        }
        String::from_utf8(line.to_bytes()).ok()
    }
}

impl Passage for Passed {
    fn unit(&mut self, raw: &[u8], out: &mut Vec<u8>) {
        let text = std::str::from_utf8(raw).unwrap_or_default().trim();
        let line = serde_json::from_str::<Line>(text).ok();
        let is_last = line.as_ref().is_some_and(Line::is_last);
        if is_last || !self.tail.is_empty() {
            return self.tail.keep(raw, is_last, out);
        }
        if line.is_some() {
            text.clone_into(&mut self.before);
        }
        out.extend_from_slice(raw);
    }

    fn end(&mut self, ending: &Ending<'_>, out: &mut Vec<u8>) {
        if let Some(last) = self.tail.carrier() {
            let line = std::str::from_utf8(last).unwrap_or_default();
            let (text, end) = line.split_at(line.trim_end().len());
            let cut = if ending.heard.is_cut { Self::cut_off(text, ending) } else { None };
            let text = ending.receipt.beside(cut.as_deref().unwrap_or(text));
            // Where the provider's stream ended, ours may not: clients read lines.
            *last = [text.as_str(), if end.is_empty() { "\n" } else { end }].concat().into_bytes();
            return self.tail.write(out);
        }
        match Self::cut_off(&self.before, ending) {
            Some(line) => {
                out.extend_from_slice(ending.receipt.beside(&line).as_bytes());
                out.push(b'\n');
            }
            None => ending.heard.write(&mut self.own, ending.receipt, out),
        }
    }

    fn fail(&mut self, failure: &Failure, out: &mut Vec<u8>) {
        out.extend(reply::refusal(failure));
        out.push(b'\n');
    }
}

/// Puts the lines of one answer together: its message is all that came of it, the figures are those of the last line.
pub(super) struct Whole {
    query: Query,
    line: Map<String, Value>,
    room: Room,
    is_full: bool,
}

impl Whole {
    pub(super) fn new(query: &Query) -> Self {
        Self { query: query.clone(), line: Map::new(), room: Room::default(), is_full: false }
    }

    fn line(&mut self, line: Map<String, Value>) {
        for (name, value) in line {
            let grows = matches!(name.as_str(), "message" | "logprobs");
            self.is_full |= grows && !self.room.take(&value);
            match (self.line.get_mut(&name), value) {
                (Some(_), _) if grows && self.is_full => {}
                (Some(Value::Object(known)), Value::Object(more)) if grows => add_fields(known, more),
                (Some(known), more) if grows => add(known, more, &name),
                (_, value) => {
                    self.line.insert(name, value);
                }
            }
        }
    }
}

impl Passage for Whole {
    fn unit(&mut self, raw: &[u8], _out: &mut Vec<u8>) {
        if let Ok(line) = serde_json::from_slice(raw) {
            self.line(line);
        }
    }

    fn end(&mut self, ending: &Ending<'_>, out: &mut Vec<u8>) {
        let mut line = std::mem::take(&mut self.line);
        if line.is_empty() {
            return out.extend(reply::whole(Shape::Chat, &self.query, &ending.heard.cut_answer(), ending.receipt));
        }
        let is_ended = line.get("done_reason").is_some_and(Value::is_string) || line.get("done") == Some(&Value::Bool(true));
        line.insert("done".to_owned(), true.into());
        if ending.heard.is_cut || self.is_full || !is_ended {
            line.insert("done_reason".to_owned(), "length".into());
        }
        out.extend_from_slice(ending.receipt.beside(&Value::Object(line).to_string()).as_bytes());
    }

    fn fail(&mut self, failure: &Failure, out: &mut Vec<u8>) {
        out.extend(reply::refusal(failure));
    }
}
