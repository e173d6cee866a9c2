//! The choices that plans did not keep by themselves, and the steps in which they are whole variables.

use std::collections::BTreeSet;

use lab3_solve::{Solution, Variable};

use super::model::Model;
use super::site::Dispatch;

/// Less than that part of its most, a flow is none.
const SLIVER: f64 = 1e-6;

/// So many steps to either side get the same choice: otherwise the next plan breaks it there.
const NEIGHBOURS: usize = 24;

/// Steps with whole variables.
#[derive(Clone, Debug, Default)]
pub(super) struct Switches {
    /// Buying or selling.
    pub(super) flow: BTreeSet<usize>,
    /// Each battery: charging or discharging.
    pub(super) one_way: Vec<BTreeSet<usize>>,
    /// Each battery: charging with at least so much, or not.
    pub(super) charge_min: Vec<BTreeSet<usize>>,
    /// Each generator: running with at least so much, or not.
    pub(super) generators: Vec<BTreeSet<usize>>,
}

impl Switches {
    /// Only those that no plan would keep by itself: where selling brings more than buying costs, both would happen.
    pub(super) fn first(site: &Dispatch) -> Self {
        let batteries = vec![BTreeSet::new(); site.batteries.len()];
        let net = site.grid.as_ref().filter(|grid| grid.metering == super::Metering::Net);
        let brings_more =
            |step: &usize| net.is_some_and(|grid| grid.export_price[*step] > grid.import_price[*step] && grid.up[*step] > 0.0);
        Self {
            flow: (0..site.len()).filter(brings_more).collect(),
            one_way: batteries.clone(),
            charge_min: batteries,
            generators: vec![BTreeSet::new(); site.generators.len()],
        }
    }

    /// Every choice there is.
    pub(super) fn all(site: &Dispatch) -> Self {
        let is_net = site.grid.as_ref().is_some_and(|grid| grid.metering == super::Metering::Net);
        let steps_if = |is_there: bool| if is_there { (0..site.len()).collect() } else { BTreeSet::new() };
        Self {
            flow: steps_if(is_net),
            one_way: vec![steps_if(true); site.batteries.len()],
            charge_min: site.batteries.iter().map(|battery| steps_if(battery.charge_min > 0.0)).collect(),
            generators: site.generators.iter().map(|generator| steps_if(generator.power_min > 0.0)).collect(),
        }
    }

    /// How many choices there are.
    pub(super) fn len(&self) -> usize {
        let rows = self.one_way.iter().chain(&self.charge_min).chain(&self.generators);
        self.flow.len() + rows.map(BTreeSet::len).sum::<usize>()
    }

    /// Adds those that a solution does not keep; whether there were any.
    pub(super) fn add_broken(&mut self, site: &Dispatch, model: &Model, solution: &Solution) -> bool {
        let mut found = false;
        let mut add = |steps: &mut BTreeSet<usize>, step: usize| {
            if steps.insert(step) {
                found = true;
                steps.extend(step.saturating_sub(NEIGHBOURS)..(step + NEIGHBOURS + 1).min(site.len()));
            }
        };
        for step in 0..site.len() {
            let some = |flow: Variable, most: f64| solution.value(flow) > SLIVER * most.max(1.0);
            let hours = site.hours[step];
            let (mut charges_not_from, mut discharges_not_to) = (false, false);
            for (number, (battery, variables)) in site.batteries.iter().zip(&model.batteries).enumerate() {
                let charges = some(variables.charge[step], battery.charge_max * hours);
                let discharges = some(variables.discharge[step], battery.discharge_max * hours);
                charges_not_from |= charges && !battery.from_grid;
                discharges_not_to |= discharges && !battery.to_grid;
                if charges && discharges {
                    add(&mut self.one_way[number], step);
                }
                let least = battery.charge_min * hours;
                if charges && solution.value(variables.charge[step]) < least * (1.0 - SLIVER) {
                    add(&mut self.charge_min[number], step);
                }
            }
            for (number, (generator, variables)) in site.generators.iter().zip(&model.generated).enumerate() {
                let least = generator.power_min * hours;
                if some(variables[step], generator.power_max * hours) && solution.value(variables[step]) < least * (1.0 - SLIVER) {
                    add(&mut self.generators[number], step);
                }
            }
            if model.import.is_empty() || site.grid.as_ref().is_some_and(|grid| grid.metering == super::Metering::Gross) {
                continue;
            }
            let buys = some(model.import[step], 1.0) || some(model.import_over[step], 1.0);
            let sells = some(model.export[step], 1.0);
            if (buys && (sells || charges_not_from)) || (sells && discharges_not_to) {
                add(&mut self.flow, step);
            }
        }
        found
    }
}
