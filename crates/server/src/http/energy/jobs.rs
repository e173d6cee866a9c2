//! `POST /lab3/energy/jobs`: when to run jobs that may wait.

use lab3_energy::jobs::{CHOICES_MAX, Job, Manner, Outlook, Placement, Run, Schedule, Sums, Unplaced, effort, place};
use lab3_energy::{Horizon, Profile};
use lab3_solve::Effort;
use lab3_units::{Code, Problem, Time};
use serde::Serialize;
use utoipa::ToSchema;

use super::outlook::{Known, known};
use super::{Positive, Price, Row, Share, positives, prices};
use crate::App;
use crate::http::body::Sent;
use crate::http::doc::Doc;
use crate::http::permit::{Permit, Touches, Touching};
use crate::http::reply::{Answer, Shown, reply};
use crate::json::{List, Whole, Words, request};

/// Most jobs of one request.
const JOBS_MAX: usize = 10_000;

request! {
    /// A job that may wait.
    #[example({ "id": "train", "power_kw": 2.0, "duration_minutes": 90, "deadline": "2026-11-24T08:00:00Z", "interruptible": true })]
    pub(crate) struct JobItem {
        /// The caller's name for it.
        pub id: Words<1, 64>,
        /// What it draws while it runs (an elastic one: on one machine).
        pub power_kw: Positive,
        /// How long it runs in all, in minutes; rounded up to whole steps.
        pub duration_minutes: Whole<1, 600_000>,
        /// It may not begin before; the begin of the outlook when left out.
        pub earliest: Option<Time>,
        /// It has to be done by.
        pub deadline: Time,
        /// Whether it may be interrupted; not when left out.
        pub interruptible: Option<bool>,
        /// The shortest piece of an interruptible job, in minutes.
        pub run_minutes_min: Option<Whole<0, 600_000>>,
        /// What starting it again takes, in kWh.
        pub restart_kwh: Option<Positive>,
        /// On how many machines it may run at once; 1 when left out.
        pub width_max: Option<Whole<1, 1_000>>,
        /// How much carbon counts, from 0 (only cost) to 1 (only carbon); 1 when left out.
        pub carbon_weight: Option<Share>,
    }
}

request! {
    /// Jobs that may wait, and what is known of the time to come.
    #[example({
        "start": "2026-11-23T18:00:00Z",
        "step_minutes": 60,
        "carbon_g_per_kwh": [420, 380, 250, 210, 220, 300],
        "price_per_kwh": [0.31, 0.28, 0.22, 0.20, 0.20, 0.25],
        "cap_kw": [5, 5, 5, 5, 5, 5],
        "jobs": [{ "id": "train", "power_kw": 2.0, "duration_minutes": 120, "deadline": "2026-11-24T00:00:00Z" }]
    })]
    pub(crate) struct JobsRequest {
        /// Where the first step begins.
        pub start: Time,
        /// How long a step is, in minutes.
        pub step_minutes: Whole<1, 1_440>,
        /// Carbon intensity of each step, g CO2e a kWh. When left out, what the desk's signals say up to the last deadline.
        pub carbon_g_per_kwh: Option<Row<Positive>>,
        /// Price of each step, MIC a kWh. When left out: none, or the desk's where its carbon is taken.
        pub price_per_kwh: Option<Row<Price>>,
        /// What all jobs may draw together in each step, in kW; no limit when left out.
        pub cap_kw: Option<Row<Positive>>,
        /// The jobs.
        pub jobs: List<JobItem, 1, JOBS_MAX>,
    }
}

/// When the jobs run.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobsReply {
    /// Each job, in the order sent.
    jobs: Vec<JobReply>,
    /// How far this can be from the best, relative and proven; `null` when not all jobs have a place.
    #[schema(required)]
    gap: Option<f64>,
    /// How many jobs have no place.
    unplaced: usize,
    /// How many of them nobody could place: proven.
    unplaced_min: usize,
}

