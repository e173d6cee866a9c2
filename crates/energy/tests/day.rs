//! The day as one thing: what served, what deviated and why, what was saved.

use lab3_energy::day::{
    Battery, BatteryFlows, Calendar, Cause, Day, Flows, Grid, Inputs, Part, PlacedJob, Reading, Row, Signal, Site, Source, SourceKind, row,
};
use lab3_energy::dispatch::{self, Dispatch, Flexible};
use lab3_energy::jobs::Run;
use lab3_energy::{Horizon, Mark};
use lab3_solve::Limits;
use lab3_units::Time;
use proptest::prelude::*;

const HOURS: usize = 6;
const HOUR_MS: i64 = 3_600_000;

fn forecast(values: [f64; HOURS]) -> Row {
    row(&values, Mark::Forecast)
}

fn all(value: f64) -> Row {
    forecast([value; HOURS])
}

/// Six hours of a site: a roof of 4 kW in the third and fourth, houses of 2 kW, a battery that takes 2 kW then and gives 2 kW in the fifth and sixth.
fn planned() -> Flows {
    Flows {
        import: forecast([2.0, 2.0, 0.0, 0.0, 0.0, 0.0]),
        export: all(0.0),
        grid_up: all(1.0),
        sources: vec![forecast([0.0, 0.0, 4.0, 4.0, 0.0, 0.0])],
        batteries: vec![BatteryFlows {
            charge: forecast([0.0, 0.0, 2.0, 2.0, 0.0, 0.0]),
            discharge: forecast([0.0, 0.0, 0.0, 0.0, 2.0, 2.0]),
            stored: forecast([0.0, 0.0, 2.0, 4.0, 2.0, 0.0]),
        }],
        loads: vec![all(2.0)],
        unserved: all(0.0),
    }
}

/// The day as planned and measured likewise, at its end.
fn inputs() -> Inputs {
    let signal = |values: [f64; HOURS]| Signal { foreseen: forecast(values), now: Row::new() };
    Inputs {
        horizon: Horizon { start: Time::from_millis(0), step_s: 3600, count: HOURS },
        now: hour(6),
        site: Site {
            sources: vec![Source { name: "roof".into(), kind: SourceKind::Sun, cost: 0.0, carbon: 0.0 }],
            batteries: vec![Battery {
                name: "cellar".into(),
                capacity: 10.0,
                initial: Some(0.0),
                charge_efficiency: 1.0,
                discharge_efficiency: 1.0,
                wear: 0.0,
                carbon_free: 0.0,
            }],
            loads: vec!["houses".into()],
        },
        grid: Some(Grid {
            import_price: signal([0.2, 0.2, 0.1, 0.1, 0.4, 0.4]),
            export_price: signal([0.05; HOURS]),
            carbon: signal([300.0; HOURS]),
            carbon_free: all(0.5),
        }),
        planned: Some(planned()),
        measured: planned(),
        jobs: Vec::new(),
        threshold_kw: 0.1,
    }
}

fn hour(hours: i64) -> Time {
    Time::from_millis(hours * HOUR_MS)
}

fn set(row: &mut Row, step: usize, value: f64) {
    row[step] = Some(Reading { value, mark: Mark::Measured });
}

fn near(found: f64, expected: f64, what: &str) {
    assert!((found - expected).abs() < 1e-9, "{what}: {found}, not {expected}");
}

/// The day after a change, told in sentences.
fn told(change: impl Fn(&mut Inputs)) -> Vec<String> {
    let mut inputs = inputs();
    change(&mut inputs);
    let day = Day::of(inputs);
    let sentence = |deviation| Some(day.sentence(deviation, &Calendar::of("UTC").ok()?));
    day.deviations.iter().filter_map(sentence).collect()
}

