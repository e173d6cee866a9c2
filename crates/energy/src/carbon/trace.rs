//! What charged a battery, carried to what comes out of it.
//!
//! The battery is a mixed store: what is in it is everywhere the same mixture, and what comes out is a share of it. Losses emit nothing of their own:
//! what was lost on the way was charged for nothing, so its carbon stays with what can still come out. Nothing is forgotten and nothing made up: for
//! each of the quantities, in whole units, what went in is what came out and what is still in there.
//!
//! Source: proportional sharing (J. Bialek, "Tracing the flow of electricity", IEE Proc. 143(4), 1996) over time instead of over a node.

use lab3_units::{Amount, Ratio};
use serde::{Deserialize, Serialize};

use super::rounding::{quotient, sum, units};
use super::{CarbonError, Footprint};

/// An energy and what it brings with it. Of what is in a battery or came out of it, the energy is what was drawn to charge it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Load {
    /// The energy where it was drawn, in mWh: what was lost since is still in it.
    pub energy_mwh: Amount,
    /// How much of it was renewable, in mWh.
    pub renewable_mwh: Amount,
    /// What that emitted.
    pub footprint: Footprint,
}

/// A battery and what is in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Battery {
    /// What can still come out, in mWh.
    pub stored_mwh: Amount,
    /// What it carries.
    pub load: Load,
}

/// What came out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drawn {
    /// Energy the store knew of, in mWh.
    pub traced_mwh: Amount,
    /// Energy past what it knew of, in mWh, which carries nothing: the meter is right and the store was not, so book it as the grid's.
    pub untraced_mwh: Amount,
    /// What the energy carries.
    pub load: Load,
}

impl Load {
    /// Nothing.
    pub const ZERO: Load = Load { energy_mwh: Amount::ZERO, renewable_mwh: Amount::ZERO, footprint: Footprint::ZERO };

    /// An energy that is renewable or is not, with what it emits.
    pub fn new(energy_mwh: Amount, renewable: Ratio, footprint: Footprint) -> Self {
        // Below the energy, so it fits; of an energy below zero nothing is renewable, and whoever is given it refuses it.
        let renewable_mwh = Battery::kept(energy_mwh, renewable).unwrap_or_default();
        Self { energy_mwh, renewable_mwh, footprint }
    }

    /// The sum. Errors: a part does not fit.
    pub fn plus(self, other: Self) -> Result<Self, CarbonError> {
        Ok(Self {
            energy_mwh: sum(self.energy_mwh, other.energy_mwh, "an energy")?,
            renewable_mwh: sum(self.renewable_mwh, other.renewable_mwh, "an energy")?,
            footprint: self.footprint.plus(other.footprint)?,
        })
    }

    /// The share of it that was renewable; `None` of nothing.
    pub fn renewable(self) -> Option<Ratio> {
        let (renewable, energy) = (self.renewable_mwh.units(), self.energy_mwh.units());
        if energy <= 0 {
            return None;
        }
        let millionths = i128::from(renewable) * 1_000_000 / i128::from(energy);
        u32::try_from(millionths).ok().map(Ratio::from_millionths)
    }

    /// The share `part / whole` of each quantity, and the rest.
    fn divided(self, part: u64, whole: u64) -> Result<(Self, Self), CarbonError> {
        let share = |of: Amount| quotient(u128::from(units(of, "a load")?) * u128::from(part), u128::from(whole), "a load");
        let taken =
            Self { energy_mwh: share(self.energy_mwh)?, renewable_mwh: share(self.renewable_mwh)?, footprint: self.footprint.each(share)? };
        let less = |one: Amount, other| one.checked_sub(other).ok_or(CarbonError::TooLarge("a load"));
        let rest = Self {
            energy_mwh: less(self.energy_mwh, taken.energy_mwh)?,
            renewable_mwh: less(self.renewable_mwh, taken.renewable_mwh)?,
            footprint: self.footprint.minus(taken.footprint)?,
        };
        Ok((taken, rest))
    }

    /// Errors: a quantity is below zero, or more is renewable than there is.
    pub(super) fn check(self) -> Result<(), CarbonError> {
        let Footprint { average_mg, marginal_mg, market_mg } = self.footprint;
        for part in [self.energy_mwh, self.renewable_mwh, average_mg, marginal_mg, market_mg] {
            units(part, "a load")?;
        }
        if self.renewable_mwh > self.energy_mwh { Err(CarbonError::OutOfRange("the renewable part")) } else { Ok(()) }
    }
}

impl Drawn {
    /// What it is on the way to who uses it: the energy that came out, as renewable as what charged it, with all that charging emitted.
    /// What nobody knew of is not in it.
    ///
    /// Errors: none, of what [`Battery::discharge`] gave.
    pub fn delivered(&self) -> Result<Load, CarbonError> {
        // No more of what was drawn is renewable than was drawn, so no more of what came out than came out.
        let renewable = u128::from(units(self.load.renewable_mwh, "a load")?) * u128::from(units(self.traced_mwh, "a load")?);
        let renewable_mwh = quotient(renewable, u128::from(units(self.load.energy_mwh, "a load")?), "a load")?;
        Ok(Load { energy_mwh: self.traced_mwh, renewable_mwh, footprint: self.load.footprint })
    }
}

impl Battery {
    /// What of a charge can come out again, by the battery's round-trip efficiency, in mWh rounded down.
    ///
    /// Errors: the charge is below zero.
    pub fn kept(charged_mwh: Amount, efficiency: Ratio) -> Result<Amount, CarbonError> {
        let kept = u128::from(units(charged_mwh, "a charge")?) * u128::from(efficiency.millionths()) / 1_000_000;
        i64::try_from(kept).map(Amount::new).map_err(|_| CarbonError::TooLarge("a charge"))
    }

