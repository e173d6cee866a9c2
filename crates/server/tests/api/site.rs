//! The Hive's own site: planned from what its devices read, again when the grid is lost, its day told, promises kept.

use lab3_energy::day::Calendar;
use lab3_energy::site::{BatterySite, GridSite, LoadSite, Reserve, Site, SourceSite, Tier};
use lab3_server::{ServerSettings, SiteSettings};
use lab3_units::Time;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::hive::{ALICE, Hive};
use crate::kept::Kept;
use crate::keys::{get_as, make};

const SITE: &str = "/lab3/energy/site";
const DAY: &str = "/lab3/energy/day";
const TELEMETRY: &str = "/lab3/energy/telemetry";
const RESPONSES: &str = "/lab3/energy/responses";

/// A roof, a cellar, homes and a clinic, by hours.
fn settings() -> ServerSettings {
    let load = |name: &str, tier| LoadSite { name: name.into(), tier, worth_per_kwh: None };
    let site = Site {
        step_minutes: 60.0,
        grid: Some(GridSite { import_price_per_kwh: 0.3, export_price_per_kwh: 0.08, ..GridSite::default() }),
        sources: vec![SourceSite { name: "roof".into(), ..SourceSite::default() }],
        batteries: vec![BatterySite {
            name: "cellar".into(),
            capacity_kwh: 20.0,
            charge_max_kw: 5.0,
            discharge_max_kw: 5.0,
            charge_efficiency: 1.0,
            discharge_efficiency: 1.0,
            from_grid: true,
            ..BatterySite::default()
        }],
        loads: vec![load("homes", Tier::Homes), load("clinic", Tier::Clinic)],
        reserve: Some(Reserve { outage_hours: 4.0, up_to: Tier::Clinic, with_generators: false }),
        ..Site::default()
    };
    let site = Some(SiteSettings { site, clocks: Calendar::of("UTC").unwrap(), plan_hours: 24 });
    ServerSettings { site, ..ServerSettings::default() }
}

fn reading(device: &str, quantity: &str, at: &str, value: f64) -> Value {
    json!({ "device": device, "quantity": quantity, "at": at, "value": value })
}

async fn read(hive: &Hive, readings: Vec<Value>) {
    hive.post(TELEMETRY, &json!({ "readings": readings })).await.ok();
}

/// What the roof gives at an hour of the day, kW.
fn sun(hour: u32) -> f64 {
    if (9..15).contains(&hour) { 6.0 } else { 0.0 }
}

/// Three days of readings up to the hour before now, which is half past two.
pub async fn with_a_past() -> Kept {
    let kept = Kept::with(TempDir::new().unwrap(), settings());
    for (day, hours) in [(28, 0..24), (29, 0..24), (30, 0..24), (31, 0..14)] {
        let of_hour = |hour: u32| {
            let at = format!("2025-10-{day}T{hour:02}:10:00Z");
            let bought = if hour < 9 { 2.5 } else { 0.0 };
            vec![
                reading("homes", "power_kw", &at, 2.0),
                reading("clinic", "power_kw", &at, 0.5),
                reading("roof", "power_kw", &at, sun(hour)),
                reading("grid", "power_kw", &at, bought),
                reading("cellar", "power_kw", &at, 0.0),
                reading("cellar", "stored_kwh", &at, 10.0),
            ]
        };
        read(&kept.hive, hours.flat_map(of_hour).collect()).await;
    }
    read(&kept.hive, vec![reading("cellar", "stored_kwh", "2025-10-31T14:29:00Z", 12.0)]).await;
    kept
}

fn sum(row: &Value) -> f64 {
    row.as_array().unwrap().iter().map(|value| value.as_f64().unwrap_or(0.0)).sum()
}

#[tokio::test]
async fn a_desk_without_a_site_says_how_to_get_one() {
    let kept = Kept::new();
    for path in [SITE, DAY] {
        kept.hive.get(path).await.refused(404, "L3-0018", None);
    }
}

