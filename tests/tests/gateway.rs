//! The gateway end to end: the real binary between clients of every protocol and a mock of every provider.
//!
//! Shown: whatever a client and a provider speak, the answer arrives and costs exactly what the provider counted; a provider that
//! fails before its first word costs nothing and the next answers; and who left pays for what came.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "outside of #[test] functions clippy does not see that this is a test"
)]

use std::io::Read;
use std::time::Duration;

use lab3_mock::Mock;
use lab3_tests::amount::ks;
use lab3_tests::write::ALLOCATE;
use lab3_tests::{Desk, Folder, Journal, Record, wait};
use serde_json::{Value, json};
use ureq::Agent;

const ALICE: &str = "did:kaizen:alice";

/// The providers of the table that the mock plays, with the base URL each speaks at.
const PLAYED: [(&str, &str); 4] = [("anthropic_claude", ""), ("openai_gpt4", "/v1"), ("google_gemini", ""), ("deepseek", "/v1")];

/// A desk whose providers are the mock, each with this script; more settings as `KEY=VALUE`.
fn open(folder: &Folder, mock: &Mock, script: &str, more: &[&str]) -> Desk {
    let mut settings = Vec::new();
    for (name, path) in PLAYED {
        settings.push(format!("providers.{name}.base_url={}{path}", mock.url()));
        settings.push(format!("providers.{name}.api_key=key-of-{name}"));
        settings.push(format!("providers.{name}.models=mock;id={name};{script}"));
    }
    settings.extend(more.iter().map(|&one| one.to_owned()));
    let arguments = settings.iter().flat_map(|setting| ["--set", setting]).collect::<Vec<_>>();
    Desk::open_with(&folder.at("data"), &arguments)
}

fn agent() -> Agent {
    let config = Agent::config_builder().http_status_as_error(false).timeout_global(Some(Duration::from_mins(1))).proxy(None);
    config.build().new_agent()
}

