//! Energy on the books, over HTTP: jobs booked, settled and released, hours divided, certificates, and what a query drew.

use lab3_energy::carbon::{GridHour, Intensity, ModelDraw};
use lab3_engine::Policy;
use lab3_server::{CarbonSettings, ProviderDraw, ServerSettings};
use serde_json::{Value, json};

use crate::hive::{ALICE, BOB, Hive};
use crate::kept::Kept;
use crate::keys::{make, post_as};

const BOOKINGS: &str = "/lab3/energy/bookings";
const HOURS: &str = "/lab3/energy/hours";
const CERTIFICATES: &str = "/lab3/energy/certificates";

/// Two hours, of which the second is clean; a job of one of them.
fn booking(power: u64) -> Value {
    json!({ "citizen_did": ALICE, "plan": {
        "start": "2025-10-31T14:00:00Z", "step_minutes": 60, "carbon_g_per_kwh": [400, 100], "price_per_kwh": [0.2, 0.3],
        "jobs": [{ "id": "train", "power_kw": power, "duration_minutes": 60, "deadline": "2025-10-31T16:00:00Z" }],
    } })
}

fn grid() -> GridHour {
    let of = |g| Intensity::from_g_per_kwh(g).unwrap();
    GridHour { average: of(400.0), marginal: of(700.0), residual: None }
}

/// The local model draws 1 mWh a token.
fn local() -> ProviderDraw {
    let table = Some(ModelDraw { input_token_wh: 0.0, output_token_wh: 0.001, request_wh: 0.0, spread: 0.5 });
    ProviderDraw { provider: "local_llama".into(), on_site: true, meter: None, table, stated: None, grid: None, hardware: None }
}

/// A Hive whose local model draws 1 mWh a token, at 400 g a kWh.
fn measured() -> Hive {
    let carbon = CarbonSettings { zone: None, grid: grid(), draws: vec![local()] };
    Hive::with(Policy::default(), ServerSettings { carbon, ..ServerSettings::default() })
}

#[tokio::test]
async fn a_job_is_promised_its_clean_hour_and_settled_by_its_meter() {
    let hive = Hive::new();
    let booked = hive.post(BOOKINGS, &booking(2)).await.ok();
    let job = &booked["jobs"][0];
    assert_eq!(job["runs"], json!([{ "start": "2025-10-31T15:00:00Z", "end": "2025-10-31T16:00:00Z", "power_kw": 2.0 }]));
    assert_eq!((&job["energy_kwh"], &job["carbon_kg"], &job["carbon_saved_kg"]), (&json!(2.0), &json!(0.2), &json!(0.6)));
    assert_eq!((&job["cost_gic"], &job["cost_saved_gic"], &booked["gap"]), (&json!(0.6), &json!(-0.2), &json!(0.0)));
    let list = format!("{BOOKINGS}?citizen_did={ALICE}");
    assert_eq!(hive.get(&list).await.ok()["bookings"][0]["job_id"], job["job_id"]);
    let settle = format!("{BOOKINGS}/{}/settle", job["job_id"].as_str().unwrap());
    hive.post(&settle, &json!({})).await.refused(409, "L3-0064", Some("job_id"));
    hive.pass(90 * 60).await;
    let settled = hive.post(&settle, &json!({ "energy_kwh": 1.75 })).await.ok();
    assert_eq!((&settled["energy_kwh"], &settled["metered"]), (&json!(1.75), &json!(true)));
    assert_eq!(hive.post(&settle, &json!({ "energy_kwh": 9 })).await.ok(), settled, "it counts once");
    assert_eq!(hive.get(&list).await.ok()["bookings"], json!([]));
}

