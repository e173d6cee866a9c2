//! `POST /lab3/energy/bookings`: jobs that may wait get their times, and the energy they take is set aside.

use lab3_energy::jobs::{Placement, Schedule};
use lab3_energy::{Book, Booked, BookedJob, Fact as Energy, Run};
use lab3_engine::{Command, Energy as EnergyCommand, Fact, item_id};
use lab3_units::{Amount, Code, Did, Id, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use super::jobs::{Asked, JobsRequest, RunReply};
use super::{Kg, Kwh};
use crate::App;
use crate::http::body::{Sent, submission};
use crate::http::doc::Doc;
use crate::http::key::fresh_id;
use crate::http::permit::{Permit, Touches, Touching};
use crate::http::problem::unexpected;
use crate::http::reply::{Answer, Mic, done};
use crate::json::{JobId, request};

/// Jobs that are booked at once.
const JOBS_MAX: usize = 1_000;

/// How often a plan is made again because others were faster.
const TRIES: u32 = 3;

request! {
    /// Jobs that may wait, and whose they are.
    #[example({
        "citizen_did": "did:kaizen:alice",
        "plan": {
            "start": "2026-11-23T18:00:00Z",
            "step_minutes": 60,
            "carbon_g_per_kwh": [420, 380, 250, 210, 220, 300],
            "jobs": [{ "id": "train", "power_kw": 2.0, "duration_minutes": 120, "deadline": "2026-11-24T00:00:00Z" }]
        }
    })]
    pub(crate) struct BookRequest {
        /// Whose they are: what they draw is counted as hers.
        pub citizen_did: Did,
        /// The jobs, and what is known of the time to come, as `POST /lab3/energy/jobs` takes it.
        pub plan: JobsRequest,
    }
}

/// Jobs with their times.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BookReply {
    /// Whose they are.
    #[schema(value_type = String, example = "did:kaizen:alice")]
    citizen_did: Box<str>,
    /// Each job, in the order sent.
    jobs: Vec<BookedReply>,
    /// How far this can be from the best, relative and proven.
    #[schema(required)]
    gap: Option<f64>,
    /// The journal record this stands in.
    sequence: u64,
}

/// A job with its times.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BookedReply {
    /// The booking, which is settled or released by this id.
    #[schema(value_type = String, example = "jb_06f2x1w0v7r9h3kz8q5d4c2bgm")]
    job_id: JobId,
    /// The caller's name for it.
    id: Box<str>,
    /// When it runs, in order.
    runs: Vec<RunReply>,
    /// What is set aside for it.
    #[schema(value_type = f64, example = 4.0)]
    energy_kwh: Kwh,
    /// What that emits, by what was known.
    #[schema(value_type = f64, example = 0.84)]
    carbon_kg: Kg,
    /// What that costs, by what was known.
    #[schema(value_type = f64, example = 0.42)]
    cost_gic: Mic,
    /// Carbon saved against running at once.
    #[schema(value_type = f64, example = 0.76)]
    carbon_saved_kg: Kg,
    /// Money saved against running at once.
    #[schema(value_type = f64, example = 0.2)]
    cost_saved_gic: Mic,
}

impl Touching for BookRequest {
    fn touches(&self) -> Touches<'_> {
        Touches::Citizen(&self.citizen_did)
    }
}

pub(crate) fn doc() -> Doc {
    Doc::new("energy", "book_jobs", "Promise jobs that may wait their clean or cheap hours")
        .about(
            "The times are found as by POST /lab3/energy/jobs, around what is promised already and under the Hive's own limit, and kept: each job is a \
             hold in kWh until it is settled, released, or nobody has told for six hours that it ran. All of them are booked, or none.",
        )
        .reads::<BookRequest>()
        .answers::<BookReply>("When the jobs run")
        .refuses(&[Code::SIGNAL_UNKNOWN, Code::READINGS_UNAVAILABLE, Code::JOBS_UNPLACED, Code::POWER_PROMISED, Code::STANDING, Code::ALLOCATIONS_OPEN, Code::BOOKS_LIMIT])
}

