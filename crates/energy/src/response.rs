//! Demand response: an event in, what the site can promise for certain out, with its plan and what taking part is worth; afterwards what was earned.
//!
//! A promise is kept at the pessimistic outlook, with the reserve and with nobody going without who would not anyhow. The plan that shows it is part of the
//! answer ([`Commitment::certain`]): who does what it says keeps the promise whenever things are not worse than that.

mod settle;

use std::ops::Range;

use lab3_solve::Limits;
use lab3_units::Amount;

use crate::dispatch::{Broken, Dispatch, Invalid, Limit, Load, Plan, Unplanned};
use crate::island;
use crate::site::{Ahead, Planned, Site};

pub use settle::{Settlement, Unsettled, settle};
use settle::{energy_mwh, money};

/// Somebody pays for less being bought for a while.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The steps of the plan it lasts.
    pub steps: Range<usize>,
    /// How much less is asked for, kW.
    pub reduce_kw: f64,
    /// What would be bought in each of its steps otherwise, kWh, as whoever pays sees it. `None`: what the plan without the event buys.
    pub baseline_kwh: Option<Vec<f64>>,
    /// What a kWh less brings, in KS.
    pub reward_per_kwh: Amount,
    /// What a kWh costs that was promised and not kept, in KS.
    pub penalty_per_kwh: Amount,
}

/// What a site can promise.
#[derive(Clone, Debug, PartialEq)]
pub struct Commitment {
    /// How much less is bought for certain in each step of the event, kW, in whole W. Nothing: better not to take part.
    pub promised_kw: f64,
    /// What less is measured against, kWh of each of the event's steps.
    pub baseline_kwh: Vec<f64>,
    /// What keeping the promise brings, in whole KS: rounded down, once.
    pub reward: Amount,
    /// What taking part is worth as things are expected, MIC: the reward, less what the plan costs more than without.
    pub worth: f64,
    /// The plan as things are expected. Never does it hold less than the certain plan, until the event is over.
    pub planned: Planned,
    /// The plan at the pessimistic outlook.
    pub certain: Planned,
    /// The plan without the event.
    pub without: Planned,
}

/// Halvings of what can be promised: a ten-thousandth of what is asked.
const HALVINGS: u32 = 14;

/// What a site can promise in an event.
///
/// Errors: the event, the site or what is ahead makes no sense, or the solver had not enough time (each plan has `limits`).
pub fn respond(site: &Site, ahead: &Ahead, event: &Event, limits: Limits) -> Result<Commitment, Unplanned> {
    let without = site.plan(ahead, limits)?;
    check(site, ahead, event)?;
    let bought = || without.plan.import.get(event.steps.clone()).unwrap_or_default().to_vec();
    let baseline_kwh = event.baseline_kwh.clone().unwrap_or_else(bought);
    let asked = Asked { site, steps: event.steps.clone(), baseline: baseline_kwh, limits };
    let mut worst = site.dispatch(&ahead.at_worst());
    let kept = island::keep(site, ahead, &mut worst);
    let at_worst = site.plan_of(worst, kept, limits)?;
    let most_kw = asked.baseline.iter().map(|kwh| kwh / site.step_h()).fold(event.reduce_kw, f64::min);
    let found = asked.most(&at_worst, most_kw)?;
    let Some((promised_kw, certain)) = found.filter(|(kw, _)| *kw > 0.0) else {
        let baseline_kwh = asked.baseline;
        let planned = without.clone();
        return Ok(Commitment { promised_kw: 0.0, baseline_kwh, reward: Amount::ZERO, worth: 0.0, planned, certain: at_worst, without });
    };
    let planned = asked.committed(ahead, promised_kw, &certain)?;
    let promised_mwh = energy_mwh(promised_kw * site.step_h());
    let reward = money(event.reward_per_kwh, promised_mwh, event.steps.len());
    let worth = cost(&without) - cost(&planned) + settle::mic(reward);
    Ok(Commitment { promised_kw, baseline_kwh: asked.baseline, reward, worth, planned, certain, without })
}

fn check(site: &Site, ahead: &Ahead, event: &Event) -> Result<(), Invalid> {
    let invalid = |field: &str, detail: String| Err(Invalid { field: format!("event.{field}"), detail });
    let steps = &event.steps;
    if steps.start >= steps.end || steps.end > ahead.steps {
        return invalid("steps", format!("are {} to {}, and the plan has the steps 0 to {}", steps.start, steps.end, ahead.steps));
    }
    if site.grid.is_none() {
        return invalid("steps", "need a connection to the grid: the site has none".into());
    }
    if !(0.0..=1e9).contains(&event.reduce_kw) {
        return invalid("reduce_kw", format!("is {}, and has to be between 0 and 1,000,000,000", event.reduce_kw));
    }
    if let Some(row) = &event.baseline_kwh
        && (row.len() != steps.len() || row.iter().any(|kwh| !(0.0..=1e9).contains(kwh)))
    {
        return invalid("baseline_kwh", format!("has to have {} values between 0 and 1,000,000,000", steps.len()));
    }
    // A price of a kWh is at most a million MIC, as everywhere.
    for (field, amount) in [("reward_per_kwh", event.reward_per_kwh), ("penalty_per_kwh", event.penalty_per_kwh)] {
        if !(0..=1_000_000_000_000).contains(&amount.units()) {
            return invalid(field, "has to be between 0 and 1,000,000 MIC".into());
        }
    }
    Ok(())
}

