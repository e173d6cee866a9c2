//! The Hive's own site: planned again whenever a step begins, and at once when the grid is lost or comes back, from what its devices read and signals say.
//!
//! Devices go by the names they have in the site; what reads the connection is called `grid`. A plan is what the site should do: whoever steers the devices asks for it.
//! Plans are made beside the writer; what was planned for each step is noted beside the telemetry, so that the day can be told afterwards.

mod day;
mod devices;
mod gather;
mod hour;
mod outlook;
mod promise;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lab3_energy::controller::{Controller, Decision};
use lab3_energy::day::{Calendar, PlannedStep};
use lab3_energy::dispatch::Unplanned;
use lab3_energy::island::{Survival, survival};
use lab3_energy::site::Site;
use lab3_solve::Limits;
use lab3_units::{Code, Problem, Time};
use tokio::sync::Notify;

use crate::App;
use crate::readings::{NoteKind, ReadingMemory};
use gather::{Asked, Gathered};
use outlook::Watches;

pub(crate) use day::{day, names_are_shown};
pub(crate) use devices::GRID;
pub(crate) use hour::{consumed, machines};
pub(crate) use promise::{Promise, Wish, promises, respond};

/// How near to the best is near enough, and how long is looked for it.
const LIMITS: Limits = Limits { seconds: 20.0, gap: 1e-6 };

/// The same while the grid is down: a plan takes one such search for each tier, and it is waited for.
const LIMITS_DOWN: Limits = Limits { seconds: 2.0, gap: 1e-6 };

/// A plan that had to do without something is made again after a minute.
const BLIND_MS: i64 = 60_000;

/// How often is looked whether a step has begun.
const LOOK_EVERY: Duration = Duration::from_secs(20);

/// The Hive's own site, as the operator describes it.
#[derive(Clone, Debug)]
pub struct SiteSettings {
    /// What there is. Its steps are 15, 30 or 60 minutes long.
    pub site: Site,
    /// The clocks of the place.
    pub clocks: Calendar,
    /// How far plans reach, in hours.
    pub plan_hours: u32,
}

/// The desk of the site.
pub(crate) struct SiteDesk {
    settings: Arc<SiteSettings>,
    work: tokio::sync::Mutex<Work>,
    standing: Mutex<Option<Arc<Standing>>>,
    woken: Notify,
    /// Held while something is promised: two promises never overlap.
    promising: tokio::sync::Mutex<()>,
}

/// What one plan leaves to the next.
#[derive(Debug, Default)]
struct Work {
    controller: Controller,
    watches: Watches,
    /// Plans in a row that had to do without something.
    blind: u32,
}

/// The plan that holds, and what it was made of.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    /// When it was made.
    pub(crate) made: Time,
    /// The site as it was planned, booked jobs as a load of it.
    pub(crate) site: Site,
    /// The plan, and why.
    pub(crate) decision: Decision,
    /// What it had to do without, in sentences.
    pub(crate) unknown: Vec<String>,
    /// How long each tier lasts without the grid from each step.
    pub(crate) survival: Vec<Survival>,
}

impl Standing {
    /// How long a step is, in seconds.
    pub(crate) fn step_s(&self) -> u32 {
        self.site.step_s()
    }

    /// Whether it was made without something that may be known by now. The more plans in a row were, the longer is waited.
    fn is_blind(&self, now: Time, in_a_row: u32) -> bool {
        let wait_ms = BLIND_MS << in_a_row.saturating_sub(1).min(4);
        !self.unknown.is_empty() && now.millis().saturating_sub(self.made.millis()) >= wait_ms
    }
}

impl SiteDesk {
    pub(crate) fn new(settings: SiteSettings) -> Self {
        Self {
            settings: Arc::new(settings),
            work: tokio::sync::Mutex::default(),
            standing: Mutex::default(),
            woken: Notify::new(),
            promising: tokio::sync::Mutex::default(),
        }
    }

    pub(crate) fn settings(&self) -> &SiteSettings {
        &self.settings
    }

    /// Something has changed that may not wait for the next step.
    pub(crate) fn wake(&self) {
        self.woken.notify_one();
    }

    /// The plan made last, if there is one.
    pub(crate) fn kept(&self) -> Option<Arc<Standing>> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The plan that holds now, made first where one is due.
    ///
    /// Errors: those of readings; `SITE_UNPLANNED` when no plan is found, `INTERNAL` when the solver breaks.
    pub(crate) async fn standing(&self, app: &App) -> Result<Arc<Standing>, Problem> {
        // A plan that was begun is made to its end, also when who asked for it has gone: what was learned of devices is not lost.
        let app = app.clone();
        let planned = tokio::spawn(async move { desk(&app)?.planned(&app, false).await });
        planned.await.map_err(|error| {
            tracing::error!(%error, "the site's plan broke");
            Problem::new(Code::INTERNAL, "The site's plan could not be made. The log says more.")
        })?
    }