#[tokio::test]
async fn the_plan_is_of_what_devices_read() {
    let kept = with_a_past().await;
    let site = kept.hive.get(SITE).await.ok();
    assert_eq!(
        (&site["start"], &site["grid_is_down"], &site["unknown"]),
        (&json!("2025-10-31T14:00:00Z"), &json!(false), &json!([])),
        "{site}"
    );
    let plan = &site["plan"];
    // The same again tomorrow: 2.5 kWh in each hour, six hours of 6 kWh of sun, and 12 kWh in the cellar.
    let loads = 24.0 * 2.5;
    let given = sum(&plan["sources"][0]["used_kwh"]);
    let cellar = &plan["batteries"][0];
    let balance = sum(&plan["import_kwh"]) - sum(&plan["export_kwh"]) + given + sum(&cellar["discharge_kwh"]) - sum(&cellar["charge_kwh"]);
    assert!((balance - loads).abs() < 1e-6, "{balance}");
    assert!((given - 36.0).abs() < 1e-6, "{given}");
    // Four hours of the clinic are kept at every hour in which no sun comes within them.
    let held: Vec<f64> = cellar["stored_kwh"].as_array().unwrap().iter().map(|kwh| kwh.as_f64().unwrap()).collect();
    assert!(held[..14].iter().all(|kwh| *kwh > 2.0 - 1e-6), "{held:?}");
    assert_eq!(site["lasts"][0]["tier"], "clinic");
    // This hour's sun is left, and with it (12 + 6 - 2.5) / 2.5 hours more.
    assert_eq!((&site["lasts"][0]["hours"], &site["lasts"][1]["hours"]), (&json!(24.0), &json!(7.0)), "{}", site["lasts"]);
    // Asked again it is the same plan.
    assert_eq!(kept.hive.get(SITE).await.ok()["made_at"], site["made_at"]);
}

#[tokio::test]
async fn loss_and_return_of_the_grid_are_planned_at_once() {
    let kept = with_a_past().await;
    let first = kept.hive.get(SITE).await.ok();
    kept.hive.pass(60).await;
    read(&kept.hive, vec![reading("grid", "grid_up", "2025-10-31T14:31:00Z", 0.0)]).await;
    let lost = kept.hive.get(SITE).await.ok();
    assert_ne!(lost["made_at"], first["made_at"]);
    assert_eq!((&lost["grid_is_down"], &lost["why"][0]), (&json!(true), &json!("The grid is lost.")), "{}", lost["why"]);
    let unserved: Vec<f64> = lost["plan"]["loads"].as_array().unwrap().iter().map(|load| sum(&load["unserved_kwh"])).collect();
    assert!(unserved[1] < 1e-6, "the clinic is served: {unserved:?}");
    assert!((lost["now"]["import_kw"].as_f64().unwrap()).abs() < 1e-9, "{}", lost["now"]);
    kept.hive.pass(60).await;
    read(&kept.hive, vec![reading("grid", "grid_up", "2025-10-31T14:32:00Z", 1.0)]).await;
    let back = kept.hive.get(SITE).await.ok();
    assert_eq!((&back["grid_is_down"], &back["why"][0]), (&json!(false), &json!("The grid is back.")), "{}", back["why"]);
}

#[tokio::test]
async fn what_is_not_known_is_said() {
    let kept = Kept::with(TempDir::new().unwrap(), settings());
    let site = kept.hive.get(SITE).await.ok();
    let unknown: Vec<&str> = site["unknown"].as_array().unwrap().iter().map(|words| words.as_str().unwrap()).collect();
    assert_eq!(
        unknown,
        [
            "roof was never read, and no signal is about it: taken as 0.",
            "homes was never read, and no signal is about it: taken as 0.",
            "clinic was never read, and no signal is about it: taken as 0.",
            "What cellar holds was not read for an hour (stored_kwh or stored_share): taken as the least it shall hold.",
        ]
    );
    assert_eq!(site["lasts"], json!([]), "nobody knows what the clinic takes");
    // What somebody publishes of a device counts: 3 kW of homes from three o'clock on.
    let signal = json!({
        "kind": "load", "zone": "hive", "source": "homes", "start": "2025-10-31T15:00:00Z", "step_minutes": 60, "values": [3, 3, 3], "mark": "forecast"
    });
    kept.hive.post("/lab3/energy/signals", &signal).await.ok();
    kept.hive.pass(61).await;
    let site = kept.hive.get(SITE).await.ok();
    let first: Vec<f64> = site["plan"]["import_kwh"].as_array().unwrap().iter().skip(1).take(4).map(|kwh| kwh.as_f64().unwrap()).collect();
    assert!(first.iter().zip([3.0, 3.0, 3.0, 0.0]).all(|(is, was)| (is - was).abs() < 1e-6), "{first:?}");
}

