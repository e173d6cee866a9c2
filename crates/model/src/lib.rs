//! The built-in local model: a GGUF file of the llama family, run in this process on the CPU. No key, no server, no network.
//!
//! A [`Model`] is opened once and answers many queries, several at once: the weights are shared, the state of an answer is its own.
//! Its calls block; [`LocalSource`] gives them threads, bounds how many answers there are at a time, and is what the gateway asks. The
//! computing itself is done by few threads of this crate at low priority ([`Model::open_with`]). Everything about the text (the
//! tokenizer, the chat template) comes from the file's own metadata.

mod answer;
mod conversation;
mod error;
#[cfg(test)]
mod fetched;
mod file;
mod model;
mod sampler;
mod source;
mod steps;
mod stops;
mod template;
mod vocabulary;

pub use answer::Flow;
pub use error::ModelError;
pub use model::{CONTEXT_TOKENS_MAX, Model};
pub use sampler::{TEMPERATURE_DEFAULT, TOP_K_DEFAULT, TOP_P_DEFAULT};
pub use source::LocalSource;
