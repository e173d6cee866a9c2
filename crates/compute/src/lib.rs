//! Module 1: which provider answers a query, what it costs, and who may still pay for it.
//!
//! Pure. A command ([`allocate`], [`defer`], [`report`], [`release`], [`expire`]) looks at a [`Desk`] and says what would happen: one
//! [`Fact`] and the ledger's events, or a [`Refusal`]. [`State::apply`] folds the fact into the module's state and cannot
//! fail. The rules with their numbers are told in `docs/modules/compute.md`.

mod accounts;
mod allocate;
mod choice;
mod circuit;
mod defer;
mod desk;
mod expire;
mod explain;
mod fact;
mod health;
mod histogram;
mod meter;
mod policy;
mod price;
mod priority;
mod provider;
mod quota;
mod reason;
mod release;
mod report;
mod score;
mod settle;
mod state;
mod stats;
mod tag;
#[cfg(test)]
mod testing;

pub use allocate::{Allocate, allocate};
pub use circuit::{Circuit, CircuitState};
pub use defer::{Chance, DEFER_MAX, Defer, Gain, defer};
pub use desk::{Desk, Refusal};
pub use expire::expire;
pub use explain::{Excluded, Line, Terms};
pub use fact::{Allocated, Deferral, Deferred, Expired, Fact, Opening, Released, Reported};
pub use health::Health;
pub use histogram::Sample;
pub use meter::{Allotment, Attempt, Attempted, Extend, Extended, Meter, attempt, extend};
pub use policy::Policy;
pub use price::{OUTPUT_TOKENS_MAX, Prices, Rates, Usage};
pub use priority::Priority;
pub use provider::Provider;
pub use quota::{QuotaStatus, quota};
pub use release::release;
pub use report::{Late, Report, report};
pub use settle::{Counted, Settle, Settled, charge_lease, is_lease, settle};
pub use state::State;
pub use stats::{ProviderStats, ProviderStatus, Stats, provider_status, stats};
pub use tag::Tag;
