//! Erasing what people wrote in a record of the books: on the record, by whoever wrote it or by the operator. What was done to the books stays.

use lab3_units::{Did, Problem};

use crate::judge::judge;
use crate::text::check_reason;
use crate::{Deed, Desk, Kind, Owned, Principal, Rule, Scope, Touched};

/// What erasing asks for.
pub const ERASE: Rule = Rule::new(&[Kind::Operator, Kind::Citizen], Scope::Erase, Owned::Citizen);

/// A request to erase what was written in a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erase {
    /// The record's number.
    pub record: u64,
    /// The citizens who wrote in it: those who paid. None when the Hive did.
    pub writers: Vec<Did>,
    /// Why, for everybody to read; it stays.
    pub reason: Box<str>,
}

/// Notes that what was written in a record is erased; the journal's keeper does it once the note is durable.
///
/// Errors: as [`judge()`], for each writer; `FIELD_RANGE` (`reason`).
pub fn erase(desk: &Desk<'_>, principal: &Principal, command: &Erase) -> Result<Deed, Problem> {
    let Erase { record, writers, reason } = command;
    let may = |touched: &Touched<'_>| judge(desk.state, desk.now, principal, &ERASE, touched);
    if writers.is_empty() {
        may(&Touched::Missing)?;
    }
    writers.iter().try_for_each(|writer| may(&Touched::Citizen(writer)))?;
    check_reason(reason)?;
    Ok(Deed::Erased { record: *record, reason: reason.clone() })
}
