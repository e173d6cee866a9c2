//! Limits of the gateway, end to end: rates of a citizen, her queries under way, room at a provider, waiting for what others give back, asking again.
//!
//! It fails when a citizen gets past the rate or is told the wrong time to wait; when a query queues silently at a full provider
//! instead of going elsewhere; when a query is refused although others were about to give back what it needs; when a provider is asked
//! again before the time it named; and when the figures do not tell of queries.

#![allow(clippy::unwrap_used, reason = "outside of #[test] functions clippy does not see that this is a test")]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use lab3_mock::Mock;
use lab3_tests::amount::ks;
use lab3_tests::{Desk, Folder, wait};
use serde_json::{Value, json};
use ureq::Agent;

const CHAT: &str = "/v1/chat/completions";

/// A desk whose provider `deepseek` (2 KS a token) is the mock with this script, and more settings.
fn open(folder: &Folder, mock: &Mock, script: &str, more: &[&str]) -> Desk {
    let mut settings = vec![
        format!("providers.deepseek.base_url={}/v1", mock.url()),
        "providers.deepseek.api_key=key".to_owned(),
        format!("providers.deepseek.models=mock;id=deepseek;{script}"),
        "compute.local_fallback=false".to_owned(),
    ];
    settings.extend(more.iter().map(|&one| one.to_owned()));
    let arguments = settings.iter().flat_map(|setting| ["--set", setting]).collect::<Vec<_>>();
    Desk::open_with(&folder.at("data"), &arguments)
}

struct Reply {
    status: u16,
    retry_after: Option<String>,
    body: Value,
}

fn ask(desk: &Desk, citizen: &str, body: &Value) -> Reply {
    let config = Agent::config_builder().http_status_as_error(false).timeout_global(Some(Duration::from_mins(1))).proxy(None);
    let request = config.build().new_agent().post(format!("{}{CHAT}", desk.url()));
    let request = request.header("x-citizen-did", citizen).header("content-type", "application/json");
    let mut response = request.send(body.to_string()).unwrap();
    let retry_after = response.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
    let body = response.body_mut().read_to_string().unwrap();
    Reply { status: response.status().as_u16(), retry_after, body: serde_json::from_str(&body).unwrap() }
}

fn figures(desk: &Desk) -> String {
    ureq::get(format!("{}/metrics", desk.url())).call().unwrap().body_mut().read_to_string().unwrap()
}

fn hello(max_tokens: u64) -> Value {
    json!({"model": "deepseek", "messages": [{"role": "user", "content": "hello there"}], "max_tokens": max_tokens})
}

#[test]
fn a_citizen_asks_so_often_in_a_minute() {
    let (folder, mock) = (Folder::new("limits-rates"), Mock::start().unwrap());
    let desk = open(&folder, &mock, "tokens=5;input=7", &["gateway.queries_per_minute=2"]);
    assert_eq!(ask(&desk, "did:kaizen:alice", &hello(50)).status, 200);
    assert_eq!(ask(&desk, "did:kaizen:alice", &hello(50)).status, 200);
    let third = ask(&desk, "did:kaizen:alice", &hello(50));
    assert_eq!((third.status, &third.body["error"]["code"]), (429, &json!("L3-0081")), "{}", third.body);
    let seconds: u64 = third.retry_after.unwrap().parse().unwrap();
    assert!((1..=30).contains(&seconds), "{seconds}");
    assert_eq!(ask(&desk, "did:kaizen:bob", &hello(50)).status, 200);
    assert_eq!(mock.stats()["requests"], 3);
    desk.stop();
}

