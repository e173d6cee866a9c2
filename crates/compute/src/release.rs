//! Release: an allocation is given back before it was used.

use lab3_ledger::{Draft, Event};
use lab3_units::Id;

use crate::quota::{allocation, lapse_freed, remaining};
use crate::{Desk, Fact, Refusal, Released};

/// Ends an open allocation; what it held is free again, or lapses when it was an earlier month's.
///
/// Errors: [`Refusal::NotOpen`].
pub fn release(desk: &Desk<'_>, allocation_id: Id) -> Result<(Fact, Vec<Event>), Refusal> {
    let hold = allocation(desk, allocation_id).ok_or(Refusal::NotOpen(allocation_id))?;
    let mut draft = Draft::new(desk.ledger);
    let released = draft.release(allocation_id)?;
    let lapsed = lapse_freed(desk, &mut draft, hold, released)?;
    let quota_remaining = remaining(desk, &draft, hold.account);
    let fact = Released { allocation: allocation_id, released, lapsed, quota_remaining };
    Ok((Fact::Released(fact), draft.into_events()))
}
