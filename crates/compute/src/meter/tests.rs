//! What is held for a query, how it grows, and who is asked.

use lab3_units::{Amount, Code, Id};

use super::*;
use crate::testing::{Hive, did, mic};
use crate::{Counted, Policy, Prices, Priority, Rates, Settle, Usage, charge_lease, quota, settle};

const ALICE: &str = "did:kaizen:alice";

/// Everybody costs 1 KS a token of the query and 10 KS a token of the answer.
fn hive(quota: &str) -> Hive {
    let mut hive = Hive::new();
    let rate = |text: &str| lab3_units::TokenRate::from_mic_per_thousand(text).unwrap();
    let rates = Rates { output: rate("0.01"), reasoning: rate("0.01"), ..Rates::flat(rate("0.001")) };
    for provider in &mut hive.policy.providers {
        provider.prices = Prices { rates, long: None };
    }
    hive.policy = Policy { quota: mic(quota), ..hive.policy };
    hive
}

fn command(query: u64, output_tokens_max: Option<u64>, able: &[&str]) -> Attempt {
    let allocate = Allocate {
        citizen: did(ALICE),
        tokens: query,
        priority: Priority::Standard,
        min_quality: None,
        max_cost: None,
        preferred: None,
        explain: false,
    };
    let able = able.iter().map(|&name| name.into()).collect();
    Attempt { allocate, meter: Meter { query_tokens_max: query, output_tokens_max, answers: 1, tool_runs_max: 0, usual: false, able } }
}

fn try_attempt(hive: &mut Hive, command: &Attempt) -> Result<(Id, Attempted), Refusal> {
    let id = hive.next_id();
    hive.run(|desk| attempt(desk, id, command)).map(|fact| match fact {
        Fact::Attempted(attempted) => (id, *attempted),
        other => panic!("{other:?}"),
    })
}

fn settled(hive: &mut Hive, allocation: Id, usage: Usage, success: bool) -> crate::Settled {
    let command = Settle { citizen: did(ALICE), allocation, usage, counted: Counted::Provider, success, latency_ms: Some(100) };
    match hive.run(|desk| settle(desk, &command)) {
        Ok(Fact::Settled(settled)) => *settled,
        other => panic!("{other:?}"),
    }
}

/// A month's quota, the query's bound and the caller's limit: what is held and how long the answer may become.
fn check(quota: &str, query: u64, output_tokens_max: Option<u64>, expected: Result<(i64, u64, u64), Code>) {
    let mut hive = hive(quota);
    hive.policy.fallback = None;
    let outcome = try_attempt(&mut hive, &command(query, output_tokens_max, &["openai_gpt4"]));
    match (outcome, expected) {
        (Ok((_, Attempted { allotment, .. })), Ok((held, output_held, output_max))) => {
            assert_eq!(allotment, Allotment { held: Amount::new(held), output_tokens_held: output_held, output_tokens_max: output_max });
        }
        (Err(Refusal::Problem(problem)), Err(code)) => assert_eq!(problem.code(), code, "{problem}"),
        (outcome, expected) => panic!("{outcome:?}, not {expected:?}"),
    }
    hive.verify();
}

#[test]
fn a_hold_pays_the_query_at_most_and_the_usual_answer() {
    check("1", 100, None, Ok((100 + 5120, 512, 99_990)));
    check("100", 100, None, Ok((100 + 5120, 512, 128_000)));
    check("1", 100, Some(1000), Ok((100 + 5120, 512, 1000)));
    check("1", 100, Some(50), Ok((100 + 500, 50, 50)));
    check("0.001", 100, None, Ok((1000, 90, 90)));
    check("0.00026", 100, None, Ok((260, 16, 16)));
    check("0.000259", 100, None, Err(Code::NO_PROVIDER_FITS));
    check("0.000259", 100, Some(15), Ok((250, 15, 15)));
}

