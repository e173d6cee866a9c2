//! A step of a site's plan as it is kept: by the names of things, so that a plan is told rightly also after the site has changed.

use std::collections::BTreeMap;

use lab3_units::Time;
use serde::{Deserialize, Serialize};

use super::flows::{BatteryFlows, Flows, Reading, Row};
use super::inputs::Site;
use crate::site::Planned;
use crate::{Horizon, Mark};

/// What was planned for one step, kWh, and what it was planned with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PlannedStep {
    /// How long the step is, in seconds; never 0.
    pub step_s: u32,
    /// To buy.
    pub import: f64,
    /// To sell.
    pub export: f64,
    /// How much of the grid was to be there, 0 to 1; none for a site without one.
    pub up: Option<f64>,
    /// What a kWh bought was to cost, MIC.
    pub import_price: f64,
    /// What a kWh sold was to bring, MIC.
    pub export_price: f64,
    /// What a kWh bought was to emit, g.
    pub carbon: f64,
    /// What to use of each source, and to have of each generator.
    pub given: BTreeMap<Box<str>, f64>,
    /// What goes into each battery, what comes out, and what is stored at the step's end.
    pub batteries: BTreeMap<Box<str>, [f64; 3]>,
    /// What each load was to get.
    pub loads: BTreeMap<Box<str>, f64>,
    /// What loads go without, together.
    pub unserved: f64,
}

/// The signals a plan was made with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Foreseen {
    /// What a kWh bought costs, MIC.
    pub import_price: Row,
    /// What a kWh sold brings, MIC.
    pub export_price: Row,
    /// What a kWh bought emits, g.
    pub carbon: Row,
}

impl PlannedStep {
    /// A step of a plan; none past its end.
    pub fn of(planned: &Planned, step: usize) -> Option<Self> {
        let (site, plan) = (&planned.dispatch, &planned.plan);
        let hours = *site.hours.get(step)?;
        let at = |row: &[f64]| row.get(step).copied().unwrap_or(0.0);
        let of_grid = |row: fn(&crate::dispatch::Grid) -> &Vec<f64>| site.grid.as_ref().map_or(0.0, |grid| at(row(grid)));
        let sources = site.sources.iter().zip(&plan.used).map(|(source, used)| (source.name.clone(), at(used)));
        let generators = site.generators.iter().zip(&plan.generators).map(|(one, part)| (one.name.clone(), at(&part.energy)));
        let battery = |(battery, part): (&crate::dispatch::Battery, &crate::dispatch::BatteryPlan)| {
            (battery.name.clone(), [at(&part.charge), at(&part.discharge), at(&part.stored)])
        };
        let load = |(load, unserved): (&crate::dispatch::Load, &Vec<f64>)| (load.name.clone(), at(&load.energy) - at(unserved));
        Some(Self {
            step_s: seconds(hours),
            import: at(&plan.import),
            export: at(&plan.export),
            up: site.grid.as_ref().map(|grid| if at(&grid.up) > 0.0 { 1.0 } else { 0.0 }),
            import_price: of_grid(|grid| &grid.import_price),
            export_price: of_grid(|grid| &grid.export_price),
            carbon: of_grid(|grid| &grid.carbon),
            given: sources.chain(generators).collect(),
            batteries: site.batteries.iter().zip(&plan.batteries).map(battery).collect(),
            loads: site.loads.iter().zip(&plan.unserved).map(load).collect(),
            unserved: plan.unserved.iter().map(|row| at(row)).sum(),
        })
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a step is at most a day")]
fn seconds(hours: f64) -> u32 {
    ((hours * 3600.0).round() as u32).max(1)
}

/// Steps by when they begin, laid over the steps of a day: a longer step's energy is spread evenly, and what is stored goes evenly from its begin to its end.
pub fn laid(steps: &BTreeMap<Time, PlannedStep>, site: &Site, horizon: Horizon) -> (Flows, Foreseen) {
    let found: Vec<Option<Laid<'_>>> = (0..horizon.count).map(|slot| Laid::at(steps, horizon, slot)).collect();
    let row = |value: &dyn Fn(&Laid<'_>) -> Option<f64>| -> Row {
        let reading = |laid: &Laid<'_>| value(laid).map(|value| Reading { value, mark: Mark::Forecast });
        found.iter().map(|laid| laid.as_ref().and_then(reading)).collect()
    };
    let battery = |name: &str| BatteryFlows {
        charge: row(&|laid| Some(laid.step.batteries.get(name)?[0] * laid.share)),
        discharge: row(&|laid| Some(laid.step.batteries.get(name)?[1] * laid.share)),
        stored: row(&|laid| laid.stored(name)),
    };
    let flows = Flows {
        import: row(&|laid| Some(laid.step.import * laid.share)),
        export: row(&|laid| Some(laid.step.export * laid.share)),
        grid_up: row(&|laid| laid.step.up),
        sources: site.sources.iter().map(|source| row(&|laid| Some(laid.step.given.get(&source.name)? * laid.share))).collect(),
        batteries: site.batteries.iter().map(|one| battery(&one.name)).collect(),
        loads: site.loads.iter().map(|name| row(&|laid| Some(laid.step.loads.get(name)? * laid.share))).collect(),
        unserved: row(&|laid| Some(laid.step.unserved * laid.share)),
    };
    let foreseen = Foreseen {
        import_price: row(&|laid| Some(laid.step.import_price)),
        export_price: row(&|laid| Some(laid.step.export_price)),
        carbon: row(&|laid| Some(laid.step.carbon)),
    };
    (flows, foreseen)
}

/// A planned step, as a slot of a day is in it.
struct Laid<'a> {
    step: &'a PlannedStep,
    /// The step before, where it ends when this one begins.
    before: Option<&'a PlannedStep>,
    /// The slot's part of the step.
    share: f64,
    /// How much of the step is over at the slot's end, 0 to 1.
    over: f64,
}

impl<'a> Laid<'a> {
    fn at(steps: &'a BTreeMap<Time, PlannedStep>, horizon: Horizon, slot: usize) -> Option<Self> {
        let (begin, end) = (horizon.begin_of(slot), horizon.begin_of(slot + 1));
        let (start, step) = steps.range(..=begin).next_back()?;
        let (length_ms, over_ms) = (u64::from(step.step_s.max(1)) * 1000, end.millis_since(*start));
        if over_ms > length_ms {
            return None;
        }
        let before = steps.range(..*start).next_back().map(|(_, before)| before);
        let part = |millis: u64| fraction(millis, length_ms);
        Some(Self { step, before, share: part(end.millis_since(begin)), over: part(over_ms) })
    }

