//! Demand response: what is promised is kept when things are as bad as foreseen, worth and reward are right, and what was earned is counted in whole KS.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "outside of #[test] functions clippy does not see that this is a test")]

use lab3_energy::dispatch::{Flexible, Plan, Unplanned};
use lab3_energy::response::{Commitment, Event, Settlement, Unsettled, respond, settle};
use lab3_energy::site::{Ahead, BatterySite, GridSite, LoadSite, Now, Outlook, Reserve, Site, SourceSite, Tier};
use lab3_solve::Limits;
use lab3_units::Amount;
use proptest::prelude::*;

const LIMITS: Limits = Limits { seconds: 5.0, gap: 1e-9 };

/// What the solver may be off by.
const NEAR: f64 = 1e-4;

fn site(battery: (f64, f64, f64), reserve_h: Option<f64>) -> Site {
    let (capacity_kwh, power, efficiency) = battery;
    Site {
        step_minutes: 60.0,
        grid: Some(GridSite { import_max_kw: Some(60.0), ..GridSite::default() }),
        sources: vec![SourceSite { name: "sun".into(), ..SourceSite::default() }],
        batteries: vec![BatterySite {
            name: "cellar".into(),
            capacity_kwh,
            charge_max_kw: power,
            discharge_max_kw: power,
            charge_efficiency: efficiency,
            discharge_efficiency: efficiency,
            end_value_per_kwh: 0.1,
            from_grid: true,
            ..BatterySite::default()
        }],
        loads: vec![
            LoadSite { name: "clinic".into(), tier: Tier::Clinic, worth_per_kwh: None },
            LoadSite { name: "homes".into(), tier: Tier::Homes, worth_per_kwh: None },
        ],
        reserve: reserve_h.map(|outage_hours| Reserve { outage_hours, up_to: Tier::Clinic, with_generators: false }),
        ..Site::default()
    }
}

const STEPS: usize = 8;

fn row(most: f64) -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(prop_oneof![Just(0.0), 0.0..most], STEPS)
}

/// A row, and how much worse it may be.
fn outlook(most: f64, worse: std::ops::Range<f64>) -> impl Strategy<Value = Outlook> {
    (row(most), worse).prop_map(|(expected, factor)| {
        let pessimistic = expected.iter().enumerate().map(|(step, value)| if step == 0 { *value } else { value * factor }).collect();
        Outlook { expected, pessimistic }
    })
}

prop_compose! {
    fn cases()(
        battery in (1.0_f64..40.0, 1.0_f64..10.0, 0.7_f64..1.0),
        held in 0.0_f64..1.0,
        reserve_h in prop::option::of(1.0_f64..4.0),
        sun in outlook(10.0, 0.3..1.0),
        clinic in outlook(2.0, 1.0..1.3),
        homes in outlook(8.0, 1.0..1.3),
        price in row(0.5),
        flexible in prop::option::of((0.5_f64..5.0, 1_usize..4)),
        window in (0..STEPS - 1, 1_usize..4),
        reduce_kw in 0.0_f64..12.0,
    ) -> (Site, Ahead, Event) {
        let ahead = Ahead {
            now: Now { stored_kwh: vec![held * battery.0], ..Now::default() },
            steps: STEPS,
            import_price: price,
            sources: vec![sun],
            loads: vec![clinic, homes],
            flexible: flexible.into_iter().map(|(power, steps)| Flexible { name: "pump".into(), power, steps, window: 0..STEPS }).collect(),
            ..Ahead::default()
        };
        let steps = window.0..(window.0 + window.1).min(STEPS);
        let event = Event {
            steps,
            reduce_kw,
            baseline_kwh: None,
            reward_per_kwh: Amount::new(400_000),
            penalty_per_kwh: Amount::new(1_000_000),
        };
        (site(battery, reserve_h), ahead, event)
    }
}

/// What the site buys in each step when batteries and flexible loads do as planned and sun and loads are as given; no solver is asked.
fn bought(plan: &Plan, ahead: &Ahead, sun: &[f64], loads: [&[f64]; 2]) -> Vec<f64> {
    let step = |step: usize| {
        let runs =
            ahead.flexible.iter().zip(&plan.flexible).filter(|(_, steps)| steps.contains(&step)).map(|(load, _)| load.power).sum::<f64>();
        let battery = &plan.batteries[0];
        let taken = loads[0][step] + loads[1][step] + runs + battery.charge[step];
        (taken - sun[step] - battery.discharge[step]).max(0.0)
    };
    (0..STEPS).map(step).collect()
}

