//! What an allocation answers, case by case.

use super::*;
use crate::testing::{Hive, did, mic};
use lab3_units::{Asset, Code, TokenRate};

fn alice() -> Allocate {
    Allocate {
        citizen: did("did:kaizen:alice"),
        tokens: 5000,
        priority: Priority::Standard,
        min_quality: None,
        max_cost: None,
        preferred: None,
        explain: false,
    }
}

fn ratio(text: &str) -> Ratio {
    Ratio::parse(text).unwrap()
}

type Change = fn(&mut Hive, &mut Allocate);

/// What is told of an allocation: provider, estimated cost, what is left, fallback, who pays, reason.
fn told(hive: &mut Hive, command: &Allocate) -> Result<String, String> {
    let outcome = hive.allocate(command).map(|(_, fact)| {
        let fallback = fact.fallback_provider.as_deref().unwrap_or("-");
        let (cost, left) = (Asset::COMPUTE.decimal(fact.estimated_cost), Asset::COMPUTE.decimal(fact.quota_remaining));
        let payer = if fact.hive_pays { "Hive" } else { "citizen" };
        format!("{} {cost} {left} {fallback} {payer}: {}", fact.provider, fact.reason)
    });
    hive.verify();
    outcome.map_err(|problem| format!("{} {}: {}", problem.code(), problem.field.as_deref().unwrap_or("-"), problem.detail))
}

fn check(change: impl FnOnce(&mut Hive, &mut Allocate), expected: Result<&str, &str>) {
    let (mut hive, mut command) = (Hive::new(), alice());
    change(&mut hive, &mut command);
    assert_eq!(told(&mut hive, &command).as_deref().map_err(|text| &**text), expected);
}

#[test]
fn the_specifications_example_comes_out_field_for_field() {
    let mut hive = Hive::new();
    let max_cost = Some(mic("0.10"));
    let command = Allocate { priority: Priority::QualityOptimized, min_quality: Some(ratio("0.90")), max_cost, ..alice() };
    let (id, fact) = hive.allocate(&command).unwrap();
    assert_eq!(&*fact.provider, "anthropic_claude");
    assert_eq!((fact.estimated_cost, fact.estimated_latency_ms, fact.quota_remaining), (mic("0.075"), 600, mic("99.925")));
    assert_eq!(fact.fallback_provider.as_deref(), Some("local_llama"));
    assert_eq!(&*fact.reason, "Quality score 0.97 meets min_quality 0.90");
    let hold = hive.ledger.hold(id).unwrap();
    assert_eq!((hold.amount, hold.deadline.millis_since(hive.now)), (mic("0.075"), 15 * 60 * 1000));
    assert_eq!(Tag::from_code(hold.code), Tag { provider: 0, hive_pays: false, metered: false, period: hive.now.period().number() });
}

#[test]
fn each_priority_says_what_decided() {
    use Priority::{CostOptimized, LatencyOptimized, QualityOptimized, Standard};
    let five = |priority| move |_: &mut Hive, command: &mut Allocate| command.priority = priority;
    let balance = "deepseek 0.01 99.99 local_llama citizen: Best balance of cost, latency and quality of 5 eligible providers";
    check(five(Standard), Ok(balance));
    check(five(CostOptimized), Ok("local_llama 0.0005 99.9995 - citizen: Cost 0.0005 MIC is the lowest of 5 eligible providers"));
    let gemini = "Latency 700 ms, best with cost and quality of 5 eligible providers";
    check(five(LatencyOptimized), Ok(&format!("google_gemini 0.04 99.96 local_llama citizen: {gemini}")));
    check(five(QualityOptimized), Ok("openai_gpt4 0.05 99.95 local_llama citizen: Quality score 0.95 meets min_quality 0.80"));
    let only = |_: &mut Hive, command: &mut Allocate| command.min_quality = Some(ratio("0.97"));
    check(
        only,
        Ok("anthropic_claude 0.075 99.925 local_llama citizen: Best balance of cost, latency and quality of the only eligible provider"),
    );
}

#[test]
fn a_preferred_provider_wins_when_eligible() {
    let prefer = |name: &'static str| move |_: &mut Hive, command: &mut Allocate| command.preferred = Some(name.into());
    for (alias, name, cost, left) in [
        ("claude", "anthropic_claude", "0.075", "99.925"),
        ("anthropic", "anthropic_claude", "0.075", "99.925"),
        ("openai", "openai_gpt4", "0.05", "99.95"),
        ("gemini", "google_gemini", "0.04", "99.96"),
        ("google", "google_gemini", "0.04", "99.96"),
        ("deepseek", "deepseek", "0.01", "99.99"),
    ] {
        check(prefer(alias), Ok(&format!("{name} {cost} {left} local_llama citizen: Preferred provider {name} is eligible")));
    }
    for alias in ["local", "llama", "local_llama"] {
        check(prefer(alias), Ok("local_llama 0.0005 99.9995 - citizen: Preferred provider local_llama is eligible"));
    }
    let unknown = "There is no provider hal. Known are anthropic_claude, openai_gpt4, google_gemini, deepseek, local_llama.";
    check(prefer("hal"), Err(&format!("L3-0071 preferred_provider: {unknown}")));
}