#[tokio::test]
async fn a_key_books_once_and_what_has_no_place_books_nothing() {
    let hive = Hive::new();
    let first = hive.post_keyed(BOOKINGS, "k1", &booking(2)).await.ok();
    assert_eq!(hive.post_keyed(BOOKINGS, "k1", &booking(2)).await.ok(), first);
    let list = format!("{BOOKINGS}?citizen_did={ALICE}");
    assert_eq!(hive.get(&list).await.ok()["bookings"].as_array().unwrap().len(), 1);
    let mut late = booking(2);
    late["plan"]["jobs"][0]["deadline"] = "2025-10-31T14:30:00Z".into();
    hive.post(BOOKINGS, &late).await.refused(422, "L3-0078", Some("plan.jobs[0]"));
    let mut misfit = booking(2);
    misfit["plan"]["price_per_kwh"] = json!([1]);
    hive.post(BOOKINGS, &misfit).await.refused(400, "L3-0006", Some("plan.price_per_kwh"));
    let job = first["jobs"][0]["job_id"].as_str().unwrap();
    let released = hive.post(&format!("{BOOKINGS}/{job}/release"), &json!({})).await.ok();
    assert_eq!(released["released_kwh"], 2.0);
    hive.post(&format!("{BOOKINGS}/{job}/release"), &json!({})).await.refused(404, "L3-0058", None);
}

#[tokio::test]
async fn what_a_query_drew_stands_by_its_allocation_and_its_hour_adds_up_to_the_meter() {
    let hive = measured();
    let allocate = json!({ "citizen_did": ALICE, "query_tokens": 100, "preferred_provider": "local_llama", "min_quality": 0.1 });
    let opened = hive.post("/lab3/compute/allocate", &allocate).await.ok();
    let id = opened["allocation_id"].as_str().unwrap();
    let report = json!({ "citizen_did": ALICE, "provider": "local", "actual_cost": 0, "success": true, "allocation_id": id,
        "input_tokens": 100, "output_tokens": 300 });
    hive.post("/lab3/compute/report_usage", &report).await.ok();
    let drawn = hive.get(&format!("/lab3/compute/allocations/{id}")).await.ok()["energy"].clone();
    let expected = json!({ "energy_wh": 0.3, "energy_wh_low": 0.15, "energy_wh_high": 0.45, "ground": "measured", "on_site": true,
        "carbon_g": 0.12, "carbon_marginal_g": 0.21, "carbon_market_g": 0.12, "embodied_g": null, "sci_g": null });
    assert_eq!(drawn, expected);
    let hour = json!({ "hour": "2025-10-31T14:00:00Z", "meter_kwh": "0.001", "idle_kwh": 0.0001, "carbon_g_per_kwh": 500 });
    hive.post(HOURS, &hour).await.refused(409, "L3-0066", Some("hour"));
    hive.pass(3600).await;
    let closed = hive.post(HOURS, &hour).await.ok();
    let energy = |part: &str| closed[part]["energy_kwh"].as_f64().unwrap();
    assert_eq!((energy("citizens"), energy("idle"), energy("house"), closed["drew"].as_u64()), (0.0003, 0.0001, 0.0006, Some(1)));
    assert_eq!((&closed["meter"]["carbon_kg"], &closed["citizens"]["carbon_kg"]), (&json!(0.0005), &json!(0.00015)));
}

#[tokio::test]
async fn a_meter_bound_to_a_query_has_the_first_word_when_a_service_says_so() {
    let hive = measured();
    let report =
        json!({ "citizen_did": ALICE, "provider": "local", "actual_cost": 0, "success": true, "output_tokens": 300, "energy_kwh": 0.002 });
    let allocate = json!({ "citizen_did": ALICE, "query_tokens": 100, "preferred_provider": "local_llama", "min_quality": 0.1 });
    let opened = hive.post("/lab3/compute/allocate", &allocate).await.ok();
    hive.post("/lab3/compute/report_usage", &report).await.ok();
    let drawn = hive.get(&format!("/lab3/compute/allocations/{}", opened["allocation_id"].as_str().unwrap())).await.ok()["energy"].clone();
    assert_eq!((&drawn["ground"], &drawn["energy_wh"], &drawn["energy_wh_high"]), (&json!("metered"), &json!(2.0), &json!(2.02)));
    // A citizen's word is no meter's.
    let operator = make(&hive, None, json!({ "kind": "operator" })).await;
    let hers = make(&hive, Some(&operator), json!({ "kind": "citizen", "did": ALICE, "scopes": ["compute"] })).await;
    post_as(&hive, &hers, "/lab3/compute/report_usage", &report).await.refused(403, "L3-0036", Some("energy_kwh"));
}

