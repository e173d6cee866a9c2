//! Makes a failing game short: leaves out runs of steps, then operations, as long as it still fails.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::game::Game;
use super::step::Step;

/// How the steps fail, if they do; a panic is a failure like any other. Else the operations played.
pub fn outcome(steps: &[Step]) -> Result<u64, String> {
    let played = catch_unwind(AssertUnwindSafe(|| {
        let mut game = Game::default();
        steps.iter().try_for_each(|step| game.play(step))?;
        game.finish()
    }));
    played.unwrap_or_else(|_| Err("it panicked".to_owned()))
}

/// A short game that fails, made from a long one that does.
pub fn shrink(mut steps: Vec<Step>) -> Vec<Step> {
    let mut run = steps.len() / 2;
    while run > 0 {
        let mut at = 0;
        while at < steps.len() {
            let mut fewer = steps.clone();
            fewer.drain(at..(at + run).min(steps.len()));
            if outcome(&fewer).is_err() { steps = fewer } else { at += run }
        }
        run /= 2;
    }
    fewer_operations(steps)
}

fn fewer_operations(mut steps: Vec<Step>) -> Vec<Step> {
    for step in 0..steps.len() {
        let mut at = 0;
        while at < steps[step].operations.len() {
            let mut fewer = steps.clone();
            fewer[step].operations.remove(at);
            if outcome(&fewer).is_err() { steps = fewer } else { at += 1 }
        }
    }
    steps
}
