//! `GET /lab3/energy/day`: a day of the site, everything a page needs to draw it.

mod deviation;
mod device;
mod sums;

use lab3_energy::Mark;
use lab3_energy::day::{Balance, Calendar, Day, Row, Served};
use lab3_units::Code;
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;
use crate::http::doc::Doc;
use crate::http::parameters::{Asked, parameters};
use crate::http::permit::{Permit, Touches, Touching};
use crate::http::reply::{Answer, sized_reply};
use crate::json::Words;
use crate::site;

use deviation::{DayDeviation, DayGap, DaySpan};
use device::{DayBattery, DayGrid, DayJob, DayPlan, DaySource};
use sums::DaySums;

parameters! {
    /// Which day.
    pub(crate) struct DayQuery {
        /// The date, as 2026-11-23; today by the clocks of the place when left out.
        pub date: Option<Words<10, 10>>,
    }
}

/// The day. Every row has a value for each step, `null` where it is not known; energies are kWh, rounded to a tenth of a Wh.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DayReply {
    /// The date.
    #[schema(example = "2026-11-23")]
    date: String,
    /// Whose clocks the day follows.
    #[schema(example = "Europe/Berlin")]
    zone: Box<str>,
    /// The present.
    #[schema(value_type = String, format = DateTime)]
    now: String,
    /// How many steps are over.
    steps_over: usize,
    /// How long a step is.
    step_minutes: u32,
    /// Where each step begins, with the offset of the place: what its clocks show can be read off. A day has 92, 96 or 100 of them.
    #[schema(value_type = Vec<String>)]
    begins: Vec<String>,
    /// Where the values of each step are from; `forecast` is the plan, `null` where nothing is known.
    marks: Vec<Option<MarkWord>>,
    /// What was consumed.
    consumption_kwh: Vec<Option<f64>>,
    /// Each source and generator.
    sources: Vec<DaySource>,
    /// Each battery.
    batteries: Vec<DayBattery>,
    /// The grid; `null` for a site without one.
    #[schema(required)]
    grid: Option<DayGrid>,
    /// What was planned; `null` where no plan was made.
    #[schema(required)]
    planned: Option<DayPlan>,
    /// The jobs placed in the day.
    jobs: Vec<DayJob>,
    /// Where measured differs from planned, in order of time.
    deviations: Vec<DayDeviation>,
    /// Steps that are over and were not measured in full.
    unmeasured: Vec<DayGap>,
    /// When the grid was not there, or shall not be.
    outages: Vec<DaySpan>,
    /// The measured steps.
    so_far: DaySums,
    /// The planned steps to come.
    rest: DaySums,
    /// Both.
    total: DaySums,
    /// What other prices than foreseen add to what the measured steps would have cost as planned.
    price_effect_gic: f64,
}

/// Where a value is from.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MarkWord {
    /// A meter said so.
    Measured,
    /// It is a forecast, or planned.
    Forecast,
    /// It follows from its neighbours.
    Filled,
}

impl Touching for DayQuery {
    fn touches(&self) -> Touches<'_> {
        Touches::Nothing
    }
}

pub(crate) fn doc() -> Doc {
    Doc::new("energy", "day", "The site's day: what served it, what was planned, what came of it")
        .about(
            "What was measured where every meter of grid, sources and batteries has a value, else what was planned, marked so. What others call their jobs is told to \
             those who look after the Hive.",
        )
        .asks::<DayQuery>(&[])
        .answers::<DayReply>("The day")
        .refuses(&[Code::SITE_NONE, Code::READINGS_UNAVAILABLE, Code::QUEUE_FULL])
}

pub(crate) async fn day(app: App, permit: Permit<Asked<DayQuery>>) -> Answer {
    let names = site::names_are_shown(permit.principal());
    let (_, Asked(query)) = permit.open();
    let day = site::day(&app, query.date.as_ref().map(|date| &*date.0), names).await?;
    let clocks = &site::desk(&app)?.settings().clocks;
    Ok(sized_reply(&DayReply::new(&day, clocks), 64 << 10))
}

impl DayReply {
    /// The reply to the question for a day, told by the clocks of its place.
    pub(crate) fn new(day: &Day, calendar: &Calendar) -> Self {
        let (inputs, count) = (&day.inputs, day.inputs.horizon.count);
        let begin = |step: usize| inputs.horizon.begin_of(step);
        Self {
            date: calendar.date(begin(0)),
            zone: calendar.name().into(),
            now: calendar.stamp(inputs.now),
            steps_over: day.over,
            step_minutes: inputs.horizon.step_s / 60,
            begins: (0..count).map(|step| calendar.stamp(begin(step))).collect(),
            marks: (0..count).map(|step| mark(day, step)).collect(),
            consumption_kwh: known(day, Balance::consumption),
            sources: (0..inputs.site.sources.len()).map(|number| DaySource::new(day, number)).collect(),
            batteries: (0..inputs.site.batteries.len()).map(|number| DayBattery::new(day, number)).collect(),
            grid: inputs.grid.as_ref().map(|grid| DayGrid::new(day, grid)),
            planned: inputs.planned.as_ref().map(|flows| DayPlan::new(day, flows)),
            jobs: inputs.jobs.iter().map(DayJob::new).collect(),
            deviations: day.deviations.iter().map(|deviation| DayDeviation::new(day, deviation, calendar)).collect(),
            unmeasured: day.unmeasured.iter().map(DayGap::new).collect(),
            outages: day.outages.iter().map(DaySpan::new).collect(),
            so_far: DaySums::new(&day.so_far),
            rest: DaySums::new(&day.rest),
            total: DaySums::new(&day.total),
            price_effect_gic: day.price_effect,
        }
    }
}

/// Tenths of a Wh: what is beyond is noise of meters, and would be most of the bytes.
fn rounded(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}

/// A value of each step that is known.
fn known(day: &Day, of: impl Fn(&Balance) -> f64) -> Vec<Option<f64>> {
    day.known.iter().map(|balance| balance.as_ref().map(|balance| rounded(of(balance)))).collect()
}

/// A part of what served the loads in each step that is known.
fn served(day: &Day, of: impl Fn(&Served) -> f64) -> Vec<Option<f64>> {
    (0..day.known.len()).map(|step| day.served(step).map(|served| rounded(of(&served)))).collect()
}

fn values(row: &Row, count: usize) -> Vec<Option<f64>> {
    (0..count).map(|step| row.get(step).copied().flatten().map(|reading| rounded(reading.value))).collect()
}

/// Measured only where the step was; what a plan holds is a forecast whatever it was made of.
fn mark(day: &Day, step: usize) -> Option<MarkWord> {
    let balance = day.known.get(step)?.as_ref()?;
    let is_measured = day.measured.get(step).copied().unwrap_or(false);
    Some(if is_measured { MarkWord::new(balance.mark) } else { MarkWord::Forecast })
}

impl MarkWord {
    fn new(mark: Mark) -> Self {
        match mark {
            Mark::Measured => Self::Measured,
            Mark::Forecast => Self::Forecast,
            Mark::Filled => Self::Filled,
        }
    }
}

#[cfg(test)]
mod tests;
