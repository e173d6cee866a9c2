//! Dispatch: which source serves which load in each step, what goes into batteries and out, what is bought and sold, at the least cost.
//!
//! The site is a [`Dispatch`]; [`Dispatch::solve`] gives a [`Plan`]. `docs/modules/energy.md` states it as a program. There is always a plan: what cannot be kept is broken
//! where that costs least, and named with its price ([`Broken`]).
//!
//! Some rules are choices: not to buy and sell at once, not to charge and discharge at once, to charge with at least so much or not at all. Most plans keep them
//! by themselves. So the program is solved without them, and again with those choices, as whole variables, that a plan did not keep (`switches.rs`): what keeps all is the best.

mod check;
mod model;
mod plan;
mod reserve;
mod site;
mod switches;

use lab3_solve::{Limits, Outcome, Solution, Unsolved};

use model::Model;
use switches::Switches;

pub use check::{FLOWS_MAX, Invalid, STEPS_MAX, THINGS_MAX};
pub use plan::{BatteryPlan, Broken, GeneratorPlan, Limit, Plan, Totals};
pub use site::{Battery, Demand, Dispatch, Flexible, Generator, Grid, Load, Metering, Nudges, Peak, Source, Wish};

/// So few choices are all made whole as soon as one is broken: to add them kind by kind would take more rounds, each with less time.
const FEW_CHOICES: usize = 100;

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unplanned {
    /// The site makes no sense.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The solver failed, or had not enough time.
    #[error(transparent)]
    Unsolved(#[from] Unsolved),
}

impl Dispatch {
    /// The best plan, or the best found in the time. A site that makes sense has one: only time may be too short, or the solver fail.
    pub fn solve(&self, limits: Limits) -> Result<Plan, Unplanned> {
        self.check()?;
        let mut switches = Switches::first(self);
        // Each round has half of the time that is left, and the last one as much again, so that all together keep it: no clock is read here.
        let mut seconds = limits.seconds;
        loop {
            seconds /= 2.0;
            let found = match self.solved_with(&switches, Limits { seconds, ..limits }, false) {
                Ok((model, solution)) if !switches.add_broken(self, &model, &solution) => return Ok(Plan::read(self, &model, &solution)),
                Ok((_, solution)) => solution.outcome,
                Err(Unsolved::OutOfTime) => Outcome::Stopped,
                Err(unsolved) => return Err(unsolved.into()),
            };
            let all = Switches::all(self);
            // What breaks a choice is no plan, and there was no time to find which others matter: whatever keeps all of them is one.
            if found == Outcome::Stopped {
                let (model, solution) = self.solved_with(&all, Limits { seconds, ..limits }, true)?;
                return Ok(Plan::read(self, &model, &solution));
            }
            if all.len() <= FEW_CHOICES {
                switches = all;
            }
        }
    }

    fn solved_with(&self, switches: &Switches, limits: Limits, from_zero: bool) -> Result<(Model, Solution), Unsolved> {
        let (program, model) = Model::of(self, switches);
        let solution = if from_zero { program.solve_from_zero(limits) } else { program.solve(limits) }?;
        Ok((model, solution))
    }
}
