//! `lab3 audit` and the verifier in Python against a running desk: an honest Hive passes both, first and again, open and closed, with
//! payments that members signed; a Hive that shows another past than last time passes neither.
//!
//! It fails when an honest record is called a fault, when the two verdicts differ, or when a changed past is not noticed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "outside of #[test] functions clippy does not see that this is a test"
)]

use lab3_tests::auditors::{audit, check, signed};
use lab3_tests::{Desk, Folder, binary};
use serde_json::json;

#[test]
fn an_honest_hive_passes_every_time() {
    let folder = Folder::new("audited");
    let desk = Desk::open(&folder.at("data"));
    let client = desk.client();
    client.mint("did:kaizen:alice", 100);
    let pay = json!({ "from_did": "did:kaizen:alice", "to_did": "did:kaizen:bob", "amount": 5, "reason": "tea" });
    client.write("/lab3/financial/transfer", None, &pay);
    let opened = client.write("/lab3/compute/allocate", None, &json!({ "citizen_did": "did:kaizen:alice", "query_tokens": 5000 }));
    let report = json!({ "citizen_did": "did:kaizen:alice", "provider": opened["provider"], "actual_cost": 0.001, "success": true,
                         "allocation_id": opened["allocation_id"] });
    client.write("/lab3/compute/report_usage", None, &report);
    check(&desk, &folder, "", true);
    // A member with a key of her own, and money.
    let wallet = folder.at("wallet.pem");
    let made = binary::succeed(&["wallet", "new", "--file", &wallet, "--json"]);
    let member = serde_json::from_str::<serde_json::Value>(&made).unwrap()["did"].as_str().unwrap().to_owned();
    client.mint(&member, 50);
    let operator = client.write("/lab3/keys", None, &json!({ "kind": "operator" }))["key"].as_str().unwrap().to_owned();
    let url = desk.url();
    let sent =
        binary::command(&["wallet", "transfer", &member, "did:kaizen:bob", "2.5", "--reason", "bread", "--file", &wallet, "--url", &url])
            .output()
            .unwrap();
    assert!(sent.status.success(), "{}", binary::text(&sent.stderr));
    // Closed now: records are for who has a key.
    check(&desk, &folder, &operator, true);
    let nobody = audit(&desk, &folder, "");
    assert!(!nobody.status.success() && binary::text(&nobody.stderr).contains("LAB3_KEY"), "{}", binary::text(&nobody.stderr));
    let desk = {
        desk.stop();
        Desk::open(&folder.at("data"))
    };
    check(&desk, &folder, &operator, true);
}

#[test]
fn another_past_than_last_time_passes_no_auditor() {
    let folder = Folder::new("two-pasts");
    let (data, backup) = (folder.at("data"), folder.at("backup"));
    let desk = Desk::open(&data);
    desk.client().mint("did:kaizen:alice", 100);
    signed(&desk);
    binary::succeed(&["backup", "--data", &data, &backup]);
    // A dishonest operator keeps the signer's folder as it was, too.
    let signer = |from: &str, to: &str| {
        std::fs::create_dir_all(to).unwrap();
        for file in ["log.key", "checkpoint"] {
            std::fs::copy(format!("{from}/{file}"), format!("{to}/{file}")).unwrap();
        }
    };
    signer(&format!("{data}.signer"), &format!("{backup}.signer"));
    desk.client().mint("did:kaizen:bob", 7);
    check(&desk, &folder, "", true);
    desk.stop();
    let other = Desk::open(&backup);
    for _ in 0..3 {
        other.client().mint("did:kaizen:mallory", 7);
    }
    check(&other, &folder, "", false);
}
