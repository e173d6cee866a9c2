//! How one month turns into the next.

use lab3_ledger::Event;

use super::*;
use crate::testing::{Hive, did, mic, used};
use crate::{Allocate, Fact, Priority, Report, Reported, expire, release};

const ALICE: &str = "did:kaizen:alice";
const LAST_OF_OCTOBER: &str = "2025-10-31T23:59:00Z";
const FIRST_OF_NOVEMBER: &str = "2025-11-01T00:00:00Z";

/// Holds 0.075 MIC with claude.
fn hold(hive: &mut Hive) -> Id {
    let (min_quality, max_cost, preferred) = (None, None, Some("claude".into()));
    let command =
        Allocate { citizen: did(ALICE), tokens: 5000, priority: Priority::Standard, min_quality, max_cost, preferred, explain: false };
    hive.allocate(&command).unwrap().0
}

/// Ends an allocation; what it held, and what of it lapsed.
type End = fn(&mut Hive, Id) -> (Amount, Amount);

/// Remaining, held and used.
fn check(hive: &Hive, period: &str, expected: [&str; 3]) {
    let status = quota(&hive.desk(), &did(ALICE));
    assert_eq!([status.remaining, status.held, status.used], expected.map(mic));
    assert_eq!((status.period.to_string().as_str(), status.default), (period, hive.policy.quota));
    hive.verify();
}

/// A Hive in the last minute of October where alice has used 1 MIC and holds 0.075; then November begins.
fn into_november() -> (Hive, Id) {
    let mut hive = Hive::new();
    hive.travel_to(LAST_OF_OCTOBER);
    hive.charge(ALICE, "deepseek", "1");
    let id = hold(&mut hive);
    check(&hive, "2025-10", ["98.925", "0.075", "1"]);
    hive.travel_to(FIRST_OF_NOVEMBER);
    (hive, id)
}

#[test]
fn before_the_first_use_of_a_month_the_quota_is_whole() {
    let (hive, _) = into_november();
    check(&hive, "2025-11", ["100", "0", "0"]);
    assert_eq!(quota(&hive.desk(), &did("did:kaizen:stranger")).remaining, mic("100"));
    assert_eq!(quota(&hive.desk(), &did(ALICE)).resets_at.to_string(), "2025-12-01T00:00:00Z");
}

#[test]
fn the_first_use_lapses_what_is_left_and_grants_anew() {
    let (mut hive, _) = into_november();
    let before = hive.desk().ledger.accounts_len();
    let events = crate::allocate(
        &hive.desk(),
        Id::from_bytes([9; 16]),
        &Allocate {
            citizen: did(ALICE),
            tokens: 5000,
            priority: Priority::Standard,
            min_quality: None,
            max_cost: None,
            preferred: Some("deepseek".into()),
            explain: false,
        },
    );
    let moved = |event: &Event| match event {
        Event::Transferred { amount, kind, .. } => Some((kind.as_str(), *amount)),
        _ => None,
    };
    let moved: Vec<_> = events.unwrap().1.iter().filter_map(moved).collect();
    assert_eq!(moved, [("lapse", mic("98.925")), ("allowance", mic("100"))]);
    hive.charge(ALICE, "deepseek", "2");
    assert_eq!(hive.desk().ledger.accounts_len(), before, "a month is no new account");
    check(&hive, "2025-11", ["98", "0", "2"]);
}

#[test]
fn an_earlier_months_hold_pays_its_query_and_the_rest_lapses() {
    for (actual, remaining, used_in_november) in [("0.05", "100", "0"), ("0.075", "100", "0"), ("0.1", "99.975", "0.025")] {
        let (mut hive, id) = into_november();
        let reported: Reported = hive.report(&Report { allocation: Some(id), ..used(ALICE, "claude", actual) }).unwrap();
        assert_eq!((reported.charged, reported.overrun, reported.quota_remaining), (mic(actual), Amount::ZERO, mic(remaining)));
        check(&hive, "2025-11", [remaining, "0", used_in_november]);
    }
}

