//! `POST /lab3/energy/hours`: divides an hour's meter over who drew, idle machines and the house.

use lab3_energy::carbon::{Footprint, GridHour, Intensity, account};
use lab3_energy::{CloseHour, Fact as Energy, HourClosed, Part, claimed_mwh};
use lab3_engine::{Command, Energy as EnergyCommand, Fact};
use lab3_units::{Amount, Code, Problem, Time};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Kg, Kwh, MODULE, Positive};
use crate::App;
use crate::carbon::grid_over;
use crate::http::body::{Sent, submission};
use crate::http::doc::Doc;
use crate::http::permit::{Permit, Touches, Touching};
use crate::http::problem::unexpected;
use crate::http::reply::{Answer, Shown, done};
use crate::json::{Kwh as AskedKwh, request};
use crate::readings::steps::Grid;
use crate::site;

request! {
    /// What was read of an hour.
    #[example({ "hour": "2026-11-23T17:00:00Z", "meter_kwh": 12.408, "compute_kwh": 3.1, "idle_kwh": 0.4, "carbon_g_per_kwh": 312 })]
    pub(crate) struct CloseHourRequest {
        /// When it began.
        pub hour: Time,
        /// What was consumed by the main meter: all of it is divided. What the meters of the Hive's own site say when left out.
        pub meter_kwh: Option<AskedKwh>,
        /// What a meter before the machines alone read. When left out, what the meters of `energy.draws` did, where all of them were read.
        pub compute_kwh: Option<AskedKwh>,
        /// What the machines are known to draw for nobody; nothing when left out.
        pub idle_kwh: Option<AskedKwh>,
        /// What a kWh of it emitted, battery and own sources included. When left out, with `meter_kwh`, what charged the batteries is traced; else it is the grid's.
        pub carbon_g_per_kwh: Option<Positive>,
        /// The same at the margin; the grid's when left out.
        pub carbon_marginal_g_per_kwh: Option<Positive>,
        /// What a kWh of the grid emitted that nobody has claimed; the average when left out.
        pub carbon_residual_g_per_kwh: Option<Positive>,
    }
}

/// An hour's meter, divided.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CloseHourReply {
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    hour: Shown<Time>,
    /// What the meter read, and what that emitted.
    meter: PartReply,
    /// What was drawn by citizens' queries and jobs.
    citizens: PartReply,
    /// How many drew.
    drew: usize,
    /// Machines that ran for nobody.
    idle: PartReply,
    /// Everything else behind the meter.
    house: PartReply,
    /// The journal record this stands in.
    sequence: u64,
}

/// A part of an hour's meter.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PartReply {
    /// Energy.
    #[schema(value_type = f64, example = 12.408)]
    energy_kwh: Kwh,
    /// What that emits by the grid's average.
    #[schema(value_type = f64, example = 3.871)]
    carbon_kg: Kg,
    /// What that emits at the margin.
    #[schema(value_type = f64, example = 7.2)]
    carbon_marginal_kg: Kg,
    /// What that emits by contracts and certificates.
    #[schema(value_type = f64, example = 2.1)]
    carbon_market_kg: Kg,
}

impl Touching for CloseHourRequest {
    fn touches(&self) -> Touches<'_> {
        Touches::Module(MODULE)
    }
}

pub(crate) fn doc() -> Doc {
    Doc::new("energy", "close_hour", "Divide an hour's meter over queries, jobs, idle machines and the house")
        .about(
            "The parts add up to the meter, to the mWh and the mg. What was booked when a query ended is corrected by what it was more or less. Hours are \
             divided in their order, each once. Certificates claimed for the hour count in what is emitted by contracts.",
        )
        .reads::<CloseHourRequest>()
        .answers::<CloseHourReply>("The parts")
        .refuses(&[Code::HOUR_CLOSED, Code::BOOKS_LIMIT, Code::READINGS_UNAVAILABLE])
}

