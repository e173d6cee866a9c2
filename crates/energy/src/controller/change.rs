//! What is not as the plan before believed.

use std::fmt;

use crate::dispatch::Plan;
use crate::site::{Ahead, Outlook};

/// Less than that part of a row's largest value is no change.
const SLIGHT: f64 = 0.01;

/// A row of what is ahead. Numbers are positions in the site's lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// What a source gives, kWh a step.
    Source(usize),
    /// What a load takes, kWh a step.
    Load(usize),
    /// What a kWh bought costs, MIC.
    ImportPrice,
    /// What a kWh sold brings, MIC.
    ExportPrice,
    /// What a kWh bought emits, g.
    Carbon,
}

/// Why a plan differs from the one before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Change {
    /// There is none before that reaches this step.
    First,
    /// The grid is lost.
    GridLost,
    /// The grid is back.
    GridReturned,
    /// In so many steps to come the grid was believed otherwise.
    Outage {
        /// How many.
        steps: usize,
    },
    /// A row is not what was believed: is, less was.
    Off {
        /// Which.
        signal: Signal,
        /// In this step.
        now: f64,
        /// In those to come, on the mean.
        later: f64,
    },
    /// A battery does not hold what was planned: is, less was, kWh.
    Stored {
        /// Which.
        battery: usize,
        /// By how much.
        by: f64,
    },
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Change::First => f.write_str("there is no plan before that reaches this step"),
            Change::GridLost => f.write_str("the grid is lost"),
            Change::GridReturned => f.write_str("the grid is back"),
            Change::Outage { steps } => write!(f, "in {steps} steps to come the grid was believed otherwise"),
            Change::Off { signal, now, later } => write!(f, "{signal} is off by {now:+.3} now and by {later:+.3} later, on the mean"),
            Change::Stored { battery, by } => write!(f, "batteries[{battery}] holds {by:+.3} kWh against what was planned"),
        }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Signal::Source(number) => write!(f, "sources[{number}]"),
            Signal::Load(number) => write!(f, "loads[{number}]"),
            Signal::ImportPrice => f.write_str("import_price"),
            Signal::ExportPrice => f.write_str("export_price"),
            Signal::Carbon => f.write_str("carbon_g_per_kwh"),
        }
    }
}

/// What changed since a plan that was made `steps` steps ago.
pub(super) fn changes(before: &Ahead, plan: &Plan, now: &Ahead, steps: usize) -> Vec<Change> {
    let mut changes = Vec::new();
    match (before.now.is_down, now.now.is_down) {
        (false, true) => changes.push(Change::GridLost),
        (true, false) => changes.push(Change::GridReturned),
        _ => {}
    }
    let (up_before, up_now) = (before.up(), now.up());
    let otherwise = up_before.iter().skip(steps).zip(&up_now).skip(1).filter(|(before, now)| (**before > 0.0) != (**now > 0.0)).count();
    if otherwise > 0 {
        changes.push(Change::Outage { steps: otherwise });
    }
    let rows = |signal: fn(usize) -> Signal, before: &[Outlook], now: &[Outlook]| {
        let pairs = before.iter().zip(now).enumerate();
        pairs.filter_map(|(number, (before, now))| off(signal(number), &before.expected, &now.expected, steps)).collect::<Vec<_>>()
    };
    changes.extend(rows(Signal::Source, &before.sources, &now.sources));
    changes.extend(rows(Signal::Load, &before.loads, &now.loads));
    changes.extend(off(Signal::ImportPrice, &before.import_price, &now.import_price, steps));
    changes.extend(off(Signal::ExportPrice, &before.export_price, &now.export_price, steps));
    changes.extend(off(Signal::Carbon, &before.carbon, &now.carbon, steps));
    if let Some(last) = steps.checked_sub(1) {
        for (battery, (part, is)) in plan.batteries.iter().zip(&now.now.stored_kwh).enumerate() {
            let most = part.stored.iter().copied().fold(0.0, f64::max);
            let by = is - part.stored.get(last).copied().unwrap_or(*is);
            if by.abs() > SLIGHT * most {
                changes.push(Change::Stored { battery, by });
            }
        }
    }
    changes
}

/// By how much a row is off, if it is.
fn off(signal: Signal, before: &[f64], now: &[f64], steps: usize) -> Option<Change> {
    let most = before.iter().chain(now).fold(0.0_f64, |most, value| most.max(value.abs()));
    let mut differences = now.iter().zip(before.iter().skip(steps)).map(|(now, before)| now - before);
    let first = differences.next()?;
    let (mut sum, mut largest, mut count) = (0.0, first.abs(), 0.0);
    for difference in differences {
        sum += difference;
        largest = largest.max(difference.abs());
        count += 1.0;
    }
    (largest > SLIGHT * most).then_some(Change::Off { signal, now: first, later: if count > 0.0 { sum / count } else { 0.0 } })
}
