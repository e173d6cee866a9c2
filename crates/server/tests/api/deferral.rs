//! Queries that may wait: when they run, what that gains, what is held meanwhile, and what is refused.

use lab3_energy::carbon::{GridHour, Intensity, ModelDraw};
use lab3_server::{CarbonSettings, ProviderDraw, ServerSettings};
use serde_json::{Value, json};

use crate::hive::{ALICE, Hive, NOW};
use crate::kept::Kept;

const PATH: &str = "/lab3/compute/allocate";

fn grid(grams: f64) -> GridHour {
    let of = Intensity::from_g_per_kwh(grams).unwrap();
    GridHour { average: of, marginal: of, residual: None }
}

/// The local model draws from the site's grid, deepseek from another.
fn desk() -> Kept {
    let table = Some(ModelDraw { input_token_wh: 0.0001, output_token_wh: 0.001, request_wh: 0.0, spread: 0.2 });
    let local =
        ProviderDraw { provider: "local_llama".into(), on_site: true, meter: None, table, stated: None, grid: None, hardware: None };
    let far = ProviderDraw { provider: "deepseek".into(), on_site: false, grid: Some(grid(50.0)), ..local.clone() };
    let carbon = CarbonSettings { zone: None, grid: grid(350.0), draws: vec![local, far] };
    Kept::with(tempfile::TempDir::new().unwrap(), ServerSettings { carbon, ..ServerSettings::default() })
}

/// Half past two; it is cleanest from four to five, and from six on nobody says anything.
async fn signalled() -> Kept {
    let kept = desk();
    push(&kept, "2025-10-31T14:00:00Z", &json!([400, 300, 100, 200]), "forecast").await;
    kept
}

async fn push(kept: &Kept, start: &str, values: &Value, mark: &str) {
    let signal = json!({ "kind": "carbon_average", "zone": "DE", "source": "grid", "start": start, "step_minutes": 60, "values": values, "mark": mark });
    kept.hive.post("/lab3/energy/signals", &signal).await.ok();
    kept.hive.app.look_at_grid().await;
}

fn query(provider: &str, deadline: &str) -> Value {
    json!({ "citizen_did": ALICE, "query_tokens": 5000, "min_quality": 0.1, "preferred_provider": provider, "deadline": deadline })
}

#[tokio::test]
async fn a_query_that_may_wait_runs_in_the_clean_hour() {
    let Kept { hive, folder: _folder } = signalled().await;
    let query = query("local", "2025-10-31T20:00:00Z");
    let reply = hive.post_keyed(PATH, "later", &query).await;
    let told = reply.ok();
    let deferral = json!({
        "deadline": "2025-10-31T20:00:00Z", "run_at": "2025-10-31T16:00:00Z", "run_until": "2025-10-31T16:59:57.5Z",
        "carbon_g_per_kwh": 100.0, "at_once_carbon_g_per_kwh": 400.0, "saved_percent": 75.0, "energy_wh": 1.012, "carbon_saved_g": 0.304,
        "reason": "The grid is expected to emit 100 g a kWh then, and 400 g at once",
    });
    assert_eq!((&told["deferral"], &told["expires_at"]), (&deferral, &json!("2025-10-31T17:14:57.5Z")));
    assert_eq!((&told["estimated_cost_gic"], &told["reason"]), (&json!(0.0005), &json!("Preferred provider local_llama is eligible")));
    let path = format!("/lab3/compute/allocations/{}", told["allocation_id"].as_str().unwrap());
    let seen = hive.get(&path).await.ok();
    assert_eq!((&seen["deferral"], &seen["state"], &seen["expires_at"]), (&deferral, &json!("open"), &told["expires_at"]));
    // Past the deadline, and with nothing known of the grid any more, the same request is answered as it was.
    hive.pass(3 * 86_400).await;
    hive.app.look_at_grid().await;
    assert_eq!(hive.post_keyed(PATH, "later", &query).await.body, reply.body);
    assert_eq!(hive.get(&path).await.ok()["state"], "expired");
}

#[tokio::test]
async fn it_is_held_until_it_has_had_its_time_and_may_be_reported_earlier() {
    let Kept { hive, folder: _folder } = signalled().await;
    let allocate = async || hive.post(PATH, &query("local", "2025-10-31T20:00:00Z")).await.ok()["allocation_id"].clone();
    let state = async |id: &Value| hive.get(&format!("/lab3/compute/allocations/{}", id.as_str().unwrap())).await.ok();
    let (early, waits) = (allocate().await, allocate().await);
    let report = json!({ "citizen_did": ALICE, "provider": "local", "actual_cost": 0.0004, "success": true, "allocation_id": early,
        "input_tokens": 5000, "output_tokens": 200 });
    hive.post("/lab3/compute/report_usage", &report).await.ok();
    let ran = state(&early).await;
    assert_eq!((&ran["state"], &ran["energy"]["carbon_g"]), (&json!("settled"), &json!(0.28)), "0.7 Wh in the hour it ran, at 400 g a kWh");
    hive.pass(9_897).await;
    assert_eq!(state(&waits).await["state"], "open");
    hive.pass(1).await;
    assert_eq!(state(&waits).await["state"], "expired");
}

/// When it runs and why, of a query with that provider and deadline, at that moment.
async fn check(kept: &Kept, provider: &str, deadline: &str, expected: [&str; 3]) {
    let told = kept.hive.post(PATH, &query(provider, deadline)).await.ok();
    let of = |field: &str| told["deferral"][field].as_str().unwrap().to_owned();
    assert_eq!([of("run_at"), of("run_until"), of("reason")], expected, "{provider} {deadline}");
}

