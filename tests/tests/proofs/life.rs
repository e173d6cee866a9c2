//! A journal of everything people do: transfers, batches, holds and their ends, grants, keys, freezes.

use lab3_tests::Client;
use lab3_tests::write::{ALLOCATE, CONTRIBUTE, GRANT, REPORT, TRANSFER, TRANSFERS, transfer};
use serde_json::{Value, json};

/// Transfers in one request.
const BATCH: u64 = 4000;

fn citizen(n: u64) -> String {
    format!("did:kaizen:c{}", n % 100)
}

/// Fills the journal with so many records and a few hundred more, and closes the Hive; gives the operator's key.
pub fn live(client: &Client, url: &str, records: u64) -> String {
    (0..100).for_each(|n| drop(client.mint(&citizen(n), 10_000)));
    let mut done = 0;
    while done < records {
        let items = (done..records.min(done + BATCH)).map(|n| transfer(&citizen(n), &citizen(n + 1 + n % 7), 100, "for bread"));
        let items = items.collect::<Vec<_>>();
        let told = client.write(TRANSFERS, Some(&format!("batch-{done}")), &json!({ "transfers": items }));
        assert_eq!(told["accepted"].as_u64(), u64::try_from(items.len()).ok(), "{}", told["rejected"]);
        done += BATCH;
        (0..20).for_each(|n| everyday(client, done + n));
    }
    close(url)
}

/// A hold that is settled or left open, a gift, a grant, a payment alone, a payment that is refused.
fn everyday(client: &Client, n: u64) {
    let asked = client.write(ALLOCATE, None, &json!({ "citizen_did": citizen(n), "query_tokens": 500 + n % 4000 }));
    if n.is_multiple_of(2) {
        let used = json!({ "citizen_did": citizen(n), "provider": asked["provider"], "actual_cost": 0.001, "success": true,
                           "allocation_id": asked["allocation_id"] });
        client.write(REPORT, None, &used);
    }
    match n % 4 {
        0 => drop(client.post(CONTRIBUTE, None, &json!({ "from_did": citizen(n), "amount": 0.5, "reason": "thanks" })).unwrap()),
        1 => {
            let grant = json!({ "recipient_did": citizen(n), "amount": 1, "project": "beds", "approved": true });
            drop(client.post(GRANT, None, &grant).unwrap());
        }
        2 => drop(client.write(TRANSFER, None, &transfer(&citizen(n), &citizen(n + 3), 1_000_000, "for cheese"))),
        _ => {
            let dear = transfer(&citizen(n), &citizen(n + 3), 900_000_000_000_000, "");
            assert_eq!(client.post(TRANSFER, Some(&format!("dear-{n}")), &dear).unwrap().status, 402);
        }
    }
}

/// Keys of every kind, rotations, a freeze.
fn close(url: &str) -> String {
    let made = acted(url, "", "keys", &json!({ "kind": "operator" }));
    let bearer = made["key"].as_str().unwrap().to_owned();
    for n in 0..20 {
        let auditor = acted(url, &bearer, "keys", &json!({ "kind": "auditor", "note": format!("auditor {n}") }));
        let number = auditor["number"].as_u64().unwrap();
        acted(url, &bearer, &format!("keys/{number}/rotate"), &json!({}));
        acted(url, &bearer, "members/freeze", &json!({ "citizen_did": citizen(n), "hours": 1, "reason": "her telephone was stolen" }));
        acted(url, &bearer, "members/thaw", &json!({ "citizen_did": citizen(n), "reason": "it was found" }));
    }
    bearer
}

fn acted(url: &str, bearer: &str, path: &str, body: &Value) -> Value {
    let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
    let mut request = agent.post(format!("{url}/lab3/{path}")).header("Content-Type", "application/json");
    if !bearer.is_empty() {
        request = request.header("Authorization", format!("Bearer {bearer}"));
    }
    let mut answer = request.send(body.to_string()).unwrap();
    let told: Value = serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
    assert_eq!(answer.status().as_u16(), 200, "POST {path}: {told}");
    told
}
