//! The 24/7 score: how much of the consumption was carbon-free in the hour it was consumed.
//!
//! With `c` an hour's consumption, `k` its carbon-free energy from contracts, `s` the carbon-free share of the grid:
//!
//! ```text
//! contracted = min(c, k)        grid = s (c - contracted)        score = sum (contracted + grid) / sum c
//! ```
//!
//! What a contract yields past the hour's consumption counts for nothing; counted over the year it would (the annual score beside it).
//!
//! Source: Google, "24/7 Carbon-Free Energy: Methodologies and Metrics" (February 2021): contracted CFE plus consumed grid CFE over load, each hour
//! capped at the load.

use lab3_units::{Amount, Ratio};
use serde::{Deserialize, Serialize};

use super::CarbonError;
use super::rounding::{float, quotient, sum, units};

/// One hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatchedHour {
    /// What was consumed, in mWh.
    pub consumption_mwh: Amount,
    /// Carbon-free energy from contracts, certificates and one's own plants in the same hour, in mWh.
    pub contracted_mwh: Amount,
    /// The carbon-free share of the grid in that hour, of what contracts leave to it.
    pub grid_share: Ratio,
}

/// Hours, summed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matching {
    /// What was consumed, in mWh.
    pub consumption_mwh: Amount,
    /// Carbon-free energy from contracts, in mWh, whenever it was generated.
    pub contracted_mwh: Amount,
    /// How much of that was consumed in its hour, in mWh.
    pub matched_mwh: Amount,
    /// Carbon-free energy from the grid, in mWh: each hour rounded to the nearest.
    pub grid_mwh: Amount,
}

impl Matching {
    /// With an hour more. Errors: an energy is below zero, or a sum does not fit.
    pub fn with(self, hour: &MatchedHour) -> Result<Self, CarbonError> {
        units(hour.contracted_mwh, "a contract's energy")?;
        let matched_mwh = hour.contracted_mwh.min(hour.consumption_mwh);
        let rest = units(hour.consumption_mwh, "a consumption")? - units(matched_mwh, "a consumption")?;
        let grid_mwh = quotient(u128::from(rest) * u128::from(hour.grid_share.millionths()), 1_000_000, "an energy")?;
        let plus = |one, other| sum(one, other, "a sum over hours");
        Ok(Self {
            consumption_mwh: plus(self.consumption_mwh, hour.consumption_mwh)?,
            contracted_mwh: plus(self.contracted_mwh, hour.contracted_mwh)?,
            matched_mwh: plus(self.matched_mwh, matched_mwh)?,
            grid_mwh: plus(self.grid_mwh, grid_mwh)?,
        })
    }

    /// All these hours. Errors: as [`Matching::with`].
    pub fn over<'a>(hours: impl IntoIterator<Item = &'a MatchedHour>) -> Result<Self, CarbonError> {
        hours.into_iter().try_fold(Self::default(), Self::with)
    }

    /// The 24/7 score, 0 to 1; `None` where nothing was consumed.
    pub fn hourly_score(&self) -> Option<f64> {
        self.of_consumption(float(self.matched_mwh.units()) + float(self.grid_mwh.units()))
    }

    /// The part of the 24/7 score that contracts earn, without the grid's; `None` where nothing was consumed.
    pub fn contract_score(&self) -> Option<f64> {
        self.of_consumption(float(self.matched_mwh.units()))
    }

    /// What the same contracts score when noon's energy counts for midnight's; `None` where nothing was consumed.
    pub fn annual_score(&self) -> Option<f64> {
        self.of_consumption(float(self.contracted_mwh.units()))
    }

    /// Carbon-free energy of contracts that no consumption of its hour met, in mWh.
    pub fn excess_mwh(&self) -> Amount {
        self.contracted_mwh.saturating_sub(self.matched_mwh)
    }

    fn of_consumption(&self, energy_mwh: f64) -> Option<f64> {
        let consumption = float(self.consumption_mwh.units());
        (consumption > 0.0).then(|| (energy_mwh / consumption).min(1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hour(consumption: i64, contracted: i64, grid_share: &str) -> MatchedHour {
        let grid_share = Ratio::parse(grid_share).unwrap();
        MatchedHour { consumption_mwh: Amount::new(consumption), contracted_mwh: Amount::new(contracted), grid_share }
    }

    #[test]
    fn noons_energy_does_not_count_at_midnight() {
        let matching = Matching::over(&[hour(100, 200, "0.9"), hour(100, 0, "0.4")]).unwrap();
        assert!((matching.hourly_score().unwrap() - 0.7).abs() < 1e-12, "100 of contracts and 40 of the grid");
        assert!((matching.contract_score().unwrap() - 0.5).abs() < 1e-12);
        assert!((matching.annual_score().unwrap() - 1.0).abs() < 1e-12);
        assert_eq!(matching.excess_mwh(), Amount::new(100));
        let twice = Matching::over(&[hour(100, 500, "0")]).unwrap();
        assert!((twice.annual_score().unwrap() - 1.0).abs() < 1e-12, "all is all, whatever is left over");
    }

    #[test]
    fn the_grids_share_is_of_what_contracts_leave() {
        let matching = Matching::over(&[hour(1000, 600, "0.5")]).unwrap();
        assert_eq!((matching.matched_mwh, matching.grid_mwh), (Amount::new(600), Amount::new(200)));
        assert!((matching.hourly_score().unwrap() - 0.8).abs() < 1e-12);
    }

    #[test]
    fn nothing_consumed_has_no_score() {
        let matching = Matching::over(&[hour(0, 10, "1")]).unwrap();
        assert_eq!([matching.hourly_score(), matching.contract_score(), matching.annual_score()], [None; 3]);
        assert!(Matching::over(&[hour(-1, 0, "1")]).is_err() && Matching::over(&[hour(1, -1, "1")]).is_err());
    }
}
