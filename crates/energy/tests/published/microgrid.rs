//! Microgrids of a published benchmark (pymgrid25): load, sun, battery, generator and a grid that may fail, over the hours controllers are scored on.

use lab3_energy::Foresight;
use lab3_energy::dispatch::{Battery, Dispatch, Generator, Grid, Load, Source};
use lab3_solve::Limits;

use crate::data::{number, rows, same, text};

const TEST: &str = "microgrid";

/// The hours that count.
pub const SCORED: std::ops::Range<usize> = 5854..8736;

/// What a gram of carbon counts: the data gives kg, and 0.1 a kg.
const CARBON_PRICE: f64 = 0.1;

/// A microgrid over its whole year.
pub struct Microgrid {
    pub load: Vec<f64>,
    pub sun: Vec<f64>,
    /// Import price, export price, carbon, status; none without a grid.
    pub grid: Option<[Vec<f64>; 4]>,
    /// What `microgrid.yaml` says.
    yaml: String,
}

impl Microgrid {
    pub fn read(number_: u32) -> Option<Self> {
        let file = |name: &str| text(TEST, &format!("pymgrid25/microgrid_{number_}/{name}"));
        let yaml = file("microgrid.yaml")?;
        let column = |text: &str, at: usize| rows(text).1.iter().map(|row| number(row[at]).abs()).collect::<Vec<f64>>();
        let grid = if yaml.contains("!GridModule") {
            let text = file("GridModule.csv.gz")?;
            Some([1, 2, 3, 4].map(|at| column(&text, at)))
        } else {
            None
        };
        Some(Self { load: column(&file("LoadModule.csv.gz")?, 1), sun: column(&file("RenewableModule.csv.gz")?, 1), grid, yaml })
    }

    /// A number of the file; the first of that name.
    fn number(&self, name: &str) -> Option<f64> {
        self.yaml.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(": ")).map(number)
    }

    /// The site in those hours, the battery holding so much at first.
    pub fn site(&self, hours: std::ops::Range<usize>, stored: f64) -> Dispatch {
        let get = |name: &str| self.number(name).unwrap();
        let battery = Battery {
            name: "battery".into(),
            capacity: get("max_capacity"),
            least: get("min_capacity"),
            most: get("max_capacity"),
            initial: stored,
            charge_max: get("max_charge"),
            discharge_max: get("max_discharge"),
            charge_efficiency: get("efficiency"),
            discharge_efficiency: get("efficiency"),
            wear: get("battery_cost_cycle"),
            from_grid: true,
            to_grid: true,
            ..Battery::default()
        };
        let generator = self.number("running_max_production").map(|power_max| Generator {
            name: "generator".into(),
            power_max,
            cost: get("genset_cost") + CARBON_PRICE * get("co2_per_unit"),
            ..Generator::default()
        });
        let grid = self.grid.as_ref().map(|[import, export, carbon, status]| Grid {
            import_price: hours.clone().map(|hour| import[hour] + CARBON_PRICE * carbon[hour]).collect(),
            export_price: export[hours.clone()].to_vec(),
            up: status[hours.clone()].to_vec(),
            import_max: Some(get("max_import")),
            export_max: Some(get("max_export")),
            ..Grid::default()
        });
        Dispatch {
            hours: vec![1.0; hours.len()],
            sources: vec![Source { name: "sun".into(), available: self.sun[hours.clone()].to_vec(), ..Source::default() }],
            grid,
            generators: generator.into_iter().collect(),
            batteries: vec![battery],
            loads: vec![Load { name: "load".into(), energy: self.load[hours].to_vec(), worth: Some(10.0) }],
            ..Dispatch::default()
        }
    }

    /// What the battery holds at first.
    pub fn initial(&self) -> f64 {
        self.number("init_soc").unwrap() * self.number("max_capacity").unwrap()
    }
}

#[test]
fn with_all_known_the_best_is_the_published_optimum() {
    let published = [(0, 346_646.43), (1, 11_501_841.28), (2, 24_308_294.37), (3, 36_399_164.15), (4, 3_709_180.18)];
    for (number, optimum) in published {
        let Some(microgrid) = Microgrid::read(number) else { return };
        let began = std::time::Instant::now();
        let plan = microgrid.site(SCORED, microgrid.initial()).solve(Limits { seconds: 60.0, gap: 1e-9 }).unwrap();
        eprintln!(
            "microgrid {number}: {:.2} ({optimum} is the optimum), {:.0?}, broken {:?}",
            plan.totals.cost(),
            began.elapsed(),
            plan.broken.len()
        );
        same(&format!("microgrid {number}"), plan.totals.cost(), optimum, 0.01);
    }
}

/// Hours a controller looks ahead.
const HORIZON: usize = 24;

/// How a controller knows what comes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Knows {
    /// It is told.
    Given,
    /// It expects it from what was: load, sun and outages. Tariffs are known.
    Expects,
}

/// What it costs to plan again each hour and to do what the first hour of the plan says.
fn controlled(microgrid: &Microgrid, knows: Knows) -> f64 {
    let mut stored = microgrid.initial();
    let (mut sun, mut load) = (Foresight::new(3600), Foresight::new(3600));
    let mut cost = 0.0;
    for hour in SCORED {
        let count = HORIZON.min(SCORED.end - hour);
        let mut site = microgrid.site(hour..hour + count, stored);
        if knows == Knows::Expects {
            site.sources[0].available = sun.ahead(&microgrid.sun[..=hour], count);
            site.loads[0].energy = load.ahead(&microgrid.load[..=hour], count);
            let outages = microgrid.grid.as_ref().map_or(0.0, |[.., status]| {
                let past = &status[hour + 1 - 24 * 28..=hour];
                1.0 - past.iter().sum::<f64>() / f64::from(24 * 28)
            });
            if let Some(grid) = &mut site.grid {
                grid.up[1..].fill(1.0);
            }
            site.value_stored(outages);
        }
        let plan = site.solve(Limits { seconds: 5.0, gap: 1e-9 }).unwrap();
        let first = |row: &[f64], price: f64| row[0] * price;
        if let Some(grid) = &site.grid {
            cost += first(&plan.import, grid.import_price[0]) - first(&plan.export, grid.export_price[0]);
        }
        cost += site.generators.iter().zip(&plan.generators).map(|(generator, part)| first(&part.energy, generator.cost)).sum::<f64>();
        let (battery, part) = (&site.batteries[0], &plan.batteries[0]);
        cost += battery.wear * (battery.charge_efficiency * part.charge[0] + part.discharge[0] / battery.discharge_efficiency);
        cost += first(&plan.unserved[0], 10.0);
        stored = part.stored[0];
    }
    cost
}

#[test]
fn a_controller_that_plans_again_each_hour_comes_near_the_optimum() {
    for (number, optimum) in [(0, 346_646.43), (1, 11_501_841.28)] {
        let Some(microgrid) = Microgrid::read(number) else { return };
        for (knows, percent) in [(Knows::Given, 0.1), (Knows::Expects, 1.5)] {
            let began = std::time::Instant::now();
            let above = 100.0 * (controlled(&microgrid, knows) / optimum - 1.0);
            eprintln!("microgrid {number}, {knows:?}: {above:.3} % above the optimum, {:.1?} for {} plans", began.elapsed(), SCORED.len());
            assert!((-1e-6..percent).contains(&above), "microgrid {number}, {knows:?}: {above} %");
        }
    }
}
