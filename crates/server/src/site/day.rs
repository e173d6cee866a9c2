//! The site's day: what was planned, measured, booked and known of it, put together.

use std::collections::BTreeMap;
use std::sync::Arc;

use lab3_energy::Horizon;
use lab3_energy::day::{
    Battery, BatteryFlows, Day, Flows, Grid as DayGrid, Inputs, PlacedJob, PlannedStep, Reading, Row, STEP_S, Signal, Site, Source,
    SourceKind, THRESHOLD_KW, laid,
};
use lab3_energy::jobs::Run;
use lab3_energy::signals::Kind;
use lab3_energy::{Job, Mark};
use lab3_trust::{Holder, Principal};
use lab3_units::{Code, Problem, Time};

use super::devices::{self, GRID, Way};
use super::gather::JOBS;
use super::{SiteSettings, Standing, desk};
use crate::App;
use crate::readings::outlook::{at_or_latest, row};
use crate::readings::steps::Grid;
use crate::readings::{KeptSignal, NoteKind, ReadingMemory, Unkept};

/// Steps of plans that a day can be made of, and one before.
const PLANNED_MAX: usize = 256;

/// Whether somebody sees what others call their jobs, and what their loads take: those who look after the Hive do.
pub(crate) fn names_are_shown(principal: &Principal) -> bool {
    match principal {
        Principal::Local | Principal::Desk => true,
        Principal::Key(bearer) => matches!(bearer.holder, Holder::Operator | Holder::Steward { .. } | Holder::Auditor),
        Principal::Nobody | Principal::Signed { .. } => false,
    }
}

/// A day, `YYYY-MM-DD`; today when none is named.
///
/// Errors: `SITE_NONE`; `PARAMETER` for a date that is none; those of readings.
pub(crate) async fn day(app: &App, date: Option<&str>, names: bool) -> Result<Day, Problem> {
    let desk = desk(app)?;
    let now = app.engine().now();
    let clocks = &desk.settings().clocks;
    let date = date.map_or_else(|| clocks.date(now), str::to_owned);
    let horizon = clocks.horizon(&date).map_err(|error| no_day(&error.to_string()))?;
    // What is to come stands in the plan, which is made first where one is due.
    let standing = if horizon.begin_of(horizon.count) > now { desk.standing(app).await.ok() } else { None };
    let all = |desk: &lab3_engine::Desk<'_>| {
        let energy = &desk.state.energy;
        energy.jobs_that_ran().chain(energy.jobs().map(|(_, job)| job)).cloned().collect::<Vec<Job>>()
    };
    let mut jobs = app.engine().read(move |desk| all(desk)).await?;
    jobs.retain(|job| job.runs.iter().any(|run| run.start < horizon.begin_of(horizon.count) && horizon.start < run.end));
    let asked = Asked {
        settings: desk.settings().clone(),
        zone: app.settings().carbon.zone.clone(),
        carbon_g_per_kwh: app.settings().carbon.grid.average.g_per_kwh(),
        now,
        horizon,
        standing,
        jobs: jobs.iter().enumerate().map(|(number, job)| placed(number, job, names)).collect(),
        names,
    };
    app.readings().ask(move |memory| Ok(Day::of(asked.inputs(memory)?))).await
}

fn no_day(why: &str) -> Problem {
    Problem::new(Code::PARAMETER, format!("{why}.")).in_field("date")
}

struct Asked {
    settings: SiteSettings,
    zone: Option<Box<str>>,
    carbon_g_per_kwh: f64,
    now: Time,
    horizon: Horizon,
    standing: Option<Arc<Standing>>,
    jobs: Vec<PlacedJob>,
    /// Whether names of loads are told: what a home takes tells when somebody is there.
    names: bool,
}

