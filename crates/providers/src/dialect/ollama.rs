//! Ollama: the dialect of Ollama's own API. Clients speak it to us at `/api/chat` and `/api/generate`; servers speak it to us at
//! `/api/chat`. Streams are lines of JSON, and a client that does not say gets one.
//!
//! The base URL is the server's root (`http://127.0.0.1:11434`).

mod read;
mod relay;
mod reply;
mod request;
mod stream;

use serde_json::{Value, json};

use super::relay::Relay;
use super::{Back, Call, Failure, Front, Reader, Receipt, Terms, Unreadable, Writer};
use crate::split::Splitter;
use crate::{Answer, Query};

/// The version of Ollama's API that is spoken here: the first with ids of calls. Some clients refuse servers that are older than
/// what they need.
const VERSION: &str = "0.12.10";

/// The time of what has none.
const TIME: &str = "1970-01-01T00:00:00Z";

/// The last second that is written: that of the year 9999.
const SECONDS_MAX: u64 = 253_402_300_799;

/// A time in seconds since 1970, as RFC 3339 has it.
fn time(seconds: u64) -> String {
    let seconds = seconds.min(SECONDS_MAX);
    let (mut days, of_day) = (seconds / 86_400, seconds % 86_400);
    let is_leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let (mut year, mut month) = (1970, 1);
    loop {
        let days_of_year = 365 + u64::from(is_leap(year));
        if days < days_of_year {
            break;
        }
        days -= days_of_year;
        year += 1;
    }
    for days_of_month in [31, 28 + u64::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if days < days_of_month {
            break;
        }
        days -= days_of_month;
        month += 1;
    }
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}Z", days + 1)
}

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

/// The reply to `GET /api/tags`: the models there are.
pub fn tags<'a>(models: impl IntoIterator<Item = &'a str>) -> Vec<u8> {
    let model = |name: &str| {
        json!({
            "name": name,
            "model": name,
            "modified_at": TIME,
            "size": 0,
            // The command line shows its first twelve characters, and fails when there are fewer.
            "digest": "0".repeat(64),
            "details": {
                "parent_model": "",
                "format": "",
                "family": "",
                "families": [],
                "parameter_size": "",
                "quantization_level": "",
            },
        })
    };
    let models = models.into_iter().map(model).collect::<Vec<_>>();
    json!({ "models": models }).to_string().into_bytes()
}

/// The reply to `GET /api/version`.
pub fn version() -> Vec<u8> {
    json!({ "version": VERSION }).to_string().into_bytes()
}

/// The reply to a request that only asks for a model to be loaded or unloaded, which clients send before the first query: one to
/// `/api/chat` without messages, or to `/api/generate` without a prompt. `None` for any other. There is nothing to load here.
pub fn loaded(body: &[u8]) -> Option<Vec<u8>> {
    read::loads(body).map(|(shape, model, is_unload)| reply::loaded(shape, &model, is_unload))
}

#[cfg(test)]
mod tests {
    use super::time;

    #[test]
    fn times_are_told_in_days() {
        for (seconds, expected) in [
            (0, super::TIME),
            (68_169_599, "1972-02-28T23:59:59Z"),
            (68_169_600, "1972-02-29T00:00:00Z"),
            (68_256_000, "1972-03-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (1_763_847_845, "2025-11-22T21:44:05Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (u64::MAX, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(time(seconds), expected, "{seconds}");
        }
    }
}
