//! Dialects: the protocols clients and providers speak, each in a file of its own.
//!
//! A dialect has two sides. As a *front* it is what a client speaks: requests are read, replies and errors written. As a *back* it is
//! what a provider speaks: requests are written, the stream and errors read. Where both are the same the request's bytes go on
//! through [`Back::adapt`].

pub mod anthropic;
pub mod gemini;
mod merge;
pub mod ollama;
pub mod openai_chat;
pub mod openai_responses;
mod relay;
mod signature;
mod time;

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::envelope::{with_field, with_field_in};
use crate::{Answer, Chunk, Piece, Query};

/// Why a request cannot be read: what is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Unreadable {
    /// The field to blame, by its path (`messages[2].content`); empty when it is the whole body.
    pub field: String,
    /// What is wrong, and what would help.
    pub detail: String,
}

impl Unreadable {
    /// What is wrong with a field.
    pub fn new(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { field: field.into(), detail: detail.into() }
    }
}

/// What a provider is asked for beside the query: decided by the desk, not by the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The provider's model.
    pub model: String,
    /// Most tokens of the answer, thoughts included: what the hold can pay.
    pub output_tokens_max: u64,
}

/// What a reply tells of its allocation, in the field `lab3` beside the dialect's own.
///
/// Its amounts are written from their text. A [`serde_json::Value`] would make floats of them, so a body's text gets the receipt when the
/// body is written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Receipt {
    /// The allocation.
    pub allocation_id: String,
    /// Who answered.
    pub provider: String,
    /// What it cost, in MIC, as a decimal (`0.000123`).
    #[serde(rename = "cost_gic", serialize_with = "decimal")]
    pub cost_mic: String,
    /// What the citizen has left this month, in MIC.
    #[serde(rename = "quota_remaining_gic", serialize_with = "decimal")]
    pub quota_remaining_mic: String,
    /// Why this provider, in one sentence; and why the answer ended early, if the budget ended it.
    pub reason: String,
}

/// The field of the receipt, the same in every dialect.
const LAB3: &str = "lab3";

impl Receipt {
    /// The text of an object with the receipt in it.
    fn beside(&self, object: &str) -> String {
        with_field(object, LAB3, self)
    }

    /// The same within a field that is an object itself.
    fn within(&self, object: &str, field: &str) -> String {
        with_field_in(object, field, LAB3, self)
    }
}

/// A number's text as the number it is, to the last digit; null for what is none.
fn decimal<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    let is_number = text.starts_with(|first: char| first == '-' || first.is_ascii_digit());
    match serde_json::from_str::<&RawValue>(text) {
        Ok(number) if is_number => number.serialize(serializer),
        _ => serializer.serialize_none(),
    }
}

/// Why the desk refuses a query, for every dialect to say in its own form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The HTTP status: 400, 402, 404, 413, 422, 429, 502, 503, 504.
    pub status: u16,
    /// Our stable code, such as `L3-0031`.
    pub code: String,
    /// What was wrong, and what would help.
    pub detail: String,
    /// The field to blame, if one is.
    pub field: Option<String>,
}

/// What a client speaks.
pub trait Front: Send + Sync {
    /// Reads a request's body.
    fn read(&self, body: &[u8]) -> Result<Query, Unreadable>;

    /// Writes the answer as it arrives. `query` is what was asked.
    fn writer(&self, query: &Query) -> Box<dyn Writer>;

    /// Passes on the answer of a provider that speaks this very dialect: its own bytes, but for the receipt and what the client
    /// did not ask for. For a query without `stream` all of it is kept and put together to the one body at the end. `None` where
    /// no provider speaks this dialect.
    fn relay(&self, _query: &Query) -> Option<Box<dyn Writer>> {
        None
    }

    /// The whole answer as one body.
    fn whole(&self, query: &Query, answer: &Answer, receipt: &Receipt) -> Vec<u8>;

    /// A refusal as one body.
    fn refusal(&self, failure: &Failure) -> Vec<u8>;

    /// The content type of a stream.
    fn stream_type(&self) -> &'static str {
        "text/event-stream"
    }
}

/// Writes an answer as the client's stream.
pub trait Writer: Send {
    /// Appends what the piece is in this dialect to `out`; perhaps nothing.
    fn piece(&mut self, piece: &Piece, out: &mut Vec<u8>);

    /// Appends what the chunk is in this dialect to `out`. A relay appends the provider's own bytes; pieces without bytes are the desk's
    /// own word, such as the end that the budget makes.
    fn chunk(&mut self, chunk: &Chunk, out: &mut Vec<u8>) {
        for piece in &chunk.pieces {
            self.piece(piece, out);
        }
    }

    /// Appends the stream's end, with the receipt in its last event.
    fn end(&mut self, receipt: &Receipt, out: &mut Vec<u8>);

    /// Appends an error that came in mid-stream; nothing follows it.
    fn fail(&mut self, failure: &Failure, out: &mut Vec<u8>);
}

/// The part of a request to a provider that is the dialect's.
#[derive(Clone, PartialEq, Eq)]
pub struct Call {
    /// The path after the provider's base URL, with its query (`/v1/chat/completions`).
    pub path: String,
    /// Headers of the dialect (the version, say), the key among them.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl fmt::Debug for Call {
    /// Neither the key nor the prompt.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("path", &self.path).field("body_bytes", &self.body.len()).finish_non_exhaustive()
    }
}

/// What a provider speaks. It is always asked for a stream, whatever the client wanted.
pub trait Back: Send + Sync {
    /// Whether a query can be said in this dialect; else the field that stands in the way (a document where there are none, say),
    /// and what would help. Nothing is written for it: every provider is asked for every query.
    fn can_say(&self, query: &Query, terms: &Terms) -> Result<(), Unreadable>;

    /// Whether a body of this very dialect can go on to this provider. It was read before.
    fn can_adapt(&self, _body: &[u8]) -> Result<(), Unreadable> {
        Ok(())
    }

    /// The request for a query; the error is that of [`Back::can_say`].
    fn write(&self, query: &Query, terms: &Terms, key: Option<&str>) -> Result<Call, Unreadable>;

    /// The request for a query that came in this very dialect: its own bytes, with the model, the limit of the answer and the
    /// stream set. `None` where no client speaks this dialect.
    fn adapt(&self, body: &[u8], terms: &Terms, key: Option<&str>) -> Option<Result<Call, Unreadable>>;

    /// Reads the answer's stream.
    fn reader(&self) -> Box<dyn Reader>;

    /// What a reply with an error status says, in a sentence: the provider's own message where one is found.
    fn error(&self, body: &[u8]) -> String;
}

/// Reads a provider's stream.
pub trait Reader: Send {
    /// Reads more bytes; appends what arrived to `pieces`.
    fn read(&mut self, bytes: &[u8], pieces: &mut Vec<Piece>) -> Result<(), Broken>;

    /// The connection ended: reads what needs no end of its own, such as a last line. Most dialects have no such thing.
    fn end(&mut self, _pieces: &mut Vec<Piece>) -> Result<(), Broken> {
        Ok(())
    }

    /// Whether the stream came to its own end (`[DONE]`, `message_stop`): if not when the connection ends, it was cut.
    fn is_done(&self) -> bool;
}

/// Why a stream cannot be read on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// It is not the protocol.
    #[error("the provider's stream cannot be read: {0}")]
    Malformed(String),
    /// The provider says that it failed, in mid-stream.
    #[error("the provider failed: {0}")]
    Failed(String),
}
