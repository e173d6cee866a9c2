//! The Lab 3 binary as a library: command line, configuration, wiring. `main.rs` parses, configures, dispatches.

mod chart;
pub mod cli;
pub mod client;
pub mod commands;
pub mod config;
pub mod demo;
pub mod explain;
mod failure;
#[cfg(test)]
mod fake_desk;
mod fetch;
mod hive;
mod journal_text;
mod json_text;
mod local_model;
pub mod logging;
mod progress;
mod readings;
pub mod signer;
mod site;
mod table;
mod witness;

pub use failure::Failure;
