//! How long a site lasts without the grid, from each step, and how much has to be stored for it to last.
//!
//! Through a step with the deficit `d` (what is to be served less what sources and generators give, kWh) the stored energy goes from `s` to `min(s + a, m)`, and the
//! step is not survived when `s` is less than `n`. Two such steps together are of the same form, so spans of any length are found by doubling: all
//! starts of a year take some hundred thousand operations (`docs/modules/energy.md`).

use crate::dispatch::Battery;

/// Batteries run together as one: each holds, takes and gives its share. Energies are above what batteries shall hold at least.
#[derive(Clone, Debug, PartialEq)]
pub struct Fleet {
    /// What can be used of a full one, kWh.
    pub capacity: f64,
    /// Most power of charging, kW, at which no battery takes more than it can.
    pub charge_max: f64,
    /// Most power of discharging, kW.
    pub discharge_max: f64,
    /// The worst of charging.
    pub charge_efficiency: f64,
    /// The worst of discharging.
    pub discharge_efficiency: f64,
    /// Each battery's part of the whole; together 1.
    pub shares: Vec<f64>,
}

impl Fleet {
    /// Batteries as one. Exact for one battery; of several, what it survives they survive.
    pub fn of(batteries: &[Battery]) -> Self {
        let usable = |battery: &Battery| (battery.most - battery.least).max(0.0);
        let capacity: f64 = batteries.iter().map(usable).sum();
        let shares: Vec<f64> = batteries.iter().map(|battery| if capacity > 0.0 { usable(battery) / capacity } else { 0.0 }).collect();
        let least = |of: &dyn Fn(&Battery) -> f64| batteries.iter().map(of).fold(1.0, f64::min);
        let power = |of: &dyn Fn(&Battery) -> f64| {
            let whole = batteries.iter().zip(&shares).filter(|(_, share)| **share > 0.0).map(|(battery, share)| of(battery) / share);
            whole.reduce(f64::min).unwrap_or(0.0)
        };
        Self {
            capacity,
            charge_max: power(&|battery| battery.charge_max),
            discharge_max: power(&|battery| battery.discharge_max),
            charge_efficiency: least(&|battery| battery.charge_efficiency),
            discharge_efficiency: least(&|battery| battery.discharge_efficiency),
            shares,
        }
    }

    /// What batteries that hold so much can use, kWh.
    pub fn usable(&self, batteries: &[Battery], stored: &[f64]) -> f64 {
        let above = batteries.iter().zip(stored).map(|(battery, stored)| (stored.min(battery.most) - battery.least).max(0.0));
        above.sum()
    }
}

/// What a span of steps does to what is stored.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Span {
    /// Less at its begin, and somebody goes without.
    needs: f64,
    /// What it adds.
    adds: f64,
    /// Most there is at its end.
    most: f64,
}

impl Span {
    /// A step with that deficit, or surplus where it is below 0.
    fn step(fleet: &Fleet, deficit: f64, hours: f64) -> Self {
        if deficit <= 0.0 {
            let stored = fleet.charge_efficiency * (-deficit).min(fleet.charge_max * hours);
            return Self { needs: 0.0, adds: stored, most: fleet.capacity };
        }
        if deficit > fleet.discharge_max * hours * (1.0 + NEAR) {
            return Self { needs: f64::INFINITY, adds: 0.0, most: fleet.capacity };
        }
        let taken = deficit / fleet.discharge_efficiency;
        Self { needs: taken, adds: -taken, most: fleet.capacity - taken }
    }

    /// This span, and the next after it.
    fn then(self, next: Self) -> Self {
        // What it can hold at most is not enough for what comes: no begin is.
        let needs = if self.most * (1.0 + NEAR) < next.needs { f64::INFINITY } else { self.needs.max(next.needs - self.adds) };
        Self { needs, adds: self.adds + next.adds, most: (self.most + next.adds).min(next.most) }
    }

    fn after(self, stored: f64) -> f64 {
        (stored + self.adds).min(self.most)
    }
}

/// What rounding may do to a sum, relative.
const NEAR: f64 = 1e-12;

/// How long somebody is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lasting {
    /// Whole steps.
    pub steps: usize,
    /// Whether what is known ends there: it may be longer.
    pub is_open: bool,
}

/// Spans of 1, 2, 4, ... steps from each start, as far as they reach.
fn spans(fleet: &Fleet, deficits: &[f64], hours: f64, longest: usize) -> Vec<Vec<Span>> {
    let mut levels = vec![deficits.iter().map(|deficit| Span::step(fleet, *deficit, hours)).collect::<Vec<_>>()];
    let mut length = 1;
    while length * 2 <= longest.min(deficits.len()) {
        let Some(last) = levels.last() else { break };
        let next = last.iter().zip(last.iter().skip(length)).map(|(one, next)| one.then(*next)).collect();
        levels.push(next);
        length *= 2;
    }
    levels
}

/// For each step how many steps from its begin the deficits can be served without the grid, `stored` being what can be used then, kWh.
pub fn lasting(fleet: &Fleet, stored: &[f64], deficits: &[f64], hours: f64) -> Vec<Lasting> {
    let levels = spans(fleet, deficits, hours, deficits.len());
    let from = |(start, stored): (usize, &f64)| {
        let (mut at, mut left) = (start, stored.min(fleet.capacity));
        // The longest spans first: each at most once, since two of them are one of the next.
        for (level, row) in levels.iter().enumerate().rev() {
            if let Some(span) = row.get(at)
                && span.needs <= left + NEAR * fleet.capacity
            {
                left = span.after(left);
                at += 1 << level;
            }
        }
        Lasting { steps: at - start, is_open: at == deficits.len() }
    };
    stored.iter().take(deficits.len()).enumerate().map(from).collect()
}

/// For each step what has to be stored at its begin, usable, for the next `steps` steps to be survived, kWh; infinite where nothing is enough. As many values
/// as there are whole spans of that length.
pub fn needed(fleet: &Fleet, deficits: &[f64], hours: f64, steps: usize) -> Vec<f64> {
    if steps == 0 || steps > deficits.len() {
        return Vec::new();
    }
    let levels = spans(fleet, deficits, hours, steps);
    let whole = |start: usize| {
        let (mut at, mut span) = (start, None::<Span>);
        for (level, row) in levels.iter().enumerate() {
            if steps & (1 << level) != 0
                && let Some(next) = row.get(at)
            {
                span = Some(span.map_or(*next, |span| span.then(*next)));
                at += 1 << level;
            }
        }
        let needs = span.map_or(0.0, |span| span.needs);
        if needs > fleet.capacity * (1.0 + NEAR) { f64::INFINITY } else { needs }
    };
    (0..=deficits.len() - steps).map(whole).collect()
}
