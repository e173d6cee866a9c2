//! Every request and response of the specification, field for field, on the specification's day.

use serde_json::{Value, json};

use crate::hive::{ALICE, BOB, Hive, NOW};

/// The reply has these fields with these values, written with the same digits; what else it has is ours.
#[track_caller]
fn check_fields(reply: &Value, specified: &Value) {
    for (name, value) in specified.as_object().unwrap() {
        assert_eq!(reply.get(name).map(ToString::to_string), Some(value.to_string()), "{name} of {reply}");
    }
}

#[tokio::test]
async fn allocate() {
    let hive = Hive::new();
    let request = json!({
        "citizen_did": "did:kaizen:alice",
        "query_tokens": 5000,
        "priority": "quality_optimized",
        "min_quality": 0.90,
        "max_cost_gic": 0.10,
        "preferred_provider": null
    });
    let reply = hive.post("/lab3/compute/allocate", &request).await.ok();
    let specified = json!({
        "provider": "anthropic_claude",
        "estimated_cost_gic": 0.075,
        "estimated_latency_ms": 600,
        "quota_remaining": 99.925,
        "fallback_provider": "local_llama",
        "reason": "Quality score 0.97 meets min_quality 0.90"
    });
    check_fields(&reply, &specified);
    assert!(reply["allocation_id"].as_str().unwrap().starts_with("al_"));
    check_fields(&reply, &json!({ "expires_at": "2025-10-31T14:45:00Z", "dry_run": false, "sequence": 2 }));
}

#[tokio::test]
async fn report_usage() {
    let hive = Hive::new();
    let allocate = json!({
        "citizen_did": ALICE, "query_tokens": 5000, "priority": "quality_optimized", "min_quality": 0.90, "max_cost_gic": 0.10
    });
    let allocation = hive.post("/lab3/compute/allocate", &allocate).await.ok();
    let request = json!({
        "citizen_did": "did:kaizen:alice",
        "provider": "anthropic_claude",
        "actual_cost": 0.078,
        "success": true
    });
    let reply = hive.post("/lab3/compute/report_usage", &request).await.ok();
    let ours = json!({
        "ok": true,
        "allocation_id": allocation["allocation_id"],
        "charged_gic": 0.078,
        "overrun_gic": 0.0,
        "hive_paid_gic": 0.0,
        "quota_remaining": 99.922,
        "sequence": 3
    });
    assert_eq!(reply, ours);
}

#[tokio::test]
async fn quota() {
    let hive = Hive::new();
    let reply = hive.get("/lab3/compute/quota/did:kaizen:alice").await.ok();
    let expected = json!({
        "citizen_did": "did:kaizen:alice",
        "quota_remaining_gic": 100.0,
        "default_quota_gic": 100.0,
        "held_gic": 0.0,
        "used_gic": 0.0,
        "period": "2025-10",
        "resets_at": "2025-11-01T00:00:00Z"
    });
    assert_eq!(reply, expected);
}

#[tokio::test]
async fn stats() {
    let hive = Hive::new();
    let reply = hive.get("/lab3/compute/stats").await.ok();
    for name in ["total_allocations", "queries_this_month", "active_citizens"] {
        assert_eq!(reply[name], 0, "{name}");
    }
    check_fields(&reply, &json!({ "total_cost_this_month": 0.0, "avg_cost_per_query": 0.0, "period": "2025-10" }));
    let health = reply["provider_health"].as_object().unwrap();
    assert_eq!(health.keys().collect::<Vec<_>>(), ["anthropic_claude", "deepseek", "google_gemini", "local_llama", "openai_gpt4"]);
    assert_eq!(reply["provider_health"]["anthropic_claude"].to_string(), "0.99");
}

