//! The Carbon Aware SDK of the Green Software Foundation: emissions (`location`, `time`, `rating`, `duration`), forecasts (`forecastData`) and averages.
//!
//! Its answers spell names small, its own files (`Emissions`) with a capital. Ratings are g CO2e a kWh; a duration is `hh:mm:ss`, in forecasts minutes.
//! What it tells depends on where it asks, and it does not say: average from Electricity Maps, marginal from WattTime.

use serde_json::{Map, Value};

use super::error::ImportError;
use super::finding::Finding;
use super::format::Format;
use super::hints::Hints;
use super::kind::{Kind, Quantity};
use super::stamp::{moment_in, seconds_of};
use super::track::{Key, Reading, Track, Tracks};
use super::tree;
use super::unit::Unit;
use crate::Mark;

/// Reads an answer or a file.
pub(super) fn read(document: &Value, hints: &Hints) -> Result<Tracks, ImportError> {
    let document = small_names(document);
    let mut answer = Answer { hints, tracks: Tracks::new() };
    if let Some(entries) = document.as_array() {
        answer.entries(entries, "")?;
    } else if let Some(entries) = document.get("emissions").and_then(Value::as_array) {
        answer.entries(entries, "emissions")?;
    } else if let Some(refusal) = tree::refusal(&document) {
        return Err(refusal);
    } else {
        answer.entries(std::slice::from_ref(&document), "")?;
    }
    Ok(answer.tracks)
}

/// The same document with names that begin small.
fn small_names(value: &Value) -> Value {
    match value {
        Value::Array(list) => list.iter().map(small_names).collect(),
        Value::Object(fields) => Value::Object(fields.iter().map(|(name, value)| (small(name), small_names(value))).collect::<Map<_, _>>()),
        other => other.clone(),
    }
}

fn small(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect()
}

struct Answer<'a> {
    hints: &'a Hints,
    tracks: Tracks,
}

impl Answer<'_> {
    fn entries(&mut self, entries: &[Value], name: &str) -> Result<(), ImportError> {
        let mut forecasts = Vec::new();
        tree::each_of(entries, name, &mut |at, entry| {
            if entry.get("forecastData").is_some() {
                forecasts.push((tree::text_if(entry, "generatedAt").and_then(|text| moment_in(text, "").ok()), at));
                return Ok(());
            }
            self.emission(entry, at)
        })?;
        // The later forecast of a time is the better one.
        forecasts.sort_unstable();
        for (_, at) in forecasts {
            let zone = tree::text_if(&entries[at], "location");
            let within = |error: ImportError| error.within(&format!("{name}[{at}]"));
            tree::each(&entries[at], "forecastData", |_, point| self.forecast(point, zone, at)).map_err(within)?;
        }
        Ok(())
    }

    fn emission(&mut self, entry: &Value, row: usize) -> Result<(), ImportError> {
        let is_average = entry.get("startTime").is_some();
        let (time, rating) = if is_average { ("startTime", "carbonIntensity") } else { ("time", "rating") };
        let at_s = moment_in(tree::text(entry, time)?, time)?;
        let span_s = if is_average { until(entry, at_s)? } else { duration(entry)? };
        let reading = tree::number(entry, rating)?.map(|value| Reading { at_s, span_s, value, mark: Mark::Measured, row });
        self.take(tree::text_if(entry, "location"), reading, row);
        Ok(())
    }

    fn forecast(&mut self, point: &Value, zone: Option<&str>, row: usize) -> Result<(), ImportError> {
        let at_s = moment_in(tree::text(point, "timestamp")?, "timestamp")?;
        let reading = tree::number(point, "value")?.map(|value| (value, duration(point)));
        let reading =
            reading.map(|(value, span)| span.map(|span_s| Reading { at_s, span_s, value, mark: Mark::Forecast, row })).transpose()?;
        self.take(tree::text_if(point, "location").or(zone), reading, row);
        Ok(())
    }

    fn take(&mut self, zone: Option<&str>, reading: Option<Reading>, row: usize) {
        let kind = self.hints.kind_or(Kind::CarbonMarginal);
        let source = self.hints.source.clone().unwrap_or_else(|| Format::CarbonAwareSdk.name().to_owned());
        let key = Key { zone: zone.map(str::to_owned), source, kind, detail: None };
        let track = self.tracks.entry(key).or_insert_with(|| Track::new(Unit::kept(Quantity::Carbon), "entry"));
        if self.hints.kind.is_none() && track.findings.is_empty() {
            track.note(Finding::KindAssumed { kind });
        }
        track.take(reading, row);
    }
}

/// How long an entry holds, in seconds, where it says.
fn duration(entry: &Value) -> Result<Option<u32>, ImportError> {
    match entry.get("duration") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => {
            let span = seconds_of(text);
            span.map(Some).ok_or_else(|| ImportError::field("duration", format!("{text:?} is no duration: it is written hh:mm:ss")))
        }
        Some(minutes) => {
            let whole = minutes.as_u64().and_then(|minutes| u32::try_from(minutes.checked_mul(60)?).ok()).filter(|span| *span > 0);
            whole.map(Some).ok_or_else(|| ImportError::field("duration", format!("{minutes} is no number of minutes")))
        }
    }
}

fn until(entry: &Value, at_s: i64) -> Result<Option<u32>, ImportError> {
    let written = tree::text(entry, "endTime")?;
    let span = u32::try_from(moment_in(written, "endTime")?.saturating_sub(at_s)).ok().filter(|span| *span > 0);
    span.map(Some).ok_or_else(|| ImportError::field("endTime", format!("{written:?} is not after \"startTime\"")))
}