    /// The same made anew, whether one is due or not: something was promised.
    async fn planned(&self, app: &App, anew: bool) -> Result<Arc<Standing>, Problem> {
        let mut work = self.work.lock().await;
        let now = app.engine().now();
        let is_down = app.readings().ask(move |memory| Ok(devices::is_down(memory, now)?)).await?;
        let holds = |standing: &Arc<Standing>| !anew && !work.controller.is_due(now, is_down) && !standing.is_blind(now, work.blind);
        if let Some(standing) = self.kept().filter(holds) {
            return Ok(standing);
        }
        let standing = Arc::new(self.plan(app, &mut work, now, is_down).await?);
        *self.standing.lock().unwrap_or_else(PoisonError::into_inner) = Some(standing.clone());
        Ok(standing)
    }

    async fn plan(&self, app: &App, work: &mut Work, now: Time, is_down: bool) -> Result<Standing, Problem> {
        let runs = app.engine().read(|desk| desk.state.energy.jobs().flat_map(|(_, job)| job.runs.to_vec()).collect::<Vec<_>>()).await?;
        let asked = Asked {
            settings: self.settings.clone(),
            zone: app.settings().carbon.zone.clone(),
            carbon_g_per_kwh: app.settings().carbon.grid.average.g_per_kwh(),
            now,
            is_down,
            runs,
            believed: self.kept(),
        };
        let watches = std::mem::take(&mut work.watches);
        let Gathered { site, ahead, unknown, unread, watches } =
            app.readings().ask(move |memory| Ok(asked.gather(memory, watches)?)).await?;
        work.watches = watches;
        let mut controller = work.controller.clone();
        let planned = app.planning().run_own(move || {
            let limits = if is_down { LIMITS_DOWN } else { LIMITS };
            let decision = controller.plan(&site, ahead, limits)?;
            let stored = stored(&decision);
            let mut survival = survival(&site, &decision.ahead, &stored, true);
            // How long a tier lasts is not known where nobody knows what it takes.
            survival.retain(|of| unread.is_none_or(|unread| of.tier < unread));
            Ok((controller, Standing { made: now, site, decision, unknown, survival }))
        });
        let (controller, standing) = planned.await?.map_err(|why| unplanned(&why))?;
        work.controller = controller;
        let was_blind = work.blind > 0;
        work.blind = if standing.unknown.is_empty() { 0 } else { work.blind + 1 };
        // A plan that holds is followed, also where it cannot be noted: only the day will not tell of it.
        if let Err(problem) = note(app, &standing, was_blind).await {
            tracing::warn!(%problem, "what is planned for this step is not noted");
        }
        Ok(standing)
    }
}

/// What each battery holds at the begin of each step.
fn stored(decision: &Decision) -> Vec<Vec<f64>> {
    let batteries = decision.ahead.now.stored_kwh.iter().zip(&decision.planned.plan.batteries);
    batteries.map(|(now, part)| std::iter::once(*now).chain(part.stored.iter().copied()).collect()).collect()
}

/// Notes what is planned for this step. What was planned first stays, for the day is told against it; but not what was planned without knowing enough.
async fn note(app: &App, standing: &Standing, was_blind: bool) -> Result<(), Problem> {
    let (at, step) = (standing.decision.ahead.now.at, PlannedStep::of(&standing.decision.planned, 0));
    let body = step.and_then(|step| serde_json::to_string(&step).ok()).unwrap_or_default();
    let only = (at, Time::from_millis(at.millis().saturating_add(1)));
    let noted = move |memory: &dyn ReadingMemory| {
        let is_there = !memory.notes(NoteKind::Planned, only, 1)?.is_empty();
        if is_there && !was_blind { Ok(()) } else { memory.note(NoteKind::Planned, at, &body) }
    };
    app.readings().ask(move |memory| Ok(noted(memory)?)).await
}

fn unplanned(why: &Unplanned) -> Problem {
    tracing::error!(%why, "the site could not be planned");
    match why {
        Unplanned::Invalid(invalid) => {
            Problem::new(Code::SITE_UNPLANNED, format!("The site cannot be planned: {} {}.", invalid.field, invalid.detail))
        }
        Unplanned::Unsolved(why) => Problem::new(Code::SITE_UNPLANNED, format!("The site could not be planned: {why}.")),
    }
    .after(60)
}

/// The desk of the site, or the words how to get one.
///
/// Errors: `SITE_NONE`.
pub(crate) fn desk(app: &App) -> Result<&SiteDesk, Problem> {
    let none = || {
        Problem::new(
            Code::SITE_NONE,
            "This desk has no site to plan. Describe it in a file and name that in the configuration: energy.site.",
        )
    };
    app.site().ok_or_else(none)
}

/// Plans the site again and again, for as long as it is polled.
pub(crate) async fn follow(app: App) {
    let Some(desk) = app.site() else { return };
    loop {
        if let Err(problem) = desk.standing(&app).await {
            tracing::warn!(%problem, "the site is not planned");
        }
        // Readings wake it; a step begins unasked.
        let _ = tokio::time::timeout(LOOK_EVERY, desk.woken.notified()).await;
    }
}
