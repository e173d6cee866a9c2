//! Chat Completions, and what the same clients ask for beside.

mod back;
mod embeddings;
mod reply;
mod request;
mod stream;