#[tokio::test]
async fn what_a_plan_takes_as_nothing_is_told() {
    let mut settings = settings();
    let site = &mut settings.site.as_mut().unwrap().site;
    site.grid.as_mut().unwrap().peak_price_per_kw = Some(8.0);
    (site.sources, site.batteries, site.reserve) = (Vec::new(), Vec::new(), None);
    site.loads.truncate(1);
    let kept = Kept::with(TempDir::new().unwrap(), settings);
    // Of 24 steps the signal tells 12; the past of it is a guess for none.
    for (kind, zone, source) in [("load", "hive", "homes"), ("price_import", "DE", "tariff"), ("price_import", "FR", "tariff")] {
        let signal = json!({ "kind": kind, "zone": zone, "source": source, "start": "2025-10-31T14:00:00Z", "step_minutes": 60, "values": vec![1; 12], "mark": "forecast" });
        kept.hive.post("/lab3/energy/signals", &signal).await.ok();
    }
    read(&kept.hive, vec![reading("grid", "grid_up", "2025-10-31T06:00:00Z", 0.0)]).await;
    let site = kept.hive.get(SITE).await.ok();
    assert_eq!(
        site["unknown"],
        json!([
            "homes was never read, and the signal about it lacks 12 steps: taken as 0 there.",
            "What was bought this month was not read (import_kwh or power_kw of grid): its highest power is taken as 0.",
            "The grid was down when it was read last (grid_up), at 2025-10-31T06:00:00Z: taken to be down still.",
            "There are signals of price_import for several zones: energy.zone says which is the site's.",
        ])
    );
}

#[tokio::test]
async fn what_a_load_took_is_for_who_may_see_meters() {
    let kept = with_a_past().await;
    kept.hive.get(SITE).await.ok();
    // An hour later the homes are said to take more, and the roof to give more, than was foreseen.
    for (kind, device) in [("load", "homes"), ("pv", "roof")] {
        let signal = json!({ "kind": kind, "zone": "hive", "source": device, "start": "2025-10-31T15:00:00Z", "step_minutes": 60, "values": [9, 9], "mark": "forecast" });
        kept.hive.post("/lab3/energy/signals", &signal).await.ok();
    }
    kept.hive.pass(3600).await;
    let operator = make(&kept.hive, None, json!({ "kind": "operator" })).await;
    let citizen = make(&kept.hive, Some(&operator), json!({ "kind": "citizen", "did": "did:kaizen:alice", "scopes": ["read"] })).await;
    for (key, of_homes) in [(&operator, true), (&citizen, false)] {
        let why = get_as(&kept.hive, key, SITE).await.ok()["why"].to_string();
        assert_eq!((why.contains("roof"), why.contains("homes")), (true, of_homes), "{why}");
    }
}

#[tokio::test]
async fn the_day_is_told_from_plans_and_readings_and_stays_over_a_restart() {
    let kept = with_a_past().await;
    kept.hive.get(SITE).await.ok();
    kept.hive.pass(3600).await;
    let readings = [("homes", 3.0), ("clinic", 0.5), ("roof", 0.0), ("grid", 3.5), ("cellar", 0.0)];
    let at = |minute: u32| format!("2025-10-31T14:{minute:02}:00Z");
    let rows = readings.iter().flat_map(|(device, power)| [0, 15, 30, 45].map(|minute| reading(device, "power_kw", &at(minute), *power)));
    read(&kept.hive, rows.collect()).await;
    let check = |day: &Value| {
        assert_eq!((&day["date"], &day["zone"], day["begins"].as_array().unwrap().len()), (&json!("2025-10-31"), &json!("UTC"), 96));
        assert_eq!((&day["marks"][56], &day["marks"][70]), (&json!("measured"), &json!("forecast")), "{}", day["marks"]);
        assert_eq!((&day["consumption_kwh"][56], &day["grid"]["import_kwh"][56]), (&json!(0.875), &json!(0.875)));
        // Planned was 0.5 kWh less of homes in each quarter, and whatever the cellar was to give.
        assert!(day["planned"]["consumption_kwh"][56].as_f64().unwrap() < 0.7, "{}", day["planned"]["consumption_kwh"]);
        let causes: Vec<&Value> = day["deviations"].as_array().unwrap().iter().map(|deviation| &deviation["cause"]).collect();
        assert!(!causes.is_empty(), "{}", day["deviations"]);
    };
    let day = kept.hive.get(DAY).await.ok();
    check(&day);
    // The desk is opened anew, an hour later than its clock begins.
    let Kept { hive, folder } = kept;
    drop(hive);
    let kept = Kept::with(folder, settings());
    kept.hive.pass(3600).await;
    check(&kept.hive.get(DAY).await.ok());
    kept.hive.get("/lab3/energy/day?date=2025-02-30").await.refused(400, "L3-0010", Some("date"));
    let yesterday = kept.hive.get("/lab3/energy/day?date=2025-10-30").await.ok();
    assert_eq!((&yesterday["steps_over"], &yesterday["planned"]), (&json!(96), &Value::Null));
}

