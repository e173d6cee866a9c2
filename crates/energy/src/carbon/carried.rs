//! A site's hours one after the other: what charged its batteries is carried to the hour in which it comes out.

use lab3_units::{Amount, Ratio};

use super::rounding::{sum, units};
use super::{Battery, CarbonError, Footprint, GridHour, Load, account, mix};

/// What a site's meters say of an hour.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SiteHour {
    /// What was bought, with what it emitted.
    pub bought: Load,
    /// What each source gave.
    pub given: Vec<Load>,
    /// What was sold.
    pub sold_mwh: Amount,
    /// What went into each battery, and what came out, at its terminals.
    pub batteries: Vec<(Amount, Amount)>,
    /// The grid: as its energy counts what comes out of a battery and was never seen to go in.
    pub grid: GridHour,
}

/// What was consumed in the last of these hours, with what it brought along. Batteries begin empty, and keep that part of what they are given
/// (`round_trip`, one each).
///
/// Meters never agree: consumed is what came and was neither stored nor sold, and never less than nothing.
///
/// Errors: an energy is below zero, or a sum does not fit.
pub fn consumed(hours: &[SiteHour], round_trip: &[Ratio]) -> Result<Load, CarbonError> {
    let mut batteries = vec![Battery::default(); round_trip.len()];
    let mut last = Load::ZERO;
    for hour in hours {
        last = step(hour, round_trip, &mut batteries)?;
    }
    Ok(last)
}

fn step(hour: &SiteHour, round_trip: &[Ratio], batteries: &mut [Battery]) -> Result<Load, CarbonError> {
    let mut feeds = vec![hour.bought];
    feeds.extend(&hour.given);
    for (battery, (_, discharged)) in batteries.iter_mut().zip(&hour.batteries) {
        let (left, drawn) = battery.discharge(*discharged)?;
        *battery = left;
        let footprint = account(drawn.untraced_mwh, &hour.grid, &[])?.footprint;
        feeds.push(drawn.delivered()?);
        feeds.push(Load { energy_mwh: drawn.untraced_mwh, renewable_mwh: Amount::ZERO, footprint });
    }
    let came = total(feeds.iter().map(|feed| feed.energy_mwh))?;
    let charged: Vec<Amount> = hour.batteries.iter().map(|(charged, _)| *charged).collect();
    let went = total(charged.iter().copied().chain([hour.sold_mwh]))?;
    let consumed = came.saturating_sub(went).max(Amount::ZERO);
    units(consumed, "a consumption")?;
    let uses: Vec<Amount> = [consumed, hour.sold_mwh].into_iter().chain(charged).collect();
    if uses.iter().all(|used| *used == Amount::ZERO) {
        return Ok(Load::ZERO);
    }
    let mut given = mix(&feeds, &uses)?.into_iter();
    let consumed = given.next().unwrap_or(Load::ZERO);
    for ((battery, efficiency), load) in batteries.iter_mut().zip(round_trip).zip(given.skip(1)) {
        *battery = battery.charge(Battery::kept(load.energy_mwh, *efficiency)?, load)?;
    }
    Ok(consumed)
}

fn total(mut amounts: impl Iterator<Item = Amount>) -> Result<Amount, CarbonError> {
    amounts.try_fold(Amount::ZERO, |total, one| sum(total, one, "an hour's energy"))
}

impl SiteHour {
    /// What is bought at a grid's intensities, less what is covered by claimed certificates.
    ///
    /// Errors: an energy is below zero, or does not fit.
    pub fn bought(energy_mwh: Amount, grid: &GridHour, claimed_mwh: Amount) -> Result<Load, CarbonError> {
        let cover = super::Cover { energy_mwh: claimed_mwh, intensity: super::Intensity::ZERO };
        let footprint: Footprint = account(energy_mwh, grid, &[cover])?.footprint;
        Ok(Load { energy_mwh, renewable_mwh: Amount::ZERO, footprint })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::carbon::Intensity;

    const WH: i64 = 1000;

    fn grid(g: f64) -> GridHour {
        let of = Intensity::from_g_per_kwh(g).unwrap();
        GridHour { average: of, marginal: of, residual: None }
    }

    fn hour(bought_wh: i64, sun_wh: i64, charged_wh: i64, discharged_wh: i64, g: f64) -> SiteHour {
        let sun = Load { energy_mwh: Amount::new(sun_wh * WH), renewable_mwh: Amount::new(sun_wh * WH), footprint: Footprint::ZERO };
        SiteHour {
            bought: SiteHour::bought(Amount::new(bought_wh * WH), &grid(g), Amount::ZERO).unwrap(),
            given: vec![sun],
            sold_mwh: Amount::ZERO,
            batteries: vec![(Amount::new(charged_wh * WH), Amount::new(discharged_wh * WH))],
            grid: grid(g),
        }
    }

    fn check(hours: &[SiteHour], wh: i64, mg: i64) {
        let load = consumed(hours, &[Ratio::from_millionths(900_000)]).unwrap();
        assert_eq!((load.energy_mwh, load.footprint.average_mg), (Amount::new(wh * WH), Amount::new(mg)));
    }

    #[test]
    fn what_charged_a_battery_comes_out_with_it() {
        // Sun alone: nothing, now or later, whatever the grid emits by then.
        check(&[hour(0, 2000, 1000, 0, 400.0), hour(0, 0, 0, 900, 500.0)], 900, 0);
        // A kWh of the grid at 300 g, of which 0.9 come out: all 300 g come out with it.
        check(&[hour(1000, 0, 1000, 0, 300.0), hour(0, 0, 0, 900, 500.0)], 900, 300_000);
        // Half sun, half grid, of which half is stored.
        check(&[hour(1000, 1000, 1000, 0, 300.0)], 1000, 150_000);
        check(&[hour(1000, 1000, 1000, 0, 300.0), hour(0, 0, 0, 900, 500.0)], 900, 150_000);
        // Beside what is bought in that hour.
        check(&[hour(1000, 0, 1000, 0, 300.0), hour(100, 0, 0, 900, 500.0)], 1000, 350_000);
    }

    #[test]
    fn what_was_never_seen_to_go_in_is_the_grids() {
        check(&[hour(0, 0, 0, 1000, 500.0)], 1000, 500_000);
        check(&[], 0, 0);
        check(&[hour(0, 0, 0, 0, 500.0)], 0, 0);
    }

    #[test]
    fn meters_that_contradict_each_other_consume_nothing() {
        check(&[hour(100, 0, 200, 0, 500.0)], 0, 0);
    }
}