/// Asks in a protocol; status and body as text.
fn ask(agent: &Agent, desk: &Desk, path: &str, body: &Value) -> (u16, String) {
    let request = agent.post(format!("{}{path}", desk.url())).header("x-citizen-did", ALICE).header("content-type", "application/json");
    let mut response = request.send(body.to_string()).unwrap();
    (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
}

fn quota(desk: &Desk) -> Value {
    desk.client().ask("/lab3/compute/quota/did:kaizen:alice")
}

/// A query of two words in each protocol.
fn query(path: &str, model: &str, stream: bool) -> Value {
    let message = json!([{"role": "user", "content": "hello there"}]);
    match path {
        "/v1/responses" => json!({"model": model, "stream": stream, "input": "hello there", "max_output_tokens": 50}),
        "/api/generate" => json!({"model": model, "stream": stream, "prompt": "hello there", "options": {"num_predict": 50}}),
        "/api/chat" => json!({"model": model, "stream": stream, "messages": message, "options": {"num_predict": 50}}),
        _ => json!({"model": model, "stream": stream, "messages": message, "max_tokens": 50}),
    }
}

#[test]
fn every_protocol_is_answered_by_every_provider_at_what_it_counted() {
    let (folder, mock) = (Folder::new("gateway-protocols"), Mock::start().unwrap());
    let desk = open(&folder, &mock, "tokens=5;input=7", &[]);
    let agent = agent();
    let mut used = 0;
    for path in ["/v1/chat/completions", "/chat/completions", "/v1/responses", "/v1/messages", "/api/chat", "/api/generate"] {
        for ((provider, _), rate) in PLAYED.into_iter().zip([15, 10, 8, 2]) {
            for stream in [false, true] {
                let (status, text) = ask(&agent, &desk, path, &query(path, provider, stream));
                assert_eq!(status, 200, "{path} {provider}: {text}");
                assert!(text.contains("tok"), "{path} {provider}: {text}");
                assert!(text.contains(&format!("\"provider\":\"{provider}\"")), "{path} {provider}: {text}");
                used += 12 * rate;
                assert_eq!(ks(&quota(&desk)["used_gic"]), used, "{path} {provider} stream {stream}: {text}");
            }
        }
    }
    assert_eq!(ks(&quota(&desk)["held_gic"]), 0);
    desk.stop();
}

#[test]
fn embeddings_are_made_by_whose_models_make_them() {
    let (folder, mock) = (Folder::new("gateway-embeddings"), Mock::start().unwrap());
    let file = folder.at("lab3.toml");
    let vectors = format!(
        "[providers.vectors]\nkind = \"openai_compatible\"\nbase_url = \"{}/v1\"\nmodels = [\"vec;input=9\"]\nembeds = true\n\
         cost_gic_per_1k = 0.003\nlatency_ms = 100\nquality = 0.5\nreliability = 0.99\ncontext_tokens_max = 8000\n\
         [providers.openai_gpt4]\nkind = \"openai\"\nbase_url = \"{}/v1\"\napi_key = \"key\"\nmodels = [\"mock;tokens=5\"]\n",
        mock.url(),
        mock.url()
    );
    std::fs::write(&file, vectors).unwrap();
    let desk = Desk::open_with(&folder.at("data"), &["--config", &file]);
    for (model, path) in [("vec;input=9", "/v1/embeddings"), ("vectors", "/embeddings"), ("auto", "/v1/embeddings")] {
        let before = ks(&quota(&desk)["used_gic"]);
        let (status, text) = ask(&agent(), &desk, path, &json!({"model": model, "input": ["the seed store", "the key"]}));
        let reply: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (status, reply["data"].as_array().map(Vec::len), &reply["lab3"]["provider"]),
            (200, Some(2), &json!("vectors")),
            "{text}"
        );
        assert_eq!((ks(&quota(&desk)["used_gic"]) - before, ks(&quota(&desk)["held_gic"])), (27, 0), "{text}");
    }
    // Neither does an answer come from there, nor an embedding from who answers.
    for (path, body) in [
        ("/v1/embeddings", json!({"model": "openai_gpt4", "input": "x"})),
        ("/v1/chat/completions", query("/v1/chat/completions", "vec;input=9", false)),
    ] {
        let (status, text) = ask(&agent(), &desk, path, &body);
        assert!((400..500).contains(&status), "{status} {text}");
    }
    let (status, text) = ask(&agent(), &desk, "/v1/embeddings", &json!({"model": "vectors", "input": 7}));
    assert_eq!(status, 400, "{text}");
    assert!(text.contains("\"param\":\"input\""), "{text}");
    desk.stop();
}

#[test]
fn a_provider_that_fails_costs_nothing_and_the_next_answers() {
    let (folder, mock) = (Folder::new("gateway-fallback"), Mock::start().unwrap());
    let broken = "providers.anthropic_claude.models=mock;id=broken;fail=503";
    let desk = open(&folder, &mock, "tokens=5;input=7", &[broken]);
    let (status, text) = ask(&agent(), &desk, "/v1/chat/completions", &query("/v1/chat/completions", "anthropic_claude", false));
    assert_eq!(status, 200, "{text}");
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_ne!(answer["lab3"]["provider"], "anthropic_claude");
    assert_eq!(quota(&desk)["used_gic"], answer["lab3"]["cost_gic"]);
    assert_eq!(ks(&quota(&desk)["held_gic"]), 0);
    assert_eq!(mock.stats()["ids"]["broken"]["requests"], 1);
    desk.stop();
}

