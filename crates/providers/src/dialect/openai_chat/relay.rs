//! The stream of a provider that speaks Chat Completions, passed on: from the chunk that says why the answer ends it is kept back,
//! for the last one carries the receipt.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::reply::{ChatWriter, error};
use super::usage::Told;
use crate::dialect::relay::{Ending, Passage, Tail};
use crate::dialect::{Failure, LAB3, Receipt};
use crate::split::{data, with_data};
use crate::{Envelope, Query};

const DONE: &str = "[DONE]";

/// The fields of a chunk that are the same in all chunks of an answer.
const SAME: [&str; 7] = ["id", "object", "created", "model", "service_tier", "system_fingerprint", "provider"];

/// Passes the chunks of one answer on.
#[derive(Debug)]
pub(super) struct Chunks {
    /// Without it no chunk about usage may go out: clients that did not ask for one look for a choice in each.
    wants_usage: bool,
    /// How many answers were asked for.
    answers: usize,
    /// Those that came to their end.
    finished: Vec<u64>,
    /// The first chunk of an answer, as an example for one of ours.
    first: Option<String>,
    tail: Tail,
    is_done: bool,
    /// Writes an answer that the budget ended before anything of it went out.
    own: ChatWriter,
}

#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow)]
    choices: Option<Vec<Choice<'a>>>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    index: Option<u64>,
    #[serde(borrow)]
    finish_reason: Option<&'a RawValue>,
}

impl Choice<'_> {
    fn is_finished(&self) -> bool {
        self.finish_reason.is_some_and(|reason| reason.get().len() > 2 && reason.get().starts_with('"'))
    }
}

impl Chunks {
    pub(super) fn new(query: &Query) -> Self {
        Self {
            wants_usage: query.stream_usage,
            answers: usize::try_from(query.answers.max(1)).unwrap_or(usize::MAX),
            finished: Vec::new(),
            first: None,
            tail: Tail::default(),
            is_done: false,
            own: ChatWriter::new(query),
        }
    }

    fn pass(&mut self, raw: &[u8], carries: bool, out: &mut Vec<u8>) {
        if self.is_done || self.finished.len() >= self.answers {
            self.tail.keep(raw, carries, out);
        } else {
            out.extend_from_slice(raw);
        }
    }

    fn chunk(&mut self, raw: &[u8], text: &str, out: &mut Vec<u8>) {
        let choices = serde_json::from_str::<Chunk<'_>>(text).ok().and_then(|chunk| chunk.choices).unwrap_or_default();
        if choices.is_empty() && !self.wants_usage {
            return;
        }
        if self.first.is_none() && !choices.is_empty() {
            self.first = Some(text.to_owned());
        }
        for choice in choices.iter().filter(|choice| choice.is_finished()) {
            let index = choice.index.unwrap_or(0);
            if self.finished.len() < self.answers && !self.finished.contains(&index) {
                self.finished.push(index);
            }
        }
        self.pass(raw, true, out);
    }

    /// Says why the answer ends, in a chunk like those that went out; and what was used, where that is wanted.
    fn finish(&self, ending: &Ending<'_>, out: &mut Vec<u8>) {
        let first = self.first.as_deref().unwrap_or("{}");
        let Ok(mut chunk) = Envelope::read(first.as_bytes()) else { return };
        chunk.keep(&SAME);
        let left = (0..u64::try_from(self.answers).unwrap_or(u64::MAX)).filter(|index| !self.finished.contains(index));
        let choice = |index: u64| json!({"index": index, "delta": {}, "logprobs": null, "finish_reason": "length"});
        chunk.set("choices", &left.map(choice).collect::<Vec<_>>());
        if let Some(usage) = ending.heard.usage.filter(|_| self.wants_usage) {
            event(&chunk, out);
            chunk.set("choices", &json!([]));
            chunk.set("usage", &json!(Told::from(&usage)));
        }
        chunk.set(LAB3, ending.receipt);
        event(&chunk, out);
    }
}

impl Passage for Chunks {
    fn unit(&mut self, raw: &[u8], out: &mut Vec<u8>) {
        let text = data(raw);
        match text.as_deref().map(str::trim) {
            None | Some("") => self.pass(raw, false, out),
            Some(_) if self.is_done => {}
            Some(text) if text.starts_with(DONE) => {
                self.is_done = true;
                self.tail.keep(raw, false, out);
            }
            Some(text) => self.chunk(raw, text, out),
        }
    }

    fn end(&mut self, ending: &Ending<'_>, out: &mut Vec<u8>) {
        let Ending { receipt, heard } = ending;
        if heard.is_cut && self.first.is_none() {
            return heard.write(&mut self.own, receipt, out);
        }
        if heard.is_cut {
            self.tail.carriers().for_each(cut_off);
        }
        let carried = self.tail.carrier().map(|last| carry(last, receipt));
        if carried.is_none() {
            self.finish(ending, out);
        }
        self.tail.write(out);
        if !self.is_done {
            out.extend_from_slice(format!("data: {DONE}\n\n").as_bytes());
        }
    }

    fn fail(&mut self, failure: &Failure, out: &mut Vec<u8>) {
        out.extend_from_slice(format!("data: {}\n\n", error(failure)).as_bytes());
    }
}

fn event(chunk: &Envelope<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"data: ");
    out.extend(chunk.to_bytes());
    out.extend_from_slice(b"\n\n");
}

/// Puts the receipt into an event.
fn carry(raw: &mut Vec<u8>, receipt: &Receipt) {
    let changed = data(raw).map(|text| with_data(raw, &receipt.beside(&text)));
    *raw = changed.unwrap_or_default();
}

/// The budget ended what the provider had ended, too, but for what it told of it.
fn cut_off(raw: &mut Vec<u8>) {
    let changed = data(raw).and_then(|text| {
        let mut chunk = Envelope::read(text.as_bytes()).ok()?;
        let mut choices: Vec<Value> = chunk.read_field("choices")?;
        for choice in choices.iter_mut().filter(|choice| choice["finish_reason"].is_string()) {
            choice["finish_reason"] = "length".into();
        }
        chunk.set("choices", &choices);
        Some(with_data(raw, &String::from_utf8(chunk.to_bytes()).ok()?))
    });
    if let Some(changed) = changed {
        *raw = changed;
    }
}
