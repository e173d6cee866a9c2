//! Entries that stand where they do not belong, and allowances granted out of turn, signed by the log's own key.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod hive;
mod lies;
mod served;

use hive::member;
use lab3_audit::Class;
use lab3_compute::Fact as Compute;
use lab3_energy::Fact as Energy;
use lab3_engine::Fact;
use lab3_finance::Fact as Money;
use lab3_ledger::{AccountNo, Event, Kind, Limits, Purpose};
use lab3_units::{Amount, Asset, Id, Owner};
use lies::{TRANSFERRED, account, check, check_added, check_from, honest, judged, moved, record, wallet};

#[test]
fn entries_stand_where_they_belong() {
    // A settlement to a member, and one in a record of money.
    let quota = account(&honest(), &Owner::from(&member(1)), Purpose::Quota);
    check_from(200, Class::Kinds, |record| match &mut record.entries[..] {
        [Event::HoldSettled { end, to, .. }] if end.account != quota => {
            *to = quota;
            true
        }
        _ => false,
    });
    check(Class::Kinds, |record| {
        let is = matches!(record.entries[..], [Event::HoldSettled { .. }]);
        record.fact = if is { TRANSFERRED } else { record.fact.clone() };
        is
    });
    check(Class::Kinds, |record| {
        let is = matches!(record.entries[..], [Event::HoldReleased(_)]);
        record.fact = if is { TRANSFERRED } else { record.fact.clone() };
        is
    });
    // A gift to a member instead of the pool; new money out of a member's wallet.
    let of = wallet(&honest(), 1);
    check_from(200, Class::Kinds, |record| match (&record.fact, &mut record.entries[..]) {
        (Fact::Finance(Money::Contributed { .. }), [Event::Transferred { from, to, .. }]) if *from != of => {
            *to = of;
            true
        }
        _ => false,
    });
    check_added(Class::Kinds, |log| {
        let fact = Fact::Finance(Money::Minted { supply: Amount::ZERO });
        record(log, fact, vec![moved(wallet(log, 0), wallet(log, 1), 5, Kind::Mint)])
    });
    check_added(Class::Kinds, |log| {
        let owner = Owner::from(&lab3_units::Did::parse("did:kaizen:new").unwrap());
        let opened = Event::AccountOpened { owner, asset: Asset::MIC, purpose: Purpose::Wallet, limits: Limits::NO_OVERDRAFT };
        record(log, Fact::Batch { items: 1 }, vec![opened])
    });
}