#[test]
fn a_query_that_shall_not_be_cut_short_waits_for_the_usual_answer() {
    // A quota of 8,000 KS: the first query holds 5,220, and 2,780 are left for the second.
    let outcome = |usual| {
        let mut hive = hive("0.008");
        hive.policy.fallback = None;
        try_attempt(&mut hive, &command(100, None, &["openai_gpt4"])).unwrap();
        let mut second = command(100, None, &["openai_gpt4"]);
        second.meter.usual = usual;
        match try_attempt(&mut hive, &second) {
            Ok((_, attempted)) => Ok(attempted.allotment.output_tokens_held),
            Err(Refusal::Problem(problem)) => Err(problem.code()),
            Err(other) => panic!("{other:?}"),
        }
    };
    assert_eq!(outcome(false), Ok(268));
    assert_eq!(outcome(true), Err(Code::QUOTA_EXHAUSTED));
    // What one query may cost bounds what must be there for it.
    let mut hive = hive("0.001");
    let mut alone = command(100, None, &["openai_gpt4"]);
    alone.meter.usual = true;
    assert_eq!(try_attempt(&mut hive, &alone).unwrap().1.allotment.output_tokens_held, 90);
}

#[test]
fn only_who_is_able_is_asked() {
    let mut hive = hive("1");
    let of = |able: &[&str]| command(10, None, able);
    assert_eq!(&*try_attempt(&mut hive, &of(&["deepseek"])).unwrap().1.allocated.provider, "deepseek");
    let nobody = try_attempt(&mut hive, &of(&[])).unwrap_err();
    assert!(matches!(nobody, Refusal::Problem(problem) if problem.code() == Code::NO_PROVIDER_FITS));
    let mut with_tools = of(&["deepseek"]);
    with_tools.meter.tool_runs_max = 1;
    assert!(try_attempt(&mut hive, &with_tools).is_err());
}

#[test]
fn who_has_used_everything_goes_on_with_the_local_model_at_the_hives_expense() {
    let mut hive = hive("0.0001");
    let (id, attempted) = try_attempt(&mut hive, &command(100, None, &["openai_gpt4", "local_llama"])).unwrap();
    assert_eq!((&*attempted.allocated.provider, attempted.allocated.hive_pays), ("local_llama", true));
    assert_eq!((attempted.allotment.held, hive.ledger.hold(id).unwrap().amount), (Amount::new(5220), Amount::ZERO));
    let settled = settled(&mut hive, id, Usage { input: 90, output: 10, ..Usage::default() }, true);
    assert_eq!((settled.reported.charged, settled.reported.hive_paid), (Amount::ZERO, Amount::new(190)));
    hive.verify();
}

#[test]
fn a_local_model_below_the_policys_quality_answers_who_names_it_and_when_nobody_else_can() {
    let mut hive = hive("1");
    let ratio = |text: &str| lab3_units::Ratio::parse(text).unwrap();
    for provider in hive.policy.providers.iter_mut().filter(|provider| &*provider.name == "local_llama") {
        provider.quality = ratio("0.3");
    }
    let mut asked = |preferred: Option<&str>, min_quality: Option<&str>, able: &[&str]| {
        let mut command = command(10, None, able);
        command.allocate.preferred = preferred.map(Into::into);
        command.allocate.min_quality = min_quality.map(ratio);
        let attempted = try_attempt(&mut hive, &command).map(|(_, attempted)| attempted.allocated);
        attempted.map(|told| format!("{} {}", told.provider, told.reason)).map_err(|refusal| format!("{refusal:?}"))
    };
    let both = ["deepseek", "local_llama"];
    assert!(asked(None, None, &both).unwrap().starts_with("deepseek Best balance"));
    assert_eq!(asked(Some("local"), None, &both).unwrap(), "local_llama Preferred provider local_llama is eligible");
    assert!(asked(Some("local"), Some("0.5"), &both).unwrap().starts_with("deepseek "));
    let alone = "local_llama No provider of quality 0.80 or more can answer this query: local_llama answers";
    assert_eq!(asked(None, None, &["local_llama"]).unwrap(), alone);
    assert!(asked(None, Some("0.5"), &["local_llama"]).unwrap_err().contains("below min_quality"));
}

