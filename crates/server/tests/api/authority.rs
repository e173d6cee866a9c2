//! Who may do what: the operator's calls, grants on a governed Hive.

use lab3_engine::Policy;
use lab3_finance::Grants;
use lab3_server::ServerSettings;
use serde_json::{Value, json};

use crate::hive::{ALICE, BOB, Hive, Reply};

const TOKEN: &str = "a-token-of-some-length";

fn hive(grants: Grants, token: Option<&str>, loopback: bool) -> Hive {
    let mut policy = Policy::default();
    policy.finance.grants = grants;
    let settings = ServerSettings { operator_token: token.map(str::to_owned), loopback, ..ServerSettings::default() };
    Hive::with(policy, settings)
}

async fn ask(hive: &Hive, path: &str, authorization: Option<&str>, body: &Value) -> Reply {
    let headers = authorization.map(|value| ("Authorization", value));
    hive.post_text(path, headers.as_slice(), body.to_string()).await
}

fn operators_calls() -> [(&'static str, Value); 2] {
    [("/lab3/financial/mint", json!({ "to_did": ALICE, "amount": 1, "reason": "test" })), ("/lab3/financial/epoch/close", json!({}))]
}

#[tokio::test]
async fn a_configured_token_is_needed() {
    let hive = hive(Grants::Open, Some(TOKEN), true);
    let right = format!("Bearer {TOKEN}");
    for (path, body) in operators_calls() {
        let before = hive.state_hash().await;
        let longer = format!("Bearer {TOKEN}x");
        for wrong in [None, Some(""), Some("Bearer"), Some("Bearer wrong"), Some(TOKEN), Some("Basic abc"), Some(&*longer)] {
            let refused = ask(&hive, path, wrong, &body).await;
            refused.refused(401, "L3-0030", Some("Authorization"));
            assert_eq!(refused.header("www-authenticate"), Some("Bearer"));
        }
        // Authority is asked for before the body is read.
        ask(&hive, path, None, &json!({ "nonsense": 1 })).await.refused(401, "L3-0030", Some("Authorization"));
        assert_eq!(hive.state_hash().await, before);
        ask(&hive, path, Some(&right), &body).await.ok();
        ask(&hive, path, Some(&right.replace("Bearer", "bearer")), &body).await.ok();
    }
}

#[tokio::test]
async fn without_a_token_only_loopback_is_trusted() {
    let (here, beyond) = (hive(Grants::Open, None, true), hive(Grants::Open, None, false));
    for (path, body) in operators_calls() {
        ask(&here, path, None, &body).await.ok();
        let before = beyond.state_hash().await;
        for authorization in [None, Some("Bearer guess")] {
            ask(&beyond, path, authorization, &body).await.refused(403, "L3-0031", None);
        }
        assert_eq!(beyond.state_hash().await, before);
    }
}

#[tokio::test]
async fn a_governed_hive_pays_only_approved_grants() {
    let grant = json!({ "recipient_did": BOB, "amount": 10, "project": "Solar" });
    let path = "/lab3/financial/grant";
    let governed = hive(Grants::Governed, Some(TOKEN), true);
    assert_eq!(governed.get("/lab3/financial/pool").await.ok()["grants"], "governed");
    let before = governed.state_hash().await;
    ask(&governed, path, None, &grant).await.refused(403, "L3-0032", None);
    ask(&governed, path, Some("Bearer wrong"), &grant).await.refused(401, "L3-0030", Some("Authorization"));
    assert_eq!(governed.state_hash().await, before);
    ask(&governed, path, Some(&format!("Bearer {TOKEN}")), &grant).await.ok();
    assert_eq!(governed.balance(BOB).await, "10.0");
    // Without a token nobody can approve, on loopback neither.
    let nobody = hive(Grants::Governed, None, true);
    ask(&nobody, path, Some("Bearer guess"), &grant).await.refused(403, "L3-0032", None);
    // A lack of authority does not use up a key.
    let keyed = [("Idempotency-Key", "g")];
    governed.post_text(path, &keyed, grant.to_string()).await.refused(403, "L3-0032", None);
    let token = format!("Bearer {TOKEN}");
    governed.post_text(path, &[keyed[0], ("Authorization", &token)], grant.to_string()).await.ok();
}

#[tokio::test]
async fn an_open_hive_pays_grants_to_whoever_asks() {
    let grant = json!({ "recipient_did": BOB, "amount": 10, "project": "Solar" });
    let open = hive(Grants::Open, None, false);
    ask(&open, "/lab3/financial/grant", None, &grant).await.ok();
    ask(&open, "/lab3/financial/grant", Some("Bearer whatever"), &grant).await.ok();
}

#[tokio::test]
async fn the_journal_tells_the_operator_from_others() {
    let hive = hive(Grants::Open, Some(TOKEN), true);
    let token = format!("Bearer {TOKEN}");
    ask(&hive, "/lab3/financial/mint", Some(&token), &json!({ "to_did": ALICE, "amount": 5, "reason": "test" })).await.ok();
    ask(&hive, "/lab3/financial/transfer", None, &json!({ "from_did": ALICE, "to_did": BOB, "amount": 1 })).await.ok();
    let records = hive.engine.records(vec![1, 2, 3]).await.unwrap();
    let actors = records.iter().map(|stored| format!("{:?}", stored.record.actor)).collect::<Vec<_>>();
    assert_eq!(actors, ["Engine", "Operator", "Open"]);
}
