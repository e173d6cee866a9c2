//! Energy that was never drawn so, signed by the log's own key: each rule of module 2 broken once.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod hive;
mod lies;
mod served;

use hive::member;
use lab3_audit::Class;
use lab3_energy::carbon::certificates::{Claim, Fact as Certified, State};
use lab3_energy::{Booked, Drawn, Fact as Energy, HourClosed, JobSettled};
use lab3_engine::{Actor, Fact, Record};
use lab3_ledger::{AccountNo, Event, Kind, Purpose};
use lab3_trust::{Deed, Holder};
use lab3_units::{Amount, Asset, Duration, Id, Owner, Time};
use lies::{account_of, check, check_added, check_from, honest, judged, last, record};

const HOUR_MS: i64 = 3_600_000;

/// What is found when a fact of one kind and its entries are others: the first for which `change` says it changed something.
#[track_caller]
fn lie<T>(find: fn(&mut Energy) -> Option<&mut T>, change: fn(&mut T, &mut Vec<Event>) -> bool) {
    check(Class::Facts, |record| {
        let Fact::Energy(fact) = &mut record.fact else { return false };
        find(fact).is_some_and(|part| change(part, &mut record.entries))
    });
}

/// A lie that every fact of its kind can be.
#[track_caller]
fn always<T>(find: fn(&mut Energy) -> Option<&mut T>, change: fn(&mut T, &mut Vec<Event>)) {
    check(Class::Facts, |record| {
        let Fact::Energy(fact) = &mut record.fact else { return false };
        find(fact).map(|part| change(part, &mut record.entries)).is_some()
    });
}

fn drawn(fact: &mut Energy) -> Option<&mut Drawn> {
    if let Energy::Drawn(drawn) = fact { Some(drawn) } else { None }
}

/// One that ran in somebody's data centre.
fn elsewhere(fact: &mut Energy) -> Option<&mut Drawn> {
    drawn(fact).filter(|drawn| !drawn.on_site && drawn.energy_mwh[1].is_positive())
}

fn closed(fact: &mut Energy) -> Option<&mut HourClosed> {
    match fact {
        Energy::HourClosed(closed) if !closed.shares.is_empty() => Some(closed),
        _ => None,
    }
}

fn booked(fact: &mut Energy) -> Option<&mut Booked> {
    if let Energy::Booked(booked) = fact { Some(booked) } else { None }
}

fn settled(fact: &mut Energy) -> Option<&mut JobSettled> {
    if let Energy::JobSettled(settled) = fact { Some(settled) } else { None }
}

/// One that ran in hours that were divided.
fn late(fact: &mut Energy) -> Option<&mut JobSettled> {
    settled(fact).filter(|settled| settled.house.0.units() > 1)
}

fn certified(fact: &mut Energy) -> Option<&mut Certified> {
    if let Energy::Certified(certified) = fact { Some(certified) } else { None }
}

fn change(amount: &mut Amount, by: i64) {
    *amount = Amount::new(amount.units() + by);
}

/// The nth amount that was drawn or corrected, from the end.
fn nth_last(entries: &mut [Event], nth: usize) -> &mut Amount {
    let amounts = entries.iter_mut().rev().filter_map(|event| match event {
        Event::Transferred { amount, .. } => Some(amount),
        _ => None,
    });
    amounts.into_iter().nth(nth).unwrap()
}

#[test]
fn a_draw_is_what_its_entries_moved() {
    always(drawn, |_, entries| change(nth_last(entries, 0), 1));
    always(drawn, |drawn, _| change(&mut drawn.footprint.average_mg, 1));
    always(drawn, |drawn, _| drawn.energy_mwh[0] = Amount::new(drawn.energy_mwh[1].units() + 1));
    always(drawn, |drawn, _| drawn.energy_mwh[2] = Amount::new(drawn.energy_mwh[1].units() - 1));
    always(drawn, |drawn, _| drawn.energy_mwh[0] = Amount::new(-1));
    always(drawn, |drawn, _| drawn.weight_uwh += 2001);
    always(drawn, |drawn, _| drawn.allocation = Some(Id::from_bytes([9; 16])));
    always(drawn, |drawn, _| drawn.on_site = !drawn.on_site);
    always(elsewhere, |drawn, _| drawn.provider = "mistral".into());
    always(drawn, |drawn, _| std::mem::swap(&mut drawn.energy, &mut drawn.carbon));
}

