//! Optimisation kernels that several modules need: windows over rows of numbers, packing under a capacity, linear and mixed-integer
//! programs.
//!
//! Pure, and without a word of any module: rows of numbers in, positions and values out. `README.md` states each problem before the code.
//! Numbers are floats: nothing here is an amount of the ledger. Who books a result rounds it, once, by rules of its own.

mod pack;
mod program;
mod runs;
mod smallest;
mod sums;

pub use pack::{Effort, Packed, Shape, Task, Use, pack};
pub use program::{Limits, Outcome, Program, Solution, Solver, Unsolved, Variable};
pub use runs::{cheapest_run, sliding_minima, sums_of_minima};
pub use smallest::{Ranks, smallest, smallest_sums, sums_of_smallest};
pub use sums::Sums;
