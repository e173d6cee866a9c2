//! What a request is believed to have drawn, and on what ground.
//!
//! The best ground there is is taken, and named: a meter bound to the request, else a table measured for its model, else a stated model.

use lab3_units::Amount;
use serde::{Deserialize, Serialize};

use super::rounding::{count, float, rounded, units};
use super::{CarbonError, Interval, ecologits};

/// The ground of a figure, the most certain first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// A meter was bound to it.
    Metered,
    /// Its tokens times a table measured for its model.
    Measured,
    /// A stated model: a formula with coefficients somebody published.
    Modelled,
}

/// The energy of a request, with its ground.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// In Wh.
    pub energy_wh: Interval,
    /// On what ground.
    pub tier: Tier,
}

/// What is known of a request when it has run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Work {
    /// Tokens read.
    pub input_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
    /// How long it took, in seconds, where that is known.
    pub latency_s: Option<f64>,
}

/// A meter bound to one request.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// What it read, in mWh.
    pub energy_mwh: Amount,
    /// How far it may be off: 0.01 is a meter of class 1 (IEC 62053-21).
    pub spread: f64,
}

/// What a model draws, as it was measured on the machine it runs on: a row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelDraw {
    /// Wh for each token read.
    pub input_token_wh: f64,
    /// Wh for each token written.
    pub output_token_wh: f64,
    /// Wh for each request, however short.
    pub request_wh: f64,
    /// How far a request may be off, relative: 0.2 is a fifth more or less.
    pub spread: f64,
}

/// A stated model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stated {
    /// The formula with its coefficients.
    pub formula: Formula,
    /// How much further off than the formula's own interval a request may be, relative; EcoLogits' formula says nothing of that where the
    /// model's size is known.
    pub spread: f64,
}

/// Formulas there are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Formula {
    /// EcoLogits' for language models.
    EcoLogits(Box<ecologits::Hosting>),
    /// A draw by tokens that somebody stated and nobody measured here.
    PerToken(ModelDraw),
}

/// All grounds there are for one request.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sources<'a> {
    /// A meter bound to it.
    pub meter: Option<&'a Measurement>,
    /// Its model's row of the measured table.
    pub table: Option<&'a ModelDraw>,
    /// Its model's stated model.
    pub stated: Option<&'a Stated>,
}

impl Sources<'_> {
    /// What a request drew, on the best ground there is; `None` where there is none.
    ///
    /// Errors: a reading or a coefficient is below zero or not finite.
    pub fn estimate(&self, work: &Work) -> Result<Option<Estimate>, CarbonError> {
        let (energy_wh, tier) = if let Some(meter) = self.meter {
            (meter.energy_wh()?, Tier::Metered)
        } else if let Some(table) = self.table {
            (table.energy_wh(work)?, Tier::Measured)
        } else if let Some(stated) = self.stated {
            (stated.energy_wh(work)?, Tier::Modelled)
        } else {
            return Ok(None);
        };
        Ok(Some(Estimate { energy_wh, tier }))
    }
}

impl Measurement {
    fn energy_wh(&self) -> Result<Interval, CarbonError> {
        units(self.energy_mwh, "a metered energy")?;
        Interval::exact(float(self.energy_mwh.units()) / 1000.0)?.widened(self.spread)
    }
}

impl ModelDraw {
    /// `request + input tokens x input + output tokens x output`, in Wh. Errors: it is below zero or not finite.
    pub fn energy_wh(&self, work: &Work) -> Result<Interval, CarbonError> {
        if [self.input_token_wh, self.output_token_wh, self.request_wh].iter().any(|&wh| wh < 0.0) {
            return Err(CarbonError::Negative("a model's draw"));
        }
        let tokens_wh = self.input_token_wh * count(work.input_tokens) + self.output_token_wh * count(work.output_tokens);
        Interval::exact(self.request_wh + tokens_wh)?.widened(self.spread)
    }
}

impl Stated {
    fn energy_wh(&self, work: &Work) -> Result<Interval, CarbonError> {
        let energy_wh = match &self.formula {
            Formula::EcoLogits(hosting) => hosting.energy_kwh(work.output_tokens, work.latency_s)?.times(1000.0)?,
            Formula::PerToken(draw) => draw.energy_wh(work)?,
        };
        energy_wh.widened(self.spread)
    }
}

impl Estimate {
    /// The best guess in whole mWh. Errors: it does not fit.
    pub fn energy_mwh(&self) -> Result<Amount, CarbonError> {
        rounded(self.energy_wh.mid() * 1e3, "an energy").map(Amount::new)
    }

    /// At least, most likely and at most, in whole mWh. Errors: one does not fit.
    pub fn bounds_mwh(&self) -> Result<[Amount; 3], CarbonError> {
        let whole = |wh: f64| rounded(wh * 1e3, "an energy").map(Amount::new);
        Ok([whole(self.energy_wh.low())?, self.energy_mwh()?, whole(self.energy_wh.high())?])
    }

