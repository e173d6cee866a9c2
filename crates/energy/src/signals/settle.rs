//! From what stands in a file to signals: hints, units, steps, and a look at the sizes.

use super::Signal;
use super::check;
use super::error::ImportError;
use super::finding::{FINDINGS_MAX, Finding};
use super::grid::{self, Rules};
use super::hints::Hints;
use super::kind::{Kind, Quantity};
use super::track::{Key, Track, Tracks};
use super::unit::Unit;
use crate::Series;

/// Settles every signal of a file.
pub(super) fn signals(mut tracks: Tracks, hints: &Hints) -> Result<Vec<Signal>, ImportError> {
    let rows: usize = tracks.values().map(|track| track.no_value).sum();
    tracks.retain(|_, track| !track.readings.is_empty());
    if tracks.is_empty() {
        let detail = if rows > 0 { format!(": {rows} of its rows are empty") } else { String::new() };
        return Err(ImportError::Empty { detail });
    }
    agree(&tracks, hints)?;
    tracks.into_iter().map(|(key, track)| signal(key, track, hints)).collect()
}

/// Refuses hints that are about something else than the file.
fn agree(tracks: &Tracks, hints: &Hints) -> Result<(), ImportError> {
    let any = |is: &dyn Fn(&Key) -> bool| tracks.keys().any(is);
    let kinds = || {
        let mut names: Vec<&str> = tracks.keys().map(|key| key.kind.name()).collect();
        names.dedup();
        names.join(", ")
    };
    if let Some(kind) = hints.kind.filter(|kind| !any(&|key| key.kind == *kind)) {
        return Err(ImportError::hint("kind", format!("the file has no {}: it has {}", kind.name(), kinds())));
    }
    let zones = tracks.keys().map(|key| &key.zone);
    if hints.zone.is_some() && zones.clone().any(|zone| Some(zone) != zones.clone().next()) {
        return Err(ImportError::hint("zone", "the file has several zones, which cannot all have this name: leave it out"));
    }
    let stated = hints.unit.as_deref().and_then(Unit::parse);
    match stated.filter(|unit| !any(&|key| key.kind.quantity() == unit.quantity)) {
        Some(unit) => Err(ImportError::hint("unit", format!("{} is no unit of anything in the file: it has {}", unit.name, kinds()))),
        None => Ok(()),
    }
}

fn signal(key: Key, mut track: Track, hints: &Hints) -> Result<Signal, ImportError> {
    let Key { zone, source, kind, detail } = key;
    let hinted = hints.unit_of(kind.quantity())?;
    let unit_stated = track.unit_stated || hinted.is_some();
    let unit = hinted.unwrap_or_else(|| track.unit.clone());
    let mut findings = std::mem::take(&mut track.findings);
    let rate = rate(&unit, hints, &mut findings);
    let factor = unit.factor * rate;
    track.readings.iter_mut().for_each(|reading| reading.value *= factor);
    if track.no_value > 0 {
        findings.push(Finding::NoValue { rows: track.no_value, first: format!("{} {}", track.row_word, track.no_value_first) });
    }
    if track.estimated > 0 {
        findings.push(Finding::Estimated { values: track.estimated });
    }
    let rules = Rules { step_s: hints.step_s, fill_s: hints.fill_s(), row_word: track.row_word, empty_at_s: track.empty_at_s };
    let (mut series, odd) = grid::lay(track.readings, &rules)?;
    let energy = power(&unit, &mut series);
    findings.extend(converted(&unit, unit.factor * energy, kind));
    findings.extend(odd);
    if let Some(value) = series.iter().flat_map(|piece| &piece.values).find(|value| !value.is_finite()) {
        return Err(ImportError::hint("unit", format!("a value becomes {value} in {}", kind.unit())));
    }
    findings.extend(check::look(&series, kind, unit_stated));
    Ok(Signal { zone: hints.zone.clone().or(zone), source, kind, detail, series, findings: bounded(findings, track.more) })
}

/// What a price's money is in MIC; 1 for anything else.
fn rate(unit: &Unit, hints: &Hints, findings: &mut Vec<Finding>) -> f64 {
    if unit.quantity != Quantity::Price || unit.currency.as_deref() == Some("MIC") {
        return 1.0;
    }
    let mic = hints.mic_per_currency.unwrap_or(1.0);
    findings.push(Finding::Currency { currency: unit.currency.clone(), mic, stated: hints.mic_per_currency.is_some() });
    mic
}

/// Turns the energies of steps into powers; says by what the first piece's values were taken.
fn power(unit: &Unit, series: &mut [Series]) -> f64 {
    if !unit.is_energy {
        return 1.0;
    }
    let factor = |piece: &Series| 3600.0 / f64::from(piece.step_s);
    for piece in series.iter_mut() {
        let factor = factor(piece);
        piece.values.iter_mut().for_each(|value| *value *= factor);
    }
    series.first().map_or(1.0, factor)
}

fn converted(unit: &Unit, factor: f64, kind: Kind) -> Option<Finding> {
    let is_same = (factor - 1.0).abs() < 1e-12 && !unit.is_energy;
    // Money is told of by its own finding: this one is about the rest.
    let to = match &unit.currency {
        Some(currency) => format!("{currency}/kWh"),
        None => kind.unit().to_owned(),
    };
    (!is_same).then(|| Finding::Converted { from: unit.name.clone(), to, factor })
}

/// As many findings as are kept, and how many more there are.
fn bounded(mut findings: Vec<Finding>, before: usize) -> Vec<Finding> {
    let more = before + findings.len().saturating_sub(FINDINGS_MAX);
    if findings.len() > FINDINGS_MAX {
        // What is odd about all of a signal stands before the gaps and times of single steps; doubts about the sizes stand last.
        let last = findings.pop();
        findings.truncate(FINDINGS_MAX - 1);
        findings.extend(last);
    }
    if more > 0 {
        findings.push(Finding::More { findings: more });
    }
    findings
}
