//! Allocations: explained, settled, released, expired, reported late; quotas that run out.

use lab3_engine::Policy;
use lab3_server::ServerSettings;
use lab3_units::Amount;
use serde_json::{Value, json};

use crate::hive::{ALICE, BOB, Hive, Reply};

const ALLOCATE: &str = "/lab3/compute/allocate";
const REPORT: &str = "/lab3/compute/report_usage";

async fn allocate(hive: &Hive, tokens: u64, provider: &str) -> Value {
    hive.post(ALLOCATE, &json!({ "citizen_did": ALICE, "query_tokens": tokens, "preferred_provider": provider })).await.ok()
}

fn report(allocation: &Value, cost: &str) -> Value {
    json!({
        "citizen_did": ALICE, "provider": allocation["provider"], "actual_cost": cost, "success": true,
        "allocation_id": allocation["allocation_id"]
    })
}

async fn state(hive: &Hive, allocation: &Value) -> Value {
    hive.get(&format!("/lab3/compute/allocations/{}", allocation["allocation_id"].as_str().unwrap())).await.ok()
}

async fn release(hive: &Hive, allocation: &Value) -> Reply {
    let path = format!("/lab3/compute/allocations/{}/release", allocation["allocation_id"].as_str().unwrap());
    hive.post_text(&path, &[], "").await
}

async fn quota(hive: &Hive) -> [String; 3] {
    let quota = hive.get("/lab3/compute/quota/did:kaizen:alice").await.ok();
    ["quota_remaining_gic", "held_gic", "used_gic"].map(|name| quota[name].to_string())
}

#[tokio::test]
async fn a_choice_explains_itself() {
    let hive = Hive::new();
    let request = json!({ "citizen_did": ALICE, "query_tokens": 5000, "min_quality": 0.9, "explain": true, "dry_run": true });
    let reply = hive.post(ALLOCATE, &request).await.ok();
    let lines = reply["providers"].as_array().unwrap();
    assert_eq!(lines.len(), 5);
    let line = |name: &str| lines.iter().find(|line| line["provider"] == name).unwrap();
    let excluded = line("deepseek");
    assert_eq!((&excluded["eligible"], &excluded["excluded_by"]), (&json!(false), &json!("quality")));
    assert_eq!((&excluded["score"], &excluded["terms"]), (&json!(null), &json!(null)));
    let chosen = line(reply["provider"].as_str().unwrap());
    assert_eq!((&chosen["eligible"], &chosen["excluded_by"]), (&json!(true), &json!(null)));
    let terms = chosen["terms"].as_object().unwrap().values().map(|term| term.as_f64().unwrap()).sum::<f64>();
    assert!((terms - chosen["score"].as_f64().unwrap()).abs() < 1e-9, "the terms add up to the score");
    assert_eq!(chosen["cost_gic"], reply["estimated_cost_gic"]);
    let unexplained = hive.post(ALLOCATE, &json!({ "citizen_did": ALICE, "query_tokens": 5000 })).await.ok();
    assert_eq!(unexplained.get("providers"), None);
}

#[tokio::test]
async fn an_allocation_is_held_then_settled() {
    let hive = Hive::new();
    let allocation = allocate(&hive, 5000, "claude").await;
    assert_eq!(quota(&hive).await, ["99.925", "0.075", "0.0"]);
    let open = state(&hive, &allocation).await;
    let expected = json!({
        "allocation_id": allocation["allocation_id"], "citizen_did": ALICE, "provider": "anthropic_claude", "state": "open",
        "query_tokens": 5000, "estimated_cost_gic": 0.075, "charged_gic": null, "overrun_gic": null,
        "allocated_at": "2025-10-31T14:30:00Z", "expires_at": "2025-10-31T14:45:00Z", "ended_at": null,
        "reason": allocation["reason"], "deferral": null, "energy": null, "sequence": 2
    });
    assert_eq!(open, expected);
    hive.pass(2).await;
    hive.post(REPORT, &report(&allocation, "0.078")).await.ok();
    assert_eq!(quota(&hive).await, ["99.922", "0.0", "0.078"]);
    let settled = state(&hive, &allocation).await;
    assert_eq!((&settled["state"], settled["charged_gic"].to_string()), (&json!("settled"), "0.078".to_owned()));
    assert_eq!((&settled["ended_at"], &settled["sequence"]), (&json!("2025-10-31T14:30:02Z"), &json!(2)));
    release(&hive, &allocation).await.refused(409, "L3-0061", Some("allocation_id"));
}

