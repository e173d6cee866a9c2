//! The past: transactions and allocations, page by page, both ways.

use lab3_compute::{Allocate, Priority};
use lab3_engine::{Actor, Command, Submission};
use lab3_units::{Did, Id};
use serde_json::{Value, json};

use crate::hive::{ALICE, BOB, Hive};

const CAROL: &str = "did:kaizen:carol";

async fn transfer(hive: &Hive, from: &str, to: &str, amount: &str) -> Value {
    hive.post("/lab3/financial/transfer", &json!({ "from_did": from, "to_did": to, "amount": amount })).await.ok()
}

/// Follows `next` to the end: each page's transactions as `type from>to amount`.
async fn pages(hive: &Hive, query: &str, cursor: &str) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut query = query.to_owned();
    loop {
        let page = hive.get(&format!("/lab3/financial/transactions?{query}")).await.ok();
        let told = |transaction: &Value| {
            let short = |name: &str| transaction[name].as_str().unwrap().rsplit(':').next().unwrap().to_owned();
            format!("{} {}>{} {}", short("type"), short("from_did"), short("to_did"), transaction["amount_gic"])
        };
        pages.push(page["transactions"].as_array().unwrap().iter().map(told).collect());
        match page["next"].as_str() {
            Some(next) => {
                let others = query.split('&').filter(|pair| !pair.starts_with(cursor)).collect::<Vec<_>>().join("&");
                query = format!("{others}&{cursor}={next}");
            }
            None => return pages,
        }
        assert!(pages.len() < 100, "pages without end");
    }
}

async fn busy() -> Hive {
    let hive = Hive::with_alice("100").await;
    for amount in ["1", "2", "3"] {
        transfer(&hive, ALICE, BOB, amount).await;
    }
    transfer(&hive, BOB, CAROL, "1.5").await;
    hive
}

#[tokio::test]
async fn a_statement_goes_back_page_by_page() {
    let hive = busy().await;
    let all = [
        "fee alice>pool 0.00003",
        "transfer alice>bob 3.0",
        "fee alice>pool 0.00002",
        "transfer alice>bob 2.0",
        "fee alice>pool 0.00001",
        "transfer alice>bob 1.0",
        "mint issuance>alice 100.0",
    ];
    let did = format!("did={ALICE}");
    assert_eq!(pages(&hive, &did, "before").await, [all]);
    // A page never splits a record: a transfer and its fee stay together.
    for limit in [1, 2] {
        let pages = pages(&hive, &format!("{did}&limit={limit}"), "before").await;
        assert_eq!(pages, [&all[..2], &all[2..4], &all[4..6], &all[6..]]);
    }
    let pages_of_three = pages(&hive, &format!("{did}&limit=3"), "before").await;
    assert_eq!(pages_of_three, [&all[..4], &all[4..]]);
    assert_eq!(pages(&hive, "did=did:kaizen:nobody", "before").await, [Vec::<String>::new()]);
    // Carol sees what she received, and not the fee bob paid for it.
    assert_eq!(pages(&hive, &format!("did={CAROL}"), "before").await, [["transfer bob>carol 1.5"]]);
}

#[tokio::test]
async fn a_follower_asks_what_came_since() {
    let hive = busy().await;
    let did = format!("did={BOB}");
    let all =
        ["transfer alice>bob 1.0", "transfer alice>bob 2.0", "transfer alice>bob 3.0", "transfer bob>carol 1.5", "fee bob>pool 0.000015"];
    assert_eq!(pages(&hive, &format!("{did}&since=0"), "since").await, [all]);
    assert_eq!(pages(&hive, &format!("{did}&since=4"), "since").await, [&all[2..]]);
    assert_eq!(pages(&hive, &format!("{did}&since=4&before=6"), "since").await, [&all[2..3]]);
    assert_eq!(pages(&hive, &format!("{did}&since=6"), "since").await, [Vec::<String>::new()]);
    assert_eq!(pages(&hive, &format!("{did}&since=999999"), "since").await, [Vec::<String>::new()]);
    let mut since = 0;
    let mut found = Vec::new();
    for _ in 0..4 {
        let page = hive.get(&format!("/lab3/financial/transactions?{did}&since={since}&limit=1")).await.ok();
        found.extend(page["transactions"].as_array().unwrap().iter().map(|transaction| transaction["sequence"].clone()));
        since = page["next"].as_str().map_or(since, |next| next.parse().unwrap());
    }
    assert_eq!(found, [3, 4, 5, 6, 6]);
    // What is written now is found by the next question.
    transfer(&hive, BOB, CAROL, "0.5").await;
    assert_eq!(pages(&hive, &format!("{did}&since=6"), "since").await, [["transfer bob>carol 0.5", "fee bob>pool 5e-6"]]);
}

