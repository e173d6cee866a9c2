//! What is let pass, and what is not.

use lab3_trust::PublicKey;

use super::*;

fn at(text: &str) -> Network {
    Network::of(text.parse().unwrap())
}

fn did(name: &str) -> Did {
    Did::parse(&format!("did:kaizen:{name}")).unwrap()
}

fn signed(name: &str) -> Principal {
    Principal::Signed { did: did(name), key: PublicKey::of_secret(&[7; 32]) }
}

fn refusal() -> Problem {
    Problem::new(Code::KEY_INVALID, "There is no such key here.")
}

fn limits(change: impl FnOnce(&mut LimitSettings)) -> (Limits, Instant) {
    let mut settings = LimitSettings::default();
    change(&mut settings);
    let limits = Limits::new(settings);
    let began = limits.began;
    (limits, began)
}

fn codes(problems: impl Iterator<Item = Option<Problem>>) -> Vec<u16> {
    problems.map(|problem| problem.map_or(0, |problem| problem.code().number())).collect()
}

#[test]
fn wrong_keys_are_told_so_and_then_only_that_they_are_too_many() {
    let (limits, now) = limits(|limits| limits.wrong_per_minute = 3);
    let here = at("192.0.2.1");
    let wrong = |from, now| limits.key(from).wrong(refusal(), now);
    assert_eq!(codes((0..5).map(|_| Some(wrong(here, now)))), [35, 35, 35, 82, 82]);
    assert_eq!(wrong(here, now).retry_after_seconds, Some(20));
    assert_eq!(wrong(at("192.0.2.2"), now).code(), Code::KEY_INVALID);
    assert_eq!(wrong(here, now + Duration::from_secs(20)).code(), Code::KEY_INVALID);
    assert_eq!(wrong(here, now + Duration::from_secs(20)).code(), Code::TOO_MANY_WRONG);
    // Those who have a /64 to themselves have one bucket.
    assert_eq!(codes((0..4).map(|n| Some(wrong(at(&format!("2001:db8::{n}")), now)))), [35, 35, 35, 82]);
}

#[test]
fn who_signed_rightly_here_is_not_kept_out_by_a_neighbour() {
    let (limits, now) = limits(|limits| limits.wrong_per_minute = 3);
    let (here, alice, bob) = (at("192.0.2.1"), did("alice"), did("bob"));
    limits.signature(here, &alice, now).unwrap().right(now);
    let wrong = |did, now| limits.signature(here, did, now).map_or_else(|problem| problem, |attempt| attempt.wrong(refusal(), now));
    assert_eq!(codes((0..5).map(|_| Some(wrong(&bob, now)))), [35, 35, 35, 82, 82]);
    // Bob's right one is not looked at either: nobody knows that it is.
    assert!(limits.signature(here, &bob, now).is_err() && limits.signature(at("192.0.2.2"), &bob, now).is_ok());
    limits.signature(here, &alice, now).unwrap().right(now);
    // A neighbour who signs in her name keeps her out here for a while, and nowhere else.
    assert_eq!(codes((0..4).map(|_| Some(wrong(&alice, now)))), [35, 35, 35, 82]);
    assert!(limits.signature(here, &alice, now + Duration::from_secs(20)).is_ok());
    assert!(limits.signature(at("192.0.2.2"), &alice, now).is_ok());
    // After ten minutes she is no longer known here.
    let later = now + KNOWN;
    assert_eq!(codes((0..3).map(|_| Some(wrong(&bob, later)))), [35, 35, 35]);
    assert!(limits.signature(here, &alice, later).is_err());
}

#[test]
fn who_makes_up_names_to_sign_with_is_one_address() {
    let (limits, now) = limits(|limits| limits.address_requests_per_minute = 10);
    let here = at("192.0.2.1");
    let sign = |name: &str| limits.signature(here, &did(name), now).map(|attempt| attempt.right(now));
    let refused = (0..20).filter(|n| sign(&format!("made-up-{n}")).is_err()).count();
    assert_eq!(refused, 10);
    // Those who are known here go on, at their own rate.
    assert!((0..100).all(|_| sign("made-up-1").is_ok()));
}

#[test]
fn requests_are_counted_by_whom_they_are_from() {
    let (limits, now) = limits(|limits| (limits.requests_per_minute, limits.address_requests_per_minute) = (5, 2));
    let (here, there) = (at("192.0.2.1"), at("192.0.2.2"));
    let alice = signed("alice");
    let passed = |who: &Principal, from| (0..10).filter(|_| limits.admit(who, from, now).is_ok()).count();
    assert_eq!((passed(&Principal::Nobody, here), passed(&Principal::Nobody, there)), (2, 2));
    // Wherever she is, and whatever strangers do there.
    assert_eq!((passed(&alice, here), passed(&alice, there)), (5, 0));
    assert_eq!(passed(&Principal::Local, here), 10);
    let refused = limits.admit(&alice, here, now).unwrap_err();
    assert_eq!((refused.code(), refused.retry_after_seconds), (Code::TOO_FAST, Some(12)));
}

#[test]
fn none_is_no_limit() {
    let (limits, now) = limits(|limits| {
        (limits.requests_per_minute, limits.address_requests_per_minute, limits.wrong_per_minute) = (0, 0, 0);
    });
    let here = at("192.0.2.1");
    assert!((0..1_000_000).all(|_| limits.admit(&Principal::Nobody, here, now).is_ok()));
    assert!((0..1000).all(|_| limits.key(here).wrong(refusal(), now).code() == Code::KEY_INVALID));
}
