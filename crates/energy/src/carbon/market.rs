//! What energy from the grid emits, counted by location and by contract.
//!
//! By location: all of it at the grid's average intensity; and, for what a choice changes, at its marginal one. By market: what contracts and
//! certificates cover at their own intensity, in the order they are given, the rest at the residual mix (the grid's without what others have claimed).
//! What covers more than was consumed in the hour covers nothing: it is not carried to another hour.
//!
//! Source: GHG Protocol, Scope 2 Guidance (2015): both totals are reported, and where no residual mix is published the grid average stands in for it,
//! which is to be disclosed ([`Accounted::residual_known`]).

use lab3_units::Amount;
use serde::{Deserialize, Serialize};

use super::rounding::{sum, units};
use super::{CarbonError, Footprint, Intensity};

/// The grid in one hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GridHour {
    /// Of all that is generated.
    pub average: Intensity,
    /// Of what is generated because one more kWh is asked for.
    pub marginal: Intensity,
    /// Of what nobody has claimed, where it is published.
    pub residual: Option<Intensity>,
}

/// A contract's energy, or a claimed certificate's, for the same hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cover {
    /// How much it covers, in mWh.
    pub energy_mwh: Amount,
    /// What its source emits.
    pub intensity: Intensity,
}

/// An hour's consumption from the grid, accounted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accounted {
    /// What it emits, in the three ways.
    pub footprint: Footprint,
    /// What contracts cover, in mWh.
    pub covered_mwh: Amount,
    /// What the residual mix covers, in mWh.
    pub rest_mwh: Amount,
    /// What contracts had left over, in mWh.
    pub unused_mwh: Amount,
    /// Whether the rest is at the residual mix and not, for want of one, at the average.
    pub residual_known: bool,
}

/// Accounts what was drawn from the grid in an hour.
///
/// Errors: an energy is below zero, or a mass does not fit.
pub fn account(consumption_mwh: Amount, grid: &GridHour, covers: &[Cover]) -> Result<Accounted, CarbonError> {
    units(consumption_mwh, "a consumption")?;
    let (mut rest_mwh, mut unused_mwh) = (consumption_mwh, Amount::ZERO);
    let mut parts = Vec::with_capacity(covers.len() + 1);
    for cover in covers {
        units(cover.energy_mwh, "a contract's energy")?;
        let used_mwh = cover.energy_mwh.min(rest_mwh);
        rest_mwh = rest_mwh.saturating_sub(used_mwh);
        unused_mwh = sum(unused_mwh, cover.energy_mwh.saturating_sub(used_mwh), "a contract's energy")?;
        parts.push((used_mwh, cover.intensity));
    }
    parts.push((rest_mwh, grid.residual.unwrap_or(grid.average)));
    let footprint = Footprint {
        average_mg: grid.average.carbon_mg(consumption_mwh)?,
        marginal_mg: grid.marginal.carbon_mg(consumption_mwh)?,
        market_mg: Intensity::sum_mg(parts)?,
    };
    let covered_mwh = consumption_mwh.saturating_sub(rest_mwh);
    Ok(Accounted { footprint, covered_mwh, rest_mwh, unused_mwh, residual_known: grid.residual.is_some() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(residual: Option<f64>) -> GridHour {
        let of = |g_per_kwh| Intensity::from_g_per_kwh(g_per_kwh).unwrap();
        GridHour { average: of(300.0), marginal: of(700.0), residual: residual.map(of) }
    }

    fn cover(mwh: i64, g_per_kwh: f64) -> Cover {
        Cover { energy_mwh: Amount::new(mwh), intensity: Intensity::from_g_per_kwh(g_per_kwh).unwrap() }
    }

    #[test]
    fn contracts_cover_first_and_the_rest_is_the_residual_mix() {
        let covers = [cover(300_000, 0.0), cover(200_000, 50.0)];
        let hour = account(Amount::new(1_000_000), &grid(Some(450.0)), &covers).unwrap();
        let expected = Footprint { average_mg: Amount::new(300_000), marginal_mg: Amount::new(700_000), market_mg: Amount::new(235_000) };
        assert_eq!(hour.footprint, expected, "0.2 kWh at 50 g and 0.5 kWh at 450 g");
        assert_eq!((hour.covered_mwh, hour.rest_mwh, hour.unused_mwh), (Amount::new(500_000), Amount::new(500_000), Amount::ZERO));
        assert!(hour.residual_known);
    }

    #[test]
    fn what_covers_more_than_was_consumed_covers_nothing() {
        let hour = account(Amount::new(100_000), &grid(None), &[cover(60_000, 10.0), cover(60_000, 20.0), cover(5, 30.0)]).unwrap();
        assert_eq!(hour.footprint.market_mg, Amount::new(600 + 800));
        assert_eq!((hour.rest_mwh, hour.unused_mwh, hour.residual_known), (Amount::ZERO, Amount::new(20_005), false));
    }

    #[test]
    fn without_a_residual_mix_the_average_stands_in_for_it() {
        let hour = account(Amount::new(1_000_000), &grid(None), &[]).unwrap();
        assert_eq!(hour.footprint.market_mg, hour.footprint.average_mg);
        assert!(!hour.residual_known);
    }

    #[test]
    fn energies_below_zero_are_refused() {
        assert!(account(Amount::new(-1), &grid(None), &[]).is_err());
        assert!(account(Amount::new(1), &grid(None), &[cover(-1, 0.0)]).is_err());
    }
}
