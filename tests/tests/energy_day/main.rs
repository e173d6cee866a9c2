//! A day of a Hive with a site, lived with the real binary, its command line and HTTP: signals imported from published data, three days of telemetry, the plan
//! and the day told, a job booked and run, hours divided, certificates split and claimed, a query that waits, exports shared, the grid lost and back, less promised
//! to be bought; then the power of the desk is cut, and everything that was told is told again, and audited twice.
//!
//! It fails when a figure does not follow from what was read, when the loss of the grid is not planned for within two seconds, when anything told is gone after
//! kill -9, or when an auditor finds fault with the journal.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "outside of #[test] functions clippy does not see that this is a test"
)]

mod hive;

use std::path::Path;
use std::time::{Duration, Instant};

use lab3_tests::{Client, Desk, auditors, binary, data, wait};
use lab3_units::Time;
use serde_json::{Value, json};

use hive::{ALICE, BOB, COOP, DAY_MS, DRAWN_KW, EXPORT_PRICE, HOUR_MS, Hive, LOADS, MINUTE_MS, QUARTER_MS, ROOF_KW};
use hive::{energy, energy_json, floor, later, now, reading, readings, tell};

/// The promise of the documentation: what is to be done without the grid is known so soon.
const REPLANNED: Duration = Duration::from_secs(2);

#[test]
fn a_day_of_a_hive_is_lived_told_and_audited() {
    let Some(published) = data::at_hand("energy_day", "energy/lets-wait-awhile/ger_ci.csv") else { return };
    let hive = Hive::new();
    let evening = hive.open();
    import(&hive, &evening, &published);
    tell(&evening.client(), &readings(later(hive.today, -3 * DAY_MS), later(hive.quarter, MINUTE_MS)));
    evening.stop();

    // What signals say is looked at when a desk opens.
    let desk = hive.open();
    let client = desk.client();
    look(&hive, &desk);
    let booked = book(&hive, &desk);
    certify(&hive, &desk);
    query(&desk, &client);
    share(&hive, &desk);
    lose_the_grid(&desk, &client);
    promise(&desk);
    let told = told(&hive, &client);
    desk.kill();

    let desk = hive.open();
    assert_eq!(told, self::told(&hive, &desk.client()), "told otherwise after the fall");
    settle(&desk.client(), &booked);
    auditors::check(&desk, &hive.folder, "", true);
    desk.stop();
}

/// The published file as it is, and its last ten days moved so that they end in an hour, as the grid's own; and what power costs.
fn import(hive: &Hive, desk: &Desk, published: &Path) {
    let path = published.to_str().unwrap();
    let asked = ["import", path, "--kind", "carbon_average", "--zone", "DE-2020", "--source", "lets-wait-awhile", "--unit", "g/kWh"];
    let told = energy(desk, &asked);
    assert!(told.contains("carbon_average") && told.contains("DE-2020") && told.contains("2019-12-20T00:00:00Z"), "{told}");

    let text = std::fs::read_to_string(published).unwrap();
    let values: Vec<&str> = text.lines().skip(1).filter_map(|line| line.split_once(',')).map(|(_, value)| value).collect();
    let last = &values[values.len() - 960..];
    let begin = later(hive.quarter, (4 - 960) * QUARTER_MS);
    let rows = (0..).zip(last).map(|(step, value)| format!("{},{value}\n", later(begin, step * QUARTER_MS)));
    let file = hive.file("carbon.csv", &format!("Time,Carbon Intensity\n{}", rows.collect::<String>()));
    let told = energy_json(desk, &["import", &file, "--kind", "carbon_average", "--zone", "DE", "--source", "grid", "--unit", "g/kWh"]);
    assert_eq!((&told["signals"][0]["sent"], &told["signals"][0]["findings"]), (&json!(960), &json!([])), "{told}");

    let prices = |kind: &str, day_ms: i64, values: Vec<f64>, mark: &str| {
        let start = later(hive.today, day_ms).to_string();
        let signal =
            json!({ "kind": kind, "zone": "DE", "source": "tariff", "start": start, "step_minutes": 60, "values": values, "mark": mark });
        desk.client().write("/lab3/energy/signals", None, &signal);
    };
    prices("price_import", -3 * DAY_MS, (0..24 * 6).map(|hour| if hour % 24 < 6 { 0.1 } else { 0.4 }).collect(), "forecast");
    prices("price_export", -3 * DAY_MS, vec![EXPORT_PRICE; 72], "measured");
    let signals = energy(desk, &["signals"]);
    assert!(["DE-2020", "lets-wait-awhile", "price_import", "price_export"].iter().all(|word| signals.contains(word)), "{signals}");
}

