//! The ledger against a plain model: millions of random operations, everything a caller can see compared after every step.
//!
//! Shown: balances, what is held and available, refusals and their reasons, the order of an account's holds, deadlines and what is
//! due, drafts that fail midway leaving nothing, refused calls leaving a draft as it was, amounts at the edges of 64 bits, ids used
//! again; freezing, thawing (the game goes on with the thawed books) and replay give equal books; earlier freezes stand still; the
//! events alone add up to the books. It fails as soon as ledger and model differ in one of these, with the shortest game found.
//!
//! `LAB3_MODEL_OPERATIONS` sets how many operations are played, `LAB3_MODEL_SEED` the first seed.

#![allow(clippy::unwrap_used, clippy::panic, reason = "outside of #[test] functions clippy does not see that this is a test")]

mod play;

use play::dice::Dice;
use play::shrink::{outcome, shrink};
use play::step::{Step, World};

/// A few accounts that meet often, and a few ids.
const NARROW: World = World { owners: 4, ids: 24, draft_len_max: 6, opening_percent: 4 };

/// More accounts and holds than one chunk of the books has, and drafts over more accounts than are looked up one by one.
const WIDE: World = World { owners: 400, ids: 900, draft_len_max: 60, opening_percent: 25 };

#[test]
fn a_few_accounts_that_meet_often() {
    play(NARROW, 2000, setting("LAB3_MODEL_OPERATIONS", 2_000_000));
}

#[test]
fn many_accounts_and_long_drafts() {
    play(WIDE, 1200, setting("LAB3_MODEL_OPERATIONS", 2_000_000) / 10);
}

/// Plays games of so many steps until so many operations are done.
fn play(world: World, steps: usize, operations: u64) {
    let first = setting("LAB3_MODEL_SEED", 0x1ab3);
    let (mut games, mut done) = (0, 0);
    while done < operations {
        let seed = first + games;
        let mut dice = Dice::new(seed);
        let steps = (0..steps).map(|_| Step::throw(&mut dice, world)).collect::<Vec<_>>();
        match outcome(&steps) {
            Ok(played) => (games, done) = (games + 1, done + played),
            Err(_) => fail(seed, steps),
        }
    }
    println!("{done} operations in {games} games: {world:?}");
}

fn fail(seed: u64, steps: Vec<Step>) {
    let short = shrink(steps);
    let why = outcome(&short).unwrap_err();
    panic!("seed {seed}: {why}\n{short:#?}");
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is not a number")))
}
