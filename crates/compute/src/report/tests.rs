//! What a report settles, case by case.

use super::*;
use crate::testing::{Hive, did, mic, used};
use crate::{Allocate, Circuit, Priority, expire, quota};

const ALICE: &str = "did:kaizen:alice";

/// Allocates 5,000 tokens with the provider: 0.075 MIC with `claude`.
fn allocate_with(hive: &mut Hive, provider: &str) -> Id {
    let command = Allocate {
        citizen: did(ALICE),
        tokens: 5000,
        priority: Priority::Standard,
        min_quality: None,
        max_cost: None,
        preferred: Some(provider.into()),
        explain: false,
    };
    hive.allocate(&command).unwrap().0
}

fn balance(hive: &Hive, owner: &str, purpose: lab3_ledger::Purpose) -> Amount {
    let account = hive.ledger.find(lab3_units::Owner::hive(owner).as_str(), lab3_units::Asset::COMPUTE, purpose);
    account.and_then(|account| hive.ledger.account(account)).map_or(Amount::ZERO, lab3_ledger::Account::balance)
}

/// What was charged, overrun, paid by the Hive, and what is left: and the provider earned what was paid, no more.
fn check_paid(hive: &Hive, provider: &str, reported: &Reported, expected: [&str; 4]) {
    let found = [reported.charged, reported.overrun, reported.hive_paid, reported.quota_remaining];
    assert_eq!(found, expected.map(mic), "{reported:?}");
    let earned = balance(hive, &format!("provider/{provider}"), lab3_ledger::Purpose::Earnings);
    assert_eq!(earned, plus(reported.charged, reported.hive_paid));
    assert_eq!(balance(hive, "compute", lab3_ledger::Purpose::Expense), reported.hive_paid.checked_neg().unwrap());
    assert_eq!(quota(&hive.desk(), &did(ALICE)).remaining, reported.quota_remaining);
    hive.verify();
}

#[test]
fn an_allocation_pays_what_the_query_really_cost() {
    for (actual, expected) in [
        ("0.075", ["0.075", "0", "0", "99.925"]),
        ("0.05", ["0.05", "0", "0", "99.95"]),
        ("0", ["0", "0", "0", "100"]),
        ("0.078", ["0.078", "0", "0", "99.922"]),
        ("100", ["100", "0", "0", "0"]),
        ("100.5", ["100", "0.5", "0.5", "0"]),
    ] {
        for named in [true, false] {
            let mut hive = Hive::new();
            let id = allocate_with(&mut hive, "claude");
            let allocation = named.then_some(id);
            let reported = hive.report(&Report { allocation, ..used(ALICE, "anthropic", actual) }).unwrap();
            assert_eq!((reported.allocation, reported.late, &*reported.provider), (Some(id), false, "anthropic_claude"));
            check_paid(&hive, "anthropic_claude", &reported, expected);
            assert_eq!((hive.ledger.holds_len(), hive.state.open()), (0, 0));
        }
    }
}

#[test]
fn usage_without_an_allocation_is_charged_directly() {
    for (actual, expected) in [("0.078", ["0.078", "0", "0", "99.922"]), ("130", ["100", "30", "30", "0"]), ("0", ["0", "0", "0", "100"])] {
        let mut hive = Hive::new();
        let reported = hive.report(&used(ALICE, "deepseek", actual)).unwrap();
        assert_eq!(reported.allocation, None);
        check_paid(&hive, "deepseek", &reported, expected);
    }
}

#[test]
fn an_overrun_leaves_other_allocations_what_they_hold() {
    let mut hive = Hive::new();
    let other = allocate_with(&mut hive, "claude");
    let reported = hive.report(&used(ALICE, "deepseek", "100")).unwrap();
    check_paid(&hive, "deepseek", &reported, ["99.925", "0.075", "0.075", "0"]);
    assert_eq!(hive.ledger.hold(other).unwrap().amount, mic("0.075"));
}

#[test]
fn a_query_that_failed_costs_nothing() {
    let mut hive = Hive::new();
    let id = allocate_with(&mut hive, "claude");
    let reported = hive.report(&Report { success: false, latency_ms: Some(9), ..used(ALICE, "claude", "0.075") }).unwrap();
    assert_eq!((reported.allocation, reported.sample), (Some(id), None));
    check_paid(&hive, "anthropic_claude", &reported, ["0", "0", "0", "100"]);
    let reported = hive.report(&Report { success: false, ..used(ALICE, "claude", "0.075") }).unwrap();
    assert_eq!(reported.allocation, None);
    check_paid(&hive, "anthropic_claude", &reported, ["0", "0", "0", "100"]);
    assert_eq!(hive.state.open(), 0);
}

#[test]
fn a_fallback_the_hive_pays_is_booked_to_the_hive() {
    let mut hive = Hive::new();
    let command = Allocate {
        citizen: did(ALICE),
        tokens: 5000,
        priority: Priority::Standard,
        min_quality: None,
        max_cost: Some(mic("0.0001")),
        preferred: None,
        explain: false,
    };
    let (id, allocated) = hive.allocate(&command).unwrap();
    assert!(allocated.hive_pays && hive.ledger.hold(id).unwrap().amount.is_zero());
    let reported = hive.report(&Report { allocation: Some(id), ..used(ALICE, "local", "0.0007") }).unwrap();
    check_paid(&hive, "local_llama", &reported, ["0", "0", "0.0007", "100"]);
    assert_eq!(hive.ledger.holds_len(), 0);
}

