//! Queries that may wait: the provider is chosen and the cost held at once, and the query runs in the clean time before its deadline.
//!
//! When that is was found before, from what the grid is expected to emit; the rule takes it for the provider it chooses, checks it by its own clock, and
//! holds until then. What it gains is told, not booked: the books have what the query draws, in the hour it runs.

use lab3_ledger::Event;
use lab3_units::{Amount, Code, Duration, Id, Problem, Time};

use crate::allocate::place;
use crate::fact::{Deferral, Deferred};
use crate::{Allocate, Desk, Fact, Refusal};

/// How far ahead a deadline may be.
pub const DEFER_MAX: Duration = Duration::from_secs(7 * 86_400);

/// A request for a provider of a query that may wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defer {
    /// What is asked for.
    pub allocate: Allocate,
    /// By when the answer has to be there.
    pub deadline: Time,
    /// What waiting gains at each provider; of others nothing is known.
    pub chances: Vec<Chance>,
}

/// What waiting gains at a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chance {
    /// Its name.
    pub provider: Box<str>,
    /// The clean time, from and to; `None` where nothing is gained by waiting.
    pub clean: Option<(Time, Time)>,
    /// What is known of the carbon.
    pub gain: Gain,
    /// Why then, in a sentence.
    pub reason: Box<str>,
}

/// What running a query later gains, as far as it is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Gain {
    /// What a kWh is expected to emit then, in micrograms.
    pub carbon_ug_per_kwh: Option<u64>,
    /// What a kWh emits at once, in micrograms.
    pub at_once_ug_per_kwh: Option<u64>,
    /// What the query is expected to draw, in mWh.
    pub energy_mwh: Option<Amount>,
    /// What that emits less than at once, in mg; below zero never.
    pub carbon_saved_mg: Option<Amount>,
}

impl Gain {
    /// What is gained of that by running at once: nothing.
    fn nothing(self) -> Self {
        Self { carbon_ug_per_kwh: self.at_once_ug_per_kwh, carbon_saved_mg: self.carbon_saved_mg.map(|_| Amount::ZERO), ..self }
    }
}

/// Chooses a provider as [`crate::allocate`] does, and holds the cost until the query has had its time.
///
/// Errors: as [`crate::allocate`]; `FIELD_RANGE` (`deadline`) of one that has passed, or lies more than [`DEFER_MAX`] ahead.
pub fn defer(desk: &Desk<'_>, id: Id, command: &Defer) -> Result<(Fact, Vec<Event>), Refusal> {
    command.check_deadline(desk.now)?;
    let latest = |provider: &str, latency_ms| command.deferral(desk.now, provider, latency_ms).run_until;
    let (allocated, _, events) = place(desk, id, &command.allocate, None, latest)?;
    let deferral = command.deferral(desk.now, &allocated.provider, allocated.estimated_latency_ms);
    Ok((Fact::Deferred(Box::new(Deferred { allocated, deferral })), events))
}

impl Defer {
    fn check_deadline(&self, now: Time) -> Result<(), Problem> {
        let (deadline, most) = (self.deadline, now.after(DEFER_MAX));
        if now < deadline && deadline <= most {
            return Ok(());
        }
        let detail = if deadline <= now { "has passed" } else { "is too far ahead" };
        let detail =
            format!("The deadline {deadline} {detail}: it is {now}. Name a moment after that and not after {most}, or leave it out.");
        Err(Problem::new(Code::FIELD_RANGE, detail).in_field("deadline"))
    }

    /// When a query runs at that provider, if it is expected to take so long.
    fn deferral(&self, now: Time, provider: &str, latency_ms: u32) -> Deferral {
        let deadline = self.deadline;
        let at_once = |gain, reason: &str| Deferral { deadline, run_at: now, run_until: now, gain, reason: reason.into() };
        let Some(chance) = self.chances.iter().find(|chance| *chance.provider == *provider) else {
            return at_once(Gain::default(), "Nobody has said what the provider draws and where (energy.draws), so it runs at once");
        };
        let Some((begin, end)) = chance.clean else { return at_once(chance.gain, &chance.reason) };
        let run_at = begin.max(now);
        if end <= now || run_at.after(Duration::from_millis(latency_ms)) > deadline {
            return at_once(chance.gain.nothing(), "No clean time is left before the deadline, so it runs at once");
        }
        // So early that it ends within the clean time; a query that takes longer begins with it.
        let run_until = Time::from_millis(end.min(deadline).millis().saturating_sub(i64::from(latency_ms))).max(run_at);
        Deferral { deadline, run_at, run_until, gain: chance.gain, reason: chance.reason.clone() }
    }
}

#[cfg(test)]
mod tests;
