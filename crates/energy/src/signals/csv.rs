//! Tables: which column is what, by its name or as somebody said, and the values in them.

use std::collections::BTreeMap;

use super::clock::Clock;
use super::columns::{Layout, Value};
use super::error::ImportError;
use super::finding::Finding;
use super::format::Format;
use super::hints::Hints;
use super::kind::Kind;
use super::stamp::{Stamp, no_time};
use super::table::{Row, Table};
use super::track::{Key, Reading, Track, Tracks};
use super::unit::Unit;
use crate::Mark;

/// The values of one signal, with times as they stand in the file.
struct Rows {
    track: Track,
    stamps: Vec<Stamp>,
    readings: Vec<Option<Reading>>,
}

/// Reads a table.
pub(super) fn read(text: &str, format: Format, hints: &Hints) -> Result<Tracks, ImportError> {
    let table = Table::open(text, format)?;
    let layout = Layout::of(&table.header, format, hints)?;
    let clock = if layout.is_utc { Clock::utc() } else { Clock::named(hints.time_zone.as_deref())? };
    let reader = Reader { layout, header: table.header.clone(), decimal_comma: table.decimal_comma, format, hints };
    let mut found = BTreeMap::<Key, Rows>::new();
    for row in table.rows() {
        reader.row(&row?, &mut found)?;
    }
    let mut tracks: Tracks = found.into_iter().map(|(key, rows)| (key, rows.settle(&clock))).collect();
    if let Some(track) = tracks.values_mut().next() {
        track.findings.extend(reader.layout.left_out());
    }
    Ok(tracks)
}

impl Rows {
    /// Gives each value its moment.
    fn settle(self, clock: &Clock) -> Track {
        let Rows { mut track, stamps, readings } = self;
        let (moments, findings) = clock.moments(&stamps);
        for (moment, reading) in moments.into_iter().zip(readings) {
            match (moment, reading) {
                (Some(at_s), Some(reading)) => track.readings.push(Reading { at_s, ..reading }),
                (Some(at_s), None) => track.empty_at_s.push(at_s),
                (None, _) => {}
            }
        }
        track.findings.extend(findings);
        track
    }
}

struct Reader<'a> {
    layout: Layout,
    header: Vec<String>,
    decimal_comma: bool,
    format: Format,
    hints: &'a Hints,
}

impl Reader<'_> {
    fn row(&self, row: &Row, found: &mut BTreeMap<Key, Rows>) -> Result<(), ImportError> {
        let written = row.field(self.layout.time);
        let stamp = Stamp::parse(written).ok_or_else(|| self.error(row, self.layout.time, no_time(written)))?;
        let span_s = self.layout.step_s.map(|column| self.step(row, column)).transpose()?;
        let mark = self.mark(row)?;
        for value in &self.layout.values {
            let key = self.key(row, value)?;
            let number = self.number(row, value.column)?;
            let reading = number.map(|value| Reading { at_s: 0, span_s, value, mark, row: row.line });
            if !found.contains_key(&key) {
                let track = self.track(row, value, key.kind)?;
                found.insert(key.clone(), Rows { track, stamps: Vec::new(), readings: Vec::new() });
            }
            let Some(rows) = found.get_mut(&key) else { continue };
            if reading.is_none() {
                rows.track.miss(row.line);
            }
            if mark == Mark::Filled && self.layout.is_estimate {
                rows.track.estimated += usize::from(reading.is_some());
            }
            rows.stamps.push(stamp);
            rows.readings.push(reading);
        }
        Ok(())
    }

    fn error(&self, row: &Row, column: usize, detail: String) -> ImportError {
        let name = self.header.get(column).map_or("", String::as_str);
        ImportError::field(format!("row {}, column {name:?}", row.line), detail)
    }

    /// The number in a cell; none where it is empty.
    fn number(&self, row: &Row, column: usize) -> Result<Option<f64>, ImportError> {
        let written = row.field(column);
        if written.is_empty() {
            return Ok(None);
        }
        let point = if self.decimal_comma && !written.contains('.') { written.replacen(',', ".", 1) } else { written.to_owned() };
        let number = point.parse::<f64>().ok().filter(|number| number.is_finite());
        let help = || self.error(row, column, format!("{written:?} is no number: leave the cell empty where there is no value"));
        number.map(Some).ok_or_else(help)
    }

    fn step(&self, row: &Row, column: usize) -> Result<u32, ImportError> {
        let written = row.field(column);
        let step = written.parse::<u32>().ok().filter(|step| *step > 0);
        step.ok_or_else(|| self.error(row, column, format!("{written:?} is no number of seconds")))
    }

    fn mark(&self, row: &Row) -> Result<Mark, ImportError> {
        let Some(column) = self.layout.mark else { return Ok(self.hints.mark()) };
        match row.field(column).to_lowercase().as_str() {
            "measured" | "false" | "0" => Ok(Mark::Measured),
            "forecast" => Ok(Mark::Forecast),
            "filled" | "estimated" | "true" | "1" => Ok(Mark::Filled),
            "" => Ok(self.hints.mark()),
            other => Err(self.error(row, column, format!("{other:?} is no mark: write measured, forecast or filled"))),
        }
    }

    fn key(&self, row: &Row, value: &Value) -> Result<Key, ImportError> {
        let text = |column: Option<usize>| column.map(|column| row.text(column).to_owned()).filter(|text| !text.is_empty());
        let kind = match self.layout.kind.map(|column| (column, row.field(column))) {
            Some((column, name)) => Kind::parse(name).ok_or_else(|| self.error(row, column, no_kind(name)))?,
            None => value.kind,
        };
        let source = text(self.layout.source).or_else(|| self.hints.source.clone()).unwrap_or_else(|| self.format.name().to_owned());
        let detail = text(self.layout.detail).or_else(|| value.detail.clone());
        Ok(Key { zone: text(self.layout.zone), source, kind, detail })
    }

    fn track(&self, row: &Row, value: &Value, kind: Kind) -> Result<Track, ImportError> {
        let in_cell = match self.layout.unit.map(|column| (column, row.field(column))) {
            Some((column, name)) if !name.is_empty() => {
                let unit = Unit::parse(name).filter(|unit| unit.quantity == kind.quantity());
                Some(unit.ok_or_else(|| self.error(row, column, format!("{name:?} is no unit of {}", kind.name())))?)
            }
            _ => None,
        };
        let unit = in_cell.or_else(|| value.unit.clone());
        let mut track = Track::new(unit.clone().unwrap_or_else(|| Unit::kept(kind.quantity())), "row");
        track.unit_stated = unit.is_some();
        if value.kind_assumed && self.hints.kind.is_none() {
            track.note(Finding::KindAssumed { kind });
        }
        Ok(track)
    }
}

fn no_kind(name: &str) -> String {
    format!("{name:?} is no kind of signal: write one of {}", Kind::ALL.map(Kind::name).join(", "))
}