impl Asked {
    fn inputs(self, memory: &dyn ReadingMemory) -> Result<Inputs, Unkept> {
        let grid = Grid { start: self.horizon.start, step_s: STEP_S, count: self.horizon.count };
        let steps = self.planned(memory)?;
        let measured = self.measured(memory, grid)?;
        let mut site = described(&self.settings);
        for (battery, of_site) in site.batteries.iter_mut().zip(&self.settings.site.batteries) {
            battery.initial = self.initial(memory, of_site, &steps)?;
        }
        let (flows, foreseen) = laid(&steps, &site, self.horizon);
        let signals = memory.signals()?;
        let tariff = self.settings.site.grid.as_ref();
        let signal = |kind, foreseen: Row, otherwise: Option<f64>| -> Result<Signal, Unkept> {
            let now = self.signal(memory, &signals, kind, grid)?;
            let stated = Reading { value: otherwise.unwrap_or(0.0), mark: Mark::Filled };
            let now = now.into_iter().map(|reading| reading.or(otherwise.map(|_| stated))).collect();
            Ok(Signal { foreseen, now })
        };
        let of_grid = match tariff {
            None => None,
            Some(tariff) => Some(DayGrid {
                import_price: signal(Kind::PriceImport, foreseen.import_price, Some(tariff.import_price_per_kwh))?,
                export_price: signal(Kind::PriceExport, foreseen.export_price, Some(tariff.export_price_per_kwh))?,
                carbon: signal(Kind::CarbonAverage, foreseen.carbon, Some(self.carbon_g_per_kwh))?,
                carbon_free: Row::new(),
            }),
        };
        if !self.names {
            site.loads.iter_mut().for_each(|name| *name = "a load".into());
        }
        Ok(Inputs {
            horizon: self.horizon,
            now: self.now,
            site,
            grid: of_grid,
            planned: (!steps.is_empty()).then_some(flows),
            measured,
            jobs: self.jobs,
            threshold_kw: THRESHOLD_KW,
        })
    }

    /// The plan of each step: what was noted of those that have begun, and the plan that holds.
    fn planned(&self, memory: &dyn ReadingMemory) -> Result<BTreeMap<Time, PlannedStep>, Unkept> {
        // From the step before the first: what is stored goes on from there.
        let from = Time::from_millis(self.horizon.start.millis().saturating_sub(3_600_000));
        let to = self.horizon.begin_of(self.horizon.count);
        let notes = memory.notes(NoteKind::Planned, (from, to), PLANNED_MAX)?;
        let mut steps: BTreeMap<Time, PlannedStep> =
            notes.into_iter().filter_map(|(at, body)| Some((at, serde_json::from_str(&body).ok()?))).collect();
        if let Some(standing) = &self.standing {
            let (decision, step_s) = (&standing.decision, self.settings.step_s());
            let begins = Grid { start: decision.ahead.now.at, step_s, count: decision.ahead.steps };
            for step in (0..begins.count).take_while(|step| begins.begin(*step) < to) {
                steps.extend(PlannedStep::of(&decision.planned, step).map(|planned| (begins.begin(step), planned)));
            }
        }
        // Booked jobs are told beside the loads.
        for step in steps.values_mut() {
            step.loads.remove(JOBS);
        }
        Ok(steps)
    }

    fn measured(&self, memory: &dyn ReadingMemory, grid: Grid) -> Result<Flows, Unkept> {
        // Of what is to come nothing was measured.
        let past = Grid::over(grid.start, self.now.clamp(grid.start, grid.end()), grid.step_s, grid.start);
        let row = |values: Vec<Option<f64>>| -> Row {
            values.into_iter().map(|value| value.map(|value| Reading { value, mark: Mark::Measured })).collect()
        };
        let energy = |device: &str, way| devices::energy(memory, device, way, past).map(row);
        let site = &self.settings.site;
        let mut flows = Flows::default();
        if site.grid.is_some() {
            (flows.import, flows.export) = (energy(GRID, Way::Bought)?, energy(GRID, Way::Sold)?);
            // A connection without a meter for what is sold sells nothing.
            if flows.export.iter().all(Option::is_none) {
                flows.export = flows.import.iter().map(|import| import.map(|import| Reading { value: 0.0, ..import })).collect();
            }
            flows.grid_up = row(devices::grid_up(memory, past)?);
        }
        for name in site.sources.iter().map(|one| &one.name).chain(site.generators.iter().map(|one| &one.name)) {
            flows.sources.push(energy(name, Way::Own)?);
        }
        for battery in &site.batteries {
            let (charge, discharge) = (energy(&battery.name, Way::Taken)?, energy(&battery.name, Way::Own)?);
            flows.batteries.push(BatteryFlows { charge, discharge, stored: row(devices::stored(memory, battery, past)?) });
        }
        for load in &site.loads {
            flows.loads.push(energy(&load.name, Way::Own)?);
        }
        Ok(flows)
    }

