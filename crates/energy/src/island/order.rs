//! Tiers in order: what each load goes without at least, when nothing is taken from a tier to serve a later one.
//!
//! One program of flows, without prices. For each tier in order the energy it goes without, over all steps, is made as small as it can be and held there; at
//! last as much as can be is kept stored, for an outage that lasts longer.

use lab3_solve::{Limits, Program, Unsolved, Variable};

use super::given;
use crate::dispatch::{Battery, Dispatch};
use crate::site::Tier;

/// How much more than its least a tier may go without afterwards, kWh: solutions are not exact to the last bit, those with whole variables less than others. The
/// first that the solver neither calls infeasible nor fails at is taken.
const SLACKS: [f64; 3] = [1e-6, 1e-4, 1e-2];

/// How much rather a critical tier goes without a step later: more than the part of a kWh that is kept stored for a step by its going without earlier.
const LATER: f64 = 200.0;

struct Flows {
    program: Program,
    /// The terms of each step's balance: what comes in, less what goes out.
    balance: Vec<Vec<(Variable, f64)>>,
    /// Whether anything is bought, in steps in which that is a choice.
    buys: Vec<Option<Variable>>,
    unserved: Vec<Vec<Variable>>,
}

/// What is made small.
#[derive(Clone, Copy, PartialEq)]
enum Aim {
    /// What the tier after those that are held goes without.
    Unserved,
    /// What is taken out of store early for others, and what tiers up to one go without early: what is foreseen may turn out better than that.
    Early(Option<Tier>),
}

/// What each load goes without in each step, kWh. Of what cannot be avoided, tiers after `critical` go without early, so that energy is kept for an outage that
/// lasts longer, and those up to it late.
///
/// Errors: the solver failed, or had not enough time.
pub(crate) fn least_unserved(site: &Dispatch, tiers: &[Tier], critical: Option<Tier>, limits: Limits) -> Result<Vec<Vec<f64>>, Unsolved> {
    let has = |tier: &Tier| tiers.contains(tier);
    let mut held = Vec::new();
    let mut rows = Vec::new();
    for tier in Tier::ALL.into_iter().filter(has) {
        rows = solved(site, tiers, &held, Aim::Unserved, limits)?;
        held.push(rows.iter().zip(tiers).filter(|(_, of)| **of == tier).flat_map(|(row, _)| row).sum());
    }
    // What is kept is a wish: without an answer to it, the order stands all the same.
    Ok(solved(site, tiers, &held, Aim::Early(critical), limits).unwrap_or(rows))
}

/// The best for one aim when the first tiers go without no more than is held. Built anew each time: begun at the last solution, programs with whole variables
/// were called infeasible.
fn solved(site: &Dispatch, tiers: &[Tier], held: &[f64], aim: Aim, limits: Limits) -> Result<Vec<Vec<f64>>, Unsolved> {
    let mut found = Err(Unsolved::Infeasible);
    for slack in SLACKS {
        let mut flows = Flows::of(site, tiers, aim);
        flows.totals(tiers, held, slack, aim);
        let Flows { program, unserved, .. } = flows;
        found = program.solve(limits).map(|solution| {
            let value = |variable: &Variable| Some(solution.value(*variable)).filter(|value| *value > 2.0 * slack).unwrap_or(0.0);
            unserved.iter().map(|row| row.iter().map(value).collect()).collect()
        });
        if !matches!(found, Err(Unsolved::Infeasible | Unsolved::Failed)) {
            break;
        }
    }
    found
}

impl Flows {
    fn of(site: &Dispatch, tiers: &[Tier], aim: Aim) -> Self {
        let balance = vec![Vec::new(); site.len()];
        let mut flows = Self { program: Program::new(), balance, buys: vec![None; site.len()], unserved: Vec::new() };
        let has_choices = site.generators.iter().any(|one| one.power_min > 0.0) || site.batteries.iter().any(|one| one.charge_min > 0.0);
        for step in 0..site.len() {
            flows.given(site, step);
        }
        for battery in &site.batteries {
            flows.battery(site, battery, has_choices, aim);
        }
        for (number, load) in site.loads.iter().enumerate() {
            let late = matches!(aim, Aim::Early(Some(critical)) if tiers.get(number).is_some_and(|tier| *tier <= critical));
            let mut weight = if late { LATER } else { 0.0 };
            let mut row: Vec<Variable> = Vec::with_capacity(site.len());
            // From the last step to the first: the earlier, the dearer.
            for energy in load.energy.iter().rev() {
                row.push(flows.program.variable(weight, 0.0, *energy));
                weight += if late { LATER } else { 0.0 };
            }
            row.reverse();
            for (balance, unserved) in flows.balance.iter_mut().zip(&row) {
                balance.push((*unserved, 1.0));
            }
            flows.unserved.push(row);
        }
        for (step, terms) in flows.balance.iter().enumerate() {
            let taken = loads(site, step);
            flows.program.row(taken, taken, terms);
        }
        flows
    }

