//! Plans of random sites: there is always one, it keeps the physics and the limits, and names what it breaks. And plans worked out by hand.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "outside of #[test] functions clippy does not see that this is a test")]

use lab3_energy::dispatch::{
    Battery, Demand, Dispatch, Flexible, Generator, Grid, Limit, Load, Metering, Nudges, Peak, Plan, Source, Unplanned, Wish,
};
use lab3_solve::Limits;
use proptest::prelude::*;

/// So short that the hardest sites do not end in it: they have a plan all the same.
const LIMITS: Limits = Limits { seconds: 0.5, gap: 1e-6 };

fn row(steps: usize, low: f64, high: f64) -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(prop_oneof![Just(0.0_f64.clamp(low, high)), low..high], steps)
}

fn battery(steps: usize) -> impl Strategy<Value = Battery> {
    let size = (1.0_f64..50.0, 0.0_f64..0.5, 0.5_f64..1.0, 0.0_f64..1.0);
    let powers = (0.0_f64..0.9, 0.0_f64..20.0, 0.0_f64..20.0);
    let way = (0.5_f64..1.0, 0.5_f64..1.0, 0.0_f64..0.1, -0.2_f64..0.5, any::<bool>(), any::<bool>(), 0_u8..3);
    let asked = (prop::option::of(row(steps, 0.0, 60.0)), prop::option::of(row(steps, 0.0, 10.0)));
    (size, powers, way, asked).prop_map(|(size, powers, way, asked)| {
        let (capacity, least, most, initial) = size;
        Battery {
            name: "battery".into(),
            capacity,
            least: least * capacity,
            most: most * capacity,
            initial: initial * capacity,
            charge_min: powers.0 * powers.1,
            charge_max: powers.1,
            discharge_max: powers.2,
            charge_efficiency: way.0,
            discharge_efficiency: way.1,
            wear: way.2,
            end_value: way.3,
            from_grid: way.4,
            to_grid: way.5,
            priority: way.6,
            goals: asked.0.unwrap_or_default(),
            demand: Demand { energy: asked.1.unwrap_or_default() },
        }
    })
}

fn grid(steps: usize) -> impl Strategy<Value = Grid> {
    let limits = (prop::option::of(0.0_f64..20.0), prop::option::of(0.0_f64..20.0), prop::option::of((0.0_f64..10.0, 0.0_f64..20.0)));
    let up = prop::collection::vec(prop_oneof![4 => Just(1.0), 1 => Just(0.0)], steps);
    (row(steps, -0.3, 1.0), row(steps, -0.3, 1.2), row(steps, 0.0, 800.0), up, limits, any::<bool>()).prop_map(
        |(import_price, export_price, carbon, up, (import_max, export_max, peak), gross)| Grid {
            import_price,
            export_price,
            carbon,
            up,
            import_max,
            export_max,
            peak: peak.map(|(so_far, price)| Peak { so_far, price }),
            metering: if gross { Metering::Gross } else { Metering::Net },
        },
    )
}

fn site() -> impl Strategy<Value = Dispatch> {
    (1_usize..10).prop_flat_map(|steps| {
        let source = row(steps, 0.0, 15.0).prop_map(|available| Source { name: "sun".into(), available, ..Source::default() });
        let generator = (0.0_f64..1.0, 0.0_f64..20.0, 0.0_f64..1.0).prop_map(|(least, power_max, cost)| Generator {
            name: "generator".into(),
            power_min: least * power_max,
            power_max,
            cost,
            carbon: 700.0,
        });
        let load = (row(steps, 0.0, 15.0), prop::option::of(0.0_f64..20.0)).prop_map(|(energy, worth)| Load {
            name: "load".into(),
            energy,
            worth,
        });
        let flexible = (0.0_f64..10.0, 0_usize..12, 0..steps, 1..=steps).prop_map(move |(power, count, start, length)| Flexible {
            name: "flexible".into(),
            power,
            steps: count,
            window: start..(start + length).min(steps),
        });
        let nudges =
            any::<(bool, bool, bool, bool)>().prop_map(|(charge_before_export, discharge_before_import, level_import, level_export)| {
                Nudges { charge_before_export, discharge_before_import, level_import, level_export }
            });
        let wish = (prop_oneof![Just(0.0), 0.0_f64..0.01], any::<bool>())
            .prop_map(|(carbon_price, self_consumption)| Wish { carbon_price, self_consumption });
        (
            prop::collection::vec(0.1_f64..2.0, steps),
            prop::collection::vec(source, 0..3),
            prop::option::of(grid(steps)),
            prop::collection::vec(generator, 0..2),
            prop::collection::vec(battery(steps), 0..3),
            prop::collection::vec(load, 0..3),
            prop::collection::vec(flexible, 0..2),
            wish,
            nudges,
        )
            .prop_map(|(hours, sources, grid, generators, batteries, loads, flexible, wish, nudges)| Dispatch {
                hours,
                sources,
                grid,
                generators,
                batteries,
                loads,
                flexible,
                wish,
                nudges,
            })
    })
}