#[test]
fn a_preferred_provider_that_is_not_eligible_is_passed_over_with_the_rule() {
    let rules: [(Change, &str); 5] = [
        (|hive, _| hive.policy.providers[3].enabled = false, "the operator has switched it off"),
        (|_, command| command.tokens = 64_001, "the query of 64001 tokens is longer than its context of 64000"),
        (|_, command| command.min_quality = Some(ratio("0.89")), "its quality 0.88 is below min_quality 0.89"),
        (|hive, _| hive.break_provider("deepseek"), "it failed too often lately"),
        (|_, command| command.max_cost = Some(mic("0.0099")), "its cost 0.01 MIC is above max_cost_gic 0.0099"),
    ];
    for (change, rule) in rules {
        let (mut hive, mut command) = (Hive::new(), Allocate { preferred: Some("deepseek".into()), ..alice() });
        change(&mut hive, &mut command);
        let text = told(&mut hive, &command).unwrap();
        assert!(text.ends_with(&format!("; preferred deepseek was passed over: {rule}")), "{text}");
    }
}

#[test]
fn an_exhausted_allowance_falls_back_at_the_hives_cost() {
    let spend = |hive: &mut Hive, amount: &str| hive.charge("did:kaizen:alice", "deepseek", amount);
    let hive_pays = "The 0.0 MIC left of this month's 100.0 are too little: local_llama answers and the Hive pays";
    check(|hive, _| spend(hive, "100"), Ok(&format!("local_llama 0.0005 0.0 - Hive: {hive_pays}")));
    let little = "The 0.02 MIC left of this month's 100.0 are too little: local_llama answers";
    let good = |hive: &mut Hive, command: &mut Allocate| {
        spend(hive, "99.98");
        command.min_quality = Some(ratio("0.90"));
    };
    check(good, Ok(&format!("local_llama 0.0005 0.0195 - citizen: {little}")));
    let off = |hive: &mut Hive, _: &mut Allocate| {
        spend(hive, "99.9999");
        hive.policy.fallback = None;
    };
    let none = "did:kaizen:alice has 0.0001 MIC left of this month's 100.0, the cheapest provider that fits costs 0.0005 MIC.";
    check(off, Err(&format!("L3-0042 -: {none} A new month begins at 2025-11-01T00:00:00Z.")));
}

#[test]
fn a_cost_limit_falls_back_at_the_hives_cost() {
    let limit = |_: &mut Hive, command: &mut Allocate| command.max_cost = Some(mic("0.0001"));
    let hive_pays = "No provider that fits costs 0.0001 MIC or less: local_llama answers and the Hive pays";
    check(limit, Ok(&format!("local_llama 0.0005 100.0 - Hive: {hive_pays}")));
    let (mut hive, command) = (Hive::new(), Allocate { max_cost: Some(mic("0.0001")), ..alice() });
    hive.policy.fallback = None;
    let text = told(&mut hive, &command).unwrap_err();
    assert!(
        text.starts_with("L3-0070 max_cost_gic: No provider fits: anthropic_claude: its cost 0.075 MIC is above max_cost_gic 0.0001; "),
        "{text}"
    );
}

#[test]
fn an_outage_falls_back_and_is_no_lasting_refusal() {
    let outage = |hive: &mut Hive, command: &mut Allocate| {
        command.min_quality = Some(ratio("0.97"));
        hive.break_provider("anthropic_claude");
    };
    check(outage, Ok("local_llama 0.0005 99.9995 - citizen: Every provider within reach is failing at the moment: local_llama answers"));
    let all = |hive: &mut Hive, command: &mut Allocate| {
        outage(hive, command);
        hive.policy.fallback = None;
    };
    let nobody = "L3-0094 -: No provider answers at the moment: anthropic_claude: it failed too often lately. Try again in a moment.";
    check(all, Err(nobody));
    let fallback_too = |hive: &mut Hive, command: &mut Allocate| {
        outage(hive, command);
        hive.break_provider("local_llama");
    };
    check(fallback_too, Err(nobody));
    // Whatever keeps the others out: when the fallback fails it will answer again soon, so the refusal must not last.
    let exhausted = |hive: &mut Hive, _: &mut Allocate| {
        hive.charge("did:kaizen:alice", "deepseek", "100");
        hive.break_provider("local_llama");
    };
    check(exhausted, Err("L3-0094 -: No provider answers at the moment: local_llama: it failed too often lately. Try again in a moment."));
    assert!(!Code::NO_PROVIDER_UP.pins_key());
}