/// The plan that holds, and the day.
fn look(hive: &Hive, desk: &Desk) {
    let now = energy(desk, &["now"]);
    for words in ["grid     up", "buy", "take of roof", "give from cellar", "Without the grid from now on: clinic"] {
        assert!(now.contains(words), "no {words:?} in\n{now}");
    }
    let site = energy_json(desk, &["now"]);
    assert_eq!(site["unknown"], json!([]), "all was read");
    // Everything that is drawn is served, from the roof, the cellar and the grid.
    let of = |row: &Value| row.as_array().unwrap().iter().map(|kwh| kwh.as_f64().unwrap()).sum::<f64>();
    let (plan, cellar) = (&site["plan"], &site["plan"]["batteries"][0]);
    let came = of(&plan["import_kwh"])
        + of(&plan["sources"][0]["used_kwh"])
        + of(&plan["generators"][0]["energy_kwh"])
        + of(&cellar["discharge_kwh"]);
    let went = of(&plan["export_kwh"]) + of(&cellar["charge_kwh"]) + DRAWN_KW * 36.0;
    assert!((came - went).abs() < 1e-3, "{came} kWh came and {went} went");

    let today = energy(desk, &["today", "--plain"]);
    assert!(today.is_ascii() && today.contains("in UTC") && today.contains("bought"), "{today}");
    let day = energy_json(desk, &["today", "--date", &hive.date(-1)]);
    let sums = &day["so_far"];
    assert_eq!((&day["steps_over"], &sums["steps"]), (&json!(96), &json!(96)), "{sums}");
    let near = |name: &str, expected: f64| assert!((sums[name].as_f64().unwrap() - expected).abs() < 1e-6, "{name} {sums}");
    near("generated_kwh", 6.0 * ROOF_KW);
    near("export_kwh", 6.0 * (ROOF_KW - DRAWN_KW));
    near("import_kwh", 18.0 * DRAWN_KW);
}

/// A job that has to run at once, and one that waits for its clean hour. Gives the first.
fn book(hive: &Hive, desk: &Desk) -> String {
    let start = floor(now(), HOUR_MS);
    let job = |id: &str, kw: f64, minutes: i64, deadline: i64| json!({ "id": id, "power_kw": kw, "duration_minutes": minutes, "deadline": later(start, deadline * HOUR_MS).to_string() });
    let plan = json!({
        "start": start.to_string(), "step_minutes": 60, "carbon_g_per_kwh": [300, 300, 50, 300],
        "jobs": [job("press", 1.5, 60, 1), job("train", 2.0, 60, 4)],
    });
    let file = hive.file("jobs.json", &json!({ "citizen_did": ALICE, "plan": plan }).to_string());
    let booked = energy_json(desk, &["book", &file, "--key", "monday"]);
    let runs = |job: usize| booked["jobs"][job]["runs"][0]["start"].as_str().unwrap().to_owned();
    assert_eq!((runs(0), runs(1)), (start.to_string(), later(start, 2 * HOUR_MS).to_string()), "{booked}");
    assert_eq!(energy_json(desk, &["book", &file, "--key", "monday"])["jobs"], booked["jobs"], "booked once");
    let told = energy(desk, &["bookings", ALICE]);
    assert!(told.contains("press") && told.contains("train"), "{told}");
    booked["jobs"][0]["job_id"].as_str().unwrap().to_owned()
}

