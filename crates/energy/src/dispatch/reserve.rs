//! What energy is worth that is still stored when a plan ends: where the grid fails now and then, what would stand in for it.

use super::model::LAST;
use super::site::Dispatch;

impl Dispatch {
    /// What going without costs where no worth is stated, MIC a kWh.
    pub(crate) fn last_price(&self) -> f64 {
        LAST * self.price_base()
    }

    /// Values what batteries hold at the end by what it would save in an outage, when that is more than they are valued at. `outages` is the share of time in
    /// which the grid was down lately.
    ///
    /// An outage in one of the `n` steps to come has the chance `1 - (1 - outages)^n`; a kWh stored then saves a kWh, less what is lost on the way out, of what
    /// stands in for the grid: the dearest generator, since the cheaper ones run anyhow, or a load going without.
    pub fn value_stored(&mut self, outages: f64) {
        let steps = i32::try_from(self.len()).unwrap_or(i32::MAX);
        let chance = 1.0 - (1.0 - outages.clamp(0.0, 1.0)).powi(steps);
        let generators = self.generators.iter().filter(|generator| generator.power_max > 0.0).map(|generator| generator.cost);
        let unserved = self.loads.iter().map(|load| load.worth.unwrap_or_else(|| self.last_price()));
        let stands_in = generators.reduce(f64::max).or_else(|| unserved.reduce(f64::max)).unwrap_or(0.0);
        for battery in &mut self.batteries {
            battery.end_value = battery.end_value.max(battery.discharge_efficiency * chance * stands_in);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::site::{Battery, Generator, Load};
    use super::*;

    fn site() -> Dispatch {
        let battery = Battery { discharge_efficiency: 0.5, end_value: 0.1, ..Battery::default() };
        let load = Load { worth: Some(10.0), ..Load::default() };
        Dispatch { hours: vec![1.0; 2], batteries: vec![battery], loads: vec![load], ..Dispatch::default() }
    }

    #[test]
    fn a_store_is_worth_what_it_may_save() {
        let worth = |mut site: Dispatch, outages: f64| {
            site.value_stored(outages);
            site.batteries[0].end_value
        };
        // Down half of the time: in one of two hours with 3/4.
        assert!((worth(site(), 0.5) - 0.75 * 0.5 * 10.0).abs() < 1e-12);
        let generator = Generator { power_max: 1.0, cost: 0.8, ..Generator::default() };
        assert!((worth(Dispatch { generators: vec![generator], ..site() }, 0.5) - 0.75 * 0.5 * 0.8).abs() < 1e-12);
        assert!((worth(site(), 0.0) - 0.1).abs() < 1e-12, "without outages it is worth what it was");
    }
}