#[test]
fn a_citizen_has_so_many_queries_under_way() {
    let (folder, mock) = (Folder::new("limits-open"), Mock::start().unwrap());
    let desk = open(&folder, &mock, "tokens=100000;input=7;gap_ms=20", &["gateway.queries_open_max=2"]);
    let streams = (0..2).map(|_| stream(&desk)).collect::<Vec<_>>();
    let third = ask(&desk, "did:kaizen:alice", &hello(50));
    assert_eq!((third.status, &third.body["error"]["code"]), (429, &json!("L3-0083")), "{}", third.body);
    assert_eq!(third.retry_after.as_deref(), Some("1"));
    // Nothing is held for what was refused, and others have room of their own.
    assert_eq!(mock.stats()["open"], 2);
    let open = &desk.client().ask("/lab3/compute/stats")["open_allocations"];
    assert_eq!(open, 2);
    let bob = json!({"model": "deepseek", "messages": [{"role": "user", "content": "hello there"}], "max_tokens": 2});
    assert_eq!(ask(&desk, "did:kaizen:bob", &bob).status, 200);
    // A stream that is closed makes room.
    drop(streams);
    wait::until("room for a query", || (ask(&desk, "did:kaizen:alice", &bob).status == 200).then_some(()));
    desk.stop();
}

/// A stream of alice's whose answer has begun.
fn stream(desk: &Desk) -> TcpStream {
    let body = json!({"model": "deepseek", "stream": true, "messages": [{"role": "user", "content": "hello there"}]}).to_string();
    let head = format!("POST {CHAT} HTTP/1.1\r\nhost: localhost\r\nx-citizen-did: did:kaizen:alice\r\ncontent-type: application/json\r\n");
    let mut stream = TcpStream::connect(desk.address()).unwrap();
    stream.write_all(format!("{head}content-length: {}\r\n\r\n{body}", body.len()).as_bytes()).unwrap();
    let mut start = [0; 15];
    stream.read_exact(&mut start).unwrap();
    assert_eq!(&start, b"HTTP/1.1 200 OK");
    stream
}

#[test]
fn tokens_of_an_answer_count_for_the_next_query() {
    let (folder, mock) = (Folder::new("limits-tokens"), Mock::start().unwrap());
    let desk = open(&folder, &mock, "tokens=300;input=7", &["gateway.tokens_per_minute=200"]);
    assert_eq!(ask(&desk, "did:kaizen:alice", &hello(500)).status, 200);
    let second = ask(&desk, "did:kaizen:alice", &hello(500));
    assert_eq!(second.status, 429, "{}", second.body);
    desk.stop();
}

#[test]
fn a_full_provider_sends_queries_elsewhere_or_makes_them_wait() {
    let (folder, mock) = (Folder::new("limits-room"), Mock::start().unwrap());
    let other = [
        format!("providers.openai_gpt4.base_url={}/v1", mock.url()),
        "providers.openai_gpt4.api_key=key".to_owned(),
        "providers.openai_gpt4.models=mock;id=openai;tokens=5;input=7;gap_ms=20".to_owned(),
        "providers.deepseek.answers_max=1".to_owned(),
        "providers.openai_gpt4.answers_max=1".to_owned(),
    ];
    let desk = open(&folder, &mock, "tokens=5;input=7;gap_ms=20", &other.iter().map(String::as_str).collect::<Vec<_>>());
    let providers = std::thread::scope(|scope| {
        let asking = (0..6).map(|_| scope.spawn(|| ask(&desk, "did:kaizen:alice", &hello(50)))).collect::<Vec<_>>();
        asking
            .into_iter()
            .map(|one| one.join().unwrap())
            .map(|reply| (reply.status, reply.body["lab3"]["provider"].to_string()))
            .collect::<Vec<_>>()
    });
    assert!(providers.iter().all(|(status, _)| *status == 200), "{providers:?}");
    for name in ["\"deepseek\"", "\"openai_gpt4\""] {
        assert!(providers.iter().any(|(_, provider)| provider == name), "{providers:?}");
    }
    assert!(mock.stats()["open_max"].as_u64().unwrap() <= 2, "{}", mock.stats());
    desk.stop();
}