/// What yesterday's noon brought: certified, split, claimed, and the hour divided.
fn certify(hive: &Hive, desk: &Desk) {
    let (client, noon) = (desk.client(), hive.noon());
    let issue = |hour: Time, kwh: f64, owner: &str| {
        let body = json!({ "device": "roof", "source": "solar", "hour": hour.to_string(), "generated_kwh": kwh, "owner_did": owner });
        client.write("/lab3/energy/certificates", None, &body)["certificate_id"].as_str().unwrap().to_owned()
    };
    let hers = issue(noon, 5.0, ALICE);
    issue(later(noon, HOUR_MS), 3.0, BOB);
    let split = client.write(&format!("/lab3/energy/certificates/{hers}/split"), None, &json!({ "first_wh": 2000 }));
    let part = split["into"][0].as_str().unwrap();
    client.write(&format!("/lab3/energy/certificates/{part}/claim"), None, &json!({ "hour": noon.to_string() }));
    let again = client.post(&format!("/lab3/energy/certificates/{part}/claim"), None, &json!({ "hour": noon.to_string() })).unwrap();
    assert_eq!(again.status, 409, "claimed twice: {}", again.body);
    let told = energy(desk, &["certificates", ALICE]);
    assert!(told.contains(part) && told.contains("2000") && told.contains("3000"), "{told}");

    let hour = json!({ "hour": noon.to_string(), "meter_kwh": 11, "idle_kwh": 1, "carbon_g_per_kwh": 200 });
    let closed = client.write("/lab3/energy/hours", None, &hour);
    let of = |part: &str, what: &str| closed[part][what].as_f64().unwrap();
    assert_eq!((of("meter", "energy_kwh"), of("idle", "energy_kwh"), of("house", "energy_kwh")), (11.0, 1.0, 10.0), "{closed}");
    assert_eq!((of("meter", "carbon_kg"), of("meter", "carbon_market_kg")), (2.2, 1.8), "2 kWh of 11 are claimed");
    let again = client.post("/lab3/energy/hours", None, &hour).unwrap();
    assert_eq!((again.status, &again.body["field"]), (409, &json!("hour")), "{}", again.body);
}

/// A query that may wait, and what it drew when it was answered.
fn query(desk: &Desk, client: &Client) {
    let deadline = later(now(), 12 * HOUR_MS).to_string();
    let asked =
        ["allocate", ALICE, "1000", "--provider", "local", "--min-quality", "0.1", "--deadline", &deadline, "--json", "--url", &desk.url()];
    let opened: Value = serde_json::from_str(&binary::succeed(&asked)).unwrap();
    let deferral = &opened["deferral"];
    let [then, at_once] = ["carbon_g_per_kwh", "at_once_carbon_g_per_kwh"].map(|name| deferral[name].as_f64().unwrap());
    assert!(then <= at_once && deferral["run_at"].as_str().unwrap() <= deadline.as_str(), "{deferral}");
    let id = opened["allocation_id"].as_str().unwrap();
    let report = json!({ "citizen_did": ALICE, "provider": "local", "actual_cost": 0.0001, "success": true, "allocation_id": id,
                         "input_tokens": 1000, "output_tokens": 500 });
    client.write("/lab3/compute/report_usage", None, &report);
    let drawn = client.ask(&format!("/lab3/compute/allocations/{id}"))["energy"].clone();
    assert_eq!((&drawn["energy_wh"], &drawn["ground"], &drawn["on_site"]), (&json!(0.5), &json!("measured"), &json!(true)));
    // It was answered now, so it emits what is emitted now.
    let carbon = drawn["carbon_g"].as_f64().unwrap();
    assert!((carbon - 0.0005 * at_once).abs() < 0.0006, "{carbon} g of 0.5 Wh at {at_once} g a kWh");
}

/// What the roof fed in over yesterday's noon, shared by who generated it.
fn share(hive: &Hive, desk: &Desk) {
    desk.client().mint(COOP, 10);
    let (from, to) = (hive.noon().to_string(), later(hive.noon(), 2 * HOUR_MS).to_string());
    let file = hive
        .file("exports.json", &json!({ "payer_did": COOP, "device": "grid", "from": from, "to": to, "rule": "generation" }).to_string());
    let shared = energy_json(desk, &["share", &file]);
    // 4 kW for two hours.
    assert_eq!(
        (&shared["exported_kwh"], &shared["amount_gic"], &shared["measured"]),
        (&json!(8.0), &json!(0.64), &json!(true)),
        "{shared}"
    );
    let shares: Vec<&Value> = shared["members"].as_array().unwrap().iter().map(|member| &member["amount_gic"]).collect();
    assert_eq!(shares, [&json!(0.4), &json!(0.24)], "5 kWh are hers and 3 his: {shared}");
    let told = energy(desk, &["exports"]);
    assert!(told.contains(COOP) && told.contains("0.64"), "{told}");
}

