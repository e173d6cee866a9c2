//! Anthropic's Messages API (`POST /v1/messages`), as a front and as a back, and its token counting.
//!
//! Facts are those of the API reference of November 2026 and of the official Python (2.12) and TypeScript (1.12) clients. Requests
//! are sent as version 2023-06-01: what clients write for 2026-10-21 is a part of it, and it still takes `temperature`.

mod blocks;
mod list;
mod models;
mod read;
mod relay;
mod reply;
mod request;
mod stream;
mod turns;
mod whole;

use serde::Deserialize;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

use super::openai_chat::Reading;
use super::relay::Relay;
use super::{Back, Call, Failure, Front, Reader, Receipt, Terms, Unreadable, Writer};
use crate::split::Splitter;
use crate::{Answer, Query};

pub use list::models;
pub use reply::token_count;

/// The version of the API that requests are written in.
const VERSION: &str = "2023-06-01";

/// The path of the API after the base URL, which has no version in it (`https://api.anthropic.com`).
const PATH: &str = "/v1/messages";

/// The header by which clients ask for features that are not in the API yet.
const BETA: &str = "anthropic-beta";

/// The features that pass: those that change what is said, not what it costs or where it is kept. A name ends in the day it is of,
/// and a later one of the same feature passes, too.
const BETAS: [&str; 13] = [
    "claude-code-",
    "computer-use-",
    "context-management-",
    "effort-",
    "extended-cache-ttl-",
    "fine-grained-tool-streaming-",
    "interleaved-thinking-",
    "output-128k-",
    "pdfs-",
    "prompt-caching-",
    "structured-outputs-",
    "token-efficient-tools-",
    "tool-examples-",
];

/// What of the request's headers `anthropic-beta` goes on to Anthropic: one header for [`Query::headers`], if anything. What does not
/// pass is left out, as the API itself passes over what it does not know.
pub fn betas<'a>(headers: impl IntoIterator<Item = &'a str>) -> Option<(&'static str, String)> {
    let asked = headers.into_iter().flat_map(|header| header.split(',')).map(str::trim);
    let is_date = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let passes = |name: &&str| BETAS.iter().any(|known| name.strip_prefix(known).is_some_and(is_date));
    let passed = asked.filter(passes).collect::<Vec<_>>();
    (!passed.is_empty()).then(|| (BETA, passed.join(",")))
}

/// Anthropic's Messages API.
#[derive(Clone, Copy, Debug, Default)]
pub struct Anthropic;

/// Reads the body of `POST /v1/messages`.
pub fn read(body: &[u8]) -> Result<Reading, Unreadable> {
    read::read(body, read::Limit::Required)
}

/// Reads the body of `POST /v1/messages/count_tokens`: a message's request that need not say `max_tokens`. [`token_count`] writes the
/// reply.
pub fn read_count(body: &[u8]) -> Result<Reading, Unreadable> {
    read::read(body, read::Limit::Optional)
}

impl Front for Anthropic {
    fn read(&self, body: &[u8]) -> Result<Query, Unreadable> {
        read(body).map(Reading::into_query)
    }

    fn writer(&self, query: &Query) -> Box<dyn Writer> {
        Box::new(reply::MessageWriter::new(query))
    }

    fn relay(&self, query: &Query) -> Option<Box<dyn Writer>> {
        Some(if query.stream {
            Relay::new(Splitter::events(), relay::Events::new(query))
        } else {
            Relay::new(Splitter::events(), whole::Message::new(query))
        })
    }

    fn whole(&self, query: &Query, answer: &Answer, receipt: &Receipt) -> Vec<u8> {
        reply::whole(query, answer, receipt)
    }

    fn refusal(&self, failure: &Failure) -> Vec<u8> {
        reply::refusal(failure)
    }
}

impl Back for Anthropic {
    fn can_say(&self, query: &Query, _terms: &Terms) -> Result<(), Unreadable> {
        request::can_say(query)
    }

    fn can_adapt(&self, body: &[u8]) -> Result<(), Unreadable> {
        request::can_adapt(body)
    }

    fn write(&self, query: &Query, terms: &Terms, key: Option<&str>) -> Result<Call, Unreadable> {
        Ok(call(request::write(query, terms)?, key))
    }

    fn adapt(&self, body: &[u8], terms: &Terms, key: Option<&str>) -> Option<Result<Call, Unreadable>> {
        Some(request::adapt(body, terms).map(|body| call(body, key)))
    }

    fn reader(&self) -> Box<dyn Reader> {
        Box::<stream::MessageReader>::default()
    }

    fn error(&self, body: &[u8]) -> String {
        error_text(body)
    }
}

fn call(body: Vec<u8>, key: Option<&str>) -> Call {
    let mut headers = vec![("anthropic-version", VERSION.to_owned())];
    headers.extend(key.map(|key| ("x-api-key", key.to_owned())));
    Call { path: PATH.to_owned(), headers, body }
}

/// An error of the API.
#[derive(Default, Deserialize)]
struct ApiError {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    message: String,
}

impl ApiError {
    /// The kind and the message; either may be missing.
    fn sentence(&self) -> String {
        match (self.kind.as_str(), self.message.as_str()) {
            ("", "") => "no reason was given".to_owned(),
            ("", text) | (text, "") => text.to_owned(),
            (kind, message) => format!("{kind}: {message}"),
        }
    }
}

/// What an error's body says; servers that only resemble the API, and what stands before them, have forms of their own.
fn error_text(body: &[u8]) -> String {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Body {
        Api { error: ApiError },
        Error { error: String },
        Message { message: String },
        Detail { detail: String },
    }
    match serde_json::from_slice(body) {
        Ok(Body::Api { error }) => error.sentence(),
        Ok(Body::Error { error: text } | Body::Message { message: text } | Body::Detail { detail: text }) => text,
        Err(_) => {
            let text = String::from_utf8_lossy(body);
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            if text.is_empty() { "no reason was given".to_owned() } else { text.chars().take(200).collect() }
        }
    }
}

/// A call's arguments as the API wants them: an object. Models write broken JSON at times, and a conversation that has such a call
/// in it must be able to go on: then the text is the object's only field.
struct Input<'a>(&'a str);

impl Serialize for Input<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.0.trim();
        match serde_json::from_str::<&RawValue>(text) {
            Ok(raw) if text.starts_with('{') => raw.serialize(serializer),
            _ if text.is_empty() => serializer.serialize_map(Some(0))?.end(),
            _ => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("malformed_arguments", text)?;
                map.end()
            }
        }
    }
}

/// An id of a call in the letters that the API takes.
fn call_id(id: &str) -> String {
    id.chars().map(|letter| if letter.is_ascii_alphanumeric() || letter == '-' { letter } else { '_' }).collect()
}
