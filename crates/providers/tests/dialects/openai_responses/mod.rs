//! OpenAI's Responses.

mod back;
mod reply;
mod request;
