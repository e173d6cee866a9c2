//! Exports that were never shared so, signed by the log's own key: each rule broken once.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod hive;
mod lies;
mod served;

use std::sync::OnceLock;

use hive::{Hive, member};
use lab3_audit::Class;
use lab3_energy::{ExportShared, Fact as Energy, ShareRule};
use lab3_engine::{Actor, Fact, Record};
use lab3_ledger::{Event, Kind, Limits, Purpose};
use lab3_trust::Holder;
use lab3_units::{Amount, Asset, Id, Owner, Time};
use lies::{account, check_in, judged, key_of, record, wallet};
use served::{Log, signer};

const HOUR_MS: i64 = 3_600_000;

/// An honest Hive's log: forty hours of exports, and so many steps of all else, half of them before it is closed.
fn log(steps: usize) -> Log {
    let mut hive = Hive::new(5);
    hive.inscribe(*signer(7).verifier().public());
    hive.share_exports(40);
    if steps > 0 {
        hive.live(steps);
    }
    let entries = hive.entries();
    hive.stop();
    Log::of(entries)
}

fn exports() -> Log {
    static LOG: OnceLock<Log> = OnceLock::new();
    LOG.get_or_init(|| log(0)).clone()
}

/// With exports, or a transfer.
fn shared_or(within: bool) -> Log {
    if within { exports() } else { lies::honest() }
}

fn is_shared(record: &Record) -> bool {
    matches!(record.fact, Fact::Energy(Energy::ExportShared(_)))
}

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
    check_in(exports(), 1, Class::Facts, |record| match &mut record.fact {
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
    let mut log = exports();
    let again = (1..=log.entries.len()).rev().map(|at| log.record(at)).find(is_shared);
    let Record { mut fact, mut entries, .. } = again.unwrap();
    if let Fact::Energy(Energy::ExportShared(shared)) = &mut fact {
        shared.id = Id::from_bytes([0xab; 16]);
    }
    entries.retain(|event| !matches!(event, Event::AccountOpened { .. }));
    let again = record(&log, fact, entries);
    log.entries.push(lab3_engine::write_entry(&again).unwrap());
    let last = log.entries.len();
    let told = judged(log, last, Class::Facts);
    assert!(told.contains("was shared"), "{told}");
}

#[test]
fn money_goes_from_the_payers_wallet_to_members_wallets_and_nowhere_else() {
    lie(|shared, _| shared.payer.0 = 0);
    lie(|shared, entries| {
        // In fact and entries to what is no wallet.
        let pool = account(&exports(), &Owner::hive("pool"), Purpose::Pool);
        let was = std::mem::replace(&mut shared.shares.last_mut().unwrap().account, pool);
        for event in entries {
            match event {
                Event::Transferred { to, .. } if *to == was => *to = pool,
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
        check_in(shared_or(within), 1, Class::Kinds, |record| {
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
    let closed = log(40);
    let shared = closed.record((1..=closed.entries.len()).find(|&at| is_shared(&closed.record(at))).unwrap());
    let key = |wanted: fn(&Holder) -> bool| Actor::Key(key_of(&closed, wanted));
    let keys = [key(|holder| *holder == Holder::Citizen(member(1))), Actor::Key(1), Actor::Key(5), Actor::Engine];
    let own = key(|holder| *holder == Holder::Citizen(member(0)));
    let payer = wallet(&closed, 0);
    for (actor, class) in
        keys.map(|key| (key, Class::Actors)).into_iter().chain([(own, Class::Signatures), (Actor::Signed, Class::Signatures)])
    {
        // Other hours, so that all else is well.
        let Record { mut fact, .. } = shared.clone();
        let Fact::Energy(Energy::ExportShared(shared)) = &mut fact else { unreachable!("it is shared") };
        let hour = closed.record(closed.entries.len()).at.millis() / HOUR_MS * HOUR_MS;
        (shared.id, shared.from, shared.to) = (Id::from_bytes([0xab; 16]), Time::from_millis(hour - HOUR_MS), Time::from_millis(hour));
        (shared.payer, shared.rule) = (payer, ShareRule::Weights);
        shared.shares.truncate(1);
        shared.shares[0].account = wallet(&closed, 1);
        shared.shares[0].amount = shared.amount;
        let entry = Event::Transferred {
            from: payer,
            to: shared.shares[0].account,
            amount: shared.amount,
            kind: Kind::ExportShare,
            memo: "".into(),
        };
        let forged = Record { actor, ..record(&closed, fact, vec![entry]) };
        let mut log = closed.clone();
        log.entries.push(lab3_engine::write_entry(&forged).unwrap());
        let last = log.entries.len();
        judged(log, last, class);
    }
}
