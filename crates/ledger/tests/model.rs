//! The ledger against a plain model: millions of random operations, everything a caller can see compared after every step.
//!
//! Shown: balances, what is held and available, refusals and their reasons, what an ending hold pays out, the order of an account's
//! holds, deadlines and what is due, drafts that fail midway leaving nothing, refused calls leaving a draft as it was, amounts at
//! the edges of 64 bits, ids used again; freezing, thawing (the game goes on with the thawed books) and replay give equal books;
//! earlier freezes stand still; the events alone add up to the books. It fails as soon as ledger and model differ in one of these,
//! with the shortest game found.
//!
//! `LAB3_MODEL_OPERATIONS` sets how many operations are played, `LAB3_MODEL_SEED` the first seed: a failure names its seed, and
//! the game that failed is the first one when that seed is given.

#![allow(clippy::unwrap_used, clippy::panic, reason = "outside of #[test] functions clippy does not see that this is a test")]

mod play;

use std::rc::Rc;

use play::game::SideBySide;
use play::paper::OnPaper;
use play::step::Step;
use play::world::{Narrow, Wide, World};
use proptest::test_runner::{TestError, TestRunner};
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};

#[test]
fn a_few_accounts_that_meet_often() {
    play::<Narrow>(setting("LAB3_MODEL_OPERATIONS", 2_000_000));
}

#[test]
fn many_accounts_and_long_drafts() {
    play::<Wide>(setting("LAB3_MODEL_OPERATIONS", 2_000_000) / 10);
}

/// Plays games until so many operations are done.
fn play<W: World>(operations: u64) {
    let first = setting("LAB3_MODEL_SEED", 0x1ab3);
    let (mut games, mut done) = (0, 0);
    while done < operations {
        done += game::<W>(first + games);
        games += 1;
    }
    println!("{done} operations in {games} games");
}

/// Plays one game; says how many operations it had.
fn game<W: World>(seed: u64) -> u64 {
    let config = play::config(seed);
    let calls = Rc::default();
    let outcome = TestRunner::new(config.clone()).run(&OnPaper::<W>::sequential_strategy(W::STEPS), |(mut paper, steps, seen)| {
        paper.calls = Rc::clone(&calls);
        SideBySide::<W>::test_sequential(config.clone(), paper, steps, seen);
        Ok(())
    });
    match outcome {
        Ok(()) => calls.get(),
        Err(TestError::Fail(why, (_, steps, _))) => fail(seed, &why.to_string(), &steps),
        Err(TestError::Abort(why)) => panic!("seed {seed}: {why}"),
    }
}

/// Names what differs and the steps that lead there, without those that were made empty.
fn fail(seed: u64, why: &str, steps: &[Step]) -> ! {
    let lines = steps.iter().filter(|step| !step.is_empty()).map(|step| format!("{step:?}")).collect::<Vec<_>>();
    panic!("seed {seed}: {why}\n{}", lines.join("\n"));
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is not a number")))
}
