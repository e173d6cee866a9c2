//! What a rule may look at.

use lab3_units::Time;

use crate::State;

/// Everything a rule may look at.
#[derive(Clone, Copy, Debug)]
pub struct Desk<'a> {
    /// Who may do what, as the journal has it so far.
    pub state: &'a State,
    /// The moment the command is decided at.
    pub now: Time,
}
