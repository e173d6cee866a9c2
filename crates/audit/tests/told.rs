//! Records of compute say what their entries did, or are found out: replies are made of what they say.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod hive;
mod lies;
mod served;

use lab3_audit::Class;
use lab3_compute::Fact as Compute;
use lab3_engine::Fact;
use lab3_units::Amount;
use lies::check;

fn more(amount: &mut Amount) {
    *amount = Amount::new(amount.units() + 1);
}

/// What is found when a fact of the kind `wanted` says something else.
#[track_caller]
fn said(wanted: fn(&Compute) -> bool, change: fn(&mut Compute)) {
    check(Class::Facts, move |record| match &mut record.fact {
        Fact::Compute(fact) if wanted(fact) => {
            change(fact);
            true
        }
        _ => false,
    });
}

#[test]
fn a_report_says_who_paid_what() {
    let reported: fn(&Compute) -> bool = |fact| matches!(fact, Compute::Reported(reported) if !reported.late);
    let settled: fn(&Compute) -> bool = |fact| matches!(fact, Compute::Settled(_));
    said(reported, |fact| match fact {
        Compute::Reported(reported) => more(&mut reported.charged),
        _ => {}
    });
    said(reported, |fact| match fact {
        Compute::Reported(reported) => more(&mut reported.hive_paid),
        _ => {}
    });
    said(settled, |fact| match fact {
        Compute::Settled(settled) => more(&mut settled.reported.charged),
        _ => {}
    });
}

#[test]
fn an_end_says_what_it_freed() {
    let released: fn(&Compute) -> bool = |fact| matches!(fact, Compute::Released(_));
    let expired: fn(&Compute) -> bool = |fact| matches!(fact, Compute::Expired(_));
    for change in [
        |fact: &mut Compute| {
            if let Compute::Released(released) = fact {
                more(&mut released.released)
            }
        },
        |fact: &mut Compute| {
            if let Compute::Released(released) = fact {
                more(&mut released.lapsed);
            }
        },
    ] {
        said(released, change);
    }
    for change in [
        |fact: &mut Compute| {
            if let Compute::Expired(expired) = fact {
                more(&mut expired.released)
            }
        },
        |fact: &mut Compute| {
            if let Compute::Expired(expired) = fact {
                more(&mut expired.lapsed)
            }
        },
        |fact: &mut Compute| {
            if let Compute::Expired(expired) = fact {
                expired.allocations += 1
            }
        },
    ] {
        said(expired, change);
    }
    // An allocation released by a record that says nothing of it.
    check(Class::Facts, |record| match (&record.fact, record.entries.is_empty()) {
        (Fact::Compute(Compute::Released(_)), false) => {
            record.entries.clear();
            true
        }
        _ => false,
    });
}
