//! A meter's reading divided over the requests, the machines' idle draw and the house: the parts are the meter, exactly.
//!
//! The most certain figures are served first, each at most as much as is left of the compute's energy: requests with a meter of their own,
//! then the machines' idle draw, then requests whose energy is estimated (scaled down together where they claim more than there is). What of a
//! compute meter nobody claims is idle draw too; what of the main meter is not compute is the house's. Whether the idle draw is what the machines draw
//! at rest all the time, or only in the time they serve nobody, must fit the table of the estimates: it must not count the same Wh.

use lab3_units::Amount;
use serde::{Deserialize, Serialize};

use super::apportion::split;
use super::rounding::{quotient, sum, units};
use super::{CarbonError, Estimate, Footprint, Tier};

/// Micro-Wh in a mWh: estimates are weighed finer than they are booked, so that a short request is not nothing.
const MICRO: u128 = 1000;

/// What was read for one stretch of time.
#[derive(Clone, Copy, Debug)]
pub struct MeterReading<'a> {
    /// The main meter: all of it is divided, in mWh.
    pub meter_mwh: Amount,
    /// A meter before the machines alone, where there is one, in mWh. Past the main meter it counts as the main meter: one of the two errs, and the
    /// main one is billed.
    pub compute_mwh: Option<Amount>,
    /// What the machines draw for nobody, as far as it is known, in mWh.
    pub idle_mwh: Amount,
    /// What each request is believed to have drawn.
    pub requests: &'a [Estimate],
}

/// A whole, divided: energies ([`Amount`] in mWh), or [`Footprint`]s in mg.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shares<T> {
    /// One for each request, in their order.
    pub requests: Vec<T>,
    /// Machines that ran for nobody.
    pub idle: T,
    /// Everything else behind the meter.
    pub house: T,
}

impl MeterReading<'_> {
    /// Divides the reading; the parts, none below zero, sum to the meter.
    ///
    /// Errors: an amount is below zero, or an estimate is too large to be counted.
    pub fn divide(&self) -> Result<Shares<Amount>, CarbonError> {
        let meter = units(self.meter_mwh, "the meter")?;
        let compute = self.compute_mwh.map_or(Ok(meter), |compute| units(compute, "the compute meter"))?.min(meter);
        let weights = self.requests.iter().map(Estimate::weight_uwh).collect::<Result<Vec<_>, _>>()?;
        let metered = self.weights_of(&weights, true);
        let estimated = self.weights_of(&weights, false);

        let mut left = compute;
        let mut take = |wanted: u64| {
            let taken = wanted.min(left);
            left -= taken;
            taken
        };
        let metered_mwh = take(milli(&metered)?);
        let mut idle = take(units(self.idle_mwh, "the idle draw")?);
        let estimated_mwh = take(milli(&estimated)?);
        if self.compute_mwh.is_some() {
            idle += take(u64::MAX);
        }

        let metered = split_units(metered_mwh, &metered)?;
        let estimated = split_units(estimated_mwh, &estimated)?;
        let requests = metered.into_iter().zip(estimated).map(|(one, other)| sum(one, other, "an energy")).collect::<Result<_, _>>()?;
        Ok(Shares { requests, idle: amount(idle)?, house: amount(meter - metered_mwh - idle - estimated_mwh)? })
    }

    /// The weights of the requests that are metered, or that are not; of the others zero.
    fn weights_of(&self, weights: &[u64], metered: bool) -> Vec<u64> {
        let kept = |(request, &weight): (&Estimate, &u64)| if (request.tier == Tier::Metered) == metered { weight } else { 0 };
        self.requests.iter().zip(weights).map(kept).collect()
    }
}

/// The sum of weights in micro-Wh, in mWh.
fn milli(weights: &[u64]) -> Result<u64, CarbonError> {
    let total: u128 = weights.iter().copied().map(u128::from).sum();
    units(quotient(total, MICRO, "the requests' energy")?, "the requests' energy")
}

fn split_units(whole: u64, weights: &[u64]) -> Result<Vec<Amount>, CarbonError> {
    split(amount(whole)?, weights)
}

fn amount(units: u64) -> Result<Amount, CarbonError> {
    i64::try_from(units).map(Amount::new).map_err(|_| CarbonError::TooLarge("an energy"))
}

impl Shares<Amount> {
    /// The sum of the parts. Errors: it does not fit.
    pub fn total(&self) -> Result<Amount, CarbonError> {
        self.parts().try_fold(Amount::ZERO, |total, part| sum(total, part, "a sum of parts"))
    }

