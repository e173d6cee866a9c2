//! Telemetry: what devices read, once, and in steps.

use serde_json::{Value, json};

use crate::hive::Hive;
use crate::kept::Kept;
use crate::keys::{get_as, post_as};

const PATH: &str = "/lab3/energy/telemetry";

/// Readings of the last hour: minute and value.
fn readings(device: &str, quantity: &str, values: &[(u32, f64)]) -> Value {
    let reading = |(minute, value): &(u32, f64)| json!({ "device": device, "quantity": quantity, "at": format!("2025-10-31T13:{minute:02}:00Z"), "value": value });
    json!({ "readings": values.iter().map(reading).collect::<Vec<_>>() })
}

#[tokio::test]
async fn a_reading_counts_once_and_stays_over_a_restart() {
    let kept = Kept::new();
    let body = readings("roof", "power_kw", &[(0, 1.0), (10, 2.0), (10, 2.0)]);
    assert_eq!(kept.hive.post(PATH, &body).await.ok(), json!({ "new": 2, "known": 1, "differing": 0 }));
    let other = readings("roof", "power_kw", &[(0, 7.0), (20, 3.0)]);
    assert_eq!(kept.hive.post(PATH, &other).await.ok(), json!({ "new": 1, "known": 0, "differing": 1 }));
    let kept = kept.reopened();
    let read = kept.hive.get(&format!("{PATH}?device=roof&quantity=power_kw")).await.ok();
    let expected = json!({
        "taken": "as_read", "times": ["2025-10-31T13:00:00Z", "2025-10-31T13:10:00Z", "2025-10-31T13:20:00Z"], "values": [1.0, 2.0, 3.0]
    });
    assert_eq!(read["readings"], expected);
    let gauge = json!([{
        "device": "roof", "quantity": "power_kw", "first": "2025-10-31T13:00:00Z", "last": "2025-10-31T13:20:00Z", "value": 3.0
    }]);
    assert_eq!((&read["gauges"], &kept.hive.get(PATH).await.ok()["gauges"]), (&gauge, &gauge));
}

