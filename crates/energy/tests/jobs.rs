//! Jobs: every place is one, the cap is kept, what is said to be saved is saved, and no request takes for ever.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "outside of #[test] functions clippy does not see that this is a test")]

use lab3_energy::Horizon;
use lab3_energy::jobs::{CHOICES_MAX, EFFORT, Job, Manner, Outlook, Placement, Unplaced, effort, place};
use lab3_units::Time;
use proptest::prelude::*;

const STEP_S: u32 = 900;

fn horizon(count: usize) -> Horizon {
    Horizon { start: Time::from_millis(1_800_000_000_000), step_s: STEP_S, count }
}

fn job(count: usize) -> impl Strategy<Value = Job> {
    let manner = prop_oneof![
        Just(Manner::Whole),
        (0_u32..3000, 0.0_f64..1.0).prop_map(|(run_min_s, restart_kwh)| Manner::Pieces { run_min_s, restart_kwh }),
        (1_u32..4).prop_map(|width_max| Manner::Elastic { width_max }),
    ];
    // Not on whole steps.
    let span = i64::from(STEP_S) * 1000 * i64::try_from(count).unwrap();
    (0.1_f64..5.0, 1_u32..10_000, 0..span, 0..span, manner, 0.0_f64..=1.0).prop_map(
        move |(power_kw, duration_s, from, length, manner, carbon_weight)| {
            let at = |millis: i64| Time::from_millis(horizon(count).start.millis() + millis);
            Job { power_kw, duration_s, earliest: at(from), deadline: at(from + length), manner, carbon_weight }
        },
    )
}

/// What the desk takes all the same: work that outlasts its time, a deadline before the start, moments far outside, next to no power and very much.
fn silly(count: usize) -> impl Strategy<Value = Job> {
    let moment = -100_000_000_i64..300_000_000;
    let power = prop_oneof![1e-9_f64..1e-3, 100.0_f64..1e6];
    let manner = prop_oneof![
        Just(Manner::Whole),
        (0_u32..36_000_000, 0.0_f64..1e6).prop_map(|(run_min_s, restart_kwh)| Manner::Pieces { run_min_s, restart_kwh }),
        (1_u32..=1000).prop_map(|width_max| Manner::Elastic { width_max }),
    ];
    (job(count), power, 1_u32..=36_000_000, moment.clone(), moment, manner, any::<[bool; 5]>()).prop_map(
        move |(mut job, power_kw, duration_s, from, until, manner, wrong)| {
            let at = |millis: i64| Time::from_millis(horizon(count).start.millis() + millis);
            if wrong[0] {
                job.power_kw = power_kw;
            }
            if wrong[1] {
                job.duration_s = duration_s;
            }
            if wrong[2] {
                job.earliest = at(from);
            }
            if wrong[3] {
                job.deadline = at(until);
            }
            if wrong[4] {
                job.manner = manner;
            }
            job
        },
    )
}

/// What a placement draws in each step, in kW; it keeps to the job's time and does all of its work.
fn draws(job: &Job, placed: &Placement, horizon: &Horizon) -> Vec<f64> {
    let mut draws = vec![0.0; horizon.count];
    let mut work = 0;
    for (run, part) in placed.runs.iter().zip(&placed.uses) {
        assert!(run.start >= job.earliest && run.end <= job.deadline, "{run:?} of {job:?}");
        assert_eq!((run.start, run.end), (horizon.begin_of(part.slots.start), horizon.begin_of(part.slots.end)));
        work += part.slots.len() * part.width as usize;
        draws[part.slots.clone()].iter_mut().for_each(|draw| *draw += run.power_kw);
    }
    assert_eq!(work, horizon.slots_of(job.duration_s));
    draws
}

