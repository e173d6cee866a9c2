//! Where sources meet users: everybody draws the same mixture.
//!
//! Sun, grid and battery feed one bus; the meter, the battery that is charged and what is sold draw from it. Which electron went where nobody can say, so
//! each user has the same share of each source (proportional sharing, as in [`super::Battery`]). Meters never agree to the last mWh: what was fed in is
//! what is given out, in proportion to what each user's meter says.

use lab3_units::Amount;

use super::apportion::split;
use super::rounding::{sum, units};
use super::{CarbonError, Footprint, Load};

/// Gives out all that the bus was fed with, to each user in proportion to what it drew, in mWh. As many loads as users; they sum to the feeds, in each
/// quantity exactly.
///
/// Errors: a quantity is below zero or more is renewable than there is; a sum does not fit; or there is something to give and no user drew anything
/// ([`CarbonError::NoWeight`]).
pub fn mix(feeds: &[Load], uses_mwh: &[Amount]) -> Result<Vec<Load>, CarbonError> {
    let mut fed = Load::ZERO;
    for feed in feeds {
        feed.check()?;
        fed = fed.plus(*feed)?;
    }
    let weights = uses_mwh.iter().map(|&used_mwh| units(used_mwh, "a use")).collect::<Result<Vec<_>, _>>()?;
    let given = |whole: Amount| split(whole, &weights).map(Vec::into_iter);
    // Split apart and summed after, so that no rounding makes more of a load renewable than there is.
    let mut renewable = given(fed.renewable_mwh)?;
    let mut other = given(fed.energy_mwh.saturating_sub(fed.renewable_mwh))?;
    let (mut average, mut marginal) = (given(fed.footprint.average_mg)?, given(fed.footprint.marginal_mg)?);
    let mut market = given(fed.footprint.market_mg)?;
    let mut next = || {
        let renewable_mwh = renewable.next()?;
        let footprint = Footprint { average_mg: average.next()?, marginal_mg: marginal.next()?, market_mg: market.next()? };
        Some((renewable_mwh, other.next()?, footprint))
    };
    let loads = std::iter::from_fn(&mut next).map(|(renewable_mwh, other_mwh, footprint)| {
        let energy_mwh = sum(renewable_mwh, other_mwh, "an energy")?;
        Ok(Load { energy_mwh, renewable_mwh, footprint })
    });
    loads.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(energy: i64, renewable: i64, mg: i64) -> Load {
        let footprint = Footprint { average_mg: Amount::new(mg), ..Footprint::ZERO };
        Load { energy_mwh: Amount::new(energy), renewable_mwh: Amount::new(renewable), footprint }
    }

    #[test]
    fn everybody_draws_the_same_mixture() {
        let got = mix(&[load(600, 600, 0), load(400, 0, 160)], &[Amount::new(750), Amount::new(250), Amount::ZERO]).unwrap();
        assert_eq!(got, [load(750, 450, 120), load(250, 150, 40), Load::ZERO]);
    }

    #[test]
    fn meters_that_do_not_agree_lose_nothing() {
        let got = mix(&[load(100, 100, 0), load(100, 0, 40)], &[Amount::new(99), Amount::new(99)]).unwrap();
        assert_eq!(got, [load(100, 50, 20), load(100, 50, 20)]);
    }

    #[test]
    fn what_cannot_be_mixed_is_refused() {
        assert_eq!(mix(&[load(1, 0, 0)], &[Amount::ZERO]), Err(CarbonError::NoWeight));
        assert_eq!(mix(&[load(1, 2, 0)], &[Amount::new(1)]), Err(CarbonError::OutOfRange("the renewable part")));
        assert_eq!(mix(&[load(1, 0, -1)], &[Amount::new(1)]), Err(CarbonError::Negative("a load")));
        assert_eq!(mix(&[load(1, 0, 1)], &[Amount::new(-1)]), Err(CarbonError::Negative("a use")));
        assert_eq!(mix(&[], &[Amount::ZERO]), Ok(vec![Load::ZERO]));
    }
}
