//! What the publishers' APIs answer.

use lab3_energy::signals::{Format, Hints, Kind};

use crate::{MARKS, has, import, near, one, one_with, refused, whole};

#[test]
fn electricity_maps_history_marks_what_was_estimated() {
    let text = r#"{"zone":"DE","history":[
        {"zone":"DE","carbonIntensity":300,"datetime":"2025-03-01T00:00:00.000Z","emissionFactorType":"lifecycle","isEstimated":false,"estimationMethod":null},
        {"zone":"DE","carbonIntensity":310,"datetime":"2025-03-01T01:00:00.000Z","emissionFactorType":"lifecycle","isEstimated":true,"estimationMethod":"TIME_SLICER_AVERAGE"}],
        "temporalGranularity":"hourly"}"#;
    assert_eq!(import(text).format, Format::ElectricityMaps);
    let signal = one(text);
    assert_eq!((signal.zone.as_deref(), signal.source.as_str(), signal.kind), (Some("DE"), "electricity_maps", Kind::CarbonAverage));
    assert_eq!(signal.detail.as_deref(), Some("lifecycle"));
    let series = whole(&signal);
    near(series, &[300.0, 310.0]);
    assert_eq!((series.start.to_string().as_str(), series.step_s), ("2025-03-01T00:00:00Z", 3600));
    assert_eq!(series.marks, [MARKS[0], MARKS[2]]);
    assert!(has(&signal, "values the publisher estimated: 1"));
}

#[test]
fn electricity_maps_latest_forecast_and_prices() {
    let latest = one(r#"{"zone":"FR","carbonIntensity":40.5,"datetime":"2025-03-01T07:00:00.000Z","isEstimated":false}"#);
    assert_eq!((whole(&latest).step_s, whole(&latest).marks[0]), (3600, MARKS[0]));
    let forecast = one(
        r#"{"zone":"FR","forecast":[{"carbonIntensity":50,"datetime":"2025-03-01T08:00:00.000Z"},{"carbonIntensity":60,"datetime":"2025-03-01T08:15:00.000Z"}],
        "temporalGranularity":"15_minutes"}"#,
    );
    assert_eq!((whole(&forecast).step_s, whole(&forecast).marks[1]), (900, MARKS[1]));
    let prices = one(
        r#"{"zone":"FR","data":[{"datetime":"2025-03-01T08:00:00.000Z","value":80.5,"unit":"EUR/MWh"},{"datetime":"2025-03-01T09:00:00.000Z","value":-10,"unit":"EUR/MWh"}]}"#,
    );
    near(whole(&prices), &[0.0805, -0.01]);
    assert_eq!(prices.kind, Kind::PriceImport);
    assert_eq!(
        refused(r#"{"zone":"XX","forecast":[],"error":"Zone 'XX' does not exist."}"#),
        "the publisher gave no data: Zone 'XX' does not exist."
    );
}

#[test]
fn watttime_pounds_become_grams() {
    let text = r#"{"data":[{"point_time":"2025-03-01T00:00:00+00:00","value":1000.0,"last_updated":"2025-03-02T00:00:00Z"},
        {"point_time":"2025-03-01T00:05:00+00:00","value":0,"imputed_data_used":true}],
        "meta":{"region":"CAISO_NORTH","signal_type":"co2_moer","units":"lbs_co2_per_mwh","data_point_period_seconds":300,
        "warnings":[{"type":"X","message":"take care"}],"model":{"date":"2023-03-01"}}}"#;
    assert_eq!(import(text).format, Format::Watttime);
    let signal = one(text);
    near(whole(&signal), &[453.592_37, 0.0]);
    assert_eq!((signal.kind, whole(&signal).step_s), (Kind::CarbonMarginal, 300));
    assert_eq!(whole(&signal).marks, [MARKS[0], MARKS[2]]);
    assert!(has(&signal, "values are in lbs_co2_per_mwh: times 0.45359237 they are in gCO2e/kWh"));
    assert!(has(&signal, "the publisher warns: take care"));
}

