//! Packing: every result is a packing, its bound is one, small ones are compared with trying everything, and large ones come near their bound.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "outside of #[test] functions clippy does not see that this is a test")]

use std::ops::Range;

use lab3_solve::{Effort, Limits, Packed, Program, Shape, Task, Use, pack};
use proptest::prelude::*;

/// Whether each place is one of the task's, and no slot is overfull. Gives the cost, counted anew.
fn checked(tasks: &[Task], costs: &[Vec<f64>], room: &[f64], packed: &Packed) -> f64 {
    let mut left = room.to_vec();
    let mut cost = 0.0;
    assert_eq!(packed.places.len(), tasks.len());
    for (task, uses) in tasks.iter().zip(&packed.places).filter_map(|(task, place)| Some((task, place.as_ref()?))) {
        check_shape(task, uses);
        for part in uses {
            for slot in part.slots.clone() {
                left[slot] -= f64::from(part.width) * task.draw;
                cost += costs[task.row][slot] * f64::from(part.width) * task.draw;
            }
        }
        if let Shape::Pieces { restart, .. } = task.shape {
            cost += uses.iter().skip(1).map(|_| restart).sum::<f64>();
        }
    }
    assert!(left.iter().all(|left| *left >= -1e-9), "a slot is overfull: {left:?}");
    cost
}

fn check_shape(task: &Task, uses: &[Use]) {
    let done: usize = uses.iter().map(|part| part.slots.len() * part.width as usize).sum();
    assert_eq!(done, task.work, "{task:?}: {uses:?}");
    assert!(uses.iter().all(|part| part.slots.start >= task.window.start && part.slots.end <= task.window.end), "{task:?}: {uses:?}");
    assert!(uses.windows(2).all(|two| two[0].slots.end <= two[1].slots.start), "{uses:?}");
    match task.shape {
        Shape::Run => assert!(uses.len() <= 1 && uses.iter().all(|part| part.width == 1)),
        Shape::Loose { width_max } => assert!(uses.iter().all(|part| part.width <= width_max)),
        Shape::Pieces { length_min, .. } => {
            let least = length_min.min(task.work);
            assert!(uses.iter().all(|part| part.width == 1 && part.slots.len() >= least), "{task:?}: {uses:?}");
        }
    }
}

fn window(slots: usize) -> impl Strategy<Value = Range<usize>> {
    (0..slots, 1..=slots).prop_map(move |(start, length)| start..(start + length).min(slots))
}

fn task(slots: usize) -> impl Strategy<Value = Task> {
    let shape = prop_oneof![
        Just(Shape::Run),
        (1_u32..3).prop_map(|width_max| Shape::Loose { width_max }),
        (1_usize..4, 0.0_f64..5.0).prop_map(|(length_min, restart)| Shape::Pieces { length_min, restart }),
    ];
    (window(slots), 1_usize..5, 1_u32..4, 0_usize..2, shape).prop_map(|(window, work, draw, row, shape)| Task {
        window,
        work,
        draw: f64::from(draw),
        row,
        shape,
    })
}

/// Every way to place a task.
fn all_places(task: &Task, slots: usize) -> Vec<Vec<u32>> {
    let width_max = if let Shape::Loose { width_max } = task.shape { width_max } else { 1 };
    let mut ways: Vec<Vec<u32>> = vec![Vec::new()];
    for slot in 0..slots {
        let most = if task.window.contains(&slot) { width_max } else { 0 };
        ways = ways.into_iter().flat_map(|way| (0..=most).map(move |width| [&way[..], &[width]].concat())).collect();
    }
    let work = u32::try_from(task.work).unwrap();
    let runs = |way: &[u32]| way.split(|width| *width == 0).filter(|run| !run.is_empty()).map(<[u32]>::len).collect::<Vec<_>>();
    ways.retain(|way| way.iter().sum::<u32>() == work);
    match task.shape {
        Shape::Run => ways.retain(|way| runs(way).len() == 1),
        Shape::Pieces { length_min, .. } => ways.retain(|way| runs(way).iter().all(|run| *run >= length_min.min(task.work))),
        Shape::Loose { .. } => {}
    }
    ways
}

