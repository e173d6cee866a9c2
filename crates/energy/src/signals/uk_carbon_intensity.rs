//! The Carbon Intensity API of Great Britain: half-hours with what was forecast and, once known, what was.
//!
//! <https://carbon-intensity.github.io/api-definitions/>: `data` is a list of `from`, `to` and `intensity` (`forecast`, `actual`); of one region with such a list inside;
//! or of half-hours with a list of `regions`. All in g CO2 a kWh.

use serde_json::Value;

use super::error::ImportError;
use super::format::Format;
use super::hints::Hints;
use super::kind::{Kind, Quantity};
use super::stamp::moment_in;
use super::track::{Key, Reading, Track, Tracks};
use super::tree;
use super::unit::Unit;
use crate::Mark;

/// Reads an answer.
pub(super) fn read(document: &Value, hints: &Hints) -> Result<Tracks, ImportError> {
    if let Some(refusal) = tree::refusal(document) {
        return Err(refusal);
    }
    let mut answer = Answer { hints, tracks: Tracks::new() };
    match document.get("data") {
        Some(Value::Array(_)) => tree::each(document, "data", |at, entry| answer.entry(entry, at))?,
        Some(entry @ Value::Object(_)) => answer.entry(entry, 0).map_err(|error| error.within("data"))?,
        _ => return Err(ImportError::field("data", "is missing")),
    }
    Ok(answer.tracks)
}

struct Answer<'a> {
    hints: &'a Hints,
    tracks: Tracks,
}

/// A half-hour, in seconds.
struct Slot {
    at_s: i64,
    span_s: Option<u32>,
}

impl Answer<'_> {
    fn entry(&mut self, entry: &Value, row: usize) -> Result<(), ImportError> {
        if entry.get("data").is_some() {
            let zone = region(entry);
            return tree::each(entry, "data", |at, half_hour| self.value(half_hour, &slot(half_hour)?, &zone, at));
        }
        let slot = slot(entry)?;
        if entry.get("regions").is_some() {
            return tree::each(entry, "regions", |_, part| self.value(part, &slot, &region(part), row));
        }
        self.value(entry, &slot, "GB", row)
    }

    fn value(&mut self, entry: &Value, slot: &Slot, zone: &str, row: usize) -> Result<(), ImportError> {
        let intensity = entry.get("intensity").ok_or_else(|| ImportError::field("intensity", "is missing"))?;
        let number = |name| tree::number(intensity, name).map_err(|error| error.within("intensity"));
        let measured = number("actual")?.map(|value| (value, Mark::Measured));
        let told = measured.or(number("forecast")?.map(|value| (value, Mark::Forecast)));
        let reading = told.map(|(value, mark)| Reading { at_s: slot.at_s, span_s: slot.span_s, value, mark, row });
        let source = self.hints.source.clone().unwrap_or_else(|| Format::UkCarbonIntensity.name().to_owned());
        let key = Key { zone: Some(zone.to_owned()), source, kind: Kind::CarbonAverage, detail: None };
        self.tracks.entry(key).or_insert_with(|| Track::new(Unit::kept(Quantity::Carbon), "entry")).take(reading, row);
        Ok(())
    }
}

fn slot(entry: &Value) -> Result<Slot, ImportError> {
    let at_s = moment_in(tree::text(entry, "from")?, "from")?;
    let written = tree::text(entry, "to")?;
    let end_s = moment_in(written, "to")?;
    let span_s = u32::try_from(end_s.saturating_sub(at_s)).ok().filter(|span| *span > 0);
    let span_s = span_s.ok_or_else(|| ImportError::field("to", format!("{written:?} is not after \"from\"")))?;
    Ok(Slot { at_s, span_s: Some(span_s) })
}

/// What a region is called: `GB-13`, by the number the API knows it by.
fn region(entry: &Value) -> String {
    let number = entry.get("regionid").and_then(Value::as_u64).map(|number| format!("GB-{number}"));
    number.or_else(|| tree::text_if(entry, "shortname").map(str::to_owned)).unwrap_or_else(|| "GB".to_owned())
}