#[tokio::test]
async fn steps_have_means_differences_and_last_values() {
    let kept = Kept::new();
    for (quantity, values, taken, expected) in [
        ("power_kw", vec![(0, 6.0), (10, 12.0), (15, 0.0), (40, 2.0)], "mean", json!([4.0, 2.0])),
        ("energy_kwh", vec![(0, 10.0), (20, 13.0), (30, 14.0), (50, 1.0)], "difference", json!([3.0, 2.0])),
        ("stored_kwh", vec![(0, 6.0), (10, 12.0), (40, 2.0)], "last", json!([12.0, 2.0])),
        ("grid_up", vec![(0, 1.0), (29, 0.0)], "last", json!([0.0, null])),
    ] {
        kept.hive.post(PATH, &readings("site", quantity, &values)).await.ok();
        let query = "step_minutes=30&from=2025-10-31T13:00:00Z&to=2025-10-31T14:00:00Z";
        let read = kept.hive.get(&format!("{PATH}?device=site&quantity={quantity}&{query}")).await.ok();
        assert_eq!((&read["readings"]["taken"], &read["readings"]["values"]), (&json!(taken), &expected), "{quantity}: {read}");
        assert_eq!(read["readings"]["times"], json!(["2025-10-31T13:00:00Z", "2025-10-31T13:30:00Z"]));
    }
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_by_its_field_and_nothing_of_it_is_kept() {
    let kept = Kept::new();
    let wrong = |change: Value| {
        let mut body = readings("roof", "power_kw", &[(0, 1.0), (10, 2.0)]);
        for (name, value) in change.as_object().unwrap() {
            body["readings"][1][name] = value.clone();
        }
        body
    };
    for (change, code, field) in [
        (json!({ "at": "2025-10-31T14:35:01Z" }), "L3-0006", "readings[1].at"),
        (json!({ "at": "2025-10-01T14:29:59Z" }), "L3-0006", "readings[1].at"),
        (json!({ "at": "yesterday" }), "L3-0006", "readings[1].at"),
        (json!({ "value": 2e9 }), "L3-0006", "readings[1].value"),
        (json!({ "value": "2" }), "L3-0005", "readings[1].value"),
        (json!({ "value": null }), "L3-0005", "readings[1].value"),
        (json!({ "quantity": "stored_kwh", "value": -1 }), "L3-0006", "readings[1].value"),
        (json!({ "quantity": "stored_share", "value": 1.01 }), "L3-0006", "readings[1].value"),
        (json!({ "quantity": "grid_up", "value": 0.5 }), "L3-0006", "readings[1].value"),
        (json!({ "quantity": "power" }), "L3-0006", "readings[1].quantity"),
        (json!({ "device": "" }), "L3-0006", "readings[1].device"),
        (json!({ "unit": "kW" }), "L3-0003", "readings[1].unit"),
    ] {
        kept.hive.post(PATH, &wrong(change)).await.refused(400, code, Some(field));
    }
    assert_eq!(kept.hive.get(PATH).await.ok()["gauges"], json!([]));
    let many: Vec<(u32, f64)> = (0..10_001).map(|_| (0, 1.0)).collect();
    kept.hive.post(PATH, &readings("roof", "power_kw", &many)).await.refused(400, "L3-0006", Some("readings"));
    // Five minutes ahead is a clock that runs fast.
    kept.hive.post(PATH, &wrong(json!({ "at": "2025-10-31T14:35:00Z" }))).await.ok();
    for (query, field) in [
        ("device=roof&quantity=power", "quantity"),
        ("device=roof&from=2025-10-31T00:00:00Z", "from"),
        ("step_minutes=15", "step_minutes"),
        ("device=roof&quantity=power_kw&step_minutes=1&from=1990-01-01T00:00:00Z", "from"),
        ("device=roof&quantity=power_kw&from=2025-10-31T00:00:00Z&to=2025-10-30T00:00:00Z", "from"),
    ] {
        kept.hive.get(&format!("{PATH}?{query}")).await.refused(400, "L3-0010", Some(field));
    }
}

#[tokio::test]
async fn a_meter_appends_its_own_readings_and_no_others() {
    let kept = Kept::new();
    let hive = &kept.hive;
    let key = async |body: Value, by: Option<&str>| {
        let made = match by {
            None => hive.post("/lab3/keys", &body).await,
            Some(key) => post_as(hive, key, "/lab3/keys", &body).await,
        };
        made.ok()["key"].as_str().unwrap().to_owned()
    };
    let scopes = json!(["read", "keys", "meter", "module"]);
    let operator = key(json!({ "kind": "operator", "scopes": scopes }), None).await;
    let meter = key(json!({ "kind": "meter", "name": "roof", "scopes": ["meter"] }), Some(&operator)).await;
    let steward = key(json!({ "kind": "steward", "name": "energy", "scopes": ["read", "module"] }), Some(&operator)).await;
    let other = key(json!({ "kind": "steward", "name": "repairs", "scopes": ["read", "module"] }), Some(&operator)).await;
    let (own, foreign) = (readings("roof", "power_kw", &[(0, 1.0)]), readings("cellar", "power_kw", &[(0, 1.0)]));
    let mut mixed = own.clone();
    mixed["readings"].as_array_mut().unwrap().push(foreign["readings"][0].clone());
    post_as(hive, &meter, PATH, &own).await.ok();
    for body in [&foreign, &mixed] {
        post_as(hive, &meter, PATH, body).await.refused(403, "L3-0036", None);
    }
    post_as(hive, &other, PATH, &own).await.refused(403, "L3-0036", None);
    get_as(hive, &meter, PATH).await.refused(403, "L3-0036", None);
    assert_eq!(get_as(hive, &steward, PATH).await.ok()["gauges"].as_array().unwrap().len(), 1);
    for keeper in [&steward, &operator] {
        post_as(hive, keeper, PATH, &mixed).await.ok();
    }
    let signal = json!({ "kind": "pv", "zone": "roof", "start": "2025-10-31T12:00:00Z", "step_minutes": 60, "values": [1] });
    for (key, passes) in [(&steward, true), (&operator, true), (&other, false), (&meter, false)] {
        let pushed = post_as(hive, key, "/lab3/energy/signals", &signal).await;
        assert_eq!(pushed.status, if passes { 200 } else { 403 }, "{}", pushed.text());
    }
}

#[tokio::test]
async fn a_desk_without_a_folder_says_so() {
    let hive = Hive::new();
    hive.post(PATH, &readings("roof", "power_kw", &[(0, 1.0)])).await.refused(503, "L3-0089", None);
    hive.get(PATH).await.refused(503, "L3-0089", None);
}
