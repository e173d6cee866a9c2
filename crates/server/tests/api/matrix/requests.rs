//! For every line of the table, the smallest request that whoever may is answered well.

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};

use super::model::{Line, Object, Who, kind_of};
use super::stage::{NOBODYS, Things, booking, certified, treasurer, unseated};
use crate::hive::{ALICE, BOB};

/// The names of what a request touches.
pub struct Names {
    /// A citizen.
    pub did: String,
    /// Whose key, allocation or transaction, in the stage's words.
    owner: &'static str,
}

/// Whose the object is, seen from whoever asks.
pub fn names(who: Who, object: Object) -> Names {
    let named = |owner, did: &str| Names { did: did.to_owned(), owner };
    let kind = kind_of(who);
    match object {
        Object::Foreign => named("bob", BOB),
        Object::Missing => named("nobody", NOBODYS),
        Object::OpenedByAnother if kind == "service" => named("alice", ALICE),
        Object::OpenedByAnother => named("service", ALICE),
        _ if kind == "service" => named("service", ALICE),
        _ if who == Who::Unseated => named("nobody", &unseated()),
        _ if kind == "treasurer" => named("treasurer", &treasurer()),
        _ => named("alice", ALICE),
    }
}

impl Names {
    fn allocation(&self, things: &Things) -> String {
        let opened = |name| things.allocation.get(name).cloned();
        let other = if self.owner == "nobody" { None } else { opened("alice") };
        opened(self.owner).or(other).unwrap_or_else(|| "al_00000000000000000000000000".to_owned())
    }

    fn of_citizen(&self, all: &std::collections::BTreeMap<&'static str, String>, missing: &str) -> String {
        let owner = if self.owner == "service" { "alice" } else { self.owner };
        all.get(owner).cloned().unwrap_or_else(|| format!("{missing}_00000000000000000000000000"))
    }

    fn transaction(&self, things: &Things) -> String {
        let owner = if self.owner == "service" { "alice" } else { self.owner };
        things.transaction.get(owner).cloned().unwrap_or_else(|| "tx_00000000000000000000000000".to_owned())
    }

    fn written(&self, things: &Things) -> String {
        things.written.get(self.owner).cloned().unwrap_or_else(|| "tx_00000000000000000000000000".to_owned())
    }

    fn key(&self, things: &Things) -> u64 {
        let owner = if self.owner == "service" { "alice" } else { self.owner };
        things.spare.get(owner).copied().unwrap_or(4_000_000)
    }
}

/// The request of that line, on the object of those names; `itself` is the number of the key it comes with.
pub fn request(line: &Line, object: Object, names: &Names, things: &Things, itself: u64) -> axum::http::request::Builder {
    let number = if object == Object::Itself { itself } else { names.key(things) };
    let mut path = line.path.to_owned();
    for (name, value) in [
        ("{citizen_did}", names.did.clone()),
        ("{allocation_id}", names.allocation(things)),
        ("{tx_id}/erase", names.written(things) + "/erase"),
        ("{tx_id}", names.transaction(things)),
        ("{job_id}", names.of_citizen(&things.job, "jb")),
        ("{certificate_id}", names.of_citizen(&things.certificate, "ce")),
        ("{number}", number.to_string()),
        ("{kind}", "load".to_owned()),
        ("{code}", "L3-0036".to_owned()),
        ("{did}", names.did.clone()),
        ("tile/{*path}", "tile/0/000.p/1".to_owned()),
        ("tile/data/{*path}", "tile/data/000.p/1".to_owned()),
    ] {
        path = path.replace(name, &value);
    }
    match (line.path, line.shape) {
        ("/lab3/compute/allocations" | "/lab3/energy/bookings" | "/lab3/energy/certificates", _) if line.method == "GET" => {
            path = format!("{path}?citizen_did={}", names.did);
        }
        ("/lab3/energy/exports", "of") => path = format!("{path}?payer_did={}", names.did),
        ("/lab3/financial/transactions" | "/lab3/keys", "of") => path = format!("{path}?did={}", names.did),
        _ => {}
    }
    assert!(!path.contains('{'), "{path}");
    Request::builder().method(line.method).uri(path).header("x-citizen-did", &names.did)
}