    /// Divides the carbon of the whole in proportion to these energies: the parts sum to it in each of its three masses.
    /// Where no energy was drawn at all, carbon that there is nevertheless is the house's.
    ///
    /// Errors: an energy or a mass is below zero.
    pub fn carbon(&self, whole: Footprint) -> Result<Shares<Footprint>, CarbonError> {
        let mut weights = self.parts().map(|part| units(part, "an energy")).collect::<Result<Vec<_>, _>>()?;
        if weights.iter().all(|&weight| weight == 0)
            && let Some(house) = weights.last_mut()
        {
            *house = 1;
        }
        let average = split(whole.average_mg, &weights)?;
        let marginal = split(whole.marginal_mg, &weights)?;
        let market = split(whole.market_mg, &weights)?;
        let masses = average.into_iter().zip(marginal).zip(market);
        let mut requests: Vec<Footprint> =
            masses.map(|((average_mg, marginal_mg), market_mg)| Footprint { average_mg, marginal_mg, market_mg }).collect();
        let (house, idle) = (requests.pop().unwrap_or_default(), requests.pop().unwrap_or_default());
        Ok(Shares { requests, idle, house })
    }

    /// All parts: the requests, idle, the house.
    fn parts(&self) -> impl Iterator<Item = Amount> {
        self.requests.iter().copied().chain([self.idle, self.house])
    }
}

impl Shares<Footprint> {
    /// The sum of the parts. Errors: it does not fit.
    pub fn total(&self) -> Result<Footprint, CarbonError> {
        self.requests.iter().copied().chain([self.idle, self.house]).try_fold(Footprint::ZERO, Footprint::plus)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::carbon::Interval;

    fn request(energy_wh: f64, tier: Tier) -> Estimate {
        Estimate { energy_wh: Interval::exact(energy_wh).unwrap(), tier }
    }

    /// Requests, idle and house, in mWh.
    fn divided(meter: i64, compute: Option<i64>, idle: i64, requests: &[Estimate]) -> (Vec<i64>, i64, i64) {
        let reading =
            MeterReading { meter_mwh: Amount::new(meter), compute_mwh: compute.map(Amount::new), idle_mwh: Amount::new(idle), requests };
        let shares = reading.divide().unwrap();
        assert_eq!(shares.total(), Ok(Amount::new(meter)));
        (shares.requests.iter().map(|part| part.units()).collect(), shares.idle.units(), shares.house.units())
    }

    #[test]
    fn what_the_requests_do_not_claim_is_the_houses_or_idle() {
        let requests = [request(0.3, Tier::Measured), request(0.1, Tier::Modelled)];
        assert_eq!(divided(1000, None, 50, &requests), (vec![300, 100], 50, 550));
        assert_eq!(divided(1000, Some(700), 50, &requests), (vec![300, 100], 300, 300));
        assert_eq!(divided(1000, Some(700), 50, &[]), (vec![], 700, 300));
        assert_eq!(divided(1000, None, 0, &[]), (vec![], 0, 1000));
    }

    #[test]
    fn requests_that_claim_more_than_there_is_are_scaled_down_and_the_metered_are_served_first() {
        let requests = [request(0.3, Tier::Measured), request(0.1, Tier::Modelled)];
        assert_eq!(divided(1000, Some(250), 50, &requests), (vec![150, 50], 50, 750));
        assert_eq!(divided(100, Some(250), 20, &requests), (vec![60, 20], 20, 0));
        let requests = [request(0.3, Tier::Modelled), request(0.2, Tier::Metered)];
        assert_eq!(divided(1000, Some(250), 30, &requests), (vec![20, 200], 30, 750));
        assert_eq!(divided(150, None, 30, &requests), (vec![0, 150], 0, 0));
    }

    #[test]
    fn requests_of_less_than_a_unit_are_booked_together() {
        let requests = [request(0.0004, Tier::Measured); 5];
        assert_eq!(divided(10, None, 0, &requests), (vec![1, 1, 0, 0, 0], 0, 8));
    }

    #[test]
    fn carbon_without_energy_is_the_houses() {
        let shares = Shares { requests: vec![Amount::ZERO; 2], idle: Amount::ZERO, house: Amount::ZERO };
        let whole = Footprint { average_mg: Amount::new(5), marginal_mg: Amount::new(7), market_mg: Amount::ZERO };
        let carbon = shares.carbon(whole).unwrap();
        assert_eq!((carbon.requests, carbon.idle, carbon.house), (vec![Footprint::ZERO; 2], Footprint::ZERO, whole));
    }

    #[test]
    fn amounts_below_zero_are_refused() {
        let reading = MeterReading { meter_mwh: Amount::new(1), compute_mwh: None, idle_mwh: Amount::ZERO, requests: &[] };
        let below = Amount::new(-1);
        for wrong in [
            MeterReading { meter_mwh: below, ..reading },
            MeterReading { compute_mwh: Some(below), ..reading },
            MeterReading { idle_mwh: below, ..reading },
        ] {
            assert!(matches!(wrong.divide(), Err(CarbonError::Negative(_))), "{wrong:?}");
        }
    }
}
