//! What the desk knows of the time to come, for requests that do not say: the grid's carbon and price by signals, and where its own site would sell, what that leaves.

use std::sync::Arc;

use lab3_energy::dispatch::STEPS_MAX;
use lab3_energy::signals::Kind;
use lab3_units::{Code, Problem, Time};

use crate::App;
use crate::readings::outlook::{at_or_latest, row};
use crate::readings::steps::Grid;
use crate::readings::{KeptSignal, ReadingMemory, Unkept};
use crate::site::Standing;

/// Less than that is not sold, kWh.
const NOTHING: f64 = 1e-6;

/// What is known of each step.
pub(super) struct Known {
    /// What a kWh emits, g.
    pub(super) carbon: Vec<f64>,
    /// What it costs, MIC; empty where nobody says so.
    pub(super) price: Vec<f64>,
}

/// What is known of the steps from one moment to another, as far as carbon is.
///
/// Errors: `SIGNAL_UNKNOWN` where no signal reaches the first step; those of readings.
pub(super) async fn known(app: &App, from: Time, until: Time, step_s: u32) -> Result<Known, Problem> {
    let whole = Grid::over(from, until, step_s, from);
    let grid = Grid { count: whole.count.min(STEPS_MAX), ..whole };
    let zone = app.settings().carbon.zone.clone();
    let (mut carbon, price) = app.readings().ask(move |memory| Ok(rows(memory, zone.as_deref(), grid)?)).await?;
    if carbon.is_empty() {
        let detail = format!(
            "No signal of carbon_average says anything from {from} on. Give carbon_g_per_kwh, or the desk a signal (POST /lab3/energy/signals)."
        );
        return Err(Problem::new(Code::SIGNAL_UNKNOWN, detail).in_field("carbon_g_per_kwh"));
    }
    let mut price: Vec<f64> = if price.len() < carbon.len() { Vec::new() } else { price.into_iter().take(carbon.len()).collect() };
    if let Some(desk) = app.site()
        && let Ok(standing) = desk.standing(app).await
    {
        own_surplus(&standing, grid, &mut carbon, &mut price);
    }
    Ok(Known { carbon, price })
}

/// Rows up to the first step of which nothing is known.
fn rows(memory: &dyn ReadingMemory, zone: Option<&str>, grid: Grid) -> Result<(Vec<f64>, Vec<f64>), Unkept> {
    let signals: Vec<KeptSignal> = memory.signals()?;
    let of = |kind| -> Result<Vec<f64>, Unkept> {
        let Some(signal) = at_or_latest(&signals, kind, zone, grid.start) else { return Ok(Vec::new()) };
        Ok(row(memory, signal, grid)?.into_iter().map_while(|value| value).collect())
    };
    let (carbon, price) = (of(Kind::CarbonAverage)?, of(Kind::PriceImport)?);
    // A forecast may go below zero where the past has.
    Ok((carbon.into_iter().map(|grams| grams.max(0.0)).collect(), price))
}

/// Where the site would sell, a kWh more takes what is left of its own: it emits nothing of the grid's, and costs what selling would bring.
fn own_surplus(standing: &Arc<Standing>, grid: Grid, carbon: &mut [f64], price: &mut [f64]) {
    let decision = &standing.decision;
    let steps = Grid { start: decision.ahead.now.at, step_s: standing.step_s(), count: decision.ahead.steps };
    for (step, carbon) in carbon.iter_mut().enumerate() {
        // All of the step has to be sold in.
        let (begin, end) = (grid.begin(step), grid.begin(step + 1));
        if begin < steps.start || end > steps.end() {
            continue;
        }
        let touched = (0..steps.count).filter(|own| steps.begin(*own) < end && begin < steps.begin(own + 1));
        let sold = |own: usize| decision.planned.plan.export.get(own).is_some_and(|kwh| *kwh > NOTHING);
        let earned: Option<Vec<f64>> =
            touched.map(|own| sold(own).then(|| decision.ahead.export_price.get(own).copied()).flatten()).collect();
        if let Some(earned) = earned.filter(|earned| !earned.is_empty()) {
            *carbon = 0.0;
            if let Some(price) = price.get_mut(step) {
                *price = earned.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            }
        }
    }
}
