//! What a signal tells, and the unit each kind is kept in.

use serde::{Deserialize, Serialize};

/// What a signal tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Emissions of the mix a zone consumes, in g CO2e a kWh.
    CarbonAverage,
    /// Emissions of the plants that answer one kWh more or less, in g CO2e a kWh.
    CarbonMarginal,
    /// What a kWh from the grid costs, in MIC.
    PriceImport,
    /// What a kWh fed into the grid earns, in MIC.
    PriceExport,
    /// Solar generation, in kW.
    Pv,
    /// Wind generation, in kW.
    Wind,
    /// Generation from any other source, in kW.
    Generation,
    /// Consumption, in kW.
    Load,
}

/// What is measured: kinds of one quantity share their units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// Emissions for an energy.
    Carbon,
    /// Money for an energy.
    Price,
    /// Energy for a time.
    Power,
}

impl Quantity {
    /// How findings speak of it.
    pub const fn words(self) -> &'static str {
        match self {
            Quantity::Carbon => "carbon intensity",
            Quantity::Price => "price",
            Quantity::Power => "power",
        }
    }
}

impl Kind {
    /// Every kind, in the order of their names here.
    pub const ALL: [Kind; 8] = [
        Kind::CarbonAverage,
        Kind::CarbonMarginal,
        Kind::PriceImport,
        Kind::PriceExport,
        Kind::Pv,
        Kind::Wind,
        Kind::Generation,
        Kind::Load,
    ];

    /// The name people write.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::CarbonAverage => "carbon_average",
            Kind::CarbonMarginal => "carbon_marginal",
            Kind::PriceImport => "price_import",
            Kind::PriceExport => "price_export",
            Kind::Pv => "pv",
            Kind::Wind => "wind",
            Kind::Generation => "generation",
            Kind::Load => "load",
        }
    }

    /// The kind of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Kind::ALL.into_iter().find(|kind| kind.name() == name.trim())
    }

    /// What it is a kind of.
    pub const fn quantity(self) -> Quantity {
        match self {
            Kind::CarbonAverage | Kind::CarbonMarginal => Quantity::Carbon,
            Kind::PriceImport | Kind::PriceExport => Quantity::Price,
            Kind::Pv | Kind::Wind | Kind::Generation | Kind::Load => Quantity::Power,
        }
    }

    /// The unit its values are kept in.
    pub const fn unit(self) -> &'static str {
        match self.quantity() {
            Quantity::Carbon => "gCO2e/kWh",
            Quantity::Price => "MIC/kWh",
            Quantity::Power => "kW",
        }
    }

    /// The least and the greatest value one believes, in [`Kind::unit`]. Night values of inverters are a little below 0; prices have been negative;
    /// 10^9 kW is more than any country's load.
    pub const fn plausible(self) -> (f64, f64) {
        match self.quantity() {
            Quantity::Carbon => (0.0, 2500.0),
            Quantity::Price => (-20.0, 20.0),
            Quantity::Power => (-0.1, 1e9),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.name()), Some(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
        assert_eq!(Kind::parse("carbon"), None);
    }
}
