//! What flows at a site in each step, as planned or as measured.

use crate::Mark;
use crate::dispatch::{Dispatch, Plan};

/// A value, and where it is from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// The value.
    pub value: f64,
    /// Where it is from.
    pub mark: Mark,
}

/// A value for each step; none where it is not known. A row that is too short is not known past its end.
pub type Row = Vec<Option<Reading>>;

/// A row of values that are all of one kind.
pub fn row(values: &[f64], mark: Mark) -> Row {
    values.iter().map(|value| Some(Reading { value: *value, mark })).collect()
}

/// A step's value.
pub(super) fn at(row: &[Option<Reading>], step: usize) -> Option<f64> {
    reading(row, step).map(|reading| reading.value)
}

/// A step's value with its mark.
pub(super) fn reading(row: &[Option<Reading>], step: usize) -> Option<Reading> {
    row.get(step).copied().flatten().filter(|reading| reading.value.is_finite())
}

/// All flows of a day, kWh a step. Sources, batteries and loads stand in the order of the [`Site`](super::Site).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Flows {
    /// Bought.
    pub import: Row,
    /// Sold.
    pub export: Row,
    /// How much of the grid was there: 1, or 0 in an outage.
    pub grid_up: Row,
    /// What each source gave, what was sold or stored of it included.
    pub sources: Vec<Row>,
    /// Each battery.
    pub batteries: Vec<BatteryFlows>,
    /// What each load took; loads whose time is free among them, jobs not.
    pub loads: Vec<Row>,
    /// What loads went without, together.
    pub unserved: Row,
}

/// A battery's flows, measured at its terminals.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatteryFlows {
    /// What went in.
    pub charge: Row,
    /// What came out.
    pub discharge: Row,
    /// What is stored at the end of each step.
    pub stored: Row,
}

impl Flows {
    /// A plan's flows in a day of `count` steps, the first of which is the plan's step `skip`. Sources are the site's, then its generators; loads are the site's, then the flexible ones.
    pub fn planned(site: &Dispatch, plan: &Plan, skip: usize, count: usize) -> Self {
        let part = |values: &[f64]| row(values.get(skip..).unwrap_or_default(), Mark::Forecast).into_iter().take(count).collect::<Row>();
        let generators = plan.generators.iter().map(|generator| part(&generator.energy));
        let served = site.loads.iter().zip(&plan.unserved).map(|(load, unserved)| {
            let energy: Vec<f64> = load.energy.iter().zip(unserved).map(|(energy, unserved)| energy - unserved).collect();
            part(&energy)
        });
        let flexible = site.flexible.iter().zip(&plan.flexible).map(|(load, steps)| {
            let energy = |(step, hours): (usize, &f64)| if steps.contains(&step) { load.power * hours } else { 0.0 };
            part(&site.hours.iter().enumerate().map(energy).collect::<Vec<_>>())
        });
        let sum = |step: usize| plan.unserved.iter().filter_map(|row| row.get(step)).sum::<f64>();
        Self {
            import: part(&plan.import),
            export: part(&plan.export),
            grid_up: site.grid.as_ref().map_or_else(Row::new, |grid| part(&grid.up)),
            sources: plan.used.iter().map(|used| part(used)).chain(generators).collect(),
            batteries: plan
                .batteries
                .iter()
                .map(|battery| BatteryFlows {
                    charge: part(&battery.charge),
                    discharge: part(&battery.discharge),
                    stored: part(&battery.stored),
                })
                .collect(),
            loads: served.chain(flexible).collect(),
            unserved: part(&(0..site.len()).map(sum).collect::<Vec<_>>()),
        }
    }
}
