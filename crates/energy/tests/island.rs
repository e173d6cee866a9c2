//! Without the grid: tiers are served in order on random sites, survivability is what a simulation finds, and the reserve is enough.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "outside of #[test] functions clippy does not see that this is a test")]

use lab3_energy::dispatch::{Battery, Unplanned};
use lab3_energy::site::{Ahead, BatterySite, GeneratorSite, GridSite, LoadSite, Now, Outlook, Reserve, Site, SourceSite, Tier};
use lab3_energy::survive::{Fleet, lasting, needed};
use lab3_solve::{Limits, Unsolved};
use proptest::prelude::*;

const LIMITS: Limits = Limits { seconds: 5.0, gap: 1e-9 };

fn cases() -> ProptestConfig {
    let cases = std::env::var("LAB3_ENERGY_SITES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(100);
    ProptestConfig { cases, max_global_rejects: cases.saturating_mul(10).max(1024), failure_persistence: None, ..ProptestConfig::default() }
}

fn battery() -> impl Strategy<Value = BatterySite> {
    let size = (1.0_f64..40.0, 0.0_f64..0.4);
    (size, 0.5_f64..15.0, 0.5_f64..15.0, 0.5_f64..1.0, 0.5_f64..1.0, any::<bool>()).prop_map(
        |(size, charge, discharge, inward, out, from_grid)| BatterySite {
            name: "battery".into(),
            capacity_kwh: size.0,
            least_kwh: size.0 * size.1,
            charge_max_kw: charge,
            discharge_max_kw: discharge,
            charge_efficiency: inward,
            discharge_efficiency: out,
            from_grid,
            // Where a battery may neither be charged from the grid nor discharged to it, a plan does not move energy between batteries.
            to_grid: true,
            ..BatterySite::default()
        },
    )
}

fn row(steps: usize, most: f64) -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(prop_oneof![Just(0.0), 0.0..most], steps)
}

fn tier() -> impl Strategy<Value = Tier> {
    (0..Tier::ALL.len()).prop_map(|number| Tier::ALL[number])
}

/// A site, and what is ahead of it: the grid is there in some of the steps.
fn islands() -> impl Strategy<Value = (Site, Ahead)> {
    (2_usize..9, 0_usize..3).prop_flat_map(|(steps, batteries)| {
        let loads = prop::collection::vec((tier(), row(steps, 8.0), prop::option::of(0.01_f64..5.0)), 1..5);
        let parts = (prop::collection::vec(battery(), batteries), prop::collection::vec(0.0_f64..1.0, batteries), loads, row(steps, 12.0));
        let up = prop::collection::vec(prop_oneof![2 => Just(0.0), 1 => Just(1.0)], steps);
        let generator = prop::option::of((0.0_f64..5.0, prop_oneof![Just(0.0), 0.0_f64..0.8]));
        (parts, up, row(steps, 0.05), generator).prop_map(move |((mut batteries, held, loads, sun), up, import_price, generator)| {
            for (number, battery) in batteries.iter_mut().enumerate() {
                battery.name = format!("battery {number}").into();
            }
            let stored_kwh = batteries
                .iter()
                .zip(held)
                .map(|(battery, held)| battery.least_kwh + held * (battery.capacity_kwh - battery.least_kwh))
                .collect();
            let site = Site {
                step_minutes: 60.0,
                grid: Some(GridSite::default()),
                sources: vec![SourceSite { name: "sun".into(), ..SourceSite::default() }],
                generators: generator
                    .map(|(power_max_kw, least)| GeneratorSite {
                        name: "generator".into(),
                        power_max_kw,
                        power_min_kw: power_max_kw * least,
                        cost_per_kwh: 0.04,
                        ..GeneratorSite::default()
                    })
                    .into_iter()
                    .collect(),
                loads: loads
                    .iter()
                    .enumerate()
                    .map(|(number, (tier, ..))| LoadSite { name: format!("load {number}").into(), tier: *tier, worth_per_kwh: None })
                    .collect(),
                batteries,
                ..Site::default()
            };
            let ahead = Ahead {
                now: Now { stored_kwh, is_down: up[0] == 0.0, ..Now::default() },
                steps,
                import_price,
                up,
                sources: vec![Outlook::known(sun)],
                loads: loads.into_iter().map(|(_, row, _)| Outlook::known(row)).collect(),
                ..Ahead::default()
            };
            (site, ahead)
        })
    })
}

