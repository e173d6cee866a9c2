//! What a rule may look at, and how it refuses.

use lab3_ledger::Ledger;
use lab3_units::{Code, Id, Problem, Time};

use crate::{Policy, State};

/// Everything a rule may look at.
#[derive(Clone, Copy, Debug)]
pub struct Desk<'a> {
    /// The books.
    pub ledger: &'a Ledger,
    /// What the module knows beside the books.
    pub state: &'a State,
    /// The operator's rules.
    pub policy: &'a Policy,
    /// The moment the command is decided at.
    pub now: Time,
}

/// Why a command is refused. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A rule refuses it.
    #[error(transparent)]
    Problem(#[from] Problem),
    /// The allocation named is not open: it never was, or has ended. Who knows the journal can tell which.
    #[error("the allocation is not open")]
    NotOpen(Id),
}

/// The ledger's refusals that can reach a caller, in words.
impl From<lab3_ledger::Refusal> for Refusal {
    fn from(refusal: lab3_ledger::Refusal) -> Self {
        use lab3_ledger::Refusal as Books;
        Self::Problem(match refusal {
            Books::NoHold(id) => return Self::NotOpen(id),
            Books::HoldsMax { open_max } => Problem::new(
                Code::ALLOCATIONS_OPEN,
                format!("{open_max} allocations of this citizen are open, and no more may be. Report or release some, or wait until they expire."),
            )
            .in_field("citizen_did"),
            Books::HoldExists(_) => Problem::new(Code::KEY_REUSED, "An allocation of that id is open already. Use another key."),
            other => Problem::new(Code::BOOKS_LIMIT, format!("The books refuse it: {other}. Use smaller amounts.")),
        })
    }
}
