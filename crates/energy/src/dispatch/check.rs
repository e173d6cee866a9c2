//! Whether a site makes sense, before anything is planned: each complaint names the field and what would help.

use super::site::{Battery, Dispatch, Flexible, Generator, Grid};

/// Most steps of a plan: a year of quarter hours.
pub const STEPS_MAX: usize = 35_136;
/// Most batteries, sources, generators, loads and flexible loads, each.
pub const THINGS_MAX: usize = 64;

/// Most flows of a plan: steps times what can flow in each. A year of quarter hours has room for some twenty-eight.
pub const FLOWS_MAX: usize = 1_000_000;

/// What is wrong with a site.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {detail}")]
pub struct Invalid {
    /// The field, as a request spells it (`batteries[0].initial_kwh`).
    pub field: String,
    /// What is wrong with it, and what would help.
    pub detail: String,
}

/// What numbers may be.
#[derive(Clone, Copy)]
enum Kind {
    /// Prices: any number people have seen, negative ones too.
    Price,
    /// Energies and powers: not negative.
    Positive,
    /// Efficiencies: above 0, at most 1.
    Efficiency,
    /// Between 0 and 1.
    Share,
}

impl Kind {
    fn complaint(self, value: f64) -> Option<&'static str> {
        let fits = match self {
            Kind::Price => value.abs() <= 1e6,
            Kind::Positive => (0.0..=1e9).contains(&value),
            Kind::Efficiency => value > 0.01 && value <= 1.0,
            Kind::Share => (0.0..=1.0).contains(&value),
        };
        let wanted = match self {
            Kind::Price => "a number between -1,000,000 and 1,000,000",
            Kind::Positive => "a number between 0 and 1,000,000,000",
            Kind::Efficiency => "a number above 0.01 and at most 1",
            Kind::Share => "a number between 0 and 1",
        };
        // A number that is none fits nowhere.
        (!fits).then_some(wanted)
    }
}

fn invalid(field: impl Into<String>, detail: impl Into<String>) -> Invalid {
    Invalid { field: field.into(), detail: detail.into() }
}

fn one(field: &str, value: f64, kind: Kind) -> Result<(), Invalid> {
    kind.complaint(value).map_or(Ok(()), |wanted| Err(invalid(field, format!("is {value}, and has to be {wanted}"))))
}

/// A row with a value for each step.
fn row(field: &str, values: &[f64], steps: usize, kind: Kind) -> Result<(), Invalid> {
    if values.len() != steps {
        return Err(invalid(field, format!("has {} values for {steps} steps: give one for each", values.len())));
    }
    values.iter().enumerate().try_for_each(|(step, value)| one(&format!("{field}[{step}]"), *value, kind))
}

/// A row that may be left out.
fn row_or_none(field: &str, values: &[f64], steps: usize, kind: Kind) -> Result<(), Invalid> {
    if values.is_empty() { Ok(()) } else { row(field, values, steps, kind) }
}

fn few(field: &str, count: usize, most: usize) -> Result<(), Invalid> {
    if count > most { Err(invalid(field, format!("has {count} entries, and {most} are allowed"))) } else { Ok(()) }
}

impl Dispatch {
    /// Whether it can be planned.
    pub fn check(&self) -> Result<(), Invalid> {
        if self.is_empty() {
            return Err(invalid("step_minutes", "has no steps: give at least one"));
        }
        few("step_minutes", self.len(), STEPS_MAX)?;
        let steps = self.len();
        for (step, hours) in self.hours.iter().enumerate() {
            if !(*hours > 0.0 && *hours <= 8784.0) {
                return Err(invalid(
                    format!("step_minutes[{step}]"),
                    format!("is {} minutes, and has to be above 0 and at most 527040", hours * 60.0),
                ));
            }
        }
        self.check_counts()?;
        one("carbon_price_per_kg", self.wish.carbon_price, Kind::Positive)?;
        for (number, source) in self.sources.iter().enumerate() {
            let field = |name: &str| format!("sources[{number}].{name}");
            row(&field("available_kwh"), &source.available, steps, Kind::Positive)?;
            row_or_none(&field("curtail_cost_per_kwh"), &source.curtail_cost, steps, Kind::Price)?;
            one(&field("cost_per_kwh"), source.cost, Kind::Price)?;
            one(&field("carbon_g_per_kwh"), source.carbon, Kind::Positive)?;
        }
        self.grid.as_ref().map_or(Ok(()), |grid| check_grid(grid, steps))?;
        self.generators.iter().enumerate().try_for_each(|(number, generator)| check_generator(number, generator))?;
        self.batteries.iter().enumerate().try_for_each(|(number, battery)| check_battery(number, battery, steps))?;
        for (number, load) in self.loads.iter().enumerate() {
            row(&format!("loads[{number}].energy_kwh"), &load.energy, steps, Kind::Positive)?;
            one(&format!("loads[{number}].worth_per_kwh"), load.worth.unwrap_or(0.0), Kind::Positive)?;
        }
        self.flexible.iter().enumerate().try_for_each(|(number, load)| check_flexible(number, load, steps))
    }