#[tokio::test]
async fn everybodys_transactions_leave_out_other_records() {
    let hive = busy().await;
    for _ in 0..10 {
        hive.post("/lab3/compute/allocate", &json!({ "citizen_did": ALICE, "query_tokens": 50 })).await.ok();
    }
    hive.post("/lab3/financial/grant", &json!({ "recipient_did": CAROL, "amount": 4, "project": "Solar" })).await.ok();
    let newest_first = pages(&hive, "limit=3", "before").await.concat();
    assert_eq!(newest_first.len(), 1 + 2 * 4 + 2);
    assert_eq!((&*newest_first[0], &*newest_first[10]), ("grant pool>carol 4.0", "mint issuance>pool 50000.0"));
    let mut oldest_first = pages(&hive, "since=0&limit=3", "since").await.concat();
    oldest_first.reverse();
    assert_eq!(oldest_first, newest_first);
    let newest = hive.get("/lab3/financial/transactions?limit=1").await.ok();
    assert_eq!(newest["transactions"][0]["metadata"], json!({ "project": "Solar" }));
}

/// More records without transactions than are looked through for one page: the page is empty, and its cursor carries on.
#[tokio::test]
async fn a_page_looks_through_a_bounded_number_of_records() {
    let hive = Hive::with_alice("100").await;
    let allocate = |number: u32| {
        let allocate = Allocate {
            citizen: Did::parse(&format!("did:kaizen:c{}", number % 20)).unwrap(),
            tokens: 1,
            priority: Priority::Standard,
            min_quality: None,
            max_cost: None,
            preferred: None,
            explain: false,
        };
        let id = Id::from_bytes(u128::from(number).to_be_bytes());
        Submission::new(Actor::Open, None, id, Command::Allocate(allocate))
    };
    let outcomes = hive.engine.submit_batch(None, (0..6000).map(allocate).collect()).await.unwrap();
    assert!(outcomes.iter().all(Result::is_ok));
    transfer(&hive, ALICE, BOB, "1").await;
    for (query, cursor, expected) in [("limit=3", "before", [2, 2]), ("since=0&limit=3", "since", [2, 2])] {
        let found = pages(&hive, query, cursor).await;
        assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), expected, "{query}");
    }
    let page = hive.get("/lab3/financial/transactions?before=6003&limit=2").await.ok();
    assert_eq!(page["transactions"], json!([]), "nothing in the 5,000 records looked through");
    let next = page["next"].as_str().unwrap().parse::<u64>().unwrap();
    assert!((800..1200).contains(&next), "{next}");
}

#[tokio::test]
async fn a_linked_batch_stays_on_one_page() {
    let hive = Hive::with_alice("100").await;
    let items = (0..40).map(|_| json!({ "from_did": ALICE, "to_did": BOB, "amount": 1 })).collect::<Vec<_>>();
    hive.post("/lab3/financial/transfers", &json!({ "transfers": items, "atomic": true })).await.ok();
    transfer(&hive, BOB, ALICE, "1").await;
    let found = pages(&hive, &format!("did={BOB}&limit=5"), "before").await;
    assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [42]);
    let found = pages(&hive, &format!("did={BOB}&limit=2"), "before").await;
    assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [2, 40]);
}

#[tokio::test]
async fn allocations_are_listed_with_their_ends() {
    let hive = Hive::new();
    let path = format!("/lab3/compute/allocations?citizen_did={ALICE}");
    assert_eq!(hive.get(&path).await.ok(), json!({ "allocations": [], "next": null }));
    let allocate = |tokens: u64| json!({ "citizen_did": ALICE, "query_tokens": tokens, "preferred_provider": "claude" });
    let mut ids = Vec::new();
    for tokens in 1..=7 {
        let body = hive.post("/lab3/compute/allocate", &allocate(tokens * 1000)).await.ok();
        ids.push(body["allocation_id"].as_str().unwrap().to_owned());
        hive.post("/lab3/compute/allocate", &json!({ "citizen_did": BOB, "query_tokens": 10 })).await.ok();
    }
    hive.post(&format!("/lab3/compute/allocations/{}/release", ids[1]), &json!({})).await.ok();
    let report = |id: &str, success: bool| json!({ "citizen_did": ALICE, "provider": "claude", "actual_cost": 0.02, "success": success, "allocation_id": id });
    hive.post("/lab3/compute/report_usage", &report(&ids[2], true)).await.ok();
    hive.post("/lab3/compute/report_usage", &report(&ids[3], false)).await.ok();
    let states = |page: &Value| {
        let all = page["allocations"].as_array().unwrap().iter();
        all.map(|one| format!("{} {}", one["query_tokens"], one["state"].as_str().unwrap())).collect::<Vec<_>>()
    };
    let all = ["7000 open", "6000 open", "5000 open", "4000 released", "3000 settled", "2000 released", "1000 open"];
    assert_eq!(states(&hive.get(&path).await.ok()), all);
    let mut found = Vec::new();
    let mut next = String::new();
    for _ in 0..10 {
        let page = hive.get(&format!("{path}&limit=2{next}")).await.ok();
        found.extend(states(&page));
        match page["next"].as_str() {
            Some(cursor) => next = format!("&before={cursor}"),
            None => break,
        }
    }
    assert_eq!(found, all);
    let one = hive.get(&format!("/lab3/compute/allocations/{}", ids[2])).await.ok();
    assert_eq!(hive.get(&path).await.ok()["allocations"][4], one);
}
