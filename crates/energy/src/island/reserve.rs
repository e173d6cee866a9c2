//! What has to be stored at each hour for an outage nobody announced, as goals of the batteries.

use super::{deficits, given};
use crate::dispatch::{Battery, Dispatch};
use crate::site::{Ahead, Reserve, Site};
use crate::survive::{Fleet, needed};

/// The reserve of a plan, usable energy of all batteries together at the end of each step, kWh.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Kept {
    /// What the rule asks for. Infinite where no battery of that size is enough.
    pub wanted_kwh: Vec<f64>,
    /// What the plan is asked to hold: what is wanted, as far as batteries can hold it and can be filled by then.
    pub asked_kwh: Vec<f64>,
}

/// How many steps a reserve is for.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "at most a week of steps; a step shorter than a second has as many as fit"
)]
pub(crate) fn reserve_steps(reserve: &Reserve, step_h: f64) -> usize {
    ((reserve.outage_hours / step_h - 1e-9).ceil().min(1e5) as usize).max(1)
}

/// Sets the goals of a plan's batteries: from the begin of each step before the first without grid, an outage shall be survived.
pub(crate) fn keep(site: &Site, ahead: &Ahead, dispatch: &mut Dispatch) -> Option<Kept> {
    let (rule, grid) = (site.reserve.as_ref()?, dispatch.grid.as_ref()?);
    let count = grid.up.iter().position(|up| *up <= 0.0).unwrap_or(dispatch.len());
    let fleet = Fleet::of(&dispatch.batteries);
    let wanted = wanted(site, ahead, rule, &fleet);
    let mut kept = Kept { wanted_kwh: wanted.iter().take(count).copied().collect(), asked_kwh: vec![0.0; count] };
    let reachable: Vec<Vec<f64>> =
        dispatch.batteries.iter().zip(&fleet.shares).map(|(battery, share)| reachable(dispatch, battery, *share)).collect();
    for ((battery, share), reachable) in dispatch.batteries.iter_mut().zip(&fleet.shares).zip(&reachable) {
        battery.goals.resize(ahead.steps, 0.0);
        for (((goal, wanted), reachable), asked) in battery.goals.iter_mut().zip(&wanted).zip(reachable).zip(&mut kept.asked_kwh) {
            let part = (share * wanted.min(fleet.capacity)).min(*reachable);
            *asked += part;
            // A goal of nothing is none; and one that holds to the last bit would cost more than it keeps.
            *goal = goal.max(if part > 0.0 { battery.least + part * (1.0 - 1e-9) } else { 0.0 });
        }
    }
    Some(kept)
}

/// What the rule wants at the end of each step. Past the rows, each hour is expected to be like that of the day before.
fn wanted(site: &Site, ahead: &Ahead, rule: &Reserve, fleet: &Fleet) -> Vec<f64> {
    let steps = reserve_steps(rule, site.step_h());
    let worst = site.dispatch(&ahead.at_worst());
    let mut deficits = deficits(site, &worst, rule.up_to, rule.with_generators);
    // No store helps against more power than batteries have; it does against the rest.
    let most = fleet.discharge_max * site.step_h();
    for deficit in &mut deficits {
        *deficit = deficit.min(most);
    }
    let day = day_steps(site.step_h());
    for step in deficits.len()..deficits.len() + steps {
        let before = step.checked_sub(day).and_then(|before| deficits.get(before)).or(deficits.last()).copied();
        deficits.push(before.unwrap_or(0.0));
    }
    needed(fleet, &deficits, site.step_h(), steps).into_iter().skip(1).collect()
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a day in steps, of which a float below 2^52 has as many")]
fn day_steps(step_h: f64) -> usize {
    ((24.0 / step_h).round().min(1e9) as usize).max(1)
}

/// What a battery can hold at the end of each step above its least, with its share of what is left when loads are served: goals beyond that would only be broken.
fn reachable(dispatch: &Dispatch, battery: &Battery, share: f64) -> Vec<f64> {
    let mut above = (battery.initial - battery.least).max(0.0);
    let usable = (battery.most - battery.least).max(0.0);
    let step = |step: usize| {
        let left = share * left(dispatch, battery, step);
        let hours = dispatch.hours.get(step).copied().unwrap_or(0.0);
        above = if left >= 0.0 {
            (above + battery.charge_efficiency * left.min(battery.charge_max * hours)).min(usable)
        } else {
            (above + left.max(-battery.discharge_max * hours) / battery.discharge_efficiency).max(0.0)
        };
        above
    };
    (0..dispatch.len()).map(step).collect()
}

/// What is left for charging when loads are served, generators standing still, kWh.
fn left(dispatch: &Dispatch, battery: &Battery, step: usize) -> f64 {
    let at = |row: &[f64]| row.get(step).copied().unwrap_or(0.0);
    let Some(grid) = &dispatch.grid else { return 0.0 };
    let loads: f64 = dispatch.loads.iter().map(|load| at(&load.energy)).sum();
    let sources = given(dispatch, step);
    let bought = grid.import_max.unwrap_or(f64::INFINITY) * at(&dispatch.hours);
    if battery.from_grid { sources + bought - loads } else { (sources - loads).max((sources + bought - loads).min(0.0)) }
}
