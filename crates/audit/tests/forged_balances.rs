//! Sheets of balances that are not those of the books, signed by the log's own key: each is caught by the check that is for it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

mod hive;
mod lies;
mod served;

use lab3_audit::Class;
use lab3_engine::{Fact, Record};
use lab3_finance::{Fact as Money, Sheet};
use lab3_ledger::Event;
use lab3_units::{Amount, Id};
use lies::{check, check_from, honest, judged};

fn sheet(record: &mut Record) -> Option<&mut Sheet> {
    match &mut record.fact {
        Fact::Finance(Money::EpochBalanced(balanced)) => Some(&mut balanced.sheet),
        _ => None,
    }
}

/// The first record that sums up balances.
fn first_sheet() -> usize {
    let log = honest();
    (1..=log.entries.len()).find(|&sequence| sheet(&mut log.record(sequence)).is_some()).unwrap()
}

#[track_caller]
fn check_sheet(change: fn(&mut Sheet)) {
    check(Class::Balances, move |record| sheet(record).map(change).is_some());
}

#[test]
fn the_root_is_that_of_the_balances() {
    check_sheet(|sheet| sheet.root[31] ^= 1);
    check_sheet(|sheet| sheet.root = lab3_tlog::empty_root());
}

#[test]
fn no_account_is_missing_and_none_too_many() {
    check_sheet(|sheet| sheet.accounts -= 1);
    check_sheet(|sheet| sheet.accounts += 1);
}

#[test]
fn the_totals_are_those_of_the_accounts() {
    check_sheet(|sheet| sheet.totals[0].balance = Amount::new(sheet.totals[0].balance.units() + 1));
    check_sheet(|sheet| sheet.totals.truncate(3));
    check_sheet(|sheet| sheet.totals.reverse());
    check_sheet(|sheet| sheet.totals.push(sheet.totals[0]));
}

#[test]
fn an_epoch_is_not_closed_without_its_balances_any_more() {
    check_from(first_sheet() + 1, Class::Balances, |record| match &record.fact {
        Fact::Finance(Money::EpochBalanced(balanced)) => {
            record.fact = Fact::Finance(Money::EpochClosed(balanced.closing));
            true
        }
        _ => false,
    });
}

/// An account opened under another id: nothing else of the books changes, but for the salts of all balances after it.
#[test]
fn salts_are_made_of_the_ids_of_openings() {
    let mut log = honest();
    let opens = |record: &Record| record.entries.iter().any(|event| matches!(event, Event::AccountOpened { .. }));
    let opened = (2..first_sheet()).find(|&sequence| opens(&log.record(sequence))).unwrap();
    let record = Record { id: Id::from_bytes([0x77; 16]), ..log.record(opened) };
    log.write(opened, &record);
    judged(log, first_sheet(), Class::Balances);
}