fn check_promise(site: &Site, ahead: &Ahead, event: &Event, found: &Commitment) {
    let rows: [fn(&Outlook) -> &[f64]; 2] = [Outlook::worst, |outlook| &outlook.expected];
    for of in rows {
        let loads = [of(&ahead.loads[0]), of(&ahead.loads[1])];
        let bought = bought(&found.certain.plan, ahead, of(&ahead.sources[0]), loads);
        for (step, baseline) in event.steps.clone().zip(&found.baseline_kwh) {
            let less = baseline - bought[step];
            assert!(less > found.promised_kw - NEAR, "step {step}: {less} kW less of {} promised", found.promised_kw);
        }
    }
    // The battery does what a battery can.
    let (battery, part) = (&site.batteries[0], &found.certain.plan.batteries[0]);
    let mut stored = ahead.now.stored_kwh[0];
    for step in 0..STEPS {
        stored += part.charge[step] * battery.charge_efficiency - part.discharge[step] / battery.discharge_efficiency;
        assert!((-NEAR..battery.capacity_kwh + NEAR).contains(&stored));
        assert!(part.charge[step] < battery.charge_max_kw + NEAR && part.discharge[step] < battery.discharge_max_kw + NEAR);
        let goal = found.certain.dispatch.batteries[0].goals.get(step).copied().unwrap_or(0.0);
        assert!(stored > goal - NEAR, "the reserve is kept in step {step}: {stored} of {goal}");
        let planned = found.planned.plan.batteries[0].stored[step];
        assert!(step >= event.steps.end || planned > stored - NEAR, "step {step}: the plan holds {planned}, and {stored} are needed");
    }
    assert!(found.certain.plan.unserved.iter().flatten().all(|unserved| *unserved < NEAR));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_promised_is_kept_when_things_are_as_bad_as_foreseen((site, ahead, event) in cases()) {
        let found = respond(&site, &ahead, &event, LIMITS).unwrap();
        prop_assert!((0.0..=event.reduce_kw).contains(&found.promised_kw));
        if found.promised_kw > 0.0 {
            check_promise(&site, &ahead, &event, &found);
            // And the plan itself keeps it as things are expected.
            for (step, baseline) in event.steps.clone().zip(&found.baseline_kwh) {
                prop_assert!(baseline - found.planned.plan.import[step] > found.promised_kw - NEAR);
            }
        } else {
            prop_assert_eq!((found.reward, found.planned), (Amount::ZERO, found.without));
        }
    }

    #[test]
    fn what_is_earned_is_never_more_than_agreed(
        steps in prop::collection::vec((0_i64..20_000_000, 0_i64..20_000_000), 1..6),
        promised_w in 0_u32..10_000,
        prices in (0_i64..2_000_000, 0_i64..2_000_000),
    ) {
        let (baseline, measured): (Vec<Amount>, Vec<Amount>) = steps.iter().map(|(one, other)| (Amount::new(*one), Amount::new(*other))).unzip();
        let found = settle(f64::from(promised_w) / 1000.0, 1.0, (Amount::new(prices.0), Amount::new(prices.1)), &baseline, &measured).unwrap();
        let promised = i128::from(promised_w) * 1000 * i128::try_from(steps.len()).unwrap();
        prop_assert_eq!(i128::from(found.reduced_mwh.units()) + i128::from(found.short_mwh.units()), promised);
        let exact = i128::from(prices.0) * i128::from(found.reduced_mwh.units()) - i128::from(prices.1) * i128::from(found.short_mwh.units());
        let earned = i128::from(found.earned.units()) * 1_000_000;
        prop_assert!(earned <= exact && exact < earned + 1_000_000);
    }
}

/// Homes that take 4 kW, at a price that rises in the third hour, and a battery of 10 kWh that is full.
fn evening() -> (Site, Ahead, Event) {
    let known = |value: f64| Outlook::known(vec![value; STEPS]);
    let ahead = Ahead {
        now: Now { stored_kwh: vec![10.0], ..Now::default() },
        steps: STEPS,
        import_price: vec![0.2; STEPS],
        sources: vec![known(0.0)],
        loads: vec![known(0.0), known(4.0)],
        ..Ahead::default()
    };
    let event = Event {
        steps: 2..4,
        reduce_kw: 3.0,
        baseline_kwh: Some(vec![4.0; 2]),
        reward_per_kwh: Amount::new(500_000),
        penalty_per_kwh: Amount::new(1_000_000),
    };
    (site((10.0, 5.0, 1.0), None), ahead, event)
}

#[test]
fn a_full_battery_can_promise_all_that_is_asked() {
    let (site, ahead, event) = evening();
    let found = respond(&site, &ahead, &event, LIMITS).unwrap();
    // 3 kW for two hours at 0.5: the battery would have saved the same energy in any other hour.
    assert_eq!((found.promised_kw.to_bits(), found.reward), (3.0_f64.to_bits(), Amount::new(3_000_000)));
    assert!((found.worth - 3.0).abs() < 1e-6, "{}", found.worth);
}

