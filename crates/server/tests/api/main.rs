//! The API, asked in process: the router over an engine in memory, on a clock turned by hand.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod authority;
mod bad_input;
mod balance_proof;
mod bookings;
mod compute;
mod connected;
mod contract;
mod deferral;
mod did_web;
mod energy;
mod energy_figures;
mod exports;
mod finance;
mod history;
mod hive;
mod idempotency;
mod intents;
mod kept;
mod keys;
mod limits;
mod matrix;
mod serving;
mod signals;
mod signed;
mod signed_exports;
mod site;
mod specification;
mod telemetry;
mod transport;
mod treasurers;
mod witness;
