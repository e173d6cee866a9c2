//! What `/metrics` says of energy: readings, signals, the plan, what is booked; and what it leaves out where there is none.

use serde_json::json;

use crate::hive::{ALICE, Hive};
use crate::kept::Kept;
use crate::site::with_a_past;

const SIGNALS: &str = "/lab3/energy/signals";

/// Whether each of these lines is among the figures, or, where it begins with a dash, none that begins so.
async fn check(hive: &Hive, lines: &[&str]) {
    let figures = hive.get("/metrics").await;
    let text = figures.text();
    for line in lines {
        let is_so = match line.strip_prefix('-') {
            Some(begin) => text.lines().all(|found| !found.starts_with(begin)),
            None => text.lines().any(|found| found == *line),
        };
        assert!(is_so, "{line} in\n{text}");
    }
}

#[tokio::test]
async fn readings_are_counted_once_and_signals_told_by_kind() {
    let kept = Kept::new();
    let hive = &kept.hive;
    check(
        hive,
        &[
            "lab3_energy_readings_total 0",
            "lab3_energy_readings_ok 1",
            "-lab3_energy_signal_end",
            "-lab3_energy_plan",
            "lab3_energy_jobs_booked 0",
        ],
    )
    .await;
    let reading = json!({ "readings": [{ "device": "grid", "quantity": "power_kw", "at": "2025-10-31T14:00:00Z", "value": 1 }] });
    for _ in 0..2 {
        hive.post("/lab3/energy/telemetry", &reading).await.ok();
    }
    // Of two prices the one that reaches further: 2025-10-31T16:00:00Z.
    for (zone, values) in [("DE", json!([0.1, 0.2, 0.3])), ("FR", json!([0.1, 0.2, 0.3, 0.4])), ("AT", json!([0.1]))] {
        let price = json!({ "kind": "price_import", "zone": zone, "source": "exchange", "start": "2025-10-31T12:00:00Z", "step_minutes": 60, "values": values, "mark": "measured" });
        hive.post(SIGNALS, &price).await.ok();
    }
    check(
        hive,
        &[
            "lab3_energy_readings_total 1",
            "lab3_energy_signal_end_timestamp_seconds{kind=\"price_import\"} 1761926400",
            "-lab3_energy_signal_end_timestamp_seconds{kind=\"price_export\"}",
        ],
    )
    .await;
}

#[tokio::test]
async fn a_desk_without_readings_says_so() {
    let hive = Hive::new();
    check(&hive, &["lab3_energy_readings_ok 0", "-lab3_energy_signal_end", "-lab3_energy_plan", "lab3_energy_hours_open 0"]).await;
}

#[tokio::test]
async fn what_is_booked_is_counted() {
    let hive = Hive::new();
    let booking = json!({ "citizen_did": ALICE, "plan": {
        "start": "2025-10-31T14:00:00Z", "step_minutes": 60, "carbon_g_per_kwh": [400, 100], "price_per_kwh": [0.2, 0.3],
        "jobs": [{ "id": "train", "power_kw": 2, "duration_minutes": 60, "deadline": "2025-10-31T16:00:00Z" }],
    } });
    let booked = hive.post("/lab3/energy/bookings", &booking).await.ok();
    check(&hive, &["lab3_energy_jobs_booked 1", "lab3_energy_hours_open 0"]).await;
    hive.pass(90 * 60).await;
    let job = booked["jobs"][0]["job_id"].as_str().unwrap();
    hive.post(&format!("/lab3/energy/bookings/{job}/settle"), &json!({})).await.ok();
    check(&hive, &["lab3_energy_jobs_booked 0", "lab3_energy_hours_open 1"]).await;
}

#[tokio::test]
async fn the_plan_grows_old() {
    let kept = with_a_past().await;
    check(&kept.hive, &["-lab3_energy_plan"]).await;
    kept.hive.get("/lab3/energy/site").await.ok();
    check(&kept.hive, &["lab3_energy_plan_age_seconds{} 0.0", "lab3_energy_plan_unknown{} 0"]).await;
    kept.hive.pass(90).await;
    check(&kept.hive, &["lab3_energy_plan_age_seconds{} 90.0"]).await;
}
