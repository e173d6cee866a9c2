//! Plans: jobs in clean hours, a site's day, and what makes no sense.

use serde_json::{Value, json};

use crate::hive::Hive;

const JOBS: &str = "/lab3/energy/jobs";
const DISPATCH: &str = "/lab3/energy/dispatch";

/// Six hours, of which the third and fourth are clean.
fn outlook(jobs: &Value) -> Value {
    json!({
        "start": "2026-11-23T18:00:00Z",
        "step_minutes": 60,
        "carbon_g_per_kwh": [400, 380, 100, 120, 300, 350],
        "price_per_kwh": [0.2, 0.2, 0.3, 0.3, 0.1, 0.1],
        "jobs": jobs
    })
}

#[tokio::test]
async fn a_job_runs_in_the_clean_hours_and_says_what_that_saves() {
    let hive = Hive::new();
    let job = json!({ "id": "train", "power_kw": 2, "duration_minutes": 120, "deadline": "2026-11-24T00:00:00Z" });
    let reply = hive.post(JOBS, &outlook(&json!([job]))).await.ok();
    let placed = &reply["jobs"][0];
    assert_eq!(placed["runs"], json!([{ "start": "2026-11-23T20:00:00Z", "end": "2026-11-23T22:00:00Z", "power_kw": 2.0 }]));
    assert_eq!(placed["sums"], json!({ "energy_kwh": 4.0, "carbon_g": 440.0, "cost_gic": 1.2 }));
    assert_eq!(placed["carbon_saved_g"], 1120.0);
    assert_eq!((&reply["gap"], &reply["unplaced"]), (&json!(0.0), &json!(0)));
}

#[tokio::test]
async fn cost_may_count_instead_of_carbon() {
    let hive = Hive::new();
    let job = json!({ "id": "train", "power_kw": 2, "duration_minutes": 120, "deadline": "2026-11-24T00:00:00Z", "carbon_weight": 0 });
    let reply = hive.post(JOBS, &outlook(&json!([job]))).await.ok();
    assert_eq!(reply["jobs"][0]["runs"][0]["start"], "2026-11-23T22:00:00Z");
}

#[tokio::test]
async fn under_a_cap_jobs_make_way_for_each_other() {
    let hive = Hive::new();
    let job = |id: &str, deadline: &str| json!({ "id": id, "power_kw": 2, "duration_minutes": 120, "deadline": deadline });
    let mut request =
        outlook(&json!([job("free", "2026-11-24T00:00:00Z"), job("bound", "2026-11-23T22:00:00Z"), job("third", "2026-11-23T22:00:00Z")]));
    request["cap_kw"] = json!([2, 2, 2, 2, 2, 2]);
    let reply = hive.post(JOBS, &request).await.ok();
    let start = |job: usize| reply["jobs"][job]["runs"][0]["start"].as_str().unwrap().to_owned();
    assert_eq!((&reply["unplaced"], start(0)), (&json!(0), "2026-11-23T22:00:00Z".to_owned()));
    let mut both = [start(1), start(2)];
    both.sort();
    assert_eq!(both, ["2026-11-23T18:00:00Z", "2026-11-23T20:00:00Z"]);
}

#[tokio::test]
async fn a_job_without_a_place_is_told_why() {
    let hive = Hive::new();
    let job = |power: f64, minutes: u32| json!({ "id": "job", "power_kw": power, "duration_minutes": minutes, "deadline": "2026-11-23T20:00:00Z" });
    let mut request = outlook(&json!([job(2.0, 180), job(5.0, 60), job(3.0, 120), job(3.0, 120)]));
    request["cap_kw"] = json!([4, 4, 4, 4, 4, 4]);
    let reply = hive.post(JOBS, &request).await.ok();
    let why = |job: usize| reply["jobs"][job]["unplaced"].as_str().unwrap_or_default().to_owned();
    assert!(why(0).contains("needs 3 slots") && why(1).contains("draws 5 kW"), "{reply}");
    assert!(why(2).is_empty() != why(3).is_empty(), "one of two that draw too much together: {reply}");
    let crowded = why(2) + &why(3);
    assert!(crowded.contains("2026-11-23T18:00:00Z"), "{crowded}");
    assert_eq!((&reply["unplaced"], &reply["gap"]), (&json!(3), &Value::Null));
    assert!(reply["unplaced_min"].as_u64().unwrap() >= 2, "{reply}");
}

