//! Signals: pushed in our own form and as documents, listed, read, foreseen.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::hive::Hive;
use crate::kept::Kept;

const PATH: &str = "/lab3/energy/signals";

/// Four hours of a price.
fn price() -> Value {
    json!({ "kind": "price_import", "zone": "DE", "source": "tariff", "start": "2025-10-31T12:00:00Z", "step_minutes": 60, "values": [0.4, 0.3, 0.2, 0.1] })
}

/// The same with some fields otherwise.
fn with(mut body: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

#[tokio::test]
async fn what_is_pushed_is_listed_and_read() {
    let kept = Kept::new();
    let pushed = kept.hive.post(PATH, &price()).await.ok();
    let one = &pushed["signals"][0];
    assert_eq!(
        (&pushed["format"], &pushed["doubtful"], &one["sent"], &one["written"]),
        (&json!("json"), &json!(false), &json!(4), &json!(4))
    );
    assert_eq!(one["findings"], json!([]));
    let kept = kept.reopened();
    let listed = kept.hive.get(PATH).await.ok();
    let expected = json!([{
        "kind": "price_import", "zone": "DE", "source": "tariff", "detail": "", "unit": "MIC/kWh", "step_minutes": 60.0,
        "first": "2025-10-31T12:00:00Z", "end": "2025-10-31T16:00:00Z", "measured": 4, "forecast": 0, "filled": 0,
        "written_at": "2025-10-31T14:30:00Z",
    }]);
    assert_eq!((&listed["signals"], &listed["fetches"]), (&expected, &json!([])));
    let read = kept.hive.get(&format!("{PATH}/price_import")).await.ok();
    assert_eq!((&read["start"], &read["values"]), (&json!("2025-10-31T12:00:00Z"), &json!([0.4, 0.3, 0.2, 0.1])));
    assert_eq!((&read["marks"][0], &read["forecast"], &read["signal"]["zone"]), (&json!("measured"), &Value::Null, &json!("DE")));
}

#[tokio::test]
async fn a_part_is_read_in_steps_of_any_length() {
    let kept = Kept::new();
    let gap = with(price(), &json!({ "values": [0.4, null, null, null, 0.2, 0.1], "fill_minutes": 0 }));
    let pushed = kept.hive.post(PATH, &gap).await.ok();
    assert_eq!(pushed["doubtful"], true, "a gap that is left is a doubt: {pushed}");
    let read = async |query: &str| kept.hive.get(&format!("{PATH}/price_import?zone=DE&{query}")).await.ok();
    let part = read("from=2025-10-31T12:30:00Z&to=2025-10-31T17:00:00Z").await;
    assert_eq!((&part["start"], &part["values"]), (&json!("2025-10-31T12:00:00Z"), &json!([0.4, null, null, null, 0.2])));
    assert_eq!(part["marks"], json!(["measured", null, null, null, "measured"]));
    let wide = read("step_minutes=120&from=2025-10-31T12:00:00%2B00:00").await;
    assert_eq!((&wide["step_minutes"], &wide["values"][0], &wide["values"][1]), (&json!(120.0), &Value::Null, &Value::Null));
    assert!((wide["values"][2].as_f64().unwrap() - 0.15).abs() < 1e-12, "{wide}");
    let fine = read("step_minutes=30&from=2025-10-31T16:00:00Z").await;
    assert_eq!(fine["values"], json!([0.2, 0.2, 0.1, 0.1]));
}

#[tokio::test]
async fn a_forecast_never_takes_the_place_of_a_measured_value() {
    let kept = Kept::new();
    kept.hive.post(PATH, &price()).await.ok();
    let foreseen = with(price(), &json!({ "start": "2025-10-31T14:00:00Z", "values": [9, 9, 9], "mark": "forecast" }));
    let pushed = kept.hive.post(PATH, &foreseen).await.ok();
    assert_eq!((&pushed["signals"][0]["sent"], &pushed["signals"][0]["written"]), (&json!(3), &json!(1)));
    let read = kept.hive.get(&format!("{PATH}/price_import?from=2025-10-31T15:00:00Z")).await.ok();
    assert_eq!((&read["values"], &read["marks"]), (&json!([0.1, 9.0]), &json!(["measured", "forecast"])));
    let measured = with(price(), &json!({ "start": "2025-10-31T16:00:00Z", "values": [0.5] }));
    kept.hive.post(PATH, &measured).await.ok();
    let signal = kept.hive.get(PATH).await.ok()["signals"][0].clone();
    assert_eq!((&signal["measured"], &signal["forecast"]), (&json!(5), &json!(0)));
}

/// What is in a document: the kind, the source, the first value.
type Content = (&'static str, &'static str, f64);

/// One document a format, with what it does not say itself.
fn documents() -> Vec<(&'static str, String, Value, Content)> {
    let entsoe = "<?xml version=\"1.0\"?><Publication_MarketDocument xmlns=\"urn:iec62325.351:tc57wg16:451-3:publicationdocument:7:3\"><type>A44</type>\
        <TimeSeries><in_Domain.mRID>10Y1001A1001A82H</in_Domain.mRID><out_Domain.mRID>10Y1001A1001A82H</out_Domain.mRID>\
        <currency_Unit.name>EUR</currency_Unit.name><price_Measure_Unit.name>MWH</price_Measure_Unit.name><curveType>A01</curveType>\
        <Period><timeInterval><start>2025-10-30T23:00Z</start><end>2025-10-31T01:00Z</end></timeInterval><resolution>PT60M</resolution>\
        <Point><position>1</position><price.amount>80</price.amount></Point><Point><position>2</position><price.amount>70</price.amount></Point>\
        </Period></TimeSeries></Publication_MarketDocument>";
    let uk = json!({ "data": [{ "from": "2025-10-31T12:00Z", "to": "2025-10-31T12:30Z", "intensity": { "forecast": 100, "actual": 110, "index": "low" } }] });
    let watttime = json!({
        "data": [{ "point_time": "2025-10-31T12:00:00Z", "value": 1000.0 }, { "point_time": "2025-10-31T12:05:00Z", "value": 900.0 }],
        "meta": { "region": "CAISO_NORTH", "signal_type": "co2_moer", "units": "lbs_co2_per_mwh", "data_point_period_seconds": 300 }
    });
    let maps = json!({ "zone": "FR", "history": [
        { "datetime": "2025-10-31T12:00:00.000Z", "carbonIntensity": 50, "isEstimated": false },
        { "datetime": "2025-10-31T13:00:00.000Z", "carbonIntensity": 55, "isEstimated": false }
    ] });
    let sdk = json!([
        { "location": "eastus", "time": "2025-10-31T12:00:00+00:00", "rating": 300.0, "duration": "01:00:00" },
        { "location": "eastus", "time": "2025-10-31T13:00:00+00:00", "rating": 310.0, "duration": "01:00:00" }
    ]);
    let csv = "time,load [kW]\n2025-10-31T12:00Z,3\n2025-10-31T13:00Z,4\n".to_owned();
    let own = json!({ "kind": "pv", "zone": "roof", "series": [{ "start": "2025-10-31T12:00:00Z", "step_s": 900, "values": [1.5] }] });
    vec![
        ("entsoe", entsoe.to_owned(), json!({}), ("price_import", "entsoe", 0.08)),
        ("uk_carbon_intensity", uk.to_string(), json!({}), ("carbon_average", "uk_carbon_intensity", 110.0)),
        ("watttime", watttime.to_string(), json!({}), ("carbon_marginal", "watttime", 453.592_37)),
        ("electricity_maps", maps.to_string(), json!({}), ("carbon_average", "electricity_maps", 50.0)),
        ("carbon_aware_sdk", sdk.to_string(), json!({ "kind": "carbon_average" }), ("carbon_average", "carbon_aware_sdk", 300.0)),
        ("csv", csv, json!({ "zone": "house", "source": "meter" }), ("load", "meter", 3.0)),
        ("json", own.to_string(), json!({ "source": "inverter" }), ("pv", "inverter", 1.5)),
    ]
}

#[tokio::test]
async fn documents_of_all_seven_formats_are_taken() {
    for (format, content, hints, (kind, source, first)) in documents() {
        let kept = Kept::new();
        for named in [json!({}), json!({ "format": format })] {
            let body = with(with(json!({ "content": content }), &hints), &named);
            let pushed = kept.hive.post(PATH, &body).await.ok();
            assert_eq!(pushed["format"], format, "{pushed}");
            let signal = &pushed["signals"][0]["signal"];
            assert_eq!((signal["kind"].as_str(), signal["source"].as_str()), (Some(kind), Some(source)), "{pushed}");
            let zone = signal["zone"].as_str().unwrap();
            let read = kept.hive.get(&format!("{PATH}/{kind}?zone={zone}&source={source}")).await.ok();
            assert!((read["values"][0].as_f64().unwrap() - first).abs() < 1e-9, "{format}: {read}");
        }
    }
}

#[tokio::test]
async fn what_is_odd_is_told_and_what_is_wrong_is_refused_with_its_place() {
    let kept = Kept::new();
    let csv = |rows: &str| json!({ "content": format!("time,load [W]\n{rows}"), "zone": "house" });
    let odd = kept.hive.post(PATH, &csv("2025-10-31T12:00Z,3000\n2025-10-31T13:00Z,4000\n2025-10-31T13:00Z,5000\n")).await.ok();
    let findings = odd["signals"][0]["findings"].to_string();
    assert!(findings.contains("has two values, 4 and 5") && findings.contains("values are in W"), "{findings}");
    assert_eq!(odd["doubtful"], true);
    let before = kept.hive.get(PATH).await.ok();
    let wrong = kept.hive.post(PATH, &csv("2025-10-31T14:00Z,1\n2025-10-31T15:00Z,much\n")).await;
    wrong.refused(422, "L3-0077", Some("content"));
    assert!(wrong.text().contains("row 3") || wrong.text().contains("Row 3"), "{}", wrong.text());
    kept.hive.post(PATH, &json!({ "content": "<a/>", "zone": "x" })).await.refused(422, "L3-0077", Some("format"));
    kept.hive.post(PATH, &with(csv("2025-10-31T14:00Z,1\n"), &json!({ "time_zone": "Mars" }))).await.refused(
        422,
        "L3-0077",
        Some("time_zone"),
    );
    kept.hive
        .post(PATH, &json!({ "content": "time,load [kW]\n2025-10-31T12:00Z,3\n2025-10-31T13:00Z,4\n" }))
        .await
        .refused(422, "L3-0077", None);
    assert_eq!(kept.hive.get(PATH).await.ok(), before, "something of it was kept");
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_by_its_field() {
    let kept = Kept::new();
    kept.hive.post(PATH, &price()).await.ok();
    for (change, status, code, field) in [
        (json!({ "kind": "wind_speed" }), 400, "L3-0006", Some("kind")),
        (json!({ "kind": null }), 400, "L3-0002", Some("kind")),
        (json!({ "zone": null }), 400, "L3-0002", Some("zone")),
        (json!({ "zone": "" }), 400, "L3-0006", Some("zone")),
        (json!({ "values": [] }), 400, "L3-0006", Some("values")),
        (json!({ "values": ["1"] }), 400, "L3-0005", Some("values[0]")),
        (json!({ "values": [null] }), 422, "L3-0077", Some("values")),
        (json!({ "step_minutes": 0 }), 400, "L3-0006", Some("step_minutes")),
        (json!({ "step_minutes": 45 }), 422, "L3-0077", None),
        (json!({ "start": "2025-10-31T12:30:00Z" }), 422, "L3-0077", None),
        (json!({ "start": "2025-10-31T12:00:00.5Z" }), 400, "L3-0006", Some("start")),
        (json!({ "mark": "guessed" }), 400, "L3-0006", Some("mark")),
        (json!({ "unit": "gCO2e/kWh" }), 422, "L3-0077", Some("unit")),
        (json!({ "format": "csv" }), 400, "L3-0006", Some("format")),
        (json!({ "content": "x" }), 400, "L3-0006", Some("start")),
    ] {
        kept.hive.post(PATH, &with(price(), &change)).await.refused(status, code, field);
    }
    for (query, status, code, field) in [
        ("price", 400, "L3-0010", "kind"),
        ("load", 404, "L3-0057", "kind"),
        ("price_import?zone=FR", 404, "L3-0057", "kind"),
        ("price_import?from=now", 400, "L3-0010", "from"),
        ("price_import?from=2025-10-31T16:00:00Z&to=2025-10-31T16:00:00Z", 400, "L3-0010", "from"),
        ("price_import?from=1990-01-01T00:00:00Z", 400, "L3-0010", "from"),
        ("price_import?ahead_hours=337", 400, "L3-0010", "ahead_hours"),
        ("price_import?step=60", 400, "L3-0010", "step"),
    ] {
        kept.hive.get(&format!("{PATH}/{query}")).await.refused(status, code, Some(field));
    }
}

#[tokio::test]
async fn of_several_signals_the_request_names_one() {
    let kept = Kept::new();
    for change in
        [json!({}), json!({ "zone": "FR" }), json!({ "source": "other", "values": [7] }), json!({ "detail": "peak", "values": [8] })]
    {
        kept.hive.post(PATH, &with(price(), &change)).await.ok();
    }
    let several = kept.hive.get(&format!("{PATH}/price_import")).await;
    several.refused(400, "L3-0010", Some("zone"));
    assert!(several.text().contains("DE other; DE tariff; DE tariff peak; FR tariff"), "{}", several.text());
    kept.hive.get(&format!("{PATH}/price_import?zone=DE")).await.refused(400, "L3-0010", Some("source"));
    let first = async |query: &str| kept.hive.get(&format!("{PATH}/price_import?{query}")).await.ok()["values"][0].clone();
    assert_eq!((first("zone=DE&source=other").await, first("zone=FR").await), (json!(7.0), json!(0.4)));
    assert_eq!((first("zone=DE&source=tariff&detail=peak").await, first("zone=DE&source=tariff").await), (json!(8.0), json!(0.4)));
}

#[tokio::test]
async fn a_signal_is_foreseen_from_its_past() {
    let kept = Kept::new();
    // Forty days up to the present hour, each the same; then a publisher's forecast, which is no past.
    let values: Vec<usize> = (0..40 * 24).map(|hour| hour % 24 * 10).collect();
    let load = json!({ "kind": "load", "zone": "house", "start": "2025-09-21T14:00:00Z", "step_minutes": 60, "values": values });
    kept.hive.post(PATH, &load).await.ok();
    kept.hive.post(PATH, &with(load, &json!({ "start": "2025-10-31T14:00:00Z", "values": [5, 5], "mark": "forecast" }))).await.ok();
    let read = kept.hive.get(&format!("{PATH}/load?ahead_hours=6&from=2025-10-31T14:00:00Z")).await.ok();
    assert_eq!(read["values"], json!([5.0, 5.0]));
    let foreseen = &read["forecast"];
    assert_eq!(
        (&foreseen["start"], &foreseen["mark"], &foreseen["within_percent"]),
        (&json!("2025-10-31T14:00:00Z"), &json!("forecast"), &json!(80))
    );
    // From 14:00 to six hours after 14:30.
    assert_eq!(foreseen["values"], json!([0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0]));
    assert_eq!((&foreseen["low"], &foreseen["high"], &foreseen["error"]), (&foreseen["values"], &foreseen["values"], &json!(0.0)));
    assert_eq!((&foreseen["model"]["period_hours"], &read["unforeseen"]), (&json!(24.0), &Value::Null));
    let wide = kept.hive.get(&format!("{PATH}/load?ahead_hours=6&step_minutes=120")).await.ok();
    assert_eq!(wide["forecast"]["values"], json!([5.0, 25.0, 45.0, 65.0]));
    kept.hive.post(PATH, &price()).await.ok();
    let short = kept.hive.get(&format!("{PATH}/price_import?ahead_hours=6")).await.ok();
    assert!(short["forecast"].is_null() && short["unforeseen"].as_str().unwrap().contains("too short"), "{short}");
}

#[tokio::test]
async fn a_year_of_hours_in_one_document_is_kept() {
    let kept = Kept::new();
    let mut csv = "start,load [kW]\n".to_owned();
    let mut at = lab3_units::Time::parse("2024-10-31T14:00:00Z").unwrap();
    for hour in 0..8760 {
        writeln!(csv, "{at},{}", hour % 24).unwrap();
        at = at.after(lab3_units::Duration::from_secs(3600));
    }
    let pushed = kept.hive.post(PATH, &json!({ "content": csv, "zone": "house" })).await.ok();
    assert_eq!((&pushed["signals"][0]["written"], &pushed["doubtful"]), (&json!(8760), &json!(false)), "{pushed}");
    let read = kept.hive.get(&format!("{PATH}/load?from=2024-10-31T14:00:00Z")).await.ok();
    assert_eq!(read["values"].as_array().unwrap().len(), 8760);
}

#[tokio::test]
async fn a_desk_without_a_folder_says_so() {
    let hive = Hive::new();
    hive.post(PATH, &price()).await.refused(503, "L3-0089", None);
    hive.get(PATH).await.refused(503, "L3-0089", None);
    hive.get(&format!("{PATH}/load")).await.refused(503, "L3-0089", None);
}
