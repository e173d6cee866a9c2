//! The events of a provider that speaks Responses, passed on, or the response at their end: the last event has it whole, and carries
//! the receipt. An answer that the budget ends is ended from what was told of it.

use serde_json::{Map, Value, json};

use super::events::{EventWriter, error_event, event, failed_code};
use super::output;
use super::progress::{Event, Progress};
use crate::Query;
use crate::dialect::openai_chat::error;
use crate::dialect::relay::{Ending, Passage, Tail};
use crate::dialect::{Failure, Receipt};
use crate::split::{data, with_data};

/// The response as the budget ends it, without the receipt.
fn cut_off(progress: &Progress, ending: &Ending<'_>) -> Option<Map<String, Value>> {
    let mut response = progress.response.clone()?;
    let output = progress.output();
    // What ended by itself has its items in it.
    if !output.is_empty() {
        response.insert("output".to_owned(), output.into());
    }
    response.insert("status".to_owned(), "incomplete".into());
    response.insert("incomplete_details".to_owned(), json!({"reason": "max_output_tokens"}));
    let is_told = response.get("usage").is_some_and(Value::is_object);
    if let Some(usage) = ending.heard.usage.filter(|_| !is_told) {
        response.insert("usage".to_owned(), output::usage(&usage));
    }
    Some(response)
}

/// Passes the events of one response on.
#[derive(Debug)]
pub(super) struct Events {
    progress: Progress,
    tail: Tail,
    /// Writes an answer that the budget ended before anything of it went out.
    own: EventWriter,
}

impl Events {
    pub(super) fn new(query: &Query) -> Self {
        Self { progress: Progress::default(), tail: Tail::default(), own: EventWriter::new(query) }
    }

    fn end_cut(&mut self, ending: &Ending<'_>, out: &mut Vec<u8>) {
        self.progress.close(out);
        match cut_off(&self.progress, ending) {
            Some(response) => {
                let kind = "response.incomplete";
                let told = self.progress.numbered(kind, json!({"response": response})).to_string();
                event(kind, &ending.receipt.within(&told, "response"), out);
            }
            None => ending.heard.write(&mut self.own, ending.receipt, out),
        }
    }
}

impl Passage for Events {
    fn unit(&mut self, raw: &[u8], out: &mut Vec<u8>) {
        let text = data(raw);
        let event = text.as_deref().and_then(|text| serde_json::from_str::<Event<'_>>(text).ok());
        let is_end = event.as_ref().is_some_and(Event::is_end);
        if let Some(event) = &event {
            self.progress.take(event);
        }
        if is_end || !self.tail.is_empty() {
            self.tail.keep(raw, is_end, out);
        } else {
            out.extend_from_slice(raw);
        }
    }

    fn end(&mut self, ending: &Ending<'_>, out: &mut Vec<u8>) {
        let carrier = self.tail.carrier().filter(|_| !ending.heard.is_cut);
        let Some(carrier) = carrier else { return self.end_cut(ending, out) };
        carry(carrier, ending.receipt);
        self.tail.write(out);
    }

    fn fail(&mut self, failure: &Failure, out: &mut Vec<u8>) {
        if let Some(mut response) = self.progress.response.clone() {
            response.insert("status".to_owned(), "failed".into());
            response.insert("error".to_owned(), json!({"code": failed_code(failure), "message": failure.detail}));
            response.insert("output".to_owned(), self.progress.output().into());
            self.progress.event("response.failed", json!({"response": response}), out);
        }
        self.progress.event("error", error_event(failure), out);
    }
}

fn carry(raw: &mut Vec<u8>, receipt: &Receipt) {
    if let Some(text) = data(raw) {
        *raw = with_data(raw, &receipt.within(&text, "response"));
    }
}

/// Keeps the response that the last event has.
#[derive(Debug)]
pub(super) struct Last {
    progress: Progress,
    response: Option<String>,
    own: Query,
}

impl Last {
    pub(super) fn new(query: &Query) -> Self {
        Self { progress: Progress::default(), response: None, own: query.clone() }
    }
}

impl Passage for Last {
    fn unit(&mut self, raw: &[u8], _out: &mut Vec<u8>) {
        let text = data(raw);
        let Some(event) = text.as_deref().and_then(|text| serde_json::from_str::<Event<'_>>(text).ok()) else { return };
        self.progress.take(&event);
        if event.is_end() {
            self.response = event.response().map(str::to_owned);
        }
    }

    fn end(&mut self, ending: &Ending<'_>, out: &mut Vec<u8>) {
        let told = self.response.take().filter(|_| !ending.heard.is_cut);
        let whole = told.map(|told| ending.receipt.beside(&told).into_bytes());
        let whole = whole.unwrap_or_else(|| {
            // Nobody reads the events that close what goes on: only the items' states matter.
            self.progress.close(&mut Vec::new());
            match cut_off(&self.progress, ending) {
                Some(response) => ending.receipt.beside(&Value::Object(response).to_string()).into_bytes(),
                None => output::whole(&self.own, &ending.heard.cut_answer(), ending.receipt),
            }
        });
        out.extend(whole);
    }

    fn fail(&mut self, failure: &Failure, out: &mut Vec<u8>) {
        out.extend_from_slice(error(failure).to_string().as_bytes());
    }
}
