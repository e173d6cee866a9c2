//! The contract: the committed document, the pages about errors, the page to try requests on, the figures.

use std::collections::BTreeSet;
use std::path::Path;

use lab3_server::errors::page;
use lab3_units::Code;
use serde_json::{Value, json};

use crate::hive::{ALICE, BOB, Hive, NOW};

fn docs() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

#[test]
fn the_committed_document_is_the_one_the_code_makes() {
    let committed = std::fs::read_to_string(docs().join("openapi.json")).unwrap_or_default();
    let made = lab3_server::openapi();
    if committed.trim_end() != made.trim_end() {
        let differing = committed.lines().zip(made.lines()).position(|(one, other)| one != other).map_or(0, |at| at + 1);
        panic!("docs/openapi.json differs from the code, first in line {differing}; write it anew: cargo run -p lab3-xtask -- openapi");
    }
}

#[tokio::test]
async fn the_served_document_is_the_committed_one() {
    let served = Hive::new().get("/lab3/openapi.json").await;
    assert_eq!((served.status, served.header("content-type")), (200, Some("application/json")));
    assert_eq!(served.text(), lab3_server::openapi());
}

#[test]
fn the_document_says_what_the_readers_refuse() {
    let document: Value = serde_json::from_str(&lab3_server::openapi()).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    let schemas = &document["components"]["schemas"];
    let allocate = &schemas["AllocateRequest"];
    assert_eq!(allocate["additionalProperties"], false);
    assert_eq!(allocate["required"], json!(["citizen_did", "query_tokens"]));
    let tokens = &allocate["properties"]["query_tokens"];
    assert_eq!((&tokens["type"], &tokens["minimum"], &tokens["maximum"]), (&json!("integer"), &json!(1), &json!(10_000_000)));
    assert_eq!(allocate["properties"]["priority"]["type"], json!(["string", "null"]));
    let transfers = &schemas["TransfersRequest"]["properties"]["transfers"];
    assert_eq!((&transfers["minItems"], &transfers["maxItems"]), (&json!(1), &json!(8000)));
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            assert!(operation["summary"].is_string() && operation["operationId"].is_string(), "{method} {path}");
            let parameters = operation["parameters"].as_array().map_or(&[][..], |parameters| parameters);
            let keyed = parameters.iter().any(|parameter| parameter["name"] == "Idempotency-Key");
            assert_eq!(keyed, method == "post", "{method} {path}");
            for part in path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
                assert!(parameters.iter().any(|parameter| parameter["name"] == part && parameter["in"] == "path"), "{path}");
            }
        }
    }
}

#[test]
fn every_reference_in_the_document_leads_somewhere() {
    let text = lab3_server::openapi();
    let document: Value = serde_json::from_str(&text).unwrap();
    for reference in text.split("\"$ref\": \"#/").skip(1) {
        let pointer = format!("/{}", reference.split('"').next().unwrap());
        assert!(document.pointer(&pointer).is_some(), "{pointer}");
    }
}

#[test]
fn each_code_has_a_page_and_each_page_a_code() {
    let mut known = BTreeSet::new();
    for &code in Code::ALL {
        let text = page(code).unwrap_or_else(|| panic!("{code} has no page"));
        assert!(text.starts_with(&format!("# {code}: {}\n", code.title())), "{code}");
        assert!(text.contains(&format!("\nStatus {}.\n", code.status())), "{code}");
        for heading in ["\n## What happened\n", "\n## An example\n", "\n## What helps\n- "] {
            assert!(text.contains(heading), "{code} lacks {heading}");
        }
        let example = text.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
        let example: Value = serde_json::from_str(example).unwrap();
        let expected = (json!(format!("/lab3/errors/{code}")), json!(code.title()), json!(code.status()), json!(code.to_string()));
        assert_eq!((example["type"].clone(), example["title"].clone(), example["status"].clone(), example["code"].clone()), expected);
        known.insert(format!("{code}.md"));
    }
    let files = std::fs::read_dir(docs().join("errors")).unwrap();
    let files = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect::<BTreeSet<_>>();
    assert_eq!(files, known);
}

#[tokio::test]
async fn pages_about_errors_are_served() {
    let hive = Hive::new();
    let served = hive.get("/lab3/errors/L3-0040").await;
    assert_eq!((served.status, served.header("content-type")), (200, Some("text/markdown; charset=utf-8")));
    assert_eq!(served.text(), page(Code::MIC_INSUFFICIENT).unwrap());
    for unknown in ["L3-9999", "L3-40", "l3-0040", "L3-00040", "x"] {
        hive.get(&format!("/lab3/errors/{unknown}")).await.refused(404, "L3-0052", Some("code"));
    }
    let all = hive.get("/lab3/errors").await.ok();
    assert_eq!(all["errors"].as_array().unwrap().len(), Code::ALL.len());
    assert_eq!(all["errors"][0]["page"], "/lab3/errors/L3-0001");
}

