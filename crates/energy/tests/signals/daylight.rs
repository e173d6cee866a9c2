//! Days of 23 and 25 hours.

use std::fmt::Write as _;

use lab3_energy::signals::{Finding, Hints, Signal};

use crate::{has, near, one, one_with, refused_with, table, whole};

fn berlin() -> Hints {
    Hints { time_zone: Some("Europe/Berlin".to_owned()), ..Hints::default() }
}

/// A table of hours, each with its number as value.
fn hours(date: &str, hours: &[u32]) -> String {
    let mut text = "time,load\n".to_owned();
    for (row, hour) in hours.iter().enumerate() {
        writeln!(text, "{date} {hour:02}:00,{row}").unwrap();
    }
    text
}

fn long_day(signal: &Signal) -> Option<bool> {
    signal.findings.iter().find_map(|finding| match finding {
        Finding::LongDay { told_twice, .. } => Some(*told_twice),
        _ => None,
    })
}

#[test]
fn an_hour_that_comes_twice_is_taken_in_order() {
    let signal = one_with(&hours("2024-10-27", &[0, 1, 2, 2, 3, 4]), &berlin());
    let series = whole(&signal);
    near(series, &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    assert_eq!(series.start.to_string(), "2024-10-26T22:00:00Z");
    assert!(has(&signal, "2024-10-27 has 25 hours in Europe/Berlin: the times that come twice are taken in order"));
    assert_eq!(signal.findings.len(), 1, "{:?}", signal.findings);
}

#[test]
fn quarters_of_the_hour_that_comes_twice() {
    let times = ["02:00", "02:30", "02:00", "02:30", "03:00"];
    let rows: Vec<(String, String)> = times.iter().enumerate().map(|(row, time)| (format!("2024-10-27 {time}"), row.to_string())).collect();
    let rows: Vec<(&str, &str)> = rows.iter().map(|(time, value)| (time.as_str(), value.as_str())).collect();
    let signal = one_with(&table("time,load", &rows), &berlin());
    near(whole(&signal), &[0.0, 1.0, 2.0, 3.0, 4.0]);
    assert_eq!(whole(&signal).step_s, 1800);
}

#[test]
fn a_file_with_the_newest_first_has_the_later_hour_first() {
    let signal = one_with(&hours("2024-10-27", &[4, 3, 2, 2, 1, 0]), &berlin());
    near(whole(&signal), &[5.0, 4.0, 3.0, 2.0, 1.0, 0.0]);
}

#[test]
fn an_hour_told_once_leaves_a_gap() {
    let signal = one_with(&hours("2024-10-27", &[0, 1, 2, 3]), &berlin());
    near(whole(&signal), &[0.0, 1.0, 2.0, 2.5, 3.0]);
    assert_eq!(long_day(&signal), Some(false));
    assert!(has(&signal, "1 step has no value: filled"));
}

#[test]
fn the_day_of_23_hours_lacks_one() {
    let signal = one_with(&hours("2024-03-31", &[0, 1, 3, 4]), &berlin());
    near(whole(&signal), &[0.0, 1.0, 2.0, 3.0]);
    assert!(has(&signal, "2024-03-31 has 23 hours in Europe/Berlin"));
    assert!(!signal.findings.iter().any(Finding::is_doubt));
    let never = one_with(&hours("2024-03-31", &[0, 1, 2, 3]), &berlin());
    near(whole(&never), &[0.0, 1.0, 3.0]);
    assert!(has(&never, "rows of the hour that is not there: 1, left out"));
}

#[test]
fn times_without_a_zone_are_utc_and_it_is_said() {
    let rows = [("2024-03-31 02:00", "1"), ("2024-03-31 03:00", "2")];
    let signal = one(&table("time,load", &rows));
    assert_eq!(whole(&signal).start.to_string(), "2024-03-31T02:00:00Z");
    assert!(has(&signal, "taken as UTC"));
    let fixed = one_with(&table("time,load", &rows), &Hints { time_zone: Some("+01:00".to_owned()), ..Hints::default() });
    assert_eq!(whole(&fixed).start.to_string(), "2024-03-31T01:00:00Z");
    assert_eq!(fixed.findings, []);
    let stated = one(&table("time (UTC),load", &rows));
    assert_eq!(stated.findings, []);
    let offsets = [("2024-03-31T01:00+01:00", "1"), ("2024-03-31T03:00+02:00", "2")];
    near(whole(&one(&table("time,load", &offsets))), &[1.0, 2.0]);
}

#[test]
fn an_unknown_zone_is_refused() {
    let hints = Hints { time_zone: Some("Europe/Atlantis".to_owned()), ..Hints::default() };
    assert!(refused_with("time,load\n2024-03-31 02:00,1\n", &hints).starts_with("time_zone: \"Europe/Atlantis\" is no time zone"));
}