#[test]
fn an_earlier_months_hold_on_a_query_that_failed_lapses() {
    let (mut hive, id) = into_november();
    let reported = hive.report(&Report { allocation: Some(id), success: false, ..used(ALICE, "claude", "0.05") }).unwrap();
    assert_eq!((reported.charged, reported.quota_remaining), (Amount::ZERO, mic("100")));
    check(&hive, "2025-11", ["100", "0", "0"]);
}

#[test]
fn an_earlier_months_hold_that_ends_unused_lapses() {
    let ends: [End; 2] = [
        |hive, id| match hive.run(|desk| release(desk, id)).unwrap() {
            Fact::Released(released) => (released.released, released.lapsed),
            other => panic!("{other:?}"),
        },
        |hive, id| match hive.run(|desk| Ok(expire(desk, &[id]))).unwrap() {
            Fact::Expired(expired) => (expired.released, expired.lapsed),
            other => panic!("{other:?}"),
        },
    ];
    for end in ends {
        let (mut hive, id) = into_november();
        assert_eq!(end(&mut hive, id), (mic("0.075"), mic("0.075")));
        check(&hive, "2025-11", ["100", "0", "0"]);
        let (mut hive, id) = into_november();
        hive.charge(ALICE, "deepseek", "2");
        check(&hive, "2025-11", ["98", "0", "2"]);
        assert_eq!(end(&mut hive, id), (mic("0.075"), mic("0.075")));
        check(&hive, "2025-11", ["98", "0", "2"]);
        let (mut hive, _) = into_november();
        let id = hold(&mut hive);
        assert_eq!(end(&mut hive, id), (mic("0.075"), Amount::ZERO));
        check(&hive, "2025-11", ["100", "0", "0"]);
    }
}

#[test]
fn releasing_says_what_is_left() {
    let (mut hive, id) = into_november();
    let fact = hive.run(|desk| release(desk, id)).unwrap();
    assert!(matches!(fact, Fact::Released(released) if released.quota_remaining == mic("100") && released.allocation == id));
    let id = hold(&mut hive);
    hive.charge(ALICE, "deepseek", "2");
    let fact = hive.run(|desk| release(desk, id)).unwrap();
    assert!(matches!(fact, Fact::Released(released) if released.quota_remaining == mic("98")));
    assert_eq!(hive.run(|desk| release(desk, id)), Err(Refusal::NotOpen(id)));
    assert_eq!(hive.state.open(), 0);
}

#[test]
fn expiry_passes_over_what_is_not_open() {
    let (mut hive, old) = into_november();
    let young = hold(&mut hive);
    let fact = hive.run(|desk| Ok(expire(desk, &[old, Id::from_bytes([9; 16]), young, old]))).unwrap();
    assert!(matches!(fact, Fact::Expired(expired) if expired.allocations == 2 && expired.released == mic("0.15")));
    assert_eq!((hive.ledger.holds_len(), hive.state.open()), (0, 0));
    check(&hive, "2025-11", ["100", "0", "0"]);
}

#[test]
fn a_clock_that_goes_back_opens_no_month_twice() {
    let (mut hive, _) = into_november();
    hive.charge(ALICE, "deepseek", "2");
    hive.travel_to(LAST_OF_OCTOBER);
    hive.charge(ALICE, "deepseek", "3");
    assert_eq!(quota(&hive.desk(), &did(ALICE)).remaining, mic("95"));
    hive.travel_to(FIRST_OF_NOVEMBER);
    check(&hive, "2025-11", ["95", "0", "5"]);
}

#[test]
fn a_new_quota_holds_from_the_next_month() {
    let mut hive = Hive::new();
    hive.charge(ALICE, "deepseek", "1");
    hive.policy.quota = mic("10");
    check(&hive, "2025-10", ["99", "0", "1"]);
    hive.travel_to(FIRST_OF_NOVEMBER);
    hive.charge(ALICE, "deepseek", "1");
    check(&hive, "2025-11", ["9", "0", "1"]);
    hive.travel_to("2025-12-01T00:00:00Z");
    hive.policy.quota = Amount::ZERO;
    let reported = hive.report(&used(ALICE, "deepseek", "1")).unwrap();
    assert_eq!((reported.charged, reported.overrun), (Amount::ZERO, mic("1")));
    check(&hive, "2025-12", ["0", "0", "0"]);
}
