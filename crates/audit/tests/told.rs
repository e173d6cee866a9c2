//! Records of compute say what their entries did, or are found out: replies are made of what they say.

mod hive;
mod lies;
mod served;

use lab3_audit::Class;
use lab3_compute::Fact as Compute;
use lab3_engine::Fact;
use lab3_ledger::Event;
use lab3_units::Amount;
use lies::{WAITING, check, waits};

/// The first record of compute whose figure this is says one more than it did.
#[track_caller]
fn said(figure: fn(&mut Compute) -> Option<&mut Amount>) {
    check(Class::Facts, move |record| {
        let Fact::Compute(fact) = &mut record.fact else { return false };
        let Some(amount) = figure(fact) else { return false };
        *amount = Amount::new(amount.units() + 1);
        true
    });
}

macro_rules! said {
    ($kind:ident, $($field:ident).+ $(, $unless:ident)?) => {
        said(|fact| match fact {
            Compute::$kind(told) $(if !told.$unless)? => Some(&mut told.$($field).+),
            _ => None,
        })
    };
}

#[test]
fn a_report_says_who_paid_what() {
    said!(Reported, charged, late);
    said!(Reported, hive_paid, late);
    said!(Settled, reported.charged);
}

#[test]
fn an_end_says_what_it_freed() {
    said!(Released, released);
    said!(Released, lapsed);
    said!(Expired, released);
    said!(Expired, lapsed);
    check(Class::Facts, |record| {
        let Fact::Compute(Compute::Expired(expired)) = &mut record.fact else { return false };
        expired.allocations += 1;
        true
    });
    // A release that releases nothing.
    check(Class::Facts, |record| {
        let Fact::Compute(Compute::Released(released)) = &mut record.fact else { return false };
        (released.released, released.lapsed) = (Amount::ZERO, Amount::ZERO);
        record.entries.clear();
        true
    });
}

#[test]
fn a_query_that_waits_says_when_and_what_for() {
    for lie in WAITING {
        check(Class::Facts, |record| waits(record, lie));
    }
    check(Class::Facts, |record| {
        let is = matches!(record.fact, Fact::Compute(Compute::Deferred(_)));
        record.entries.retain(|event| !is || !matches!(event, Event::HoldPlaced { .. }));
        is
    });
    check(Class::Facts, |record| match &mut record.fact {
        Fact::Compute(Compute::Deferred(deferred)) => deferred.allocated.opening.take().is_some(),
        _ => false,
    });
}