#[test]
fn a_draw_is_a_members() {
    // The carbon of one is counted on another's account, in fact and entries.
    let mut log = honest();
    let mut seen: Option<AccountNo> = None;
    let sequence = (1..=log.entries.len()).find(|&sequence| {
        let mut record = log.record(sequence);
        let Fact::Energy(Energy::Drawn(drawn)) = &mut record.fact else { return false };
        let Some(other) = seen.filter(|other| *other != drawn.carbon && drawn.footprint.average_mg.is_positive()) else {
            seen = Some(drawn.carbon);
            return false;
        };
        let own = std::mem::replace(&mut drawn.carbon, other);
        for event in &mut record.entries {
            match event {
                Event::Transferred { to, .. } if *to == own => *to = other,
                _ => {}
            }
        }
        log.write(sequence, &record);
        true
    });
    judged(log, sequence.unwrap(), Class::Facts);
}

#[test]
fn an_hour_is_divided_by_what_was_drawn() {
    always(closed, |closed, _| change(&mut closed.meter_mwh, 1));
    always(closed, |closed, _| change(&mut closed.footprint.market_mg, 1));
    always(closed, |_, entries| change(nth_last(entries, 0), 1));
    // From the house to idle machines, in fact and entries.
    always(closed, |closed, entries| {
        change(&mut closed.house.energy_mwh, -1);
        change(&mut closed.idle.energy_mwh, 1);
        change(nth_last(entries, 1), -1);
        change(nth_last(entries, 3), 1);
    });
    always(closed, |closed, _| closed.shares.truncate(0));
    always(closed, |closed, _| closed.hour = Time::from_millis(closed.hour.millis() + 1));
    always(closed, |closed, _| closed.hour = Time::from_millis(closed.hour.millis() + 10_000 * HOUR_MS));
}

#[test]
fn an_hour_is_divided_once() {
    check_added(Class::Facts, |log| {
        let closed = (1..=log.entries.len()).rev().map(|at| log.record(at)).find(|r| matches!(r.fact, Fact::Energy(Energy::HourClosed(_))));
        let Record { fact, entries, .. } = closed.unwrap();
        record(log, fact, entries)
    });
}

#[test]
fn jobs_are_booked_with_holds_of_their_own() {
    always(booked, |booked, _| change(&mut booked.jobs[0].energy_mwh, 1));
    always(booked, |booked, _| booked.jobs[0].runs.reverse());
    always(booked, |booked, _| booked.jobs[0].runs = Box::new([]));
    always(booked, |booked, _| {
        let run = &mut booked.jobs[0].runs[0];
        run.start = Time::from_millis(run.start.millis() - 100 * HOUR_MS);
    });
    always(booked, |booked, _| {
        let run = &mut booked.jobs[0].runs[1];
        run.end = run.start;
    });
    always(booked, |_, entries| {
        for event in entries {
            if let Event::HoldPlaced { deadline, .. } = event {
                *deadline = Time::from_millis(0);
            }
        }
    });
    always(booked, |booked, _| booked.account.0 += 1);
    always(booked, |booked, _| booked.citizen = Owner::hive("house"));
    // Two jobs, each under the other's id, in fact and entries.
    lie(booked, |booked, entries| {
        if booked.jobs.len() < 2 {
            return false;
        }
        booked.jobs.swap(0, 1);
        let mut placed = entries.iter_mut().filter(|event| matches!(event, Event::HoldPlaced { .. }));
        let (first, second) = (placed.next().unwrap(), placed.next().unwrap());
        std::mem::swap(first, second);
        true
    });
    // A job that takes nothing.
    always(booked, |booked, entries| {
        booked.jobs[0].energy_mwh = Amount::ZERO;
        let placed = entries.iter_mut().find_map(|event| if let Event::HoldPlaced { amount, .. } = event { Some(amount) } else { None });
        *placed.unwrap() = Amount::ZERO;
    });
    check(Class::Holds, |record| {
        let is = matches!(record.fact, Fact::Energy(Energy::Booked(_)));
        let ids = record.entries.iter_mut().filter_map(|event| if let Event::HoldPlaced { id, .. } = event { Some(id) } else { None });
        ids.filter(|_| is).last().is_some_and(|id| {
            *id = Id::from_bytes([9; 16]);
            true
        })
    });
}