#[test]
fn who_leaves_stops_the_provider_and_pays_for_what_came() {
    let (folder, mock) = (Folder::new("gateway-leaves"), Mock::start().unwrap());
    let desk = open(&folder, &mock, "tokens=5000;input=7;gap_ms=5", &[]);
    let body = json!({"model": "openai_gpt4", "stream": true, "messages": [{"role": "user", "content": "hello there"}]});
    let request = agent().post(format!("{}/v1/chat/completions", desk.url())).header("x-citizen-did", ALICE);
    let mut reader = request.header("content-type", "application/json").send(body.to_string()).unwrap().into_body().into_reader();
    let mut some = [0; 400];
    reader.read_exact(&mut some).unwrap();
    drop(reader);
    let (used, held) = wait::until("the query to be settled", || {
        let quota = quota(&desk);
        let (used, held) = (ks(&quota["used_gic"]), ks(&quota["held_gic"]));
        (used > 0 && held == 0).then_some((used, held))
    });
    assert!(held == 0 && used < 10 * 5000, "{used}");
    wait::until("the provider to be told", || (mock.stats()["open"] == 0).then_some(()));
    assert_eq!(mock.stats()["cancelled"], 1);
    desk.stop();
}

#[test]
fn every_token_costs_what_is_configured_for_it() {
    let (folder, mock) = (Folder::new("gateway-prices"), Mock::start().unwrap());
    let claude = [
        "input_cost_gic_per_1k=0.003",
        "output_cost_gic_per_1k=0.015",
        "cached_cost_gic_per_1k=0.0003",
        "cache_write_5m_cost_gic_per_1k=0.00375",
        "cache_write_1h_cost_gic_per_1k=0.006",
        "reasoning_cost_gic_per_1k=0.02",
        "tool_run_cost_gic=0.01",
        // Not more tokens than the query has: the prices of long ones do not hold.
        "long_above_tokens=1000",
        "long_input_cost_gic_per_1k=1",
    ];
    let gpt = [
        "cached_cost_gic_per_1k=0.001",
        "long_above_tokens=999",
        "long_input_cost_gic_per_1k=0.005",
        "long_output_cost_gic_per_1k=0.02",
        "long_cached_cost_gic_per_1k=0.0025",
    ];
    let of = |name: &'static str| move |price: &&str| format!("providers.{name}.{price}");
    let settings = claude.iter().map(of("anthropic_claude")).chain(gpt.iter().map(of("openai_gpt4"))).collect::<Vec<_>>();
    let script = "tokens=50;reasoning=20;input=1000;cached=300;write_5m=200;write_1h=100";
    let desk = open(&folder, &mock, script, &settings.iter().map(String::as_str).collect::<Vec<_>>());
    let agent = agent();
    let mut used = 0;
    for (provider, cost) in [
        // 400 x 3 + 300 x 0.3 + 200 x 3.75 + 100 x 6 + 30 x 15 + 20 x 20
        ("anthropic_claude", 3_490),
        // Long: 400 x 5 + 300 x 2.5 + 300 written x 5 + 50 x 20
        ("openai_gpt4", 5_250),
        // The specification's one price: 1,050 x 2
        ("deepseek", 2_100),
    ] {
        for path in ["/v1/chat/completions", "/v1/messages", "/api/chat"] {
            let (status, text) = ask(&agent, &desk, path, &query(path, provider, path == "/v1/messages"));
            used += cost;
            assert_eq!((status, ks(&quota(&desk)["used_gic"])), (200, used), "{path} {provider}: {text}");
        }
    }
    // Tools of a provider are used where a run has its price, and nowhere else.
    let mut search = query("/v1/messages", "anthropic_claude", false);
    search["tools"] = json!([{"type": "web_search_20250305", "name": "web_search"}]);
    assert_eq!(ask(&agent, &desk, "/v1/messages", &search).0, 200);
    desk.stop();
    let settings = settings.iter().map(String::as_str).filter(|setting| !setting.contains("tool_run")).collect::<Vec<_>>();
    let other_folder = Folder::new("gateway-no-tools");
    let desk = open(&other_folder, &mock, script, &settings);
    let (status, text) = ask(&agent, &desk, "/v1/messages", &search);
    assert_eq!(status, 422, "{text}");
    assert_eq!((ks(&quota(&desk)["used_gic"]), ks(&quota(&desk)["held_gic"])), (0, 0));
    desk.stop();
}

