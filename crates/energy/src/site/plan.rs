//! A site's plan: the cheapest that keeps the reserve and, where not all can be served, the order of tiers.

use lab3_solve::Limits;

use super::{Ahead, Site, Tier};
use crate::dispatch::{Broken, Dispatch, Limit, Plan, Unplanned};
use crate::island::{self, Kept};

/// Less than that, nobody goes without, kWh.
const NOTHING: f64 = 2e-5;

/// A plan, and what it was made for.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// The site as it was planned: the reserve as goals, the rows that were believed.
    pub dispatch: Dispatch,
    /// The plan.
    pub plan: Plan,
    /// Whether tiers are served in order for certain. When the solver fails at that, they are served by worths in the same order, which comes near.
    pub is_in_order: bool,
    /// The reserve, if the site keeps one and the grid is there.
    pub kept: Option<Kept>,
}

impl Site {
    /// The plan. Where a step has no grid all rows are taken at their pessimistic values: what is served then is served for certain.
    ///
    /// Errors: the site or what is ahead makes no sense, or the solver had not enough time.
    pub fn plan(&self, ahead: &Ahead, limits: Limits) -> Result<Planned, Unplanned> {
        self.check()?;
        ahead.check(self)?;
        let is_island = self.grid.is_none() || ahead.up().iter().any(|up| *up <= 0.0);
        let mut dispatch = if is_island { self.dispatch(&ahead.at_worst()) } else { self.dispatch(ahead) };
        let kept = island::keep(self, ahead, &mut dispatch);
        self.plan_of(dispatch, kept, limits)
    }

    /// The plan of a dispatch of this site.
    pub(crate) fn plan_of(&self, dispatch: Dispatch, kept: Option<Kept>, limits: Limits) -> Result<Planned, Unplanned> {
        let plan = dispatch.solve(limits)?;
        // Where nobody goes without, nothing was taken from anybody.
        if plan.unserved.iter().flatten().all(|unserved| *unserved <= NOTHING) {
            return Ok(Planned { dispatch, plan, is_in_order: true, kept });
        }
        let mut tiers: Vec<Tier> = self.loads.iter().map(|load| load.tier).collect();
        // Whatever else runs comes last.
        tiers.resize(dispatch.loads.len(), Tier::Compute);
        let Ok(shed) = island::least_unserved(&dispatch, &tiers, self.reserve.map(|reserve| reserve.up_to), limits) else {
            let mut by_worth = dispatch.clone();
            by_worth.loads.iter_mut().zip(&tiers).for_each(|(load, tier)| load.worth = Some(dispatch.last_price() * weight(*tier)));
            let plan = by_worth.solve(limits)?;
            return Ok(Planned { dispatch, plan, is_in_order: false, kept });
        };
        if shed.iter().flatten().all(|shed| *shed <= NOTHING) {
            return Ok(Planned { dispatch, plan, is_in_order: true, kept });
        }
        let mut rest = dispatch.clone();
        for (load, shed) in rest.loads.iter_mut().zip(&shed) {
            load.energy.iter_mut().zip(shed).for_each(|(energy, shed)| *energy = (*energy - shed).max(0.0));
        }
        let plan = with_shed(&dispatch, rest.solve(limits)?, &shed);
        Ok(Planned { dispatch, plan, is_in_order: true, kept })
    }
}

/// How much more than the last tier's a tier's worth is: three times that of the next.
fn weight(tier: Tier) -> f64 {
    let after = Tier::ALL.iter().filter(|other| **other > tier).count();
    3.0_f64.powi(i32::try_from(after).unwrap_or(0))
}

/// A plan for the loads as they are, of one for what is left of them.
fn with_shed(dispatch: &Dispatch, mut plan: Plan, shed: &[Vec<f64>]) -> Plan {
    plan.broken.retain(|broken| !matches!(broken.limit, Limit::Load(_)));
    for (number, ((load, unserved), shed)) in dispatch.loads.iter().zip(&mut plan.unserved).zip(shed).enumerate() {
        unserved.iter_mut().zip(shed).for_each(|(unserved, shed)| *unserved += shed);
        plan.totals.unserved_cost += load.worth.unwrap_or(0.0) * shed.iter().sum::<f64>();
        let (steps, amounts): (Vec<usize>, Vec<f64>) =
            unserved.iter().copied().enumerate().filter(|(_, unserved)| *unserved > NOTHING).unzip();
        if !steps.is_empty() {
            let price = load.worth.unwrap_or_else(|| dispatch.last_price());
            plan.broken.push(Broken { limit: Limit::Load(number), steps, amount: amounts.iter().sum(), price });
        }
    }
    plan
}
