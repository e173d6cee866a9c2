//! The importers of signals, from outside: documents in each format with invented numbers, every finding, and what nobody would send.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]
#![allow(clippy::format_collect, reason = "a few lines, written as they read")]

mod daylight;
mod entsoe;
mod findings;
mod json_answers;
mod properties;
mod real_files;
mod refusals;
mod tables;

use lab3_energy::signals::{Finding, Hints, Imported, Kind, Signal, read};
use lab3_energy::{Mark, Series};

/// Reads a document that is sound, in the format it looks like.
fn import(text: &str) -> Imported {
    import_with(text, &Hints::default())
}

fn import_with(text: &str, hints: &Hints) -> Imported {
    read(text.as_bytes(), None, hints).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// The one signal of a document.
fn one(text: &str) -> Signal {
    one_with(text, &Hints::default())
}

fn one_with(text: &str, hints: &Hints) -> Signal {
    let mut signals = import_with(text, hints).signals;
    assert_eq!(signals.len(), 1, "{signals:?}");
    signals.remove(0)
}

/// The one series of a signal.
fn whole(signal: &Signal) -> &Series {
    assert_eq!(signal.series.len(), 1, "{:?}", signal.series);
    &signal.series[0]
}

/// Values that are those wanted, but for what arithmetic loses.
fn near(series: &Series, wanted: &[f64]) {
    assert_eq!(series.len(), wanted.len(), "{series:?}");
    for (value, wanted) in series.values.iter().zip(wanted) {
        assert!((value - wanted).abs() < 1e-9, "{:?} is not {wanted:?}", series.values);
    }
}

/// Why a document is refused.
fn refused(text: &str) -> String {
    refused_with(text, &Hints::default())
}

fn refused_with(text: &str, hints: &Hints) -> String {
    read(text.as_bytes(), None, hints).unwrap_err().to_string()
}

/// The findings as sentences.
fn sentences(signal: &Signal) -> Vec<String> {
    signal.findings.iter().map(Finding::to_string).collect()
}

fn has(signal: &Signal, part: &str) -> bool {
    sentences(signal).iter().any(|sentence| sentence.contains(part))
}

/// A table of one column.
fn table(header: &str, rows: &[(&str, &str)]) -> String {
    let rows: String = rows.iter().map(|(time, value)| format!("{time},{value}\n")).collect();
    format!("{header}\n{rows}")
}

const MARKS: [Mark; 3] = [Mark::Measured, Mark::Forecast, Mark::Filled];
const CARBON: &str = "time (UTC),average carbon intensity";
const AVERAGE: Kind = Kind::CarbonAverage;
