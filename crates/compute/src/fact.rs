//! What happened at the compute desk, as facts: results, not rules. The journal stores them, replay folds them.
//!
//! The order of variants and fields is the journal's encoding: add variants at the end, never change one. A reply is made
//! from a fact, the record's ledger events, its id and its time; what those tell is not repeated here.

use lab3_ledger::AccountNo;
use lab3_units::{Amount, Id, Time};
use serde::{Deserialize, Serialize};

use crate::{Attempted, Circuit, Extended, Gain, Health, Line, Priority, Sample, Settled};

/// One thing that happened. The large ones are boxed: every record, of whatever module, has room for a fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fact {
    /// A query was given to a provider, and its cost held.
    Allocated(Box<Allocated>),
    /// A query was used, or failed, and was settled.
    Reported(Box<Reported>),
    /// An allocation was given back.
    Released(Released),
    /// Allocations ended because nobody reported in time.
    Expired(Expired),
    /// The desk is about to put a query to a provider; what it can cost is held.
    Attempted(Box<Attempted>),
    /// More is held for an answer that goes on.
    Extended(Extended),
    /// A query the desk put to a provider was settled by what it used, or failed.
    Settled(Box<Settled>),
    /// A query that may wait was given to a provider, and its cost held until it has had its time.
    Deferred(Box<Deferred>),
}

/// A citizen's month was opened by its first use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// The citizen's quota account.
    pub account: AccountNo,
    /// The month's number ([`lab3_units::Period::number`]).
    pub period: u16,
    /// The allowance granted for it, in KS.
    pub quota: Amount,
}

/// A query was given to a provider. The hold's id, account and deadline stand in the record's `HoldPlaced`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allocated {
    /// Who answers the query.
    pub provider: Box<str>,
    /// Tokens of the query.
    pub query_tokens: u64,
    /// What the caller wanted most.
    pub priority: Priority,
    /// What the query is expected to cost, in KS, whoever pays.
    pub estimated_cost: Amount,
    /// How long it is expected to take, in milliseconds.
    pub estimated_latency_ms: u32,
    /// What the citizen has left this month after the hold, in KS.
    pub quota_remaining: Amount,
    /// Who would answer should the provider fail.
    pub fallback_provider: Option<Box<str>>,
    /// Why this provider, in one sentence.
    pub reason: Box<str>,
    /// Whether the Hive pays, because the citizen's limit or allowance does not reach.
    pub hive_pays: bool,
    /// The month this use opened, if it did.
    pub opening: Option<Opening>,
    /// The provider's circuit after a probe was let through; `None` when it was closed.
    pub circuit: Option<Circuit>,
    /// Every provider with its terms, when the caller asked.
    pub explanation: Option<Vec<Line>>,
}

/// A query that may wait was given to a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deferred {
    /// To whom, why, and what is left.
    pub allocated: Allocated,
    /// When it runs.
    pub deferral: Deferral,
}

/// When a query runs that may wait.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deferral {
    /// By when the answer has to be there.
    pub deadline: Time,
    /// When to begin.
    pub run_at: Time,
    /// When to begin at the latest; the same for one that runs at once.
    pub run_until: Time,
    /// What that gains, as far as it is known.
    pub gain: Gain,
    /// Why then, in a sentence.
    pub reason: Box<str>,
}

/// A query was settled, or failed and cost nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reported {
    /// The allocation settled, or named by a late report; `None` when the usage was charged directly.
    pub allocation: Option<Id>,
    /// Whether the allocation had expired before the report came, so that the usage was charged directly.
    pub late: bool,
    /// Who answered the query.
    pub provider: Box<str>,
    /// Whether it succeeded.
    pub success: bool,
    /// What the citizen paid, in KS.
    pub charged: Amount,
    /// What the citizen should have paid and could not, in KS.
    pub overrun: Amount,
    /// All the Hive paid, the overrun included, in KS.
    pub hive_paid: Amount,
    /// What the citizen has left this month, in KS.
    pub quota_remaining: Amount,
    /// Tokens of the query, when reported.
    pub input_tokens: Option<u64>,
    /// Tokens of the answer, when reported.
    pub output_tokens: Option<u64>,
    /// How long the query took in milliseconds, when reported.
    pub latency_ms: Option<u32>,
    /// The month this use opened, if it did.
    pub opening: Option<Opening>,
    /// The provider's health after this report.
    pub health: Health,
    /// Where the latency fell, when a successful query reported one.
    pub sample: Option<Sample>,
}

/// An allocation was given back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Released {
    /// The allocation.
    pub allocation: Id,
    /// What it had set aside, in KS.
    pub released: Amount,
    /// How much of that lapsed, because it was an earlier month's, in KS.
    pub lapsed: Amount,
    /// What the citizen has left this month, in KS.
    pub quota_remaining: Amount,
}

/// Allocations ended because nobody reported in time. Which ones stands in the record's `HoldExpired`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expired {
    /// How many.
    pub allocations: u32,
    /// What they had set aside together, in KS.
    pub released: Amount,
    /// How much of that lapsed, because it was an earlier month's, in KS.
    pub lapsed: Amount,
}
