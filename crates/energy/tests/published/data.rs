//! Where the data is, and how it is read.

use std::path::PathBuf;
use std::process::Command;

use lab3_units::Time;

/// A file of the energy data; `None`, and a line that says so, when it is not here.
pub fn file(test: &str, path: &str) -> Option<PathBuf> {
    lab3_tests::data::at_hand(test, &format!("energy/{path}"))
}

/// The text of a file, which may be compressed (`.gz`).
pub fn text(test: &str, path: &str) -> Option<String> {
    let file = file(test, path)?;
    if file.extension().is_none_or(|extension| extension != "gz") {
        return Some(std::fs::read_to_string(file).unwrap());
    }
    let output = Command::new("gzip").arg("-dc").arg(file).output().expect("gzip unpacks it");
    assert!(output.status.success(), "gzip: {}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

/// The rows of a CSV file without quotes: the head, and the others.
pub fn rows(text: &str) -> (Vec<&str>, Vec<Vec<&str>>) {
    let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    (lines.next().unwrap(), lines.collect())
}

pub fn number(text: &str) -> f64 {
    text.parse().unwrap_or_else(|_| panic!("{text:?} is no number"))
}

/// `2020-01-01 00:30:00`, in UTC.
pub fn time(text: &str) -> Time {
    Time::parse(&format!("{}Z", text.replace(' ', "T"))).unwrap_or_else(|| panic!("{text:?} is no time"))
}

/// Whether two figures are the same within a distance.
#[track_caller]
pub fn same(what: &str, found: f64, expected: f64, distance: f64) {
    assert!((found - expected).abs() <= distance, "{what}: {found}, and {expected} is published");
}
