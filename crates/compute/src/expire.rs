//! Expiry: nobody reported on an allocation in time.

use lab3_ledger::{Draft, Event};
use lab3_units::{Amount, Id};

use crate::quota::{allocation, lapse_freed, plus};
use crate::{Desk, Expired, Fact, Refusal};

/// Ends these allocations because their deadline has passed; what they held is free again, or lapses when it was an earlier
/// month's. The engine knows which are due and hands over a bounded number; one that is not open is passed over.
pub fn expire(desk: &Desk<'_>, allocations: &[Id]) -> (Fact, Vec<Event>) {
    let mut draft = Draft::new(desk.ledger);
    let mut expired = Expired { allocations: 0, released: Amount::ZERO, lapsed: Amount::ZERO };
    for &id in allocations {
        if let Ok((released, lapsed)) = expire_one(desk, &mut draft, id) {
            expired.allocations += 1;
            expired.released = plus(expired.released, released);
            expired.lapsed = plus(expired.lapsed, lapsed);
        }
    }
    (Fact::Expired(expired), draft.into_events())
}

/// What the allocation held, and how much of that lapsed.
fn expire_one(desk: &Desk<'_>, draft: &mut Draft<'_>, id: Id) -> Result<(Amount, Amount), Refusal> {
    let hold = allocation(desk, id).ok_or(Refusal::NotOpen(id))?;
    let released = draft.expire(id)?;
    // It has ended whether or not the rest lapses; what stays lapses when the next month is opened.
    let lapsed = lapse_freed(desk, draft, hold, released).unwrap_or(Amount::ZERO);
    Ok((released, lapsed))
}
