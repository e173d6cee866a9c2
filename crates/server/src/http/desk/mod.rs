//! The desk itself over HTTP: one endpoint a file.

pub(crate) mod error;
pub(crate) mod errors;
pub(crate) mod health;
pub(crate) mod journal;
pub(crate) mod openapi;
pub(crate) mod scrape;
