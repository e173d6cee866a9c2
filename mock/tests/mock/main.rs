//! The mock over its wire: each dialect's shape, what scripts change of it, what goes wrong, and the books.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

mod client;
mod dialects;

mod books;
mod calls;
mod embeddings;
mod limits;
mod rhythm;
mod shapes;
mod trouble;
mod usage;
