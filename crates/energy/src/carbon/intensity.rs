//! Carbon intensity as a whole number, so that a mass follows from an energy without a float.

use lab3_units::Amount;
use serde::{Deserialize, Serialize};

use super::CarbonError;
use super::rounding::{float, quotient, rounded, units};

/// Micrograms in a gram.
const MICROGRAMS: f64 = 1e6;

/// mWh in a kWh times micrograms in a milligram.
const DIVISOR: u128 = 1_000_000_000;

/// The most an intensity may be, in g CO2e a kWh: a hundred times what the dirtiest plant emits.
const G_PER_KWH_MAX: f64 = 1e5;

/// What a kWh emits, in whole micrograms of CO2e.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Intensity(u64);

impl Intensity {
    /// Emits nothing.
    pub const ZERO: Intensity = Intensity(0);

    /// Rounds grams of CO2e a kWh to whole micrograms.
    ///
    /// Errors: not finite, below zero, or above 100,000 g a kWh.
    pub fn from_g_per_kwh(g_per_kwh: f64) -> Result<Self, CarbonError> {
        if g_per_kwh > G_PER_KWH_MAX {
            return Err(CarbonError::TooLarge("an intensity"));
        }
        let micrograms = rounded(g_per_kwh * MICROGRAMS, "an intensity")?;
        units(Amount::new(micrograms), "an intensity").map(Self)
    }

    /// Grams of CO2e a kWh.
    pub fn g_per_kwh(self) -> f64 {
        float(i64::try_from(self.0).unwrap_or(i64::MAX)) / MICROGRAMS
    }

    /// Micrograms of CO2e a kWh.
    pub const fn ug_per_kwh(self) -> u64 {
        self.0
    }

    /// What an energy in mWh emits, in mg, halves up: one rounding.
    ///
    /// Errors: the energy is below zero, or the mass does not fit.
    pub fn carbon_mg(self, energy_mwh: Amount) -> Result<Amount, CarbonError> {
        Self::sum_mg([(energy_mwh, self)])
    }

    /// What several energies in mWh emit together, in mg: summed exactly, rounded once.
    ///
    /// Errors: an energy is below zero, or the mass does not fit.
    pub fn sum_mg(parts: impl IntoIterator<Item = (Amount, Intensity)>) -> Result<Amount, CarbonError> {
        let mut total: u128 = 0;
        for (energy_mwh, intensity) in parts {
            let product = u128::from(units(energy_mwh, "an energy")?) * u128::from(intensity.0);
            total = total.checked_add(product).ok_or(CarbonError::TooLarge("a mass of carbon"))?;
        }
        quotient(total, DIVISOR, "a mass of carbon")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kwh_at_four_hundred_grams_is_four_hundred_grams() {
        let intensity = Intensity::from_g_per_kwh(400.0).unwrap();
        assert_eq!(intensity.carbon_mg(Amount::new(1_000_000)), Ok(Amount::new(400_000)));
        assert_eq!(intensity.carbon_mg(Amount::new(1)), Ok(Amount::new(0)), "0.4 mg");
        assert_eq!(intensity.carbon_mg(Amount::new(2)), Ok(Amount::new(1)), "0.8 mg");
        assert!((intensity.g_per_kwh() - 400.0).abs() < 1e-12);
    }

    #[test]
    fn several_parts_are_rounded_once() {
        let intensity = Intensity::from_g_per_kwh(400.0).unwrap();
        assert_eq!(Intensity::sum_mg([(Amount::new(1), intensity); 3]), Ok(Amount::new(1)), "1.2 mg, not three times 0");
    }

    #[test]
    fn what_is_no_intensity_is_refused() {
        for g_per_kwh in [-1.0, f64::NAN, f64::INFINITY, 1e6] {
            assert!(Intensity::from_g_per_kwh(g_per_kwh).is_err(), "{g_per_kwh}");
        }
        let most = Intensity::from_g_per_kwh(G_PER_KWH_MAX).unwrap();
        assert_eq!(most.carbon_mg(Amount::MAX), Err(CarbonError::TooLarge("a mass of carbon")));
        assert_eq!(most.carbon_mg(Amount::new(-1)), Err(CarbonError::Negative("an energy")));
    }
}
