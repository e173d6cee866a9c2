//! The day's 24/7 score, from what served each step and what charged the batteries.

use super::balance::Balance;
use super::flows;
use super::inputs::Inputs;
use crate::carbon::{MatchedHour, Matching};
use lab3_units::{Amount, Ratio};

/// What is carbon-free in what a step consumed.
pub(super) struct Scored {
    hour: Option<MatchedHour>,
    /// Whether the grid's share is known, or nothing came from there.
    grid_known: bool,
}

/// What is carbon-free in each battery, as the day goes on: what comes out carries its share of what went in.
pub(super) struct Scores<'a> {
    inputs: &'a Inputs,
    batteries: Vec<Mixed>,
}

/// What a battery holds, kWh, and how much of it is carbon-free.
struct Mixed {
    stored: f64,
    free: f64,
}

impl<'a> Scores<'a> {
    pub(super) fn at_begin(inputs: &'a Inputs) -> Self {
        let batteries = inputs.site.batteries.iter();
        let batteries = batteries.map(|battery| Mixed { stored: battery.initial.unwrap_or(0.0), free: battery.carbon_free });
        Self { inputs, batteries: batteries.collect() }
    }

    /// The next step that is known.
    pub(super) fn scored(&mut self, balance: &Balance, step: usize) -> Scored {
        let sources = self.inputs.site.sources.iter().zip(&balance.sources).filter(|(source, _)| source.kind.is_carbon_free());
        let stored = self.batteries.iter().zip(&balance.discharge).map(|(battery, energy)| battery.free * energy);
        let own: f64 = sources.map(|(_, energy)| energy).sum::<f64>() + stored.sum::<f64>();
        let share = self.inputs.grid.as_ref().and_then(|grid| flows::at(&grid.carbon_free, step));
        let supply = balance.supply();
        let from_grid = share.unwrap_or(0.0) * balance.import;
        self.charge(balance, if supply > 0.0 { (own + from_grid) / supply } else { 0.0 });
        let consumption = balance.consumption();
        let contracted = own * balance.served_share();
        let rest = supply - own;
        let hour = || {
            Some(MatchedHour {
                consumption_mwh: milliwatthours(consumption)?,
                contracted_mwh: milliwatthours(contracted)?,
                grid_share: ratio(if rest > 0.0 { from_grid / rest } else { 0.0 })?,
            })
        };
        Scored { hour: hour(), grid_known: share.is_some() || balance.import < 1e-9 }
    }

    fn charge(&mut self, balance: &Balance, free: f64) {
        let flows = balance.charge.iter().zip(&balance.discharge);
        for ((battery, mixed), (charge, discharge)) in self.inputs.site.batteries.iter().zip(&mut self.batteries).zip(flows) {
            let charge = battery.charge_efficiency * charge;
            let left = (mixed.stored - discharge / battery.discharge_efficiency).max(0.0);
            if left + charge > 0.0 {
                mixed.free = (mixed.free * left + free * charge) / (left + charge);
            }
            mixed.stored = left + charge;
        }
    }
}

impl Scored {
    /// The score of these steps, and the part of it that one's own sources earn.
    pub(super) fn over<'a>(steps: impl Iterator<Item = &'a Scored>) -> (Option<f64>, Option<f64>) {
        let (mut matching, mut grid_known) = (Matching::default(), true);
        for step in steps {
            grid_known &= step.grid_known;
            match step.hour.as_ref().and_then(|hour| matching.with(hour).ok()) {
                Some(with) => matching = with,
                None => return (None, None),
            }
        }
        (matching.hourly_score().filter(|_| grid_known), matching.contract_score())
    }
}

/// Whole mWh, by way of digits: no cast can lose one unseen.
fn milliwatthours(kwh: f64) -> Option<Amount> {
    Amount::parse(&format!("{:.6}", kwh.max(0.0)), 6).ok()
}

fn ratio(value: f64) -> Option<Ratio> {
    Ratio::parse(&format!("{:.6}", value.clamp(0.0, 1.0))).ok()
}