    /// The best guess in whole micro-Wh: how much of a meter's reading it claims. Errors: it does not fit.
    pub(crate) fn weight_uwh(&self) -> Result<u64, CarbonError> {
        units(Amount::new(rounded(self.energy_wh.mid() * 1e6, "an energy")?), "an energy")
    }

    /// The same figure after so many mWh of a meter were booked for it: the interval moves with it, as wide as before in proportion.
    ///
    /// Errors: the amount is below zero.
    pub fn booked(&self, energy_mwh: Amount) -> Result<Self, CarbonError> {
        units(energy_mwh, "an energy")?;
        let (booked_wh, mid_wh) = (float(energy_mwh.units()) / 1000.0, self.energy_wh.mid());
        let energy_wh = if mid_wh > 0.0 {
            // The middle exactly what was booked, whatever the division lost.
            let scaled = |end: f64| end / mid_wh * booked_wh;
            Interval::new(scaled(self.energy_wh.low()).min(booked_wh), booked_wh, scaled(self.energy_wh.high()).max(booked_wh))?
        } else {
            Interval::exact(booked_wh)?
        };
        Ok(Self { energy_wh, ..*self })
    }

    /// What it emits, in g CO2e, at an intensity (g CO2e a kWh) that has an interval of its own. Errors: it is not finite.
    pub fn carbon_g(&self, g_per_kwh: Interval) -> Result<Interval, CarbonError> {
        self.energy_wh.times(1e-3)?.product(g_per_kwh)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAW: ModelDraw = ModelDraw { input_token_wh: 0.000_1, output_token_wh: 0.001, request_wh: 0.05, spread: 0.2 };
    const WORK: Work = Work { input_tokens: 1000, output_tokens: 200, latency_s: Some(3.0) };

    #[test]
    fn the_best_ground_there_is_is_taken_and_named() {
        let meter = Measurement { energy_mwh: Amount::new(420), spread: 0.01 };
        let stated = Stated { formula: Formula::PerToken(DRAW), spread: 1.0 };
        let all = Sources { meter: Some(&meter), table: Some(&DRAW), stated: Some(&stated) };
        for (sources, tier, expected_wh) in [
            (all, Tier::Metered, [0.4158, 0.42, 0.4242]),
            (Sources { meter: None, ..all }, Tier::Measured, [0.28, 0.35, 0.42]),
            (Sources { meter: None, table: None, ..all }, Tier::Modelled, [0.0, 0.35, 0.84]),
        ] {
            let estimate = sources.estimate(&WORK).unwrap().unwrap();
            assert_eq!(estimate.tier, tier);
            for (end, expected) in <[f64; 3]>::from(estimate.energy_wh).into_iter().zip(expected_wh) {
                assert!((end - expected).abs() < 1e-12, "{tier:?}: {end} {expected}");
            }
        }
        assert_eq!(Sources::default().estimate(&WORK), Ok(None));
    }

    #[test]
    fn what_is_booked_moves_the_interval_with_it() {
        let estimate = Estimate { energy_wh: Interval::new(0.2, 0.4, 0.8).unwrap(), tier: Tier::Measured };
        assert_eq!(estimate.energy_mwh(), Ok(Amount::new(400)));
        let booked = estimate.booked(Amount::new(100)).unwrap();
        assert_eq!((booked.energy_wh, booked.tier), (Interval::new(0.05, 0.1, 0.2).unwrap(), Tier::Measured));
        let nothing = Estimate { energy_wh: Interval::ZERO, tier: Tier::Modelled };
        assert_eq!(nothing.booked(Amount::new(5)).unwrap().energy_wh, Interval::exact(0.005).unwrap());
        assert!(estimate.booked(Amount::new(-1)).is_err());
    }

    #[test]
    fn carbon_is_as_uncertain_as_energy_and_grid_together() {
        let estimate = Estimate { energy_wh: Interval::new(500.0, 1000.0, 2000.0).unwrap(), tier: Tier::Modelled };
        let carbon_g = estimate.carbon_g(Interval::new(100.0, 400.0, 500.0).unwrap()).unwrap();
        assert_eq!(Ok(carbon_g), Interval::new(50.0, 400.0, 1000.0));
    }

    #[test]
    fn a_draw_below_zero_is_refused_even_where_the_sum_is_not() {
        let draw = ModelDraw { input_token_wh: -0.000_1, ..DRAW };
        assert_eq!(draw.energy_wh(&WORK), Err(CarbonError::Negative("a model's draw")));
        let meter = Measurement { energy_mwh: Amount::new(-1), spread: 0.0 };
        assert!(Sources { meter: Some(&meter), ..Sources::default() }.estimate(&WORK).is_err());
    }
}