/// The least that loads of a tier can go without, worked out another way: by worths, and only it and those before it are there. None where one before it
/// goes without for it: a battery that may not be charged while power is bought makes any ratio of worths too small.
fn least(site: &Site, ahead: &Ahead, up_to: Tier) -> Option<f64> {
    let mut dispatch = site.dispatch(ahead);
    for (load, kind) in dispatch.loads.iter_mut().zip(&site.loads) {
        if kind.tier > up_to {
            load.energy.fill(0.0);
        }
        // Those before it count twenty times as much (1,000 times the price base of 0.1), and 16 times is the most that two batteries lose.
        if kind.tier == up_to {
            load.worth = Some(5.0);
        }
    }
    let plan = dispatch.solve(LIMITS).unwrap();
    let without = |is: &dyn Fn(Tier) -> bool| -> f64 {
        site.loads.iter().zip(&plan.unserved).filter(|(load, _)| is(load.tier)).map(|(_, row)| row.iter().sum::<f64>()).sum()
    };
    (without(&|tier| tier < up_to) <= 1e-6).then(|| without(&|tier| tier == up_to))
}

proptest! {
    #![proptest_config(cases())]

    /// The first tier that lacks anything lacks no more than it would if there were no later tiers.
    #[test]
    fn nothing_is_taken_from_a_tier_to_serve_a_later_one((site, ahead) in islands()) {
        let planned = site.plan(&ahead, LIMITS).unwrap();
        prop_assert!(planned.is_in_order);
        let without = |tier: Tier| -> f64 {
            site.loads.iter().zip(&planned.plan.unserved).filter(|(load, _)| load.tier == tier).map(|(_, row)| row.iter().sum::<f64>()).sum()
        };
        for tier in Tier::ALL {
            let found = without(tier);
            let Some(least) = least(&site, &ahead, tier) else { break };
            prop_assert!(found <= least + 1e-3, "{tier:?} goes without {found} kWh, and {least} would do");
            // Later tiers have what is left, which depends on which of the best ways was taken: the exact check ends at the first that lacks.
            if found > 1e-6 {
                break;
            }
        }
        for (unserved, load) in planned.plan.unserved.iter().zip(&ahead.loads) {
            prop_assert!(unserved.iter().zip(&load.expected).all(|(unserved, load)| (-1e-6..=load + 1e-6).contains(unserved)));
        }
    }

    /// Whatever the site, there is a plan, and nobody goes without more than is asked for.
    #[test]
    fn every_site_has_a_plan(
        (mut site, mut ahead) in islands(),
        grid in (any::<bool>(), prop::option::of(0.0_f64..10.0), prop::option::of(0.0_f64..5.0)),
        charge_min in 0.0_f64..1.0,
        held in 0.0_f64..1.1,
        reserve in prop::option::of((1.0_f64..6.0, tier(), any::<bool>())),
        worth in prop::option::of(0.0_f64..1.0),
        outages in 0.0_f64..1.0,
    ) {
        site.grid = Some(GridSite { gross_metering: grid.0, import_max_kw: grid.1, peak_price_per_kw: grid.2, ..GridSite::default() });
        site.reserve = reserve
            .filter(|_| !site.batteries.is_empty())
            .map(|(outage_hours, up_to, with_generators)| Reserve { outage_hours, up_to, with_generators });
        site.loads[0].worth_per_kwh = worth;
        ahead.outages = outages;
        for (battery, stored) in site.batteries.iter_mut().zip(&mut ahead.now.stored_kwh) {
            battery.charge_min_kw = charge_min * battery.charge_max_kw;
            battery.most_kwh = Some(battery.least_kwh + 0.8 * (battery.capacity_kwh - battery.least_kwh));
            *stored = (held * battery.capacity_kwh).min(battery.capacity_kwh);
        }
        let planned = match site.plan(&ahead, LIMITS) {
            // Choices may take a plan longer than it has; that is said, and nothing else is wrong.
            Err(Unplanned::Unsolved(Unsolved::OutOfTime)) => return Ok(()),
            planned => planned.unwrap(),
        };
        for (unserved, load) in planned.plan.unserved.iter().zip(&ahead.loads) {
            prop_assert!(unserved.iter().zip(&load.expected).all(|(unserved, load)| (-1e-6..=load + 1e-6).contains(unserved)));
        }
    }

    #[test]
    fn survivability_is_what_a_simulation_finds(
        battery in battery(),
        deficits in prop::collection::vec(-10.0_f64..10.0, 1..40),
        share in 0.0_f64..1.0,
        hours in 0.25_f64..2.0,
    ) {
        let fleet = fleet(&battery);
        let stored = vec![share * fleet.capacity; deficits.len()];
        let found = lasting(&fleet, &stored, &deficits, hours);
        for (start, found) in found.iter().enumerate() {
            let [low, high] = [-1e-9, 1e-9].map(|by| simulated(&fleet, stored[start] + by, &deficits[start..], hours));
            prop_assert!((low..=high).contains(&found.steps), "from {start}: {found:?}, simulated {low} to {high}");
            prop_assert_eq!(found.is_open, start + found.steps == deficits.len());
        }
    }

    #[test]
    fn what_is_needed_is_enough_and_no_less_is(
        battery in battery(),
        deficits in prop::collection::vec(-10.0_f64..10.0, 1..40),
        steps in 1_usize..12,
        hours in 0.25_f64..2.0,
    ) {
        let fleet = fleet(&battery);
        let needed = needed(&fleet, &deficits, hours, steps);
        prop_assert_eq!(needed.len(), (deficits.len() + 1).saturating_sub(steps));
        for (start, needed) in needed.iter().enumerate() {
            let survives = |stored: f64| simulated(&fleet, stored, &deficits[start..start + steps], hours) == steps;
            if needed.is_finite() {
                prop_assert!(survives(needed + 1e-9));
                prop_assert!(*needed < 1e-6 || !survives(needed - 1e-6));
            } else {
                prop_assert!(!survives(fleet.capacity - 1e-9));
            }
        }
    }

    /// Batteries that differ, each holding its share of what is needed: the best plan has nobody go without.
    #[test]
    fn what_several_need_together_is_enough(
        batteries in prop::collection::vec(battery(), 1..4),
        loads in row(8, 6.0),
        sun in row(8, 6.0),
    ) {
        let site = Site {
            step_minutes: 60.0,
            sources: vec![SourceSite { name: "sun".into(), ..SourceSite::default() }],
            loads: vec![LoadSite { name: "clinic".into(), tier: Tier::Clinic, worth_per_kwh: None }],
            batteries: batteries.into_iter().enumerate().map(|(number, battery)| BatterySite { name: format!("{number}").into(), ..battery }).collect(),
            ..Site::default()
        };
        let mut ahead = Ahead {
            now: Now { stored_kwh: vec![0.0; site.batteries.len()], ..Now::default() },
            steps: 8,
            sources: vec![Outlook::known(sun.clone())],
            loads: vec![Outlook::known(loads.clone())],
            ..Ahead::default()
        };
        let fleet = Fleet::of(&site.dispatch(&ahead).batteries);
        let deficits: Vec<f64> = loads.iter().zip(&sun).map(|(load, sun)| load - sun).collect();
        let needed = needed(&fleet, &deficits, 1.0, 8)[0];
        prop_assume!(needed.is_finite());
        ahead.now.stored_kwh = site.batteries.iter().zip(&fleet.shares).map(|(battery, share)| battery.least_kwh + share * needed * (1.0 + 1e-9)).collect();
        let planned = site.plan(&ahead, LIMITS).unwrap();
        let unserved: f64 = planned.plan.unserved.iter().flatten().sum();
        prop_assert!(unserved < 1e-3, "{unserved} kWh unserved, with {needed} needed");
    }
}

