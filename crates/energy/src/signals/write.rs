//! Signals written down so that reading them gives the same: a row a step, or a list a series.

use std::fmt::Write as _;

use serde_json::json;

use super::Signal;
use crate::Mark;

/// The columns, in order.
const HEADER: &str = "start,step_s,zone,source,kind,detail,unit,value,mark\n";

/// Writes signals as a table with a row for each step.
pub fn to_csv(signals: &[Signal]) -> String {
    let mut text = HEADER.to_owned();
    for signal in signals {
        let of = |part: Option<&str>| quoted(part.unwrap_or_default());
        let (zone, source, detail) = (of(signal.zone.as_deref()), quoted(&signal.source), of(signal.detail.as_deref()));
        let (kind, unit) = (signal.kind.name(), signal.kind.unit());
        for piece in &signal.series {
            for (step, (value, mark)) in piece.values.iter().zip(&piece.marks).enumerate() {
                let (start, step_s, mark) = (piece.begin_of(step), piece.step_s, name(*mark));
                // Writing to a text cannot fail.
                let _ = writeln!(text, "{start},{step_s},{zone},{source},{kind},{detail},{unit},{value},{mark}");
            }
        }
    }
    text
}

/// Writes signals as JSON: an object with a list `signals`.
pub fn to_json(signals: &[Signal]) -> String {
    let signals: Vec<_> = signals.iter().map(entry).collect();
    json!({ "signals": signals }).to_string()
}

fn entry(signal: &Signal) -> serde_json::Value {
    json!({
        "zone": signal.zone, "source": signal.source, "kind": signal.kind, "detail": signal.detail,
        "unit": signal.kind.unit(), "series": signal.series,
    })
}

fn name(mark: Mark) -> &'static str {
    match mark {
        Mark::Measured => "measured",
        Mark::Forecast => "forecast",
        Mark::Filled => "filled",
    }
}

/// A field, in quotes where it needs them.
fn quoted(field: &str) -> String {
    let needs = field.contains([',', ';', '\t', '"', '\n', '\r']) || field.trim() != field || field.starts_with('#');
    if needs { format!("\"{}\"", field.replace('"', "\"\"")) } else { field.to_owned() }
}
