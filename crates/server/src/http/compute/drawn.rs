//! What a query drew and emitted, as its allocation tells.

use lab3_energy::carbon::Tier;
use lab3_energy::{Drawn, Fact as Energy};
use lab3_engine::{Fact, Stored};
use lab3_units::Amount;
use serde::Serialize;
use utoipa::ToSchema;

/// What a query drew and emitted.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QueryEnergy)]
pub(crate) struct DrawnReply {
    /// What it most likely drew, the data centre included.
    #[schema(example = 0.31)]
    energy_wh: f64,
    /// At least.
    energy_wh_low: f64,
    /// At most.
    energy_wh_high: f64,
    /// On what ground: `metered`, `measured` (a table of its model), `modelled` (a formula somebody states).
    #[schema(value_type = String, example = "measured")]
    ground: Tier,
    /// Whether behind the Hive's own meter, which has the last word when its hour is divided.
    on_site: bool,
    /// What that emits by the grid's average.
    #[schema(example = 0.124)]
    carbon_g: f64,
    /// What that emits at the margin.
    carbon_marginal_g: f64,
    /// What that emits by contracts and certificates.
    carbon_market_g: f64,
    /// Its part in making the machines; `null` where that is not counted.
    #[schema(required)]
    embodied_g: Option<f64>,
    /// Software Carbon Intensity (ISO/IEC 21031), g CO2e a query: `carbon_g` and `embodied_g`; `null` without the latter.
    #[schema(required)]
    sci_g: Option<f64>,
}

impl DrawnReply {
    /// What the record tells, if it is of a draw.
    pub(crate) fn of(stored: &Stored) -> Option<Self> {
        match &stored.record.fact {
            Fact::Energy(Energy::Drawn(drawn)) => Some(Self::new(drawn)),
            _ => None,
        }
    }

    fn new(drawn: &Drawn) -> Self {
        let [low, mid, high] = drawn.energy_mwh.map(thousandths);
        let carbon_g = thousandths(drawn.footprint.average_mg);
        let embodied_g = drawn.embodied_mg.map(thousandths);
        Self {
            energy_wh: mid,
            energy_wh_low: low,
            energy_wh_high: high,
            ground: drawn.tier,
            on_site: drawn.on_site,
            carbon_g,
            carbon_marginal_g: thousandths(drawn.footprint.marginal_mg),
            carbon_market_g: thousandths(drawn.footprint.market_mg),
            embodied_g,
            sci_g: drawn.embodied_mg.and_then(|embodied| embodied.checked_add(drawn.footprint.average_mg)).map(thousandths),
        }
    }
}

/// A count of thousandths (mWh, mg) as a number of the unit.
#[allow(clippy::cast_precision_loss, reason = "for showing: a query draws far less than 2^53 mWh")]
pub(super) fn thousandths(amount: Amount) -> f64 {
    amount.units() as f64 / 1000.0
}
