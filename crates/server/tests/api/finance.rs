//! Money: transfers one by one and many at once, contributions, new money, epochs, balances in the past.

use lab3_engine::Policy;
use lab3_finance::{Recipient, Share};
use lab3_server::ServerSettings;
use lab3_units::{Did, FeeRate};
use serde_json::{Value, json};

use crate::hive::{ALICE, BOB, Hive, NOW};

const TRANSFER: &str = "/lab3/financial/transfer";
const TRANSFERS: &str = "/lab3/financial/transfers";

fn transfer(from: &str, to: &str, amount: &str) -> Value {
    json!({ "from_did": from, "to_did": to, "amount": amount })
}

#[tokio::test]
async fn there_is_no_overdraft() {
    let hive = Hive::with_alice("12").await;
    let before = hive.state_hash().await;
    let refused = hive.post(TRANSFER, &transfer(ALICE, BOB, "50")).await;
    refused.refused(402, "L3-0040", Some("amount"));
    let words = "did:kaizen:alice needs 50.0005 MIC with the fee of 0.0005, has 12.0. Send less, or receive MIC first.";
    assert_eq!(refused.json()["detail"], words);
    hive.post(TRANSFER, &transfer(ALICE, BOB, "12")).await.refused(402, "L3-0040", Some("amount"));
    hive.post(TRANSFER, &transfer(BOB, ALICE, "0.000001")).await.refused(402, "L3-0040", Some("amount"));
    hive.post(TRANSFER, &transfer(ALICE, ALICE, "1")).await.refused(422, "L3-0072", Some("to_did"));
    assert_eq!(hive.state_hash().await, before);
}

#[tokio::test]
async fn many_transfers_stand_each_for_itself() {
    let hive = Hive::with_alice("10").await;
    let transfers = [
        transfer(ALICE, BOB, "6"),
        transfer(ALICE, BOB, "6"),
        transfer(BOB, BOB, "1"),
        json!({ "from_did": BOB, "to_did": ALICE, "amount": 1.5, "reason": "change" }),
    ];
    let reply = hive.post(TRANSFERS, &json!({ "transfers": transfers })).await.ok();
    assert_eq!((&reply["accepted"], &reply["rejected"]), (&json!(2), &json!(2)));
    let results = reply["results"].as_array().unwrap();
    let told = |at: usize, names: &[&str]| names.iter().map(|name| results[at][*name].to_string()).collect::<Vec<_>>().join(" ");
    assert_eq!(told(0, &["status", "type", "amount_gic", "fee_gic", "sequence"]), "\"ok\" \"transfer\" 6.0 0.00006 3");
    assert_eq!(told(1, &["status", "code", "field", "title"]), "\"rejected\" \"L3-0040\" \"amount\" \"Not enough MIC\"");
    assert_eq!(told(2, &["status", "code", "field"]), "\"rejected\" \"L3-0072\" \"to_did\"");
    assert_eq!(told(3, &["status", "amount_gic", "timestamp", "sequence"]), format!("\"ok\" 1.5 \"{NOW}\" 4"));
    assert_eq!((hive.balance(ALICE).await, hive.balance(BOB).await), ("5.49994".into(), "4.499985".into()));
}

#[tokio::test]
async fn linked_transfers_happen_all_or_none() {
    let hive = Hive::with_alice("10").await;
    let before = hive.state_hash().await;
    let mut body =
        json!({ "transfers": [transfer(ALICE, BOB, "6"), transfer(BOB, ALICE, "5"), transfer(ALICE, BOB, "60")], "atomic": true });
    hive.post(TRANSFERS, &body).await.refused(402, "L3-0040", Some("transfers[2].amount"));
    assert_eq!(hive.state_hash().await, before);
    body["transfers"][2]["to_did"] = json!(ALICE);
    hive.post(TRANSFERS, &body).await.refused(422, "L3-0072", Some("transfers[2].to_did"));
    assert_eq!(hive.state_hash().await, before);
    body["transfers"][2] = transfer(ALICE, BOB, "1");
    let reply = hive.post(TRANSFERS, &body).await.ok();
    let results = reply["results"].as_array().unwrap();
    assert_eq!((results.len(), &reply["accepted"]), (3, &json!(3)));
    let ids = results.iter().map(|result| result["tx_id"].as_str().unwrap()).collect::<std::collections::BTreeSet<_>>();
    assert_eq!(ids.len(), 3, "each has an id of its own");
    for (at, (result, amount)) in results.iter().zip(["6.0", "5.0", "1.0"]).enumerate() {
        assert_eq!((&result["sequence"], result["amount_gic"].to_string()), (&json!(3), amount.to_owned()));
        let path = format!("/lab3/financial/transactions/{}", result["tx_id"].as_str().unwrap());
        let found = hive.get(&path).await.ok();
        assert_eq!((found["amount_gic"].to_string(), &found["sequence"]), (amount.to_owned(), &json!(3)), "item {at}");
        let fee = hive.get(&format!("{path}_1")).await.ok();
        assert_eq!((&fee["type"], &fee["metadata"]["fee_of"]), (&json!("fee"), &result["tx_id"]));
        hive.get(&format!("{path}_2")).await.refused(404, "L3-0050", Some("tx_id"));
    }
    assert_eq!(hive.balance(BOB).await, "1.99995");
}

