//! Proofs of balances: what the API refuses, and what an epoch's reply tells. What is proved is tested where there is a signer, in `tests/`.

use serde_json::json;

use crate::hive::{ALICE, BOB, Hive};

const CLOSE: &str = "/lab3/financial/epoch/close";

fn proof(citizen: &str, query: &str) -> String {
    format!("/lab3/financial/balance/{citizen}/proof{query}")
}

#[tokio::test]
async fn what_cannot_be_proved_is_refused_with_the_reason() {
    let hive = Hive::with_alice("12").await;
    hive.get(&proof(ALICE, "")).await.refused(404, "L3-0055", Some("epoch"));
    hive.post(CLOSE, &json!({})).await.ok();
    for epoch in ["2", "4294967295"] {
        let refused = hive.get(&proof(ALICE, &format!("?epoch={epoch}"))).await;
        refused.refused(404, "L3-0055", Some("epoch"));
        assert_eq!(refused.json()["detail"], format!("Epoch {epoch} is not closed; the last that is is 1."));
    }
    for query in ["?epoch=0", "?epoch=4294967296", "?epoch=", "?epoch=one", "?epoch=1&epoch=1", "?at=1"] {
        let (status, code, _) = hive.get(&proof(ALICE, query)).await.problem();
        assert_eq!((status, &*code), (400, "L3-0010"), "{query}");
    }
    hive.get(&proof("alice", "")).await.refused(400, "L3-0008", Some("citizen_did"));
    let refused = hive.get(&proof(BOB, "?epoch=1")).await;
    refused.refused(404, "L3-0056", Some("citizen_did"));
    assert_eq!(refused.json()["detail"], "did:kaizen:bob had no wallet when epoch 1 was closed, and so no balance.");
    // All is there but the signature.
    hive.get(&proof(ALICE, "")).await.refused(503, "L3-0098", None);
}

#[tokio::test]
async fn a_closed_epoch_tells_its_root() {
    let hive = Hive::with_alice("12").await;
    let close = json!({ "epoch": 1 });
    let reply = hive.post_keyed(CLOSE, "first", &close).await;
    let told = reply.ok();
    let root = told["balances_root"].as_str().unwrap();
    assert_eq!((&told["accounts"], root.len()), (&json!(4), 64));
    assert!(root.bytes().all(|digit| digit.is_ascii_hexdigit() && !digit.is_ascii_uppercase()));
    hive.mint(BOB, "1").await;
    assert_eq!(hive.post_keyed(CLOSE, "first", &close).await.body, reply.body);
    let next = hive.post(CLOSE, &json!({})).await.ok();
    assert_ne!(next["balances_root"], root);
    assert_eq!(next["accounts"], 5);
}