#[test]
fn a_deviation_names_its_cause() {
    let check = |change: &dyn Fn(&mut Inputs), expected: &[&str]| assert_eq!(told(change), expected);
    check(&|_| {}, &[]);
    check(
        &|day| {
            set(&mut day.measured.sources[0], 2, 3.0);
            set(&mut day.measured.sources[0], 3, 2.5);
            set(&mut day.measured.import, 2, 1.0);
            set(&mut day.measured.import, 3, 1.5);
        },
        &["02:00 to 04:00, 2.5 kWh more bought than planned (+0.25 MIC, +0.75 kg CO2e): 2.5 kWh less sun (roof) than foreseen."],
    );
    check(
        &|day| {
            set(&mut day.measured.loads[0], 0, 5.0);
            set(&mut day.measured.import, 0, 4.0);
            set(&mut day.measured.batteries[0].discharge, 0, 1.0);
        },
        &[
            "00:00 to 01:00, 2.0 kWh more bought than planned (+0.40 MIC, +0.60 kg CO2e): houses took 3.0 kWh more; against it, cellar did not \
           follow the plan and gave 1.0 kWh more.",
        ],
    );
    check(
        &|day| {
            set(&mut day.measured.grid_up, 1, 0.0);
            set(&mut day.measured.import, 1, 0.0);
            set(&mut day.measured.loads[0], 1, 1.0);
            set(&mut day.measured.unserved, 1, 1.0);
            set(&mut day.measured.batteries[0].discharge, 1, 1.0);
        },
        &["01:00 to 02:00, 2.0 kWh less bought than planned (-0.40 MIC, -0.60 kg CO2e): the grid was lost. Loads went without 1.0 kWh."],
    );
    check(
        &|day| {
            set(&mut day.measured.batteries[0].discharge, 4, 0.0);
            set(&mut day.measured.import, 4, 2.0);
        },
        &[
            "04:00 to 05:00, 2.0 kWh more bought than planned (+0.80 MIC, +0.60 kg CO2e): cellar did not follow the plan and took 2.0 kWh more.",
        ],
    );
    check(
        &|day| {
            day.grid.as_mut().unwrap().import_price.now = forecast([0.2, 0.2, 0.1, 0.1, 0.1, 0.4]);
            set(&mut day.measured.batteries[0].discharge, 4, 0.0);
            set(&mut day.measured.import, 4, 2.0);
        },
        &[
            "04:00 to 05:00, 2.0 kWh more bought than planned (+0.20 MIC, +0.60 kg CO2e): the price was lower than foreseen, so cellar took \
           2.0 kWh more.",
        ],
    );
    check(
        &|day| set(&mut day.measured.export, 3, 1.5),
        &["03:00 to 04:00, 1.5 kWh more sold than planned (-0.08 MIC): 1.5 kWh less taken that no meter saw."],
    );
}

#[test]
fn what_has_no_meter_is_named_so() {
    let sentences = told(|day| {
        set(&mut day.measured.import, 0, 4.0);
        day.measured.loads = Vec::new();
    });
    assert_eq!(
        sentences,
        ["00:00 to 01:00, 2.0 kWh more bought than planned (+0.40 MIC, +0.60 kg CO2e): 2.0 kWh more taken that no meter saw."]
    );
}

#[test]
fn a_job_that_waits_is_late_and_one_that_hurries_early() {
    let job = |measured: [f64; HOURS]| {
        move |day: &mut Inputs| {
            let runs = vec![Run { start: hour(1), end: hour(2), power_kw: 1.0 }];
            day.jobs =
                vec![PlacedJob { name: "train".into(), earliest: hour(0), runs, measured: forecast(measured), ..PlacedJob::default() }];
            for (step, taken) in measured.into_iter().enumerate() {
                let placed = if step == 1 { 1.0 } else { 0.0 };
                let import = day.measured.import[step].unwrap().value;
                set(&mut day.measured.import, step, import + taken - placed);
            }
        }
    };
    let check = |measured: [f64; HOURS], expected: &[(usize, Cause)]| {
        let mut inputs = inputs();
        job(measured)(&mut inputs);
        let day = Day::of(inputs);
        let found: Vec<_> = day.deviations.iter().map(|deviation| (deviation.steps.start, deviation.parts[0].cause)).collect();
        assert_eq!(found, expected, "{measured:?}");
    };
    check([0.0, 1.0, 0.0, 0.0, 0.0, 0.0], &[]);
    check([0.0, 0.0, 0.0, 1.0, 0.0, 0.0], &[(1, Cause::JobLate), (3, Cause::JobLate)]);
    check([1.0, 0.0, 0.0, 0.0, 0.0, 0.0], &[(0, Cause::JobEarly), (1, Cause::JobEarly)]);
    check([0.0, 2.0, 0.0, 0.0, 0.0, 0.0], &[(1, Cause::JobMore)]);
}

#[test]
fn what_served_adds_up_to_what_was_consumed() {
    let day = Day::of(inputs());
    for step in 0..HOURS {
        let served = day.served(step).unwrap();
        let sum = served.grid + served.sources.iter().chain(&served.batteries).sum::<f64>();
        near(sum, 2.0, "served");
        assert!(day.measured[step]);
    }
    near(day.served(2).unwrap().sources[0], 2.0, "the roof serves half of what it gives, the battery takes the rest");
    near(day.served(4).unwrap().batteries[0], 2.0, "the battery");
}