#[test]
fn energy_moves_between_its_own_accounts_and_in_its_own_records() {
    let log = honest();
    let site = lies::account_of(&log, &Owner::hive("energy"), Asset::ENERGY, Purpose::Issuance);
    let [alice, bob] = [0, 1].map(|who| lies::account_of(&log, &Owner::from(&member(who)), Asset::ENERGY, Purpose::Usage));
    let (quota, mic) = (account(&log, &Owner::from(&member(1)), Purpose::Quota), wallet(&log, 0));
    let nothing = || Fact::Energy(Energy::JobsExpired { jobs: Vec::new(), released: Amount::ZERO });
    for (fact, from, to, kind) in [
        (TRANSFERRED, site, alice, Kind::Draw),
        (TRANSFERRED, alice, site, Kind::Correction),
        (nothing(), alice, bob, Kind::Draw),
        (nothing(), alice, site, Kind::Draw),
        (nothing(), site, alice, Kind::Correction),
        (nothing(), site, alice, Kind::Mint),
        (nothing(), mic, wallet(&log, 1), Kind::Transfer),
        (nothing(), mic, wallet(&log, 1), Kind::Draw),
    ] {
        check_added(Class::Kinds, |log| record(log, fact, vec![moved(from, to, 1, kind)]));
    }
    for (fact, asset, purpose) in [(TRANSFERRED, Asset::CARBON, Purpose::Usage), (nothing(), Asset::MIC, Purpose::Wallet)] {
        check_added(Class::Kinds, |log| {
            let owner = Owner::from(&lab3_units::Did::parse("did:kaizen:new").unwrap());
            record(log, fact, vec![Event::AccountOpened { owner, asset, purpose, limits: Limits::NO_OVERDRAFT }])
        });
    }
    // Holds of the one in records of the other, and on other accounts.
    let is_energy = |fact: &Fact| matches!(fact, Fact::Energy(_));
    for of_energy in [true, false] {
        for kind in 0..4 {
            check(Class::Kinds, |record| {
                let is = is_energy(&record.fact) == of_energy
                    && record.entries.iter().any(|event| match event {
                        Event::HoldPlaced { .. } => kind == 0,
                        Event::HoldSettled { .. } => kind == 1,
                        Event::HoldReleased(_) => kind == 2,
                        Event::HoldExpired(_) => kind == 3,
                        _ => false,
                    });
                let other = lab3_compute::Expired { allocations: 0, released: Amount::ZERO, lapsed: Amount::ZERO };
                let other = if of_energy { Fact::Compute(Compute::Expired(other)) } else { nothing() };
                record.fact = if is { other } else { record.fact.clone() };
                is
            });
        }
    }
    // By then there are all these accounts.
    for elsewhere in [quota, alice] {
        check_from(400, Class::Kinds, |record| {
            let placed = record.entries.iter_mut().find_map(|event| match event {
                Event::HoldPlaced { account, .. } if is_energy(&record.fact) => Some(account),
                _ => None,
            });
            placed.is_some_and(|account| std::mem::replace(account, elsewhere) != elsewhere)
        });
        check_from(400, Class::Kinds, |record| {
            let settled = record.entries.iter_mut().find_map(|event| match event {
                Event::HoldSettled { to, .. } if is_energy(&record.fact) => Some(to),
                _ => None,
            });
            settled.is_some_and(|to| std::mem::replace(to, if elsewhere == alice { site } else { elsewhere }) != elsewhere)
        });
    }
    // A certificate is nothing on the ledger.
    check_from(400, Class::Kinds, |record| {
        let is = matches!(record.fact, Fact::Energy(Energy::Certified(_)));
        record.entries.extend(is.then(|| moved(site, alice, 1, Kind::Draw)));
        is
    });
}

#[test]
fn allowances_are_granted_once_a_month() {
    let opening = |change: fn(&mut lab3_compute::Opening)| {
        check(Class::Facts, move |record| match &mut record.fact {
            Fact::Compute(Compute::Allocated(allocated)) => allocated.opening.as_mut().map(change).is_some(),
            _ => false,
        });
    };
    opening(|opening| opening.quota = Amount::new(opening.quota.units() + 1));
    opening(|opening| opening.period += 1);
    opening(|opening| opening.account = AccountNo(opening.account.0 + 1));
    check(Class::Facts, |record| match &mut record.fact {
        Fact::Compute(Compute::Allocated(allocated)) => allocated.opening.take().is_some(),
        _ => false,
    });
    // In a record right after, for the same month.
    let mut log = honest();
    let (sequence, mut again) = (1..=log.entries.len())
        .map(|sequence| (sequence, log.record(sequence)))
        .find(|(_, record)| matches!(&record.fact, Fact::Compute(Compute::Allocated(allocated)) if allocated.opening.is_some()))
        .unwrap();
    again.id = Id::from_bytes([0xab; 16]);
    again.entries.retain(|event| matches!(event, Event::Transferred { kind: Kind::Allowance, .. }));
    log.entries.insert(sequence, postcard::to_stdvec(&again).unwrap());
    judged(log, sequence + 1, Class::Facts);
    // Granted twice in one.
    check(Class::Facts, |record| {
        let granted = record.entries.iter().find(|event| matches!(event, Event::Transferred { kind: Kind::Allowance, .. })).cloned();
        record.entries.extend(granted.clone());
        granted.is_some()
    });
}
