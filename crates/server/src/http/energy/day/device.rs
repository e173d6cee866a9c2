//! Sources, batteries, grid and jobs of a day, as its reply tells them.

use lab3_energy::day::{BatteryFlows, Day, Flows, Grid, PlacedJob, Signal, SourceKind};
use lab3_energy::jobs::Run;
use lab3_units::Time;
use serde::Serialize;
use utoipa::ToSchema;

use super::{MarkWord, known, rounded, served, values};
use crate::http::reply::Shown;

/// A source.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DaySource {
    name: Box<str>,
    /// What it lives on: `sun`, `wind`, `water` or `generator`.
    #[schema(value_type = String, example = "sun")]
    kind: &'static str,
    /// All it gave.
    energy_kwh: Vec<Option<f64>>,
    /// What of that served loads.
    served_kwh: Vec<Option<f64>>,
}

/// A battery.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DayBattery {
    name: Box<str>,
    capacity_kwh: f64,
    /// What went in, at the terminals.
    charge_kwh: Vec<Option<f64>>,
    /// What came out of it and served loads.
    served_kwh: Vec<Option<f64>>,
    /// What came out, at the terminals.
    discharge_kwh: Vec<Option<f64>>,
    /// What is stored at the end of each step.
    stored_kwh: Vec<Option<f64>>,
}

/// The grid.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DayGrid {
    /// Bought.
    import_kwh: Vec<Option<f64>>,
    /// Sold.
    export_kwh: Vec<Option<f64>>,
    /// What of the bought served loads.
    served_kwh: Vec<Option<f64>>,
    /// What a kWh bought costs, MIC.
    import_price: DaySignal,
    /// What a kWh sold brings, MIC.
    export_price: DaySignal,
    /// What a kWh bought emits, g CO2e.
    carbon_g_per_kwh: DaySignal,
}

/// A signal as it is known now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DaySignal {
    values: Vec<Option<f64>>,
    marks: Vec<Option<MarkWord>>,
}

/// What was planned.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "an energy's unit stands last in its name, here as everywhere")]
pub(crate) struct DayPlan {
    /// To buy.
    import_kwh: Vec<Option<f64>>,
    /// To sell.
    export_kwh: Vec<Option<f64>>,
    /// What was to be consumed.
    consumption_kwh: Vec<Option<f64>>,
    /// What each battery was to hold at the end of each step.
    stored_kwh: Vec<Vec<Option<f64>>>,
}

/// A job.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DayJob {
    name: Box<str>,
    #[schema(required)]
    owner: Option<Box<str>>,
    /// Its place.
    runs: Vec<DayRun>,
    /// Money saved against running at once, MIC, as it was told.
    #[schema(required)]
    cost_saved_gic: Option<f64>,
    /// Carbon saved against running at once, g CO2e, as it was told.
    #[schema(required)]
    carbon_saved_g: Option<f64>,
}

/// A time in which a job runs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DayRun {
    /// From.
    #[schema(value_type = String, format = DateTime)]
    start: Shown<Time>,
    /// To.
    #[schema(value_type = String, format = DateTime)]
    end: Shown<Time>,
    power_kw: f64,
}

impl DaySource {
    pub(super) fn new(day: &Day, number: usize) -> Self {
        let source = &day.inputs.site.sources[number];
        let kind = match source.kind {
            SourceKind::Sun => "sun",
            SourceKind::Wind => "wind",
            SourceKind::Water => "water",
            SourceKind::Generator => "generator",
        };
        Self {
            name: source.name.clone(),
            kind,
            energy_kwh: known(day, |balance| balance.sources[number]),
            served_kwh: served(day, |served| served.sources[number]),
        }
    }
}

impl DayBattery {
    pub(super) fn new(day: &Day, number: usize) -> Self {
        let battery = &day.inputs.site.batteries[number];
        Self {
            name: battery.name.clone(),
            capacity_kwh: battery.capacity,
            charge_kwh: known(day, |balance| balance.charge[number]),
            served_kwh: served(day, |served| served.batteries[number]),
            discharge_kwh: known(day, |balance| balance.discharge[number]),
            stored_kwh: values(&day.stored[number], day.known.len()),
        }
    }
}

impl DayGrid {
    pub(super) fn new(day: &Day, grid: &Grid) -> Self {
        let signal = |signal: &Signal| DaySignal::new(signal, day.known.len());
        Self {
            import_kwh: known(day, |balance| balance.import),
            export_kwh: known(day, |balance| balance.export),
            served_kwh: served(day, |served| served.grid),
            import_price: signal(&grid.import_price),
            export_price: signal(&grid.export_price),
            carbon_g_per_kwh: signal(&grid.carbon),
        }
    }
}

impl DaySignal {
    pub(super) fn new(signal: &Signal, count: usize) -> Self {
        let readings = (0..count).map(|step| signal.reading(step));
        let (values, marks) = readings.map(|one| (one.map(|one| one.value), one.map(|one| MarkWord::new(one.mark)))).unzip();
        Self { values, marks }
    }
}

impl DayPlan {
    pub(super) fn new(day: &Day, flows: &Flows) -> Self {
        let count = day.known.len();
        let planned = |step: usize| day.planned.get(step).and_then(Option::as_ref);
        let stored = |battery: &BatteryFlows| values(&battery.stored, count);
        Self {
            import_kwh: values(&flows.import, count),
            export_kwh: values(&flows.export, count),
            consumption_kwh: (0..count).map(|step| planned(step).map(|balance| rounded(balance.consumption()))).collect(),
            stored_kwh: flows.batteries.iter().map(stored).collect(),
        }
    }
}

impl DayJob {
    pub(super) fn new(job: &PlacedJob) -> Self {
        let run = |run: &Run| DayRun { start: Shown(run.start), end: Shown(run.end), power_kw: run.power_kw };
        Self {
            name: job.name.clone(),
            owner: job.owner.clone(),
            runs: job.runs.iter().map(run).collect(),
            cost_saved_gic: job.cost_saved,
            carbon_saved_g: job.carbon_saved_g,
        }
    }
}