#[test]
fn a_job_takes_what_it_ran_on() {
    always(settled, |settled, _| change(&mut settled.energy_mwh, 1));
    lie(settled, |settled, _| std::mem::replace(&mut settled.metered, false));
    lie(settled, |settled, _| settled.hours.pop().is_some());
    lie(settled, |settled, _| settled.hours.first_mut().map(|part| part.hour = Time::from_millis(part.hour.millis() + HOUR_MS)).is_some());
    always(settled, |settled, _| change(&mut settled.footprint.average_mg, 1_000));
    always(settled, |settled, _| settled.energy = settled.carbon);
    always(settled, |settled, _| settled.job = Id::from_bytes([9; 16]));
    always(settled, |_, entries| {
        for event in entries {
            if let Event::HoldSettled { taken, .. } = event {
                change(taken, 1);
            }
        }
    });
    // Less of the house than it ran on, and more, in fact and entries.
    let house: [fn(&mut JobSettled, &mut Vec<Event>) -> bool; 2] =
        [|settled, entries| shift(settled, entries, -1), |settled, entries| shift(settled, entries, 1)];
    for change in house {
        lie(late, change);
    }
    // On another member's accounts, in fact and entries.
    let log = honest();
    let of = |who| [Asset::ENERGY, Asset::CARBON].map(|asset| account_of(&log, &Owner::from(&member(who)), asset, Purpose::Usage));
    let pairs = [0, 1].map(of);
    check_from(400, Class::Facts, |record| {
        let Fact::Energy(Energy::JobSettled(settled)) = &mut record.fact else { return false };
        let own = [settled.energy, settled.carbon];
        let Some(other) = pairs.iter().find(|pair| **pair != own) else { return false };
        [settled.energy, settled.carbon] = *other;
        for event in &mut record.entries {
            if let Event::HoldSettled { to, .. } | Event::Transferred { to, .. } = event {
                *to = own.iter().position(|own| own == to).map_or(*to, |at| other[at]);
            }
        }
        true
    });
    // Before it began.
    check(Class::Facts, |record| {
        let is = matches!(record.fact, Fact::Energy(Energy::JobSettled(_)));
        record.at = if is { Time::from_millis(record.at.millis() - 1000 * HOUR_MS) } else { record.at };
        is
    });
}

/// The house gives so much more back, and the job took it.
fn shift(settled: &mut JobSettled, entries: &mut [Event], by: i64) -> bool {
    change(&mut settled.house.0, by);
    let mut corrected = false;
    for event in entries {
        match event {
            Event::HoldSettled { taken, .. } => change(taken, by),
            Event::Transferred { amount, kind: Kind::Correction, .. } if !corrected => {
                change(amount, by);
                corrected = true;
            }
            _ => {}
        }
    }
    corrected
}

#[test]
fn jobs_end_once_and_as_is_said() {
    always(|fact| if let Energy::JobReleased { released, .. } = fact { Some(released) } else { None }, |released, _| change(released, 1));
    always(|fact| if let Energy::JobReleased { job, .. } = fact { Some(job) } else { None }, |job, _| *job = Id::from_bytes([9; 16]));
    always(|fact| if let Energy::JobsExpired { released, .. } = fact { Some(released) } else { None }, |released, _| change(released, 1));
    always(|fact| if let Energy::JobsExpired { jobs, .. } = fact { Some(jobs) } else { None }, |jobs, _| jobs.clear());
    // A release that says it was none.
    check(Class::Facts, |record| {
        let Fact::Energy(Energy::JobReleased { job, released }) = record.fact else { return false };
        record.fact = Fact::Energy(Energy::JobsExpired { jobs: vec![job], released });
        record.actor = Actor::Engine;
        true
    });
}

#[test]
fn certificates_are_used_once_by_who_has_them() {
    fn issued(fact: &mut Energy) -> Option<&mut lab3_energy::carbon::certificates::Certificate> {
        if let Some(Certified::Issued { certificate, .. }) = certified(fact) { Some(certificate) } else { None }
    }
    always(issued, |certificate, _| certificate.energy_wh = Amount::ZERO);
    always(issued, |certificate, _| certificate.hour = Time::from_millis(certificate.hour.millis() + 1));
    always(issued, |certificate, _| certificate.hour = Time::from_millis(certificate.hour.millis() + 10_000 * HOUR_MS));
    always(issued, |certificate, _| certificate.state = State::Split([Id::from_bytes([1; 16]); 2]));
    lie(certified, |fact, _| match fact {
        Certified::Split { first_wh, .. } => {
            *first_wh = Amount::ZERO;
            true
        }
        _ => false,
    });
    lie(certified, |fact, _| match fact {
        Certified::Handed { id, .. } => {
            *id = Id::from_bytes([9; 16]);
            true
        }
        _ => false,
    });
    let claim: [fn(&mut Claim); 2] = [|claim| claim.by = Owner::hive("house"), |claim| claim.at = Time::from_millis(0)];
    for change in claim {
        check(Class::Facts, |record| match &mut record.fact {
            Fact::Energy(Energy::Certified(Certified::Claimed { claim, .. })) => {
                change(claim);
                true
            }
            _ => false,
        });
    }
    // Claimed, and claimed again; a device's hour certified twice.
    for wanted in
        [|fact: &Certified| matches!(fact, Certified::Claimed { .. }), |fact: &Certified| matches!(fact, Certified::Issued { .. })]
    {
        check_added(Class::Facts, |log| {
            let facts = (1..=log.entries.len()).map(|at| log.record(at).fact);
            let fact = facts.into_iter().find_map(|fact| match fact {
                Fact::Energy(Energy::Certified(fact)) if wanted(&fact) => Some(fact),
                _ => None,
            });
            let fact = match fact.unwrap() {
                Certified::Claimed { id, claim } => Certified::Claimed { id, claim: Claim { at: last(log).at, ..claim } },
                Certified::Issued { certificate, .. } => Certified::Issued { id: Id::from_bytes([9; 16]), certificate },
                other => other,
            };
            record(log, Fact::Energy(Energy::Certified(fact)), Vec::new())
        });
    }
}