#[tokio::test]
async fn a_report_counts_once() {
    let hive = Hive::new();
    let allocation = allocate(&hive, 5000, "claude").await;
    let body = report(&allocation, "0.078");
    let first = hive.post(REPORT, &body).await;
    first.ok();
    // Without a key, with one, with another: the same allocation is settled once.
    for key in [None, Some("k"), Some("l")] {
        let headers = key.map(|key| ("Idempotency-Key", key));
        let again = hive.post_text(REPORT, headers.as_slice(), body.to_string()).await;
        assert_eq!((again.text(), again.header("idempotency-replayed")), (first.text(), Some("true")));
    }
    assert_eq!(quota(&hive).await, ["99.922", "0.0", "0.078"]);
    assert_eq!(hive.get("/lab3/compute/stats").await.ok()["queries_this_month"], 1);
}

#[tokio::test]
async fn a_report_must_fit_its_allocation() {
    let hive = Hive::new();
    let allocation = allocate(&hive, 5000, "claude").await;
    let mut body = report(&allocation, "0.078");
    body["provider"] = json!("openai");
    hive.post(REPORT, &body).await.refused(409, "L3-0063", Some("provider"));
    body["provider"] = json!("claude");
    body["citizen_did"] = json!(BOB);
    hive.post(REPORT, &body).await.refused(409, "L3-0063", Some("citizen_did"));
    body["allocation_id"] = json!("al_06f2x1w0v7r9h3kz8q5d4c2bgm");
    hive.post(REPORT, &body).await.refused(404, "L3-0051", Some("allocation_id"));
    let unknown = json!({ "citizen_did": ALICE, "provider": "hal9000", "actual_cost": 1, "success": true });
    hive.post(REPORT, &unknown).await.refused(422, "L3-0071", Some("provider"));
    assert_eq!(quota(&hive).await, ["99.925", "0.075", "0.0"]);
}

#[tokio::test]
async fn an_allocation_expires_and_may_be_reported_late() {
    let hive = Hive::new();
    let (late, never) = (allocate(&hive, 5000, "claude").await, allocate(&hive, 5000, "claude").await);
    hive.pass(899).await;
    assert_eq!(state(&hive, &late).await["state"], "open");
    hive.pass(1).await;
    for allocation in [&late, &never] {
        let expired = state(&hive, allocation).await;
        assert_eq!((&expired["state"], expired["charged_gic"].to_string()), (&json!("expired"), "0.0".to_owned()));
        assert_eq!(expired["ended_at"], "2025-10-31T14:45:00Z");
    }
    assert_eq!(quota(&hive).await, ["100.0", "0.0", "0.0"]);
    release(&hive, &never).await.refused(409, "L3-0061", Some("allocation_id"));
    let reply = hive.post(REPORT, &report(&late, "0.078")).await;
    assert_eq!(reply.ok()["charged_gic"].to_string(), "0.078");
    assert_eq!(hive.post(REPORT, &report(&late, "0.078")).await.text(), reply.text(), "late reports count once too");
    assert_eq!(quota(&hive).await, ["99.922", "0.0", "0.078"]);
    let reported = state(&hive, &late).await;
    assert_eq!((&reported["state"], reported["charged_gic"].to_string()), (&json!("expired"), "0.078".to_owned()));
}

