//! WattTime, version 3: marginal emissions, measured and forecast.
//!
//! <https://docs.watttime.org>: `meta` names the region, the signal, the units and the seconds a value holds; `data` is a list of `point_time` and `value`, or, for the
//! forecasts of the past, of `generated_at` and a list `forecast` of such points.

use serde_json::Value;

use super::error::ImportError;
use super::finding::Finding;
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
    let meta = document.get("meta").ok_or_else(|| ImportError::field("meta", "is missing: it names the signal and its units"))?;
    let (kind, unit) = signal(meta).map_err(|error| error.within("meta"))?;
    let span_s = tree::seconds(meta, "data_point_period_seconds").map_err(|error| error.within("meta"))?;
    let mark = if meta.get("generated_at").is_some() { Mark::Forecast } else { Mark::Measured };
    let mut points = Points { track: Track::new(unit, "entry"), span_s };
    let mut forecasts = Vec::new();
    tree::each(document, "data", |at, entry| match entry.get("forecast") {
        Some(_) => {
            forecasts.push((moment_in(tree::text(entry, "generated_at")?, "generated_at")?, at, entry.clone()));
            Ok(())
        }
        None => points.take(entry, at, mark),
    })?;
    // The later forecast of a time is the better one, in whatever order they stand.
    forecasts.sort_by_key(|(made_at, at, _)| (*made_at, *at));
    for (_, at, entry) in &forecasts {
        let within = |error: ImportError| error.within(&format!("data[{at}]"));
        tree::each(entry, "forecast", |_, point| points.take(point, *at, Mark::Forecast)).map_err(within)?;
    }
    let mut track = points.track;
    warnings(meta).for_each(|finding| track.note(finding));
    let source = hints.source.clone().unwrap_or_else(|| Format::Watttime.name().to_owned());
    let key = Key { zone: tree::text_if(meta, "region").map(str::to_owned), source, kind, detail: None };
    Ok(Tracks::from([(key, track)]))
}

fn signal(meta: &Value) -> Result<(Kind, Unit), ImportError> {
    let kind = match tree::text(meta, "signal_type")? {
        "co2_moer" => Kind::CarbonMarginal,
        "co2_aoer" => Kind::CarbonAverage,
        other => return Err(ImportError::field("signal_type", format!("{other:?} is no carbon intensity: ask for co2_moer or co2_aoer"))),
    };
    let written = tree::text(meta, "units")?;
    let unit = Unit::parse(written).filter(|unit| unit.quantity == Quantity::Carbon);
    let help = || ImportError::field("units", format!("{written:?} is no carbon intensity: ask for values in lbs_co2_per_mwh"));
    Ok((kind, unit.ok_or_else(help)?))
}

fn warnings(meta: &Value) -> impl Iterator<Item = Finding> {
    let all = meta.get("warnings").and_then(Value::as_array).into_iter().flatten();
    let texts = all.filter_map(|warning| warning.as_str().or_else(|| tree::text_if(warning, "message")));
    texts.map(|text| Finding::Warning { text: text.to_owned() })
}

struct Points {
    track: Track,
    span_s: Option<u32>,
}

impl Points {
    fn take(&mut self, point: &Value, row: usize, mark: Mark) -> Result<(), ImportError> {
        let at_s = moment_in(tree::text(point, "point_time")?, "point_time")?;
        let is_estimate = tree::is_true(point, "imputed_data_used");
        let mark = if is_estimate { Mark::Filled } else { mark };
        let reading = tree::number(point, "value")?.map(|value| Reading { at_s, span_s: self.span_s, value, mark, row });
        self.track.estimated += usize::from(is_estimate && reading.is_some());
        self.track.take(reading, row);
        Ok(())
    }
}
