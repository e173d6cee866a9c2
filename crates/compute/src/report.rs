//! rep
use lab3_ledger::{AccountNo, Event};
use lab3_units::{Amount, Code, Did, Id, Problem};

use crate::{Desk, Fact, Refusal, State, Tag};

/// What a query really cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Who asked and pays.
    pub citizen: Did,
    /// Who answered, by name or alias.
    pub provider: Box<str>,
    /// What it cost, in KS.
    pub actual_cost: Amount,
    /// Whether it succeeded.
    pub success: bool,
    /// The allocation it was made under; `None` looks for the oldest open one.
    pub allocation: Option<Id>,
    /// Tokens of the query.
    pub input_tokens: Option<u64>,
    /// Tokens of the answer.
    pub output_tokens: Option<u64>,
    /// How long it took, in milliseconds.
    pub latency_ms: Option<u32>,
    /// What the journal tells of `allocation` when it expired before this report came.
    pub late: Option<Late>,
}

/// What the journal tells of an allocation that expired before its report came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Late {
    /// The quota account it stood on.
    pub account: AccountNo,
    /// The provider it was given to.
    pub provider: Box<str>,
    /// Whether the Hive was to pay.
    pub hive_pays: bool,
    /// The number of the month whose allowance was promised.
    pub period: u16,
}

impl Late {
    /// Reads an expired allocation from the `HoldPlaced` the journal keeps: the account and the code.
    pub fn of(state: &State, account: AccountNo, code: u32) -> Option<Self> {
        let tag = Tag::from_code(code);
        let provider = state.provider_name(tag.provider)?.into();
        Some(Self { account, provider, hive_pays: tag.hive_pays, period: tag.period })
    }
}

/// todo
pub fn report(_desk: &Desk<'_>, _command: &Report) -> Result<(Fact, Vec<Event>), Refusal> {
    Err(Problem::new(Code::NO_PROVIDER_UP, "not yet").into())
}
