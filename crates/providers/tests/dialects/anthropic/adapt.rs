//! Requests of clients that go on to a provider of the same dialect.

use lab3_providers::dialect::anthropic::{Anthropic, betas};
use lab3_providers::dialect::{Back, Terms};

use super::terms;

/// A request as it goes on to a model with a limit.
#[track_caller]
fn check_adapted(request: &str, model: &str, limit: u64, expected: &str) {
    let terms = Terms { model: model.to_owned(), output_tokens_max: limit };
    let call = Anthropic.adapt(request.as_bytes(), &terms, Some("k")).unwrap().unwrap();
    assert_eq!(String::from_utf8(call.body).unwrap(), expected);
}

#[test]
fn a_request_of_the_same_dialect_keeps_its_bytes() {
    check_adapted(
        r#"{ "model" : "claude-opus-5", "max_tokens":32000, "system":[{"type":"text" ,"text":"A","cache_control":{"type":"ephemeral"}}], "x":1.50, "messages":[ ], "temperature":1.0}"#,
        "claude-opus-5",
        700,
        r#"{"model":"claude-opus-5","max_tokens":700,"system":[{"type":"text" ,"text":"A","cache_control":{"type":"ephemeral"}}],"x":1.50,"messages":[ ],"temperature":1.0,"stream":true}"#,
    );
    check_adapted(r#"{"stream":false,"max_tokens":5}"#, "m", 4, r#"{"stream":true,"max_tokens":4,"model":"m"}"#);
    assert_eq!(Anthropic.adapt(b"[]", &terms("m"), None).unwrap().unwrap_err().field, "");
}

#[test]
fn a_budget_for_thoughts_stays_below_the_limit() {
    let request = |thinking: &str| format!(r#"{{"model":"claude-sonnet-4-5","max_tokens":9,"thinking":{thinking},"stream":true}}"#);
    let check = |limit: u64, before: &str, after: Option<&str>| {
        let after = after.map_or_else(String::new, |after| format!(r#""thinking":{after},"#));
        let expected = format!(r#"{{"model":"claude-sonnet-4-5","max_tokens":{limit},{after}"stream":true}}"#);
        check_adapted(&request(before), "claude-sonnet-4-5", limit, &expected);
    };
    let enabled = r#"{"type": "enabled", "budget_tokens": 10000}"#;
    check(10_001, enabled, Some(enabled));
    check(10_000, enabled, Some(r#"{"budget_tokens":7500,"type":"enabled"}"#));
    check(1365, enabled, Some(r#"{"budget_tokens":1024,"type":"enabled"}"#));
    check(1364, enabled, None);
    check(1, enabled, None);
    check(0, enabled, None);
    check(1, r#"{"type":"adaptive"}"#, Some(r#"{"type":"adaptive"}"#));
    check(1, r#"{"type":"disabled"}"#, Some(r#"{"type":"disabled"}"#));
}

#[test]
fn what_costs_more_than_the_desk_knows_is_left_out_or_refused() {
    check_adapted(
        r#"{"model":"m","speed":"fast","fallbacks":[{"model":"claude-fable-5"}],"inference_geo":"global"}"#,
        "m",
        7,
        r#"{"model":"m","inference_geo":"global","max_tokens":7,"stream":true}"#,
    );
    let error = Anthropic.adapt(br#"{"model":"m","inference_geo":"us"}"#, &terms("m"), None).unwrap().unwrap_err();
    assert_eq!(error.field, "inference_geo");
    assert_eq!(Anthropic.can_adapt(br#"{"model":"m","inference_geo":"us"}"#), Err(error));
    assert_eq!(Anthropic.can_adapt(br#"{"model":"m","inference_geo":"global"}"#), Ok(()));
}

/// A client that did not name the model cannot know what it takes.
#[test]
fn a_request_fits_the_model_that_answers() {
    let check = |model: &str, before: &str, after: &str| {
        let request = format!(r#"{{"model":"auto","max_tokens":9{before}}}"#);
        let expected = format!(r#"{{"model":"{model}","max_tokens":8000{after},"stream":true}}"#);
        check_adapted(&request, model, 8000, &expected);
    };
    let (old, new, newest) = ("claude-haiku-4-5", "claude-opus-4-8", "claude-opus-5-5");
    check(new, r#","temperature":0.2,"top_p":0.9,"top_k":4,"x":1"#, r#","x":1"#);
    check(old, r#","temperature":0.2,"top_k":4"#, r#","temperature":0.2,"top_k":4"#);

    let budget = r#","thinking":{"type":"enabled","budget_tokens":2000}"#;
    let adaptive = r#","thinking":{"display":"summarized","type":"adaptive"}"#;
    check(old, budget, budget);
    check(new, budget, &format!(r#"{adaptive},"output_config":{{"effort":"low"}}"#));
    check(
        old,
        r#","thinking":{"type":"adaptive"},"output_config":{"effort":"low"}"#,
        r#","thinking":{"budget_tokens":2048,"type":"enabled"}"#,
    );
    check(
        old,
        r#","output_config":{"effort":"low","format":{"a":1}}"#,
        r#","output_config":{"format":{"a":1}},"thinking":{"budget_tokens":2048,"type":"enabled"}"#,
    );
    check(
        new,
        r#","thinking":{"type":"adaptive"},"output_config":{"effort":"max"}"#,
        r#","thinking":{"type":"adaptive"},"output_config":{"effort":"max"}"#,
    );
    check(newest, r#","thinking":{"type":"disabled"}"#, r#","output_config":{"effort":"low"}"#);
    check(new, r#","thinking":{"type":"disabled"}"#, r#","thinking":{"type":"disabled"}"#);
    check(newest, r#","tool_choice":{"type":"any"}"#, r#","tool_choice":{"type":"auto"}"#);
    check(new, r#","tool_choice":{"type":"any"}"#, r#","tool_choice":{"type":"any"}"#);
    check(old, r#","thinking":{"type":"adaptive"},"temperature":0.5"#, r#","thinking":{"budget_tokens":6000,"type":"enabled"}"#);
}

#[test]
fn thoughts_of_other_providers_do_not_go_on() {
    let mine = r#"{"type":"thinking","thinking":"a","signature":"Eq"}"#;
    let yours = r#"{"type":"thinking","thinking":"gemini:","signature":"gemini:Eg"}"#;
    let (said, asked) = (r#"{"text":"gemini:","type":"text"}"#, r#"{"content":"Hi","role":"user"}"#);
    let request = |messages: &str| format!(r#"{{"model":"m","messages":[{messages}]"#);
    let check = |before: &str, after: &str| {
        check_adapted(&format!("{}}}", request(before)), "m", 7, &format!(r#"{},"max_tokens":7,"stream":true}}"#, request(after)));
    };
    let turn = |blocks: &str| format!(r#"{{"content":[{blocks}],"role":"assistant"}}"#);
    check(&format!("{asked},{}", turn(&format!("{yours},{said}"))), &format!("{asked},{}", turn(said)));
    check(&format!("{asked},{}", turn(yours)), asked);
    // Where nothing is to go every byte stays.
    check(&format!("{asked}, {}", turn(&format!("{mine} ,{said}"))), &format!("{asked}, {}", turn(&format!("{mine} ,{said}"))));
}

#[test]
fn features_pass_that_cost_nothing_the_desk_does_not_know() {
    let check = |headers: &[&str], expected: Option<&str>| {
        assert_eq!(betas(headers.iter().copied()), expected.map(|passed| ("anthropic-beta", passed.to_owned())), "{headers:?}");
    };
    check(&[], None);
    check(&["interleaved-thinking-2025-05-14"], Some("interleaved-thinking-2025-05-14"));
    check(&["context-1m-2025-08-07", "fast-mode-2026-02-01", "files-api-2025-04-14"], None);
    let many = "claude-code-20250219, context-1m-2025-08-07,prompt-caching-2024-07-31";
    check(&[many, "effort-2025-11-24"], Some("claude-code-20250219,prompt-caching-2024-07-31,effort-2025-11-24"));
    check(&["effort-2025\r\nx-api-key: 1", "effort-", "effort", ""], None);
}