#[tokio::test]
async fn the_page_to_try_requests_on_needs_nothing_from_elsewhere() {
    let hive = Hive::new();
    let moved = hive.get("/lab3/docs").await;
    assert_eq!((moved.status, moved.header("location")), (303, Some("/lab3/docs/")));
    let page = hive.get("/lab3/docs/").await.text();
    assert!(page.contains("swagger-ui"), "{page}");
    assert!(!page.contains("http://") && !page.contains("https://"), "{page}");
    let parts = page.split('"').filter(|part| part.starts_with("./") && !part.contains(".png")).collect::<Vec<_>>();
    assert!(parts.len() >= 3, "{page}");
    for part in parts {
        let reply = hive.get(&format!("/lab3/docs/{}", part.trim_start_matches("./"))).await;
        assert_eq!(reply.status, 200, "{part}");
    }
    assert!(hive.get("/lab3/docs/swagger-initializer.js").await.text().contains("/lab3/openapi.json"));
}

#[tokio::test]
async fn health_names_the_modules() {
    let hive = Hive::with_alice("1").await;
    let mut health = hive.get("/lab3/health").await.ok();
    assert!(health["uptime_s"].take().is_u64());
    let expected = json!({
        "lab": "lab3", "status": "ok", "version": env!("CARGO_PKG_VERSION"),
        "modules": {
            "compute_allocation": "active", "energy_routing": "active", "supply_chain": "planned", "financial_flows": "active",
            "labor_market": "planned", "maintenance": "planned"
        },
        "sequence": 2, "signed": null, "unsigned_because": "it has no signer", "seen": "", "witnesses": [], "uptime_s": null
    });
    assert_eq!(health, expected);
}

#[tokio::test]
async fn the_journals_head_gives_the_state_hash_a_replay_must_give() {
    let hive = Hive::with_alice("1").await;
    let head = hive.get("/lab3/journal/head").await.ok();
    assert_eq!((&head["sequence"], &head["at"], head.get("state_hash")), (&json!(2), &json!(NOW), None));
    let hashed = hive.get("/lab3/journal/head?state_hash=true").await.ok();
    let frozen = hive.engine.freeze().await.unwrap();
    let hexadecimal = |hash: [u8; 32]| {
        let [high, low] = [0, 16].map(|at| u128::from_be_bytes(hash[at..at + 16].try_into().unwrap()));
        format!("{high:032x}{low:032x}")
    };
    assert_eq!(hashed["state_hash"], hexadecimal(frozen.hash()));
    assert_eq!((&hashed["record_hash"], &head["record_hash"]), (&json!(hexadecimal(frozen.head)), &hashed["record_hash"]));
}

#[tokio::test]
async fn figures_are_counted_by_route_and_status() {
    let hive = Hive::with_alice("10").await;
    let transfer = json!({ "from_did": ALICE, "to_did": BOB, "amount": 6 });
    hive.post("/lab3/financial/transfer", &transfer).await.ok();
    hive.post("/lab3/financial/transfer", &transfer).await.refused(402, "L3-0040", Some("amount"));
    hive.post("/lab3/compute/allocate", &json!({ "citizen_did": ALICE, "query_tokens": 10 })).await.ok();
    let figures = hive.get("/metrics").await;
    assert_eq!(figures.header("content-type"), Some("application/openmetrics-text; version=1.0.0; charset=utf-8"));
    let text = figures.text();
    for line in [
        "lab3_http_requests_total{method=\"POST\",path=\"/lab3/financial/transfer\",status=\"2xx\"} 1",
        "lab3_http_requests_total{method=\"POST\",path=\"/lab3/financial/transfer\",status=\"4xx\"} 1",
        "lab3_http_requests_total{method=\"POST\",path=\"/lab3/financial/transfer\",status=\"5xx\"} 0",
        "lab3_http_request_seconds_count{method=\"POST\",path=\"/lab3/financial/transfer\"} 2",
        "lab3_journal_sequence 4",
        "lab3_journal_records_total 4",
        "lab3_open_holds 1",
        "lab3_views_ok 1",
        "lab3_queue_waiting 0",
        "lab3_journal_commit_failures_total 0",
    ] {
        assert!(text.lines().any(|found| found == line), "no line {line} in\n{text}");
    }
    for name in ["lab3_view_lag_records", "lab3_accounts", "lab3_journal_commits_total", "lab3_journal_commit_seconds_total"] {
        assert!(text.lines().any(|line| line.starts_with(name)), "no {name} in\n{text}");
    }
    assert!(text.ends_with("# EOF\n"));
}
