//! health
use lab3_units::Time;
use serde::{Deserialize, Serialize};

/// Whether queries go to a provider.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Circuit {
    /// They do.
    #[default]
    Closed,
    /// They do not until the cool-down has passed; then some do, to see how it is.
    Open {
        /// When the cool-down has passed.
        until: Time,
        /// How often it opened in a row.
        openings: u8,
        /// Probes let through since it opened.
        probes: u8,
    },
}

/// A circuit's state at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CircuitState {
    /// Queries go there.
    Closed,
    /// A few queries go there, to see how it is.
    HalfOpen,
    /// No query goes there.
    Open,
}

impl CircuitState {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::HalfOpen => "half-open",
            Self::Open => "open",
        }
    }
}

/// What reports have told about a provider.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// Weight of the reports remembered, in thousandths of a report.
    pub reports: u32,
    /// Weight of those that succeeded.
    pub successes: u32,
    /// Weight of those that succeeded and told their latency.
    pub timed: u32,
    /// Their latencies: the sum of weight times milliseconds.
    pub latency: u64,
    /// Failures since the last success.
    pub failures_in_row: u32,
    /// Whether queries go there.
    pub circuit: Circuit,
}
