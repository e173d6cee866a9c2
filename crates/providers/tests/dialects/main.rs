//! Every dialect from both sides: requests read and written, streams read in pieces of every size, answers written whole and in streams,
//! or relayed.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]
#![allow(clippy::format_collect, reason = "streams of a few events")]
#![allow(clippy::needless_pass_by_value, reason = "what is written down where it is checked needs no borrowing")]

mod anthropic;
mod gemini;
mod ollama;
mod openai_chat;
mod openai_responses;
mod receipt;
mod relay;
mod said;
mod stream;