fn fleet(battery: &BatterySite) -> Fleet {
    Fleet::of(&[Battery {
        capacity: battery.capacity_kwh,
        most: battery.capacity_kwh,
        least: battery.least_kwh,
        charge_max: battery.charge_max_kw,
        discharge_max: battery.discharge_max_kw,
        charge_efficiency: battery.charge_efficiency,
        discharge_efficiency: battery.discharge_efficiency,
        ..Battery::default()
    }])
}

/// How many steps can be served, step by step.
fn simulated(fleet: &Fleet, mut stored: f64, deficits: &[f64], hours: f64) -> usize {
    for (step, deficit) in deficits.iter().enumerate() {
        stored = stored.min(fleet.capacity);
        if *deficit <= 0.0 {
            stored += fleet.charge_efficiency * (-deficit).min(fleet.charge_max * hours);
        } else {
            stored -= deficit / fleet.discharge_efficiency;
            if stored < 0.0 || *deficit > fleet.discharge_max * hours {
                return step;
            }
        }
    }
    deficits.len()
}

#[test]
fn a_year_of_hours_is_what_a_simulation_finds() {
    let deficits: Vec<f64> = (0..8760_u32).map(|hour| f64::from(hour * 7919 % 13) - if hour % 24 < 9 { 14.0 } else { 1.0 }).collect();
    let fleet = fleet(&BatterySite {
        capacity_kwh: 120.0,
        charge_max_kw: 40.0,
        discharge_max_kw: 40.0,
        charge_efficiency: 0.9,
        discharge_efficiency: 0.9,
        ..BatterySite::default()
    });
    let stored: Vec<f64> = (0..8760_u32).map(|hour| f64::from(hour % 121)).collect();
    let began = std::time::Instant::now();
    let found = lasting(&fleet, &stored, &deficits, 1.0);
    eprintln!("8760 hours in {:.1?}, the longest {:?}", began.elapsed(), found.iter().map(|one| one.steps).max());
    for (start, found) in found.iter().enumerate() {
        let [low, high] = [-1e-6, 1e-6].map(|by| simulated(&fleet, stored[start] + by, &deficits[start..], 1.0));
        assert!((low..=high).contains(&found.steps), "from {start}: {found:?}, simulated {low} to {high}");
    }
}