    /// What a battery held at the day's begin: as it was read, else as it was planned.
    fn initial(
        &self,
        memory: &dyn ReadingMemory,
        battery: &lab3_energy::site::BatterySite,
        steps: &BTreeMap<Time, PlannedStep>,
    ) -> Result<Option<f64>, Unkept> {
        let begin = self.horizon.start;
        if let Some(read) = devices::stored_now(memory, battery, begin)? {
            return Ok(Some(read));
        }
        let before = steps.range(..begin).next_back().map(|(_, step)| step);
        Ok(before.and_then(|step| Some(step.batteries.get(&battery.name)?[2])))
    }

    /// A signal of the grid as it is known now: what was published, and of what is to come what is expected.
    fn signal(&self, memory: &dyn ReadingMemory, signals: &[KeptSignal], kind: Kind, grid: Grid) -> Result<Row, Unkept> {
        let Some(signal) = at_or_latest(signals, kind, self.zone.as_deref(), self.now) else { return Ok(vec![None; grid.count]) };
        let values = row(memory, signal, grid)?;
        let reading = |(step, value): (usize, Option<f64>)| {
            let mark = if grid.begin(step) < self.now { Mark::Measured } else { Mark::Forecast };
            value.map(|value| Reading { value, mark })
        };
        Ok(values.into_iter().enumerate().map(reading).collect())
    }
}

/// The devices, as the day has them.
fn described(settings: &SiteSettings) -> Site {
    let site = &settings.site;
    let source = |one: &lab3_energy::site::SourceSite| Source {
        name: one.name.clone(),
        kind: one.kind,
        cost: one.cost_per_kwh,
        carbon: one.carbon_g_per_kwh,
    };
    let generator = |one: &lab3_energy::site::GeneratorSite| Source {
        name: one.name.clone(),
        kind: SourceKind::Generator,
        cost: one.cost_per_kwh,
        carbon: one.carbon_g_per_kwh,
    };
    let battery = |one: &lab3_energy::site::BatterySite| Battery {
        name: one.name.clone(),
        capacity: one.capacity_kwh,
        initial: None,
        charge_efficiency: one.charge_efficiency,
        discharge_efficiency: one.discharge_efficiency,
        wear: one.wear_per_kwh,
        carbon_free: 0.0,
    };
    Site {
        sources: site.sources.iter().map(source).chain(site.generators.iter().map(generator)).collect(),
        batteries: site.batteries.iter().map(battery).collect(),
        loads: site.loads.iter().map(|load| load.name.clone()).collect(),
    }
}

#[allow(clippy::cast_precision_loss, reason = "watts far below 2^52")]
fn placed(number: usize, job: &Job, names: bool) -> PlacedJob {
    let name = if names { job.name.clone() } else { format!("job {}", number + 1).into() };
    let run = |run: &lab3_energy::Run| Run { start: run.start, end: run.end, power_kw: run.power_w as f64 / 1000.0 };
    let runs: Vec<Run> = job.runs.iter().map(run).collect();
    // What it would have taken to run at once is not kept with a booking: it is taken to have wanted this time.
    let earliest = runs.first().map_or_else(Time::default, |run| run.start);
    let (cost_saved, carbon_saved_g) = (Some(job.cost_saved.units() as f64 / 1e6), Some(job.carbon_saved_mg.units() as f64 / 1000.0));
    PlacedJob { name, owner: None, earliest, runs, measured: Row::new(), cost_saved, carbon_saved_g }
}
