//! Ollama: the dialect of Ollama's own API. Clients speak it to us at `/api/chat` and `/api/generate`; servers speak it to us at
//! `/api/chat`. Streams are lines of JSON, and a client that does not say gets one.
//!
//! The base URL is the server's root (`http://127.0.0.1:11434`).

mod lists;
mod read;
mod relay;
mod reply;
mod request;
mod stream;

use serde_json::Value;

pub use lists::{running, tags, version};
pub use read::Loading;

use super::relay::Relay;
use super::{Back, Call, Failure, Front, Reader, Receipt, Terms, Unreadable, Writer};
use crate::split::Splitter;
use crate::{Answer, Query};

/// Most characters of a provider's message that are handed on.
const MESSAGE_CHARS_MAX: usize = 500;

/// Ollama's `/api/chat`.
#[derive(Clone, Copy, Debug, Default)]
pub struct OllamaChat;

/// Ollama's `/api/generate`.
#[derive(Clone, Copy, Debug, Default)]
pub struct OllamaGenerate;

impl Front for OllamaChat {
    fn read(&self, body: &[u8]) -> Result<Query, Unreadable> {
        read::chat(body)
    }

    fn writer(&self, query: &Query) -> Box<dyn Writer> {
        Box::new(reply::Lines::new(reply::Shape::Chat, query))
    }

    fn relay(&self, query: &Query) -> Option<Box<dyn Writer>> {
        Some(if query.stream {
            Relay::new(Splitter::lines(), relay::Passed::new(query))
        } else {
            Relay::new(Splitter::lines(), relay::Whole::new(query))
        })
    }

    fn whole(&self, query: &Query, answer: &Answer, receipt: &Receipt) -> Vec<u8> {
        reply::whole(reply::Shape::Chat, query, answer, receipt)
    }

    fn refusal(&self, failure: &Failure) -> Vec<u8> {
        reply::refusal(failure)
    }

    fn stream_type(&self) -> &'static str {
        "application/x-ndjson"
    }
}

impl Front for OllamaGenerate {
    fn read(&self, body: &[u8]) -> Result<Query, Unreadable> {
        read::generate(body)
    }

    fn writer(&self, query: &Query) -> Box<dyn Writer> {
        Box::new(reply::Lines::new(reply::Shape::Generate, query))
    }

    fn whole(&self, query: &Query, answer: &Answer, receipt: &Receipt) -> Vec<u8> {
        reply::whole(reply::Shape::Generate, query, answer, receipt)
    }

    fn refusal(&self, failure: &Failure) -> Vec<u8> {
        reply::refusal(failure)
    }

    fn stream_type(&self) -> &'static str {
        "application/x-ndjson"
    }
}

impl Back for OllamaChat {
    fn can_say(&self, query: &Query, _terms: &Terms) -> Result<(), Unreadable> {
        request::can_say(query)
    }

    fn write(&self, query: &Query, terms: &Terms, key: Option<&str>) -> Result<Call, Unreadable> {
        Ok(call(request::body(query, terms)?, key))
    }

    fn adapt(&self, body: &[u8], terms: &Terms, key: Option<&str>) -> Option<Result<Call, Unreadable>> {
        // A request to `/api/generate` has no messages, and would not be understood: it must be translated.
        let body = request::adapted(body, terms).transpose()?;
        Some(body.map(|body| call(body, key)))
    }

    fn reader(&self) -> Box<dyn Reader> {
        Box::<stream::Stream>::default()
    }

    fn error(&self, body: &[u8]) -> String {
        let text = String::from_utf8_lossy(body);
        let said = serde_json::from_str::<Value>(&text).ok().and_then(|value| value.get("error").and_then(message));
        said.unwrap_or_else(|| match text.trim() {
            "" => "no message".to_owned(),
            page if page.starts_with('<') => "a page instead of a message".to_owned(),
            words => words.chars().take(MESSAGE_CHARS_MAX).collect(),
        })
    }
}

fn call(body: Vec<u8>, key: Option<&str>) -> Call {
    let headers = key.map(|key| ("authorization", format!("Bearer {key}"))).into_iter().collect();
    Call { path: "/api/chat".to_owned(), headers, body }
}

/// An error's message: a text, or in what some servers put before Ollama an object with one.
fn message(error: &Value) -> Option<String> {
    let words = error.get("message").unwrap_or(error).as_str()?;
    Some(words.chars().take(MESSAGE_CHARS_MAX).collect())
}
