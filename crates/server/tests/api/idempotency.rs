//! Asking twice: the same key with the same body gives the same reply; with anything else, 409 and nothing changes.

use serde_json::{Value, json};

use crate::hive::{ALICE, BOB, Hive, Reply};

const TRANSFER: &str = "/lab3/financial/transfer";
const TRANSFERS: &str = "/lab3/financial/transfers";

fn transfer(amount: &str) -> Value {
    json!({ "from_did": ALICE, "to_did": BOB, "amount": amount })
}

/// The reply is the one that was given before, to the byte, and says so.
#[track_caller]
fn check_replayed(again: &Reply, first: &Reply) {
    assert_eq!((again.status, again.text()), (200, first.text()));
    assert_eq!((first.header("idempotency-replayed"), again.header("idempotency-replayed")), (None, Some("true")));
}

#[tokio::test]
async fn every_command_may_be_repeated() {
    let hive = Hive::with_alice("100").await;
    let allocate = json!({ "citizen_did": ALICE, "query_tokens": 5000, "explain": true });
    let allocation = hive.post_keyed("/lab3/compute/allocate", "for release", &allocate).await;
    allocation.refused(400, "L3-0009", Some("Idempotency-Key"));
    let allocation = hive.post_keyed("/lab3/compute/allocate", "for-release", &allocate).await.ok();
    let release = format!("/lab3/compute/allocations/{}/release", allocation["allocation_id"].as_str().unwrap());
    for (path, body) in [
        ("/lab3/compute/allocate", allocate),
        ("/lab3/compute/report_usage", json!({ "citizen_did": ALICE, "provider": "claude", "actual_cost": 0.5, "success": true })),
        (&release, json!({})),
        (TRANSFER, transfer("1")),
        (TRANSFERS, json!({ "transfers": [transfer("1"), transfer("1000"), transfer("2")] })),
        (TRANSFERS, json!({ "transfers": [transfer("1"), transfer("2")], "atomic": true })),
        ("/lab3/financial/grant", json!({ "recipient_did": BOB, "amount": 7, "project": "Solar" })),
        ("/lab3/financial/contribute", json!({ "from_did": ALICE, "amount": 2 })),
        ("/lab3/financial/mint", json!({ "to_did": BOB, "amount": 2, "reason": "test" })),
        ("/lab3/financial/epoch/close", json!({})),
    ] {
        let key = format!("key-of-{path}-{}", body.to_string().len());
        let first = hive.post_keyed(path, &key, &body).await;
        first.ok();
        let after = hive.state_hash().await;
        check_replayed(&hive.post_keyed(path, &key, &body).await, &first);
        check_replayed(&hive.post_text(path, &[("Idempotency-Key", &key)], body.to_string()).await, &first);
        // The same meaning in other bytes is another body.
        let other = format!("{body} ");
        hive.post_text(path, &[("Idempotency-Key", &key)], other).await.refused(409, "L3-0060", None);
        let elsewhere = if path == TRANSFER { "/lab3/financial/contribute" } else { TRANSFER };
        let other = if path == TRANSFER { json!({ "from_did": ALICE, "amount": 1 }) } else { transfer("1") };
        hive.post_keyed(elsewhere, &key, &other).await.refused(409, "L3-0060", None);
        assert_eq!(hive.state_hash().await, after, "{path}");
    }
}

#[tokio::test]
async fn the_same_body_on_another_path_is_another_request() {
    let hive = Hive::new();
    let mut paths = Vec::new();
    for _ in 0..2 {
        let allocation = hive.post("/lab3/compute/allocate", &json!({ "citizen_did": ALICE, "query_tokens": 10 })).await.ok();
        paths.push(format!("/lab3/compute/allocations/{}/release", allocation["allocation_id"].as_str().unwrap()));
    }
    let first = hive.post_keyed(&paths[0], "k", &json!({})).await;
    first.ok();
    hive.post_keyed(&paths[1], "k", &json!({})).await.refused(409, "L3-0060", None);
    check_replayed(&hive.post_keyed(&paths[0], "k", &json!({})).await, &first);
}

#[tokio::test]
async fn a_refusal_by_a_rule_pins_its_key() {
    let hive = Hive::with_alice("10").await;
    for (path, body, status, code, field) in [
        (TRANSFER, transfer("50000"), 402, "L3-0040", Some("amount")),
        (TRANSFER, json!({ "from_did": ALICE, "to_did": ALICE, "amount": 1 }), 422, "L3-0072", Some("to_did")),
        (
            TRANSFERS,
            json!({ "transfers": [transfer("1"), transfer("50000")], "atomic": true }),
            402,
            "L3-0040",
            Some("transfers[1].amount"),
        ),
        ("/lab3/financial/grant", json!({ "recipient_did": BOB, "amount": 70000, "project": "Solar" }), 402, "L3-0041", Some("amount")),
        ("/lab3/financial/epoch/close", json!({ "epoch": 7 }), 409, "L3-0062", Some("epoch")),
        (
            "/lab3/compute/allocate",
            json!({ "citizen_did": ALICE, "query_tokens": 5, "min_quality": 1 }),
            422,
            "L3-0070",
            Some("min_quality"),
        ),
    ] {
        let key = format!("pinned-{code}-{}", body.to_string().len());
        let first = hive.post_keyed(path, &key, &body).await;
        first.refused(status, code, field);
        hive.mint(ALICE, "100").await;
        let again = hive.post_keyed(path, &key, &body).await;
        assert_eq!((again.status, again.text()), (first.status, first.text()), "the refusal is pinned");
        let other = format!("{body} ");
        hive.post_text(path, &[("Idempotency-Key", &key)], other).await.refused(409, "L3-0060", None);
    }
}

