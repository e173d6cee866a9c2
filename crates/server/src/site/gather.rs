//! What is ahead of the site: what it holds now, what its devices are expected to take and give, what power will cost and emit, what is booked and promised.

use std::sync::Arc;

use lab3_energy::Run;
use lab3_energy::controller::Worse;
use lab3_energy::day::SourceKind;
use lab3_energy::signals::Kind;
use lab3_energy::site::{Ahead, LoadSite, Now, Outlook, Site, Tier};
use lab3_units::Time;

use super::devices::{self, GRID, Way};
use super::outlook::{Expected, Watches, laid_over, published};
use super::promise::promises_of;
use super::{SiteSettings, Standing};
use crate::readings::outlook::{at_or_latest, row};
use crate::readings::steps::Grid;
use crate::readings::{KeptSignal, ReadingMemory, Unkept};

/// The load that booked jobs are.
pub(crate) const JOBS: &str = "booked jobs";

/// How far back is looked how often the grid was down.
const OUTAGE_DAYS: i64 = 28;

/// A device that has not been read for so long is told of, in hours.
const SILENT_H: f64 = 6.0;
const SILENT_MS: i64 = 6 * 3_600_000;

/// What a plan is asked for.
pub(super) struct Asked {
    pub(super) settings: Arc<SiteSettings>,
    pub(super) zone: Option<Box<str>>,
    /// What a kWh of the grid emits where no signal says so.
    pub(super) carbon_g_per_kwh: f64,
    pub(super) now: Time,
    pub(super) is_down: bool,
    /// When booked jobs run.
    pub(super) runs: Vec<Run>,
    /// The plan before: what batteries hold where nobody reads it.
    pub(super) believed: Option<Arc<Standing>>,
}

/// What was found.
pub(super) struct Gathered {
    pub(super) site: Site,
    pub(super) ahead: Ahead,
    /// What had to be done without, in sentences.
    pub(super) unknown: Vec<String>,
    /// The first tier of which nobody knows what it takes.
    pub(super) unread: Option<Tier>,
    pub(super) watches: Watches,
}

impl SiteSettings {
    /// How long a step is, in seconds.
    pub(crate) fn step_s(&self) -> u32 {
        self.site.step_s()
    }

    /// The steps of a plan that is made at a moment.
    pub(crate) fn steps(&self, now: Time) -> Grid {
        let step_s = self.step_s();
        let origin = Time::from_millis(0);
        let count = usize::try_from(u64::from(self.plan_hours) * 3600 / u64::from(step_s)).unwrap_or(1).max(1);
        Grid { start: Grid::over(now, now, step_s, origin).start, step_s, count }
    }
}

impl Asked {
    /// Gathers it.
    pub(super) fn gather(&self, memory: &dyn ReadingMemory, mut watches: Watches) -> Result<Gathered, Unkept> {
        let mut site = self.settings.site.clone();
        let grid = self.settings.steps(self.now);
        let mut told = Vec::new();
        let signals = memory.signals()?;
        let (mut sources, mut loads, mut unread) = (Vec::new(), Vec::new(), None);
        for source in &site.sources {
            let kinds: &[Kind] = match source.kind {
                SourceKind::Sun => &[Kind::Pv],
                SourceKind::Wind => &[Kind::Wind],
                SourceKind::Water | SourceKind::Generator => &[Kind::Generation],
            };
            let of_device = Device { name: &source.name, kinds, worse: Worse::Less };
            sources.push(of_device.outlook(memory, &signals, &mut watches, grid, &mut told)?.0);
        }
        for load in &site.loads {
            let of_device = Device { name: &load.name, kinds: &[Kind::Load], worse: Worse::More };
            let (outlook, is_known) = of_device.outlook(memory, &signals, &mut watches, grid, &mut told)?;
            loads.push(outlook);
            unread = [unread, (!is_known).then_some(load.tier)].into_iter().flatten().min();
        }
        let jobs = booked(&self.runs, grid);
        if jobs.iter().any(|energy| *energy > 0.0) {
            site.loads.push(LoadSite { name: JOBS.into(), tier: Tier::Compute, worth_per_kwh: None });
            loads.push(Outlook::known(jobs));
        }
        let mut ahead = Ahead { now: self.now(memory, grid, &mut told)?, steps: grid.count, sources, loads, ..Ahead::default() };
        if let Some(connection) = &site.grid {
            let mut price = |kind, otherwise| self.signal(memory, &signals, kind, grid, otherwise, &mut told);
            ahead.import_price = price(Kind::PriceImport, Some(connection.import_price_per_kwh).filter(|price| *price != 0.0))?;
            ahead.export_price = price(Kind::PriceExport, Some(connection.export_price_per_kwh))?;
            ahead.carbon = price(Kind::CarbonAverage, Some(self.carbon_g_per_kwh))?;
            ahead.outages = watches.outages(self.now, || outages(memory, self.now))?;
            for promise in promises_of(memory, self.now)? {
                told.extend(promise.keep(&site, grid, &mut ahead));
            }
        }
        Ok(Gathered { site, ahead, unknown: told, unread, watches })
    }

