//! What the site has promised to buy less, for whom it pays: made by a plan, kept in every plan until it is over, then settled by what was measured.

use std::collections::BTreeMap;
use std::sync::Arc;

use lab3_energy::response::{self, Commitment, Event, Settlement};
use lab3_energy::site::{Ahead, Site};
use lab3_solve::Limits;
use lab3_units::{Amount, Code, Problem, Time};
use serde::{Deserialize, Serialize};

use super::devices::{self, GRID, Way};
use super::{Standing, desk, unplanned};
use crate::App;
use crate::readings::steps::Grid;
use crate::readings::{NoteKind, ReadingMemory, Unkept};

/// How long before a moment an event can have begun that is not over: plans reach no further.
const BEFORE_MS: i64 = 8 * 86_400_000;

/// Each of the plans that a promise is found by, of which there may be seventeen, in the room that others wait for.
const PLAN_LIMITS: Limits = Limits { seconds: 3.0, gap: 1e-6 };

/// Promises that are looked at, at most.
const PROMISES_MAX: usize = 1_000;

/// An event somebody pays for.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    /// When it begins and ends.
    pub(crate) span: (Time, Time),
    /// How much less is asked for, kW.
    pub(crate) reduce_kw: f64,
    /// What less is measured against, kWh of each of its steps; none for what the plan without it buys.
    pub(crate) baseline_kwh: Option<Vec<f64>>,
    /// What a kWh less brings, in KS.
    pub(crate) reward_per_kwh: Amount,
    /// What a kWh costs that was promised and not kept, in KS.
    pub(crate) penalty_per_kwh: Amount,
}

/// What was promised.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Promise {
    /// When the event begins: no two do at once.
    pub(crate) begin: Time,
    /// When it ends.
    pub(crate) end: Time,
    /// When it was promised.
    pub(crate) made: Time,
    /// How long a step is, in seconds.
    pub(crate) step_s: u32,
    /// How much less is bought in each step, kW.
    pub(crate) promised_kw: f64,
    /// What less is measured against, kWh of each step.
    pub(crate) baseline_kwh: Vec<f64>,
    /// What a kWh less brings.
    pub(crate) reward_per_kwh: Amount,
    /// What a kWh costs that was promised and not kept.
    pub(crate) penalty_per_kwh: Amount,
    /// What keeping it brings.
    pub(crate) reward: Amount,
    /// Where the first step of `held` begins.
    pub(crate) held_from: Time,
    /// What each battery shall hold at the end of each step, until the event is over, kWh.
    pub(crate) held: BTreeMap<Box<str>, Vec<f64>>,
}

impl Promise {
    /// Puts it into what a plan looks at. Gives a sentence where it cannot be.
    pub(super) fn keep(&self, site: &Site, grid: Grid, ahead: &mut Ahead) -> Option<String> {
        if grid.start >= self.end {
            return None;
        }
        if grid.step_s != self.step_s {
            let (begin, end, kw, minutes) = (self.begin, self.end, self.promised_kw, self.step_s / 60);
            return Some(format!(
                "From {begin} to {end} {kw} kW less are promised, in steps of {minutes} minutes. The site's are others now: plans do not keep it."
            ));
        }
        let most = self.promised_kw * f64::from(self.step_s) / 3600.0;
        ahead.import_most.resize(grid.count, f64::INFINITY);
        ahead.held.resize(site.batteries.len(), Vec::new());
        for step in 0..grid.count {
            let begin = grid.begin(step);
            let baseline = steps_since(self.begin, begin, self.step_s).and_then(|at| self.baseline_kwh.get(at));
            if let (Some(baseline), Some(limit)) = (baseline, ahead.import_most.get_mut(step)) {
                *limit = limit.min((baseline - most).max(0.0));
            }
            for (battery, held) in site.batteries.iter().zip(&mut ahead.held) {
                held.resize(grid.count, 0.0);
                let row = self.held.get(&battery.name).filter(|_| begin < self.end);
                let wanted = row.and_then(|row| row.get(steps_since(self.held_from, begin, self.step_s)?)).copied().unwrap_or(0.0);
                if let Some(held) = held.get_mut(step) {
                    *held = held.max(wanted * (1.0 - 1e-7));
                }
            }
        }
        None
    }

    /// What it brought, by what was measured; none while it is not over, or where a step was not measured.
    pub(crate) fn settled(&self, memory: &dyn ReadingMemory, now: Time) -> Result<Option<Settlement>, Unkept> {
        if now < self.end {
            return Ok(None);
        }
        let grid = Grid { start: self.begin, step_s: self.step_s, count: self.baseline_kwh.len() };
        let measured: Option<Vec<f64>> = devices::energy(memory, GRID, Way::Bought, grid)?.into_iter().collect();
        let whole = |row: &[f64]| row.iter().map(|kwh| mwh(*kwh)).collect::<Vec<Amount>>();
        let settle = |measured: Vec<f64>| {
            let prices = (self.reward_per_kwh, self.penalty_per_kwh);
            response::settle(self.promised_kw, f64::from(self.step_s) / 3600.0, prices, &whole(&self.baseline_kwh), &whole(&measured)).ok()
        };
        Ok(measured.and_then(settle))
    }
}

#[allow(clippy::cast_possible_truncation, reason = "a cast from a float keeps within 64 bits")]
fn mwh(kwh: f64) -> Amount {
    Amount::new((kwh * 1e6).round() as i64)
}

/// How many steps after a moment another is; none before.
fn steps_since(from: Time, at: Time, step_s: u32) -> Option<usize> {
    (at >= from).then(|| usize::try_from(at.millis_since(from) / (u64::from(step_s.max(1)) * 1000)).ok()).flatten()
}