/// Half of what the solver may be off by, times what is at stake.
const NEAR: f64 = 1e-4;

fn sum(rows: &[Vec<f64>], step: usize) -> f64 {
    rows.iter().map(|row| row[step]).sum()
}

/// Energy is neither made nor lost, in any step.
fn check_balance(site: &Dispatch, plan: &Plan) {
    let gross = site.grid.as_ref().is_some_and(|grid| grid.metering == Metering::Gross);
    for step in 0..site.len() {
        let from_batteries: f64 = plan.batteries.iter().map(|battery| battery.discharge[step] - battery.charge[step]).sum();
        let generated: f64 = plan.generators.iter().map(|generator| generator.energy[step]).sum();
        let runs = |(load, steps): (&Flexible, &Vec<usize>)| if steps.contains(&step) { load.power * site.hours[step] } else { 0.0 };
        let flexible: f64 = site.flexible.iter().zip(&plan.flexible).map(runs).sum();
        let taken = site.loads.iter().map(|load| load.energy[step]).sum::<f64>() - sum(&plan.unserved, step) + flexible;
        let (given, sold) = if gross { (0.0, 0.0) } else { (sum(&plan.used, step), plan.export[step]) };
        let left = plan.import[step] + given + generated + from_batteries - taken - sold;
        assert!(left.abs() < NEAR, "step {step}: {left} kWh too much");
        if gross {
            assert!((sum(&plan.used, step) - plan.export[step]).abs() < NEAR);
        }
    }
}

fn check_battery(site: &Dispatch, plan: &Plan) {
    for (battery, plan) in site.batteries.iter().zip(&plan.batteries) {
        let mut before = battery.initial;
        for step in 0..site.len() {
            let (charge, discharge, stored) = (plan.charge[step], plan.discharge[step], plan.stored[step]);
            let hours = site.hours[step];
            assert!((before + charge * battery.charge_efficiency - discharge / battery.discharge_efficiency - stored).abs() < NEAR);
            assert!((-NEAR..battery.capacity + NEAR).contains(&stored));
            assert!(charge < battery.charge_max * hours + NEAR && discharge < battery.discharge_max * hours + NEAR);
            assert!(charge < NEAR || discharge < NEAR, "both ways at once: {charge} in, {discharge} out");
            let is_asked = battery.demand.energy.get(step).is_some_and(|wanted| *wanted > 0.0);
            assert!(charge < NEAR || charge > battery.charge_min * hours - NEAR || is_asked, "charged with {charge}");
            before = stored;
        }
    }
}

/// What is broken is named, and nothing else is broken.
fn check_limits(site: &Dispatch, plan: &Plan) {
    let named = |limit: Limit, step: usize| plan.broken.iter().any(|broken| broken.limit == limit && broken.steps.contains(&step));
    for step in 0..site.len() {
        if let Some(grid) = &site.grid {
            let (buys, sells) = (plan.import[step] > NEAR, plan.export[step] > NEAR);
            assert!(!(buys && sells) || grid.metering == Metering::Gross, "bought and sold at once");
            assert!(grid.up[step] > 0.0 || !(buys || sells), "the grid is down");
            let most = grid.import_max.map_or(f64::INFINITY, |most| most * site.hours[step]);
            assert!(plan.import[step] < most + NEAR || named(Limit::Import, step));
            assert!(grid.export_max.is_none_or(|most| plan.export[step] < most * site.hours[step] + NEAR));
            for (battery, plan) in site.batteries.iter().zip(&plan.batteries).filter(|_| grid.metering == Metering::Net) {
                assert!(battery.from_grid || !(buys && plan.charge[step] > NEAR), "charged from the grid");
                assert!(battery.to_grid || !(sells && plan.discharge[step] > NEAR), "discharged to the grid");
            }
        }
        for (number, (battery, part)) in site.batteries.iter().zip(&plan.batteries).enumerate() {
            let stored = part.stored[step];
            assert!(stored < battery.most + NEAR || named(Limit::Most(number), step), "{stored} stored, {} is most", battery.most);
            assert!(stored > battery.least - NEAR || named(Limit::Least(number), step));
            let goal = battery.goals.get(step).copied().unwrap_or(0.0);
            assert!(stored > goal - NEAR || named(Limit::Goal(number), step));
        }
        for (number, unserved) in plan.unserved.iter().enumerate() {
            assert!(unserved[step] < NEAR || named(Limit::Load(number), step));
        }
    }
    for (number, (load, steps)) in site.flexible.iter().zip(&plan.flexible).enumerate() {
        assert!(steps.iter().all(|step| load.window.contains(step)));
        assert!(steps.len() == load.steps || (steps.len() < load.steps && named(Limit::Flexible(number), load.window.start)));
    }
}

