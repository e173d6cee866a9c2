//! Requests that carry a signature (RFC 9421): who signed is who asks, nothing of the request can be changed, and none counts twice.

use axum::body::Body;
use axum::http::{Request, header};
use lab3_server::Peer;
use lab3_signature::{Scheme, Signer, sign};
use lab3_trust::PublicKey;
use lab3_units::{Did, Time};
use serde_json::json;

use crate::hive::{BOB, Hive, NOW, Reply};
use crate::keys::make;

const SEED: [u8; 32] = [3; 32];
const HOST: &str = "desk.example";

/// A closed Hive, and a member who has her key in her name and 10 MIC.
async fn closed() -> (Hive, Did) {
    let hive = Hive::new();
    let member = PublicKey::of_secret(&SEED).to_did().unwrap();
    hive.mint(member.as_str(), "10").await;
    make(&hive, None, json!({ "kind": "operator" })).await;
    (hive, member)
}

/// A signed request, from far away, that may be changed before it is sent.
fn signed(method: &str, path: &str, body: &str, more: &[(&str, &str)], seed: &[u8; 32], at: &str) -> Request<Body> {
    let mut headers: Vec<(&str, String)> = more.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    if !body.is_empty() {
        headers.push(("content-type", "application/json".to_owned()));
    }
    let lines: Vec<(&str, &[u8])> = headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    let (path_only, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
    let request = lab3_signature::Request { method, scheme: Scheme::Http, authority: HOST, path: path_only, query, headers: &lines };
    let key_id = PublicKey::of_secret(seed).to_did().unwrap();
    let created = Time::parse(at).unwrap().millis() / 1000;
    let signer = Signer { seed, key_id: key_id.as_str(), created, nonce: None };
    let added = sign(&request, body.as_bytes(), &signer).unwrap();
    let peer = Peer { remote: ([10, 0, 0, 7], 1).into(), trusted_user: None };
    let built = Request::builder().method(method).uri(path).header(header::HOST, HOST).extension(peer);
    let built = headers.iter().fold(built, |built, (name, value)| built.header(*name, value));
    let built = added.iter().fold(built, |built, (name, value)| built.header(*name, value));
    built.body(Body::from(body.to_owned())).unwrap()
}

async fn send(hive: &Hive, request: Request<Body>) -> Reply {
    hive.send(request).await
}

#[tokio::test]
async fn who_signed_is_who_asks() {
    let (hive, member) = closed().await;
    let balance = format!("/lab3/financial/balance/{member}?at=2");
    send(&hive, signed("GET", &balance, "", &[], &SEED, NOW)).await.ok();
    send(&hive, signed("GET", &balance, "", &[], &[4; 32], NOW)).await.refused(403, "L3-0036", None);
    send(&hive, signed("GET", &balance, "", &[], &SEED, "2025-10-31T14:24:00Z")).await.refused(401, "L3-0035", Some("Signature-Input"));
}

#[tokio::test]
async fn a_signed_write_is_the_one_that_was_signed_and_happens_once() {
    let (hive, member) = closed().await;
    let body = json!({ "citizen_did": member.as_str(), "query_tokens": 500 }).to_string();
    let path = "/lab3/compute/allocate";
    let keyed = [("idempotency-key", "k1")];
    let first = send(&hive, signed("POST", path, &body, &keyed, &SEED, NOW)).await.ok();
    let again = send(&hive, signed("POST", path, &body, &keyed, &SEED, NOW)).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.ok(), first);
    let before = hive.state_hash().await;
    send(&hive, signed("POST", path, &body, &[], &SEED, NOW)).await.refused(401, "L3-0035", Some("Idempotency-Key"));
    // Another body, key, path or host under the same signature.
    let mut other = signed("POST", path, &body, &[("idempotency-key", "k2")], &SEED, NOW);
    *other.body_mut() = Body::from(body.replace("500", "900"));
    send(&hive, other).await.refused(401, "L3-0035", Some("Content-Digest"));
    let mut other = signed("POST", path, &body, &[("idempotency-key", "k2")], &SEED, NOW);
    other.headers_mut().insert("idempotency-key", "k3".parse().unwrap());
    send(&hive, other).await.refused(401, "L3-0035", Some("Signature"));
    let mut other = signed("POST", path, &body, &[("idempotency-key", "k2")], &SEED, NOW);
    other.headers_mut().insert(header::HOST, "elsewhere.example".parse().unwrap());
    send(&hive, other).await.refused(401, "L3-0035", Some("Signature"));
    assert_eq!(hive.state_hash().await, before);
    // What takes an intent takes one however the request came.
    let pay = json!({ "from_did": member.as_str(), "to_did": BOB, "amount": 1 }).to_string();
    send(&hive, signed("POST", "/lab3/financial/transfer", &pay, &[("idempotency-key", "k4")], &SEED, NOW)).await.refused(
        403,
        "L3-0037",
        Some("intent"),
    );
}

#[tokio::test]
async fn a_key_and_a_signature_are_not_sent_together() {
    let (hive, member) = closed().await;
    let key = "lab3_operator_0000000000000_x_y";
    let request = signed("GET", &format!("/lab3/financial/balance/{member}"), "", &[("x-api-key", key)], &SEED, NOW);
    send(&hive, request).await.refused(401, "L3-0035", Some("Signature"));
}
