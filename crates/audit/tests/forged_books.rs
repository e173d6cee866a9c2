//! Books that were never so, signed by the log's own key: each kind of lie is caught by the check that is for it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod hive;
mod lies;
mod served;

use hive::member;
use lab3_audit::{Class, audit};
use lab3_compute::Fact as Compute;
use lab3_engine::{Fact, Record, write_entry};
use lab3_finance::{Closing, Fact as Money};
use lab3_ledger::{AccountNo, Event, HoldEnd, Kind, Limits, Purpose};
use lab3_units::{Amount, Asset, Id, Owner, Time};
use lies::{TRANSFERRED, account, check, check_added, check_from, honest, judged, moved, office, paid, record, terms, wallet};

#[test]
fn an_honest_record_added_at_the_end_passes() {
    let mut log = honest();
    let added = record(&log, TRANSFERRED, paid(&log, 0, 1, 1_000));
    log.entries.push(write_entry(&added).unwrap());
    let verdict = audit(&mut log.signed_again(), &terms(), |_, _| {});
    assert!(verdict.holds(), "{verdict}");
}

#[test]
fn balances_below_nothing_are_found() {
    check_added(Class::Limits, |log| record(log, TRANSFERRED, paid(log, 0, 1, 1_000_000_000_000)));
    check_added(Class::Limits, |log| record(log, TRANSFERRED, paid(log, 0, 1, -5)));
    check_added(Class::Limits, |log| {
        let mut entries = paid(log, 0, 1, 5);
        entries[0] = moved(wallet(log, 0), wallet(log, 0), 5, Kind::Transfer);
        record(log, TRANSFERRED, entries)
    });
    check_added(Class::Limits, |log| {
        let fact = Fact::Finance(Money::Minted { supply: Amount::MAX });
        record(log, fact, vec![moved(office(log, Purpose::Issuance), wallet(log, 0), i64::MAX, Kind::Mint)])
    });
    // More is set aside than there is.
    check(Class::Limits, |record| {
        record.entries.iter_mut().any(|event| match event {
            Event::HoldPlaced { amount, .. } => {
                *amount = Amount::new(1_000_000_000_000);
                true
            }
            _ => false,
        })
    });
}

#[test]
fn a_settlement_gives_nothing_back() {
    // Late enough for the provider to have something.
    check_from(300, Class::Limits, |record| {
        record.entries.iter_mut().any(|event| match event {
            Event::HoldSettled { taken, .. } => {
                *taken = Amount::new(-1);
                true
            }
            _ => false,
        })
    });
}

#[test]
fn a_ceiling_is_kept() {
    check(Class::Limits, |record| {
        record.entries.iter_mut().any(|event| match event {
            Event::AccountOpened { purpose: Purpose::Wallet, limits, .. } => {
                limits.ceiling = Amount::new(3);
                record.fact != TRANSFERRED
            }
            _ => false,
        })
    });
}

#[test]
fn accounts_are_those_there_may_be() {
    let open = |owner: Owner, asset, purpose, limits| Event::AccountOpened { owner, asset, purpose, limits };
    let own = || Owner::from(&member(0));
    for (owner, asset, purpose, limits) in [
        (own(), Asset::MIC, Purpose::Wallet, Limits::NO_OVERDRAFT),
        (Owner::from(&lab3_units::Did::parse("did:kaizen:new").unwrap()), Asset::MIC, Purpose::Wallet, Limits::OVERDRAFT),
        (own(), Asset::MIC, Purpose::Issuance, Limits::OVERDRAFT),
        (own(), Asset::COMPUTE, Purpose::Expense, Limits::OVERDRAFT),
        (Owner::hive("mine"), Asset::MIC, Purpose::Wallet, Limits::NO_OVERDRAFT),
        (own(), Asset::ENERGY, Purpose::Issuance, Limits::OVERDRAFT),
        (Owner::hive("energy"), Asset::CARBON, Purpose::Usage, Limits::NO_OVERDRAFT),
        (Owner::hive("garden"), Asset::ENERGY, Purpose::Usage, Limits::NO_OVERDRAFT),
        (Owner::hive("idle"), Asset::ENERGY, Purpose::Usage, Limits::OVERDRAFT),
        (Owner::hive("provider/new"), Asset::CARBON, Purpose::Issuance, Limits::NO_OVERDRAFT),
    ] {
        check_added(Class::Accounts, |log| record(log, TRANSFERRED, vec![open(owner, asset, purpose, limits)]));
    }
    check_added(Class::Accounts, |log| record(log, TRANSFERRED, vec![moved(wallet(log, 0), AccountNo(9999), 1, Kind::Transfer)]));
}