#[tokio::test]
async fn transfer() {
    let hive = Hive::with_alice("100").await;
    let request = json!({
        "from_did": "did:kaizen:alice",
        "to_did": "did:kaizen:bob",
        "amount": 50.0,
        "reason": "API compute credits"
    });
    let reply = hive.post("/lab3/financial/transfer", &request).await.ok();
    check_fields(&reply, &json!({ "type": "transfer", "amount_gic": 50.0, "timestamp": "2025-10-31T14:30:00Z" }));
    assert!(reply["tx_id"].as_str().unwrap().starts_with("tx_"));
    check_fields(&reply, &json!({ "fee_gic": 0.0005, "sequence": 3 }));
    assert_eq!((hive.balance(ALICE).await, hive.balance(BOB).await), ("49.9995".into(), "50.0".into()));
}

#[tokio::test]
async fn grant() {
    let hive = Hive::new();
    let request = json!({
        "recipient_did": "did:kaizen:community_project",
        "amount": 1000.0,
        "project": "Solar Microgrid Deployment"
    });
    let reply = hive.post("/lab3/financial/grant", &request).await.ok();
    let specified = json!({
        "type": "grant",
        "amount_gic": 1000.0,
        "project": "Solar Microgrid Deployment",
        "timestamp": NOW,
        "pool_balance_remaining": 49000.0
    });
    check_fields(&reply, &specified);
    assert!(reply["tx_id"].as_str().unwrap().starts_with("tx_"));
    assert_eq!(hive.balance("did:kaizen:community_project").await, "1000.0");
}

#[tokio::test]
async fn balance() {
    let hive = Hive::with_alice("12.5").await;
    let reply = hive.get("/lab3/financial/balance/did:kaizen:alice").await.ok();
    let expected = json!({ "citizen_did": ALICE, "balance_gic": 12.5, "held_gic": 0.0, "available_gic": 12.5, "sequence": 2 });
    assert_eq!(reply, expected);
    let stranger = hive.get("/lab3/financial/balance/did:kaizen:nobody").await.ok();
    check_fields(&stranger, &json!({ "citizen_did": "did:kaizen:nobody", "balance_gic": 0.0, "held_gic": 0.0, "available_gic": 0.0 }));
}

#[tokio::test]
async fn pool() {
    let hive = Hive::new();
    let reply = hive.get("/lab3/financial/pool").await.ok();
    let expected = json!({
        "pool_balance_gic": 50000.0,
        "total_gic_supply": 50000.0,
        "current_epoch": 1,
        "epoch_length_days": 90,
        "epoch_started_at": NOW,
        "epoch_ends_at": "2026-01-29T14:30:00Z",
        "fee_percent": 0.001,
        "grants": "open",
        "sequence": 1
    });
    assert_eq!(reply, expected);
}

/// Amounts keep every digit: neither way do they pass through a float.
#[tokio::test]
async fn amounts_keep_their_digits() {
    let hive = Hive::new();
    hive.mint(ALICE, "999999999999.999999").await;
    let path = "/lab3/financial/balance/did:kaizen:alice";
    assert!(hive.get(path).await.text().contains("\"balance_gic\":999999999999.999999,"));
    let body = "{\"from_did\":\"did:kaizen:alice\",\"to_did\":\"did:kaizen:bob\",\"amount\":0.000001}";
    hive.post_text("/lab3/financial/transfer", &[], body).await.ok();
    assert!(hive.get(path).await.text().contains("\"balance_gic\":999999999999.999997,"));
}

/// The keyed example of the documentation of `dry_run`: the same answer, nothing held.
#[tokio::test]
async fn dry_run() {
    let hive = Hive::new();
    let mut request = json!({ "citizen_did": ALICE, "query_tokens": 5000, "priority": "quality_optimized", "dry_run": true });
    let before = hive.state_hash().await;
    let tried = hive.post("/lab3/compute/allocate", &request).await.ok();
    assert_eq!(hive.state_hash().await, before);
    check_fields(&tried, &json!({ "allocation_id": null, "expires_at": null, "dry_run": true, "sequence": 1 }));
    request["dry_run"] = json!(false);
    let held = hive.post("/lab3/compute/allocate", &request).await.ok();
    for name in ["provider", "estimated_cost_gic", "estimated_latency_ms", "quota_remaining", "fallback_provider", "reason"] {
        assert_eq!(tried[name], held[name], "{name}");
    }
}