/// Two hours, the second dear, and a battery.
fn site() -> Value {
    json!({
        "step_minutes": [60, 60],
        "grid": { "import_price": [0.1, 0.5], "carbon_g_per_kwh": [300, 100] },
        "batteries": [{
            "name": "cellar", "capacity_kwh": 10, "initial_kwh": 0, "charge_max_kw": 5, "discharge_max_kw": 5,
            "charge_efficiency": 0.5, "discharge_efficiency": 1, "from_grid": true
        }],
        "loads": [{ "name": "houses", "energy_kwh": [1, 2] }]
    })
}

#[tokio::test]
async fn a_battery_carries_the_cheap_hour_into_the_dear_one() {
    let hive = Hive::new();
    let plan = hive.post(DISPATCH, &site()).await.ok();
    let near = |value: &Value, expected: f64| (value.as_f64().unwrap() - expected).abs() < 1e-6;
    assert!(near(&plan["batteries"][0]["charge_kwh"][0], 4.0) && near(&plan["import_kwh"][0], 5.0), "{plan}");
    assert!(near(&plan["totals"]["cost_gic"], 0.5) && near(&plan["totals"]["carbon_g"], 1500.0), "{plan}");
    assert_eq!((&plan["broken"], plan["batteries"][0]["name"].as_str()), (&json!([]), Some("cellar")));
}

#[tokio::test]
async fn what_cannot_be_kept_is_named_with_its_price() {
    let hive = Hive::new();
    let mut site = site();
    site["grid"]["up"] = json!([1, 0]);
    site["batteries"] = json!([]);
    let plan = hive.post(DISPATCH, &site).await.ok();
    let broken = &plan["broken"][0];
    assert_eq!((&broken["limit"], &broken["steps"], &broken["amount"]), (&json!("loads[0].energy_kwh"), &json!([1]), &json!(2.0)));
    assert!(broken["detail"].as_str().unwrap().starts_with("houses goes without 2.000 kWh"), "{broken}");
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_by_its_field() {
    let hive = Hive::new();
    let changes: [(&str, &str, Value, &str); 7] = [
        (DISPATCH, "/grid/import_price", json!([0.1]), "grid.import_price"),
        (DISPATCH, "/batteries/0/initial_kwh", json!(11), "batteries[0].initial_kwh"),
        (DISPATCH, "/batteries/0/charge_efficiency", json!(0), "batteries[0].charge_efficiency"),
        (DISPATCH, "/loads/0/energy_kwh/1", json!(-1), "loads[0].energy_kwh[1]"),
        (DISPATCH, "/step_minutes/0", json!(0), "step_minutes[0]"),
        (DISPATCH, "/grid/peak_so_far_kw", json!(3), "grid.peak_so_far_kw"),
        (JOBS, "/price_per_kwh", json!([0.1]), "price_per_kwh"),
    ];
    for (path, pointer, value, field) in changes {
        let mut request = if path == JOBS {
            outlook(&json!([{ "id": "train", "power_kw": 2, "duration_minutes": 120, "deadline": "2026-11-24T00:00:00Z" }]))
        } else {
            site()
        };
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        match request.pointer_mut(parent).unwrap() {
            Value::Object(object) => drop(object.insert(name.to_owned(), value)),
            Value::Array(list) => list[name.parse::<usize>().unwrap()] = value,
            other => panic!("{other}"),
        }
        hive.post(path, &request).await.refused(400, "L3-0006", Some(field));
    }
}