/// The grid is lost, and comes back.
fn lose_the_grid(desk: &Desk, client: &Client) {
    for (up, why) in [(0.0, "The grid is lost."), (1.0, "The grid is back.")] {
        // A moment nobody has read yet.
        tell(client, &[reading("grid", "grid_up", now(), up)]);
        let sent = Instant::now();
        let site = wait::at_most(REPLANNED, why, || {
            let site = client.ask("/lab3/energy/site");
            site["why"].as_array().unwrap().iter().any(|said| said == why).then_some(site)
        });
        assert!(sent.elapsed() < REPLANNED, "{why} took {:?}", sent.elapsed());
        assert_eq!(site["grid_is_down"], json!(up < 0.5));
        if up < 0.5 {
            assert_eq!(site["now"]["import_kw"].as_f64(), Some(0.0), "{}", site["now"]);
            let critical = |load: &&Value| ["clinic", "pumps"].contains(&load["name"].as_str().unwrap());
            let loads = site["plan"]["loads"].as_array().unwrap();
            assert_eq!(loads.len(), LOADS.len() + 1, "the booked jobs are one: {}", site["plan"]["loads"]);
            for load in loads.iter().filter(critical) {
                assert!(load["unserved_kwh"].as_array().unwrap().iter().all(|kwh| kwh.as_f64().unwrap() < 1e-6), "{load}");
            }
            assert!(energy(desk, &["now"]).contains("grid     down"));
        }
    }
}

/// Less is bought in an hour to come, for a reward.
fn promise(desk: &Desk) {
    let site = energy_json(desk, &["now"]);
    let begin = later(Time::parse(site["start"].as_str().unwrap()).unwrap(), 8 * QUARTER_MS);
    let (from, to) = (begin.to_string(), later(begin, 4 * QUARTER_MS).to_string());
    let asked = ["respond", "--from", &from, "--to", &to, "--reduce-kw", "2", "--reward", "5", "--penalty", "6"];
    let only_told = energy_json(desk, &asked);
    assert_eq!((&only_told["is_promised"], energy_json(desk, &["responses"])), (&json!(false), json!({ "responses": [] })));
    let promised = energy_json(desk, &[&asked[..], &["--promise"]].concat());
    assert_eq!(promised["promised_kw"], only_told["promised_kw"]);
    assert_eq!(promised["is_promised"], json!(promised["promised_kw"].as_f64().unwrap() > 0.0), "{promised}");
    assert_eq!(energy_json(desk, &["responses"])["responses"][0]["promised_kw"], promised["promised_kw"]);
    let told = energy(desk, &["responses"]);
    assert!(told.contains(&from), "{told}");
}

/// All that has to be told again by a desk that fell: as it was, where nothing has happened since.
fn told(hive: &Hive, client: &Client) -> Vec<Value> {
    let [mut day, mut today] = [-1, 0].map(|day| client.ask(&format!("/lab3/energy/day?date={}", hive.date(day))));
    day["now"].take();
    let mut told = vec![day, json!(today["grid"]["import_kwh"].as_array_mut().unwrap()[..hive.quarters_over()].to_vec())];
    for path in ["bookings?citizen_did=did:kaizen:alice", "certificates?citizen_did=did:kaizen:alice", "responses", "exports", "signals"] {
        told.push(client.ask(&format!("/lab3/energy/{path}")));
    }
    told
}

/// The first job has run.
fn settle(client: &Client, job: &str) {
    let settled = client.write(&format!("/lab3/energy/bookings/{job}/settle"), None, &json!({ "energy_kwh": 1.25 }));
    assert_eq!((&settled["energy_kwh"], &settled["metered"]), (&json!(1.25), &json!(true)), "{settled}");
    let left = client.ask("/lab3/energy/bookings?citizen_did=did:kaizen:alice");
    assert_eq!(left["bookings"].as_array().unwrap().len(), 1, "{left}");
}
