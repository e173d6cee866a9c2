//! Microgrids of a published benchmark (pymgrid25): load, sun, battery, generator and a grid that may fail, over the hours controllers are scored on.

use lab3_energy::Foresight;
use lab3_energy::controller::{Controller, Decision};
use lab3_energy::dispatch::Battery;
use lab3_energy::site::{Ahead, BatterySite, GeneratorSite, GridSite, LoadSite, Now, Outlook, Site, SourceSite, Tier};
use lab3_solve::Limits;
use lab3_units::Time;

use crate::data::{number, rows, same, text};

const TEST: &str = "microgrid";

/// The hours that count.
pub const SCORED: std::ops::Range<usize> = 5854..8736;

/// What a gram of carbon counts: the data gives kg, and 0.1 a kg.
const CARBON_PRICE: f64 = 0.1;

/// When an hour of the year begins.
pub fn hour_of(hour: usize) -> Time {
    Time::from_millis(i64::try_from(hour).unwrap() * 3_600_000)
}

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
    pub fn number(&self, name: &str) -> Option<f64> {
        self.yaml.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(": ")).map(number)
    }

    /// The site: one load, which everything else serves.
    pub fn hive(&self) -> Site {
        let get = |name: &str| self.number(name).unwrap();
        let generator = self.number("running_max_production").map(|power_max_kw| GeneratorSite {
            name: "generator".into(),
            power_max_kw,
            cost_per_kwh: get("genset_cost") + CARBON_PRICE * get("co2_per_unit"),
            ..GeneratorSite::default()
        });
        Site {
            step_minutes: 60.0,
            grid: self.grid.as_ref().map(|_| GridSite {
                import_max_kw: Some(get("max_import")),
                export_max_kw: Some(get("max_export")),
                ..GridSite::default()
            }),
            sources: vec![SourceSite { name: "sun".into(), ..SourceSite::default() }],
            generators: generator.into_iter().collect(),
            batteries: vec![BatterySite {
                name: "battery".into(),
                capacity_kwh: get("max_capacity"),
                least_kwh: get("min_capacity"),
                charge_max_kw: get("max_charge"),
                discharge_max_kw: get("max_discharge"),
                charge_efficiency: get("efficiency"),
                discharge_efficiency: get("efficiency"),
                wear_per_kwh: get("battery_cost_cycle"),
                from_grid: true,
                to_grid: true,
                ..BatterySite::default()
            }],
            loads: vec![LoadSite { name: "load".into(), tier: Tier::Homes, worth_per_kwh: Some(10.0) }],
            ..Site::default()
        }
    }

    /// Those hours, all known, the battery holding so much at first.
    pub fn known(&self, hours: std::ops::Range<usize>, stored: f64) -> Ahead {
        let row = |row: &[f64]| row[hours.clone()].to_vec();
        let grid = |number: usize| self.grid.as_ref().map_or_else(Vec::new, |grid| row(&grid[number]));
        let up = grid(3);
        let carbon = grid(2);
        Ahead {
            now: Now { at: hour_of(hours.start), stored_kwh: vec![stored], is_down: up.first() == Some(&0.0), ..Now::default() },
            steps: hours.len(),
            import_price: grid(0).iter().zip(&carbon).map(|(price, carbon)| price + CARBON_PRICE * carbon).collect(),
            export_price: grid(1),
            up,
            sources: vec![Outlook::known(row(&self.sun))],
            loads: vec![Outlook::known(row(&self.load))],
            ..Ahead::default()
        }
    }

    /// The share of the four weeks before an hour in which the grid was down.
    pub fn outages(&self, hour: usize) -> f64 {
        self.grid.as_ref().map_or(0.0, |[.., status]| {
            let past = &status[hour + 1 - 24 * 28..=hour];
            1.0 - past.iter().sum::<f64>() / f64::from(24 * 28)
        })
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
        let site = microgrid.hive().dispatch(&microgrid.known(SCORED, microgrid.initial()));
        let plan = site.solve(Limits { seconds: 60.0, gap: 1e-9 }).unwrap();
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
    let (site, mut controller) = (microgrid.hive(), Controller::default());
    let mut cost = 0.0;
    for hour in SCORED {
        let count = HORIZON.min(SCORED.end - hour);
        let mut ahead = microgrid.known(hour..hour + count, stored);
        if knows == Knows::Expects {
            ahead.sources[0].expected = sun.ahead(&microgrid.sun[..=hour], count);
            ahead.loads[0].expected = load.ahead(&microgrid.load[..=hour], count);
            ahead.outages = microgrid.outages(hour);
            ahead.up.clear();
        }
        let decision = controller.plan(&site, ahead, Limits { seconds: 5.0, gap: 1e-9 }).unwrap();
        cost += cost_of(&decision) + 10.0 * decision.now.unserved[0];
        stored = decision.planned.plan.batteries[0].stored[0];
    }
    cost
}

/// What a decision's step costs, without what loads go without.
pub fn cost_of(decision: &Decision) -> f64 {
    let (now, dispatch) = (&decision.now, &decision.planned.dispatch);
    let grid = dispatch.grid.as_ref().map_or(0.0, |grid| now.import * grid.import_price[0] - now.export * grid.export_price[0]);
    let generators: f64 = dispatch.generators.iter().zip(&now.generated).map(|(generator, energy)| generator.cost * energy).sum();
    let wear = |(battery, charged): (&Battery, &f64)| {
        battery.wear * (battery.charge_efficiency * charged.max(0.0) + (-charged).max(0.0) / battery.discharge_efficiency)
    };
    grid + generators + dispatch.batteries.iter().zip(&now.charged).map(wear).sum::<f64>()
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