#[test]
fn what_a_bad_day_takes_is_not_promised() {
    let (mut site, mut ahead, event) = evening();
    ahead.loads[1].pessimistic = vec![6.0; STEPS];
    // Two kW above the baseline at worst, and the battery gives five.
    assert!((respond(&site, &ahead, &event, LIMITS).unwrap().promised_kw - 3.0).abs() < 1e-3);
    ahead.loads[1].pessimistic = vec![7.5; STEPS];
    assert!((respond(&site, &ahead, &event, LIMITS).unwrap().promised_kw - 1.5).abs() < 1e-3);
    ahead.loads[1].pessimistic = vec![9.5; STEPS];
    let none = respond(&site, &ahead, &event, LIMITS).unwrap();
    assert_eq!((none.promised_kw.to_bits(), none.reward), (0.0_f64.to_bits(), Amount::ZERO));
    // With a reserve of 6 of 10 kWh for the clinic there are 4 to give: 2 kW.
    ahead.loads[0] = Outlook::known(vec![2.0; STEPS]);
    ahead.loads[1].pessimistic.clear();
    site.reserve = Some(Reserve { outage_hours: 3.0, up_to: Tier::Clinic, with_generators: false });
    let event = Event { baseline_kwh: Some(vec![6.0; 2]), ..event };
    assert!((respond(&site, &ahead, &event, LIMITS).unwrap().promised_kw - 2.0).abs() < 1e-3);
}

#[test]
fn a_load_that_may_wait_is_shifted() {
    let (mut site, mut ahead, mut event) = evening();
    site.batteries[0].capacity_kwh = 0.0;
    ahead.now.stored_kwh = vec![0.0];
    ahead.flexible = vec![Flexible { name: "pump".into(), power: 3.0, steps: 2, window: 0..STEPS }];
    ahead.import_price = vec![0.2, 0.2, 0.1, 0.1, 0.2, 0.2, 0.2, 0.2];
    event.baseline_kwh = None;
    let found = respond(&site, &ahead, &event, LIMITS).unwrap();
    assert_eq!(found.without.plan.flexible, [[2, 3]], "it would run when power is cheap");
    assert!(found.planned.plan.flexible[0].iter().all(|step| !event.steps.contains(step)) && found.planned.plan.flexible[0].len() == 2);
    assert!((found.promised_kw - 3.0).abs() < 1e-9);
    // Six kWh each cost 0.1 more, and 0.5 is paid for each.
    assert!((found.worth - 2.4).abs() < 1e-6, "{}", found.worth);
}

#[test]
fn events_that_make_no_sense_are_refused_by_name() {
    let field = |change: fn(&mut Site, &mut Event)| {
        let (mut site, ahead, mut event) = evening();
        change(&mut site, &mut event);
        let Err(Unplanned::Invalid(invalid)) = respond(&site, &ahead, &event, LIMITS) else { panic!("it was answered") };
        invalid.field
    };
    assert_eq!(field(|_, event| event.steps = 3..3), "event.steps");
    assert_eq!(field(|_, event| event.steps = 3..9), "event.steps");
    assert_eq!(field(|site, _| site.grid = None), "event.steps");
    assert_eq!(field(|_, event| event.reduce_kw = f64::NAN), "event.reduce_kw");
    assert_eq!(field(|_, event| event.baseline_kwh = Some(vec![1.0])), "event.baseline_kwh");
    assert_eq!(field(|_, event| event.reward_per_kwh = Amount::new(-1)), "event.reward_per_kwh");
}

#[test]
fn what_was_earned_is_counted_once() {
    let amounts = |row: &[i64]| row.iter().copied().map(Amount::new).collect::<Vec<_>>();
    let prices = (Amount::new(500_000), Amount::new(1_000_000));
    // 2 kW promised: kept, kept by more than that, kept by half, not at all.
    let baseline = amounts(&[4_000_000; 4]);
    let found = settle(2.0, 1.0, prices, &baseline, &amounts(&[2_000_000, 0, 3_000_000, 5_000_000]));
    let (reduced, short) = (Amount::new(5_000_000), Amount::new(3_000_000));
    assert_eq!(found, Ok(Settlement { reduced_mwh: reduced, short_mwh: short, earned: Amount::new(-500_000) }));
    // A third of a KS less than nothing is owed in full.
    let third = settle(1e-6, 1.0, (Amount::ZERO, Amount::new(333_333)), &amounts(&[0]), &amounts(&[0]));
    assert_eq!(third.unwrap().earned, Amount::new(-1));
    assert_eq!(settle(1.0, 1.0, prices, &baseline, &[]), Err(Unsettled::Steps { baseline: 4, measured: 0 }));
    assert_eq!(settle(f64::NAN, 1.0, prices, &[], &[]), Err(Unsettled::Negative("what was promised")));
    assert_eq!(settle(1.0, 1.0, prices, &amounts(&[-1]), &amounts(&[0])), Err(Unsettled::Negative("the baseline")));
}
