//! The books: accounts, transfers, holds, linked transfers. Pure: same input, same output; no clock, no I/O.
//!
//! A rule asks a [`Draft`] over the current [`Ledger`] for what it wants; the draft checks every limit and collects
//! [`Event`]s, or refuses. Applying events cannot fail. Nothing in between is visible to anybody.

mod account;
mod chunks;
mod draft;
mod event;
mod hold;
mod state;

pub use account::{Account, AccountNo, Limits, Purpose};
pub use chunks::Chunks;
pub use draft::{Draft, Refusal, Settlement, Transfer};
pub use event::{Event, HoldEnd, Kind, Posting};
pub use hold::{Hold, PlaceHold};
pub use state::{Books, Fault, Ledger};
