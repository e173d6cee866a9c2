//! rel
use lab3_ledger::Event;
use lab3_units::Id;

use crate::{Desk, Fact, Refusal};

/// todo
pub fn release(_desk: &Desk<'_>, allocation: Id) -> Result<(Fact, Vec<Event>), Refusal> {
    Err(Refusal::NotOpen(allocation))
}
