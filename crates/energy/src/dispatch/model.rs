//! The site as a program: a variable for each flow in each step, a balance for each step.

use lab3_solve::{Program, Variable};

use super::site::{Battery, Dispatch, Generator, Grid, Metering, SELF_CONSUMPTION};
use super::switches::Switches;

/// What breaking a limit costs, as a multiple of the largest price: nothing else in a plan is worth it.
pub(super) const LIMIT: f64 = 100.0;
/// The same for what a battery shall hold, and for loads whose worth is not stated.
pub(super) const LAST: f64 = 1000.0;

/// The program's variables. Outer rows are things, inner rows steps.
#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) import: Vec<Variable>,
    /// What is bought beyond the limit.
    pub(super) import_over: Vec<Variable>,
    pub(super) export: Vec<Variable>,
    pub(super) used: Vec<Vec<Variable>>,
    pub(super) generated: Vec<Vec<Variable>>,
    pub(super) unserved: Vec<Vec<Variable>>,
    pub(super) batteries: Vec<BatteryModel>,
    pub(super) flexible: Vec<FlexibleModel>,
    pub(super) peak: Option<Variable>,
}

/// A battery's variables.
#[derive(Debug, Default)]
pub(super) struct BatteryModel {
    pub(super) charge: Vec<Variable>,
    pub(super) discharge: Vec<Variable>,
    pub(super) stored: Vec<Variable>,
    pub(super) above: Vec<Option<Variable>>,
    pub(super) below: Vec<Option<Variable>>,
    pub(super) goal_missed: Vec<Option<Variable>>,
    pub(super) demand_missed: Vec<Option<Variable>>,
}

/// A flexible load's variables: whether it runs in each step of its window, and how many steps are missing.
#[derive(Debug)]
pub(super) struct FlexibleModel {
    pub(super) runs: Vec<(usize, Variable)>,
    pub(super) missing: Variable,
}

/// A program on its way.
struct Builder<'a> {
    site: &'a Dispatch,
    switches: &'a Switches,
    program: Program,
    base: f64,
    /// The least price of buying.
    import_price_min: f64,
    /// The terms of each step's balance: what comes in, less what goes out.
    balance: Vec<Vec<(Variable, f64)>>,
    model: Model,
}

impl Model {
    /// The program of a site, with those of its choices as whole variables.
    pub(super) fn of(site: &Dispatch, switches: &Switches) -> (Program, Self) {
        let balance = vec![Vec::new(); site.len()];
        let (base, import_price_min) = (site.price_base(), site.import_price_min());
        let mut builder = Builder { site, switches, program: Program::new(), base, import_price_min, balance, model: Self::default() };
        builder.sources();
        builder.grid();
        builder.generators();
        builder.loads();
        builder.flexible();
        for number in 0..site.batteries.len() {
            builder.battery(number, &site.batteries[number]);
        }
        builder.flows();
        builder.level();
        builder.balances();
        (builder.program, builder.model)
    }
}

