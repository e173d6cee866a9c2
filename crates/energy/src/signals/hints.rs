//! What the person who imports knows and the file does not say.

use serde::{Deserialize, Serialize};

use super::error::ImportError;
use super::kind::{Kind, Quantity};
use super::unit::Unit;
use crate::Mark;

/// Gaps up to this many seconds are filled unless the hints say otherwise.
pub const FILL_S: u32 = 2 * 3600;
/// No gap longer than this many seconds is ever filled: past a day a straight line tells nothing.
pub const FILL_S_MAX: u32 = 24 * 3600;

/// What the person who imports knows and the file does not say. All of it may be left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Hints {
    /// The name of the zone; for files of one zone.
    pub zone: Option<String>,
    /// Who published the signal; otherwise the name of the format.
    pub source: Option<String>,
    /// What the values are, where the file leaves it open.
    pub kind: Option<Kind>,
    /// The unit of the values, whatever the file says of those of the same quantity.
    pub unit: Option<String>,
    /// The zone of times that have no offset: a name (`Europe/Berlin`) or an offset (`+01:00`). Otherwise UTC.
    pub time_zone: Option<String>,
    /// How long a step is, in seconds, where the file does not say.
    pub step_s: Option<u32>,
    /// Where the values are from, where the file does not say. Otherwise they are measured.
    pub mark: Option<Mark>,
    /// The longest gap to fill by a straight line, in seconds: [`FILL_S`] if not said, at most [`FILL_S_MAX`].
    pub fill_s: Option<u32>,
    /// How many MIC a unit of the file's currency is. Otherwise one.
    pub mic_per_currency: Option<f64>,
    /// Which columns of a CSV to read. Otherwise those whose names tell.
    pub columns: Vec<ColumnHint>,
}

/// What a column of a CSV is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnHint {
    /// The column's name, as the header has it.
    pub name: String,
    /// What it tells.
    pub kind: Kind,
    /// In what unit; otherwise as its name says, or that of its kind.
    #[serde(default)]
    pub unit: Option<String>,
}

impl Hints {
    /// The unit the hints give for a quantity, checked.
    pub(super) fn unit_of(&self, quantity: Quantity) -> Result<Option<Unit>, ImportError> {
        let Some(text) = &self.unit else { return Ok(None) };
        Ok(Some(parse_unit(text, "unit")?).filter(|unit| unit.quantity == quantity))
    }

    /// The kind the hints give if it is of this quantity, or else `kind`.
    pub(super) fn kind_or(&self, kind: Kind) -> Kind {
        self.kind.filter(|hint| hint.quantity() == kind.quantity()).unwrap_or(kind)
    }

    /// How a value is marked that the file says nothing of.
    pub(super) fn mark(&self) -> Mark {
        self.mark.unwrap_or(Mark::Measured)
    }

    /// The longest gap to fill, in seconds.
    pub(super) fn fill_s(&self) -> u32 {
        self.fill_s.unwrap_or(FILL_S).min(FILL_S_MAX)
    }

    /// Refuses what no file could be read by.
    pub(super) fn check(&self) -> Result<(), ImportError> {
        if let Some(text) = &self.unit {
            parse_unit(text, "unit")?;
        }
        if self.step_s.is_some_and(|step| step == 0 || step > super::grid::STEP_S_MAX) {
            return Err(ImportError::hint("step_s", "a step is 1 to 86400 seconds long"));
        }
        if self.mic_per_currency.is_some_and(|rate| !(rate.is_finite() && rate > 0.0)) {
            return Err(ImportError::hint("mic_per_currency", "a rate is a number above 0"));
        }
        Ok(())
    }
}

/// Reads a unit somebody wrote into a hint.
pub(super) fn parse_unit(text: &str, field: &'static str) -> Result<Unit, ImportError> {
    let known = "write one like gCO2e/kWh, kg/MWh, lb/MWh, EUR/MWh, ct/kWh, W, kW or kWh";
    Unit::parse(text).ok_or_else(|| ImportError::hint(field, format!("{text:?} is no unit known here: {known}")))
}