fn first_end(event: &mut Event) -> Option<&mut HoldEnd> {
    match event {
        Event::HoldSettled { end, .. } | Event::HoldReleased(end) | Event::HoldExpired(end) => Some(end),
        _ => None,
    }
}

#[test]
fn holds_end_once_and_as_they_stood() {
    let change = |change: fn(&mut HoldEnd)| {
        check(Class::Holds, move |record| record.entries.iter_mut().find_map(first_end).map(change).is_some());
    };
    change(|end| end.placed += 1);
    change(|end| end.account = AccountNo(end.account.0 + 1));
    change(|end| end.held = Amount::new(end.held.units() + 1));
    change(|end| end.id = Id::from_bytes([9; 16]));
    // Ended twice, in one record and in two.
    check(Class::Holds, |record| {
        let Some(end) = record.entries.iter_mut().find_map(first_end).cloned() else { return false };
        record.entries.push(Event::HoldReleased(end));
        true
    });
    check_added(Class::Holds, |log| {
        let ended =
            (1..=log.entries.len()).map(|sequence| log.record(sequence)).find(|r| matches!(r.fact, Fact::Compute(Compute::Released(_))));
        let ended = ended.unwrap();
        record(log, ended.fact, ended.entries)
    });
    // Before its time.
    check(Class::Holds, |record| {
        let expired = record.entries.iter().any(|event| matches!(event, Event::HoldExpired(_)));
        record.at = Time::from_millis(if expired { record.at.millis() - 3_000_000_000 } else { record.at.millis() });
        expired
    });
    // Extended without being open, by less than nothing, on another account.
    let extend = |change: fn(&mut Id, &mut AccountNo, &mut Amount)| {
        check(Class::Holds, move |record| match &mut record.entries[..] {
            [Event::HoldExtended { id, account, by, .. }] => {
                change(id, account, by);
                true
            }
            _ => false,
        });
    };
    extend(|id, _, _| *id = Id::from_bytes([9; 16]));
    extend(|_, account, _| account.0 += 1);
    extend(|_, _, by| *by = Amount::new(-1));
    check(Class::Holds, |record| {
        let Some(at) = record.entries.iter().position(|event| matches!(event, Event::HoldPlaced { .. })) else { return false };
        record.entries.push(record.entries[at].clone());
        true
    });
    check(Class::Holds, |record| {
        record.entries.iter_mut().any(|event| match event {
            Event::HoldPlaced { amount, .. } => {
                *amount = Amount::new(-7);
                true
            }
            _ => false,
        })
    });
}

