//! A game of random steps, played on the ledger and on a plain model of it side by side.
//!
//! `world` says how large a game is, `step` what can be asked, `model` answers with nothing but maps and 128-bit sums, `paper`
//! writes down what the model is asked (`call`) and answers, `game` asks the ledger the same and compares, `audit` judges the
//! events alone. proptest-state-machine makes the games up, runs them, and makes one that fails short enough to read.

#![allow(dead_code, reason = "each test file uses its part")]

pub mod audit;
pub mod call;
pub mod game;
pub mod model;
pub mod paper;
pub mod step;
pub mod world;

use proptest::test_runner::{Config, RngSeed};

/// How one game is run; everything in it follows from the seed.
pub fn config(seed: u64) -> Config {
    Config {
        cases: 1,
        rng_seed: RngSeed::Fixed(seed),
        // The seed is all there is to keep.
        failure_persistence: None,
        // A failing game is made shorter until nothing more can go, or a minute has passed.
        max_shrink_iters: u32::MAX - 1,
        max_shrink_time: 60_000,
        ..Config::default()
    }
}