#[test]
fn a_limit_and_an_allowance_that_is_smaller_still() {
    let within_the_limit = |hive: &mut Hive, command: &mut Allocate| {
        hive.charge("did:kaizen:alice", "deepseek", "99.995");
        (command.min_quality, command.max_cost) = (Some(ratio("0.85")), Some(mic("0.02")));
    };
    let little = "The 0.005 MIC left of this month's 100.0 are too little: local_llama answers";
    check(within_the_limit, Ok(&format!("local_llama 0.0005 0.0045 - citizen: {little}")));
    let beyond_the_limit = |hive: &mut Hive, command: &mut Allocate| {
        within_the_limit(hive, command);
        command.max_cost = Some(mic("0.009"));
    };
    let limit = "No provider that fits costs 0.009 MIC or less: local_llama answers";
    check(beyond_the_limit, Ok(&format!("local_llama 0.0005 0.0045 - citizen: {limit}")));
}

#[test]
fn a_query_may_fill_the_context() {
    let prefer = |name: &'static str, tokens| {
        move |_: &mut Hive, command: &mut Allocate| {
            (command.preferred, command.tokens) = (Some(name.into()), tokens);
        }
    };
    check(prefer("claude", 200_000), Ok("anthropic_claude 3.0 97.0 - citizen: Preferred provider anthropic_claude is eligible"));
    check(prefer("local", 32_000), Ok("local_llama 0.0032 99.9968 - citizen: Preferred provider local_llama is eligible"));
    check(prefer("claude", 32_000), Ok("anthropic_claude 0.48 99.52 local_llama citizen: Preferred provider anthropic_claude is eligible"));
    check(prefer("claude", 32_001), Ok("anthropic_claude 0.480015 99.519985 - citizen: Preferred provider anthropic_claude is eligible"));
}

#[test]
fn what_only_the_caller_can_change_is_refused_with_every_reason() {
    let reasons = "anthropic_claude: its quality 0.97 is below min_quality 0.98; openai_gpt4: its quality 0.95 is below min_quality 0.98; \
                   google_gemini: its quality 0.92 is below min_quality 0.98; deepseek: its quality 0.88 is below min_quality 0.98; \
                   local_llama: its quality 0.80 is below min_quality 0.98.";
    check(|_, command| command.min_quality = Some(ratio("0.98")), Err(&format!("L3-0070 min_quality: No provider fits: {reasons}")));
    let refusal = |change: Change| {
        let (mut hive, mut command) = (Hive::new(), alice());
        change(&mut hive, &mut command);
        told(&mut hive, &command).unwrap_err()
    };
    assert!(refusal(|_, command| command.tokens = 1_000_001).starts_with("L3-0070 query_tokens: "));
    let both = refusal(|_, command| (command.tokens, command.min_quality) = (200_000, Some(ratio("0.98"))));
    assert!(both.starts_with("L3-0070 -: "), "{both}");
    assert!(refusal(|hive, _| hive.policy.providers.clear()).starts_with("L3-0070 -: No provider is configured."));
}

#[test]
fn open_allocations_are_bounded() {
    let mut hive = Hive::new();
    hive.policy.open_max = 2;
    for _ in 0..2 {
        hive.allocate(&alice()).unwrap();
    }
    let problem = hive.allocate(&alice()).unwrap_err();
    assert_eq!((problem.code(), problem.field.as_deref()), (Code::ALLOCATIONS_OPEN, Some("citizen_did")));
    hive.allocate(&Allocate { citizen: did("did:kaizen:bob"), ..alice() }).unwrap();
}

#[test]
fn an_explanation_has_a_line_for_every_provider() {
    let mut hive = Hive::new();
    let command = Allocate { explain: true, min_quality: Some(ratio("0.90")), priority: Priority::QualityOptimized, ..alice() };
    let lines = hive.allocate(&command).unwrap().1.explanation.unwrap();
    let told: Vec<_> = lines.iter().map(|line| (&*line.provider, line.excluded_by, line.score)).collect();
    let quality = Some(crate::Excluded::Quality);
    let scored = [("anthropic_claude", None, Some(803_000)), ("openai_gpt4", None, Some(796_333)), ("google_gemini", None, Some(800_167))];
    assert_eq!(told, [scored.as_slice(), &[("deepseek", quality, None), ("local_llama", quality, None)]].concat());
    assert_eq!(lines[3].cost, mic("0.01"));
    hive.verify();
}

#[test]
fn ties_go_to_the_cheaper_then_to_the_first_by_name() {
    let mut hive = Hive::new();
    let twin = hive.policy.providers[3].clone();
    hive.policy.providers = ["b", "a", "c"].map(|name| Provider { name: name.into(), ..twin.clone() }).into();
    assert_eq!(&*hive.allocate(&alice()).unwrap().1.provider, "a");
    // Standard: a tenth of the cost weighs 0.04, a fifth of the quality too.
    let row = |name: &str, price, quality| Provider {
        name: name.into(),
        rate: TokenRate::from_mic_per_thousand(price).unwrap(),
        quality: ratio(quality),
        ..twin.clone()
    };
    hive.policy.providers = vec![row("a", "0.1", "1"), row("z", "0.09", "0.8")];
    assert_eq!(&*hive.allocate(&alice()).unwrap().1.provider, "z");
    hive.policy.providers = vec![row("a", "0.1", "1"), row("z", "0.09", "0.799999")];
    assert_eq!(&*hive.allocate(&alice()).unwrap().1.provider, "a");
}
