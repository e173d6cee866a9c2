//! All that a day is made of.

use super::flows::{self, Flows, Reading, Row};
use crate::Horizon;
use crate::jobs::Run;
use lab3_units::Time;
use serde::{Deserialize, Serialize};

/// From what power on a difference between measured and planned is told, when nobody says otherwise, kW.
pub const THRESHOLD_KW: f64 = 0.5;

/// All that is known of a day.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// The day's steps: [`Calendar::horizon`](super::Calendar::horizon).
    pub horizon: Horizon,
    /// The present: what is measured of steps that end later does not count yet.
    pub now: Time,
    /// The devices.
    pub site: Site,
    /// What is known of the grid; none for a site without one.
    pub grid: Option<Grid>,
    /// The plan that was made: for each step the one that was in force.
    pub planned: Option<Flows>,
    /// What was measured.
    pub measured: Flows,
    /// The jobs placed in the day.
    pub jobs: Vec<PlacedJob>,
    /// From what power on a difference between measured and planned is told, kW.
    pub threshold_kw: f64,
}

/// The devices of a site.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Site {
    /// Sources and generators.
    pub sources: Vec<Source>,
    /// Batteries.
    pub batteries: Vec<Battery>,
    /// What people call each load.
    pub loads: Vec<Box<str>>,
}

/// What a source lives on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// Sun.
    #[default]
    Sun,
    /// Wind.
    Wind,
    /// Running water.
    Water,
    /// A generator that burns something: not carbon-free, and it runs when it is told to.
    Generator,
}

/// A source.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// What people call it.
    pub name: Box<str>,
    /// What it lives on.
    pub kind: SourceKind,
    /// What a kWh costs, MIC.
    pub cost: f64,
    /// What a kWh emits, g.
    pub carbon: f64,
}

/// A battery.
#[derive(Clone, Debug, PartialEq)]
pub struct Battery {
    /// What people call it.
    pub name: Box<str>,
    /// What it can hold, kWh.
    pub capacity: f64,
    /// What it held at the day's begin, kWh, where that is known.
    pub initial: Option<f64>,
    /// What of a kWh charged is stored.
    pub charge_efficiency: f64,
    /// What of a kWh stored comes out.
    pub discharge_efficiency: f64,
    /// What each kWh that goes through the cells costs, in or out, MIC.
    pub wear: f64,
    /// How much of what it held at the day's begin was carbon-free, 0 to 1.
    pub carbon_free: f64,
}

/// A signal, as the plan took it and as it is known now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Signal {
    /// What the plan was made with.
    pub foreseen: Row,
    /// What is known now, forecasts of the time to come included.
    pub now: Row,
}

/// What is known of the grid.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Grid {
    /// What a kWh bought costs, MIC.
    pub import_price: Signal,
    /// What a kWh sold brings, MIC.
    pub export_price: Signal,
    /// What a kWh bought emits, g CO2e: the grid's average.
    pub carbon: Signal,
    /// The carbon-free share of the grid, 0 to 1.
    pub carbon_free: Row,
}

/// A job with a place in the day.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PlacedJob {
    /// What people call it.
    pub name: Box<str>,
    /// Whose it is.
    pub owner: Option<Box<str>>,
    /// When it could have begun.
    pub earliest: Time,
    /// Its place.
    pub runs: Vec<Run>,
    /// What it took in each step, kWh, where it has a meter.
    pub measured: Row,
    /// Money saved against running at once, MIC, as it was told.
    pub cost_saved: Option<f64>,
    /// Carbon saved against running at once, g CO2e, as it was told.
    pub carbon_saved_g: Option<f64>,
}

impl SourceKind {
    /// Whether what it gives counts as carbon-free in the 24/7 score.
    pub fn is_carbon_free(self) -> bool {
        self != Self::Generator
    }
}

impl Signal {
    /// What is known of a step, else what was foreseen.
    pub fn reading(&self, step: usize) -> Option<Reading> {
        flows::reading(&self.now, step).or_else(|| flows::reading(&self.foreseen, step))
    }

    /// The value of [`Signal::reading`].
    pub fn at(&self, step: usize) -> Option<f64> {
        self.reading(step).map(|reading| reading.value)
    }

    /// The mean over the steps that are known.
    pub(super) fn mean(&self, count: usize) -> Option<f64> {
        let known = || (0..count).filter_map(|step| self.at(step));
        let (sum, number) = known().fold((0.0, 0.0), |(sum, number), value| (sum + value, number + 1.0));
        (number > 0.0).then(|| sum / number)
    }
}

impl Inputs {
    /// How many steps are over.
    pub(super) fn over(&self) -> usize {
        self.horizon.between(self.horizon.start, self.now).end
    }

    /// Whether the grid is there in a step: as measured, else as planned, else it is where the site has one.
    pub(super) fn grid_is_up(&self, step: usize) -> bool {
        let measured = flows::at(&self.measured.grid_up, step).filter(|_| step < self.over());
        self.grid.is_some() && measured.or_else(|| self.planned_up(step)).is_none_or(|up| up > 0.5)
    }

    /// Whether the plan reckoned with the grid.
    pub(super) fn planned_up(&self, step: usize) -> Option<f64> {
        flows::at(&self.planned.as_ref()?.grid_up, step)
    }
}
