//! alloc
use lab3_ledger::Event;
use lab3_units::{Amount, Code, Did, Id, Problem, Ratio};

use crate::{Desk, Fact, Priority, Refusal};

/// A request for a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allocate {
    /// Who asks and pays.
    pub citizen: Did,
    /// Tokens of the query.
    pub tokens: u64,
    /// What the caller wants most.
    pub priority: Priority,
    /// Least quality; `None` is the policy's.
    pub min_quality: Option<Ratio>,
    /// Most it may cost; `None` is the month's quota.
    pub max_cost: Option<Amount>,
    /// The provider the caller would like, by name or alias.
    pub preferred: Option<Box<str>>,
    /// Whether to say of every provider why it was or was not chosen.
    pub explain: bool,
}

/// todo
pub fn allocate(_desk: &Desk<'_>, _id: Id, _command: &Allocate) -> Result<(Fact, Vec<Event>), Refusal> {
    Err(Problem::new(Code::NO_PROVIDER_UP, "not yet").into())
}