#[tokio::test]
async fn other_refusals_do_not() {
    let hive = Hive::with_alice("10").await;
    hive.post_keyed(TRANSFER, "a", &json!({ "from_did": ALICE, "to_did": BOB, "amount": -1 })).await.refused(
        400,
        "L3-0006",
        Some("amount"),
    );
    hive.post_text(TRANSFER, &[("Idempotency-Key", "a"), ("Content-Type", "text/plain")], "{}").await.refused(415, "L3-0011", None);
    let first = hive.post_keyed(TRANSFER, "a", &transfer("1")).await;
    assert_eq!(first.header("idempotency-replayed"), None);
    first.ok();
}

#[tokio::test]
async fn keys_are_visible_ascii_and_stand_once() {
    let hive = Hive::with_alice("10").await;
    let longest = "k".repeat(255);
    hive.post_keyed(TRANSFER, &longest, &transfer("1")).await.ok();
    let too_long = "k".repeat(256);
    for bad in ["", " ", "a b", "\t", "é", &too_long] {
        hive.post_keyed(TRANSFER, bad, &transfer("1")).await.refused(400, "L3-0009", Some("Idempotency-Key"));
    }
    let twice = [("Idempotency-Key", "a"), ("Idempotency-Key", "a")];
    hive.post_text(TRANSFER, &twice, transfer("1").to_string()).await.refused(400, "L3-0009", Some("Idempotency-Key"));
}

#[tokio::test]
async fn an_item_of_a_batch_may_have_a_key_of_its_own() {
    let hive = Hive::with_alice("100").await;
    let item = |id: &str, amount: &str| json!({ "id": id, "from_did": ALICE, "to_did": BOB, "amount": amount });
    let first = hive.post(TRANSFERS, &json!({ "transfers": [item("a", "1"), item("b", "2")] })).await.ok();
    assert_eq!((&first["accepted"], &first["rejected"]), (&json!(2), &json!(0)));
    // One known item, one new, one known under another amount: each answers for itself.
    let second = hive.post(TRANSFERS, &json!({ "transfers": [item("b", "2"), item("c", "3"), item("a", "9")] })).await;
    assert_eq!(second.header("idempotency-replayed"), None);
    let second = second.ok();
    assert_eq!(second["results"][0], first["results"][1]);
    assert_eq!(second["results"][1]["status"], "ok");
    assert_eq!((&second["results"][2]["status"], &second["results"][2]["code"]), (&json!("rejected"), &json!("L3-0060")));
    assert_eq!((&second["accepted"], &second["rejected"]), (&json!(2), &json!(1)));
    assert_eq!(hive.balance(BOB).await, "6.0");
    // A refusal by a rule pins an item's key too.
    let poor = json!({ "transfers": [item("d", "1000")] });
    let refused = hive.post(TRANSFERS, &poor).await.ok();
    hive.mint(ALICE, "10000").await;
    assert_eq!(hive.post(TRANSFERS, &poor).await.ok(), refused);
    assert_eq!((&refused["results"][0]["code"], &refused["results"][0]["field"]), (&json!("L3-0040"), &json!("amount")));
}

#[tokio::test]
async fn an_item_of_a_linked_batch_may_have_a_key_of_its_own() {
    let hive = Hive::with_alice("100").await;
    let item = |id: &str, amount: &str| json!({ "id": id, "from_did": ALICE, "to_did": BOB, "amount": amount });
    let body = json!({ "transfers": [item("a", "1"), transfer("4"), item("b", "2")], "atomic": true });
    let first = hive.post(TRANSFERS, &body).await;
    assert_eq!(first.ok()["accepted"], 3);
    check_replayed(&hive.post(TRANSFERS, &body).await, &first);
    let changed = json!({ "transfers": [item("a", "1"), transfer("4"), item("b", "3")], "atomic": true });
    hive.post(TRANSFERS, &changed).await.refused(409, "L3-0060", None);
    assert_eq!(hive.balance(BOB).await, "7.0");
    let same_as_key = json!({ "transfers": [item("k", "1")], "atomic": true });
    hive.post_keyed(TRANSFERS, "k", &same_as_key).await.refused(400, "L3-0004", Some("transfers[0].id"));
}
