//! The words every room shares: amounts, assets, DIDs, ids, times, rates, with checked arithmetic.
//!
//! No I/O, no clock, no randomness, no float money. A value of one of these types is valid: whoever holds a [`Did`]
//! need not check it again.

mod amount;
mod asset;
mod code;
mod did;
mod id;
mod problem;
mod rate;
mod time;

pub use amount::{Amount, AmountError};
pub use asset::Asset;
pub use code::Code;
pub use did::{Did, DidError, Owner};
pub use id::{Id, IdError};
pub use problem::Problem;
pub use rate::{Charge, FeeRate, Ratio, TokenRate};
pub use time::{Duration, Period, Time};