#[tokio::test]
async fn an_allocation_can_be_given_back() {
    let hive = Hive::new();
    let allocation = allocate(&hive, 5000, "claude").await;
    let reply = release(&hive, &allocation).await.ok();
    let expected = json!({
        "allocation_id": allocation["allocation_id"], "state": "released", "released_gic": 0.075, "quota_remaining": 100.0, "sequence": 3
    });
    assert_eq!(reply, expected);
    assert_eq!(state(&hive, &allocation).await["state"], "released");
    release(&hive, &allocation).await.refused(409, "L3-0061", Some("allocation_id"));
    hive.post(REPORT, &report(&allocation, "0.078")).await.refused(409, "L3-0061", Some("allocation_id"));
    let unknown = "/lab3/compute/allocations/al_06f2x1w0v7r9h3kz8q5d4c2bgm";
    hive.get(unknown).await.refused(404, "L3-0051", Some("allocation_id"));
    hive.post_text(&format!("{unknown}/release"), &[], "").await.refused(404, "L3-0051", Some("allocation_id"));
}

#[tokio::test]
async fn a_failed_query_costs_nothing() {
    let hive = Hive::new();
    let allocation = allocate(&hive, 5000, "claude").await;
    let mut body = report(&allocation, "0.078");
    body["success"] = json!(false);
    assert_eq!(hive.post(REPORT, &body).await.ok()["charged_gic"].to_string(), "0.0");
    assert_eq!(quota(&hive).await, ["100.0", "0.0", "0.0"]);
}

#[tokio::test]
async fn the_hive_pays_what_the_citizen_cannot() {
    let mut policy = Policy::default();
    policy.compute.quota = Amount::new(100_000);
    let hive = Hive::with(policy.clone(), ServerSettings::default());
    let allocation = allocate(&hive, 5000, "claude").await;
    let reply = hive.post(REPORT, &report(&allocation, "0.15")).await.ok();
    let told = ["charged_gic", "overrun_gic", "hive_paid_gic", "quota_remaining"].map(|name| reply[name].to_string());
    assert_eq!(told, ["0.1", "0.05", "0.05", "0.0"]);
    let fallback = hive.post(ALLOCATE, &json!({ "citizen_did": ALICE, "query_tokens": 5000 })).await.ok();
    assert_eq!((&fallback["provider"], &fallback["fallback_provider"]), (&json!("local_llama"), &json!(null)));
    assert_eq!((fallback["estimated_cost_gic"].to_string(), fallback["quota_remaining"].to_string()), ("0.0005".into(), "0.0".into()));
    let settled = hive.post(REPORT, &report(&fallback, "0.0005")).await.ok();
    assert_eq!((settled["charged_gic"].to_string(), settled["hive_paid_gic"].to_string()), ("0.0".into(), "0.0005".into()));
    policy.compute.fallback = None;
    let strict = Hive::with(policy, ServerSettings::default());
    let all = json!({ "citizen_did": ALICE, "provider": "claude", "actual_cost": 0.1, "success": true });
    strict.post(REPORT, &all).await.ok();
    strict.post(ALLOCATE, &json!({ "citizen_did": ALICE, "query_tokens": 5000 })).await.refused(402, "L3-0042", None);
}

