//! `POST /lab3/energy/bookings/{job_id}/settle` and `release`: a job has run, or does not.

use lab3_energy::carbon::{GridHour, Intensity};
use lab3_energy::{Fact as Energy, Run, SettleJob};
use lab3_engine::{Command, Energy as EnergyCommand, Fact};
use lab3_units::{Code, Time};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Kg, Kwh};
use crate::App;
use crate::carbon::grid_over;
use crate::http::body::{Sent, submission};
use crate::http::doc::Doc;
use crate::http::parameters::Named;
use crate::http::permit::{Permit, Touches, Touching};
use crate::http::problem::unexpected;
use crate::http::reply::{Answer, done};
use crate::json::{JobId, Kwh as AskedKwh, request};
use crate::readings::steps::Grid;

request! {
    /// A job has run.
    #[example({ "energy_kwh": 3.87 })]
    pub(crate) struct SettleJobRequest {
        /// What its meter says it took; without one it took what was planned.
        pub energy_kwh: Option<AskedKwh>,
    }
}

request! {
    /// A job does not run. It has no fields; the body may be left out.
    #[example({})]
    pub(crate) struct ReleaseJobRequest {}
}

/// What a job took.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SettleJobReply {
    /// The booking.
    #[schema(value_type = String, example = "jb_06f2x1w0v7r9h3kz8q5d4c2bgm")]
    job_id: JobId,
    /// What it took.
    #[schema(value_type = f64, example = 3.87)]
    energy_kwh: Kwh,
    /// Whether a meter says so.
    metered: bool,
    /// What that emits on the average.
    #[schema(value_type = f64, example = 0.81)]
    carbon_kg: Kg,
    /// What that emits at the margin: what running it changed.
    #[schema(value_type = f64, example = 1.9)]
    carbon_marginal_kg: Kg,
    /// The journal record this stands in.
    sequence: u64,
}

/// What is free again.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReleaseJobReply {
    /// The booking.
    #[schema(value_type = String, example = "jb_06f2x1w0v7r9h3kz8q5d4c2bgm")]
    job_id: JobId,
    /// What was set aside for it.
    #[schema(value_type = f64, example = 4.0)]
    released_kwh: Kwh,
    /// The journal record this stands in.
    sequence: u64,
}

/// Hours of a job whose grid is looked up; a longer one counts at the present grid.
const HOURS_MAX: usize = 10_000;

impl Touching for JobId {
    fn touches(&self) -> Touches<'_> {
        Touches::Job(self.0)
    }
}

pub(crate) fn settle_doc() -> Doc {
    Doc::new("energy", "settle_job", "Tell that a job has run, and what it took")
        .about("What it took is counted as its owner's, in the hours it ran. The settlement counts once, whatever key it comes with.")
        .names::<JobId>("job_id", "The booking.", Code::ID_MALFORMED)
        .reads::<SettleJobRequest>()
        .answers::<SettleJobReply>("What is counted")
        .refuses(&[Code::BOOKING_UNKNOWN, Code::STANDING, Code::BOOKS_LIMIT])
}

pub(crate) fn release_doc() -> Doc {
    Doc::new("energy", "release_job", "Give back the time and energy of a job that does not run")
        .names::<JobId>("job_id", "The booking.", Code::ID_MALFORMED)
        .reads::<ReleaseJobRequest>()
        .answers::<ReleaseJobReply>("What is free again")
        .refuses(&[Code::BOOKING_UNKNOWN])
}

pub(crate) async fn settle(app: App, permit: Permit<(Named<JobId>, Sent<SettleJobRequest>)>) -> Answer {
    let (actor, (Named(JobId(job)), Sent { body, key })) = permit.open();
    let runs = app.engine().read(move |desk| desk.state.energy.job(job).map(|job| job.runs.clone()).unwrap_or_default()).await?;
    let intensities = over(&app, &runs).await;
    let command = SettleJob { job, metered_mwh: body.energy_kwh.map(|energy| energy.0), intensities };
    let committed = app.engine().submit(submission(key, actor, Command::Energy(EnergyCommand::SettleJob(command)))).await?;
    let Fact::Energy(Energy::JobSettled(fact)) = &committed.stored.record.fact else { return Err(unexpected(&committed).into()) };
    let reply = SettleJobReply {
        job_id: JobId(fact.job),
        energy_kwh: Kwh(fact.energy_mwh),
        metered: fact.metered,
        carbon_kg: Kg(fact.footprint.average_mg),
        carbon_marginal_kg: Kg(fact.footprint.marginal_mg),
        sequence: committed.stored.sequence,
    };
    Ok(done(&app, &reply, &committed))
}

pub(crate) async fn release(app: App, permit: Permit<(Named<JobId>, Sent<ReleaseJobRequest>)>) -> Answer {
    let (actor, (Named(JobId(job)), Sent { key, .. })) = permit.open();
    let committed = app.engine().submit(submission(key, actor, Command::Energy(EnergyCommand::ReleaseJob(job)))).await?;
    let Fact::Energy(Energy::JobReleased { job, released }) = committed.stored.record.fact else {
        return Err(unexpected(&committed).into());
    };
    let reply = ReleaseJobReply { job_id: JobId(job), released_kwh: Kwh(released), sequence: committed.stored.sequence };
    Ok(done(&app, &reply, &committed))
}

/// What a kWh emitted while a job ran: on the average, at the margin, and of what nobody claimed; by the hours of its runs.
#[allow(clippy::cast_precision_loss, reason = "weights: watts and milliseconds of a job")]
async fn over(app: &App, runs: &[Run]) -> [Intensity; 3] {
    let of = |grid: &GridHour| [grid.average, grid.marginal, grid.residual.unwrap_or(grid.average)];
    let now = of(&app.carbon().grid());
    let (Some(first), Some(last)) = (runs.first(), runs.last()) else { return now };
    let hours = Grid::over(first.start, last.end, 3600, Time::from_millis(0));
    if hours.count > HOURS_MAX {
        return now;
    }
    let grid = grid_over(app, hours).await;
    let (mut sums, mut all) = ([0.0; 3], 0.0);
    for (hour, grid) in grid.iter().enumerate() {
        let (begin, end) = (hours.begin(hour), hours.begin(hour + 1));
        let within = |run: &Run| (run.end.min(end).millis() - run.start.max(begin).millis()).max(0) as f64 * run.power_w as f64;
        let weight: f64 = runs.iter().map(within).sum();
        for (sum, intensity) in sums.iter_mut().zip(of(grid)) {
            *sum += intensity.g_per_kwh() * weight;
        }
        all += weight;
    }
    let mean = |(sum, now): (f64, Intensity)| if all > 0.0 { Intensity::from_g_per_kwh(sum / all).unwrap_or(now) } else { now };
    let [average, marginal, residual] = sums;
    let [now_average, now_marginal, now_residual] = now;
    [mean((average, now_average)), mean((marginal, now_marginal)), mean((residual, now_residual))]
}