#[test]
fn nobody_waits_longer_than_allowed() {
    let (folder, mock) = (Folder::new("limits-wait"), Mock::start().unwrap());
    let desk = open(&folder, &mock, "tokens=500;input=7;gap_ms=20", &["providers.deepseek.answers_max=1", "gateway.wait_seconds=0"]);
    std::thread::scope(|scope| {
        let first = scope.spawn(|| ask(&desk, "did:kaizen:alice", &hello(100)));
        wait::until("the provider to be asked", || (mock.stats()["open"] == 1).then_some(()));
        let second = ask(&desk, "did:kaizen:bob", &hello(50));
        assert_eq!((second.status, &second.body["error"]["code"]), (503, &json!("L3-0094")), "{}", second.body);
        assert_eq!(second.retry_after.as_deref(), Some("1"));
        assert_eq!(first.join().unwrap().status, 200);
    });
    desk.stop();
}

#[test]
fn a_query_waits_for_what_others_give_back() {
    let (folder, mock) = (Folder::new("limits-line"), Mock::start().unwrap());
    // One answer costs (7 + 100) * 2 KS; before it is known, 512 tokens are held for it, so that two do not fit at once.
    let budget = format!("compute.quota_gic={}", lab3_tests::amount::mic(5 * 214));
    let desk = open(&folder, &mock, "tokens=100;input=7;gap_ms=1", &[&budget]);
    let replies = std::thread::scope(|scope| {
        let asking = (0..4).map(|_| scope.spawn(|| ask(&desk, "did:kaizen:alice", &hello(4096)))).collect::<Vec<_>>();
        asking.into_iter().map(|one| one.join().unwrap()).collect::<Vec<_>>()
    });
    for Reply { status, body, .. } in &replies {
        assert_eq!((*status, &body["choices"][0]["finish_reason"]), (200, &json!("stop")), "{body}");
    }
    let quota = desk.client().ask("/lab3/compute/quota/did:kaizen:alice");
    assert_eq!((ks(&quota["used_gic"]), ks(&quota["held_gic"])), (4 * 214, 0));
    desk.stop();
}

#[test]
fn a_provider_is_asked_again_when_it_said_so() {
    let (folder, mock) = (Folder::new("limits-again"), Mock::start().unwrap());
    let desk = open(&folder, &mock, "tokens=5;input=7;fail=503;fail_times=1;retry_after=1", &[]);
    let began = Instant::now();
    let reply = ask(&desk, "did:kaizen:alice", &hello(50));
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
    assert_eq!(mock.stats()["requests"], 2);
    let figures = figures(&desk);
    for line in [
        "gen_ai_client_token_usage_sum{gen_ai_operation_name=\"chat\",gen_ai_provider_name=\"deepseek\"",
        "gen_ai_client_operation_duration_seconds_count{",
        "error_type=\"refused\"",
        "gen_ai_server_time_to_first_token_seconds_count{",
        "lab3_query_cost_ks_total{gen_ai_provider_name=\"deepseek\"} 24",
        "lab3_queries_under_way 0",
    ] {
        assert!(figures.contains(line), "{line} is not in\n{figures}");
    }
    desk.stop();
}

#[test]
fn the_very_same_query_is_answered_by_what_was_kept_at_its_price() {
    let (folder, mock) = (Folder::new("limits-cache"), Mock::start().unwrap());
    let desk = open(&folder, &mock, "tokens=5;input=7", &["gateway.cache_mb=1", "gateway.cache_price_percent=50"]);
    let used = || ks(&desk.client().ask("/lab3/compute/quota/did:kaizen:alice")["used_gic"]);
    let first = ask(&desk, "did:kaizen:alice", &hello(50));
    assert_eq!((first.status, used()), (200, 24));
    let second = ask(&desk, "did:kaizen:alice", &hello(50));
    assert_eq!((second.status, used(), &second.body["choices"]), (200, 36, &first.body["choices"]), "{}", second.body);
    assert_eq!(second.body["lab3"]["cost_gic"].to_string(), "0.000012");
    assert!(second.body["lab3"]["reason"].as_str().unwrap().contains("answered before"), "{}", second.body);
    // Another's, too; not so another query.
    assert_eq!(ask(&desk, "did:kaizen:bob", &hello(50)).status, 200);
    assert_eq!(mock.stats()["requests"], 1);
    assert_eq!(ask(&desk, "did:kaizen:alice", &hello(51)).status, 200);
    assert_eq!(mock.stats()["requests"], 2);
    desk.stop();
}
