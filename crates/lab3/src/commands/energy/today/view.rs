//! A day as the desk tells it: what the page draws of the reply.

use lab3_units::Time;
use serde::{Deserialize, Deserializer};

use crate::commands::energy::frame::hours_between;

/// A row over the steps; none where it is not known.
pub type Row = Vec<Option<f64>>;

/// The day.
#[derive(Debug, Deserialize)]
pub struct Day {
    pub date: Name,
    pub zone: Name,
    pub now: Name,
    pub steps_over: usize,
    pub step_minutes: u32,
    pub begins: Vec<Name>,
    pub marks: Vec<Option<Mark>>,
    pub sources: Vec<Source>,
    pub batteries: Vec<Battery>,
    pub grid: Option<Grid>,
    pub planned: Option<serde::de::IgnoredAny>,
    pub jobs: Vec<Job>,
    pub deviations: Vec<Deviation>,
    pub unmeasured: Vec<Gap>,
    pub outages: Vec<Span>,
    pub so_far: Sums,
    pub rest: Sums,
    pub total: Sums,
    pub price_effect_gic: f64,
}

/// Text from the desk that can be printed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Name(pub String);

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    Measured,
    Forecast,
    Filled,
}

#[derive(Debug, Deserialize)]
pub struct Source {
    pub name: Name,
    pub kind: Name,
    pub served_kwh: Row,
}

#[derive(Debug, Deserialize)]
pub struct Battery {
    pub name: Name,
    pub capacity_kwh: f64,
    pub served_kwh: Row,
    pub stored_kwh: Row,
}

#[derive(Debug, Deserialize)]
pub struct Grid {
    pub served_kwh: Row,
    pub import_price: Signal,
    pub carbon_g_per_kwh: Signal,
}

#[derive(Debug, Deserialize)]
pub struct Signal {
    pub values: Row,
    pub marks: Vec<Option<Mark>>,
}

#[derive(Debug, Deserialize)]
pub struct Job {
    pub name: Name,
    pub owner: Option<Name>,
    pub runs: Vec<Run>,
    pub cost_saved_gic: Option<f64>,
    pub carbon_saved_g: Option<f64>,
}

#[derive(Debug, Deserialize)]
pub struct Run {
    pub start: Name,
    pub end: Name,
    pub power_kw: f64,
}

#[derive(Debug, Deserialize)]
pub struct Deviation {
    pub energy_kwh: f64,
    pub cost_gic: Option<f64>,
    pub detail: Name,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Span {
    pub first_step: usize,
    pub steps: usize,
}

#[derive(Debug, Deserialize)]
pub struct Gap {
    #[serde(flatten)]
    pub span: Span,
    pub devices: Vec<Name>,
}

#[derive(Debug, Deserialize)]
pub struct Sums {
    pub steps: usize,
    pub import_kwh: f64,
    pub export_kwh: f64,
    pub generated_kwh: f64,
    pub own_used_kwh: f64,
    pub unserved_kwh: f64,
    pub cost_saved_gic: f64,
    pub carbon_saved_g: f64,
    pub unpriced_steps: usize,
    pub unknown_carbon_steps: usize,
    pub score: Option<f64>,
    pub own_score: Option<f64>,
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(crate::json_text::printable(&text)))
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.0)
    }
}

impl Day {
    /// What clocks show where a step begins, `HH:MM`; `24:00` where the last one ends.
    pub fn clock(&self, step: usize) -> &str {
        self.begins.get(step).map_or("24:00", |begin| begin.clock())
    }

    /// From when to when steps are.
    pub fn span(&self, span: Span) -> String {
        format!("{} to {}", self.clock(span.first_step), self.clock(span.first_step.saturating_add(span.steps)))
    }

    /// A moment in hours from the day's begin.
    pub fn hours_at(&self, moment: &Name) -> Option<f64> {
        let begin = Time::parse(&self.begins.first()?.0)?;
        Some(hours_between(begin, Time::parse(&moment.0)?))
    }

    /// Hours of each step.
    pub fn hours(&self) -> Vec<f64> {
        vec![f64::from(self.step_minutes.max(1)) / 60.0; self.begins.len()]
    }

    /// The present in hours from the day's begin, when it is in the day.
    pub fn now_hours(&self) -> Option<f64> {
        let end: f64 = self.hours().iter().sum();
        self.hours_at(&self.now).filter(|now| (0.0..end).contains(now))
    }

    /// Whether anything is known of any step.
    pub fn is_known(&self) -> bool {
        self.marks.iter().any(Option::is_some)
    }

    /// Whether any step was measured.
    pub fn is_measured(&self) -> bool {
        self.marks.iter().any(|mark| matches!(mark, Some(Mark::Measured | Mark::Filled)))
    }
}

impl Name {
    /// What clocks show at an RFC 3339 moment told with the offset of the place, `HH:MM`.
    pub fn clock(&self) -> &str {
        self.0.get(11..16).unwrap_or(&self.0)
    }
}
