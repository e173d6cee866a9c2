//! One mass of carbon in the three ways of counting it.

use lab3_units::Amount;
use serde::{Deserialize, Serialize};

use super::CarbonError;
use super::rounding::sum;

/// What an energy emits, in whole mg CO2e. The three are never added to each other: they answer different questions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Footprint {
    /// By location, at the grid's average intensity: what a share of the grid's emissions it is.
    pub average_mg: Amount,
    /// By location, at the grid's marginal intensity: what was emitted because of it.
    pub marginal_mg: Amount,
    /// By market: contracts and certificates first, the rest at the residual mix.
    pub market_mg: Amount,
}

impl Footprint {
    /// Nothing.
    pub const ZERO: Footprint = Footprint { average_mg: Amount::ZERO, marginal_mg: Amount::ZERO, market_mg: Amount::ZERO };

    /// The sum. Errors: one of the three does not fit.
    pub fn plus(self, other: Self) -> Result<Self, CarbonError> {
        self.zip(other, |one, other| sum(one, other, "a mass of carbon"))
    }

    /// The difference. Errors: one of the three would be below zero.
    pub fn minus(self, other: Self) -> Result<Self, CarbonError> {
        let difference = |one: Amount, other| one.checked_sub(other).filter(|rest| rest.units() >= 0);
        self.zip(other, |one, other| difference(one, other).ok_or(CarbonError::Negative("a mass of carbon")))
    }

    /// The same done to each of the three.
    pub(super) fn each(self, mut act: impl FnMut(Amount) -> Result<Amount, CarbonError>) -> Result<Self, CarbonError> {
        Ok(Self { average_mg: act(self.average_mg)?, marginal_mg: act(self.marginal_mg)?, market_mg: act(self.market_mg)? })
    }

    fn zip(self, other: Self, act: impl Fn(Amount, Amount) -> Result<Amount, CarbonError>) -> Result<Self, CarbonError> {
        Ok(Self {
            average_mg: act(self.average_mg, other.average_mg)?,
            marginal_mg: act(self.marginal_mg, other.marginal_mg)?,
            market_mg: act(self.market_mg, other.market_mg)?,
        })
    }
}