#[tokio::test]
async fn what_no_provider_can_do_is_said() {
    let hive = Hive::new();
    let ask = |more: Value| {
        let mut body = json!({ "citizen_did": ALICE, "query_tokens": 5000 });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    hive.post(ALLOCATE, &ask(json!({ "min_quality": 0.99 }))).await.refused(422, "L3-0070", Some("min_quality"));
    hive.post(ALLOCATE, &ask(json!({ "query_tokens": 5_000_000 }))).await.refused(422, "L3-0070", Some("query_tokens"));
    hive.post(ALLOCATE, &ask(json!({ "preferred_provider": "hal9000" }))).await.refused(422, "L3-0071", Some("preferred_provider"));
    let dry = hive.post(ALLOCATE, &ask(json!({ "min_quality": 0.99, "dry_run": true }))).await;
    dry.refused(422, "L3-0070", Some("min_quality"));
}

#[tokio::test]
async fn a_citizen_has_so_many_allocations_open() {
    let mut policy = Policy::default();
    policy.compute.open_max = 2;
    let hive = Hive::with(policy, ServerSettings::default());
    allocate(&hive, 10, "claude").await;
    allocate(&hive, 10, "claude").await;
    let third = json!({ "citizen_did": ALICE, "query_tokens": 10 });
    hive.post_keyed(ALLOCATE, "third", &third).await.refused(429, "L3-0080", Some("citizen_did"));
    hive.pass(900).await;
    hive.post_keyed(ALLOCATE, "third", &third).await.ok();
}

#[tokio::test]
async fn stats_count_what_was_used() {
    let hive = Hive::new();
    for cost in ["0.1", "0.05", "0.03"] {
        let allocation = allocate(&hive, 5000, "claude").await;
        let mut body = report(&allocation, cost);
        body["latency_ms"] = json!(500);
        hive.post(REPORT, &body).await.ok();
    }
    allocate(&hive, 5000, "claude").await;
    let stats = hive.get("/lab3/compute/stats").await.ok();
    let told =
        ["total_allocations", "open_allocations", "queries_this_month", "total_cost_this_month", "avg_cost_per_query", "active_citizens"];
    assert_eq!(told.map(|name| stats[name].to_string()), ["4", "1", "3", "0.18", "0.06", "1"]);
    let claude = &stats["providers"]["anthropic_claude"];
    assert_eq!((&claude["state"], &claude["queries"], claude["cost_gic"].to_string()), (&json!("closed"), &json!(3), "0.18".into()));
    assert!(claude["latency_ms_p50"].as_u64().unwrap().abs_diff(500) < 100, "{claude}");
    assert_eq!(stats["providers"]["deepseek"]["latency_ms_p50"], json!(null));
}

#[tokio::test]
async fn a_failing_providers_circuit_opens() {
    let hive = Hive::new();
    for _ in 0..20 {
        let body = json!({ "citizen_did": ALICE, "provider": "claude", "actual_cost": 0, "success": false });
        hive.post(REPORT, &body).await.ok();
    }
    let stats = hive.get("/lab3/compute/stats").await.ok();
    assert_eq!(stats["providers"]["anthropic_claude"]["state"], "open");
    assert_eq!(stats["provider_health"]["anthropic_claude"].to_string(), "0.0");
    let request = json!({ "citizen_did": ALICE, "query_tokens": 10, "explain": true, "preferred_provider": "claude" });
    let reply = hive.post(ALLOCATE, &request).await.ok();
    assert_eq!(reply["providers"][0]["excluded_by"], "circuit_open");
    let providers = hive.get("/lab3/compute/providers").await.ok();
    assert_eq!(providers["providers"][0]["state"], "open");
}

#[tokio::test]
async fn providers_are_listed_as_the_specification_has_them() {
    let hive = Hive::new();
    let reply = hive.get("/lab3/compute/providers").await.ok();
    let told = reply["providers"].as_array().unwrap().iter().map(|provider| {
        let names = ["name", "cost_gic_per_1k", "latency_ms", "quality", "reliability", "context_tokens_max"];
        names.map(|name| provider[name].to_string()).join(" ")
    });
    let expected = [
        "\"anthropic_claude\" 0.015 600 0.97 0.99 200000",
        "\"openai_gpt4\" 0.01 800 0.95 0.98 128000",
        "\"google_gemini\" 0.008 700 0.92 0.97 1000000",
        "\"deepseek\" 0.002 1200 0.88 0.95 64000",
        "\"local_llama\" 0.0001 2500 0.80 0.99 32000",
    ];
    assert_eq!(told.map(|text| text.replace("0.80 ", "0.8 ")).collect::<Vec<_>>(), expected.map(|text| text.replace("0.80 ", "0.8 ")));
    assert_eq!(reply["providers"][0]["aliases"], json!(["anthropic", "claude"]));
}
