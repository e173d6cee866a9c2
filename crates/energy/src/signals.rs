//! Signals from the files and answers people have: bytes in, series on steps out, and what is odd about them in words.
//!
//! Pure: who fetches or is sent the bytes is elsewhere. On an error nothing is imported; whatever was read with a doubt is a [`Finding`], and no value is
//! changed without one. A value that was measured is marked so, one that was forecast too, and one that was made up, here or by the publisher, is filled.

mod carbon_aware_sdk;
mod check;
mod clock;
mod columns;
mod csv;
mod electricity_maps;
mod entsoe;
mod entsoe_period;
mod error;
mod finding;
mod format;
mod grid;
mod hints;
mod json;
mod kind;
mod settle;
mod spacing;
mod stamp;
mod table;
mod track;
mod tree;
mod uk_carbon_intensity;
mod unit;
mod watttime;
mod write;

use serde::{Deserialize, Serialize};

pub use error::{BYTES_MAX, ImportError};
pub use finding::{FINDINGS_MAX, Finding};
pub use format::Format;
pub use hints::{ColumnHint, FILL_S, FILL_S_MAX, Hints};
pub use kind::{Kind, Quantity};
pub use unit::Unit;
pub use write::{to_csv, to_json};

use crate::Series;
use format::Document;
use track::Tracks;

/// Steps a signal may have: nineteen years of five-minute values.
pub const STEPS_MAX: usize = 2_000_000;

/// One signal of a zone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Signal {
    /// Where it holds, as the publisher names it or a hint does.
    pub zone: Option<String>,
    /// Who publishes it.
    pub source: String,
    /// What it tells; its values are in [`Kind::unit`].
    pub kind: Kind,
    /// What tells it from others of its kind: `direct` or `life cycle`, the plants, a column's name.
    pub detail: Option<String>,
    /// Its values, in order of time, cut where a gap is too long to fill or the step changes.
    pub series: Vec<Series>,
    /// What is odd about it.
    pub findings: Vec<Finding>,
}

/// What was in a document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Imported {
    /// The format it was read as.
    pub format: Format,
    /// Its signals: at least one, each with at least one value.
    pub signals: Vec<Signal>,
}

impl Imported {
    /// Whether somebody should look before relying on it: see [`Finding::is_doubt`].
    pub fn is_doubtful(&self) -> bool {
        self.signals.iter().flat_map(|signal| &signal.findings).any(Finding::is_doubt)
    }
}

/// Reads the signals of a document. Without a format, the one it looks like.
///
/// Errors name the row and column, the path or the line, and what would help; nothing is imported then.
pub fn read(bytes: &[u8], format: Option<Format>, hints: &Hints) -> Result<Imported, ImportError> {
    hints.check()?;
    let document = Document::open(bytes)?;
    let format = format.or_else(|| document.detect()).ok_or(ImportError::Unrecognised)?;
    let signals = settle::signals(tracks(&document, format, hints)?, hints)?;
    Ok(Imported { format, signals })
}

fn tracks(document: &Document<'_>, format: Format, hints: &Hints) -> Result<Tracks, ImportError> {
    match (document, format) {
        (Document::Table(text), Format::Csv | Format::ElectricityMaps) => csv::read(text, format, hints),
        (Document::Xml(text), Format::Entsoe) => entsoe::read(text, hints),
        (Document::Json(value), Format::ElectricityMaps) => electricity_maps::read(value, hints),
        (Document::Json(value), Format::Watttime) => watttime::read(value, hints),
        (Document::Json(value), Format::UkCarbonIntensity) => uk_carbon_intensity::read(value, hints),
        (Document::Json(value), Format::CarbonAwareSdk) => carbon_aware_sdk::read(value, hints),
        (Document::Json(value), Format::Json) => json::read(value, hints),
        (other, format) => Err(ImportError::malformed(format, format!("it is {}", other.words()))),
    }
}