#[test]
fn saved_is_what_the_same_day_costs_without_battery_and_shifting() {
    let day = Day::of(inputs());
    // 2 kWh each bought in four hours, at 0.2, 0.2, 0.4, 0.4; and 2 x 2 kWh sold at 0.05.
    near(day.total.baseline_cost, 2.4 - 0.2, "baseline");
    near(day.total.cost, 0.8, "cost");
    near(day.total.cost_saved, 1.4, "saved");
    near(day.total.carbon_saved_g, 4.0 * 300.0, "carbon saved");
    near(day.total.stored, 0.0, "stored");
    near(day.total.own_used, 8.0, "own");
    // At noon the battery is full: what is in it is worth the mean price.
    let noon = Day::of(Inputs { now: hour(4), ..inputs() });
    near(noon.so_far.stored, 4.0, "stored so far");
    near(noon.so_far.cost_saved, -0.2 + 4.0 * 1.4 / 6.0, "saved so far");
    near(noon.so_far.cost_saved + noon.rest.cost_saved, noon.total.cost_saved, "both parts");
    assert_eq!((noon.so_far.steps, noon.rest.steps, noon.over), (4, 2, 4));
    // A job placed in the first hour of sun, which could have run at once.
    let mut shifted = inputs();
    shifted.jobs = vec![PlacedJob {
        name: "train".into(),
        earliest: hour(0),
        runs: vec![Run { start: hour(2), end: hour(3), power_kw: 1.0 }],
        ..PlacedJob::default()
    }];
    let shifted = Day::of(shifted);
    // At once it buys 1 kWh for 0.2; without it there, 1 kWh more is sold for 0.05.
    near(shifted.total.baseline_cost, 2.2 + 0.2 - 0.05, "baseline with the job at once");
    near(shifted.total.owed, 0.0, "nothing is owed at the end");
}

#[test]
fn what_jobs_have_still_to_take_is_owed() {
    let check = |earliest: i64, now: i64, owed: f64| {
        let runs = vec![Run { start: hour(3), end: hour(4), power_kw: 1.0 }];
        let jobs = vec![PlacedJob { name: "train".into(), earliest: hour(earliest), runs, ..PlacedJob::default() }];
        let day = Day::of(Inputs { now: hour(now), jobs, ..inputs() });
        let without = Day::of(Inputs { now: hour(now), ..inputs() });
        near(day.so_far.owed, owed, "owed");
        // At once it would have been bought for 0.2, and is owed at the day's mean price.
        near(day.so_far.cost_saved - without.so_far.cost_saved, owed * (0.2 - 1.4 / 6.0), "saved so far");
    };
    check(1, 1, 0.0);
    check(1, 2, 1.0);
    check(0, 1, 1.0);
    check(0, 2, 1.0);
}