/// What a plan costs, less what is stored at its end.
fn cost(planned: &Planned) -> f64 {
    let stored = planned.dispatch.batteries.iter().zip(&planned.plan.batteries);
    let left = stored.filter_map(|(battery, part)| Some(battery.end_value * part.stored.last()?)).sum::<f64>();
    planned.plan.totals.cost() - left
}

/// What is looked for.
struct Asked<'a> {
    site: &'a Site,
    steps: Range<usize>,
    baseline: Vec<f64>,
    limits: Limits,
}

impl Asked<'_> {
    /// The most that can be promised, up to `most_kw`, and the plan that keeps it; none when not even the baseline can.
    fn most(&self, at_worst: &Planned, most_kw: f64) -> Result<Option<(f64, Planned)>, Unplanned> {
        let keeps = |kw: f64| self.keeps(at_worst, kw).map(|planned| planned.map(|planned| (kw, planned)));
        let whole = |kw: f64| (kw * 1000.0).floor() / 1000.0;
        if let Some(found) = keeps(whole(most_kw))? {
            return Ok(Some(found));
        }
        let mut best = keeps(0.0)?;
        let (mut low, mut high) = (0.0, most_kw);
        for _ in 0..if best.is_some() { HALVINGS } else { 0 } {
            let middle = whole(f64::midpoint(low, high));
            if middle <= low {
                break;
            }
            match keeps(middle)? {
                Some(found) => (low, best) = (middle, Some(found)),
                None => high = middle,
            }
        }
        Ok(best)
    }

    /// The plan that buys so much less, if there is one that breaks nothing which is kept anyhow.
    fn keeps(&self, at_worst: &Planned, kw: f64) -> Result<Option<Planned>, Unplanned> {
        let mut dispatch = at_worst.dispatch.clone();
        self.cap(&mut dispatch, kw);
        let planned = self.site.plan_of(dispatch, at_worst.kept.clone(), self.limits)?;
        let anyhow = |broken: &Broken| {
            let before = at_worst.plan.broken.iter().filter(|before| before.limit == broken.limit).map(|before| before.amount).sum::<f64>();
            broken.amount <= before + 1e-5 && broken.limit != Limit::Import
        };
        Ok(planned.plan.broken.iter().all(anyhow).then_some(planned))
    }

    /// Limits what is bought in the event's steps to so much below the baseline.
    fn cap(&self, dispatch: &mut Dispatch, kw: f64) {
        let most: Vec<f64> = self.baseline.iter().map(|baseline| (baseline - kw * self.site.step_h()).max(0.0)).collect();
        dispatch.limit_import(self.steps.start, &most);
    }

    /// The plan as things are expected: the event's limits, flexible loads as in the certain plan, and no less stored than there, so that it can be gone over to
    /// at any time.
    fn committed(&self, ahead: &Ahead, kw: f64, certain: &Planned) -> Result<Planned, Unplanned> {
        let mut dispatch = self.site.dispatch(ahead);
        let kept = island::keep(self.site, ahead, &mut dispatch);
        self.cap(&mut dispatch, kw);
        for (battery, part) in dispatch.batteries.iter_mut().zip(&certain.plan.batteries) {
            battery.goals.resize(ahead.steps, 0.0);
            for (goal, stored) in battery.goals.iter_mut().zip(&part.stored).take(self.steps.end) {
                *goal = goal.max(stored * (1.0 - 1e-7));
            }
        }
        let flexible = std::mem::take(&mut dispatch.flexible);
        for (load, steps) in flexible.iter().zip(&certain.plan.flexible) {
            let energy = |step: usize| if steps.contains(&step) { load.power * self.site.step_h() } else { 0.0 };
            dispatch.loads.push(Load { name: load.name.clone(), energy: (0..ahead.steps).map(energy).collect(), worth: None });
        }
        let mut planned = self.site.plan_of(dispatch, kept, self.limits)?;
        let loads = self.site.loads.len();
        planned.dispatch.loads.truncate(loads);
        planned.dispatch.flexible = flexible;
        planned.plan.unserved.truncate(loads);
        planned.plan.flexible.clone_from(&certain.plan.flexible);
        let broken = std::mem::take(&mut planned.plan.broken);
        planned.plan.broken.extend(missing(&certain.plan));
        for mut broken in broken {
            if let Limit::Load(number) = broken.limit
                && let Some(flexible) = number.checked_sub(loads)
            {
                // A flexible load that stood as a load: it does not run then.
                planned.plan.flexible.iter_mut().skip(flexible).take(1).for_each(|runs| runs.retain(|step| !broken.steps.contains(step)));
                broken.amount = f64::from(u32::try_from(broken.steps.len()).unwrap_or(u32::MAX));
                broken.limit = Limit::Flexible(flexible);
            }
            planned.plan.broken.push(broken);
        }
        Ok(planned)
    }
}

/// Steps of flexible loads that a plan lacks.
fn missing(plan: &Plan) -> impl Iterator<Item = Broken> + '_ {
    plan.broken.iter().filter(|broken| matches!(broken.limit, Limit::Flexible(_))).cloned()
}
