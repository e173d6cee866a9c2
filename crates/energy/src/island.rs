//! Without the grid: who is served, what is kept for it beforehand, and how long it lasts.
//!
//! - Tiers are served in order ([`order`]): nothing is taken from one to serve a later one, over all steps of a plan.
//! - A reserve is kept for an outage nobody announced ([`reserve`]), at what sun and loads are hardly worse than.
//! - [`survival`] says from each step how long each tier can be served.

mod order;
mod reserve;

use crate::dispatch::{Dispatch, Metering};
use crate::site::{Ahead, Site, Tier};
use crate::survive::{Fleet, Lasting, lasting};

pub(crate) use order::least_unserved;
pub use reserve::Kept;
pub(crate) use reserve::{keep, reserve_steps};

/// How long a tier can be served.
#[derive(Clone, Debug, PartialEq)]
pub struct Survival {
    /// The tier; all before it are served as well.
    pub tier: Tier,
    /// From the begin of each step.
    pub lasting: Vec<Lasting>,
}

/// From each step how long each tier the site has can be served without the grid, at the pessimistic outlook, when batteries hold `stored` at the begin of
/// the step (outer row: batteries).
///
/// Generators are counted at all they can give where `with_generators`; their least power is not looked at.
pub fn survival(site: &Site, ahead: &Ahead, stored: &[Vec<f64>], with_generators: bool) -> Vec<Survival> {
    let worst = site.dispatch(&ahead.at_worst());
    let fleet = Fleet::of(&worst.batteries);
    let at = |step: usize| stored.iter().map(|row| row.get(step).copied().unwrap_or(0.0)).collect::<Vec<f64>>();
    let usable: Vec<f64> = (0..worst.len()).map(|step| fleet.usable(&worst.batteries, &at(step))).collect();
    let has = |tier: &Tier| site.loads.iter().any(|load| load.tier == *tier);
    let of = |tier: Tier| {
        let deficits = deficits(site, &worst, tier, with_generators);
        Survival { tier, lasting: lasting(&fleet, &usable, &deficits, site.step_h()) }
    };
    Tier::ALL.into_iter().filter(has).map(of).collect()
}

/// What loads up to a tier take in each step, less what sources and perhaps generators give, kWh.
fn deficits(site: &Site, dispatch: &Dispatch, up_to: Tier, with_generators: bool) -> Vec<f64> {
    let generators: f64 = dispatch.generators.iter().filter(|_| with_generators).map(|one| one.power_max).sum();
    let served = |step: usize| {
        let loads = site.loads.iter().zip(&dispatch.loads).filter(|(kind, _)| kind.tier <= up_to);
        let taken: f64 = loads.filter_map(|(_, load)| load.energy.get(step)).sum();
        taken - given(dispatch, step) - generators * site.step_h()
    };
    (0..dispatch.len()).map(served).collect()
}

/// What sources give to loads and batteries in a step, kWh: nothing where all of it is sold.
fn given(dispatch: &Dispatch, step: usize) -> f64 {
    if dispatch.grid.as_ref().is_some_and(|grid| grid.metering == Metering::Gross) {
        return 0.0;
    }
    dispatch.sources.iter().filter_map(|source| source.available.get(step)).sum()
}
