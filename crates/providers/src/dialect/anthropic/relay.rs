//! The stream of a provider that speaks the Messages API, passed on: its `message_delta` carries the receipt, and is kept back until
//! that is there.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use super::reply::{self, MessageWriter};
use crate::dialect::relay::{Ending, Passage, Tail};
use crate::dialect::{Failure, Receipt};
use crate::split::{data, with_data};
use crate::{Envelope, Query};

/// Passes the events of one message on.
#[derive(Debug)]
pub(super) struct Events {
    is_started: bool,
    is_stopped: bool,
    /// The blocks that began and did not end.
    open: BTreeSet<u64>,
    tail: Tail,
    /// Writes an answer that the budget ended before anything of it went out.
    own: MessageWriter,
}

/// An event, as far as it is looked at.
#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type", default)]
    kind: String,
    index: Option<u64>,
}

impl Events {
    pub(super) fn new(query: &Query) -> Self {
        let own = MessageWriter::new(query);
        Self { is_started: false, is_stopped: false, open: BTreeSet::new(), tail: Tail::default(), own }
    }

    /// Ends the blocks that go on.
    fn close(&mut self, out: &mut Vec<u8>) {
        for index in std::mem::take(&mut self.open) {
            reply::event("content_block_stop", &json!({"type": "content_block_stop", "index": index}), out);
        }
    }
}

impl Passage for Events {
    fn unit(&mut self, raw: &[u8], out: &mut Vec<u8>) {
        let event = data(raw).and_then(|text| serde_json::from_str::<Event>(&text).ok());
        let kind = event.as_ref().map(|event| event.kind.as_str());
        let index = event.as_ref().and_then(|event| event.index).unwrap_or_default();
        match kind {
            Some("message_start") => self.is_started = true,
            Some("content_block_start") => drop(self.open.insert(index)),
            Some("content_block_stop") => drop(self.open.remove(&index)),
            Some("message_stop") => self.is_stopped = true,
            _ => {}
        }
        if kind == Some("message_delta") || !self.tail.is_empty() {
            self.tail.keep(raw, kind == Some("message_delta"), out);
        } else {
            out.extend_from_slice(raw);
        }
    }

    fn end(&mut self, ending: &Ending<'_>, out: &mut Vec<u8>) {
        let Ending { receipt, heard } = ending;
        if !self.is_started {
            return heard.write(&mut self.own, receipt, out);
        }
        self.close(out);
        if heard.is_cut
            && let Some(last) = self.tail.carrier()
        {
            cut_off(last);
        }
        match self.tail.carrier() {
            Some(last) => carry(last, receipt),
            None => reply::end_at_limit(&heard.usage.unwrap_or_default(), receipt, out),
        }
        self.tail.write(out);
        if !self.is_stopped {
            reply::event("message_stop", &json!({"type": "message_stop"}), out);
        }
    }

    fn fail(&mut self, failure: &Failure, out: &mut Vec<u8>) {
        reply::event("error", &reply::error(failure), out);
    }
}

/// Puts the receipt into an event.
fn carry(raw: &mut Vec<u8>, receipt: &Receipt) {
    if let Some(text) = data(raw) {
        *raw = with_data(raw, &receipt.beside(&text));
    }
}

/// The budget ended what the provider had ended, too, but for what it told of it.
fn cut_off(raw: &mut Vec<u8>) {
    let changed = data(raw).and_then(|text| {
        let mut event = Envelope::read(text.as_bytes()).ok()?;
        let mut delta: Value = event.read_field("delta").filter(Value::is_object)?;
        delta["stop_reason"] = "max_tokens".into();
        delta["stop_sequence"] = Value::Null;
        event.set("delta", &delta);
        Some(with_data(raw, &String::from_utf8(event.to_bytes()).ok()?))
    });
    if let Some(changed) = changed {
        *raw = changed;
    }
}