/// The first record with such a fact is another's deed.
#[track_caller]
fn by(actor: Actor, wanted: fn(&Energy) -> bool) {
    // At the end there are keys.
    check(Class::Actors, |record| {
        let is = matches!(&record.fact, Fact::Energy(fact) if wanted(fact)) && matches!(record.actor, Actor::Key(_) | Actor::Engine);
        let late = is && (record.actor == Actor::Engine || record.actor != actor);
        record.actor = if late { actor } else { record.actor };
        late
    });
}

#[test]
fn energy_is_booked_by_who_may() {
    let key = |wanted: fn(&Holder) -> bool| Actor::Key(lies::key_of(&honest(), wanted));
    let first = key(|holder| *holder == Holder::Citizen(member(0)));
    let operator = Actor::Key(1);
    by(Actor::Open, |fact| matches!(fact, Energy::Drawn(_)));
    by(Actor::Open, |fact| matches!(fact, Energy::JobsExpired { .. }));
    by(Actor::Engine, |fact| matches!(fact, Energy::Booked(_)));
    by(first, |fact| matches!(fact, Energy::HourClosed(_)));
    by(first, |fact| matches!(fact, Energy::Certified(Certified::Issued { .. })));
    by(operator, |fact| matches!(fact, Energy::Booked(_)));
    by(operator, |fact| matches!(fact, Energy::Certified(Certified::Claimed { .. })));
    by(Actor::Operator, |fact| matches!(fact, Energy::Certified(Certified::Handed { .. })));
    // The other member's key.
    for (from, to) in [(3, 4), (4, 3)] {
        for wanted in [
            |fact: &Energy| matches!(fact, Energy::Booked(_)),
            |fact: &Energy| matches!(fact, Energy::JobSettled(_) | Energy::JobReleased { .. }),
            |fact: &Energy| {
                matches!(fact, Energy::Certified(Certified::Split { .. } | Certified::Handed { .. } | Certified::Claimed { .. }))
            },
        ] {
            let all = honest();
            let has = |at| matches!(&all.record(at), Record { actor: Actor::Key(number), fact: Fact::Energy(fact), .. } if *number == from && wanted(fact));
            if let Some(sequence) = (1..=all.entries.len()).find(|&at| has(at)) {
                let mut log = all.clone();
                log.write(sequence, &Record { actor: Actor::Key(to), ..all.record(sequence) });
                judged(log, sequence, Class::Actors);
            }
        }
    }
}

#[test]
fn a_steward_looks_after_one_module() {
    let mut log = honest();
    let is_steward = |record: &Record| matches!(&record.fact, Fact::Trust(fact) if matches!(&fact.deed, Deed::KeyCreated(made) if matches!(made.holder, Holder::Steward { .. })));
    let made = (1..=log.entries.len()).find(|&at| is_steward(&log.record(at))).unwrap();
    let mut record = log.record(made);
    if let Fact::Trust(fact) = &mut record.fact
        && let Deed::KeyCreated(key) = &mut fact.deed
    {
        key.holder = Holder::Steward { module: "garden".into() };
    }
    log.write(made, &record);
    let acts = |at: &usize| matches!(log.record(*at), Record { actor: Actor::Key(5), fact: Fact::Energy(_), .. });
    let first = (1..=log.entries.len()).find(acts).unwrap();
    judged(log, first, Class::Actors);
}

#[test]
fn time_is_one_a_calendar_has() {
    check(Class::Facts, |record| {
        let is = matches!(record.fact, Fact::Energy(Energy::Drawn(_)));
        record.at = if is { Time::from_millis(i64::MAX) } else { record.at };
        is
    });
    let mut log = honest();
    let mut record = last(&log);
    record.at = record.at.after(Duration::from_secs(1));
    (record.id, record.actor) = (Id::from_bytes([0xcd; 16]), Actor::Engine);
    record.fact = Fact::Energy(Energy::JobsExpired { jobs: vec![Id::from_bytes([9; 16])], released: Amount::ZERO });
    record.entries.clear();
    log.entries.push(lab3_engine::write_entry(&record).unwrap());
    let sequence = log.entries.len();
    judged(log, sequence, Class::Facts);
}