/// `LAB3_ENERGY_SITES` sets how many sites are tried.
fn cases() -> ProptestConfig {
    let cases = std::env::var("LAB3_ENERGY_SITES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(150);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn every_site_has_a_plan_that_keeps_what_it_can(site in site()) {
        let plan = site.solve(LIMITS).unwrap();
        check_balance(&site, &plan);
        check_battery(&site, &plan);
        check_limits(&site, &plan);
    }

    #[test]
    fn numbers_that_make_no_sense_are_refused_by_name(mut site in site(), wrong in prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(-1e7), Just(1e12)]) {
        site.hours[0] = wrong;
        let Err(Unplanned::Invalid(invalid)) = site.solve(LIMITS) else { panic!("it was planned") };
        prop_assert_eq!(invalid.field, "step_minutes[0]");
    }
}

#[test]
fn more_than_a_machine_can_hold_is_refused_before_it_is_built() {
    let battery = Battery { charge_efficiency: 1.0, discharge_efficiency: 1.0, ..Battery::default() };
    let site = Dispatch { hours: vec![0.25; 35_000], batteries: vec![battery; 60], ..Dispatch::default() };
    let Err(Unplanned::Invalid(invalid)) = site.solve(LIMITS) else { panic!("it was planned") };
    assert_eq!(invalid.field, "step_minutes");
}

/// Two hours, the second dear, and a battery.
fn two_hours() -> Dispatch {
    Dispatch {
        hours: vec![1.0, 1.0],
        grid: Some(Grid {
            import_price: vec![0.1, 0.5],
            export_price: vec![0.0; 2],
            carbon: vec![300.0, 100.0],
            up: vec![1.0; 2],
            ..Grid::default()
        }),
        batteries: vec![Battery {
            name: "battery".into(),
            capacity: 10.0,
            most: 10.0,
            charge_max: 5.0,
            discharge_max: 5.0,
            charge_efficiency: 0.5,
            discharge_efficiency: 1.0,
            from_grid: true,
            to_grid: true,
            ..Battery::default()
        }],
        loads: vec![Load { name: "house".into(), energy: vec![1.0, 2.0], worth: None }],
        ..Dispatch::default()
    }
}

#[test]
fn a_battery_carries_the_cheap_hour_into_the_dear_one() {
    let plan = two_hours().solve(LIMITS).unwrap();
    // 4 kWh in for 2 out: 0.4 instead of 1.0.
    assert!((plan.batteries[0].charge[0] - 4.0).abs() < 1e-6, "{plan:?}");
    assert!((plan.totals.cost() - 0.5).abs() < 1e-9);
    assert!((plan.totals.carbon_g - 1500.0).abs() < 1e-6);
}

#[test]
fn carbon_may_count_more_than_money() {
    let mut site = two_hours();
    site.wish.carbon_price = 0.01;
    // The cheap hour is the dirty one: 600 g for a kWh out of the battery, at 6 MIC, against 1 MIC and 0.5.
    let plan = site.solve(LIMITS).unwrap();
    assert!(plan.batteries[0].charge[0].abs() < 1e-6);
    assert!((plan.totals.carbon_g - 500.0).abs() < 1e-6);
}

#[test]
fn a_peak_that_is_paid_for_is_used_up_and_no_more() {
    let mut site = two_hours();
    let grid = site.grid.as_mut().unwrap();
    grid.peak = Some(Peak { so_far: 3.0, price: 1.0 });
    let plan = site.solve(LIMITS).unwrap();
    assert!((plan.import[0] - 3.0).abs() < 1e-6 && plan.peak_above.abs() < 1e-9, "{plan:?}");
}

#[test]
fn what_goes_without_is_named_with_its_price() {
    let mut site = two_hours();
    site.grid.as_mut().unwrap().up = vec![0.0, 0.0];
    site.batteries[0].initial = 1.5;
    site.loads.push(Load { name: "clinic".into(), energy: vec![0.5, 0.5], worth: Some(1e4) });
    site.loads[0].worth = Some(7.0);
    let plan = site.solve(LIMITS).unwrap();
    assert!(plan.unserved[1].iter().all(|unserved| *unserved < 1e-6), "the clinic comes first");
    let broken: Vec<(Limit, f64)> = plan.broken.iter().map(|broken| (broken.limit, broken.price)).collect();
    assert_eq!(broken, [(Limit::Load(0), 7.0)]);
    assert!((plan.broken[0].amount - 2.5).abs() < 1e-6);
}