pub(crate) async fn book(app: App, permit: Permit<Sent<BookRequest>>) -> Answer {
    let (actor, Sent { body, key }) = permit.open();
    let names: Vec<Box<str>> = body.plan.jobs.0.iter().map(|job| job.id.0.clone()).collect();
    if names.len() > JOBS_MAX {
        let detail = format!("At most {JOBS_MAX} jobs are booked at once, and here are {}. Send them in several requests.", names.len());
        return Err(Problem::new(Code::FIELD_RANGE, detail).in_field("plan.jobs").into());
    }
    let asked = Asked::of(&app, body.plan).await.map_err(of_plan)?;
    let limit_w = app.engine().policy().energy.jobs_w_max;
    let mut tries = 0;
    let committed = loop {
        tries += 1;
        let promised = app.engine().read(|desk| desk.state.energy.promised().clone()).await?;
        let around = asked.around(&promised, limit_w);
        let schedule = app.planning().run(move || around.placed()).await?;
        let id = key.map_or_else(fresh_id, |key| key.id);
        let command = match booked(&names, &schedule, id) {
            Ok(jobs) => {
                let gap_ppm = schedule.gap.map(ppm);
                Command::Energy(EnergyCommand::Book(Box::new(Book { citizen: body.citizen_did.clone(), jobs, gap_ppm })))
            }
            Err(problem) => Command::Refused(problem),
        };
        let mut submission = submission(key, actor, command);
        submission.id = id;
        match app.engine().submit(submission).await {
            // A key that is used up by this refusal cannot be tried again.
            Err(problem) if problem.code() == Code::POWER_PROMISED && key.is_none() && tries < TRIES => {}
            outcome => break outcome?,
        }
    };
    let record = &committed.stored.record;
    let Fact::Energy(Energy::Booked(fact)) = &record.fact else { return Err(unexpected(&committed).into()) };
    Ok(done(&app, &BookReply::new(fact, committed.stored.sequence), &committed))
}

/// A problem of the plan, blamed on its field there.
fn of_plan(problem: Problem) -> Problem {
    let field = problem.field.as_ref().map(|field| format!("plan.{field}"));
    match field {
        Some(field) => problem.in_field(field),
        None => problem,
    }
}

/// The jobs with their times, when all have one.
fn booked(names: &[Box<str>], schedule: &Schedule, id: Id) -> Result<Vec<BookedJob>, Problem> {
    let jobs = (0_u32..).zip(names.iter().zip(&schedule.places)).map(|(at, (name, place))| match place {
        Ok(place) => job(if at == 0 { id } else { item_id(id, at) }, name, place),
        Err(why) => {
            let detail = format!("{name} has no place: {why} Nothing is booked.");
            Err(Problem::new(Code::JOBS_UNPLACED, detail).in_field(format!("plan.jobs[{at}]")))
        }
    });
    jobs.collect()
}

fn job(id: Id, name: &str, place: &Placement) -> Result<BookedJob, Problem> {
    let run = |run: &lab3_energy::jobs::Run| Run { start: run.start, end: run.end, power_w: watts(run.power_kw) };
    Ok(BookedJob {
        id,
        name: name.into(),
        runs: place.runs.iter().map(run).collect(),
        energy_mwh: units(place.sums.energy_kwh)?,
        carbon_mg: units(place.sums.carbon_g / 1000.0)?,
        cost: units(place.sums.cost)?,
        carbon_saved_mg: units(place.carbon_saved_g() / 1000.0)?,
        cost_saved: units(place.cost_saved())?,
    })
}

/// A float of an asset's unit as a whole number of its smallest: the nearest.
#[allow(clippy::cast_possible_truncation, reason = "below 2^53: checked")]
fn units(value: f64) -> Result<Amount, Problem> {
    let whole = (value * 1e6).round();
    if whole.abs() < 9e15 {
        return Ok(Amount::new(whole as i64));
    }
    Err(Problem::new(Code::BOOKS_LIMIT, "A job takes more than the books can count. Use a smaller one.").in_field("plan.jobs"))
}

/// kW as whole W, rounded up: what is promised is there.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "not below nothing, and at most 10^12: the request's own bounds"
)]
fn watts(power_kw: f64) -> u64 {
    (power_kw * 1000.0 - 1e-6).ceil().max(0.0) as u64
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between none and all")]
fn ppm(gap: f64) -> u32 {
    (gap.clamp(0.0, 1.0) * 1e6).ceil() as u32
}

impl BookReply {
    fn new(fact: &Booked, sequence: u64) -> Self {
        let jobs = fact.jobs.iter().map(BookedReply::new).collect();
        Self { citizen_did: fact.citizen.as_str().into(), jobs, gap: fact.gap_ppm.map(|ppm| f64::from(ppm) / 1e6), sequence }
    }
}

impl BookedReply {
    fn new(job: &BookedJob) -> Self {
        Self {
            job_id: JobId(job.id),
            id: job.name.clone(),
            runs: job.runs.iter().map(RunReply::booked).collect(),
            energy_kwh: Kwh(job.energy_mwh),
            carbon_kg: Kg(job.carbon_mg),
            cost_gic: Mic(job.cost),
            carbon_saved_kg: Kg(job.carbon_saved_mg),
            cost_saved_gic: Mic(job.cost_saved),
        }
    }
}
