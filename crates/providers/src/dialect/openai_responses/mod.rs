//! Responses: OpenAI's newer protocol, with typed items and events. This desk keeps no conversations: each request carries its own.
//!
//! Requests are read in `request` and `items`; answers are made of the items in `output` and written whole there, or as events in
//! `events`. What OpenAI answers in this dialect is passed on by `relay`, which keeps its `progress`. As a back it goes to OpenAI itself, from clients of the same dialect; `stream` reads its events.

mod events;
mod items;
mod output;
mod progress;
mod relay;
mod request;
mod stream;

use serde_json::{Value, json};

use super::openai_chat::{call, error, error_of, plain_service, read_envelope};
use super::relay::Relay;
use super::signature::{is_marked, may_be_in};
use super::{Back, Call, Failure, Front, Reader, Receipt, Terms, Unreadable, Writer};
use crate::split::Splitter;
use crate::{Answer, Envelope, Query};

pub use request::read;

/// Responses, as clients and OpenAI speak it.
#[derive(Clone, Copy, Debug)]
pub struct OpenAiResponses;

impl Front for OpenAiResponses {
    fn read(&self, body: &[u8]) -> Result<Query, Unreadable> {
        read(body).map(super::openai_chat::Reading::into_query)
    }

    fn writer(&self, query: &Query) -> Box<dyn Writer> {
        Box::new(events::EventWriter::new(query))
    }

    fn relay(&self, query: &Query) -> Option<Box<dyn Writer>> {
        Some(if query.stream {
            Relay::new(Splitter::events(), relay::Events::new(query))
        } else {
            Relay::new(Splitter::events(), relay::Last::new(query))
        })
    }

    fn whole(&self, query: &Query, answer: &Answer, receipt: &Receipt) -> Vec<u8> {
        output::whole(query, answer, receipt)
    }

    fn refusal(&self, failure: &Failure) -> Vec<u8> {
        error(failure).to_string().into_bytes()
    }
}

impl Back for OpenAiResponses {
    /// Whoever speaks Responses speaks Chat Completions too, which says as much of other dialects.
    fn can_say(&self, _query: &Query, _terms: &Terms) -> Result<(), Unreadable> {
        Err(unsayable())
    }

    fn write(&self, _query: &Query, _terms: &Terms, _key: Option<&str>) -> Result<Call, Unreadable> {
        Err(unsayable())
    }

    fn adapt(&self, body: &[u8], terms: &Terms, key: Option<&str>) -> Option<Result<Call, Unreadable>> {
        Some(read_envelope(body).map(|mut envelope| {
            envelope.set("model", &json!(terms.model));
            envelope.set("max_output_tokens", &json!(terms.output_tokens_max));
            envelope.set("stream", &json!(true));
            // OpenAI stores what is not said to be left.
            envelope.set("store", &json!(false));
            plain_service(&mut envelope);
            own_thoughts(&mut envelope);
            call("/responses", envelope.to_bytes(), key)
        }))
    }

    fn reader(&self) -> Box<dyn Reader> {
        Box::new(stream::EventsReader::default())
    }

    fn error(&self, body: &[u8]) -> String {
        error_of(body)
    }
}

/// Thoughts of other providers are refused: they go.
fn own_thoughts(envelope: &mut Envelope<'_>) {
    let marked = envelope.get("input").filter(|input| may_be_in(input));
    let Some(mut items) = marked.and_then(|input| serde_json::from_str::<Vec<Value>>(input).ok()) else { return };
    let before = items.len();
    items.retain(|item| !(item["type"] == "reasoning" && item["encrypted_content"].as_str().is_some_and(is_marked)));
    if items.len() < before {
        envelope.set("input", &items);
    }
}

fn unsayable() -> Unreadable {
    Unreadable::new("", "queries of other dialects go to this provider as Chat Completions; configure it so")
}