#[test]
fn the_score_follows_the_energy_through_the_battery() {
    let day = Day::of(inputs());
    // Eight of twelve kWh from the roof, through the battery or not; half of the other four.
    near(day.total.own_score.unwrap(), 8.0 / 12.0, "own");
    near(day.total.score.unwrap(), 10.0 / 12.0, "with the grid");
    // Two kWh bought in the first hour into the battery, where the houses' are half carbon-free too: so are those that come out.
    let mut bought = inputs();
    bought.measured = Flows { sources: vec![all(0.0)], ..planned() };
    bought.measured.import = forecast([4.0, 2.0, 2.0, 2.0, 2.0, 0.0]);
    bought.measured.batteries[0].charge = forecast([2.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    bought.measured.batteries[0].discharge = forecast([0.0, 0.0, 0.0, 0.0, 0.0, 2.0]);
    let bought = Day::of(bought);
    near(bought.total.score.unwrap(), 0.5, "half of all, through the battery or not");
    near(bought.total.own_score.unwrap(), 1.0 / 12.0, "what the battery gave of it");
    let mut unknown = inputs();
    unknown.grid.as_mut().unwrap().carbon_free = Row::new();
    assert_eq!(Day::of(unknown).total.score, None);
}

#[test]
fn what_is_not_known_is_not_zero() {
    let none = Day::of(Inputs { planned: None, measured: Flows::default(), ..inputs() });
    assert!(none.known.iter().all(Option::is_none) && none.served(0).is_none() && none.total.steps == 0);
    assert_eq!(none.unmeasured.len(), 1);
    assert_eq!(none.unmeasured[0].steps, 0..HOURS);
    assert_eq!(none.unmeasured[0].devices, ["grid".into(), "roof".into(), "cellar".into()] as [Box<str>; 3]);
    assert_eq!((none.total.score, none.deviations.len()), (None, 0));
    // One source without a value for an hour: the plan stands in, and is not counted as measured.
    let mut gap = inputs();
    gap.measured.sources[0][2] = None;
    let gap = Day::of(gap);
    assert_eq!((gap.unmeasured[0].steps.clone(), gap.unmeasured[0].devices.clone()), (2..3, vec!["roof".into()]));
    assert!(!gap.measured[2] && gap.measured[3] && gap.known[2].is_some());
    assert_eq!(gap.total.steps, 5);
    // What was filled is told from what was measured.
    let mut filled = inputs();
    filled.measured = Flows { import: row(&[2.0, 2.0, 0.0, 0.0, 0.0, 0.0], Mark::Measured), ..planned() };
    let balance = |day: &Day, step: usize| day.known[step].as_ref().map(|balance| balance.mark);
    filled.measured.sources[0][1] = Some(Reading { value: 0.0, mark: Mark::Filled });
    assert_eq!(balance(&Day::of(filled), 1), Some(Mark::Filled));
    // What is said to be measured of the time to come is not looked at.
    let early = Day::of(Inputs { now: hour(1), planned: None, ..inputs() });
    assert!(early.known[0].is_some() && early.known[1].is_none());
    // A price that is not known makes no money of nothing.
    let mut unpriced = inputs();
    unpriced.grid.as_mut().unwrap().import_price.foreseen[0] = None;
    let unpriced = Day::of(unpriced);
    assert_eq!(unpriced.total.unpriced, 1);
    near(unpriced.total.cost, 0.4, "the other hour");
}

#[test]
fn an_outage_is_told_and_saves_nothing() {
    let mut inputs = inputs();
    for step in 0..2 {
        set(&mut inputs.measured.grid_up, step, 0.0);
        set(&mut inputs.measured.import, step, 0.0);
        set(&mut inputs.measured.loads[0], step, 0.0);
        set(&mut inputs.measured.unserved, step, 2.0);
    }
    let day = Day::of(inputs);
    assert_eq!(day.outages, vec![0..2; 1]);
    near(day.total.unserved, 4.0, "went without");
    near(day.total.baseline_unserved, 4.0, "would have gone without");
    near(day.deviations[0].unserved, 4.0, "went without beyond the plan");
}

#[test]
fn another_price_costs_what_was_planned_too() {
    let mut inputs = inputs();
    inputs.grid.as_mut().unwrap().import_price.now = forecast([0.3, 0.2, 0.1, 0.1, 0.4, 0.4]);
    let day = Day::of(inputs);
    near(day.price_effect, 0.2, "2 kWh at 0.1 more");
}

#[test]
fn a_site_without_a_grid_has_a_day() {
    let day = Day::of(Inputs { grid: None, ..inputs() });
    assert!(day.outages.is_empty() && day.deviations.is_empty());
    near(day.total.import, 0.0, "nothing is bought");
    near(day.served(4).unwrap().batteries[0], 2.0, "the battery serves");
}

#[test]
fn a_plan_that_was_made_is_a_days_plan() {
    let site = Dispatch {
        hours: vec![1.0; HOURS],
        sources: vec![dispatch::Source {
            name: "roof".into(),
            available: vec![0.0, 0.0, 4.0, 4.0, 0.0, 0.0],
            ..dispatch::Source::default()
        }],
        grid: Some(dispatch::Grid {
            import_price: vec![0.3; HOURS],
            export_price: vec![0.0; HOURS],
            up: vec![1.0; HOURS],
            ..dispatch::Grid::default()
        }),
        batteries: vec![dispatch::Battery {
            capacity: 10.0,
            most: 10.0,
            charge_max: 5.0,
            discharge_max: 5.0,
            charge_efficiency: 1.0,
            discharge_efficiency: 1.0,
            ..dispatch::Battery::default()
        }],
        loads: vec![dispatch::Load { name: "houses".into(), energy: vec![1.0; HOURS], worth: None }],
        flexible: vec![Flexible { name: "pump".into(), power: 1.0, steps: 2, window: 0..HOURS }],
        ..Dispatch::default()
    };
    let plan = site.solve(Limits { seconds: 5.0, gap: 1e-9 }).unwrap();
    let mut day = inputs();
    day.site.loads.push("pump".into());
    day.planned = Some(Flows::planned(&site, &plan, 2, HOURS));
    let day = Day::of(Inputs { now: hour(0), ..day });
    for step in 0..HOURS - 2 {
        let runs = if plan.flexible[0].contains(&(step + 2)) { 1.0 } else { 0.0 };
        near(day.known[step].as_ref().unwrap().consumption(), 1.0 + runs, "the load and the pump, from the plan's third step on");
    }
    assert!(day.known[HOURS - 2].is_none(), "the plan ends there");
    assert_eq!(day.rest.steps, HOURS - 2);
}

fn rows() -> impl Strategy<Value = Vec<[Option<f64>; HOURS]>> {
    prop::collection::vec(prop::array::uniform6(prop::option::weighted(0.9, 0.0..5.0_f64)), 7)
}

proptest! {
    /// Whatever the meters say, and whichever say nothing: a deviation is the sum of its parts, energy, money and carbon.
    #[test]
    fn a_deviation_is_the_sum_of_its_parts(rows in rows(), up in prop::array::uniform6(prop::bool::weighted(0.9)), price in prop::array::uniform6(0.0..1.0_f64)) {
        let mut inputs = inputs();
        let row = |number: usize| rows[number].iter().map(|value| value.map(|value| Reading { value, mark: Mark::Measured })).collect::<Row>();
        inputs.measured = Flows {
            import: row(0),
            export: row(1),
            grid_up: forecast(up.map(|up| if up { 1.0 } else { 0.0 })),
            sources: vec![row(2)],
            batteries: vec![BatteryFlows { charge: row(3), discharge: row(4), stored: Row::new() }],
            loads: vec![row(5)],
            unserved: Row::new(),
        };
        inputs.grid.as_mut().unwrap().import_price.now = forecast(price);
        let runs = vec![Run { start: hour(1), end: hour(3), power_kw: 1.0 }];
        inputs.jobs = vec![PlacedJob { name: "train".into(), runs, measured: row(6), ..PlacedJob::default() }];
        let day = Day::of(inputs);
        let mut known = 0.0;
        for deviation in &day.deviations {
            let sum = |part: fn(&Part) -> f64| deviation.parts.iter().map(part).sum::<f64>();
            prop_assert!((sum(|part| part.energy) - deviation.energy).abs() < 1e-9);
            prop_assert!((sum(|part| part.cost.unwrap()) - deviation.cost.unwrap()).abs() < 1e-9);
            prop_assert!((sum(|part| part.carbon_g.unwrap()) - deviation.carbon_g.unwrap()).abs() < 1e-6);
            prop_assert!(deviation.parts[0].energy * deviation.energy > 0.0, "the cause works in its direction");
            known += deviation.energy;
        }
        let plan = planned();
        let difference = |step: usize| {
            let exchange = rows[0][step]? - rows[1][step]? - (plan.import[step]?.value - plan.export[step]?.value);
            Some(exchange).filter(|exchange| exchange.abs() > 0.1)
        };
        let expected: f64 = (0..HOURS).filter_map(difference).sum();
        prop_assert!((known - expected).abs() < 1e-9, "nothing is left out: {known} of {expected}");
        let (parts, whole) = (day.so_far.consumption + day.rest.consumption, day.total.consumption);
        prop_assert!((parts - whole).abs() < 1e-9);
    }

    /// Without a battery and without jobs the day is its own baseline, however its meters run.
    #[test]
    fn what_has_nothing_to_save_with_saves_nothing(load in prop::array::uniform6(0.0..5.0_f64), sun in prop::array::uniform6(0.0..5.0_f64), price in prop::array::uniform6(-0.2..1.0_f64)) {
        let mut inputs = inputs();
        let both = |of: fn(f64, f64) -> f64| forecast(std::array::from_fn(|step| of(load[step], sun[step])));
        inputs.site.batteries = Vec::new();
        inputs.measured = Flows {
            import: both(|load, sun| (load - sun).max(0.0)),
            export: both(|load, sun| (sun - load).max(0.0)),
            sources: vec![forecast(sun)],
            loads: vec![forecast(load)],
            ..Flows::default()
        };
        inputs.grid.as_mut().unwrap().import_price.now = forecast(price);
        let day = Day::of(inputs);
        prop_assert!(day.total.cost_saved.abs() < 1e-9 && day.total.carbon_saved_g.abs() < 1e-6, "{:?}", day.total);
        prop_assert!((day.total.consumption - load.iter().sum::<f64>()).abs() < 1e-9);
    }
}
