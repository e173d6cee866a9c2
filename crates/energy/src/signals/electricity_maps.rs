//! Electricity Maps: what its API answers. The yearly CSV files are read as tables.
//!
//! <https://app.electricitymaps.com/developer-hub/api/reference>: one value (`carbonIntensity` in g CO2e a kWh, `datetime`), or lists of them under `history`, `forecast`
//! or `data`; prices and load have a `value` and its `unit`. `isEstimated` marks what no meter told yet; `emissionFactorType` is life cycle or direct.

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

/// The step of an answer that names none: the API's own default.
const STEP_S: u32 = 3600;

/// Reads an answer.
pub(super) fn read(document: &Value, hints: &Hints) -> Result<Tracks, ImportError> {
    if let Some(refusal) = tree::refusal(document) {
        return Err(refusal);
    }
    let mut answer = Answer { document, hints, tracks: Tracks::new() };
    let mut lists = 0;
    for (name, mark) in [("history", Mark::Measured), ("data", Mark::Measured), ("forecast", Mark::Forecast)] {
        if document.get(name).is_some() {
            lists += 1;
            tree::each(document, name, |at, entry| answer.entry(entry, at, mark))?;
        }
    }
    if lists == 0 {
        answer.entry(document, 0, Mark::Measured)?;
    }
    for track in answer.tracks.values_mut().filter(|track| track.readings.len() == 1) {
        track.readings.iter_mut().for_each(|reading| reading.span_s = reading.span_s.or(hints.step_s).or(Some(STEP_S)));
    }
    Ok(answer.tracks)
}

struct Answer<'a> {
    document: &'a Value,
    hints: &'a Hints,
    tracks: Tracks,
}

impl Answer<'_> {
    fn entry(&mut self, entry: &Value, row: usize, mark: Mark) -> Result<(), ImportError> {
        let at_s = moment_in(tree::text(entry, "datetime")?, "datetime")?;
        let own = |name: &str| tree::text_if(entry, name).or_else(|| tree::text_if(self.document, name)).map(str::to_owned);
        let (name, unit) = match (entry.get("carbonIntensity"), own("unit")) {
            (Some(_), _) => ("carbonIntensity", Unit::kept(Quantity::Carbon)),
            (None, Some(unit)) => {
                ("value", Unit::parse(&unit).ok_or_else(|| ImportError::field("unit", format!("{unit:?} is no unit known here")))?)
            }
            (None, None) => return Err(ImportError::field("carbonIntensity", "is missing")),
        };
        let span_s = own("temporalGranularity").and_then(|name| granularity(&name));
        let is_estimate = tree::is_true(entry, "isEstimated");
        let mark = if is_estimate && mark == Mark::Measured { Mark::Filled } else { mark };
        let reading = tree::number(entry, name)?.map(|value| Reading { at_s, span_s, value, mark, row });
        let source = self.hints.source.clone().unwrap_or_else(|| Format::ElectricityMaps.name().to_owned());
        let key = Key { zone: own("zone"), source, kind: self.kind(unit.quantity), detail: own("emissionFactorType") };
        let track = self.tracks.entry(key).or_insert_with(|| Track::new(unit, "entry"));
        track.estimated += usize::from(mark == Mark::Filled && reading.is_some());
        if reading.is_none() {
            track.empty_at_s.push(at_s);
        }
        track.take(reading, row);
        Ok(())
    }

    fn kind(&self, quantity: Quantity) -> Kind {
        match quantity {
            Quantity::Carbon => Kind::CarbonAverage,
            Quantity::Price => self.hints.kind_or(Kind::PriceImport),
            Quantity::Power => self.hints.kind_or(Kind::Load),
        }
    }
}

fn granularity(name: &str) -> Option<u32> {
    match name {
        "hourly" => Some(3600),
        "daily" => Some(86_400),
        minutes => minutes.strip_suffix("_minutes")?.parse::<u32>().ok()?.checked_mul(60).filter(|step| *step > 0),
    }
}
