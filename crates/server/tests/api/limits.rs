//! What is too much: requests, wrong keys, bodies of strangers, bodies that are packed or nested. Each is refused in the form of the
//! protocol it came in, and says when to come again.

use axum::body::Body;
use axum::http::{Request, header};
use lab3_engine::Policy;
use lab3_server::{LimitSettings, Peer, ServerSettings};
use serde_json::json;

use crate::hive::{ALICE, BOB, Hive, Reply};
use crate::keys::{get_as, make};

const POOL: &str = "/lab3/financial/pool";

fn hive(limits: LimitSettings) -> Hive {
    Hive::with(Policy::default(), ServerSettings { limits, ..ServerSettings::default() })
}

fn peer(address: [u8; 4]) -> Peer {
    Peer { remote: (address, 40_000).into(), trusted_user: None }
}

/// Asks from an address, perhaps with a key.
async fn ask(hive: &Hive, address: [u8; 4], path: &str, key: Option<&str>) -> Reply {
    let request = Request::get(path).extension(peer(address)).header(header::HOST, "desk.example");
    let request = key.iter().fold(request, |request, key| request.header(header::AUTHORIZATION, format!("Bearer {key}")));
    hive.send(request.body(Body::empty()).unwrap()).await
}

fn never_made(n: u8) -> String {
    lab3_trust::KeyText::make(lab3_trust::Kind::Citizen, [n; 8], &[n; 32]).show_once().to_owned()
}

/// Every route that takes a body, with something in the place of what its path names.
fn posts() -> Vec<String> {
    let rows = lab3_server::routes().into_iter().filter(|row| row.method == "POST");
    let named = |path: &str| path.replace("{allocation_id}", "al_06f2x1w0v7r9h3kz8q5d4c2bgm").replace("{number}", "1");
    rows.map(|row| named(row.path)).collect()
}

#[tokio::test]
async fn wrong_keys_end_in_a_429_and_right_ones_pass() {
    let hive = hive(LimitSettings { wrong_per_minute: 5, ..LimitSettings::default() });
    let operator = make(&hive, None, json!({ "kind": "operator" })).await;
    let (here, there) = ([192, 0, 2, 1], [192, 0, 2, 2]);
    for n in 0..5 {
        ask(&hive, here, POOL, Some(&never_made(n))).await.refused(401, "L3-0035", Some("Authorization"));
    }
    for wrong in [&never_made(9), "lab3_operator_typo", "sk-of-another-place"] {
        let reply = ask(&hive, here, POOL, Some(wrong)).await;
        reply.refused(429, "L3-0082", Some("Authorization"));
        assert_eq!(reply.header("retry-after"), Some("12"));
    }
    // A right key passes there, too, and nobody elsewhere hears of it.
    ask(&hive, here, POOL, Some(&operator)).await.ok();
    ask(&hive, there, POOL, Some(&never_made(1))).await.refused(401, "L3-0035", Some("Authorization"));
    // Where nobody has to be named, a wrong key is none.
    assert_eq!(ask(&hive, here, "/lab3/health", Some(&never_made(1))).await.status, 200);
    // In the other protocols' form.
    let request = Request::post("/v1/messages").extension(peer(here)).header("x-api-key", never_made(1)).body(Body::from("{}")).unwrap();
    let reply = hive.send(request).await;
    assert_eq!((reply.status, reply.header("retry-after")), (429, Some("12")));
    assert_eq!(reply.json()["error"]["type"], "rate_limit_error");
}