#[test]
fn more_is_held_while_the_answer_comes_and_no_more_than_there_is() {
    let mut hive = hive("0.02");
    let (id, _) = try_attempt(&mut hive, &command(100, None, &["openai_gpt4"])).unwrap();
    let ask = |output_tokens, output_tokens_least| Extend {
        allocation: id,
        query_tokens_max: 100,
        tool_runs_max: 0,
        output_tokens,
        output_tokens_least,
    };
    let extended = |hive: &mut Hive, command: Extend| match hive.run(|desk| extend(desk, &command)) {
        Ok(Fact::Extended(extended)) => Ok((extended.held.units(), extended.output_tokens_held, extended.quota_remaining.units())),
        Err(Refusal::Problem(problem)) => Err(problem.code()),
        other => panic!("{other:?}"),
    };
    hive.pass_seconds(800);
    assert_eq!(extended(&mut hive, ask(1024, 600)), Ok((10_340, 1024, 9660)));
    assert_eq!(hive.ledger.hold(id).unwrap().deadline, hive.now.after(hive.policy.hold));
    assert_eq!(extended(&mut hive, ask(4000, 1030)), Ok((20_000, 1990, 0)));
    assert_eq!(extended(&mut hive, ask(4000, 1991)), Err(Code::QUOTA_EXHAUSTED));
    // What is held is not given back before the end.
    assert_eq!(extended(&mut hive, ask(10, 1)), Ok((20_000, 10, 0)));
    let settled = settled(&mut hive, id, Usage { input: 100, output: 1990, ..Usage::default() }, true);
    assert_eq!((settled.reported.charged.units(), settled.reported.overrun), (20_000, Amount::ZERO));
    hive.verify();
}

#[test]
fn the_usual_length_is_learned() {
    let mut hive = hive("100");
    for _ in 0..20 {
        let (id, _) = try_attempt(&mut hive, &command(1, None, &["openai_gpt4"])).unwrap();
        settled(&mut hive, id, Usage { input: 1, output: 40, ..Usage::default() }, true);
    }
    let (_, attempted) = try_attempt(&mut hive, &command(1, None, &["openai_gpt4"])).unwrap();
    assert_eq!(attempted.allotment.output_tokens_held, 80);
    let mut thrice = command(1, None, &["openai_gpt4"]);
    thrice.meter.answers = 3;
    assert_eq!(try_attempt(&mut hive, &thrice).unwrap().1.allotment.output_tokens_held, 240);
    hive.verify();
}

#[test]
fn what_nobody_settles_is_charged_and_corrected_by_the_truth() {
    let mut hive = hive("1");
    let (id, attempted) = try_attempt(&mut hive, &command(100, Some(10), &["openai_gpt4"])).unwrap();
    let hold = hive.ledger.hold(id).unwrap().clone();
    assert!(crate::is_lease(hold.code));
    hive.run(|desk| charge_lease(desk, id)).unwrap();
    assert_eq!(quota(&hive.desk(), &did(ALICE)).used, attempted.allotment.held);
    let late = crate::Late::of(&hive.state, hold.account, hold.code, attempted.allotment.held).unwrap();
    let truth = crate::Report { allocation: Some(id), late: Some(late), ..crate::testing::used(ALICE, "openai", "0.00012") };
    let reported = hive.report(&truth).unwrap();
    assert_eq!((reported.charged, reported.overrun), (mic("0.00012"), Amount::ZERO));
    assert_eq!(quota(&hive.desk(), &did(ALICE)).used, mic("0.00012"));
    hive.verify();
}
