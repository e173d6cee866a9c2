//! Exports that were never shared so, signed by the log's own key: each rule broken once.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod hive;
mod lies;
mod served;

use hive::member;
use lab3_audit::Class;
use lab3_energy::{ExportShared, Fact as Energy, ShareRule};
use lab3_engine::{Actor, Fact, Record};
use lab3_ledger::{Event, Kind, Limits, Purpose};
use lab3_trust::Holder;
use lab3_units::{Amount, Asset, Id, Owner, Time};
use lies::{account, check, check_added, honest, key_of, record};

const HOUR_MS: i64 = 3_600_000;

/// What is found when the first sharing of several members, and its entries, are others.
#[track_caller]
fn lie(change: impl Fn(&mut ExportShared, &mut Vec<Event>)) {
    some(|shared, entries| {
        let several = shared.shares.len() > 1 && paid(entries).count() > 1;
        if several {
            change(shared, entries);
        }
        several
    });
}

/// The same, for the first for which `change` says it changed something.
#[track_caller]
fn some(change: impl Fn(&mut ExportShared, &mut Vec<Event>) -> bool) {
    check(Class::Facts, |record| match &mut record.fact {
        Fact::Energy(Energy::ExportShared(shared)) => change(shared, &mut record.entries),
        _ => false,
    });
}

fn paid(entries: &mut [Event]) -> impl Iterator<Item = &mut Amount> {
    entries.iter_mut().filter_map(|event| if let Event::Transferred { amount, .. } = event { Some(amount) } else { None })
}

fn more(amount: &mut Amount, by: i64) {
    *amount = Amount::new(amount.units() + by);
}

fn later(time: Time, millis: i64) -> Time {
    Time::from_millis(time.millis() + millis)
}

#[test]
fn each_member_gets_what_its_weight_gives() {
    lie(|shared, _| more(&mut shared.shares[0].amount, 1));
    lie(|shared, _| more(&mut shared.amount, 1));
    lie(|_, entries| more(paid(entries).next().unwrap(), 1));
    lie(|shared, _| shared.shares[0].weight = 0);
    lie(|shared, _| shared.shares.clear());
    lie(|shared, _| shared.shares.reverse());
    lie(|_, entries| drop(entries.pop()));
    // From one to the other, in fact and entries.
    some(|shared, entries| {
        let [first, second, ..] = &mut shared.shares[..] else { return false };
        if [first.account, second.account].contains(&shared.payer) || second.amount.units() < 2 {
            return false;
        }
        more(&mut first.amount, 1);
        more(&mut second.amount, -1);
        let mut paid = paid(entries);
        more(paid.next().unwrap(), 1);
        more(paid.next().unwrap(), -1);
        true
    });
    let rules: [(ShareRule, ShareRule); 2] = [(ShareRule::Weights, ShareRule::Equal), (ShareRule::Weights, ShareRule::Generation)];
    for (from, to) in rules {
        some(|shared, _| {
            let is = shared.rule == from && shared.shares.iter().any(|share| share.weight != 1);
            shared.rule = if is { to } else { shared.rule };
            is
        });
    }
    some(|shared, _| {
        let is = shared.rule == ShareRule::Generation;
        shared.shares.iter_mut().for_each(|share| share.weight += u64::from(is));
        is
    });
}

#[test]
fn whole_hours_are_shared_when_they_are_over_and_once() {
    lie(|shared, _| shared.from = later(shared.from, 1));
    lie(|shared, _| shared.to = shared.from);
    lie(|shared, _| shared.to = later(shared.to, 100 * HOUR_MS));
    lie(|shared, _| shared.from = Time::from_millis(i64::MIN));
    lie(|shared, _| shared.exported_mwh = Some(Amount::new(-1)));
    lie(|shared, _| shared.id = Id::from_bytes([9; 16]));
    let told = check_added(Class::Facts, |log| {
        let shared = (1..=log.entries.len()).rev().map(|at| log.record(at)).find(|r| matches!(r.fact, Fact::Energy(Energy::ExportShared(_))));
        let Record { mut fact, mut entries, .. } = shared.unwrap();
        if let Fact::Energy(Energy::ExportShared(shared)) = &mut fact {
            shared.id = Id::from_bytes([0xab; 16]);
        }
        entries.retain(|event| !matches!(event, Event::AccountOpened { .. }));
        record(log, fact, entries)
    });
    assert!(told.contains("was shared"), "{told}");
}

#[test]
fn money_goes_from_the_payers_wallet_to_members_wallets_and_nowhere_else() {
    lie(|shared, _| shared.payer.0 = 0);
    lie(|shared, entries| {
        // In fact and entries to what is no wallet.
        let quota = account(&honest(), &Owner::from(&member(0)), Purpose::Quota);
        let was = std::mem::replace(&mut shared.shares.last_mut().unwrap().account, quota);
        for event in entries {
            match event {
                Event::Transferred { to, .. } if *to == was => *to = quota,
                _ => {}
            }
        }
    });
    lie(|_, entries| {
        let (owner, limits) = (Owner::from(&member(9)), Limits::NO_OVERDRAFT);
        entries.insert(0, Event::AccountOpened { owner, asset: Asset::MIC, purpose: Purpose::Wallet, limits });
    });
    lie(|_, entries| {
        for event in entries {
            if let Event::Transferred { memo, .. } = event {
                *memo = "thanks".into();
            }
        }
    });
    for (within, kind) in [(true, Kind::Transfer), (true, Kind::Contribution), (false, Kind::ExportShare)] {
        check(Class::Kinds, |record| {
            let is = matches!(record.fact, Fact::Energy(Energy::ExportShared(_)));
            let moved = record.entries.iter_mut().find_map(|event| match event {
                Event::Transferred { kind, .. } if is || *kind == Kind::Transfer => Some(kind),
                _ => None,
            });
            moved.filter(|_| is == within).map(|was| *was = kind).is_some()
        });
    }
}

#[test]
fn the_payer_shares_and_nobody_else() {
    let key = |wanted: fn(&Holder) -> bool| Actor::Key(key_of(&honest(), wanted));
    let first = key(|holder| *holder == Holder::Citizen(member(0)));
    let wallet = account(&honest(), &Owner::from(&member(0)), Purpose::Wallet);
    for (actor, late) in [(first, true), (Actor::Key(1), true), (Actor::Key(5), true), (Actor::Engine, false)] {
        check(Class::Actors, |record| {
            let Fact::Energy(Energy::ExportShared(shared)) = &record.fact else { return false };
            let is = shared.payer != wallet && (!late || matches!(record.actor, Actor::Key(_)));
            record.actor = if is { actor } else { record.actor };
            is
        });
    }
    // Who has a key pays with it.
    check(Class::Signatures, |record| {
        let is = matches!(record.fact, Fact::Energy(Energy::ExportShared(_))) && matches!(record.actor, Actor::Key(_));
        record.actor = if is { Actor::Signed } else { record.actor };
        is
    });
}