    /// Sources, grid and generators. The grid gives whatever is asked: where its limit is, is a matter of prices.
    fn given(&mut self, site: &Dispatch, step: usize) {
        let hours = site.hours[step];
        let free = self.program.variable(0.0, 0.0, given(site, step));
        self.balance[step].push((free, 1.0));
        if is_up(site, step) {
            self.bought(site, step);
        }
        for generator in &site.generators {
            let most = generator.power_max * hours;
            let given = self.program.variable(0.0, 0.0, most);
            if generator.power_min > 0.0 {
                self.none_or_between(given, generator.power_min * hours, most);
            }
            self.balance[step].push((given, 1.0));
        }
    }

    /// What is bought, and where some batteries may not be charged meanwhile, whether anything is.
    fn bought(&mut self, site: &Dispatch, step: usize) {
        let charged: f64 = site.batteries.iter().map(|battery| battery.charge_max * site.hours[step]).sum();
        let most = loads(site, step) + charged;
        let bought = self.program.variable(0.0, 0.0, most);
        self.balance[step].push((bought, 1.0));
        if site.batteries.iter().any(|battery| !battery.from_grid) {
            let buys = self.program.whole(0.0, 0.0, 1.0);
            self.program.row(f64::NEG_INFINITY, 0.0, &[(bought, 1.0), (buys, -most)]);
            self.buys[step] = Some(buys);
        }
    }

    fn none_or_between(&mut self, flow: Variable, least: f64, most: f64) {
        let on = self.program.whole(0.0, 0.0, 1.0);
        self.program.row(0.0, f64::INFINITY, &[(flow, 1.0), (on, -least)]);
        self.program.row(f64::NEG_INFINITY, 0.0, &[(flow, 1.0), (on, -most)]);
    }

    fn battery(&mut self, site: &Dispatch, battery: &Battery, has_choices: bool, aim: Aim) {
        let mut before = None;
        let least = battery.least.min(battery.initial);
        for (step, hours) in site.hours.iter().enumerate() {
            let (charge_max, discharge_max) = (battery.charge_max * hours, battery.discharge_max * hours);
            let charge = self.program.variable(0.0, 0.0, charge_max);
            let discharge = self.program.variable(0.0, 0.0, discharge_max);
            let kept = if matches!(aim, Aim::Early(_)) { -1.0 } else { 0.0 };
            let stored = self.program.variable(kept, least, battery.most.max(battery.initial));
            let mut terms = vec![(stored, 1.0), (charge, -battery.charge_efficiency), (discharge, 1.0 / battery.discharge_efficiency)];
            terms.extend(before.map(|before| (before, -1.0)));
            let held = if before.is_none() { battery.initial } else { 0.0 };
            self.program.row(held, held, &terms);
            self.balance[step].extend([(charge, -1.0), (discharge, 1.0)]);
            if battery.charge_min > 0.0 {
                self.none_or_between(charge, battery.charge_min * hours, charge_max);
            }
            if has_choices {
                let out = self.program.whole(0.0, 0.0, 1.0);
                self.program.row(f64::NEG_INFINITY, 0.0, &[(discharge, 1.0), (out, -discharge_max)]);
                self.program.row(f64::NEG_INFINITY, charge_max, &[(charge, 1.0), (out, charge_max)]);
            }
            if let Some(buys) = self.buys[step].filter(|_| !battery.from_grid) {
                self.program.row(f64::NEG_INFINITY, charge_max, &[(charge, 1.0), (buys, charge_max)]);
            }
            before = Some(stored);
        }
    }

    /// A variable for what each tier goes without over all steps: at most what is held of the first ones, and as little as can be of the next.
    fn totals(&mut self, tiers: &[Tier], held: &[f64], slack: f64, aim: Aim) {
        for (number, tier) in Tier::ALL.into_iter().filter(|tier| tiers.contains(tier)).enumerate() {
            let loads = self.unserved.iter().zip(tiers).filter(|(_, of)| **of == tier).flat_map(|(row, _)| row);
            let mut terms: Vec<(Variable, f64)> = loads.map(|unserved| (*unserved, 1.0)).collect();
            let cost = if aim == Aim::Unserved && number == held.len() { 1.0 } else { 0.0 };
            let most = held.get(number).map_or(f64::INFINITY, |held| held + slack);
            terms.push((self.program.variable(cost, 0.0, most), -1.0));
            self.program.row(0.0, 0.0, &terms);
        }
    }
}

fn is_up(site: &Dispatch, step: usize) -> bool {
    site.grid.as_ref().is_some_and(|grid| grid.up.get(step).is_some_and(|up| *up > 0.0))
}

fn loads(site: &Dispatch, step: usize) -> f64 {
    site.loads.iter().filter_map(|load| load.energy.get(step)).sum()
}
