//! Chat Completions: OpenAI's protocol of old, which most other servers speak too (vLLM, llama.cpp, Ollama, DeepSeek).
//!
//! Requests of clients are read in `request` and `messages`, a provider's stream in `stream`, `calls` and `usage`. Answers are written in
//! `reply`, or passed on by `relay` and put together by `whole` where the provider speaks the same. A query goes on in its own bytes (`adapt`) or, from another dialect, in ours (`write`). Embeddings and the list of models are
//! here because the same clients ask for them.

mod adapt;
mod calls;
pub mod embeddings;
mod fields;
mod messages;
mod relay;
mod reply;
mod request;
mod stream;
mod usage;
mod whole;
mod write;

use serde_json::{Value, json};

use super::relay::Relay;
use super::{Back, Call, Failure, Front, Reader, Receipt, Terms, Unreadable, Writer};
use crate::split::Splitter;
use crate::{Answer, Query};

pub(crate) use adapt::{plain_service, read as read_envelope};
pub(crate) use fields::{Fields, Notes, Place, missing, parse, within, wrong};
pub(crate) use messages::{document, image};
pub(crate) use reply::{call_id, error};
pub use request::{Reading, read};
pub(crate) use request::{allow, choice_word, function, model, plain_format, schema};
pub(crate) use stream::{error_of, message_of};
pub(crate) use usage::{count, read as read_usage};

/// Chat Completions as clients speak it.
#[derive(Clone, Copy, Debug)]
pub struct OpenAiChat;

impl Front for OpenAiChat {
    fn read(&self, body: &[u8]) -> Result<Query, Unreadable> {
        read(body).map(Reading::into_query)
    }

    fn writer(&self, query: &Query) -> Box<dyn Writer> {
        Box::new(reply::ChatWriter::new(query))
    }

    fn relay(&self, query: &Query) -> Option<Box<dyn Writer>> {
        Some(if query.stream {
            Relay::new(Splitter::events(), relay::Chunks::new(query))
        } else {
            Relay::new(Splitter::events(), whole::Completion::new(query))
        })
    }

    fn whole(&self, query: &Query, answer: &Answer, receipt: &Receipt) -> Vec<u8> {
        reply::whole(query, answer, receipt)
    }

    fn refusal(&self, failure: &Failure) -> Vec<u8> {
        error(failure).to_string().into_bytes()
    }
}

/// Chat Completions as a provider speaks it.
#[derive(Clone, Copy, Debug)]
pub struct OpenAiChatBack {
    /// Whose.
    pub flavour: Flavour,
}

/// Who speaks it, where it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// OpenAI itself: the limit is `max_completion_tokens`, documents are read.
    OpenAi,
    /// DeepSeek: the limit is `max_tokens`, no schemas, thoughts come as `reasoning_content` and go back.
    DeepSeek,
    /// Any other server: the limit is `max_tokens`, which even old ones know.
    Compatible,
}

/// The field of the answer's limit. OpenAI's reasoning models refuse the old one, other servers may not know the new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LimitField {
    Completion,
    Old,
}

impl LimitField {
    fn of(flavour: Flavour) -> Self {
        if flavour == Flavour::OpenAi { Self::Completion } else { Self::Old }
    }

    fn other(self) -> Self {
        if self == Self::Old { Self::Completion } else { Self::Old }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Completion => "max_completion_tokens",
            Self::Old => "max_tokens",
        }
    }
}

impl Back for OpenAiChatBack {
    fn can_say(&self, query: &Query, _terms: &Terms) -> Result<(), Unreadable> {
        write::can_say(query, self.flavour)
    }

    fn write(&self, query: &Query, terms: &Terms, key: Option<&str>) -> Result<Call, Unreadable> {
        write::body(query, terms, self.flavour).map(|body| call("/chat/completions", body.to_string().into_bytes(), key))
    }

    fn adapt(&self, body: &[u8], terms: &Terms, key: Option<&str>) -> Option<Result<Call, Unreadable>> {
        Some(adapt::body(body, terms, self.flavour).map(|body| call("/chat/completions", body, key)))
    }

    fn reader(&self) -> Box<dyn Reader> {
        Box::new(stream::ChatReader::default())
    }

    fn error(&self, body: &[u8]) -> String {
        error_of(body)
    }
}

/// A call of OpenAI's, whose base URLs end in `/v1`.
pub(crate) fn call(path: &str, body: Vec<u8>, key: Option<&str>) -> Call {
    let headers = key.map(|key| ("authorization", format!("Bearer {key}"))).into_iter().collect();
    Call { path: path.to_owned(), headers, body }
}

/// The body of `GET /v1/models`, from ids and who has the model; `created` in seconds since 1970, the same for all.
pub fn models<'a>(models: impl IntoIterator<Item = (&'a str, &'a str)>, created: u64) -> Vec<u8> {
    let data: Vec<Value> =
        models.into_iter().map(|(id, owner)| json!({"id": id, "object": "model", "created": created, "owned_by": owner})).collect();
    json!({"object": "list", "data": data}).to_string().into_bytes()
}