/// When a job runs, or why it does not.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobReply {
    /// The caller's name for it.
    id: Box<str>,
    /// When it runs, in order; none when it has no place.
    runs: Vec<RunReply>,
    /// What that takes.
    #[schema(required)]
    sums: Option<SumsReply>,
    /// What it would take to run at once.
    #[schema(required)]
    at_once: Option<SumsReply>,
    /// Carbon saved against running at once, g CO2e.
    #[schema(required)]
    carbon_saved_g: Option<f64>,
    /// Money saved against running at once, MIC.
    #[schema(required)]
    cost_saved_gic: Option<f64>,
    /// Why it has no place, and what would help.
    #[schema(required)]
    unplaced: Option<String>,
}

/// A time in which a job runs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RunReply {
    /// From.
    #[schema(value_type = String, format = DateTime)]
    start: Shown<Time>,
    /// To.
    #[schema(value_type = String, format = DateTime)]
    end: Shown<Time>,
    /// What it draws.
    power_kw: f64,
}

/// What running takes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SumsReply {
    energy_kwh: f64,
    carbon_g: f64,
    cost_gic: f64,
}

impl Touching for JobsRequest {
    fn touches(&self) -> Touches<'_> {
        Touches::Nothing
    }
}

pub(crate) fn doc() -> Doc {
    Doc::new("energy", "place_jobs", "Find the clean or cheap hours for jobs that may wait")
        .about("The plan is made and not kept: nothing is held. Each job is told its runs, what they save against running at once, or why it has no place.")
        .reads::<JobsRequest>()
        .answers::<JobsReply>("When the jobs run")
        .refuses(&[Code::SIGNAL_UNKNOWN, Code::READINGS_UNAVAILABLE, Code::QUEUE_FULL])
}

pub(crate) async fn jobs(app: App, permit: Permit<Sent<JobsRequest>>) -> Answer {
    let (_, Sent { body, .. }) = permit.open();
    let names: Vec<Box<str>> = body.jobs.0.iter().map(|job| job.id.0.clone()).collect();
    let asked = Asked::of(&app, body).await?;
    let schedule = app.planning().run(move || asked.placed()).await?;
    Ok(reply(&JobsReply::new(names, schedule)))
}

/// A request, as the rules take it.
#[derive(Clone)]
pub(super) struct Asked {
    horizon: Horizon,
    carbon: Vec<f64>,
    price: Vec<f64>,
    cap: Option<Vec<f64>>,
    jobs: Vec<Job>,
    effort: Effort,
}

impl Asked {
    /// Errors: `FIELD_RANGE` of rows that have not as many steps as the others, and of jobs with too much choice together; `SIGNAL_UNKNOWN` where the desk has to know the
    /// carbon and does not.
    pub(super) async fn of(app: &App, body: JobsRequest) -> Result<Self, Problem> {
        let step_s = u32::try_from(body.step_minutes.0 * 60).unwrap_or(u32::MAX);
        let (carbon, price) = if body.carbon_g_per_kwh.is_some() {
            (positives(body.carbon_g_per_kwh), prices(body.price_per_kwh))
        } else {
            let until = body.jobs.0.iter().map(|job| job.deadline).fold(body.start, Time::max);
            let Known { carbon, price } = known(app, body.start, until, step_s).await?;
            (carbon, if body.price_per_kwh.is_some() { prices(body.price_per_kwh) } else { price })
        };
        let cap = body.cap_kw.map(|cap| positives(Some(cap)));
        let steps = carbon.len();
        let misfit = |field: &'static str, found: usize| {
            let detail = format!("There are {found} values here and {steps} steps of carbon_g_per_kwh. Give one for each.");
            Problem::new(Code::FIELD_RANGE, detail).in_field(field)
        };
        if !price.is_empty() && price.len() != steps {
            return Err(misfit("price_per_kwh", price.len()));
        }
        if let Some(cap) = cap.as_ref().filter(|cap| cap.len() != steps) {
            return Err(misfit("cap_kw", cap.len()));
        }
        let jobs: Vec<Job> = body.jobs.0.iter().map(|item| job(item, body.start)).collect();
        let horizon = Horizon { start: body.start, step_s, count: steps };
        let effort = effort(&jobs, &horizon).ok_or_else(|| {
            let detail = format!(
                "The jobs have more than {CHOICES_MAX} slots to choose from together (one in pieces counts once for each step of its work), or too \
                 many different weights for so many steps. Send fewer, or longer steps."
            );
            Problem::new(Code::FIELD_RANGE, detail).in_field("jobs")
        })?;
        Ok(Self { horizon, carbon, price, cap, jobs, effort })
    }

    /// The same, with no more room than what is promised to others leaves of a limit, in W.
    pub(super) fn around(&self, promised: &Profile, limit_w: Option<u64>) -> Self {
        let Some(limit_w) = limit_w else { return self.clone() };
        let left =
            |slot: usize| kilowatts(limit_w.saturating_sub(promised.most(self.horizon.begin_of(slot), self.horizon.begin_of(slot + 1))));
        let own = |slot: usize| self.cap.as_ref().and_then(|cap| cap.get(slot).copied()).unwrap_or(f64::INFINITY);
        let cap = (0..self.horizon.count).map(|slot| left(slot).min(own(slot))).collect();
        Self { cap: Some(cap), ..self.clone() }
    }

    pub(super) fn placed(&self) -> Schedule {
        let outlook = Outlook { horizon: self.horizon, carbon: &self.carbon, price: &self.price, cap_kw: self.cap.as_deref() };
        place(&self.jobs, &outlook, self.effort)
    }
}

