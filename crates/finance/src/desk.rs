//! What a rule may look at.

use lab3_ledger::Ledger;
use lab3_units::Time;

use crate::{Policy, State};

/// Everything a rule may look at.
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
