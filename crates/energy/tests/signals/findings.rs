//! Everything a reader notices, one by one.

use lab3_energy::Series;
use lab3_energy::signals::{Finding, Hints};
use lab3_units::Time;

use crate::{CARBON, MARKS, has, near, one, one_with, refused, sentences, table, whole};

fn hourly(values: &[(u32, &str)]) -> String {
    let rows: Vec<(String, &str)> =
        values.iter().map(|(hour, value)| (format!("2025-01-{:02} {:02}:00", 1 + hour / 24, hour % 24), *value)).collect();
    let rows: Vec<(&str, &str)> = rows.iter().map(|(time, value)| (time.as_str(), *value)).collect();
    table(CARBON, &rows)
}

#[test]
fn short_gaps_are_filled_and_marked() {
    let signal = one(&hourly(&[(0, "100"), (1, "110"), (4, "140"), (5, "150")]));
    near(whole(&signal), &[100.0, 110.0, 120.0, 130.0, 140.0, 150.0]);
    assert_eq!(whole(&signal).marks, [MARKS[0], MARKS[0], MARKS[2], MARKS[2], MARKS[0], MARKS[0]]);
    assert_eq!(sentences(&signal), ["from 2025-01-01T02:00:00Z to 2025-01-01T04:00:00Z 2 steps have no value: filled by a straight line"]);
}

#[test]
fn long_gaps_are_left() {
    let text = hourly(&[(0, "100"), (1, "110"), (5, "150"), (6, "160")]);
    let signal = one(&text);
    assert_eq!(signal.series.iter().map(Series::len).collect::<Vec<_>>(), [2, 2]);
    assert_eq!(signal.series[1].start.to_string(), "2025-01-01T05:00:00Z");
    assert!(has(&signal, "3 steps have no value: left, too long to fill"));
    assert!(signal.findings[0].is_doubt());
    let filled = one_with(&text, &Hints { fill_s: Some(3 * 3600), ..Hints::default() });
    assert_eq!(whole(&filled).len(), 7);
    let none = one_with(&hourly(&[(0, "1"), (1, "3"), (2, "4"), (4, "5")]), &Hints { fill_s: Some(0), ..Hints::default() });
    assert_eq!(none.series.len(), 2);
}

#[test]
fn empty_cells_are_gaps_and_counted() {
    let signal = one(&hourly(&[(0, "100"), (1, ""), (2, "120"), (3, "")]));
    near(whole(&signal), &[100.0, 110.0, 120.0]);
    assert!(has(&signal, "rows without a value: 2, the first is row 3"));
}

#[test]
fn the_same_time_twice() {
    let signal = one(&hourly(&[(0, "100"), (1, "110"), (1, "110"), (2, "120"), (2, "125")]));
    near(whole(&signal), &[100.0, 110.0, 125.0]);
    assert_eq!(
        sentences(&signal),
        [
            "2025-01-01T02:00:00Z has two values, 120 and 125: the later in the file is kept (row 6)",
            "rows that repeat a time with the same value: 1, the first 2025-01-01T01:00:00Z; dropped",
        ]
    );
}

#[test]
fn disorder_is_put_right() {
    let signal = one(&hourly(&[(2, "120"), (0, "100"), (1, "110")]));
    near(whole(&signal), &[100.0, 110.0, 120.0]);
    assert_eq!(sentences(&signal), ["rows earlier than the row before: 1, the first is row 3; put in order"]);
}

#[test]
fn times_between_the_steps_are_left_out() {
    let rows = [("2025-01-01 00:07", "1"), ("2025-01-01 01:00", "100"), ("2025-01-01 02:00", "110"), ("2025-01-01 03:00", "120")];
    let signal = one(&table(CARBON, &rows));
    near(whole(&signal), &[100.0, 110.0, 120.0]);
    assert_eq!(sentences(&signal), ["times not on the grid of 3600 s: 1, the first 2025-01-01T00:07:00Z; left out"]);
}

#[test]
fn steps_that_change_cut_the_series() {
    let text = r#"{"data":[{"from":"2025-01-20T12:00Z","to":"2025-01-20T13:00Z","intensity":{"actual":100}},{"from":"2025-01-20T13:00Z","to":"2025-01-20T13:30Z","intensity":{"actual":90}}]}"#;
    let signal = one(text);
    assert_eq!(signal.series.iter().map(|piece| piece.step_s).collect::<Vec<_>>(), [3600, 1800]);
    assert_eq!(sentences(&signal), ["from 2025-01-20T13:00:00Z the steps are 1800 s long, before 3600 s"]);
}