#[allow(clippy::cast_precision_loss, reason = "no site has 2^52 W")]
fn kilowatts(watts: u64) -> f64 {
    watts as f64 / 1000.0
}

fn job(item: &JobItem, start: Time) -> Job {
    let seconds = |minutes: u64| u32::try_from(minutes * 60).unwrap_or(u32::MAX);
    let width_max = item.width_max.map_or(1, |width| u32::try_from(width.0).unwrap_or(u32::MAX));
    let manner = match (width_max, item.interruptible) {
        (2.., _) => Manner::Elastic { width_max },
        (_, Some(true)) => Manner::Pieces {
            run_min_s: item.run_minutes_min.map_or(0, |minutes| seconds(minutes.0)),
            restart_kwh: item.restart_kwh.map_or(0.0, |restart| restart.0),
        },
        _ => Manner::Whole,
    };
    Job {
        power_kw: item.power_kw.0,
        duration_s: seconds(item.duration_minutes.0),
        earliest: item.earliest.unwrap_or(start),
        deadline: item.deadline,
        manner,
        carbon_weight: item.carbon_weight.map_or(1.0, |weight| weight.0),
    }
}

impl JobsReply {
    fn new(names: Vec<Box<str>>, schedule: Schedule) -> Self {
        let unplaced = schedule.places.iter().filter(|place| place.is_err()).count();
        let jobs = names.into_iter().zip(schedule.places).map(|(id, place)| JobReply::new(id, place)).collect();
        Self { jobs, gap: schedule.gap, unplaced, unplaced_min: schedule.unplaced_min }
    }
}

impl JobReply {
    fn new(id: Box<str>, place: Result<Placement, Unplaced>) -> Self {
        match place {
            Ok(place) => Self {
                id,
                carbon_saved_g: Some(place.carbon_saved_g()),
                cost_saved_gic: Some(place.cost_saved()),
                sums: Some(SumsReply::new(place.sums)),
                at_once: Some(SumsReply::new(place.at_once)),
                runs: place.runs.into_iter().map(RunReply::new).collect(),
                unplaced: None,
            },
            Err(why) => {
                let unplaced = Some(why.to_string());
                Self { id, runs: Vec::new(), sums: None, at_once: None, carbon_saved_g: None, cost_saved_gic: None, unplaced }
            }
        }
    }
}

impl RunReply {
    fn new(run: Run) -> Self {
        Self { start: Shown(run.start), end: Shown(run.end), power_kw: run.power_kw }
    }

    /// A run that is promised.
    pub(super) fn booked(run: &lab3_energy::Run) -> Self {
        Self { start: Shown(run.start), end: Shown(run.end), power_kw: kilowatts(run.power_w) }
    }
}

impl SumsReply {
    fn new(sums: Sums) -> Self {
        Self { energy_kwh: sums.energy_kwh, carbon_g: sums.carbon_g, cost_gic: sums.cost }
    }
}