#[tokio::test]
async fn a_contribution_goes_to_the_pool() {
    let hive = Hive::with_alice("10").await;
    let reply = hive.post("/lab3/financial/contribute", &json!({ "from_did": ALICE, "amount": 2.5, "reason": "garden" })).await.ok();
    assert_eq!((&reply["type"], reply["pool_balance_gic"].to_string()), (&json!("contribution"), "50002.5".to_owned()));
    assert_eq!((&reply["timestamp"], &reply["sequence"]), (&json!(NOW), &json!(3)));
    hive.post("/lab3/financial/contribute", &json!({ "from_did": ALICE, "amount": 8 })).await.refused(402, "L3-0040", Some("amount"));
    assert_eq!(hive.get("/lab3/financial/pool").await.ok()["pool_balance_gic"].to_string(), "50002.5");
}

#[tokio::test]
async fn new_money_is_counted() {
    let hive = Hive::new();
    let reply = hive.post("/lab3/financial/mint", &json!({ "to_did": ALICE, "amount": 100, "reason": "founder" })).await.ok();
    assert_eq!((&reply["type"], reply["total_gic_supply"].to_string()), (&json!("mint"), "50100.0".to_owned()));
    let id = reply["tx_id"].as_str().unwrap();
    let found = hive.get(&format!("/lab3/financial/transactions/{id}")).await.ok();
    let expected = json!({
        "tx_id": id, "type": "mint", "from_did": "hive:issuance", "to_did": ALICE, "amount_gic": 100.0, "timestamp": NOW,
        "metadata": { "reason": "founder" }, "sequence": 2
    });
    assert_eq!(found, expected);
    let most = json!({ "to_did": ALICE, "amount": "999999999999", "reason": "too much" });
    for _ in 0..9 {
        hive.post("/lab3/financial/mint", &most).await.ok();
    }
    hive.post("/lab3/financial/mint", &most).await.refused(422, "L3-0073", Some("amount"));
}

#[tokio::test]
async fn closing_an_epoch_pays_its_rewards() {
    let mut policy = Policy::default();
    let share = |recipient, percent| Share { recipient, percent: FeeRate::from_percent(percent).unwrap() };
    let garden = Recipient::Did(Did::parse("did:kaizen:garden").unwrap());
    policy.finance.epoch_shares = vec![share(Recipient::Pool, "60"), share(Recipient::Reserve, "30"), share(garden, "10")];
    let hive = Hive::with(policy, ServerSettings::default());
    let reply = hive.post("/lab3/financial/epoch/close", &json!({ "epoch": 1 })).await.ok();
    assert_eq!((&reply["closed_epoch"], &reply["current_epoch"]), (&json!(1), &json!(2)));
    assert_eq!((reply["total_reward_gic"].to_string(), reply["total_gic_supply"].to_string()), ("1000.0".into(), "51000.0".into()));
    let rewards = reply["rewards"].as_array().unwrap();
    let told = rewards.iter().map(|reward| format!("{} {}", reward["recipient"].as_str().unwrap(), reward["amount_gic"]));
    assert_eq!(told.collect::<Vec<_>>(), ["hive:pool 600.0", "hive:reserve 300.0", "did:kaizen:garden 100.0"]);
    for reward in rewards {
        let found = hive.get(&format!("/lab3/financial/transactions/{}", reward["tx_id"].as_str().unwrap())).await.ok();
        assert_eq!((&found["type"], &found["to_did"]), (&json!("epoch_reward"), &reward["recipient"]));
    }
    hive.post("/lab3/financial/epoch/close", &json!({ "epoch": 1 })).await.refused(409, "L3-0062", Some("epoch"));
    // The body may be left out: whichever is current.
    let bare = hive.post_text("/lab3/financial/epoch/close", &[("Content-Type", "text/plain")], "").await.ok();
    assert_eq!(bare["closed_epoch"], 2);
    assert_eq!(hive.get("/lab3/financial/pool").await.ok()["current_epoch"], 3);
}

#[tokio::test]
async fn a_balance_can_be_asked_for_the_past() {
    let hive = Hive::with_alice("100").await;
    for _ in 0..3 {
        hive.post(TRANSFER, &transfer(ALICE, BOB, "10")).await.ok();
    }
    for (did, at, expected) in [
        (ALICE, 0, "0.0"),
        (ALICE, 1, "0.0"),
        (ALICE, 2, "100.0"),
        (ALICE, 3, "89.9999"),
        (ALICE, 5, "69.9997"),
        (BOB, 2, "0.0"),
        (BOB, 4, "20.0"),
        ("did:kaizen:nobody", 5, "0.0"),
    ] {
        let reply = hive.get(&format!("/lab3/financial/balance/{did}?at={at}")).await.ok();
        assert_eq!((reply["balance_gic"].to_string(), &reply["sequence"]), (expected.to_owned(), &json!(at)), "{did} at {at}");
    }
}

#[tokio::test]
async fn unknown_transactions_are_not_found() {
    let hive = Hive::with_alice("100").await;
    hive.get("/lab3/financial/transactions/tx_06f2x1w0v7r9h3kz8q5d4c2bgm").await.refused(404, "L3-0050", Some("tx_id"));
    // An allocation's record is no transaction, and neither is a refusal that pinned a key.
    let allocation = hive.post("/lab3/compute/allocate", &json!({ "citizen_did": ALICE, "query_tokens": 50 })).await.ok();
    let id = allocation["allocation_id"].as_str().unwrap().replace("al_", "tx_");
    hive.get(&format!("/lab3/financial/transactions/{id}")).await.refused(404, "L3-0050", Some("tx_id"));
}
