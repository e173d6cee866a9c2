//! Published figures, made again from published data: what others found to be the best, the desk's energy rules have to find.
//!
//! The data is read by path (`LAB3_DATA_DIR`, or `../shared/data` beside the project), never copied in.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "outside of #[test] functions clippy does not see that this is a test"
)]

mod data;
mod deferrable;
mod forecasts;
mod home;
mod island;
mod microgrid;
mod waiting;
mod zones;