    fn now(&self, memory: &dyn ReadingMemory, grid: Grid, told: &mut Vec<String>) -> Result<Now, Unkept> {
        let site = &self.settings.site;
        let mut stored_kwh = Vec::new();
        for (number, battery) in site.batteries.iter().enumerate() {
            let stored = if let Some(stored) = devices::stored_now(memory, battery, self.now)? {
                stored
            } else {
                let believed = self.believed.as_ref().and_then(|standing| standing.stored_at(number, grid.start));
                let what = believed.map_or_else(|| "the least it shall hold".to_owned(), |kwh| format!("{kwh:.1} kWh, as was planned"));
                told.push(format!("What {} holds was not read for an hour (stored_kwh or stored_share): taken as {what}.", battery.name));
                believed.unwrap_or(battery.least_kwh)
            };
            stored_kwh.push(stored.clamp(0.0, battery.capacity_kwh));
        }
        let has_peak = site.grid.as_ref().is_some_and(|grid| grid.peak_price_per_kw.is_some());
        let peak_so_far_kw = if has_peak { self.peak(memory, grid, told)? } else { 0.0 };
        told.extend(self.outage_untold(memory)?);
        let down_since = if self.is_down { devices::down_since(memory, self.now)? } else { None };
        Ok(Now { at: grid.start, stored_kwh, peak_so_far_kw, is_down: self.is_down, down_since })
    }

    /// An outage nobody has told of for long: a meter may have died with the grid, and a site that is taken to be alone goes on living as if it were.
    fn outage_untold(&self, memory: &dyn ReadingMemory) -> Result<Option<String>, Unkept> {
        let read = if self.is_down { devices::grid_read(memory, self.now)? } else { None };
        let long = |at: &Time| self.now.millis().saturating_sub(at.millis()) >= SILENT_MS;
        Ok(read.filter(long).map(|at| format!("The grid was down when it was read last (grid_up), at {at}: taken to be down still.")))
    }

    /// The highest power bought this month, kW: means over the steps of a plan.
    fn peak(&self, memory: &dyn ReadingMemory, grid: Grid, told: &mut Vec<String>) -> Result<f64, Unkept> {
        let date = self.settings.clocks.date(self.now);
        let month = date.get(..8).and_then(|month| self.settings.clocks.horizon(&format!("{month}01")).ok());
        let Some(month) = month.filter(|month| month.start < grid.start) else { return Ok(0.0) };
        let steps = Grid::over(month.start, grid.start, grid.step_s, grid.start);
        let bought = devices::energy(memory, GRID, Way::Bought, steps)?;
        let highest = bought.into_iter().flatten().reduce(f64::max);
        if highest.is_none() {
            told.push(
                "What was bought this month was not read (import_kwh or power_kw of grid): its highest power is taken as 0.".to_owned(),
            );
        }
        Ok(highest.unwrap_or(0.0) / (f64::from(grid.step_s) / 3600.0))
    }

    /// A row of a signal of the grid.
    fn signal(
        &self,
        memory: &dyn ReadingMemory,
        signals: &[KeptSignal],
        kind: Kind,
        grid: Grid,
        otherwise: Option<f64>,
        told: &mut Vec<String>,
    ) -> Result<Vec<f64>, Unkept> {
        let found = match at_or_latest(signals, kind, self.zone.as_deref(), self.now) {
            Some(signal) => row(memory, signal, grid)?,
            None => vec![None; grid.count],
        };
        if self.zone.is_none() && several_zones(signals, kind) {
            told.push(format!("There are signals of {} for several zones: energy.zone says which is the site's.", kind.name()));
        }
        let missing = found.iter().filter(|value| value.is_none()).count();
        if missing > 0 && otherwise.is_none() {
            told.push(format!("No signal says {} in {missing} steps, and the site states none: taken as 0.", kind.name()));
        }
        Ok(found.into_iter().map(|value| value.or(otherwise).unwrap_or(0.0)).collect())
    }
}