/// Its body.
pub fn body(line: &Line, names: &Names, things: &Things) -> Option<Value> {
    if line.method == "GET" {
        return None;
    }
    let did = &names.did;
    let pay = |from: &str, to: &str| json!({ "from_did": from, "to_did": to, "amount": 1 });
    let other = "did:kaizen:carol";
    let said = json!([{ "role": "user", "content": "Good morning." }]);
    Some(match (line.path, line.shape) {
        ("/lab3/compute/allocate", _) => {
            json!({ "citizen_did": did, "query_tokens": 10, "preferred_provider": "deepseek", "min_quality": 0.1 })
        }
        ("/lab3/compute/report_usage", shape) => {
            let mut report = json!({ "citizen_did": did, "provider": "deepseek", "actual_cost": 0.00001, "success": true });
            if shape == "settled" {
                report["allocation_id"] = names.allocation(things).into();
            }
            report
        }
        ("/lab3/energy/jobs", _) => json!({
            "start": "2026-11-23T00:00:00Z",
            "step_minutes": 60,
            "carbon_g_per_kwh": [300, 200],
            "jobs": [{ "id": "one", "power_kw": 1, "duration_minutes": 60, "deadline": "2026-11-23T02:00:00Z" }],
        }),
        ("/lab3/energy/dispatch", _) => json!({ "step_minutes": [60], "loads": [{ "name": "house", "energy_kwh": [1] }] }),
        ("/lab3/energy/bookings", _) => booking(did),
        ("/lab3/energy/bookings/{job_id}/settle", _) => json!({ "energy_kwh": 0.5 }),
        ("/lab3/energy/hours", _) => json!({ "hour": "2025-10-31T13:00:00Z", "meter_kwh": 1 }),
        ("/lab3/energy/certificates", _) => certified(ALICE, "new", "2025-10-31T13:00:00Z"),
        ("/lab3/energy/certificates/{certificate_id}/split", _) => json!({ "first_wh": 1 }),
        ("/lab3/energy/certificates/{certificate_id}/hand", _) => json!({ "to_did": did }),
        ("/lab3/energy/certificates/{certificate_id}/claim", _) => json!({ "hour": "2025-10-31T12:00:00Z" }),
        ("/lab3/energy/responses", _) => json!({ "from": "2025-10-31T17:00:00Z", "to": "2025-10-31T18:00:00Z", "reduce_kw": 1 }),
        ("/lab3/energy/exports/share", _) => json!({
            "payer_did": did, "device": "grid", "from": "2025-10-31T12:00:00Z", "to": "2025-10-31T13:00:00Z",
            "amount_gic": 0.000_001, "rule": "equal", "members": [{ "did": other }],
        }),
        ("/lab3/energy/signals", _) => {
            json!({ "kind": "load", "zone": "house", "start": "2025-10-31T12:00:00Z", "step_minutes": 60, "values": [1] })
        }
        ("/lab3/energy/telemetry", _) => {
            let device = if names.owner == "bob" { "cellar" } else { "roof-1" };
            json!({ "readings": [{ "device": device, "quantity": "power_kw", "at": "2025-10-31T12:00:00Z", "value": 1 }] })
        }
        ("/lab3/financial/transfer", _) => pay(did, other),
        ("/lab3/financial/transfers", "mixed") => json!({ "transfers": [pay(ALICE, other), pay(BOB, other)] }),
        ("/lab3/financial/transfers", _) => json!({ "transfers": [pay(did, other)] }),
        ("/lab3/financial/grant", _) => json!({ "recipient_did": other, "amount": 0.01, "project": "Solar" }),
        ("/lab3/financial/contribute", _) => json!({ "from_did": did, "amount": 1 }),
        ("/lab3/financial/mint", _) => json!({ "to_did": other, "amount": 1, "reason": "to try it" }),
        ("/lab3/members/delegate", _) => json!({ "citizen_did": did, "service": 4_000_000, "on": true }),
        ("/lab3/treasurers", _) => json!({ "needed": 1, "treasurers": [treasurer()] }),
        ("/lab3/policy", _) => json!({ "set": { "trust.unsigned_max_gic": 2 } }),
        ("/lab3/members/thaw", _) => json!({ "citizen_did": did, "reason": "to try it" }),
        ("/lab3/financial/transactions/{tx_id}/erase", _) => json!({ "reason": "to try it" }),
        ("/lab3/members/freeze", _) => json!({ "citizen_did": did, "hours": 1, "reason": "to try it" }),
        ("/lab3/keys", "citizen") => json!({ "kind": "citizen", "did": did, "scopes": ["read"] }),
        ("/lab3/keys", _) => json!({ "kind": "auditor", "scopes": ["read"] }),
        (
            "/lab3/compute/allocations/{allocation_id}/release"
            | "/lab3/energy/bookings/{job_id}/release"
            | "/lab3/financial/epoch/close"
            | "/lab3/seal"
            | "/lab3/dids/{did}/resolve"
            | "/lab3/intents"
            | "/lab3/witness/add-checkpoint"
            | "/lab3/keys/{number}/revoke"
            | "/lab3/keys/{number}/rotate",
            _,
        ) => json!({}),
        ("/v1/responses" | "/responses" | "/v1/embeddings" | "/embeddings", _) => json!({ "model": "auto", "input": "Good morning." }),
        ("/v1/messages" | "/v1/messages/count_tokens", _) => json!({ "model": "auto", "max_tokens": 5, "messages": said }),
        ("/v1/chat/completions" | "/chat/completions", _) => json!({ "model": "auto", "messages": said }),
        ("/api/chat", _) => json!({ "model": "auto", "messages": said, "stream": false }),
        ("/api/generate", _) => json!({ "model": "auto", "prompt": "Good morning.", "stream": false }),
        (path, shape) => panic!("requests.rs has no body for POST {path} {shape}"),
    })
}

/// A request with its body, ready to be sent.
pub fn whole(builder: axum::http::request::Builder, body: Option<&Value>) -> Request<Body> {
    match body {
        None => builder.body(Body::empty()).unwrap(),
        Some(body) => {
            let text = body.to_string();
            let builder = builder.header(header::CONTENT_TYPE, "application/json").header(header::CONTENT_LENGTH, text.len());
            builder.body(Body::from(text)).unwrap()
        }
    }
}
