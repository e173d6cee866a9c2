//! A step's flows where all are known: what came, what went, and so what was consumed.

use super::flows::{self, Flows, Reading};
use super::inputs::Inputs;
use crate::Mark;

/// A step whose flows are all known, kWh.
#[derive(Clone, Debug, PartialEq)]
pub struct Balance {
    /// The least certain of what it is made of.
    pub mark: Mark,
    /// Bought.
    pub import: f64,
    /// Sold.
    pub export: f64,
    /// What each source gave.
    pub sources: Vec<f64>,
    /// What went into each battery.
    pub charge: Vec<f64>,
    /// What came out of each battery.
    pub discharge: Vec<f64>,
}

impl Balance {
    /// The step's balance; the devices without a value where some have none.
    pub(super) fn of(flows: &Flows, inputs: &Inputs, step: usize) -> Result<Self, Vec<Box<str>>> {
        let mut look = Look { step, mark: Mark::Measured, missing: Vec::new() };
        let (mut import, mut export) = (0.0, 0.0);
        if inputs.grid.is_some() {
            import = look.value(Some(&flows.import), "grid");
            export = look.value(Some(&flows.export), "grid");
        }
        let sources = inputs.site.sources.iter().enumerate();
        let sources = sources.map(|(number, source)| look.value(flows.sources.get(number), &source.name)).collect();
        let mut batteries = |row: fn(&flows::BatteryFlows) -> &flows::Row| -> Vec<f64> {
            let all = inputs.site.batteries.iter().enumerate();
            all.map(|(number, battery)| look.value(flows.batteries.get(number).map(row), &battery.name)).collect()
        };
        let (charge, discharge) = (batteries(|flows| &flows.charge), batteries(|flows| &flows.discharge));
        let balance = Self { mark: look.mark, import, export, sources, charge, discharge };
        if look.missing.is_empty() { Ok(balance) } else { Err(look.missing) }
    }

    /// All that came.
    pub fn supply(&self) -> f64 {
        self.import + self.sources.iter().sum::<f64>() + self.discharge.iter().sum::<f64>()
    }

    /// What all that consumes took: what came and was neither stored nor sold. Meters that contradict each other make it nothing, never less.
    pub fn consumption(&self) -> f64 {
        (self.supply() - self.charge.iter().sum::<f64>() - self.export).max(0.0)
    }

    /// What of all that came served loads.
    pub(super) fn served_share(&self) -> f64 {
        let supply = self.supply();
        if supply > 0.0 { (self.consumption() / supply).min(1.0) } else { 0.0 }
    }

    /// Bought less sold.
    pub fn exchange(&self) -> f64 {
        self.import - self.export
    }
}

/// Reads values of a step, and notes what is missing.
struct Look {
    step: usize,
    mark: Mark,
    missing: Vec<Box<str>>,
}

impl Look {
    fn value(&mut self, row: Option<&flows::Row>, device: &str) -> f64 {
        let Some(Reading { value, mark }) = row.and_then(|row| flows::reading(row, self.step)) else {
            if !self.missing.iter().any(|name| **name == *device) {
                self.missing.push(device.into());
            }
            return 0.0;
        };
        self.mark = self.mark.max(mark);
        value
    }
}
