//! `GET /lab3/energy/bookings`: jobs of a citizen that are booked.

use lab3_energy::Job;
use lab3_ledger::Purpose;
use lab3_units::{Asset, Code, Did, Id, Owner, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use super::Kwh;
use super::jobs::RunReply;
use crate::App;
use crate::http::doc::Doc;
use crate::http::parameters::{Asked, parameters};
use crate::http::permit::{Permit, Touches, Touching};
use crate::http::reply::{Answer, reply};
use crate::json::JobId;

parameters! {
    /// Whose jobs.
    pub(crate) struct BookingsQuery {
        /// The citizen. Required.
        pub citizen_did: Option<Did>,
    }
}

/// Jobs that are booked.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BookingsReply {
    /// By their ids.
    bookings: Vec<BookingReply>,
}

/// A job that is booked.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BookingReply {
    /// The booking.
    #[schema(value_type = String, example = "jb_06f2x1w0v7r9h3kz8q5d4c2bgm")]
    job_id: JobId,
    /// The caller's name for it.
    id: Box<str>,
    /// When it runs, in order.
    runs: Vec<RunReply>,
    /// What is set aside for it.
    #[schema(value_type = f64, example = 4.0)]
    energy_kwh: Kwh,
}

impl Touching for BookingsQuery {
    fn touches(&self) -> Touches<'_> {
        self.citizen_did.as_ref().map_or(Touches::Everybodys, Touches::Citizen)
    }
}

pub(crate) fn doc() -> Doc {
    Doc::new("energy", "bookings", "Jobs of a citizen that are booked")
        .asks::<BookingsQuery>(&["citizen_did"])
        .asks_engine()
        .answers::<BookingsReply>("What is booked")
        .refuses(&[Code::DID_MALFORMED])
}

pub(crate) async fn bookings(app: App, permit: Permit<Asked<BookingsQuery>>) -> Answer {
    let (_, Asked(query)) = permit.open();
    let missing = || Problem::new(Code::PARAMETER, "Say whose: citizen_did=did:kaizen:alice.").in_field("citizen_did");
    let owner = Owner::from(&query.citizen_did.ok_or_else(missing)?);
    let look = move |desk: &lab3_engine::Desk<'_>| -> Vec<(Id, Job)> {
        let account = desk.state.ledger.find(owner.as_str(), Asset::ENERGY, Purpose::Usage);
        let of_hers = desk.state.energy.jobs().filter(|(_, job)| Some(job.account) == account);
        of_hers.map(|(id, job)| (id, job.clone())).collect()
    };
    let jobs = app.engine().read(look).await?;
    Ok(reply(&BookingsReply { bookings: jobs.iter().map(|(id, job)| BookingReply::new(*id, job)).collect() }))
}

impl BookingReply {
    fn new(id: Id, job: &Job) -> Self {
        let runs = job.runs.iter().map(RunReply::booked).collect();
        Self { job_id: JobId(id), id: job.name.clone(), runs, energy_kwh: Kwh(job.energy_mwh) }
    }
}
