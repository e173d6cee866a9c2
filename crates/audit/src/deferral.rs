//! What a record says of a query that may wait: times that can be, a hold until it has had its time, and a gain that is what its own figures make it.

use lab3_compute::{DEFER_MAX, Deferral, Deferred, Gain};
use lab3_engine::Record;
use lab3_ledger::Event;

use crate::verdict::{Class, Found};

/// Checks the deferral of a record against its time and its hold.
pub(crate) fn check(record: &Record, deferred: &Deferred) -> Result<(), Found> {
    let bad = |what: &str| Err((Class::Facts, what.to_owned()));
    let Deferral { deadline, run_at, run_until, gain, .. } = &deferred.deferral;
    if *deadline <= record.at || record.at.after(DEFER_MAX) < *deadline {
        return bad("it has a deadline that has passed, or is more than seven days ahead");
    }
    if *run_at < record.at || run_until < run_at || deadline < run_until {
        return bad("it runs in the past, or after its deadline");
    }
    let mut placed = record.entries.iter().filter_map(|event| match event {
        Event::HoldPlaced { deadline, .. } => Some(*deadline),
        _ => None,
    });
    if placed.next().is_none_or(|held| held < *run_until) || placed.next().is_some() {
        return bad("it does not hold its cost until it has had its time");
    }
    if gained(gain) { Ok(()) } else { bad("what it says is saved is not what its figures make it") }
}

/// Whether what is saved is what the energy emits less then than at once, each in whole mg, halves up.
fn gained(gain: &Gain) -> bool {
    let Some(saved) = gain.carbon_saved_mg else { return true };
    let (Some(then), Some(at_once), Some(energy)) = (gain.carbon_ug_per_kwh, gain.at_once_ug_per_kwh, gain.energy_mwh) else {
        return false;
    };
    let emits = |intensity: u64| (i128::from(energy.units()) * i128::from(intensity) + 500_000_000).div_euclid(1_000_000_000);
    i128::from(saved.units()) == emits(at_once) - emits(then)
}