#[test]
fn money_does_not_appear_without_a_trace() {
    let issue = |kind: Kind, fact: Fact| {
        check_added(Class::Kinds, move |log| record(log, fact, vec![moved(office(log, Purpose::Issuance), wallet(log, 0), 5, kind)]));
    };
    issue(Kind::Mint, TRANSFERRED);
    issue(Kind::Transfer, TRANSFERRED);
    issue(Kind::EpochReward, TRANSFERRED);
    issue(Kind::Mint, Fact::Batch { items: 1 });
    issue(Kind::Grant, Fact::Finance(Money::Granted { pool_balance: Amount::ZERO }));
    check_added(Class::Kinds, |log| {
        record(log, TRANSFERRED, vec![moved(wallet(log, 0), office(log, Purpose::Issuance), 5, Kind::Transfer)])
    });
    check_added(Class::Kinds, |log| record(log, TRANSFERRED, vec![moved(office(log, Purpose::Pool), wallet(log, 0), 5, Kind::Grant)]));
    // A mint that says another supply, or is larger than it says; rewards likewise.
    check(Class::Facts, |record| match &mut record.fact {
        Fact::Finance(Money::Minted { supply }) => {
            *supply = Amount::new(supply.units() + 1);
            true
        }
        _ => false,
    });
    check(Class::Facts, |record| match (&record.fact, &mut record.entries[..]) {
        (Fact::Finance(Money::Minted { .. }), [.., Event::Transferred { amount, .. }]) => {
            *amount = Amount::new(amount.units() + 1);
            true
        }
        _ => false,
    });
    for change in [
        (|closing| closing.supply = Amount::new(closing.supply.units() + 1)) as fn(&mut Closing),
        |closing| closing.reward = Amount::new(7),
        |closing| closing.closed += 1,
        |closing| closing.opened += 1,
        |closing| (closing.closed, closing.opened) = (closing.closed + 1, closing.opened + 1),
    ] {
        check(Class::Facts, move |record| match &mut record.fact {
            Fact::Finance(Money::EpochBalanced(balanced)) => {
                change(&mut balanced.closing);
                true
            }
            _ => false,
        });
    }
    check(Class::Facts, |record| match &mut record.fact {
        Fact::Finance(Money::Granted { pool_balance } | Money::Contributed { pool_balance }) => {
            *pool_balance = Amount::ZERO;
            true
        }
        _ => false,
    });
    for at in 0..4 {
        check(Class::Facts, move |record| match &mut record.fact {
            Fact::Finance(Money::Opened { issuance, pool, reserve, pool_balance }) => {
                match at {
                    0 => *issuance = *pool,
                    1 => *pool = *reserve,
                    2 => *reserve = *issuance,
                    _ => *pool_balance = Amount::ZERO,
                }
                true
            }
            _ => false,
        });
    }
    // The books opened again, as they are; and by another than the first record.
    check_added(Class::Facts, |log| {
        let pool_balance = (1..=log.entries.len()).rev().find_map(|sequence| match log.record(sequence).fact {
            Fact::Finance(Money::Contributed { pool_balance } | Money::Granted { pool_balance }) => Some((sequence, pool_balance)),
            _ => None,
        });
        let (sequence, pool_balance) = pool_balance.unwrap();
        let into = |event: &Event| matches!(event, Event::Transferred { to, .. } if *to == office(log, Purpose::Pool));
        let since = (sequence + 1..=log.entries.len()).flat_map(|sequence| log.record(sequence).entries).filter(into);
        let since: i64 = since.map(|event| if let Event::Transferred { amount, .. } = event { amount.units() } else { 0 }).sum();
        let [issuance, pool, reserve] = [Purpose::Issuance, Purpose::Pool, Purpose::Reserve].map(|purpose| office(log, purpose));
        let pool_balance = Amount::new(pool_balance.units() + since);
        let fact = Fact::Finance(Money::Opened { issuance, pool, reserve, pool_balance });
        Record { actor: lab3_engine::Actor::Engine, ..record(log, fact, Vec::new()) }
    });
    let mut log = honest();
    let before = Record { at: log.record(1).at, ..record(&log, Fact::Batch { items: 0 }, Vec::new()) };
    log.entries.insert(0, postcard::to_stdvec(&before).unwrap());
    judged(log, 1, Class::Facts);
}

#[test]
fn assets_are_not_exchanged() {
    check_added(Class::Sums, |log| {
        let quota = account(log, &Owner::from(&member(0)), Purpose::Quota);
        record(log, TRANSFERRED, vec![moved(wallet(log, 0), quota, 5, Kind::Transfer)])
    });
}

#[test]
fn time_and_ids_go_one_way() {
    check_from(9, Class::Time, |record| {
        record.at = Time::from_millis(record.at.millis() - 1_000_000);
        true
    });
    let honest = honest();
    let used = honest.record(20).id;
    check_from(40, Class::Ids, |record| {
        record.id = used;
        true
    });
    check_from(40, Class::Ids, |record| {
        record.aliases.push(used);
        true
    });
    check_from(40, Class::Holds, |record| {
        record.entries.iter_mut().any(|event| match event {
            Event::HoldPlaced { id, .. } => {
                *id = used;
                true
            }
            _ => false,
        })
    });
}

#[test]
fn there_is_one_way_to_write_a_record() {
    let mut log = honest();
    // The first byte of a time, written in one byte more than it takes.
    let bytes = &mut log.entries[19];
    let end = bytes.iter().position(|byte| byte & 0x80 == 0).unwrap();
    bytes[end] |= 0x80;
    bytes.insert(end + 1, 0);
    judged(log, 20, Class::Form);
    let mut log = honest();
    log.entries[19].push(0);
    judged(log, 20, Class::Form);
    let mut log = honest();
    log.entries[19].pop();
    judged(log, 20, Class::Form);
}