#[test]
fn an_answer_ends_also_when_others_hold_what_it_was_promised() {
    let (folder, mock) = (Folder::new("gateway-shared-budget"), Mock::start().unwrap());
    // 10 KS a token: there is enough for 900 tokens when the answer begins, and then somebody holds all but some 500 of them.
    let slow = "providers.openai_gpt4.models=mock;tokens=900;input=7;gap_ms=5";
    let desk = open(&folder, &mock, "fail=503", &["compute.quota_gic=0.01", "compute.local_fallback=false", slow]);
    let body = json!({"model": "openai_gpt4", "messages": [{"role": "user", "content": "hello there"}]});
    let (status, text) = std::thread::scope(|scope| {
        let long = scope.spawn(|| ask(&agent(), &desk, "/v1/chat/completions", &body));
        wait::until("the answer to begin", || (mock.stats()["tokens_sent"].as_u64() > Some(0)).then_some(()));
        let other = json!({"citizen_did": ALICE, "query_tokens": 2000, "preferred_provider": "deepseek"});
        desk.client().write(ALLOCATE, None, &other);
        long.join().unwrap()
    });
    let answer: Value = serde_json::from_str(&text).unwrap();
    let (reason, words) = (&answer["choices"][0]["finish_reason"], text.matches("tok ").count());
    assert!(status == 200 && reason == "length" && words <= 600, "status {status}, {words} words, ended by {reason}");
    desk.stop();
    let journal = Journal::of(&folder.at("data"));
    let paid = journal.0.iter().flat_map(Record::moves).filter(|(_, _, to, ..)| to.starts_with("hive:provider/"));
    let by_the_hive = paid.filter(|(_, from, ..)| *from == "hive:compute").map(|(.., amount, _)| amount).sum::<i64>();
    assert!(by_the_hive <= 100, "the Hive paid {by_the_hive} KS for what was not held");
}

#[test]
fn who_leaves_before_the_first_word_stops_the_provider_and_pays_the_query() {
    let (folder, mock) = (Folder::new("gateway-leaves-early"), Mock::start().unwrap());
    let desk = open(&folder, &mock, "tokens=5;input=7;first_ms=120000", &[]);
    for stream in [true, false] {
        let config = Agent::config_builder().timeout_global(Some(Duration::from_millis(300))).proxy(None);
        let body = query("/v1/chat/completions", "openai_gpt4", stream);
        let request = config.build().new_agent().post(format!("{}/v1/chat/completions", desk.url())).header("x-citizen-did", ALICE);
        request.header("content-type", "application/json").send(body.to_string()).unwrap_err();
        let patience = Duration::from_secs(10);
        wait::at_most(patience, "what the query held to be free", || (ks(&quota(&desk)["held_gic"]) == 0).then_some(()));
        wait::at_most(patience, "the provider to be told", || (mock.stats()["open"] == 0).then_some(()));
    }
    // The provider read it, and most charge for that; nobody told how many tokens it has, so our estimate is charged.
    let used = ks(&quota(&desk)["used_gic"]);
    assert!((1..=2 * 20 * 10).contains(&used), "{used}");
    assert_eq!(mock.stats()["requests"], 2);
    desk.stop();
}

#[test]
fn an_answer_ends_within_a_chunk_when_the_budget_does() {
    let (folder, mock) = (Folder::new("gateway-budget"), Mock::start().unwrap());
    // 10 KS a token: the allowance pays some 900 of the 5,000 tokens.
    let desk = open(&folder, &mock, "tokens=5000;input=7", &["compute.quota_gic=0.01", "compute.local_fallback=false"]);
    let body = json!({"model": "openai_gpt4", "messages": [{"role": "user", "content": "hello there"}]});
    let (status, text) = ask(&agent(), &desk, "/v1/chat/completions", &body);
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((status, &answer["choices"][0]["finish_reason"]), (200, &json!("length")), "{text}");
    let quota = quota(&desk);
    assert!(ks(&quota["used_gic"]) <= 10_000 && ks(&quota["used_gic"]) > 8_000, "{quota}");
    assert_eq!(ks(&quota["held_gic"]), 0);
    desk.stop();
}
