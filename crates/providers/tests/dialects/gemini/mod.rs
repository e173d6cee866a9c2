//! Gemini's dialect.

mod request;
mod stream;