#[tokio::test]
async fn when_it_runs_and_why() {
    let kept = signalled().await;
    let at_once = |why| [NOW, NOW, why];
    let cleaner = "The grid is expected to emit 100 g a kWh then, and 400 g at once";
    check(&kept, "local", "2025-11-07T14:30:00Z", ["2025-10-31T16:00:00Z", "2025-10-31T16:59:57.5Z", cleaner]).await;
    // The hour of the deadline counts as far as it goes, unless the query does not fit in.
    check(&kept, "local", "2025-10-31T16:20:00Z", ["2025-10-31T16:00:00Z", "2025-10-31T16:19:57.5Z", cleaner]).await;
    let less = "The grid is expected to emit 300 g a kWh then, and 400 g at once";
    check(&kept, "local", "2025-10-31T16:00:30Z", ["2025-10-31T15:00:00Z", "2025-10-31T15:59:57.5Z", less]).await;
    let least = "The grid is not expected to emit less before the deadline than 400 g a kWh now, so it runs at once";
    check(&kept, "local", "2025-10-31T14:50:00Z", [NOW, "2025-10-31T14:49:57.5Z", least]).await;
    let elsewhere = "deepseek runs on another grid, of which no cleaner hour is known, so it runs at once";
    check(&kept, "deepseek", "2025-10-31T20:00:00Z", at_once(elsewhere)).await;
    let unknown = "Nobody has said what the provider draws and where (energy.draws), so it runs at once";
    check(&kept, "claude", "2025-10-31T20:00:00Z", at_once(unknown)).await;
    check(&desk(), "local", "2025-10-31T20:00:00Z", at_once("No signal of the grid reaches so far, so it runs at once")).await;
    // Time passes: what is known is known of later steps, until it ends.
    kept.hive.pass(2 * 3600).await;
    let least = "The grid is not expected to emit less before the deadline than 100 g a kWh now, so it runs at once";
    check(&kept, "local", "2025-10-31T20:00:00Z", ["2025-10-31T16:30:00Z", "2025-10-31T16:59:57.5Z", least]).await;
    kept.hive.pass(2 * 3600).await;
    let now = "2025-10-31T18:30:00Z";
    check(&kept, "local", "2025-10-31T20:00:00Z", [now, now, "No signal of the grid reaches so far, so it runs at once"]).await;
}

#[tokio::test]
async fn where_nothing_is_published_the_past_tells_what_comes() {
    let kept = desk();
    // Twelve days, each with a clean hour at three in the morning, up to this one.
    let hours: Vec<u32> = (0..12 * 24 + 15).map(|hour| if hour % 24 == 3 { 80 } else { 400 }).collect();
    push(&kept, "2025-10-19T00:00:00Z", &json!(hours), "measured").await;
    let reason = "The grid is expected to emit 80 g a kWh then, and 400 g at once";
    check(&kept, "local", "2025-11-03T00:00:00Z", ["2025-11-01T03:00:00Z", "2025-11-01T03:59:57.5Z", reason]).await;
    // What is published goes before.
    push(&kept, "2025-11-01T00:00:00Z", &json!([400, 50, 400, 400]), "forecast").await;
    let reason = "The grid is expected to emit 50 g a kWh then, and 400 g at once";
    check(&kept, "local", "2025-11-03T00:00:00Z", ["2025-11-01T01:00:00Z", "2025-11-01T01:59:57.5Z", reason]).await;
}

#[tokio::test]
async fn a_dry_run_tells_the_same_and_holds_nothing() {
    let Kept { hive, folder: _folder } = signalled().await;
    let before = hive.state_hash().await;
    let mut dry = query("local", "2025-10-31T20:00:00Z");
    dry["dry_run"] = true.into();
    let shown = hive.post(PATH, &dry).await.ok();
    assert_eq!((&shown["allocation_id"], &shown["dry_run"], hive.state_hash().await), (&Value::Null, &json!(true), before));
    let held = hive.post(PATH, &query("local", "2025-10-31T20:00:00Z")).await.ok();
    assert_eq!((&held["deferral"], &held["quota_remaining"]), (&shown["deferral"], &shown["quota_remaining"]));
    dry["deadline"] = "2025-10-31T14:00:00Z".into();
    hive.post(PATH, &dry).await.refused(400, "L3-0006", Some("deadline"));
}

#[tokio::test]
async fn without_a_deadline_nothing_is_said_of_waiting() {
    let Kept { hive, folder: _folder } = signalled().await;
    let mut now = query("local", "");
    now.as_object_mut().unwrap().remove("deadline");
    let told = hive.post(PATH, &now).await.ok();
    assert_eq!((told.get("deferral"), &told["expires_at"]), (None, &json!("2025-10-31T14:45:00Z")));
    let path = format!("/lab3/compute/allocations/{}", told["allocation_id"].as_str().unwrap());
    assert_eq!(hive.get(&path).await.ok()["deferral"], Value::Null);
}

#[tokio::test]
async fn a_deadline_that_cannot_be_is_refused_by_its_name() {
    let hive = Hive::new();
    for (deadline, code) in [
        (json!(NOW), "L3-0006"),
        (json!("2025-10-31T14:29:59Z"), "L3-0006"),
        (json!("2025-11-07T14:30:01Z"), "L3-0006"),
        (json!("9999-12-31T23:59:59Z"), "L3-0006"),
        (json!("tomorrow"), "L3-0006"),
        (json!("2025-11-01"), "L3-0006"),
        (json!(1_762_000_000), "L3-0005"),
    ] {
        let mut wrong = query("local", "");
        wrong["deadline"] = deadline;
        hive.post_keyed(PATH, "wrong", &wrong).await.refused(400, code, Some("deadline"));
    }
    // Nothing happened, and the key is free.
    assert_eq!(hive.post_keyed(PATH, "wrong", &query("local", "2025-11-07T14:30:00Z")).await.ok()["sequence"], 2);
}
