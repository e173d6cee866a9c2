use lab3_energy::day::{Battery, BatteryFlows, Flows, Grid, Inputs, PlacedJob, Signal, Site, Source, SourceKind, row};
use lab3_energy::jobs::Run;
use lab3_units::Time;
use serde_json::{Value, json};

use super::*;

/// A day of 23 hours in which the roof gave nothing in the first step, and an hour was not measured.
fn inputs(calendar: &Calendar) -> Inputs {
    let horizon = calendar.horizon("2026-03-29").unwrap();
    let all = |value: f64, mark: Mark| row(&vec![value; horizon.count], mark);
    let flows = |mark: Mark| Flows {
        import: all(1.0, mark),
        export: all(0.0, mark),
        grid_up: all(1.0, mark),
        sources: vec![all(0.5, mark)],
        batteries: vec![BatteryFlows { charge: all(0.0, mark), discharge: all(0.0, mark), stored: all(2.0, mark) }],
        loads: vec![all(1.5, mark)],
        unserved: all(0.0, mark),
    };
    let mut measured = flows(Mark::Measured);
    measured.sources[0] = all(0.0, Mark::Measured).into_iter().take(1).chain(all(0.5, Mark::Measured).into_iter().skip(1)).collect();
    measured.import[0] = all(1.500_04, Mark::Measured)[0];
    measured.import[4..8].fill(None);
    let signal =
        |value: f64| Signal { foreseen: all(value, Mark::Forecast), now: all(value, Mark::Measured).into_iter().take(1).collect() };
    Inputs {
        horizon,
        now: horizon.begin_of(12),
        site: Site {
            sources: vec![Source { name: "roof".into(), kind: SourceKind::Sun, cost: 0.0, carbon: 0.0 }],
            batteries: vec![Battery {
                name: "cellar".into(),
                capacity: 10.0,
                initial: Some(2.0),
                charge_efficiency: 0.95,
                discharge_efficiency: 0.95,
                wear: 0.0,
                carbon_free: 0.0,
            }],
            loads: vec!["houses".into()],
        },
        grid: Some(Grid {
            import_price: signal(0.3),
            export_price: signal(0.1),
            carbon: signal(400.0),
            carbon_free: all(0.5, Mark::Forecast),
        }),
        planned: Some(flows(Mark::Forecast)),
        measured,
        jobs: vec![PlacedJob {
            name: "train".into(),
            earliest: horizon.begin_of(0),
            runs: vec![Run { start: horizon.begin_of(40), end: horizon.begin_of(44), power_kw: 1.0 }],
            ..PlacedJob::default()
        }],
        threshold_kw: 0.5,
    }
}

fn told(change: impl FnOnce(&mut Inputs)) -> Value {
    let calendar = Calendar::of("Europe/Berlin").unwrap();
    let mut inputs = inputs(&calendar);
    change(&mut inputs);
    serde_json::to_value(DayReply::new(&Day::of(inputs), &calendar)).unwrap()
}

#[test]
fn a_day_is_told_in_rows_of_one_length() {
    let reply = told(|_| {});
    let rows = [
        &reply["begins"],
        &reply["marks"],
        &reply["consumption_kwh"],
        &reply["sources"][0]["served_kwh"],
        &reply["batteries"][0]["stored_kwh"],
        &reply["grid"]["import_kwh"],
        &reply["grid"]["import_price"]["marks"],
        &reply["planned"]["consumption_kwh"],
    ];
    for row in rows {
        assert_eq!(row.as_array().map(Vec::len), Some(92));
    }
    assert_eq!((&reply["date"], &reply["zone"], &reply["steps_over"]), (&json!("2026-03-29"), &json!("Europe/Berlin"), &json!(12)));
    assert_eq!(reply["now"], "2026-03-29T04:00:00+02:00", "three hours after midnight the clocks show four");
    assert_eq!((&reply["begins"][7], &reply["begins"][8]), (&json!("2026-03-29T01:45:00+01:00"), &json!("2026-03-29T03:00:00+02:00")));
    assert_eq!(reply["jobs"][0]["runs"][0]["start"], "2026-03-29T09:00:00Z");
    assert!(reply.to_string().len() < 40_000, "a day is {} bytes", reply.to_string().len());
}

#[test]
fn what_was_measured_is_told_from_what_is_planned() {
    let reply = told(|_| {});
    let marks = |steps: [usize; 3]| steps.map(|step| reply["marks"][step].as_str().unwrap_or("none").to_owned());
    assert_eq!(marks([0, 5, 12]), ["measured", "forecast", "forecast"]);
    assert_eq!(reply["unmeasured"], json!([{ "first_step": 4, "steps": 4, "devices": ["grid"] }]));
    assert_eq!((&reply["so_far"]["steps"], &reply["rest"]["steps"]), (&json!(8), &json!(80)));
    assert_eq!(reply["grid"]["import_kwh"][0], json!(1.5), "rounded to a tenth of a Wh");
    let prices = &reply["grid"]["import_price"]["marks"];
    assert_eq!((&prices[0], &prices[1]), (&json!("measured"), &json!("forecast")));
}

#[test]
fn a_deviation_is_told_with_its_parts() {
    let reply = told(|_| {});
    let deviation = &reply["deviations"][0];
    assert_eq!((&deviation["first_step"], &deviation["steps"], &deviation["cause"]), (&json!(0), &json!(1), &json!("less_source")));
    let parts = deviation["parts"].as_array().unwrap();
    assert_eq!((&parts[0]["device"], &parts[1]["cause"]), (&json!("roof"), &json!("unmetered")));
    let sum: f64 = parts.iter().map(|part| part["energy_kwh"].as_f64().unwrap()).sum();
    assert!((sum - deviation["energy_kwh"].as_f64().unwrap()).abs() < 1e-12);
    let detail = "00:00 to 00:15, 0.5 kWh more bought than planned (+0.15 MIC, +0.20 kg CO2e): 0.5 kWh less sun (roof) than foreseen.";
    assert_eq!(deviation["detail"], detail);
}

#[test]
fn what_is_not_known_is_null() {
    let reply = told(|inputs| {
        inputs.planned = None;
        inputs.measured = Flows::default();
        inputs.grid = None;
    });
    assert_eq!((&reply["planned"], &reply["grid"], &reply["total"]["score"]), (&Value::Null, &Value::Null, &Value::Null));
    for row in [&reply["consumption_kwh"], &reply["marks"], &reply["sources"][0]["served_kwh"], &reply["batteries"][0]["stored_kwh"]] {
        assert!(row.as_array().unwrap().iter().all(Value::is_null), "{row}");
    }
    let early = told(|inputs| inputs.now = Time::from_millis(0));
    assert_eq!((&early["steps_over"], &early["unmeasured"]), (&json!(0), &json!([])));
}