impl Standing {
    /// What a battery was to hold when a step begins, kWh.
    fn stored_at(&self, battery: usize, at: Time) -> Option<f64> {
        let begin = self.decision.ahead.now.at;
        let steps = (at >= begin).then(|| at.millis_since(begin) / (u64::from(self.step_s()) * 1000))?;
        match usize::try_from(steps).ok()?.checked_sub(1) {
            None => self.decision.ahead.now.stored_kwh.get(battery).copied(),
            Some(last) => self.decision.planned.plan.batteries.get(battery)?.stored.get(last).copied(),
        }
    }
}

/// A load or a source.
struct Device<'a> {
    name: &'a str,
    /// Kinds of signals that can be about it.
    kinds: &'a [Kind],
    worse: Worse,
}

impl Device<'_> {
    /// What is expected of it, and whether that is known of every step.
    fn outlook(
        &self,
        memory: &dyn ReadingMemory,
        signals: &[KeptSignal],
        watches: &mut Watches,
        grid: Grid,
        told: &mut Vec<String>,
    ) -> Result<(Outlook, bool), Unkept> {
        let signal = published(signals, self.kinds, self.name);
        let expected = watches.expected(memory, self.name, self.worse, grid)?;
        if let Some(Expected { silent_h, .. }) = expected
            && silent_h >= SILENT_H
            && signal.is_none()
        {
            told.push(format!("{} was not read for {silent_h:.0} h: expected to be as before.", self.name));
        }
        let was_read = expected.is_some();
        let mut is_known = was_read;
        let mut outlook = match (expected, signal) {
            (Some(expected), _) => expected.outlook,
            (None, found) => {
                if found.is_none() {
                    told.push(format!("{} was never read, and no signal is about it: taken as 0.", self.name));
                }
                Outlook::known(vec![0.0; grid.count])
            }
        };
        if let Some(signal) = signal {
            let hours = f64::from(grid.step_s) / 3600.0;
            let energies: Vec<Option<f64>> = row(memory, signal, grid)?.into_iter().map(|power| power.map(|kw| kw * hours)).collect();
            let missing = energies.iter().filter(|energy| energy.is_none()).count();
            is_known |= missing == 0;
            if !is_known {
                told.push(format!("{} was never read, and the signal about it lacks {missing} steps: taken as 0 there.", self.name));
            }
            laid_over(&mut outlook, &energies, self.worse);
        }
        Ok((outlook, is_known))
    }
}

/// Whether it is not clear which signal of a kind holds for the site.
fn several_zones(signals: &[KeptSignal], kind: Kind) -> bool {
    let mut zones = signals.iter().filter(|signal| signal.kind == kind).map(|signal| &signal.zone);
    zones.next().is_some_and(|first| zones.any(|zone| zone != first))
}

/// What booked jobs take in each step, kWh.
#[allow(clippy::cast_precision_loss, reason = "watts and milliseconds far below 2^52")]
fn booked(runs: &[Run], grid: Grid) -> Vec<f64> {
    let taken = |step: usize| {
        let (begin, end) = (grid.begin(step), grid.begin(step + 1));
        let of_run =
            |run: &Run| run.power_w as f64 / 1000.0 * (run.end.min(end).millis() - run.start.max(begin).millis()).max(0) as f64 / 3.6e6;
        runs.iter().map(of_run).sum()
    };
    (0..grid.count).map(taken).collect()
}

/// The share of time in which the grid was down lately.
#[allow(clippy::cast_precision_loss, reason = "some thousand hours")]
fn outages(memory: &dyn ReadingMemory, now: Time) -> Result<f64, Unkept> {
    let from = Time::from_millis(now.millis().saturating_sub(OUTAGE_DAYS * 86_400_000));
    let read: Vec<f64> = devices::grid_up(memory, Grid::over(from, now, 3600, from))?.into_iter().flatten().collect();
    let down = read.iter().filter(|up| **up < 0.5).count();
    Ok(if read.is_empty() { 0.0 } else { down as f64 / read.len() as f64 })
}
