//! Planning again and again: the state in, a plan out, what to do now, and why it differs from the plan before.
//!
//! A plan is made anew when a step begins, and at once when the grid is lost or comes back ([`Controller::is_due`]). An outage nobody announced is taken to
//! last as long as the reserve is for, and when it has lasted that long, a quarter of that again.

mod change;
mod watch;

use lab3_solve::Limits;
use lab3_units::Time;

use crate::dispatch::{Plan, Unplanned};
use crate::island;
use crate::site::{Ahead, Planned, Site};

pub use change::{Change, Signal};
pub use watch::{Watch, Worse};

/// Who plans again.
#[derive(Clone, Debug, Default)]
pub struct Controller {
    last: Option<Last>,
    lost_at: Option<Time>,
}

/// What the plan before was made for, and said.
#[derive(Clone, Debug)]
struct Last {
    ahead: Ahead,
    plan: Plan,
    step_ms: u64,
}

/// What the site does in one step, kWh.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Action {
    /// Bought.
    pub import: f64,
    /// Sold.
    pub export: f64,
    /// Used of each source.
    pub used: Vec<f64>,
    /// Given by each generator.
    pub generated: Vec<f64>,
    /// Into each battery, less what comes out, at its terminals.
    pub charged: Vec<f64>,
    /// What each load goes without.
    pub unserved: Vec<f64>,
    /// Whether each flexible load runs.
    pub runs: Vec<bool>,
}

/// What is planned, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// What was believed to be ahead, the rest of an outage included.
    pub ahead: Ahead,
    /// The plan.
    pub planned: Planned,
    /// What to do in this step.
    pub now: Action,
    /// What the plan before would have done in it; none at first, or when it did not reach so far.
    pub was: Option<Action>,
    /// What is not as the plan before believed.
    pub changes: Vec<Change>,
}

impl Action {
    /// That of a plan's step; nothing past its end.
    pub fn of(plan: &Plan, step: usize) -> Self {
        let at = |row: &[f64]| row.get(step).copied().unwrap_or(0.0);
        Self {
            import: at(&plan.import),
            export: at(&plan.export),
            used: plan.used.iter().map(|row| at(row)).collect(),
            generated: plan.generators.iter().map(|one| at(&one.energy)).collect(),
            charged: plan.batteries.iter().map(|one| at(&one.charge) - at(&one.discharge)).collect(),
            unserved: plan.unserved.iter().map(|row| at(row)).collect(),
            runs: plan.flexible.iter().map(|steps| steps.contains(&step)).collect(),
        }
    }
}

impl Controller {
    /// Whether a new plan is due: there is none, its step is over, or the grid was lost or came back.
    pub fn is_due(&self, at: Time, is_down: bool) -> bool {
        self.last.as_ref().is_none_or(|last| is_down != last.ahead.now.is_down || last.steps_until(at) != Some(0))
    }

    /// The plan for what is now and ahead.
    ///
    /// Errors: what [`Site::plan`] refuses; the plan before then stays the last.
    pub fn plan(&mut self, site: &Site, mut ahead: Ahead, limits: Limits) -> Result<Decision, Unplanned> {
        let since = ahead.now.down_since.or(self.lost_at).map(|since| since.min(ahead.now.at));
        let lost_at = ahead.now.is_down.then(|| since.unwrap_or(ahead.now.at));
        if let Some(lost_at) = lost_at.filter(|_| ahead.up.is_empty()) {
            ahead.up = outage(site, ahead.now.at.millis_since(lost_at), ahead.steps);
        }
        let planned = site.plan(&ahead, limits)?;
        let steps = self.last.as_ref().and_then(|last| Some((last, last.steps_until(ahead.now.at)?)));
        let reached = steps.filter(|(last, steps)| *steps < last.ahead.steps);
        let changes = reached.map_or_else(|| vec![Change::First], |(last, steps)| change::changes(&last.ahead, &last.plan, &ahead, steps));
        let was = reached.map(|(last, steps)| Action::of(&last.plan, steps));
        self.lost_at = lost_at;
        self.last = Some(Last { ahead: ahead.clone(), plan: planned.plan.clone(), step_ms: step_ms(site) });
        Ok(Decision { now: Action::of(&planned.plan, 0), was, changes, planned, ahead })
    }
}

impl Last {
    /// How many steps after its begin a moment is; none before.
    fn steps_until(&self, at: Time) -> Option<usize> {
        let begin = self.ahead.now.at;
        (at >= begin).then(|| usize::try_from(at.millis_since(begin) / self.step_ms).unwrap_or(usize::MAX))
    }
}

/// A step's length in milliseconds, at least one.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between nothing and a day")]
fn step_ms(site: &Site) -> u64 {
    ((site.step_minutes.clamp(0.0, 1440.0) * 60_000.0).round() as u64).max(1)
}

/// An outage that has lasted so long: down for what is left of the time the reserve is for, and at least a quarter of it; without a reserve, for this step.
fn outage(site: &Site, lasted_ms: u64, steps: usize) -> Vec<f64> {
    let down = site.reserve.as_ref().map_or(1, |reserve| {
        let whole = island::reserve_steps(reserve, site.step_h());
        let lasted = usize::try_from(lasted_ms / step_ms(site)).unwrap_or(usize::MAX);
        whole.saturating_sub(lasted).max(whole.div_ceil(4))
    });
    (0..steps).map(|step| if step < down { 0.0 } else { 1.0 }).collect()
}
