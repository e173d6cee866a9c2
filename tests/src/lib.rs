//! The harness of the end-to-end tests: the real binary, real clients, faults, and the books kept a second time.
//!
//! [`Desk`] is a running `lab3 serve`, [`Client`] somebody who talks to it, [`Worker`] a client who writes without end and keeps
//! account of what was acknowledged, [`audit`] compares that account with the desk's books, [`Journal`] reads an exported journal
//! as an auditor would. Nothing here links the product: everything goes through its command line and its HTTP API.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::missing_panics_doc, reason = "all of this crate is a test")]

pub mod amount;
pub mod audit;
pub mod auditors;
pub mod binary;
mod client;
pub mod data;
mod desk;
mod dice;
pub mod echo;
mod folder;
pub mod gateway;
pub mod gguf;
pub mod hostile;
mod journal;
pub mod money;
pub mod packages;
pub mod planted;
mod shim;
mod tally;
pub mod wait;
mod worker;
pub mod write;

pub use client::{Client, Lost, Reply};
pub use desk::Desk;
pub use dice::Dice;
pub use folder::Folder;
pub use journal::{Journal, Record};
pub use shim::Shim;
pub use tally::Tally;
pub use worker::{Worker, Workers};
pub use write::{Done, Write};

/// Says that a test could not be run here. The line is counted by the Makefile.
pub fn skip(test: &str, why: &str) {
    // To the terminal itself: what a passing test prints is kept back by the test runner.
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr().lock(), "SKIPPED {test}: {why}");
}

/// A number from the environment, or the default.
pub fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is not a number: {text}")))
}
