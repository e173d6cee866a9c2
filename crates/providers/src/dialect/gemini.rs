//! Gemini: the dialect of Google's Generative Language API, `streamGenerateContent`. Providers speak it; no client does to us.
//!
//! The base URL is the server's root, as Google's own client has it (`GOOGLE_GEMINI_BASE_URL`, by default
//! `https://generativelanguage.googleapis.com`): the API's version belongs to the path, `/v1beta`.

mod model;
mod request;
mod stream;

use serde_json::Value;

use super::signature::GEMINI as SIGNATURE_MARK;
use super::{Back, Call, Reader, Terms, Unreadable};
use crate::Query;

/// Most characters of a provider's message that are handed on.
const MESSAGE_CHARS_MAX: usize = 500;

/// Gemini's dialect.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gemini;

impl Back for Gemini {
    fn can_say(&self, query: &Query, terms: &Terms) -> Result<(), Unreadable> {
        request::can_say(query, terms)
    }

    fn write(&self, query: &Query, terms: &Terms, key: Option<&str>) -> Result<Call, Unreadable> {
        let body = request::body(query, terms)?;
        let path = format!("/v1beta/{}:streamGenerateContent?alt=sse", model::path(&terms.model));
        let headers = key.map(|key| ("x-goog-api-key", key.to_owned())).into_iter().collect();
        Ok(Call { path, headers, body })
    }

    fn adapt(&self, _body: &[u8], _terms: &Terms, _key: Option<&str>) -> Option<Result<Call, Unreadable>> {
        None
    }

    fn reader(&self) -> Box<dyn Reader> {
        Box::<stream::Stream>::default()
    }

    fn error(&self, body: &[u8]) -> String {
        let text = String::from_utf8_lossy(body);
        message(&text).unwrap_or_else(|| match text.trim() {
            "" => "no message".to_owned(),
            page if page.starts_with('<') => "a page instead of a message".to_owned(),
            words => without_key(&words.chars().take(MESSAGE_CHARS_MAX).collect::<String>()),
        })
    }
}

/// The message of an error, which comes as an object, or as a list with one object in it.
fn message(text: &str) -> Option<String> {
    let value: Value = serde_json::from_str(text).ok()?;
    let error = value.get(0).unwrap_or(&value).get("error")?;
    let words = error.get("message").or(Some(error))?.as_str()?;
    Some(without_key(&words.chars().take(MESSAGE_CHARS_MAX).collect::<String>()))
}

/// Takes a key out of a message: Google names it when it has suspended it, and messages go to citizens.
fn without_key(words: &str) -> String {
    const NAMED: &str = "api_key:";
    let Some((before, after)) = words.split_once(NAMED) else { return words.to_owned() };
    let rest = after.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    format!("{before}{NAMED}...{}", without_key(rest))
}
