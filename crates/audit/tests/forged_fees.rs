//! Fees that were left out, changed or paid by another, signed by the log's own key.

mod hive;
mod lies;
mod served;

use lab3_audit::{Class, Terms, audit};
use lab3_engine::{Record, write_entry};
use lab3_ledger::Purpose;
use lab3_ledger::{Event, Kind};
use lab3_units::{Amount, Id};
use lies::{TRANSFERRED, check, check_added, honest, is_transfer, moved, office, paid, record, signed, wallet};

#[test]
fn fees_follow_their_transfers() {
    let change = |change: fn(&mut Vec<Event>)| {
        check(Class::Fees, move |record| {
            let is = is_transfer(record);
            if is {
                change(&mut record.entries);
            }
            is
        });
    };
    change(|entries| drop(entries.pop()));
    change(|entries| entries.reverse());
    change(|entries| drop(entries.remove(0)));
    change(|entries| entries.push(entries[1].clone()));
    change(|entries| {
        if let Event::Transferred { amount, .. } = &mut entries[1] {
            *amount = Amount::new(amount.units() + 1);
        }
    });
    check_added(Class::Fees, |log| {
        let mut entries = paid(log, 0, 1, 1000);
        entries[1] = moved(wallet(log, 2), office(log, Purpose::Pool), 1, Kind::Fee);
        record(log, TRANSFERRED, entries)
    });
    check_added(Class::Kinds, |log| {
        let mut entries = paid(log, 0, 1, 1000);
        entries[1] = moved(wallet(log, 0), wallet(log, 2), 1, Kind::Fee);
        record(log, TRANSFERRED, entries)
    });
}

#[test]
fn a_fee_left_out_shows_without_knowing_the_rate() {
    let mut log = honest();
    let mut entries = paid(&log, 0, 1, 1000);
    entries.pop();
    let free = record(&log, TRANSFERRED, entries.clone());
    entries.extend(paid(&log, 0, 1, 1000));
    let half = signed(&log, Record { id: Id::from_bytes([1; 16]), entries, ..free.clone() });
    log.entries.push(write_entry(&free).unwrap());
    let at = log.entries.len() as u64;
    let verdict = audit(&mut log.clone().signed_again(), &Terms::default(), |_, _| {});
    assert_eq!(verdict.figures.fees.iter().map(|seen| (seen.from, seen.most)).collect::<Vec<_>>()[1..], [(at, 0)], "{verdict}");
    assert!((10_000..10_020).contains(&verdict.figures.fees[0].most) && verdict.figures.fees[0].least <= 10_000, "{verdict}");
    log.entries.push(write_entry(&half).unwrap());
    let verdict = audit(&mut log.signed_again(), &Terms::default(), |_, _| {});
    // And of its two transfers one was signed.
    let found = [(Some(at + 1), Class::Fees), (Some(at + 1), Class::Signatures)];
    assert_eq!(verdict.faults.iter().map(|fault| (fault.record, fault.class)).collect::<Vec<_>>(), found);
}
