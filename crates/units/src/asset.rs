//! Assets: what the ledger can count, each with its own scale.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Amount;

/// Something scarce that the ledger counts. The number is what the journal stores, so it never changes meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Asset(u16);

impl Asset {
    /// Money: 1 MIC = 1,000,000 KS.
    pub const MIC: Asset = Asset(1);
    /// The monthly compute allowance, counted in MIC of compute (same scale as MIC, but it cannot be paid out).
    pub const COMPUTE: Asset = Asset(2);
    /// Electric energy: counted in mWh, spoken of in kWh.
    pub const ENERGY: Asset = Asset(3);
    /// Greenhouse gas, as what warms as much: counted in mg CO2e, spoken of in kg CO2e.
    pub const CARBON: Asset = Asset(4);

    /// The asset's number in the journal.
    pub const fn number(self) -> u16 {
        self.0
    }

    /// Decimals between the unit people speak of and the smallest unit the ledger counts.
    pub const fn scale(self) -> u8 {
        6
    }

    /// What people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Asset::MIC => "MIC",
            Asset::COMPUTE => "compute MIC",
            Asset::ENERGY => "kWh",
            Asset::CARBON => "kgCO2e",
            _ => "unknown asset",
        }
    }

    /// Reads decimal text as an amount of this asset.
    pub fn parse(self, text: &str) -> Result<Amount, crate::AmountError> {
        Amount::parse(text, self.scale())
    }

    /// The amount with the asset's decimals, without its name: `0.075`.
    pub fn decimal(self, amount: Amount) -> impl fmt::Display {
        amount.display(self.scale())
    }
}