    fn check_counts(&self) -> Result<(), Invalid> {
        few("sources", self.sources.len(), THINGS_MAX)?;
        few("generators", self.generators.len(), THINGS_MAX)?;
        few("batteries", self.batteries.len(), THINGS_MAX)?;
        few("loads", self.loads.len(), THINGS_MAX)?;
        few("flexible", self.flexible.len(), THINGS_MAX)?;
        // Bought, above the limit, sold; and of a battery in, out and stored.
        let flows = 3 + self.sources.len() + self.generators.len() + 3 * self.batteries.len() + self.loads.len() + self.flexible.len();
        if self.len() * flows > FLOWS_MAX {
            let detail = format!(
                "has {} steps with {flows} flows in each, and together {FLOWS_MAX} are allowed: plan fewer or longer steps",
                self.len()
            );
            return Err(invalid("step_minutes", detail));
        }
        Ok(())
    }
}

fn check_grid(grid: &Grid, steps: usize) -> Result<(), Invalid> {
    row("grid.import_price", &grid.import_price, steps, Kind::Price)?;
    row("grid.export_price", &grid.export_price, steps, Kind::Price)?;
    row_or_none("grid.carbon_g_per_kwh", &grid.carbon, steps, Kind::Positive)?;
    row("grid.up", &grid.up, steps, Kind::Share)?;
    one("grid.import_max_kw", grid.import_max.unwrap_or(0.0), Kind::Positive)?;
    one("grid.export_max_kw", grid.export_max.unwrap_or(0.0), Kind::Positive)?;
    let Some(peak) = grid.peak else { return Ok(()) };
    one("grid.peak_so_far_kw", peak.so_far, Kind::Positive)?;
    one("grid.peak_price_per_kw", peak.price, Kind::Positive)
}

fn check_generator(number: usize, generator: &Generator) -> Result<(), Invalid> {
    let field = |name: &str| format!("generators[{number}].{name}");
    one(&field("power_min_kw"), generator.power_min, Kind::Positive)?;
    one(&field("power_max_kw"), generator.power_max, Kind::Positive)?;
    one(&field("cost_per_kwh"), generator.cost, Kind::Price)?;
    one(&field("carbon_g_per_kwh"), generator.carbon, Kind::Positive)?;
    ordered(&field("power_min_kw"), generator.power_min, "power_max_kw", generator.power_max)
}

fn check_battery(number: usize, battery: &Battery, steps: usize) -> Result<(), Invalid> {
    let field = |name: &str| format!("batteries[{number}].{name}");
    let amounts = [
        ("capacity_kwh", battery.capacity),
        ("least_kwh", battery.least),
        ("most_kwh", battery.most),
        ("initial_kwh", battery.initial),
        ("charge_min_kw", battery.charge_min),
        ("charge_max_kw", battery.charge_max),
        ("discharge_max_kw", battery.discharge_max),
        ("wear_per_kwh", battery.wear),
    ];
    amounts.iter().try_for_each(|(name, value)| one(&field(name), *value, Kind::Positive))?;
    one(&field("charge_efficiency"), battery.charge_efficiency, Kind::Efficiency)?;
    one(&field("discharge_efficiency"), battery.discharge_efficiency, Kind::Efficiency)?;
    one(&field("end_value_per_kwh"), battery.end_value, Kind::Price)?;
    row_or_none(&field("goals_kwh"), &battery.goals, steps, Kind::Positive)?;
    row_or_none(&field("demand_kwh"), &battery.demand.energy, steps, Kind::Positive)?;
    if battery.priority > 2 {
        return Err(invalid(field("priority"), format!("is {}, and has to be 0, 1 or 2", battery.priority)));
    }
    ordered(&field("least_kwh"), battery.least, "most_kwh", battery.most)?;
    ordered(&field("most_kwh"), battery.most, "capacity_kwh", battery.capacity)?;
    ordered(&field("initial_kwh"), battery.initial, "capacity_kwh", battery.capacity)?;
    ordered(&field("charge_min_kw"), battery.charge_min, "charge_max_kw", battery.charge_max)
}

fn ordered(field: &str, low: f64, above: &str, high: f64) -> Result<(), Invalid> {
    if low > high { Err(invalid(field, format!("is {low}, more than {above}, {high}"))) } else { Ok(()) }
}

fn check_flexible(number: usize, load: &Flexible, steps: usize) -> Result<(), Invalid> {
    let field = |name: &str| format!("flexible[{number}].{name}");
    one(&field("power_kw"), load.power, Kind::Positive)?;
    few(&field("steps"), load.steps, STEPS_MAX)?;
    if load.window.start > load.window.end || load.window.end > steps {
        return Err(invalid(
            field("first_step"),
            format!(
                "is {}, the last step {}, and the plan has the steps 0 to {}",
                load.window.start,
                load.window.end.saturating_sub(1),
                steps - 1
            ),
        ));
    }
    Ok(())
}