pub(crate) async fn close_hour(app: App, permit: Permit<Sent<CloseHourRequest>>) -> Answer {
    let (actor, Sent { body, key }) = permit.open();
    let hour = body.hour;
    let claimed = app.engine().read(move |desk| claimed_mwh(&desk.state.energy, hour)).await?;
    let (meter_mwh, traced) = if let Some(meter) = &body.meter_kwh {
        (meter.0, None)
    } else {
        let load = site::consumed(&app, hour, claimed).await?;
        (load.energy_mwh, Some(load.footprint))
    };
    let compute_mwh = match &body.compute_kwh {
        Some(compute) => Some(compute.0),
        None => site::machines(&app, hour).await?,
    };
    let states_none =
        body.carbon_g_per_kwh.is_none() && body.carbon_marginal_g_per_kwh.is_none() && body.carbon_residual_g_per_kwh.is_none();
    let command = CloseHour {
        hour,
        meter_mwh,
        compute_mwh,
        idle_mwh: body.idle_kwh.map_or(Amount::ZERO, |energy| energy.0),
        footprint: match traced.filter(|_| states_none) {
            Some(footprint) => footprint,
            None => footprint(&app, &body, meter_mwh, claimed).await?,
        },
    };
    let command = Command::Energy(EnergyCommand::CloseHour(Box::new(command)));
    let committed = app.engine().submit(submission(key, actor, command)).await?;
    let Fact::Energy(Energy::HourClosed(fact)) = &committed.stored.record.fact else { return Err(unexpected(&committed).into()) };
    Ok(done(&app, &CloseHourReply::new(fact, committed.stored.sequence), &committed))
}

/// What the hour's energy emits: by the request's intensities, or the grid's; certificates cover what they are claimed for, and emit nothing.
async fn footprint(app: &App, body: &CloseHourRequest, meter_mwh: Amount, claimed: Amount) -> Result<Footprint, Problem> {
    let hour = Grid { start: body.hour, step_s: 3600, count: 1 };
    let grid = grid_over(app, hour).await.first().copied().unwrap_or_default();
    let given = |figure: Option<Positive>, field: &'static str| -> Result<Option<Intensity>, Problem> {
        let wrong = |error| Problem::new(Code::FIELD_RANGE, format!("It is no intensity: {error}.")).in_field(field);
        figure.map(|figure| Intensity::from_g_per_kwh(figure.0).map_err(wrong)).transpose()
    };
    let hour = GridHour {
        average: given(body.carbon_g_per_kwh, "carbon_g_per_kwh")?.unwrap_or(grid.average),
        marginal: given(body.carbon_marginal_g_per_kwh, "carbon_marginal_g_per_kwh")?.unwrap_or(grid.marginal),
        residual: given(body.carbon_residual_g_per_kwh, "carbon_residual_g_per_kwh")?.or(grid.residual),
    };
    let cover = lab3_energy::carbon::Cover { energy_mwh: claimed, intensity: Intensity::ZERO };
    let accounted = account(meter_mwh, &hour, &[cover]);
    accounted
        .map(|accounted| accounted.footprint)
        .map_err(|error| Problem::new(Code::BOOKS_LIMIT, format!("It cannot be counted: {error}.")).in_field("meter_kwh"))
}

impl CloseHourReply {
    fn new(fact: &HourClosed, sequence: u64) -> Self {
        let sum = |of: fn(&Part) -> Amount| {
            let parts = fact.shares.iter().map(|share| of(&share.part));
            parts.fold(Amount::ZERO, |sum, part| sum.checked_add(part).unwrap_or(Amount::MAX))
        };
        let footprint = Footprint {
            average_mg: sum(|part| part.footprint.average_mg),
            marginal_mg: sum(|part| part.footprint.marginal_mg),
            market_mg: sum(|part| part.footprint.market_mg),
        };
        Self {
            hour: Shown(fact.hour),
            meter: PartReply::new(fact.meter_mwh, &fact.footprint),
            citizens: PartReply::new(sum(|part| part.energy_mwh), &footprint),
            drew: fact.shares.len(),
            idle: PartReply::new(fact.idle.energy_mwh, &fact.idle.footprint),
            house: PartReply::new(fact.house.energy_mwh, &fact.house.footprint),
            sequence,
        }
    }
}

impl PartReply {
    fn new(energy_mwh: Amount, footprint: &Footprint) -> Self {
        Self {
            energy_kwh: Kwh(energy_mwh),
            carbon_kg: Kg(footprint.average_mg),
            carbon_marginal_kg: Kg(footprint.marginal_mg),
            carbon_market_kg: Kg(footprint.market_mg),
        }
    }
}
