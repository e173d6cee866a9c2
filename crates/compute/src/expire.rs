//! exp
use lab3_ledger::Event;
use lab3_units::{Amount, Id};

use crate::{Desk, Expired, Fact};

/// todo
pub fn expire(_desk: &Desk<'_>, _allocations: &[Id]) -> (Fact, Vec<Event>) {
    (Fact::Expired(Expired { allocations: 0, released: Amount::ZERO, lapsed: Amount::ZERO }), Vec::new())
}