#[test]
fn a_step_told_by_times_alone_changes_only_for_good() {
    let start = Time::parse("2025-01-01T00:00:00Z").unwrap().millis() / 60_000;
    let rows = |minutes: &[i64]| {
        minutes.iter().map(|minute| format!("{},100\n", Time::from_millis((start + minute) * 60_000))).collect::<String>()
    };
    let hours: Vec<i64> = (0..10).map(|hour| hour * 60).collect();
    let quarters: Vec<i64> = (0..10).map(|quarter| 600 + quarter * 15).collect();
    let signal = one(&format!("{CARBON}\n{}", rows(&[hours.clone(), quarters].concat())));
    assert_eq!(signal.series.iter().map(|piece| (piece.step_s, piece.len())).collect::<Vec<_>>(), [(3600, 10), (900, 10)]);
    // Three at the double distance are gaps, not a step of their own.
    let holed = one(&format!("{CARBON}\n{}", rows(&[hours, vec![660, 780, 900, 960]].concat())));
    assert_eq!((whole(&holed).step_s, holed.findings.len()), (3600, 3));
}

fn doubt_about(header: &str, value: &str) -> Option<String> {
    let text = table(header, &[("2025-01-01T00:00Z", value), ("2025-01-01T01:00Z", value)]);
    let signal = one(&text);
    let wanted: f64 = value.parse().unwrap();
    let factor = if header.contains("MWh") { 0.001 } else { 1.0 };
    near(whole(&signal), &[wanted * factor; 2]);
    signal.findings.iter().find(|finding| matches!(finding, Finding::Implausible { .. } | Finding::Outside { .. })).map(Finding::to_string)
}

#[test]
fn values_too_small_or_large_for_their_unit_are_named_and_left() {
    let carbon = "time,average carbon intensity [gCO2/kWh]";
    let doubt = doubt_about(carbon, "0.3").unwrap();
    assert_eq!(doubt, "a carbon intensity of 0.3 gCO2e/kWh looks like kg/kWh: state unit=kgCO2e/kWh if it is; nothing was changed");
    assert!(doubt_about(carbon, "1500").unwrap().contains("looks like lb/MWh"));
    assert!(doubt_about(carbon, "400000").unwrap().contains("looks like g/MWh"));
    assert!(doubt_about(carbon, "-5").unwrap().contains("values outside 0 to 2500 gCO2e/kWh: 2, the first -5"));
    assert!(doubt_about("time,price", "85").unwrap().contains("looks like a price a MWh"));
    assert!(doubt_about("time,price", "30").unwrap().contains("looks like cents a kWh"));
    assert!(doubt_about("time,price [EUR/MWh]", "0.3").unwrap().contains("divided by 1000 once too often"));
    assert!(doubt_about("time,load", "250000").unwrap().contains("looks like W"));
    for (header, value) in [
        (carbon, "400"),
        (carbon, "25"),
        (carbon, "0"),
        ("time,price", "0.3"),
        ("time,price [EUR/MWh]", "85"),
        ("time,load [kW]", "60000000"),
        ("time,load", "3"),
    ] {
        assert_eq!(doubt_about(header, value), None, "{header} {value}");
    }
}

#[test]
fn a_hint_overrules_the_unit_of_a_file() {
    let text = table("time,average carbon intensity [gCO2/kWh]", &[("2025-01-01T00:00Z", "0.3"), ("2025-01-01T01:00Z", "0.4")]);
    let signal = one_with(&text, &Hints { unit: Some("kgCO2e/kWh".to_owned()), ..Hints::default() });
    near(whole(&signal), &[300.0, 400.0]);
    assert_eq!(sentences(&signal), ["values are in kgCO2e/kWh: times 1000 they are in gCO2e/kWh"]);
}

#[test]
fn findings_are_bounded() {
    let rows: Vec<(u32, &str)> = (0..500).map(|hour| (hour / 2, if hour % 2 == 0 { "100" } else { "110" })).collect();
    let signal = one(&hourly(&rows));
    assert_eq!(signal.findings.len(), 201);
    assert_eq!(signal.findings.last(), Some(&Finding::More { findings: 50 }));
}

#[test]
fn one_time_alone_has_no_step() {
    assert!(refused(&hourly(&[(0, "100")])).starts_with("step_s: one time alone"));
    let signal = one_with(&hourly(&[(0, "100")]), &Hints { step_s: Some(3600), ..Hints::default() });
    assert_eq!(whole(&signal).len(), 1);
    let months = [("2025-01-01", "1"), ("2025-02-01", "2"), ("2025-03-01", "3")];
    assert!(refused(&table(CARBON, &months)).contains("longer than a day"));
}

#[test]
fn findings_are_also_for_programs() {
    let signal = one(&hourly(&[(2, "120"), (0, "100"), (1, "110")]));
    let json = serde_json::to_value(&signal.findings).unwrap();
    assert_eq!(json, serde_json::json!([{ "finding": "disorder", "rows": 1, "first": "row 3" }]));
    assert_eq!(serde_json::from_value::<Vec<Finding>>(json).unwrap(), signal.findings);
}
