//! Ollama's dialect: requests as its clients make them, requests as its servers take them, lines both ways.

mod lists;
mod read;
mod reply;
mod request;
mod stream;

use lab3_providers::{Image, Message, Part, Query};

pub const PNG: &str = "iVBORw0KGgo=";

pub fn png() -> Part {
    Part::Image(Image::Data { media_type: "image/png".to_owned(), data: PNG.to_owned() })
}

/// What every request is read as, before what it says itself.
pub fn asks(messages: Vec<Message>) -> Query {
    Query { model: "auto".to_owned(), messages, answers: 1, stream: true, stream_usage: true, ..Query::default() }
}
