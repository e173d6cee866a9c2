//! Settlements: once, at the price of what was used, and of leases and kept answers.

use lab3_units::Code;

use super::*;
use crate::testing::{Hive, did};
use crate::{Allocate, Attempt, Meter, Priority, attempt};

const ALICE: &str = "did:kaizen:alice";

fn attempted(hive: &mut Hive) -> Id {
    let id = hive.next_id();
    let allocate = Allocate {
        citizen: did(ALICE),
        tokens: 10,
        priority: Priority::Standard,
        min_quality: None,
        max_cost: None,
        preferred: Some("openai".into()),
        explain: false,
    };
    let able = vec!["openai_gpt4".into()];
    let meter = Meter { query_tokens_max: 10, output_tokens_max: Some(100), answers: 1, tool_runs_max: 0, usual: false, able };
    hive.run(|desk| attempt(desk, id, &Attempt { allocate, meter })).unwrap();
    id
}

fn command(allocation: Id, usage: Usage, success: bool) -> Settle {
    Settle { citizen: did(ALICE), allocation, usage, counted: Counted::Provider, success, latency_ms: None }
}

#[test]
fn an_answer_from_the_cache_costs_its_share_and_says_nothing_of_the_provider() {
    for (percent, expected) in [(0, 0), (10, 15), (33, 50), (100, 150), (1000, 150)] {
        let mut hive = Hive::new();
        let allocation = attempted(&mut hive);
        hive.policy.cached_percent = percent;
        let before = hive.state.track("openai_gpt4").map(|track| (track.health, track.queries));
        let usage = Usage { input: 10, output: 5, ..Usage::default() };
        let command = Settle { counted: Counted::Cache, latency_ms: Some(1), ..command(allocation, usage, true) };
        let Ok(Fact::Settled(settled)) = hive.run(|desk| settle(desk, &command)) else { panic!("not settled") };
        assert_eq!(settled.reported.charged, Amount::new(expected), "{percent} %");
        assert_eq!(hive.state.track("openai_gpt4").map(|track| (track.health, track.queries)), before);
        hive.verify();
    }
}

#[test]
fn an_attempt_is_settled_once() {
    let mut hive = Hive::new();
    let id = attempted(&mut hive);
    let usage = Usage { input: 10, output: 100, ..Usage::default() };
    hive.run(|desk| settle(desk, &command(id, usage, true))).unwrap();
    assert_eq!(hive.run(|desk| settle(desk, &command(id, usage, true))), Err(Refusal::NotOpen(id)));
    assert_eq!(hive.run(|desk| charge_lease(desk, id)), Err(Refusal::NotOpen(id)));
    hive.verify();
}

#[test]
fn an_attempt_that_failed_costs_what_came_of_it_and_tells_of_the_provider() {
    let mut hive = Hive::new();
    for output in [0, 3] {
        let id = attempted(&mut hive);
        let Ok(Fact::Settled(settled)) = hive.run(|desk| settle(desk, &command(id, Usage { output, ..Usage::default() }, false))) else {
            panic!("not settled");
        };
        let rate = hive.policy.provider("openai").unwrap().rate;
        assert_eq!(settled.reported.charged, rate.charge(output).unwrap());
        assert_eq!(settled.output_sample, None);
    }
    assert!(hive.state.track("openai_gpt4").unwrap().health != Health::default());
    hive.verify();
}

#[test]
fn a_provider_that_says_more_than_it_was_allowed_is_not_paid_by_the_citizen_beyond_the_allowance() {
    let mut hive = Hive::new();
    let id = attempted(&mut hive);
    let usage = Usage { input: 10, output: 1 << 40, ..Usage::default() };
    let Ok(Fact::Settled(settled)) = hive.run(|desk| settle(desk, &command(id, usage, true))) else { panic!("not settled") };
    assert_eq!((settled.reported.charged, settled.reported.quota_remaining), (hive.policy.quota, Amount::ZERO));
    assert!(settled.reported.overrun.is_positive());
    hive.verify();
}

#[test]
fn a_lease_that_ends_says_nothing_about_the_provider() {
    let mut hive = Hive::new();
    let id = attempted(&mut hive);
    hive.run(|desk| charge_lease(desk, id)).unwrap();
    assert!(hive.state.track("openai_gpt4").unwrap().health == Health::default());
    assert_eq!(hive.state.open(), 0);
    let refused = hive.run(|desk| {
        crate::attempt(
            desk,
            id,
            &Attempt {
                allocate: Allocate {
                    citizen: did(ALICE),
                    tokens: 1,
                    priority: Priority::Standard,
                    min_quality: None,
                    max_cost: None,
                    preferred: Some("nobody".into()),
                    explain: false,
                },
                meter: Meter::default(),
            },
        )
    });
    assert!(matches!(refused, Err(Refusal::Problem(problem)) if problem.code() == Code::PROVIDER_UNKNOWN));
    hive.verify();
}