#[tokio::test]
async fn a_job_stands_in_its_day_also_when_it_has_run() {
    let kept = with_a_past().await;
    let booking = json!({
        "citizen_did": ALICE,
        "plan": {
            "start": "2025-10-31T14:00:00Z", "step_minutes": 60, "carbon_g_per_kwh": [300, 300, 100],
            "jobs": [{ "id": "train", "power_kw": 2, "duration_minutes": 60, "deadline": "2025-10-31T17:00:00Z" }]
        }
    });
    let booked = kept.hive.post("/lab3/energy/bookings", &booking).await.ok();
    let told = json!([{
        "name": "train", "owner": null, "carbon_saved_g": 400.0, "cost_saved_gic": 0.0,
        "runs": [{ "start": "2025-10-31T16:00:00Z", "end": "2025-10-31T17:00:00Z", "power_kw": 2.0 }]
    }]);
    assert_eq!(kept.hive.get(DAY).await.ok()["jobs"], told);
    // It is a load of the plan, the last to be served.
    let site = kept.hive.get(SITE).await.ok();
    assert_eq!(site["plan"]["loads"][2]["name"], "booked jobs");
    kept.hive.clock.set(Time::parse("2025-10-31T17:10:00Z").unwrap());
    let settle = format!("/lab3/energy/bookings/{}/settle", booked["jobs"][0]["job_id"].as_str().unwrap());
    kept.hive.post(&settle, &json!({})).await.ok();
    assert_eq!(kept.hive.get(DAY).await.ok()["jobs"], told);
    assert_eq!(kept.hive.get("/lab3/energy/day?date=2025-10-30").await.ok()["jobs"], json!([]));
}

#[tokio::test]
async fn what_was_promised_is_kept_and_settled() {
    let kept = with_a_past().await;
    let event = |promise: bool| {
        json!({
            "from": "2025-10-31T17:00:00Z", "to": "2025-10-31T19:00:00Z", "reduce_kw": 1.5, "baseline_kwh": [2.5, 2.5],
            "reward_per_kwh_gic": 0.4, "penalty_per_kwh_gic": 1, "promise": promise
        })
    };
    let told = kept.hive.post(RESPONSES, &event(false)).await.ok();
    assert_eq!((&told["promised_kw"], &told["reward_gic"], &told["is_promised"]), (&json!(1.5), &json!(1.2), &json!(false)), "{told}");
    assert_eq!(kept.hive.get(RESPONSES).await.ok()["responses"], json!([]));
    assert_eq!(kept.hive.post(RESPONSES, &event(true)).await.ok()["is_promised"], json!(true));
    kept.hive.post(RESPONSES, &event(true)).await.refused(409, "L3-0065", Some("from"));
    // Every plan from now on keeps it, also of a desk that was opened anew.
    let Kept { hive, folder } = kept;
    drop(hive);
    let kept = Kept::with(folder, settings());
    let site = kept.hive.get(SITE).await.ok();
    for step in [3, 4] {
        assert!(site["plan"]["import_kwh"][step].as_f64().unwrap() <= 1.0 + 1e-6, "{}", site["plan"]["import_kwh"]);
    }
    kept.hive.clock.set(Time::parse("2025-10-31T20:00:00Z").unwrap());
    assert_eq!(kept.hive.get(RESPONSES).await.ok()["responses"][0]["settled"], Value::Null, "nothing was measured");
    // 1 kWh was bought in the first hour, 1.25 in the second.
    let counted = [("16:59:59", 100.0), ("17:59:59", 101.0), ("18:59:59", 102.25)];
    read(&kept.hive, counted.iter().map(|(at, kwh)| reading("grid", "import_kwh", &format!("2025-10-31T{at}Z"), *kwh)).collect()).await;
    let settled = kept.hive.get(RESPONSES).await.ok()["responses"][0]["settled"].clone();
    assert_eq!(settled, json!({ "reduced_kwh": 2.75, "short_kwh": 0.25, "earned_gic": 0.85 }));
}