    fn stored(&self, name: &str) -> Option<f64> {
        let last = self.step.batteries.get(name)?[2];
        let first = self.before.and_then(|before| Some(before.batteries.get(name)?[2]));
        match first {
            Some(first) => Some(first + (last - first) * self.over),
            None => (self.over >= 1.0).then_some(last),
        }
    }
}

#[allow(clippy::cast_precision_loss, reason = "milliseconds of a step")]
fn fraction(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::day::{Battery, Source};

    fn step(hour_kwh: f64, stored: f64) -> PlannedStep {
        PlannedStep {
            step_s: 3600,
            import: hour_kwh,
            import_price: 0.3,
            given: BTreeMap::from([("roof".into(), 2.0)]),
            batteries: BTreeMap::from([("cellar".into(), [1.0, 0.0, stored])]),
            ..PlannedStep::default()
        }
    }

    fn values(row: &Row) -> Vec<Option<f64>> {
        row.iter().map(|reading| reading.map(|reading| reading.value)).collect()
    }

    #[test]
    fn an_hour_is_spread_over_its_quarters() {
        let at = |minute: i64| Time::from_millis(minute * 60_000);
        let steps = BTreeMap::from([(at(0), step(4.0, 10.0)), (at(60), step(8.0, 14.0)), (at(180), step(1.0, 3.0))]);
        let roof = Source { name: "roof".into(), kind: super::super::SourceKind::Sun, cost: 0.0, carbon: 0.0 };
        let cellar = Battery {
            name: "cellar".into(),
            capacity: 20.0,
            initial: None,
            charge_efficiency: 1.0,
            discharge_efficiency: 1.0,
            wear: 0.0,
            carbon_free: 0.0,
        };
        let site = Site { sources: vec![roof], batteries: vec![cellar], loads: Vec::new() };
        let horizon = Horizon { start: at(30), step_s: 900, count: 8 };
        let (flows, foreseen) = laid(&steps, &site, horizon);
        let [hour, next] = [Some(1.0), Some(2.0)];
        assert_eq!(values(&flows.import), [hour, hour, next, next, next, next, None, None], "nothing is planned from two to three");
        assert_eq!(values(&flows.sources[0])[..3], [Some(0.5); 3]);
        let stored = [None, Some(10.0), Some(11.0), Some(12.0), Some(13.0), Some(14.0), None, None];
        assert_eq!(values(&flows.batteries[0].stored), stored, "known at its end, and where it began");
        assert_eq!(values(&foreseen.import_price)[..2], [Some(0.3); 2]);
        assert_eq!(values(&flows.grid_up), [None; 8], "a site without a grid");
    }
}
