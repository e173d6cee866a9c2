//! Our own JSON: signals, each with series on steps ([`super::to_json`] writes them) or with points that have times.

use lab3_units::Time;
use serde_json::Value;

use super::clock::Clock;
use super::error::ImportError;
use super::format::Format;
use super::hints::Hints;
use super::kind::Kind;
use super::stamp::{Stamp, no_time};
use super::track::{Key, Reading, Track, Tracks};
use super::tree;
use super::unit::Unit;
use crate::Mark;

/// Reads `{"signals": [...]}`, a list of signals, or one signal.
pub(super) fn read(document: &Value, hints: &Hints) -> Result<Tracks, ImportError> {
    let clock = Clock::named(hints.time_zone.as_deref())?;
    let mut reader = Reader { hints, clock, tracks: Tracks::new() };
    if let Some(signals) = document.as_array() {
        tree::each_of(signals, "", &mut |_, signal| reader.signal(signal))?;
    } else if document.get("signals").is_some() {
        tree::each(document, "signals", |_, signal| reader.signal(signal))?;
    } else {
        reader.signal(document)?;
    }
    Ok(reader.tracks)
}

struct Reader<'a> {
    hints: &'a Hints,
    clock: Clock,
    tracks: Tracks,
}

impl Reader<'_> {
    fn signal(&mut self, signal: &Value) -> Result<(), ImportError> {
        let kind = self.kind(signal)?;
        let own = |name| tree::text_if(signal, name).map(str::to_owned);
        let source = own("source").or_else(|| self.hints.source.clone()).unwrap_or_else(|| Format::Json.name().to_owned());
        let key = Key { zone: own("zone"), source, kind, detail: own("detail") };
        let stated = unit(signal, kind)?;
        let mut track = Track::new(stated.clone().unwrap_or_else(|| Unit::kept(kind.quantity())), "value");
        track.unit_stated = stated.is_some();
        if signal.get("points").is_some() {
            self.points(signal, &mut track)?;
        } else {
            tree::each(signal, "series", |_, series| self.series(series, &mut track))?;
        }
        match self.tracks.get_mut(&key) {
            None => drop(self.tracks.insert(key, track)),
            Some(other) if other.unit == track.unit => other.readings.extend(track.readings),
            Some(_) => return Err(ImportError::field("unit", "is another than that of the same signal before")),
        }
        Ok(())
    }

    fn kind(&self, signal: &Value) -> Result<Kind, ImportError> {
        let Some(name) = tree::text_if(signal, "kind") else {
            let names = Kind::ALL.map(Kind::name).join(", ");
            return self.hints.kind.ok_or_else(|| ImportError::field("kind", format!("is missing: write one of {names}")));
        };
        let names = || format!("{name:?} is no kind of signal: write one of {}", Kind::ALL.map(Kind::name).join(", "));
        Kind::parse(name).ok_or_else(|| ImportError::field("kind", names()))
    }

    fn points(&self, signal: &Value, track: &mut Track) -> Result<(), ImportError> {
        let span_s = tree::seconds(signal, "step_s")?;
        let (mut stamps, mut readings) = (Vec::new(), Vec::new());
        tree::each(signal, "points", |row, point| {
            let name = if point.get("time").is_some() { "time" } else { "start" };
            let written = tree::text(point, name)?;
            stamps.push(Stamp::parse(written).ok_or_else(|| ImportError::field(name, no_time(written)))?);
            let mark = mark(point.get("mark"), self.hints)?;
            let value = tree::number(point, "value")?;
            readings.push(value.map(|value| Reading { at_s: 0, span_s, value, mark, row }));
            Ok(())
        })?;
        let (moments, findings) = self.clock.moments(&stamps);
        for (row, (at_s, reading)) in moments.into_iter().zip(readings).enumerate() {
            if let (Some(at_s), Some(reading)) = (at_s, reading) {
                track.readings.push(Reading { at_s, ..reading });
            } else if let Some(at_s) = at_s {
                track.empty_at_s.push(at_s);
                track.miss(row);
            }
        }
        for finding in findings {
            track.note(finding);
        }
        Ok(())
    }

    fn series(&self, series: &Value, track: &mut Track) -> Result<(), ImportError> {
        let written = tree::text(series, "start")?;
        let start = Time::parse(written).ok_or_else(|| ImportError::field("start", no_time(written)))?.millis() / 1000;
        let step_s = tree::seconds(series, "step_s")?.ok_or_else(|| ImportError::field("step_s", "is missing"))?;
        let values = series.get("values").and_then(Value::as_array).ok_or_else(|| ImportError::field("values", "is no list"))?;
        let marks = series.get("marks").and_then(Value::as_array);
        if marks.is_some_and(|marks| marks.len() != values.len()) {
            return Err(ImportError::field("marks", "are not as many as values"));
        }
        for row in 0..values.len() {
            let mark = mark(marks.map(|marks| &marks[row]), self.hints).map_err(|error| error.within(&format!("marks[{row}]")))?;
            let number = if values[row].is_null() { None } else { Some(finite(&values[row], row)?) };
            let steps = i64::try_from(row).unwrap_or(i64::MAX);
            let at_s = start.saturating_add(steps.saturating_mul(i64::from(step_s)));
            track.take(number.map(|value| Reading { at_s, span_s: Some(step_s), value, mark, row }), row);
        }
        Ok(())
    }
}

fn finite(value: &Value, row: usize) -> Result<f64, ImportError> {
    let number = value.as_f64().filter(|number| number.is_finite());
    number.ok_or_else(|| ImportError::field(format!("values[{row}]"), format!("{value} is no number: write null where there is no value")))
}

fn mark(written: Option<&Value>, hints: &Hints) -> Result<Mark, ImportError> {
    match written.filter(|written| !written.is_null()) {
        None => Ok(hints.mark()),
        Some(written) => {
            let help = |_| ImportError::field("mark", format!("{written} is no mark: write measured, forecast or filled"));
            serde_json::from_value(written.clone()).map_err(help)
        }
    }
}

fn unit(signal: &Value, kind: Kind) -> Result<Option<Unit>, ImportError> {
    let Some(written) = tree::text_if(signal, "unit") else { return Ok(None) };
    let unit = Unit::parse(written).filter(|unit| unit.quantity == kind.quantity());
    unit.map(Some).ok_or_else(|| ImportError::field("unit", format!("{written:?} is no unit of {}", kind.name())))
}
