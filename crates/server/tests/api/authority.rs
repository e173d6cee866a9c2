//! Who may ask an open Hive, and who speaks for one.

use axum::body::Body;
use axum::http::{Request, header};
use lab3_engine::Policy;
use lab3_finance::Grants;
use lab3_server::{Peer, ServerSettings};
use serde_json::json;

use crate::hive::{ALICE, BOB, Hive, Reply};

const HERE: Peer =
    Peer { remote: std::net::SocketAddr::V4(std::net::SocketAddrV4::new(std::net::Ipv4Addr::LOCALHOST, 40_000)), trusted_user: Some(true) };

/// A transfer as a request of somebody at `peer` with these headers, on an open Hive.
async fn ask(hive: &Hive, peer: Peer, headers: &[(&str, &str)]) -> Reply {
    let body = json!({ "from_did": ALICE, "to_did": BOB, "amount": 1 }).to_string();
    let has = |name: &str| headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
    let mut request = Request::post("/lab3/financial/transfer");
    if !has("content-type") {
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.header(header::CONTENT_LENGTH, body.len()).extension(peer).body(Body::from(body)).unwrap();
    hive.send(request).await
}

#[tokio::test]
async fn an_open_hive_answers_who_is_on_its_machine_and_nobody_else() {
    let hive = Hive::with_alice("10").await;
    let elsewhere = Peer { remote: ([10, 0, 0, 7], 40_000).into(), ..HERE };
    let mapped = Peer { remote: "[::ffff:127.0.0.1]:40000".parse().unwrap(), ..HERE };
    let untold = Peer { trusted_user: None, ..HERE };
    let other_user = Peer { trusted_user: Some(false), ..HERE };
    let host = |name| [("Host", name)];
    for (peer, headers, refused) in [
        (HERE, &[][..], None),
        (mapped, &[], None),
        (untold, &[], None),
        (HERE, &host("localhost:8003"), None),
        (HERE, &host("[::1]:8003"), None),
        (HERE, &[("Authorization", "Bearer sk-any-key-a-client-insists-on")], None),
        (HERE, &[("Host", "localhost:8003"), ("Origin", "http://localhost:8003")], None),
        (HERE, &[("Sec-Fetch-Site", "same-origin")], None),
        (elsewhere, &[], Some(None)),
        (other_user, &[], Some(None)),
        (HERE, &host("evil.example"), Some(Some("Host"))),
        (HERE, &host("127.0.0.1.evil.example:8003"), Some(Some("Host"))),
        (HERE, &[("Origin", "https://evil.example")], Some(Some("Origin"))),
        (HERE, &[("Origin", "null")], Some(Some("Origin"))),
        (HERE, &[("Host", "localhost:8003"), ("Origin", "http://localhost:9999")], Some(Some("Origin"))),
        (HERE, &[("Sec-Fetch-Site", "cross-site")], Some(Some("Sec-Fetch-Site"))),
        (HERE, &[("X-Forwarded-For", "127.0.0.1")], Some(Some("x-forwarded-for"))),
        (HERE, &[("Forwarded", "for=127.0.0.1")], Some(Some("forwarded"))),
        (HERE, &[("Via", "1.1 proxy")], Some(Some("via"))),
        (HERE, &[("X-Real-IP", "127.0.0.1")], Some(Some("x-real-ip"))),
    ] {
        let before = hive.state_hash().await;
        let reply = ask(&hive, peer, headers).await;
        match refused {
            None => drop(reply.ok()),
            Some(field) => {
                reply.refused(403, "L3-0029", field);
                assert_eq!(hive.state_hash().await, before, "{peer:?} {headers:?}");
            }
        }
    }
    for wrong in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
        ask(&hive, HERE, &[("Content-Type", wrong)]).await.refused(415, "L3-0011", None);
    }
}

#[tokio::test]
async fn what_is_public_is_answered_to_everybody() {
    let hive = Hive::new();
    for path in ["/lab3/health", "/lab3/errors", "/lab3/openapi.json"] {
        let peer = Peer { remote: ([10, 0, 0, 7], 1).into(), trusted_user: None };
        let request = Request::get(path).header(header::HOST, "any.example").extension(peer).body(Body::empty()).unwrap();
        assert_eq!(hive.send(request).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn nobody_on_an_open_hive_approves_grants_of_a_governed_one() {
    let mut policy = Policy::default();
    policy.finance.grants = Grants::Governed;
    let hive = Hive::with(policy, ServerSettings::default());
    let grant = json!({ "recipient_did": BOB, "amount": 10, "project": "Solar" });
    assert_eq!(hive.get("/lab3/financial/pool").await.ok()["grants"], "governed");
    let before = hive.state_hash().await;
    hive.post("/lab3/financial/grant", &grant).await.refused(403, "L3-0032", None);
    assert_eq!(hive.state_hash().await, before);
    let open = Hive::new();
    open.post("/lab3/financial/grant", &grant).await.ok();
}
