//! When a query that may wait runs, case by case; and what its hold is worth meanwhile.

use lab3_units::{Code, Did};
use proptest::prelude::*;

use super::*;
use crate::testing::{Hive, did, mic, used};
use crate::{Priority, Tag};

fn at(text: &str) -> Time {
    Time::parse(text).unwrap()
}

fn alice() -> Did {
    did("did:kaizen:alice")
}

const GAIN: Gain = Gain {
    carbon_ug_per_kwh: Some(100_000_000),
    at_once_ug_per_kwh: Some(400_000_000),
    energy_mwh: Some(Amount::new(300)),
    carbon_saved_mg: Some(Amount::new(90)),
};

/// The query of the specification, by six in the morning; it is clean there from two to three.
fn night() -> Defer {
    let allocate = Allocate {
        citizen: alice(),
        tokens: 5000,
        priority: Priority::Standard,
        min_quality: None,
        max_cost: None,
        preferred: Some("local_llama".into()),
        explain: false,
    };
    let clean = Some((at("2025-11-01T02:00:00Z"), at("2025-11-01T03:00:00Z")));
    let chance = Chance { provider: "local_llama".into(), clean, gain: GAIN, reason: "cleaner".into() };
    Defer { allocate, deadline: at("2025-11-01T06:00:00Z"), chances: vec![chance] }
}

/// When it runs, what that gains (carbon then, at once, saved), why, and when its hold ends.
fn told(hive: &mut Hive, command: &Defer) -> String {
    let told = match hive.defer(command) {
        Err(problem) => format!("{} {}", problem.code(), problem.field.as_deref().unwrap_or("-")),
        Ok((id, Deferred { deferral, .. })) => {
            let Gain { carbon_ug_per_kwh, at_once_ug_per_kwh, carbon_saved_mg, .. } = deferral.gain;
            let grams = |micrograms: Option<u64>| micrograms.map_or("-".to_owned(), |micrograms| (micrograms / 1_000_000).to_string());
            let saved = carbon_saved_mg.map_or("-".to_owned(), |saved| saved.units().to_string());
            let (then, now) = (grams(carbon_ug_per_kwh), grams(at_once_ug_per_kwh));
            let held = hive.ledger.hold(id).unwrap().deadline;
            format!("{} to {}, {then} for {now}, {saved}: {}; held to {held}", deferral.run_at, deferral.run_until, deferral.reason)
        }
    };
    hive.verify();
    told
}

#[track_caller]
fn check(change: impl FnOnce(&mut Hive, &mut Defer), expected: &str) {
    let (mut hive, mut command) = (Hive::new(), night());
    change(&mut hive, &mut command);
    assert_eq!(told(&mut hive, &command), expected);
}

#[test]
fn it_runs_in_the_clean_time_of_the_provider_that_is_chosen() {
    let clean = "2025-11-01T02:00:00Z to 2025-11-01T02:59:57.5Z, 100 for 400, 90: cleaner; held to 2025-11-01T03:14:57.5Z";
    check(|_, _| {}, clean);
    let once = "2025-10-31T14:30:00Z to 2025-10-31T14:30:00Z";
    let unknown = format!(
        "{once}, - for -, -: Nobody has said what the provider draws and where (energy.draws), so it runs at once; held to 2025-10-31T14:45:00Z"
    );
    check(|_, command| command.allocate.preferred = Some("claude".into()), &unknown);
    check(|_, command| command.chances.clear(), &unknown);
    let nothing = format!("{once}, 100 for 400, 90: cleaner; held to 2025-10-31T14:45:00Z");
    check(|_, command| command.chances[0].clean = None, &nothing);
}

#[test]
fn it_begins_so_early_that_it_ends_in_time() {
    // Until the deadline, when that comes before the clean time is over.
    let early = "2025-11-01T02:00:00Z to 2025-11-01T02:09:57.5Z, 100 for 400, 90: cleaner; held to 2025-11-01T02:24:57.5Z";
    check(|_, command| command.deadline = at("2025-11-01T02:10:00Z"), early);
    // One that takes longer than it is clean begins with it.
    let long = |hive: &mut Hive, _: &mut Defer| hive.policy.providers[4].latency_ms = 5_400_000;
    check(long, "2025-11-01T02:00:00Z to 2025-11-01T02:00:00Z, 100 for 400, 90: cleaner; held to 2025-11-01T02:15:00Z");
    // It has begun to be clean already.
    let begun =
        |_: &mut Hive, command: &mut Defer| command.chances[0].clean = Some((at("2025-10-31T14:00:00Z"), at("2025-10-31T15:00:00Z")));
    check(begun, "2025-10-31T14:30:00Z to 2025-10-31T14:59:57.5Z, 100 for 400, 90: cleaner; held to 2025-10-31T15:14:57.5Z");
}