/// The most tasks that can be placed, and the least they cost then, by trying everything.
fn best(tasks: &[Task], costs: &[Vec<f64>], room: &[f64]) -> (usize, f64) {
    let Some((task, others)) = tasks.split_first() else { return (0, 0.0) };
    let mut found = best(others, costs, room);
    for way in all_places(task, room.len()) {
        let left: Vec<f64> = room.iter().zip(&way).map(|(room, width)| room - f64::from(*width) * task.draw).collect();
        if left.iter().any(|left| *left < 0.0) {
            continue;
        }
        let (placed, cost) = best(others, costs, &left);
        let slots: f64 = way.iter().zip(&costs[task.row]).map(|(width, cost)| f64::from(*width) * cost * task.draw).sum();
        let restarts = match task.shape {
            Shape::Pieces { restart, .. } => {
                restart * f64::from(u32::try_from(way.split(|width| *width == 0).filter(|run| !run.is_empty()).count() - 1).unwrap())
            }
            _ => 0.0,
        };
        let cost = cost + slots + restarts;
        if placed + 1 > found.0 || (placed + 1 == found.0 && cost < found.1) {
            found = (placed + 1, cost);
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn one_task_alone_has_its_best_place(task in task(7), costs in prop::collection::vec(0.0_f64..10.0, 7)) {
        let costs = [costs.clone(), costs];
        let room = [9.0; 7];
        let packed = pack(std::slice::from_ref(&task), &costs, &room, Effort { gap: 0.0, steps: 20, ruins: 5 });
        let (placed, cost) = best(std::slice::from_ref(&task), &costs, &room);
        prop_assert_eq!(packed.places.iter().flatten().count(), placed);
        prop_assert!((packed.cost - cost).abs() < 1e-9, "{} and {}", packed.cost, cost);
        prop_assert!((checked(&[task], &costs, &room, &packed) - packed.cost).abs() < 1e-9);
    }

    #[test]
    fn bounds_are_bounds_and_packings_packings(
        tasks in prop::collection::vec(task(5), 1..4),
        costs in prop::collection::vec(prop::collection::vec(-2.0_f64..10.0, 5), 2),
        room in prop::collection::vec((0_u32..5).prop_map(f64::from), 5),
    ) {
        let packed = pack(&tasks, &costs, &room, Effort { gap: 0.0, steps: 60, ruins: 20 });
        let cost = checked(&tasks, &costs, &room, &packed);
        prop_assert!((cost - packed.cost).abs() < 1e-9);
        let (placed, least) = best(&tasks, &costs, &room);
        let found = packed.places.iter().flatten().count();
        prop_assert!(found <= placed && tasks.len() - placed >= packed.lost_min);
        if let Some(bound) = packed.bound {
            prop_assert!(bound <= least + 1e-9, "the bound {} is above the least {}", bound, least);
        }
    }
}

/// A row of prices that looks like days: cheap nights, dear evenings, and noise.
fn days(slots: usize, seed: u64) -> Vec<f64> {
    let mut state = seed;
    (0..slots)
        .map(|slot| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let noise = f64::from(u32::try_from(state >> 40).unwrap()) / f64::from(1 << 24);
            let hour = f64::from(u32::try_from(slot % 96).unwrap()) / 4.0;
            200.0 + 80.0 * ((hour - 19.0) * std::f64::consts::TAU / 24.0).cos() + 40.0 * noise
        })
        .collect()
}

/// A thousand jobs in three days of quarter hours, half of them interruptible.
fn thousand() -> Vec<Task> {
    let mut state = 7_u64;
    let mut draw = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(state >> 33).unwrap() % below
    };
    (0..1000)
        .map(|number| {
            let work = 2 + draw(30);
            let start = draw(288 - work);
            let end = (start + work + 4 + draw(96)).min(288);
            let shape = if number % 2 == 0 { Shape::Run } else { Shape::Loose { width_max: 1 } };
            Task { window: start..end, work, draw: 0.5 + f64::from(u32::try_from(draw(8)).unwrap()) / 2.0, row: 0, shape }
        })
        .collect()
}

#[test]
fn a_thousand_come_within_a_hundredth_of_their_bound() {
    let tasks = thousand();
    let costs = [days(288, 3)];
    let work: f64 = tasks.iter().map(|task| f64::from(u32::try_from(task.work).unwrap()) * task.draw).sum();
    // The cap is a seventh above what an even use of all slots would take: it binds.
    let room = vec![work / 288.0 * 1.15; 288];
    let packed = pack(&tasks, &costs, &room, Effort { gap: 0.005, steps: 200, ruins: 100 });
    let cost = checked(&tasks, &costs, &room, &packed);
    let bound = packed.bound.expect("all are placed");
    assert!((cost - bound) / cost < 0.01, "cost {cost}, bound {bound}");
    let free = pack(&tasks, &costs, &vec![1e9; 288], Effort { gap: 0.0, steps: 1, ruins: 0 });
    assert!(free.cost < cost * 0.99, "the cap does not bind: this would show nothing");
}

/// What the same problem costs at least, by a program in whole variables.
fn by_program(tasks: &[Task], costs: &[Vec<f64>], room: &[f64]) -> f64 {
    let mut program = Program::new();
    let mut rows: Vec<Vec<_>> = vec![Vec::new(); room.len()];
    for task in tasks {
        let cost = |start: usize, length: usize| costs[task.row][start..start + length].iter().sum::<f64>() * task.draw;
        let length = if task.shape == Shape::Run { task.work } else { 1 };
        let mut all = Vec::new();
        for start in task.window.start..=task.window.end - length {
            let variable = program.whole(cost(start, length), 0.0, 1.0);
            all.push((variable, 1.0));
            for row in &mut rows[start..start + length] {
                row.push((variable, task.draw));
            }
        }
        let times = if task.shape == Shape::Run { 1.0 } else { f64::from(u32::try_from(task.work).unwrap()) };
        program.row(times, times, &all);
    }
    for (row, room) in rows.iter().zip(room) {
        program.row(f64::NEG_INFINITY, *room, row);
    }
    program.solve(Limits { seconds: 60.0, gap: 1e-3 }).unwrap().bound
}

#[test]
fn it_comes_near_what_a_program_in_whole_variables_proves() {
    let tasks: Vec<Task> = thousand().into_iter().filter(|task| task.window.end <= 96).take(60).collect();
    let costs = [days(96, 5)];
    let work: f64 = tasks.iter().map(|task| f64::from(u32::try_from(task.work).unwrap()) * task.draw).sum();
    let room = vec![work / 96.0 * 1.7; 96];
    let packed = pack(&tasks, &costs, &room, Effort { gap: 0.0, steps: 200, ruins: 200 });
    checked(&tasks, &costs, &room, &packed);
    let (bound, least) = (packed.bound.expect("all are placed"), by_program(&tasks, &costs, &room));
    assert!(bound <= packed.cost && packed.cost >= least * (1.0 - 1e-9));
    assert!(packed.cost <= least * 1.01, "{} against {least}, bound {bound}", packed.cost);
}