/// `LAB3_ENERGY_JOBS` sets how many requests are tried.
fn cases() -> ProptestConfig {
    let cases = std::env::var("LAB3_ENERGY_JOBS").ok().and_then(|cases| cases.parse().ok()).unwrap_or(200);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn places_keep_time_work_and_cap(
        jobs in prop::collection::vec(prop_oneof![4 => job(24), 1 => silly(24)], 1..12),
        carbon in prop::collection::vec(0.0_f64..800.0, 24),
        price in prop::collection::vec(-0.1_f64..0.5, 24),
        cap in prop::collection::vec(prop_oneof![Just(0.0), 0.0_f64..15.0], 24),
        capped in any::<bool>(),
    ) {
        let horizon = horizon(24);
        let outlook = Outlook { horizon, carbon: &carbon, price: &price, cap_kw: capped.then_some(&cap[..]) };
        let schedule = place(&jobs, &outlook, effort(&jobs, &horizon).unwrap());
        let mut used = [0.0; 24];
        for (job, placed) in jobs.iter().zip(&schedule.places) {
            match placed {
                Ok(placed) => {
                    let draws = draws(job, placed, &horizon);
                    let energy: f64 = draws.iter().map(|draw| draw * 0.25).sum();
                    let restarts = if let Manner::Pieces { restart_kwh, .. } = job.manner { restart_kwh } else { 0.0 };
                    let again = f64::from(u32::try_from(placed.runs.len()).unwrap() - 1) * restarts;
                    prop_assert!((placed.sums.energy_kwh - energy - again).abs() < 1e-9 * (1.0 + energy + again));
                    used.iter_mut().zip(&draws).for_each(|(used, draw)| *used += draw);
                }
                Err(why) => prop_assert!(capped || matches!(why, Unplaced::Window { .. }), "{}", why),
            }
        }
        if capped {
            prop_assert!(used.iter().zip(&cap).all(|(used, cap)| *used <= cap + 1e-9));
        }
        let lost = schedule.places.iter().filter(|place| place.is_err()).count();
        prop_assert!(schedule.unplaced_min <= lost);
        prop_assert_eq!(schedule.gap.is_some(), lost == 0);
        if let (Some(gap), false) = (schedule.gap, capped) {
            prop_assert!(gap.abs() < 1e-9, "without a cap each is the best: {}", gap);
        }
    }
}

#[test]
fn waiting_for_carbon_alone_never_emits_more_than_running_at_once() {
    let carbon: Vec<f64> = (0..96).map(|slot| 300.0 + 100.0 * f64::from(slot % 17)).collect();
    let horizon = horizon(96);
    let job = |start: i64| Job {
        power_kw: 2.0,
        duration_s: 5 * STEP_S,
        earliest: horizon.begin_of(usize::try_from(start).unwrap()),
        deadline: horizon.begin_of(usize::try_from(start + 30).unwrap()),
        manner: Manner::Whole,
        carbon_weight: 1.0,
    };
    let jobs: Vec<Job> = (0..60).map(job).collect();
    let schedule = place(&jobs, &Outlook { horizon, carbon: &carbon, price: &[], cap_kw: None }, EFFORT);
    assert!(schedule.places.iter().all(|place| place.as_ref().unwrap().carbon_saved_g() >= 0.0));
}

#[test]
fn too_much_choice_is_refused_before_it_is_looked_at() {
    let horizon = horizon(35_000);
    let long = |manner| Job {
        power_kw: 1.0,
        duration_s: 10_000 * STEP_S,
        earliest: horizon.start,
        deadline: horizon.begin_of(35_000),
        manner,
        carbon_weight: 1.0,
    };
    assert!(effort(&[long(Manner::Whole)], &horizon).is_some());
    // 35,000 steps times 10,000 of work.
    assert!(effort(&[long(Manner::Pieces { run_min_s: 0, restart_kwh: 1.0 })], &horizon).is_none());
    let many = vec![long(Manner::Whole); CHOICES_MAX / 35_000 + 1];
    assert!(effort(&many, &horizon).is_none());
    let weight = |number: u32| Job {
        duration_s: STEP_S,
        deadline: horizon.begin_of(2),
        carbon_weight: f64::from(number) / 1e4,
        ..long(Manner::Whole)
    };
    let weighed: Vec<Job> = (0..1000).map(weight).collect();
    assert!(effort(&weighed, &horizon).is_none(), "a row of costs for each weight");
    let fewer = effort(&many[..1000], &horizon).unwrap();
    assert!(fewer.steps < EFFORT.steps && fewer.ruins < EFFORT.ruins);
}
