//! A game of random steps, played on the ledger and on a plain model of it side by side.
//!
//! `step` says what can be asked, `model` answers with nothing but maps and 128-bit sums, `game` asks both and compares, `audit`
//! judges the events alone, `shrink` makes a failing game short enough to read, `dice` are the random numbers.

#![allow(dead_code, reason = "each test file uses its part")]

pub mod audit;
pub mod dice;
pub mod game;
pub mod model;
pub mod shrink;
pub mod step;
