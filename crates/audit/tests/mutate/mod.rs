//! Random changes of what a log serves: of its bytes, of its order, and of its books, signed again.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use crate::hive::Dice;
use crate::lies::{is_transfer, paid, record};
use crate::served::{Log, sign, signer};
use lab3_compute::Fact as Compute;
use lab3_energy::Fact as Energy;
use lab3_energy::carbon::certificates::Fact as Certified;
use lab3_engine::{Actor, Fact, Record};
use lab3_finance::Fact as Money;
use lab3_ledger::{Event, Kind};
use lab3_units::{Amount, Duration, Id, Time};

/// A log that lies in one way, and in which; also about who acted, if `acts`.
pub fn mutated(honest: &Log, dice: &mut Dice, acts: bool) -> (String, Log) {
    let mut log = honest.clone();
    let at = dice.below(log.entries.len());
    let what = match dice.below(16) {
        0..=2 => {
            let byte = dice.below(log.entries[at].len());
            log.entries[at][byte] ^= 1 << dice.below(8);
            return (format!("a bit of byte {byte} of record {}", at + 1), log);
        }
        3 => {
            log.entries.remove(at);
            return (format!("record {} left out", at + 1), log);
        }
        4 => {
            let other = (at + 1 + dice.below(log.entries.len() - 1)) % log.entries.len();
            log.entries.swap(at, other);
            return (format!("records {} and {} swapped", at + 1, other + 1), log);
        }
        5 => {
            log.entries.insert(at, honest.entries[dice.below(honest.entries.len())].clone());
            return (format!("a record put in before {}", at + 1), log);
        }
        6 => {
            let len = log.entries[at].len();
            log.entries[at].truncate(dice.below(len));
            return (format!("record {} cut short", at + 1), log);
        }
        7 => {
            log.entries.truncate(at);
            return (format!("the log cut after record {at}"), log);
        }
        8 => {
            let byte = dice.below(log.note.len());
            log.note[byte] ^= 1 << dice.below(8);
            // The last bits of a text in base 64 may mean nothing: then the note is refused for that.
            return (format!("a bit of byte {byte} of the checkpoint"), log);
        }
        9 => {
            let tile = (at / 256) as u64;
            let records = &log.entries[at / 256 * 256..(at / 256 * 256 + 256).min(log.entries.len())];
            let mut bytes = lab3_tlog::encode_entries(records).unwrap();
            let len = bytes.len();
            bytes.truncate(dice.below(len));
            log.tiles.push((tile, bytes));
            return (format!("tile {tile} cut short"), log);
        }
        10 => {
            log.key = signer(9).verifier().to_string();
            log.note = sign(&log.entries, &signer(9)).to_string().into_bytes();
            return ("yesterday's records under another key".to_owned(), log);
        }
        11 => {
            // A hold that is open then and ends later counts its record from the first.
            let at = at / 2;
            log.entries.remove(at);
            format!("record {} left out, signed again", at + 1)
        }
        12 => {
            let entry = log.entries[at].clone();
            log.entries.push(entry);
            format!("record {} once more at the end, signed again", at + 1)
        }
        _ => forge(&mut log, dice, acts),
    };
    (what, log.signed_again())
}

/// Changes the first record, from a random one on, that has what is to be changed.
fn forge(log: &mut Log, dice: &mut Dice, acts: bool) -> String {
    let (kind, first) = (usize::from(!acts) + dice.below(10 - usize::from(!acts)), dice.below(log.entries.len()));
    for sequence in (1..=log.entries.len()).cycle().skip(first).take(log.entries.len()) {
        let mut record = log.record(sequence);
        if change(&mut record, kind) {
            log.write(sequence, &record);
            return format!("record {sequence}: lie {kind}, signed again");
        }
    }
    let entries = paid(log, 0, 1, 1_000_000_000_000);
    let broke = self::record(log, Fact::Finance(Money::Transferred), entries);
    log.entries.push(postcard::to_stdvec(&broke).unwrap());
    "a transfer of what is not there, signed again".to_owned()
}

fn change(record: &mut Record, kind: usize) -> bool {
    let more = |amount: &mut Amount| *amount = Amount::new(amount.units() + 1);
    match kind {
        0 if is_transfer(record) => record.actor = Actor::Engine,
        1 if is_transfer(record) => drop(record.entries.pop()),
        2 => match record.entries.last_mut() {
            Some(Event::HoldReleased(end) | Event::HoldExpired(end) | Event::HoldSettled { end, .. }) => more(&mut end.held),
            _ => return false,
        },
        3 => match record.entries.last_mut() {
            Some(Event::Transferred { amount, kind: Kind::Mint | Kind::EpochReward | Kind::Fee | Kind::Contribution, .. }) => more(amount),
            _ => return false,
        },
        // Before the first there is no time that it could go back behind.
        4 if !matches!(record.fact, Fact::Finance(Money::Opened { .. })) => {
            record.at = Time::from_millis(record.at.millis() - 10_000_000_000);
        }
        5 => {
            if !record.entries.iter().any(|event| matches!(event, Event::HoldReleased(_) | Event::HoldExpired(_))) {
                return false;
            }
            let again = record.entries[0].clone();
            record.entries.push(again);
        }
        6 => match record.entries.last_mut() {
            Some(Event::HoldPlaced { id, .. }) => *id = Id::from_bytes([0; 16]),
            _ => return false,
        },
        7 => match &mut record.fact {
            Fact::Compute(Compute::Settled(settled)) => more(&mut settled.reported.charged),
            Fact::Compute(Compute::Reported(reported)) if !reported.late => more(&mut reported.hive_paid),
            Fact::Compute(Compute::Released(released)) => more(&mut released.released),
            Fact::Compute(Compute::Expired(expired)) => more(&mut expired.lapsed),
            Fact::Compute(Compute::Deferred(deferred)) => {
                deferred.deferral.run_until = deferred.deferral.deadline.after(Duration::from_millis(1));
            }
            _ => return false,
        },
        8 => match &mut record.fact {
            Fact::Energy(Energy::Drawn(drawn)) => more(&mut drawn.footprint.average_mg),
            Fact::Energy(Energy::HourClosed(closed)) => more(&mut closed.footprint.market_mg),
            Fact::Energy(Energy::Booked(booked)) => more(&mut booked.jobs[0].energy_mwh),
            Fact::Energy(Energy::JobSettled(settled)) => more(&mut settled.house.0),
            Fact::Energy(Energy::JobReleased { released, .. } | Energy::JobsExpired { released, .. }) => more(released),
            Fact::Energy(Energy::Certified(Certified::Claimed { claim, .. })) => claim.at = Time::from_millis(0),
            _ => return false,
        },
        9 => match record.entries.last_mut() {
            Some(Event::Transferred { amount, kind: Kind::Draw | Kind::Correction, .. }) => more(amount),
            _ => return false,
        },
        _ => return false,
    }
    true
}
