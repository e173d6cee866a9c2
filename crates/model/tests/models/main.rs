//! Whole models: tiny ones written for the test, and the real SmolLM2 where it is at hand.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "outside of #[test] functions clippy does not see that this is a test"
)]

mod answers;
mod computing;
#[path = "../../src/fetched.rs"]
mod fetched;
mod files;
mod smollm2;
mod sourced;
mod tiny;