/// The promises that may still have to be kept.
pub(super) fn promises_of(memory: &dyn ReadingMemory, now: Time) -> Result<Vec<Promise>, Unkept> {
    let from = Time::from_millis(now.millis().saturating_sub(BEFORE_MS));
    promises(memory, (from, Time::from_millis(i64::MAX)))
}

/// The promises for events that begin in a span.
pub(crate) fn promises(memory: &dyn ReadingMemory, span: (Time, Time)) -> Result<Vec<Promise>, Unkept> {
    let notes = memory.notes(NoteKind::Promised, span, PROMISES_MAX)?;
    Ok(notes.into_iter().filter_map(|(at, body)| read(at, &body)).collect())
}

/// A promise as it was noted. One that cannot be read is told of in the log: it is kept no more.
fn read(begin: Time, body: &str) -> Option<Promise> {
    let unread = |error: &serde_json::Error| tracing::error!(%begin, %error, "a promise cannot be read, and is not kept");
    serde_json::from_str(body).inspect_err(unread).ok()
}

/// What the site can promise in an event; promised when that is wished and anything can be.
///
/// Errors: the event is not ahead, does not begin and end with a step, or overlaps another that was promised; those of plans.
pub(crate) async fn respond(app: &App, wish: Wish, promise: bool) -> Result<(Arc<Standing>, Commitment, Option<Promise>), Problem> {
    let desk = desk(app)?;
    let _alone = if promise { Some(desk.promising.lock().await) } else { None };
    let standing = desk.standing(app).await?;
    let grid = desk.settings().steps(standing.decision.ahead.now.at);
    let steps = steps_of(wish.span, grid)?;
    let (begin, end) = wish.span;
    let known = app.readings().ask(move |memory| Ok(promises_of(memory, begin)?)).await?;
    if let Some(other) = known.iter().find(|other| begin < other.end && other.begin < end) {
        let detail = format!("From {} to {} {} kW less are promised already.", other.begin, other.end, other.promised_kw);
        return Err(Problem::new(Code::POWER_PROMISED, detail).in_field("from"));
    }
    let event = Event {
        steps,
        reduce_kw: wish.reduce_kw,
        baseline_kwh: wish.baseline_kwh.clone(),
        reward_per_kwh: wish.reward_per_kwh,
        penalty_per_kwh: wish.penalty_per_kwh,
    };
    let (site, ahead) = (standing.site.clone(), standing.decision.ahead.clone());
    let found = app.planning().run(move || response::respond(&site, &ahead, &event, PLAN_LIMITS)).await?;
    let commitment = found.map_err(|why| refused(&why))?;
    if !promise || commitment.promised_kw <= 0.0 {
        return Ok((standing, commitment, None));
    }
    let promised = promised(&standing, &wish, &commitment, app.engine().now(), grid.step_s);
    let unwritten = |_| Problem::new(Code::INTERNAL, "The promise could not be written down, and nothing is promised. Please report this.");
    let body = serde_json::to_string(&promised).map_err(unwritten)?;
    app.readings().ask(move |memory| Ok(memory.note(NoteKind::Promised, begin, &body)?)).await?;
    let standing = desk.planned(app, true).await?;
    Ok((standing, commitment, Some(promised)))
}

/// The steps of an event that is ahead.
fn steps_of((begin, end): (Time, Time), grid: Grid) -> Result<std::ops::Range<usize>, Problem> {
    let refused = |field: &'static str, detail: String| Problem::new(Code::FIELD_RANGE, detail).in_field(field);
    let step = |field: &'static str, at: Time| {
        let step = steps_since(grid.start, at, grid.step_s).filter(|step| grid.begin(*step) == at);
        step.ok_or_else(|| {
            refused(
                field,
                format!(
                    "{at} is not where a step of the plan begins: they begin at {} and every {} minutes.",
                    grid.start,
                    grid.step_s / 60
                ),
            )
        })
    };
    let (first, last) = (step("from", begin)?, step("to", end)?);
    if first == 0 || last > grid.count || first >= last {
        let (next, reach) = (grid.begin(1), grid.end());
        return Err(refused(
            "from",
            format!("An event begins at {next} at the earliest, ends at {reach} at the latest, and begins before it ends."),
        ));
    }
    Ok(first..last)
}

fn promised(standing: &Standing, wish: &Wish, commitment: &Commitment, made: Time, step_s: u32) -> Promise {
    let batteries = standing.site.batteries.iter().zip(&commitment.certain.plan.batteries);
    Promise {
        begin: wish.span.0,
        end: wish.span.1,
        made,
        step_s,
        promised_kw: commitment.promised_kw,
        baseline_kwh: commitment.baseline_kwh.clone(),
        reward_per_kwh: wish.reward_per_kwh,
        penalty_per_kwh: wish.penalty_per_kwh,
        reward: commitment.reward,
        held_from: standing.decision.ahead.now.at,
        held: batteries.map(|(battery, part)| (battery.name.clone(), part.stored.clone())).collect(),
    }
}

/// What is wrong with the event, by its field; else the plan's own trouble.
fn refused(why: &lab3_energy::dispatch::Unplanned) -> Problem {
    if let lab3_energy::dispatch::Unplanned::Invalid(invalid) = why
        && let Some(field) = invalid.field.strip_prefix("event.")
    {
        return Problem::new(Code::FIELD_RANGE, format!("It {}.", invalid.detail)).in_field(field.to_owned());
    }
    unplanned(why)
}
