//! The formats people have, and which of them a document looks like.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::{BYTES_MAX, ImportError};

/// A format of documents with signals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Electricity Maps: the yearly CSV files, and the JSON of the API.
    ElectricityMaps,
    /// WattTime, version 3 of the API: JSON.
    Watttime,
    /// The Carbon Intensity API of Great Britain, national and regional: JSON.
    UkCarbonIntensity,
    /// The transparency platform of ENTSO-E: XML with prices (A44), generation (A75), load (A65) or forecasts of wind and sun (A69).
    Entsoe,
    /// The Carbon Aware SDK: JSON with emissions or forecasts.
    CarbonAwareSdk,
    /// A table with a header, among them what [`super::to_csv`] writes.
    Csv,
    /// What [`super::to_json`] writes, and points with times.
    Json,
}

impl Format {
    /// Every format.
    pub const ALL: [Format; 7] = [
        Format::ElectricityMaps,
        Format::Watttime,
        Format::UkCarbonIntensity,
        Format::Entsoe,
        Format::CarbonAwareSdk,
        Format::Csv,
        Format::Json,
    ];

    /// The name people write.
    pub const fn name(self) -> &'static str {
        match self {
            Format::ElectricityMaps => "electricity_maps",
            Format::Watttime => "watttime",
            Format::UkCarbonIntensity => "uk_carbon_intensity",
            Format::Entsoe => "entsoe",
            Format::CarbonAwareSdk => "carbon_aware_sdk",
            Format::Csv => "csv",
            Format::Json => "json",
        }
    }

    /// The format of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Format::ALL.into_iter().find(|format| format.name() == name.trim())
    }

    /// All names, for sentences.
    pub(super) fn names() -> String {
        Format::ALL.map(Format::name).join(", ")
    }
}

/// A document, opened as far as it takes to tell its format.
pub(super) enum Document<'a> {
    Xml(&'a str),
    Json(Value),
    Table(&'a str),
}

impl<'a> Document<'a> {
    /// Opens bytes as what they begin like.
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, ImportError> {
        let text = text(bytes)?;
        match text.chars().next() {
            Some('<') => Ok(Document::Xml(text)),
            Some('{' | '[') => {
                serde_json::from_str(text).map(Document::Json).map_err(|error| ImportError::malformed(Format::Json, error.to_string()))
            }
            Some(_) => Ok(Document::Table(text)),
            None => Err(ImportError::Empty { detail: String::new() }),
        }
    }

    /// What it is, for sentences.
    pub(super) fn words(&self) -> &'static str {
        match self {
            Document::Xml(_) => "XML",
            Document::Json(_) => "JSON",
            Document::Table(_) => "a table or plain text",
        }
    }

    /// What it looks like.
    pub(super) fn detect(&self) -> Option<Format> {
        match self {
            Document::Xml(text) => text.contains("_MarketDocument").then_some(Format::Entsoe),
            Document::Json(value) => json(value),
            Document::Table(text) => Some(table(text)),
        }
    }
}

fn text(bytes: &[u8]) -> Result<&str, ImportError> {
    if bytes.len() > BYTES_MAX {
        return Err(ImportError::Large { what: format!("{} bytes, at most {BYTES_MAX}", bytes.len()) });
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return Err(ImportError::Packed { archive: "zip" });
    }
    if bytes.starts_with(&[0x1f, 0x8b]) {
        return Err(ImportError::Packed { archive: "gzip" });
    }
    let text = std::str::from_utf8(bytes).map_err(|error| ImportError::Encoding { byte: error.valid_up_to() })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text).trim_start())
}

fn table(text: &str) -> Format {
    let header = text.lines().next().unwrap_or_default().to_lowercase();
    if header.contains("carbon intensity gco") { Format::ElectricityMaps } else { Format::Csv }
}

fn json(value: &Value) -> Option<Format> {
    let first = |value: &Value| value.get(0).cloned().unwrap_or_default();
    if value.is_array() {
        return json_entry(&first(value));
    }
    let data = value.get("data");
    let entry = data.map(|data| if data.is_array() { first(data) } else { data.clone() }).unwrap_or_default();
    let has = |name: &str| value.get(name).is_some();
    let entry_has = |name: &str| entry.get(name).is_some();
    if entry_has("point_time") || value.get("meta").is_some_and(|meta| meta.get("signal_type").is_some()) {
        Some(Format::Watttime)
    } else if ["intensity", "regionid", "regions"].into_iter().any(entry_has) {
        Some(Format::UkCarbonIntensity)
    } else if has("zone") && ["history", "forecast", "carbonIntensity"].into_iter().any(has) || entry_has("datetime") {
        Some(Format::ElectricityMaps)
    } else {
        json_entry(value)
    }
}

/// The format of one entry of a list, or of what stands alone.
fn json_entry(entry: &Value) -> Option<Format> {
    let has = |name: &str| entry.as_object().is_some_and(|entry| entry.keys().any(|key| key.eq_ignore_ascii_case(name)));
    if has("rating") || has("forecastData") || has("Emissions") || (has("location") && has("carbonIntensity")) {
        Some(Format::CarbonAwareSdk)
    } else if has("signals") || has("points") || has("series") {
        Some(Format::Json)
    } else {
        None
    }
}
