//! The HTTP API: strict requests in, replies made from the journal's records alone out.

mod json;
