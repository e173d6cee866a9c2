//! Without the grid: tiers are served in order on random sites, survivability is what a simulation finds, and the reserve is enough.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "outside of #[test] functions clippy does not see that this is a test")]

use lab3_energy::controller::{Change, Controller, Signal, Watch, Worse};
use lab3_energy::dispatch::{Battery, Dispatch};
use lab3_energy::island::survival;
use lab3_energy::site::{Ahead, BatterySite, GeneratorSite, GridSite, LoadSite, Now, Outlook, Reserve, Site, SourceSite, Tier};
use lab3_energy::survive::{Fleet, Lasting, lasting, needed};
use lab3_solve::Limits;
use lab3_units::Time;
use proptest::prelude::*;

const LIMITS: Limits = Limits { seconds: 5.0, gap: 1e-9 };

fn cases() -> ProptestConfig {
    let cases = std::env::var("LAB3_ENERGY_SITES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(100);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
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

/// The least that loads of the first tiers can go without, worked out another way: only they are there.
fn least(site: &Site, ahead: &Ahead, up_to: Tier) -> f64 {
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
    site.loads.iter().zip(&plan.unserved).filter(|(load, _)| load.tier == up_to).map(|(_, row)| row.iter().sum::<f64>()).sum()
}

proptest! {
    #![proptest_config(cases())]

    /// The first tier that lacks anything lacks no more than it would if there were no later tiers.
    #[test]
    fn nothing_is_taken_from_a_tier_to_serve_a_later_one((site, ahead) in islands()) {
        let planned = site.plan(&ahead, LIMITS).unwrap();
        let without = |tier: Tier| -> f64 {
            site.loads.iter().zip(&planned.plan.unserved).filter(|(load, _)| load.tier == tier).map(|(_, row)| row.iter().sum::<f64>()).sum()
        };
        for tier in Tier::ALL {
            let (found, least) = (without(tier), least(&site, &ahead, tier));
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

/// A clinic and computing, sun by day, a battery and a grid.
fn hive(reserve: Option<Reserve>) -> Site {
    let load = |name: &str, tier| LoadSite { name: name.into(), tier, worth_per_kwh: None };
    Site {
        step_minutes: 60.0,
        grid: Some(GridSite::default()),
        sources: vec![SourceSite { name: "sun".into(), ..SourceSite::default() }],
        batteries: vec![BatterySite {
            name: "cellar".into(),
            capacity_kwh: 20.0,
            charge_max_kw: 5.0,
            discharge_max_kw: 5.0,
            charge_efficiency: 1.0,
            discharge_efficiency: 1.0,
            from_grid: true,
            ..BatterySite::default()
        }],
        loads: vec![load("machines", Tier::Compute), load("clinic", Tier::Clinic)],
        reserve,
        ..Site::default()
    }
}

/// Six hours without sun: the clinic takes 1 kWh in each, computing 2. At worst the clinic takes 1.5.
fn night(hour: i64, stored: f64, is_down: bool) -> Ahead {
    Ahead {
        now: Now { at: Time::from_millis(hour * 3_600_000), stored_kwh: vec![stored], is_down, ..Now::default() },
        steps: 6,
        import_price: vec![0.3; 6],
        sources: vec![Outlook::known(vec![0.0; 6])],
        loads: vec![Outlook::known(vec![2.0; 6]), Outlook { expected: vec![1.0; 6], pessimistic: vec![1.0, 1.5, 1.5, 1.5, 1.5, 1.5] }],
        ..Ahead::default()
    }
}

const FOUR_HOURS: Reserve = Reserve { outage_hours: 4.0, up_to: Tier::Food, with_generators: false };

#[test]
fn a_reserve_is_bought_beforehand_and_carries_the_clinic() {
    let mut controller = Controller::default();
    let without = controller.plan(&hive(None), night(0, 3.0, false), LIMITS).unwrap();
    assert!(without.planned.plan.batteries[0].stored[0] < 1e-6, "what is stored is used up");
    let with = Controller::default().plan(&hive(Some(FOUR_HOURS)), night(0, 3.0, false), LIMITS).unwrap();
    let kept = with.planned.kept.clone().unwrap();
    assert!((kept.wanted_kwh[0] - 6.0).abs() < 1e-6, "four hours at 1.5: {kept:?}");
    assert!((with.planned.plan.batteries[0].stored[0] - 6.0).abs() < 1e-6, "{:?}", with.planned.plan.batteries);
    assert!(with.planned.plan.broken.is_empty());
}

#[test]
fn what_cannot_be_stored_in_time_is_not_asked_for() {
    let mut site = hive(Some(FOUR_HOURS));
    site.grid = Some(GridSite { import_max_kw: Some(4.0), ..GridSite::default() });
    let planned = site.plan(&night(0, 3.0, false), LIMITS).unwrap();
    let kept = planned.kept.unwrap();
    // 4 kW less 3 kW of loads: one more each hour.
    assert!((kept.asked_kwh[0] - 4.0).abs() < 1e-6 && (kept.asked_kwh[2] - 6.0).abs() < 1e-6, "{kept:?}");
    assert!(planned.plan.broken.is_empty(), "{:?}", planned.plan.broken);
}

#[test]
fn loss_and_return_are_planned_at_once_and_told() {
    let site = hive(Some(FOUR_HOURS));
    let mut controller = Controller::default();
    assert!(controller.is_due(Time::from_millis(0), false));
    let first = controller.plan(&site, night(0, 7.0, false), LIMITS).unwrap();
    assert_eq!((first.changes, first.was), (vec![Change::First], None));
    let half = Time::from_millis(1_800_000);
    assert!(!controller.is_due(half, false) && controller.is_due(half, true), "only the loss is a reason");
    // An hour later the grid is gone. It may stay away for four: the clinic takes 1 and then 1.5 each, and 1.5 of 7 are left for machines.
    let lost = controller.plan(&site, night(1, 7.0, true), LIMITS).unwrap();
    assert!(lost.changes.contains(&Change::GridLost) && lost.changes.contains(&Change::Outage { steps: 3 }), "{:?}", lost.changes);
    assert_eq!(lost.ahead.up, [0.0, 0.0, 0.0, 0.0, 1.0, 1.0]);
    let machines: f64 = lost.planned.plan.unserved[0].iter().sum();
    assert!((machines - 6.5).abs() < 1e-3 && lost.planned.plan.unserved[1].iter().all(|unserved| *unserved < 1e-6), "{lost:?}");
    assert!(lost.was.is_some_and(|was| was.unserved == [0.0, 0.0]) && lost.now.import.abs() < 1e-9);
    // It stays away for longer than the reserve is for.
    for hour in 2..7 {
        let later = controller.plan(&site, night(hour, 3.0, true), LIMITS).unwrap();
        let down = usize::try_from((4 - (hour - 1)).max(1)).unwrap();
        assert_eq!(later.ahead.up.iter().filter(|up| **up == 0.0).count(), down);
        assert!(!later.changes.contains(&Change::GridLost));
    }
    let back = controller.plan(&site, night(7, 1.0, false), LIMITS).unwrap();
    assert!(back.changes.contains(&Change::GridReturned), "{:?}", back.changes);
    assert!(back.planned.plan.batteries[0].charge[0] > 4.99, "the reserve is filled as fast as it can be");
}

#[test]
fn what_a_plan_was_wrong_about_is_told() {
    let site = hive(None);
    let mut controller = Controller::default();
    controller.plan(&site, night(0, 0.0, false), LIMITS).unwrap();
    let mut ahead = night(1, 0.5, false);
    ahead.loads[1].expected[0] = 1.25;
    ahead.import_price[1..].fill(0.4);
    let changes = controller.plan(&site, ahead, LIMITS).unwrap().changes;
    let expected = [
        Change::Off { signal: Signal::Load(1), now: 0.25, later: 0.0 },
        Change::Off { signal: Signal::ImportPrice, now: 0.0, later: 0.1 },
        Change::Stored { battery: 0, by: 0.5 },
    ];
    let told: Vec<String> = changes.iter().map(ToString::to_string).collect();
    assert_eq!(told, expected.map(|change| change.to_string()));
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

#[test]
fn survival_is_told_by_tier() {
    let ahead = Ahead { loads: vec![Outlook::known(vec![2.0; 6]), Outlook::known(vec![1.0; 6])], ..night(0, 0.0, false) };
    let found = survival(&hive(None), &ahead, &[vec![6.0, 3.0, 0.5, 0.0, 20.0, 20.0]], false);
    let open = |steps| Lasting { steps, is_open: true };
    let ends = |steps| Lasting { steps, is_open: false };
    assert_eq!((found[0].tier, &found[0].lasting), (Tier::Clinic, &vec![open(6), ends(3), ends(0), ends(0), open(2), open(1)]));
    assert_eq!((found[1].tier, &found[1].lasting), (Tier::Compute, &vec![ends(2), ends(1), ends(0), ends(0), open(2), open(1)]));
}

#[test]
fn sites_that_make_no_sense_are_refused_by_name() {
    let field = |change: fn(&mut Site)| {
        let mut site = hive(Some(FOUR_HOURS));
        change(&mut site);
        site.check().unwrap_err().field
    };
    assert_eq!(hive(Some(FOUR_HOURS)).check(), Ok(()));
    assert_eq!(field(|site| site.step_minutes = 0.0), "step_minutes");
    assert_eq!(field(|site| site.loads[1].name = "machines".into()), "loads[1].name");
    assert_eq!(field(|site| site.batteries[0].name = " ".into()), "batteries[0].name");
    assert_eq!(field(|site| site.batteries[0].least_kwh = 30.0), "batteries[0].least_kwh");
    assert_eq!(field(|site| site.reserve = Some(Reserve { outage_hours: f64::NAN, ..FOUR_HOURS })), "reserve.outage_hours");
    assert_eq!(field(|site| site.batteries.clear()), "reserve");
    let site: Result<Site, _> = serde_json::from_str(r#"{"step_minutes": 60, "loads": [{"name": "a", "tier": "clinic", "worth": 1}]}"#);
    assert!(site.unwrap_err().to_string().contains("worth"));
    let dispatch: Dispatch = hive(None).dispatch(&night(0, 1.0, true));
    assert_eq!(dispatch.grid.unwrap().up, [0.0; 6]);
}

#[test]
fn rows_that_do_not_fit_are_refused_by_name() {
    let field = |change: fn(&mut Ahead)| {
        let mut ahead = night(0, 1.0, false);
        change(&mut ahead);
        let Err(lab3_energy::dispatch::Unplanned::Invalid(invalid)) = hive(None).plan(&ahead, LIMITS) else { panic!("it was planned") };
        invalid.field
    };
    assert_eq!(field(|ahead| ahead.now.stored_kwh.clear()), "stored_kwh");
    assert_eq!(field(|ahead| ahead.now.stored_kwh[0] = f64::NAN), "batteries[0].initial_kwh");
    assert_eq!(field(|ahead| ahead.loads.truncate(1)), "loads");
    assert_eq!(field(|ahead| ahead.loads[0].pessimistic = vec![1.0]), "loads[0].pessimistic");
    assert_eq!(field(|ahead| ahead.loads[0].expected.truncate(2)), "loads[0].energy_kwh");
    assert_eq!(field(|ahead| ahead.steps = 0), "steps");
    assert_eq!(field(|ahead| ahead.outages = 2.0), "outages");
    assert_eq!(field(|ahead| ahead.up = vec![1.0]), "grid.up");
}

#[test]
fn a_watch_learns_what_is_hardly_exceeded() {
    let mut state = 7_u64;
    let mut noise = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from(u32::try_from(state >> 40).unwrap()) / f64::from(1 << 24)
    };
    // Nothing by night, and by day between 0 and 10.
    let values: Vec<f64> = (0..24 * 80).map(|hour| if hour % 24 >= 12 { 10.0 * noise() } else { 0.0 }).collect();
    for (worse, sign) in [(Worse::Less, -1.0), (Worse::More, 1.0)] {
        let (mut watch, mut beyond, mut count) = (Watch::new(3600, worse, 0.1), 0, 0);
        for now in 24 * 60..24 * 79 {
            let outlook = watch.ahead(&values[..=now], 24);
            assert!((outlook.expected[0] - values[now]).abs() < 1e-12 && (outlook.pessimistic[0] - values[now]).abs() < 1e-12);
            for (lead, worst) in outlook.pessimistic.iter().enumerate().filter(|(lead, _)| *lead > 0 && (now + lead) % 24 >= 12) {
                beyond += usize::from(sign * (values[now + lead] - worst) > 0.0);
                count += 1;
            }
            assert!(outlook.pessimistic[1..].iter().enumerate().all(|(lead, worst)| (now + 1 + lead) % 24 >= 12 || *worst == 0.0));
        }
        assert!((2..=18).contains(&(100 * beyond / count)), "{worse:?}: {beyond} of {count} are worse");
    }
}