#[tokio::test]
async fn of_two_promises_made_at_once_one_is() {
    let kept = with_a_past().await;
    kept.hive.get(SITE).await.ok();
    let event = |from: u32| json!({ "from": format!("2025-10-31T{from}:00:00Z"), "to": "2025-10-31T19:00:00Z", "reduce_kw": 1, "baseline_kwh": vec![2.5; 19 - from as usize], "reward_per_kwh_gic": 1, "promise": true });
    let (one, other) = (event(16), event(17));
    let (one, other) = tokio::join!(kept.hive.post(RESPONSES, &one), kept.hive.post(RESPONSES, &other));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "{} {}", one.text(), other.text());
    assert_eq!(kept.hive.get(RESPONSES).await.ok()["responses"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_event_that_makes_no_sense_is_refused_by_its_field() {
    let kept = with_a_past().await;
    for (change, field) in [
        (json!({ "from": "2025-10-31T17:20:00Z" }), "from"),
        (json!({ "from": "2025-10-31T14:00:00Z" }), "from"),
        (json!({ "to": "2025-11-30T14:00:00Z" }), "from"),
        (json!({ "to": "2025-10-31T16:00:00Z" }), "from"),
        (json!({ "baseline_kwh": [1] }), "baseline_kwh"),
        (json!({ "reduce_kw": -1 }), "reduce_kw"),
        (json!({ "reward_per_kwh_gic": 2_000_000 }), "reward_per_kwh"),
    ] {
        let mut body = json!({ "from": "2025-10-31T17:00:00Z", "to": "2025-10-31T19:00:00Z", "reduce_kw": 1 });
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        kept.hive.post(RESPONSES, &body).await.refused(400, "L3-0006", Some(field));
    }
}

#[tokio::test]
async fn jobs_take_the_hours_the_desk_knows_of() {
    let kept = with_a_past().await;
    let jobs = |start: &str, deadline: &str| {
        json!({
            "start": start, "step_minutes": 60,
            "jobs": [{ "id": "train", "power_kw": 2, "duration_minutes": 60, "deadline": deadline }]
        })
    };
    let path = "/lab3/energy/jobs";
    let (today, night) = (jobs("2025-10-31T14:00:00Z", "2025-10-31T17:00:00Z"), jobs("2025-10-31T18:00:00Z", "2025-11-01T02:00:00Z"));
    kept.hive.post(path, &night).await.refused(404, "L3-0057", Some("carbon_g_per_kwh"));
    let signal = json!({
        "kind": "carbon_average", "zone": "DE", "source": "grid", "start": "2025-10-31T14:00:00Z", "step_minutes": 60, "mark": "forecast",
        "values": [300, 100, 300, 300, 300, 300, 300, 300, 300, 90, 300, 300]
    });
    kept.hive.post("/lab3/energy/signals", &signal).await.ok();
    let placed = kept.hive.post(path, &night).await.ok()["jobs"][0].clone();
    assert_eq!((&placed["runs"][0]["start"], &placed["carbon_saved_g"]), (&json!("2025-10-31T23:00:00Z"), &json!(420.0)), "{placed}");
    let placed = kept.hive.post(path, &today).await.ok()["jobs"][0].clone();
    assert_eq!(placed["runs"][0]["start"], "2025-10-31T15:00:00Z");
    // The cellar is full, and this hour's sun would be sold: it is the Hive's own.
    read(&kept.hive, vec![reading("cellar", "stored_kwh", "2025-10-31T14:29:30Z", 20.0)]).await;
    read(&kept.hive, vec![reading("grid", "grid_up", "2025-10-31T14:29:40Z", 0.0)]).await;
    kept.hive.get(SITE).await.ok();
    read(&kept.hive, vec![reading("grid", "grid_up", "2025-10-31T14:29:50Z", 1.0)]).await;
    let placed = kept.hive.post(path, &today).await.ok()["jobs"][0].clone();
    assert_eq!((&placed["runs"][0]["start"], &placed["sums"]["carbon_g"]), (&json!("2025-10-31T14:00:00Z"), &json!(0.0)), "{placed}");
}

#[tokio::test]
async fn an_hour_is_divided_by_the_sites_own_meters_and_brings_along_what_charged_the_battery() {
    let kept = Kept::with(TempDir::new().unwrap(), settings());
    let path = "/lab3/energy/hours";
    let hour = |hour: u32| json!({ "hour": format!("2025-10-31T{hour:02}:00:00Z") });
    kept.hive.post(path, &hour(13)).await.refused(400, "L3-0002", Some("meter_kwh"));
    let signal = json!({
        "kind": "carbon_average", "zone": "DE", "source": "grid", "start": "2025-10-31T11:00:00Z", "step_minutes": 60, "values": [300, 400, 500]
    });
    kept.hive.post("/lab3/energy/signals", &signal).await.ok();
    // The cellar is charged with 2 kWh of the grid at 300 g, and gives 1 of them at one o'clock, beside 1 of the grid at 500 g and 1 of sun.
    for (hour, bought, sun, given) in [(11, 2.0, 0.0, -2.0), (12, 0.0, 0.0, 0.0), (13, 1.0, 1.0, 1.0)] {
        let at = format!("2025-10-31T{hour}:10:00Z");
        let readings = [("grid", bought), ("roof", sun), ("cellar", given)];
        read(&kept.hive, readings.iter().map(|(device, power)| reading(device, "power_kw", &at, *power)).collect()).await;
    }
    let closed = kept.hive.post(path, &hour(13)).await.ok();
    assert_eq!((&closed["meter"]["energy_kwh"], &closed["meter"]["carbon_kg"]), (&json!(3.0), &json!(0.8)), "{closed}");
    assert_eq!(closed["house"]["energy_kwh"], json!(3.0));
}

#[tokio::test]
async fn a_job_counts_at_the_grid_of_the_hours_it_ran_in() {
    let kept = Kept::with(TempDir::new().unwrap(), settings());
    let signal = json!({
        "kind": "carbon_average", "zone": "DE", "source": "grid", "start": "2025-10-31T14:00:00Z", "step_minutes": 60, "values": [400, 100, 700]
    });
    let pushed = kept.hive.post("/lab3/energy/signals", &signal).await.ok();
    let counts = &pushed["signals"][0]["signal"];
    assert_eq!((&counts["measured"], &counts["forecast"]), (&json!(1), &json!(2)), "what is to come nobody has measured");
    let booking = json!({
        "citizen_did": ALICE,
        "plan": { "start": "2025-10-31T14:00:00Z", "step_minutes": 60, "carbon_g_per_kwh": [400, 100],
            "jobs": [{ "id": "train", "power_kw": 1, "duration_minutes": 120, "deadline": "2025-10-31T16:00:00Z" }] }
    });
    let booked = kept.hive.post("/lab3/energy/bookings", &booking).await.ok();
    // It is settled an hour after it ran, when the grid emits more.
    kept.hive.clock.set(Time::parse("2025-10-31T16:30:00Z").unwrap());
    let settle = format!("/lab3/energy/bookings/{}/settle", booked["jobs"][0]["job_id"].as_str().unwrap());
    let settled = kept.hive.post(&settle, &json!({})).await.ok();
    assert_eq!((&settled["energy_kwh"], &settled["carbon_kg"]), (&json!(2.0), &json!(0.5)), "{settled}");
}

#[tokio::test]
async fn what_a_home_takes_is_told_by_its_name_to_those_who_look_after_the_hive() {
    let kept = with_a_past().await;
    kept.hive.get(SITE).await.ok();
    kept.hive.pass(3600).await;
    let at = |minute: u32| format!("2025-10-31T14:{minute:02}:00Z");
    let readings = [("homes", 6.0), ("clinic", 0.5), ("roof", 0.0), ("grid", 6.5), ("cellar", 0.0)];
    let rows = readings.iter().flat_map(|(device, power)| [0, 15, 30, 45].map(|minute| reading(device, "power_kw", &at(minute), *power)));
    read(&kept.hive, rows.collect()).await;
    let operator = make(&kept.hive, None, json!({ "kind": "operator" })).await;
    let citizen = make(&kept.hive, Some(&operator), json!({ "kind": "citizen", "did": ALICE, "scopes": ["read"] })).await;
    for (key, told) in [(operator, true), (citizen, false)] {
        let deviations = get_as(&kept.hive, &key, DAY).await.ok()["deviations"].to_string();
        assert_eq!((deviations.contains("homes"), deviations.contains("more_load")), (told, true), "{deviations}");
    }
}