impl Builder<'_> {
    fn is_gross(&self) -> bool {
        self.site.grid.as_ref().is_some_and(|grid| grid.metering == Metering::Gross)
    }

    /// The steps that are left, the present one included, as a float: nudges fade with time.
    fn left(&self, step: usize) -> f64 {
        let left = self.site.len() - step;
        f64::from(u32::try_from(left).unwrap_or(u32::MAX))
    }

    /// What a source can give is used or left: leaving it may have a price.
    fn sources(&mut self) {
        for source in &self.site.sources {
            let mut used = Vec::with_capacity(self.site.len());
            for step in 0..self.site.len() {
                let curtail = source.curtail_cost.get(step).copied().unwrap_or(0.0);
                let cost = source.cost + self.site.wish.carbon_price * source.carbon - curtail;
                let variable = self.program.variable(cost, 0.0, source.available[step]);
                if !self.is_gross() {
                    self.balance[step].push((variable, 1.0));
                }
                used.push(variable);
            }
            self.model.used.push(used);
        }
    }

    fn grid(&mut self) {
        let Some(grid) = &self.site.grid else { return };
        self.model.peak = grid.peak.map(|peak| self.program.variable(peak.price, peak.so_far, f64::INFINITY));
        for step in 0..self.site.len() {
            self.import(grid, step);
            self.export(grid, step);
        }
    }

    fn import(&mut self, grid: &Grid, step: usize) {
        let hours = self.site.hours[step];
        // More than all that can take it is never bought. Said aloud, for where selling brings more than buying costs.
        let all = if grid.up[step] > 0.0 { self.taken(step, |_| true) } else { 0.0 };
        let most = |limit: Option<f64>| limit.map_or(all, |limit| all.min(limit * hours * grid.up[step]));
        let weight = if self.site.wish.self_consumption { SELF_CONSUMPTION } else { 1.0 };
        let carbon = self.site.wish.carbon_price * grid.carbon.get(step).copied().unwrap_or(0.0);
        let price = grid.import_price[step] * weight + carbon;
        let nudge = if self.site.nudges.discharge_before_import { 5e-6 * self.nudge(step) } else { 0.0 };
        let import = self.program.variable(price + nudge, 0.0, most(grid.import_max));
        let over = if grid.import_max.is_some() { most(None) } else { 0.0 };
        let over = self.program.variable(price + LIMIT * self.base, 0.0, over);
        self.balance[step].extend([(import, 1.0), (over, 1.0)]);
        if let Some(peak) = self.model.peak {
            self.program.row(f64::NEG_INFINITY, 0.0, &[(import, 1.0 / hours), (over, 1.0 / hours), (peak, -1.0)]);
        }
        self.model.import.push(import);
        self.model.import_over.push(over);
    }

    fn export(&mut self, grid: &Grid, step: usize) {
        let all = if grid.up[step] > 0.0 { self.given(step, |_| true) } else { 0.0 };
        let most = grid.export_max.map_or(all, |limit| all.min(limit * self.site.hours[step]));
        let nudge = if self.site.nudges.charge_before_export { 2e-5 * self.nudge(step) } else { 0.0 };
        let export = self.program.variable(nudge - grid.export_price[step], 0.0, most);
        if self.is_gross() {
            let mut terms: Vec<(Variable, f64)> = self.model.used.iter().map(|used| (used[step], 1.0)).collect();
            terms.push((export, -1.0));
            self.program.row(0.0, 0.0, &terms);
        } else {
            self.balance[step].push((export, -1.0));
        }
        self.model.export.push(export);
    }

    /// All that can be sold in a step, with such batteries.
    fn given(&self, step: usize, with: impl Fn(&Battery) -> bool) -> f64 {
        let sources: f64 = self.site.sources.iter().map(|source| source.available[step]).sum();
        let batteries: f64 = self.site.batteries.iter().filter(|battery| with(battery)).map(|battery| battery.discharge_max).sum();
        let generators: f64 = self.site.generators.iter().map(|generator| generator.power_max).sum();
        sources + (batteries + generators) * self.site.hours[step]
    }

    /// All that can be bought in a step, with such batteries.
    fn taken(&self, step: usize, with: impl Fn(&Battery) -> bool) -> f64 {
        let loads: f64 = self.site.loads.iter().map(|load| load.energy[step]).sum();
        let batteries: f64 = self.site.batteries.iter().filter(|battery| with(battery)).map(|battery| battery.charge_max).sum();
        let flexible: f64 = self.site.flexible.iter().map(|load| load.power).sum();
        loads + (batteries + flexible) * self.site.hours[step]
    }

    /// A nudge is a part of the least price, for each battery, and the greater the earlier.
    fn nudge(&self, step: usize) -> f64 {
        let batteries = f64::from(u32::try_from(self.site.batteries.len()).unwrap_or(u32::MAX));
        batteries * self.import_price_min * self.left(step)
    }

    fn generators(&mut self) {
        for (number, generator) in self.site.generators.iter().enumerate() {
            let generated = (0..self.site.len()).map(|step| self.generator(number, generator, step)).collect();
            self.model.generated.push(generated);
        }
    }

    fn generator(&mut self, number: usize, generator: &Generator, step: usize) -> Variable {
        let hours = self.site.hours[step];
        let cost = generator.cost + self.site.wish.carbon_price * generator.carbon;
        let most = generator.power_max * hours;
        let variable = self.program.variable(cost, 0.0, most);
        if self.switches.generators[number].contains(&step) {
            self.none_or_between(variable, generator.power_min * hours, most);
        }
        self.balance[step].push((variable, 1.0));
        variable
    }

    /// A flow that is nothing, or at least so much.
    fn none_or_between(&mut self, flow: Variable, least: f64, most: f64) -> Variable {
        let on = self.program.whole(0.0, 0.0, 1.0);
        self.program.row(0.0, f64::INFINITY, &[(flow, 1.0), (on, -least)]);
        self.program.row(f64::NEG_INFINITY, 0.0, &[(flow, 1.0), (on, -most)]);
        on
    }

    fn loads(&mut self) {
        for load in &self.site.loads {
            let worth = load.worth.unwrap_or(LAST * self.base);
            let unserved: Vec<Variable> = load.energy.iter().map(|energy| self.program.variable(worth, 0.0, *energy)).collect();
            for (balance, variable) in self.balance.iter_mut().zip(&unserved) {
                balance.push((*variable, 1.0));
            }
            self.model.unserved.push(unserved);
        }
    }

    fn flexible(&mut self) {
        for load in &self.site.flexible {
            let runs: Vec<(usize, Variable)> = load.window.clone().map(|step| (step, self.program.whole(0.0, 0.0, 1.0))).collect();
            let steps = f64::from(u32::try_from(load.steps).unwrap_or(u32::MAX));
            let missing = self.program.variable(LIMIT * self.base * load.power, 0.0, steps);
            let mut terms: Vec<(Variable, f64)> = runs.iter().map(|(_, run)| (*run, 1.0)).collect();
            terms.push((missing, 1.0));
            self.program.row(steps, steps, &terms);
            for (step, run) in &runs {
                self.balance[*step].push((*run, -load.power * self.site.hours[*step]));
            }
            self.model.flexible.push(FlexibleModel { runs, missing });
        }
    }

    fn battery(&mut self, number: usize, battery: &Battery) {
        let mut model = BatteryModel::default();
        let count = self.site.len();
        for step in 0..count {
            let hours = self.site.hours[step];
            let rather = self.import_price_min * 5e-5 * self.left(step) * f64::from(battery.priority);
            let charge = self.program.variable(battery.wear * battery.charge_efficiency - rather, 0.0, battery.charge_max * hours);
            let discharge = self.program.variable(battery.wear / battery.discharge_efficiency - rather, 0.0, battery.discharge_max * hours);
            let worth = if step + 1 == count { -battery.end_value } else { 0.0 };
            let stored = self.program.variable(worth, 0.0, battery.capacity);
            let mut terms = vec![(stored, 1.0), (charge, -battery.charge_efficiency), (discharge, 1.0 / battery.discharge_efficiency)];
            let before = model.stored.last().map_or(battery.initial, |last| {
                terms.push((*last, -1.0));
                0.0
            });
            self.program.row(before, before, &terms);
            self.balance[step].extend([(charge, -1.0), (discharge, 1.0)]);
            model.above.push(self.soft(battery.most < battery.capacity, LAST, stored, f64::NEG_INFINITY, battery.most));
            model.below.push(self.soft(battery.least > 0.0, LAST, stored, battery.least, f64::INFINITY));
            let goal = battery.goals.get(step).copied().unwrap_or(0.0);
            model.goal_missed.push(self.soft(goal > 0.0, LIMIT, stored, goal, f64::INFINITY));
            model.charge.push(charge);
            model.discharge.push(discharge);
            model.stored.push(stored);
            let missed = self.demanded(battery, &model, step);
            model.demand_missed.push(missed);
            self.battery_switches(number, battery, &model, step);
        }
        self.model.batteries.push(model);
    }

    /// A bound of what is stored that may be broken, at a price.
    fn soft(&mut self, is_asked: bool, times: f64, stored: Variable, lower: f64, upper: f64) -> Option<Variable> {
        is_asked.then(|| {
            let broken = self.program.variable(times * self.base, 0.0, f64::INFINITY);
            let way = if lower.is_finite() { 1.0 } else { -1.0 };
            self.program.row(lower, upper, &[(stored, 1.0), (broken, way)]);
            broken
        })
    }

    /// Charging that is asked for, as far as the battery is not full: `full` may be one only when it is. Early steps cost more to miss.
    fn demanded(&mut self, battery: &Battery, model: &BatteryModel, step: usize) -> Option<Variable> {
        let wanted = battery.demand.energy.get(step).copied().filter(|wanted| *wanted > 0.0)?;
        let wanted = wanted.min(battery.charge_max * self.site.hours[step]);
        let (charge, stored) = (model.charge[step], model.stored[step]);
        let count = f64::from(u32::try_from(self.site.len()).unwrap_or(u32::MAX));
        let missed = self.program.variable(LIMIT * self.base * (1.0 + self.left(step) / count), 0.0, f64::INFINITY);
        let full = self.program.whole(0.0, 0.0, 1.0);
        self.program.row(0.0, f64::INFINITY, &[(stored, 1.0), (full, -battery.most)]);
        self.program.row(wanted, f64::INFINITY, &[(charge, 1.0), (missed, 1.0), (full, wanted)]);
        Some(missed)
    }

    fn battery_switches(&mut self, number: usize, battery: &Battery, model: &BatteryModel, step: usize) {
        let hours = self.site.hours[step];
        let (charge, discharge) = (model.charge[step], model.discharge[step]);
        let (charge_max, discharge_max) = (battery.charge_max * hours, battery.discharge_max * hours);
        if self.switches.charge_min[number].contains(&step) {
            let least = battery.charge_min * hours;
            let on = self.none_or_between(charge, 0.0, charge_max);
            let mut terms = vec![(charge, 1.0), (on, -least)];
            if model.demand_missed[step].is_some() {
                // The last bit to a full battery may go in with less.
                let last = self.program.whole(0.0, 0.0, 1.0);
                self.program.row(-least, f64::INFINITY, &[(model.stored[step], 1.0), (last, -battery.most)]);
                terms.push((last, least));
            }
            self.program.row(0.0, f64::INFINITY, &terms);
        }
        if self.switches.one_way[number].contains(&step) {
            let out = self.program.whole(0.0, 0.0, 1.0);
            self.program.row(f64::NEG_INFINITY, 0.0, &[(discharge, 1.0), (out, -discharge_max)]);
            self.program.row(f64::NEG_INFINITY, charge_max, &[(charge, 1.0), (out, charge_max)]);
        }
    }

    /// In steps with a choice of direction power is bought or sold, and batteries that may not be charged from the grid, or discharged to it, keep that.
    fn flows(&mut self) {
        for step in self.switches.flow.clone() {
            let hours = self.site.hours[step];
            let (out_max, in_max) = (self.given(step, |battery| battery.to_grid), self.taken(step, |battery| battery.from_grid));
            let out = self.program.whole(0.0, 0.0, 1.0);
            self.program.row(f64::NEG_INFINITY, 0.0, &[(self.model.export[step], 1.0), (out, -out_max)]);
            let bought = [(self.model.import[step], 1.0), (self.model.import_over[step], 1.0), (out, in_max)];
            self.program.row(f64::NEG_INFINITY, in_max, &bought);
            for (battery, model) in self.site.batteries.iter().zip(&self.model.batteries) {
                let (charge_max, discharge_max) = (battery.charge_max * hours, battery.discharge_max * hours);
                if !battery.from_grid {
                    self.program.row(f64::NEG_INFINITY, 0.0, &[(model.charge[step], 1.0), (out, -charge_max)]);
                }
                if !battery.to_grid {
                    self.program.row(f64::NEG_INFINITY, discharge_max, &[(model.discharge[step], 1.0), (out, discharge_max)]);
                }
            }
        }
    }

    /// Levelling: the highest power has a small price, and each change of power a smaller one.
    fn level(&mut self) {
        let sides = [
            (self.site.nudges.level_import, vec![self.model.import.clone(), self.model.import_over.clone()]),
            (self.site.nudges.level_export, vec![self.model.export.clone()]),
        ];
        for flows in sides.into_iter().filter(|(is_wished, _)| *is_wished).map(|(_, flows)| flows) {
            let highest = self.program.variable(1e-3 * self.base, 0.0, f64::INFINITY);
            let mut before: Vec<(Variable, f64)> = Vec::new();
            for step in 0..self.site.len() {
                let power: Vec<(Variable, f64)> =
                    flows.iter().filter_map(|flow| flow.get(step)).map(|flow| (*flow, 1.0 / self.site.hours[step])).collect();
                let with = |more: &[(Variable, f64)]| [&power[..], more].concat();
                self.program.row(f64::NEG_INFINITY, 0.0, &with(&[(highest, -1.0)]));
                if step > 0 {
                    let change = self.program.variable(1e-5 * self.base, 0.0, f64::INFINITY);
                    let back: Vec<(Variable, f64)> = before.iter().map(|(flow, factor)| (*flow, -factor)).collect();
                    self.program.row(0.0, f64::INFINITY, &[with(&back), vec![(change, 1.0)]].concat());
                    self.program.row(f64::NEG_INFINITY, 0.0, &[with(&back), vec![(change, -1.0)]].concat());
                }
                before = power;
            }
        }
    }

    fn balances(&mut self) {
        for (step, terms) in self.balance.iter().enumerate() {
            let taken: f64 = self.site.loads.iter().map(|load| load.energy[step]).sum();
            self.program.row(taken, taken, terms);
        }
    }
}