    /// Charges: `kept_mwh` of what was drawn can come out again, and all that was drawn is carried by it.
    ///
    /// Errors: something is below zero, more is kept than was drawn, more is renewable than was drawn, or it does not fit.
    pub fn charge(self, kept_mwh: Amount, load: Load) -> Result<Self, CarbonError> {
        load.check()?;
        units(kept_mwh, "a charge")?;
        if kept_mwh > load.energy_mwh {
            return Err(CarbonError::OutOfRange("what a charge keeps"));
        }
        Ok(Self { stored_mwh: sum(self.stored_mwh, kept_mwh, "the store")?, load: self.load.plus(load)? })
    }

    /// Discharges what a meter says came out: its share of what is in the store; all of it where no less came out than was known to be in there.
    ///
    /// Errors: the energy is below zero.
    pub fn discharge(self, out_mwh: Amount) -> Result<(Self, Drawn), CarbonError> {
        let (out, stored) = (units(out_mwh, "a discharge")?, units(self.stored_mwh, "the store")?);
        if out == 0 {
            return Ok((self, Drawn::default()));
        }
        let traced_mwh = out_mwh.min(self.stored_mwh);
        let (part, whole) = if out < stored { (out, stored) } else { (1, 1) };
        let (load, rest) = self.load.divided(part, whole)?;
        let left = |from: Amount| from.saturating_sub(traced_mwh);
        let drawn = Drawn { traced_mwh, untraced_mwh: left(out_mwh), load };
        Ok((Self { stored_mwh: left(self.stored_mwh), load: rest }, drawn))
    }

    /// Corrects how much can still come out to what the battery says; what it carries stays. So standing losses are booked.
    ///
    /// Errors: the energy is below zero.
    pub fn corrected(self, stored_mwh: Amount) -> Result<Self, CarbonError> {
        units(stored_mwh, "the store")?;
        Ok(Self { stored_mwh, ..self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(charged: i64, renewable: i64, mg: i64) -> Load {
        let footprint = Footprint { average_mg: Amount::new(mg), marginal_mg: Amount::new(2 * mg), market_mg: Amount::ZERO };
        Load { energy_mwh: Amount::new(charged), renewable_mwh: Amount::new(renewable), footprint }
    }

    #[test]
    fn what_comes_out_carries_the_mixture_and_the_losses() {
        let solar = Battery::default().charge(Amount::new(900), load(1000, 1000, 0)).unwrap();
        let mixed = solar.charge(Amount::new(900), load(1000, 0, 400)).unwrap();
        let (left, drawn) = mixed.discharge(Amount::new(900)).unwrap();
        assert_eq!((drawn.traced_mwh, drawn.untraced_mwh, drawn.load), (Amount::new(900), Amount::ZERO, load(1000, 500, 200)));
        assert_eq!(drawn.load.renewable().unwrap().to_string(), "0.50");
        assert_eq!(drawn.delivered(), Ok(load(900, 450, 200)), "less energy, no less carbon");
        assert_eq!(left, Battery { stored_mwh: Amount::new(900), load: load(1000, 500, 200) });
    }

    #[test]
    fn the_last_of_it_carries_the_rest_and_what_nobody_knew_of_carries_nothing() {
        let battery = Battery::default().charge(Amount::new(3), load(4, 1, 10)).unwrap();
        let (battery, first) = battery.discharge(Amount::new(1)).unwrap();
        assert_eq!(first.load, Load { footprint: Footprint { marginal_mg: Amount::new(7), ..load(1, 0, 3).footprint }, ..load(1, 0, 3) });
        let (battery, last) = battery.discharge(Amount::new(5)).unwrap();
        assert_eq!((last.traced_mwh, last.untraced_mwh), (Amount::new(2), Amount::new(3)));
        assert_eq!(first.load.plus(last.load), Ok(load(4, 1, 10)));
        assert_eq!(battery, Battery::default());
    }

    #[test]
    fn a_battery_that_lost_all_it_held_still_owes_the_carbon() {
        let battery = Battery::default().charge(Amount::new(9), load(10, 0, 4)).unwrap().corrected(Amount::ZERO).unwrap();
        assert_eq!(battery.discharge(Amount::ZERO).unwrap(), (battery, Drawn::default()));
        let (_, drawn) = battery.discharge(Amount::new(1)).unwrap();
        assert_eq!((drawn.untraced_mwh, drawn.load), (Amount::new(1), load(10, 0, 4)));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let empty = Battery::default();
        assert_eq!(empty.charge(Amount::new(11), load(10, 0, 0)), Err(CarbonError::OutOfRange("what a charge keeps")));
        assert_eq!(empty.charge(Amount::new(1), load(10, 11, 0)), Err(CarbonError::OutOfRange("the renewable part")));
        assert_eq!(empty.charge(Amount::new(1), load(10, 0, -1)), Err(CarbonError::Negative("a load")));
        assert_eq!(empty.charge(Amount::new(-1), load(10, 0, 0)), Err(CarbonError::Negative("a charge")));
        assert!(empty.discharge(Amount::new(-1)).is_err() && empty.corrected(Amount::new(-1)).is_err());
    }

    #[test]
    fn the_round_trip_keeps_whole_units() {
        assert_eq!(Battery::kept(Amount::new(1001), Ratio::from_millionths(900_000)), Ok(Amount::new(900)));
        assert_eq!(Battery::kept(Amount::MAX, Ratio::ONE), Ok(Amount::MAX));
        assert_eq!(Battery::kept(Amount::MAX, Ratio::ZERO), Ok(Amount::ZERO));
    }
}