#[tokio::test]
async fn an_hour_is_divided_by_the_machines_own_meter() {
    // By the table 0.3 Wh; the rack took 0.6 Wh in all, and what of it nobody drew it drew idle.
    for (meter, idle) in [(None, 0.0), (Some("rack"), 0.0003), (Some("another"), 0.0)] {
        let draws = vec![ProviderDraw { meter: meter.map(Into::into), ..local() }];
        let settings = ServerSettings { carbon: CarbonSettings { zone: None, grid: grid(), draws }, ..ServerSettings::default() };
        let kept = Kept::with(tempfile::TempDir::new().unwrap(), settings);
        let report = json!({ "citizen_did": ALICE, "provider": "local", "actual_cost": 0, "success": true, "output_tokens": 300 });
        kept.hive.post("/lab3/compute/report_usage", &report).await.ok();
        let reading = |at: &str, kwh: f64| json!({ "device": "rack", "quantity": "energy_kwh", "at": at, "value": kwh });
        let readings = json!({ "readings": [reading("2025-10-31T13:59:00Z", 10.0), reading("2025-10-31T14:29:00Z", 10.0006)] });
        kept.hive.post("/lab3/energy/telemetry", &readings).await.ok();
        kept.hive.pass(3600).await;
        let closed = kept.hive.post(HOURS, &json!({ "hour": "2025-10-31T14:00:00Z", "meter_kwh": 0.001 })).await.ok();
        assert_eq!((&closed["citizens"]["energy_kwh"], &closed["idle"]["energy_kwh"]), (&json!(0.0003), &json!(idle)), "{meter:?}");
    }
}

#[tokio::test]
async fn a_certificate_is_claimed_once_and_counts_in_its_hour() {
    let hive = Hive::new();
    let issue = json!({ "device": "roof", "source": "solar", "hour": "2025-10-31T13:00:00Z", "generated_kwh": 1.5009, "owner_did": ALICE });
    let issued = hive.post(CERTIFICATES, &issue).await.ok();
    assert_eq!(issued["energy_wh"], 1500, "whole Wh");
    hive.post(CERTIFICATES, &issue).await.refused(409, "L3-0067", Some("hour"));
    let act = |id: &Value, what: &str| format!("{CERTIFICATES}/{}/{what}", id.as_str().unwrap());
    let split = hive.post(&act(&issued["certificate_id"], "split"), &json!({ "first_wh": 500 })).await.ok();
    let [first, second] = [&split["into"][0], &split["into"][1]];
    hive.post(&act(second, "hand"), &json!({ "to_did": BOB })).await.ok();
    let hers = hive.get(&format!("{CERTIFICATES}?citizen_did={ALICE}")).await.ok();
    assert_eq!(hers["certificates"].as_array().unwrap().len(), 1);
    hive.post(&act(first, "claim"), &json!({ "hour": "2025-10-31T12:00:00Z" })).await.refused(400, "L3-0006", Some("hour"));
    hive.post(&act(first, "claim"), &json!({ "hour": "2025-10-31T13:00:00Z" })).await.ok();
    hive.post(&act(first, "claim"), &json!({ "hour": "2025-10-31T13:00:00Z" })).await.refused(409, "L3-0067", Some("certificate_id"));
    let hour = json!({ "hour": "2025-10-31T13:00:00Z", "meter_kwh": 2, "carbon_g_per_kwh": 400 });
    let closed = hive.post(HOURS, &hour).await.ok();
    assert_eq!((&closed["meter"]["carbon_kg"], &closed["meter"]["carbon_market_kg"]), (&json!(0.8), &json!(0.6)), "half a kWh is covered");
    let silly = json!({ "device": "roof", "source": "coal", "hour": "2025-10-31T12:00:00Z", "generated_kwh": 1, "owner_did": ALICE });
    hive.post(CERTIFICATES, &silly).await.refused(400, "L3-0006", Some("source"));
}