#[test]
fn watttime_forecasts_are_marked_and_the_later_one_wins() {
    let meta = r#""meta":{"region":"CAISO_NORTH","signal_type":"co2_moer","units":"lbs_co2_per_mwh","data_point_period_seconds":300"#;
    let now = format!(r#"{{"data":[{{"point_time":"2025-03-01T00:00:00Z","value":800}}],{meta},"generated_at":"2025-03-01T00:00:00Z"}}}}"#);
    assert_eq!(whole(&one(&now)).marks, [MARKS[1]]);
    let made =
        |at: &str, value: u32| format!(r#"{{"generated_at":"{at}","forecast":[{{"point_time":"2025-03-01T01:00:00Z","value":{value}}}]}}"#);
    let past = format!(r#"{{"data":[{},{}],{meta}}}}}"#, made("2025-03-01T00:05:00Z", 2000), made("2025-03-01T00:00:00Z", 1000));
    let signal = one(&past);
    near(whole(&signal), &[2000.0 * 0.453_592_37]);
    assert!(has(&signal, "has two values"));
}

#[test]
fn watttime_answers_that_are_no_intensity_are_refused() {
    let answer = |signal: &str, units: &str| {
        format!(
            r#"{{"data":[{{"point_time":"2025-03-01T00:00:00Z","value":37}}],"meta":{{"region":"X","signal_type":"{signal}","units":"{units}"}}}}"#
        )
    };
    assert!(refused(&answer("co2_moer", "percentile")).starts_with("meta.units: \"percentile\" is no carbon intensity"));
    assert!(refused(&answer("health_damage", "dollars_per_mwh")).starts_with("meta.signal_type: \"health_damage\""));
}

#[test]
fn great_britain_has_what_was_and_else_what_is_forecast() {
    let half = |from: &str, to: &str, forecast: &str, actual: &str| {
        format!(
            r#"{{"from":"2025-01-20T{from}Z","to":"2025-01-20T{to}Z","intensity":{{"forecast":{forecast},"actual":{actual},"index":"moderate"}}}}"#
        )
    };
    let text = format!(
        r#"{{"data":[{},{},{}]}}"#,
        half("12:00", "12:30", "266", "263"),
        half("12:30", "13:00", "270", "null"),
        half("13:00", "13:30", "null", "null")
    );
    assert_eq!(import(&text).format, Format::UkCarbonIntensity);
    let signal = one(&text);
    near(whole(&signal), &[263.0, 270.0]);
    assert_eq!((whole(&signal).step_s, whole(&signal).marks.as_slice()), (1800, [MARKS[0], MARKS[1]].as_slice()));
    assert_eq!(signal.zone.as_deref(), Some("GB"));
    assert!(has(&signal, "rows without a value: 1, the first is entry 2"));
}

#[test]
fn great_britain_by_region() {
    let of_one = r#"{"data":{"regionid":13,"shortname":"London","data":[{"from":"2025-01-20T12:00Z","to":"2025-01-20T12:30Z","intensity":{"forecast":90,"index":"low"}}]}}"#;
    assert_eq!(one(of_one).zone.as_deref(), Some("GB-13"));
    let of_all = r#"{"data":[{"from":"2025-01-20T12:00Z","to":"2025-01-20T12:30Z","regions":[
        {"regionid":1,"shortname":"North Scotland","intensity":{"forecast":0,"index":"very low"}},{"regionid":13,"shortname":"London","intensity":{"forecast":90,"index":"low"}}]}]}"#;
    let zones: Vec<_> = import(of_all).signals.into_iter().map(|signal| signal.zone.unwrap()).collect();
    assert_eq!(zones, ["GB-1", "GB-13"]);
}

#[test]
fn carbon_aware_emissions_need_to_be_told_what_they_are() {
    let text = r#"[{"location":"eastus","time":"2025-01-01T00:00:00+00:00","rating":65,"duration":"08:00:00"},{"location":"eastus","time":"2025-01-01T08:00:00+00:00","rating":70,"duration":"08:00:00"}]"#;
    assert_eq!(import(text).format, Format::CarbonAwareSdk);
    let signal = one(text);
    assert_eq!((signal.kind, whole(&signal).step_s), (Kind::CarbonMarginal, 8 * 3600));
    assert!(has(&signal, "taken as carbon_marginal"));
    let told = one_with(text, &Hints { kind: Some(Kind::CarbonAverage), ..Hints::default() });
    assert_eq!((told.kind, told.findings.len()), (Kind::CarbonAverage, 0));
    let file = r#"{"Emissions":[{"Location":"eastus","Time":"2025-01-01T00:00:00+00:00","Rating":65,"Duration":"00:05:00"}]}"#;
    assert_eq!(whole(&one(file)).step_s, 300);
    let mean =
        r#"{"location":"eastus","startTime":"2025-01-01T00:00:00+00:00","endTime":"2025-01-01T01:00:00+00:00","carbonIntensity":345.434}"#;
    near(whole(&one(mean)), &[345.434]);
}

#[test]
fn carbon_aware_forecasts_may_be_rolling_means() {
    let point =
        |minute: u32| format!(r#"{{"location":"eastus","timestamp":"2025-01-01T00:{minute:02}:00+00:00","duration":30,"value":{minute}}}"#);
    let points: Vec<String> = (0..8).map(|at| point(at * 5)).collect();
    let text = format!(
        r#"[{{"generatedAt":"2025-01-01T00:00:00+00:00","location":"eastus","windowSize":30,"optimalDataPoints":[],"forecastData":[{}]}}]"#,
        points.join(",")
    );
    let signal = one(&text);
    assert_eq!((whole(&signal).step_s, whole(&signal).len(), whole(&signal).marks[0]), (300, 8, MARKS[1]));
    assert!(has(&signal, "each value is a mean over 1800 s, told every 300 s"));
}

#[test]
fn our_own_json_has_series_or_points() {
    let points = r#"{"zone":"home","kind":"load","unit":"W","points":[{"time":"2025-01-01T00:00Z","value":500},{"time":"2025-01-01T01:00Z","value":700,"mark":"forecast"}]}"#;
    let signal = one(points);
    near(whole(&signal), &[0.5, 0.7]);
    assert_eq!((whole(&signal).marks.as_slice(), signal.zone.as_deref()), ([MARKS[0], MARKS[1]].as_slice(), Some("home")));
    assert!(
        refused(r#"{"kind":"load","points":[{"time":"2025-01-01T00:00Z","value":"n/a"}]}"#)
            .starts_with("points[0].value: \"n/a\" is no number")
    );
    assert!(refused(r#"{"signals":[{"points":[]}]}"#).starts_with("signals[0].kind: is missing"));
}
