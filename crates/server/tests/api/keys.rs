//! Keys over the API: the first closes the Hive, each does what it is good for, and is gone when it is revoked.

use axum::body::Body;
use axum::http::{Request, header};
use lab3_units::Amount;
use serde_json::{Value, json};

use crate::hive::{ALICE, BOB, Hive, Reply};

const KEYS: &str = "/lab3/keys";

/// A POST with a key.
pub async fn post_as(hive: &Hive, key: &str, path: &str, body: &Value) -> Reply {
    hive.post_text(path, &[("Authorization", &format!("Bearer {key}"))], body.to_string()).await
}

/// A GET with a key.
pub async fn get_as(hive: &Hive, key: &str, path: &str) -> Reply {
    let request = Request::get(path).header(header::AUTHORIZATION, format!("Bearer {key}"));
    hive.send(request.body(Body::empty()).unwrap()).await
}

/// The text of the key a reply shows.
fn shown(reply: &Reply) -> String {
    let made = reply.ok();
    made["key"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned()
}

/// Makes a key on an open Hive, or with the maker's key.
pub async fn make(hive: &Hive, maker: Option<&str>, body: Value) -> String {
    shown(&match maker {
        Some(maker) => post_as(hive, maker, KEYS, &body).await,
        None => hive.post(KEYS, &body).await,
    })
}

#[tokio::test]
async fn the_first_key_closes_the_hive_for_good() {
    let hive = Hive::with_alice("10").await;
    assert_eq!(hive.get(KEYS).await.ok(), json!({ "keys": [], "open": true }));
    let operator = make(&hive, None, json!({ "kind": "operator", "note": "the desk's keeper" })).await;
    assert!(operator.starts_with("lab3_operator_"), "{operator}");
    hive.get(KEYS).await.refused(401, "L3-0034", Some("Authorization"));
    hive.post("/lab3/financial/mint", &json!({ "to_did": ALICE, "amount": 1, "reason": "x" })).await.refused(
        401,
        "L3-0034",
        Some("Authorization"),
    );
    let listed = get_as(&hive, &operator, KEYS).await.ok();
    assert_eq!(listed["open"], json!(false));
    let [key] = listed["keys"].as_array().unwrap().as_slice() else { panic!("{listed}") };
    assert_eq!(
        (&key["number"], &key["kind"], &key["created_by"], &key["standing"]),
        (&json!(1), &json!("operator"), &json!("local"), &json!("valid"))
    );
    assert_eq!(key["last_used_at"], json!(crate::hive::NOW));
    let text = listed.to_string();
    assert!(!text.contains(operator.rsplit('_').nth(1).unwrap()), "the secret is told again");
    // What is public stays so.
    assert_eq!(hive.get("/lab3/health").await.status, 200);
}

#[tokio::test]
async fn a_key_comes_in_any_of_three_headers() {
    let hive = Hive::with_alice("10").await;
    let key = make(&hive, None, json!({ "kind": "operator" })).await;
    let bearer = format!("Bearer {key}");
    let path = "/lab3/financial/pool";
    let ask = async |headers: &[(&str, &str)]| {
        let request = headers.iter().fold(Request::get(path), |request, (name, value)| request.header(*name, *value));
        hive.send(request.body(Body::empty()).unwrap()).await
    };
    for headers in [
        &[("Authorization", &*bearer)][..],
        &[("Authorization", &bearer.replace("Bearer", "bearer"))],
        &[("x-api-key", &key)],
        &[("x-goog-api-key", &key)],
        &[("x-api-key", &key), ("Authorization", &bearer)],
    ] {
        ask(headers).await.ok();
    }
    let other = make(&hive, Some(&key), json!({ "kind": "auditor" })).await;
    let (typo, unknown) = (key.replace("operator", "auditor"), "sk-something-else".to_owned());
    for headers in [
        &[("Authorization", &*bearer), ("x-api-key", &other)][..],
        &[("x-api-key", &typo)],
        &[("x-api-key", &key[..key.len() - 1])],
        &[("x-api-key", &unknown)],
        &[("Authorization", "Bearer lab3_operator_0000000000000_x_y")],
    ] {
        ask(headers).await.refused(401, "L3-0035", Some("Authorization"));
    }
    ask(&[("Authorization", "Basic abc")]).await.refused(401, "L3-0034", Some("Authorization"));
}

#[tokio::test]
async fn a_citizen_pays_from_her_own_wallet_and_no_other() {
    let hive = Hive::with_alice("10").await;
    // Money keys are made while the Hive is open: later only the member's own signature gives that scope.
    let alice = make(&hive, None, json!({ "kind": "citizen", "did": ALICE })).await;
    let pay = |from: &str, to: &str| json!({ "from_did": from, "to_did": to, "amount": 1 });
    post_as(&hive, &alice, "/lab3/financial/transfer", &pay(ALICE, BOB)).await.ok();
    let before = hive.state_hash().await;
    post_as(&hive, &alice, "/lab3/financial/transfer", &pay(BOB, ALICE)).await.refused(403, "L3-0036", None);
    let both = json!({ "transfers": [pay(ALICE, BOB), pay(BOB, ALICE)] });
    post_as(&hive, &alice, "/lab3/financial/transfers", &both).await.refused(403, "L3-0036", None);
    get_as(&hive, &alice, &format!("/lab3/financial/balance/{ALICE}")).await.ok();
    for foreign in [
        format!("/lab3/financial/balance/{BOB}"),
        "/lab3/financial/balance/did:kaizen:nobody".to_owned(),
        format!("/lab3/financial/transactions?did={BOB}"),
        "/lab3/financial/transactions".to_owned(),
        format!("/lab3/compute/quota/{BOB}"),
        "/lab3/compute/allocations/al_00000000000000000000000000".to_owned(),
        "/lab3/financial/transactions/tx_00000000000000000000000000".to_owned(),
    ] {
        get_as(&hive, &alice, &foreign).await.refused(403, "L3-0036", None);
    }
    post_as(&hive, &alice, "/lab3/financial/mint", &json!({ "to_did": ALICE, "amount": 1, "reason": "x" }))
        .await
        .refused(403, "L3-0036", None);
    assert_eq!(hive.state_hash().await, before);
}

#[tokio::test]
async fn the_operator_manages_and_cannot_pay() {
    let hive = Hive::with_alice("10").await;
    let operator = make(&hive, None, json!({ "kind": "operator" })).await;
    let before = hive.state_hash().await;
    let pay = json!({ "from_did": ALICE, "to_did": BOB, "amount": 1 });
    post_as(&hive, &operator, "/lab3/financial/transfer", &pay).await.refused(403, "L3-0036", None);
    post_as(&hive, &operator, "/lab3/financial/contribute", &json!({ "from_did": ALICE, "amount": 1 })).await.refused(403, "L3-0036", None);
    // Nor through a key it makes.
    let money = json!({ "kind": "citizen", "did": ALICE, "scopes": ["money"] });
    post_as(&hive, &operator, KEYS, &money).await.refused(403, "L3-0036", Some("scopes"));
    assert_eq!(hive.state_hash().await, before);
    let alice = make(&hive, Some(&operator), json!({ "kind": "citizen", "did": ALICE })).await;
    get_as(&hive, &alice, &format!("/lab3/financial/balance/{ALICE}")).await.ok();
    post_as(&hive, &alice, "/lab3/financial/transfer", &pay).await.refused(403, "L3-0036", None);
    post_as(&hive, &operator, "/lab3/financial/mint", &json!({ "to_did": ALICE, "amount": 5, "reason": "x" })).await.ok();
}

#[tokio::test]
async fn a_service_acts_for_its_citizens_within_its_day_and_settles_what_it_opened() {
    let hive = Hive::new();
    let operator = make(&hive, None, json!({ "kind": "operator" })).await;
    let service = |cap: &str, citizens: Value| json!({ "kind": "service", "daily_cap_gic": cap, "citizens": citizens });
    let lab2 = make(&hive, Some(&operator), service("0.1", json!([ALICE]))).await;
    let other = make(&hive, Some(&operator), service("100", json!([ALICE, BOB]))).await;
    let ask = |citizen: &str| json!({ "citizen_did": citizen, "query_tokens": 5000, "preferred_provider": "anthropic_claude" });
    let allocate = "/lab3/compute/allocate";
    let opened = post_as(&hive, &lab2, allocate, &ask(ALICE)).await.ok();
    post_as(&hive, &lab2, allocate, &ask(BOB)).await.refused(403, "L3-0036", None);
    // 0.075 of the day's 0.1 are held.
    post_as(&hive, &lab2, allocate, &ask(ALICE)).await.refused(403, "L3-0036", None);
    let report = |allocation: &Value| {
        let (provider, cost) = ("anthropic_claude", 0.05);
        json!({ "citizen_did": ALICE, "provider": provider, "actual_cost": cost, "success": true, "allocation_id": allocation })
    };
    let path = "/lab3/compute/report_usage";
    post_as(&hive, &other, path, &report(&opened["allocation_id"])).await.refused(403, "L3-0036", None);
    post_as(&hive, &other, path, &report(&Value::Null)).await.refused(403, "L3-0036", None);
    post_as(&hive, &lab2, path, &report(&opened["allocation_id"])).await.ok();
    // The next day there is room again.
    hive.pass(24 * 3600).await;
    post_as(&hive, &lab2, allocate, &ask(ALICE)).await.ok();
    get_as(&hive, &lab2, &format!("/lab3/financial/balance/{ALICE}")).await.ok();
    get_as(&hive, &lab2, &format!("/lab3/financial/balance/{BOB}")).await.refused(403, "L3-0036", None);
    let left = hive.engine.read(|desk| desk.state.trust.left_today(2, desk.now)).await.unwrap();
    assert_eq!(left, Some(Amount::new(25_000)));
}

#[tokio::test]
async fn keys_are_replaced_and_revoked() {
    let hive = Hive::new();
    let operator = make(&hive, None, json!({ "kind": "operator" })).await;
    let auditor = make(&hive, Some(&operator), json!({ "kind": "auditor", "expires_at": "2025-11-30T00:00:00Z" })).await;
    let pool = "/lab3/financial/pool";
    get_as(&hive, &auditor, pool).await.ok();
    let rotated = post_as(&hive, &operator, "/lab3/keys/2/rotate", &json!({ "overlap_seconds": 60 })).await;
    let next = shown(&rotated);
    get_as(&hive, &auditor, pool).await.ok();
    get_as(&hive, &next, pool).await.ok();
    hive.pass(61).await;
    get_as(&hive, &auditor, pool).await.refused(401, "L3-0035", Some("Authorization"));
    get_as(&hive, &next, pool).await.ok();
    post_as(&hive, &next, "/lab3/keys/1/revoke", &json!({})).await.refused(403, "L3-0036", None);
    post_as(&hive, &operator, "/lab3/keys/3/revoke", &json!({ "reason": "lost" })).await.ok();
    get_as(&hive, &next, pool).await.refused(401, "L3-0035", Some("Authorization"));
    post_as(&hive, &operator, "/lab3/keys/9/revoke", &json!({})).await.refused(404, "L3-0054", Some("number"));
    // A secret is shown once, a repeated request shows none.
    let keyed = [("Idempotency-Key", "k"), ("Authorization", &*format!("Bearer {operator}"))];
    let body = json!({ "kind": "auditor" }).to_string();
    let first = hive.post_text(KEYS, &keyed, body.clone()).await.ok();
    let again = hive.post_text(KEYS, &keyed, body).await.ok();
    assert!(first["key"].is_string() && again["key"].is_null() && first["number"] == again["number"], "{first} {again}");
}
