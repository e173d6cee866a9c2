//! What records of compute say was paid, freed and lapsed, against what their entries did.

use lab3_compute::{Fact as Compute, Reported};
use lab3_engine::Record;
use lab3_ledger::{Event, Kind, Purpose};
use lab3_units::Amount;

use crate::books::Books;
use crate::deferral;
use crate::verdict::{Class, Found};

/// What a record's entries did to allowances, added up.
#[derive(Debug, Default)]
struct Done {
    /// From an allowance to a provider.
    charged: i128,
    /// From the Hive to a provider.
    hive_paid: i128,
    /// Set aside by holds that were released or expired.
    freed: i128,
    /// How many of those there were.
    ended: u64,
    lapsed: i128,
}

impl Done {
    fn by(books: &Books, entries: &[Event]) -> Self {
        let mut done = Self::default();
        for event in entries {
            match event {
                Event::HoldSettled { taken, .. } => done.charged += i128::from(taken.units()),
                Event::HoldReleased(end) | Event::HoldExpired(end) => {
                    done.ended += 1;
                    done.freed += i128::from(end.held.units());
                }
                Event::Transferred { amount, kind: Kind::Lapse, .. } => done.lapsed += i128::from(amount.units()),
                Event::Transferred { from, amount, kind: Kind::Settlement, .. } => {
                    let hive = books.account(*from).is_some_and(|account| account.purpose == Purpose::Expense);
                    *(if hive { &mut done.hive_paid } else { &mut done.charged }) += i128::from(amount.units());
                }
                _ => {}
            }
        }
        done
    }
}

/// Checks what a record of compute says. A late report tells of a charge that an earlier record made in part, and is left alone.
pub(crate) fn check(books: &Books, record: &Record, fact: &Compute) -> Result<(), Found> {
    let done = || Done::by(books, &record.entries);
    match fact {
        Compute::Reported(reported) => paid(reported, done),
        Compute::Settled(settled) => paid(&settled.reported, done),
        Compute::Released(released) => {
            let done = done();
            says("one allocation ended", 1, i128::from(done.ended))?;
            freed((released.released, released.lapsed), &done)
        }
        Compute::Expired(expired) => {
            let done = done();
            says("allocations ended:", i128::from(expired.allocations), i128::from(done.ended))?;
            freed((expired.released, expired.lapsed), &done)
        }
        Compute::Deferred(deferred) => deferral::check(record, deferred),
        Compute::Allocated(_) | Compute::Attempted(_) | Compute::Extended(_) => Ok(()),
    }
}

fn paid(reported: &Reported, done: impl Fn() -> Done) -> Result<(), Found> {
    if reported.late {
        return Ok(());
    }
    let done = done();
    says("it charged", i128::from(reported.charged.units()), done.charged)?;
    says("the Hive paid", i128::from(reported.hive_paid.units()), done.hive_paid)
}

fn freed((released, lapsed): (Amount, Amount), done: &Done) -> Result<(), Found> {
    says("it freed", i128::from(released.units()), done.freed)?;
    says("of that lapsed", i128::from(lapsed.units()), done.lapsed)
}

fn says(what: &str, said: i128, found: i128) -> Result<(), Found> {
    if said == found { Ok(()) } else { Err((Class::Facts, format!("it says {what} {said}; by the entries it is {found}"))) }
}