#[test]
fn what_has_become_impossible_meanwhile_runs_at_once() {
    let once = |now: &str, until: &str| {
        format!("{now} to {now}, 400 for 400, 0: No clean time is left before the deadline, so it runs at once; held to {until}")
    };
    let passed = |hive: &mut Hive, _: &mut Defer| hive.travel_to("2025-11-01T03:00:00Z");
    check(passed, &once("2025-11-01T03:00:00Z", "2025-11-01T03:15:00Z"));
    let too_long = |hive: &mut Hive, _: &mut Defer| hive.policy.providers[4].latency_ms = 5 * 3_600_000;
    check(too_long, &once("2025-10-31T14:30:00Z", "2025-10-31T14:45:00Z"));
}

#[test]
fn a_deadline_lies_ahead_and_not_too_far() {
    for (deadline, taken) in [
        ("2025-10-31T14:29:59.999Z", false),
        ("2025-10-31T14:30:00Z", false),
        ("2025-10-31T14:30:00.001Z", true),
        ("2025-11-07T14:30:00Z", true),
        ("2025-11-07T14:30:00.001Z", false),
    ] {
        let (mut hive, command) = (Hive::new(), Defer { deadline: at(deadline), ..night() });
        let told = told(&mut hive, &command);
        assert_eq!(told != format!("{} deadline", Code::FIELD_RANGE), taken, "{deadline}: {told}");
    }
}

#[test]
fn all_else_is_as_of_a_query_that_does_not_wait() {
    let (mut hive, mut other) = (Hive::new(), Hive::new());
    let (id, deferred) = hive.defer(&night()).unwrap();
    let (_, allocated) = other.allocate(&night().allocate).unwrap();
    assert_eq!(deferred.allocated, allocated);
    let hold = hive.ledger.hold(id).unwrap();
    assert_eq!((hold.amount, Tag::from_code(hold.code).provider), (mic("0.0005"), 0));
    assert_eq!((hive.state.allocations(), hive.state.open(), hive.state.active()), (1, 1, 1));
}

#[test]
fn what_waits_over_a_months_end_is_of_the_month_it_was_held_in() {
    let mut hive = Hive::new();
    let (id, _) = hive.defer(&night()).unwrap();
    hive.travel_to("2025-11-01T02:30:00Z");
    hive.charge("did:kaizen:alice", "deepseek", "1");
    let quota = crate::quota(&hive.desk(), &alice());
    assert_eq!((quota.remaining, quota.held, quota.used), (mic("99"), Amount::ZERO, mic("1")), "it counts in October");
    let reported = hive.report(&crate::Report { allocation: Some(id), ..used("did:kaizen:alice", "local_llama", "0.0004") }).unwrap();
    assert_eq!((reported.charged, reported.quota_remaining, reported.late), (mic("0.0004"), mic("99"), false), "what is left of it lapses");
    hive.verify();
}

#[test]
fn a_report_that_names_no_allocation_is_of_a_query_that_ran() {
    let mut hive = Hive::new();
    let (waits, _) = hive.defer(&night()).unwrap();
    let (runs, _) = hive.allocate(&night().allocate).unwrap();
    let report = || used("did:kaizen:alice", "local_llama", "0.0005");
    assert_eq!(hive.report(&report()).unwrap().allocation, Some(runs));
    // Who runs a query earlier than it might have been reports it as any other.
    assert_eq!(hive.report(&report()).unwrap().allocation, Some(waits));
    assert_eq!(hive.report(&report()).unwrap().allocation, None);
    hive.verify();
}

proptest! {
    /// Whatever was found before, and however long ago: it runs neither in the past nor so late that the answer is not there in time, and is held for the
    /// usual time from when it begins at the latest.
    #[test]
    fn it_is_always_in_time(begin in -90_000_000_i64..700_000_000, length in 0_i64..90_000_000, ahead in 1_i64..604_800_000, latency in 0_u32..20_000_000) {
        let (mut hive, mut command) = (Hive::new(), night());
        let later = |millis: i64| Time::from_millis(hive.now.millis() + millis);
        command.deadline = later(ahead);
        command.chances[0].clean = Some((later(begin), later(begin + length)));
        hive.policy.providers[4].latency_ms = latency;
        let (id, Deferred { allocated, deferral }) = hive.defer(&command).unwrap();
        let Deferral { run_at, run_until, .. } = deferral;
        prop_assert!(hive.now <= run_at && run_at <= run_until);
        let ends = run_until.after(Duration::from_millis(allocated.estimated_latency_ms));
        prop_assert!(ends <= command.deadline || run_until == hive.now, "{deferral:?}");
        prop_assert_eq!(hive.ledger.hold(id).unwrap().deadline, run_until.after(hive.policy.hold));
    }
}
