//! The explanation of a choice: one line a provider, in integers, as the journal stores it.

use lab3_units::{Amount, Ratio};
use serde::{Deserialize, Serialize};

/// The rule that keeps a provider out of the choice. The order is what the journal stores: add at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Excluded {
    /// The operator switched it off.
    Disabled,
    /// The query is longer than its context.
    Context,
    /// Its quality is below the least wanted.
    Quality,
    /// Its circuit is open: it failed too often lately.
    CircuitOpen,
    /// It costs more than the request (or the month's quota) allows.
    Cost,
    /// It costs more than the citizen has left this month.
    Allowance,
    /// It cannot be asked this query: it is not connected, failed it a moment ago, or does not understand its form.
    Unable,
}

impl Excluded {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Context => "context",
            Self::Quality => "quality",
            Self::CircuitOpen => "circuit_open",
            Self::Cost => "cost",
            Self::Allowance => "allowance",
            Self::Unable => "unable",
        }
    }
}

/// What each quantity added to a score, in millionths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// (1 - normalized cost) times its weight.
    pub cost: u32,
    /// (1 - normalized latency) times its weight.
    pub latency: u32,
    /// Quality times its weight.
    pub quality: u32,
    /// Reliability times its weight.
    pub reliability: u32,
}

/// One provider in the explanation of a choice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The provider's name.
    pub provider: Box<str>,
    /// The rule that kept it out; `None` when it was eligible.
    pub excluded_by: Option<Excluded>,
    /// What the query would cost there, in KS.
    pub cost: Amount,
    /// The latency expected there, in milliseconds.
    pub latency_ms: u32,
    /// The operator's figure.
    pub quality: Ratio,
    /// The share of queries expected to succeed.
    pub reliability: Ratio,
    /// The sum of the terms, in millionths; `None` when it was not eligible.
    pub score: Option<u32>,
    /// What the score is made of; `None` when it was not eligible.
    pub terms: Option<Terms>,
}