#[tokio::test]
async fn requests_are_counted_by_principal_and_by_address() {
    let limits = LimitSettings { requests_per_minute: 4, address_requests_per_minute: 3, ..LimitSettings::default() };
    let hive = hive(limits);
    // Whoever is on an open Hive's machine is not counted.
    for _ in 0..20 {
        hive.get(POOL).await.ok();
    }
    let operator = make(&hive, None, json!({ "kind": "operator" })).await;
    let keys = async |did: &str| make(&hive, Some(&operator), json!({ "kind": "citizen", "did": did, "scopes": ["read"] })).await;
    let (first, second, bob) = (keys(ALICE).await, keys(ALICE).await, keys(BOB).await);
    let here = [192, 0, 2, 1];
    let passed = async |key: Option<&str>, path: &str, times: usize| {
        let mut statuses = Vec::new();
        for _ in 0..times {
            statuses.push(ask(&hive, here, path, key).await.status);
        }
        statuses
    };
    // A citizen is one, whatever keys she has.
    assert_eq!(passed(Some(&first), POOL, 3).await, [200; 3]);
    assert_eq!(passed(Some(&second), POOL, 2).await, [200, 429]);
    assert_eq!(passed(Some(&bob), POOL, 5).await, [200, 200, 200, 200, 429]);
    // Strangers share their address, on public paths and on others.
    assert_eq!(passed(None, "/lab3/health", 2).await, [200, 200]);
    assert_eq!(passed(None, POOL, 2).await, [401, 429]);
    assert_eq!(ask(&hive, [192, 0, 2, 2], "/lab3/health", None).await.status, 200);
    let refused = ask(&hive, here, "/lab3/health", None).await;
    refused.refused(429, "L3-0081", None);
    assert_eq!(refused.header("retry-after"), Some("20"));
    let request = Request::get("/api/tags").extension(peer(here)).header(header::AUTHORIZATION, format!("Bearer {bob}"));
    let refused = hive.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("15")));
    assert_eq!(refused.json()["code"], "L3-0081");
}

#[tokio::test]
async fn a_strangers_body_is_small() {
    let hive = Hive::new();
    let operator = make(&hive, None, json!({ "kind": "operator" })).await;
    let long = |len: usize| format!("{{\"intent\": \"{}\"}}", "x".repeat(len));
    hive.post_text("/lab3/intents", &[], long(70 << 10)).await.refused(413, "L3-0012", None);
    let named = hive.post_text("/lab3/intents", &[("Authorization", &format!("Bearer {operator}"))], long(70 << 10)).await;
    // It was read: what it is not is an intent.
    named.refused(403, "L3-0038", Some("intent"));
    get_as(&hive, &operator, POOL).await.ok();
}

#[tokio::test]
async fn packed_bodies_are_refused_by_name_everywhere() {
    let hive = Hive::new();
    let before = hive.state_hash().await;
    for path in posts() {
        for (name, value, field) in [
            ("content-encoding", "gzip", "Content-Encoding"),
            ("content-encoding", "identity, br", "Content-Encoding"),
            ("transfer-encoding", "gzip, chunked", "Transfer-Encoding"),
        ] {
            let reply = hive.post_text(&path, &[(name, value), ("x-citizen-did", ALICE)], "{}").await;
            assert_eq!(reply.status, 415, "{path}: {}", reply.text());
            assert!(reply.text().contains("L3-0011"), "{path}: {}", reply.text());
            if path.starts_with("/lab3/") && !path.starts_with("/lab3/witness/") {
                reply.refused(415, "L3-0011", Some(field));
            }
        }
        let plain = hive.post_text(&path, &[("content-encoding", "identity"), ("x-citizen-did", ALICE)], "{").await;
        assert_ne!(plain.status, 415, "{path}");
    }
    assert_eq!(hive.state_hash().await, before);
}

/// A million brackets cost no stack and no time worth mentioning, wherever they stand.
#[tokio::test]
async fn nested_bodies_are_refused_everywhere() {
    let hive = Hive::new();
    let before = hive.state_hash().await;
    let (open, shut) = ("[".repeat(500_000), "]".repeat(500_000));
    let objects = "{\"a\":".repeat(300_000);
    let shapes = [
        open.clone(),
        objects.clone(),
        format!("{{\"x\":{open}{shut}}}"),
        format!("{{\"model\":\"auto\",\"messages\":{open}{shut}}}"),
        format!("{{\"model\":\"auto\",\"messages\":[{{\"role\":\"user\",\"content\":{open}{shut}}}]}}"),
        format!("{{\"model\":\"auto\",\"input\":{open}{shut}}}"),
        format!("{{\"transfers\":{open}{shut}}}"),
        format!("{{\"citizen_did\":{objects}"),
    ];
    for path in posts() {
        for shape in &shapes {
            let reply = hive.post_text(&path, &[("x-citizen-did", ALICE)], shape.as_str()).await;
            let start = &shape[..shape.len().min(40)];
            // Ollama's clients may send what it does not know.
            let is_taken = reply.status == 200 && path.starts_with("/api/");
            assert!(is_taken || (400..500).contains(&reply.status), "{path} {start}: {} {}", reply.status, reply.text());
            assert!(reply.body.len() < 4096, "{path} {start}: a refusal of {} bytes", reply.body.len());
        }
    }
    assert_eq!(hive.state_hash().await, before);
}