#[test]
fn the_oldest_open_allocation_with_that_provider_is_settled() {
    let mut hive = Hive::new();
    let ids = ["claude", "deepseek", "claude"].map(|provider| allocate_with(&mut hive, provider));
    let mut settled = |provider| hive.report(&used(ALICE, provider, "0.01")).unwrap().allocation;
    assert_eq!(settled("claude"), Some(ids[0]));
    assert_eq!(settled("claude"), Some(ids[2]));
    assert_eq!(settled("claude"), None);
    assert_eq!(settled("deepseek"), Some(ids[1]));
    hive.verify();
}

#[test]
fn a_report_that_does_not_match_is_refused() {
    let mut hive = Hive::new();
    let id = allocate_with(&mut hive, "claude");
    hive.charge("did:kaizen:bob", "claude", "0.01");
    let mut refused = |citizen, provider, allocation| match hive.report(&Report { allocation, ..used(citizen, provider, "0.01") }) {
        Err(Refusal::Problem(problem)) => (problem.code(), problem.field.unwrap().into_owned(), problem.detail.into_owned()),
        other => panic!("{other:?}"),
    };
    let not_his = |who| (Code::ALLOCATION_DIFFERS, "citizen_did".to_owned(), format!("The allocation is not one of {who}."));
    for citizen in ["did:kaizen:bob", "did:kaizen:stranger"] {
        assert_eq!(refused(citizen, "claude", Some(id)), not_his(citizen));
    }
    let other = "The allocation was given to anthropic_claude, not to openai_gpt4.".to_owned();
    assert_eq!(refused(ALICE, "openai", Some(id)), (Code::ALLOCATION_DIFFERS, "provider".to_owned(), other));
    assert_eq!(refused(ALICE, "hal", None).0, Code::PROVIDER_UNKNOWN);
    let nobodys = Id::from_bytes([7; 16]);
    let report = Report { allocation: Some(nobodys), ..used(ALICE, "claude", "0.01") };
    assert_eq!(hive.report(&report), Err(Refusal::NotOpen(nobodys)));
    hive.report(&Report { allocation: Some(id), ..used(ALICE, "claude", "0.01") }).unwrap();
    let again = hive.report(&Report { allocation: Some(id), ..used(ALICE, "claude", "0.01") });
    assert_eq!(again, Err(Refusal::NotOpen(id)));
}

#[test]
fn a_provider_the_configuration_dropped_is_still_settled() {
    let mut hive = Hive::new();
    let id = allocate_with(&mut hive, "claude");
    hive.policy.providers.remove(0);
    let reported = hive.report(&Report { allocation: Some(id), ..used(ALICE, "anthropic_claude", "0.06") }).unwrap();
    check_paid(&hive, "anthropic_claude", &reported, ["0.06", "0", "0", "99.94"]);
}

/// An allocation expires before its report comes; what the engine finds in the journal decides.
fn check_late(change: fn(&mut Report, &mut Late), expected: Result<[&str; 4], Code>) {
    let mut hive = Hive::new();
    let id = allocate_with(&mut hive, "claude");
    hive.pass_seconds(1);
    allocate_with(&mut hive, "deepseek");
    let hold = hive.ledger.hold(id).unwrap();
    let mut late = Late::of(&hive.state, hold.account, hold.code, Amount::ZERO).unwrap();
    hive.pass_seconds(899);
    hive.run(|desk| Ok(expire(desk, &[id]))).unwrap();
    let mut report = Report { allocation: Some(id), ..used(ALICE, "claude", "0.078") };
    change(&mut report, &mut late);
    match hive.report(&Report { late: Some(late), ..report }) {
        Ok(reported) => {
            assert_eq!((reported.allocation, reported.late), (Some(id), true));
            check_paid(&hive, "anthropic_claude", &reported, expected.unwrap());
        }
        Err(Refusal::Problem(problem)) => assert_eq!(problem.code(), expected.unwrap_err()),
        Err(Refusal::NotOpen(_)) => panic!("the report said it was late"),
    }
    assert_eq!(hive.state.open(), 1, "the other one");
}

#[test]
fn a_late_report_is_charged_directly() {
    check_late(|_, _| {}, Ok(["0.078", "0", "0", "99.912"]));
    check_late(|report, _| report.actual_cost = mic("100"), Ok(["99.99", "0.01", "0.01", "0"]));
    check_late(|report, _| report.success = false, Ok(["0", "0", "0", "99.99"]));
    check_late(|_, late| late.hive_pays = true, Ok(["0", "0", "0.078", "99.99"]));
    check_late(|report, _| report.provider = "deepseek".into(), Err(Code::ALLOCATION_DIFFERS));
    check_late(|report, _| report.citizen = did("did:kaizen:bob"), Err(Code::ALLOCATION_DIFFERS));
}

#[test]
fn reports_move_what_is_expected_of_a_provider() {
    let mut hive = Hive::new();
    for _ in 0..200 {
        hive.report(&Report { latency_ms: Some(1200), ..used(ALICE, "claude", "0.01") }).unwrap();
    }
    let status = &crate::provider_status(&hive.desk())[0];
    assert_eq!((status.latency_ms_stated, status.latency_ms, status.reliability.to_string()), (600, 1144, "0.999076".to_owned()));
    hive.break_provider("claude");
    let track = hive.state.track("anthropic_claude").unwrap();
    assert!(matches!(track.health.circuit, Circuit::Open { openings: 1, .. }));
    hive.pass_seconds(30);
    let id = allocate_with(&mut hive, "claude");
    let probed = hive.state.track("anthropic_claude").unwrap().health.circuit;
    assert!(matches!(probed, Circuit::Open { probes: 1, .. }), "{probed:?}");
    let reported = hive.report(&Report { allocation: Some(id), ..used(ALICE, "claude", "0.01") }).unwrap();
    assert_eq!(reported.health.circuit, Circuit::Closed);
    hive.verify();
}
