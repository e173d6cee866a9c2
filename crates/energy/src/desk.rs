//! What a rule that books may look at.

use lab3_ledger::Ledger;
use lab3_units::{Duration, Time};

use crate::State;

/// Everything a rule that books may look at.
#[derive(Clone, Copy, Debug)]
pub struct Desk<'a> {
    /// The books.
    pub ledger: &'a Ledger,
    /// What the module knows beside the books.
    pub state: &'a State,
    /// The operator's rules.
    pub policy: &'a Policy,
    /// The moment the command is decided at.
    pub now: Time,
}

/// The operator's rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Most power that jobs may be promised at once, in W; `None` is no limit.
    pub jobs_w_max: Option<u64>,
    /// How long after its last run a job may be settled before it ends by itself.
    pub grace: Duration,
    /// Jobs that may be booked at once.
    pub jobs_open_max: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self { jobs_w_max: None, grace: Duration::from_secs(6 * 3600), jobs_open_max: 16_384 }
    }
}
