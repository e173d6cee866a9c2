//! What is known of a site now, and what is expected.

use lab3_units::Time;

use super::Site;
use crate::dispatch::{Flexible, Invalid, STEPS_MAX};

/// The site at this moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Now {
    /// When that is: the begin of the first step.
    pub at: Time,
    /// What each battery holds, kWh.
    pub stored_kwh: Vec<f64>,
    /// The highest power bought this month, kW.
    pub peak_so_far_kw: f64,
    /// Whether the grid is down.
    pub is_down: bool,
    /// When it was lost, where that is known: how long an outage lasts is guessed from there.
    pub down_since: Option<Time>,
}

/// A row of a signal: what is expected, and what it is hardly worse than. The first value is that of the present step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outlook {
    /// What is expected, kWh of each step.
    pub expected: Vec<f64>,
    /// For each step what is hardly ever undercut (sources), or exceeded (loads). Empty: the row is known.
    pub pessimistic: Vec<f64>,
}

impl Outlook {
    /// A row that is known.
    pub fn known(row: Vec<f64>) -> Self {
        Self { expected: row, pessimistic: Vec::new() }
    }

    /// The pessimistic row.
    pub fn worst(&self) -> &[f64] {
        if self.pessimistic.is_empty() { &self.expected } else { &self.pessimistic }
    }
}

/// What a plan looks at beside the site. Each row has a value for each of the steps.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ahead {
    /// The site now.
    pub now: Now,
    /// How many steps are planned.
    pub steps: usize,
    /// What a kWh bought costs, MIC. Empty: nothing.
    pub import_price: Vec<f64>,
    /// What a kWh sold brings, MIC. Empty: nothing.
    pub export_price: Vec<f64>,
    /// What a kWh bought emits, g. Empty: nothing.
    pub carbon: Vec<f64>,
    /// How much of the grid is there, 1 or 0, where that was announced. Empty: it stays as it is now.
    pub up: Vec<f64>,
    /// The share of time in which the grid was down lately.
    pub outages: f64,
    /// Each source.
    pub sources: Vec<Outlook>,
    /// Each load.
    pub loads: Vec<Outlook>,
    /// Loads whose time is free.
    pub flexible: Vec<Flexible>,
    /// Most to buy in each step, kWh, where less was promised to somebody; infinite elsewhere. Empty: nothing was promised.
    pub import_most: Vec<f64>,
    /// Least each battery shall hold at the end of each step so that what was promised can be kept, kWh. Empty: as above.
    pub held: Vec<Vec<f64>>,
}

impl Ahead {
    /// A step in which nothing happens, to judge a site by.
    pub(super) fn nothing(site: &Site) -> Self {
        let rows = |count: usize| vec![Outlook::known(vec![0.0]); count];
        Self {
            now: Now { stored_kwh: vec![0.0; site.batteries.len()], ..Now::default() },
            steps: 1,
            sources: rows(site.sources.len()),
            loads: rows(site.loads.len()),
            ..Self::default()
        }
    }

    /// Whether the rows fit the site. What a plan's own check finds is left to it.
    pub(super) fn check(&self, site: &Site) -> Result<(), Invalid> {
        let invalid = |field: String, detail: String| Err(Invalid { field, detail });
        if self.steps == 0 || self.steps > STEPS_MAX {
            return invalid("steps".into(), format!("is {}, and has to be between 1 and {STEPS_MAX}", self.steps));
        }
        let counts = [
            ("stored_kwh", self.now.stored_kwh.len(), site.batteries.len()),
            ("sources", self.sources.len(), site.sources.len()),
            ("loads", self.loads.len(), site.loads.len()),
        ];
        for (field, found, wanted) in counts {
            if found != wanted {
                return invalid(field.into(), format!("has {found} entries, and the site has {wanted}: give one for each"));
            }
        }
        for (list, outlooks) in [("sources", &self.sources), ("loads", &self.loads)] {
            for (number, outlook) in outlooks.iter().enumerate() {
                let row = &outlook.pessimistic;
                if !row.is_empty() && (row.len() != self.steps || row.iter().any(|value| !(0.0..=1e9).contains(value))) {
                    let detail = format!("has to have {} values between 0 and 1,000,000,000", self.steps);
                    return invalid(format!("{list}[{number}].pessimistic"), detail);
                }
            }
        }
        if !(0.0..=1.0).contains(&self.outages) {
            return invalid("outages".into(), format!("is {}, and has to be between 0 and 1", self.outages));
        }
        Ok(())
    }

    /// How much of the grid is there in each step.
    pub fn up(&self) -> Vec<f64> {
        let stays = if self.now.is_down { 0.0 } else { 1.0 };
        let mut up = if self.up.is_empty() { vec![stays; self.steps] } else { self.up.clone() };
        // What is now counts more than what was announced for now.
        if let Some(first) = up.first_mut()
            && self.now.is_down
        {
            *first = 0.0;
        }
        up
    }

    /// The same with every row at its pessimistic values.
    #[must_use]
    pub fn at_worst(&self) -> Self {
        // Whatever was said: the worse of the two.
        let worst = |rows: &[Outlook], worse: fn(f64, f64) -> f64| {
            let of = |row: &Outlook| row.expected.iter().zip(row.worst()).map(|(expected, worst)| worse(*expected, *worst)).collect();
            rows.iter().map(|row| Outlook::known(of(row))).collect()
        };
        Self { sources: worst(&self.sources, f64::min), loads: worst(&self.loads, f64::max), ..self.clone() }
    }
}
