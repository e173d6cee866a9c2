//! Delegations: for which citizens a service may act.

use lab3_units::{Code, Did, Problem};

use crate::judge::judge;
use crate::{Deed, Desk, Holder, Key, Kind, Owned, Principal, Rule, Scope, Touched};

/// What delegating asks for: a citizen gives what she could do herself, the operator manages members.
pub const DELEGATE: Rule = Rule::new(&[Kind::Citizen], Scope::Compute, Owned::Citizen).or(&[Kind::Operator], Scope::Members);

/// A request to let a service act for a citizen, or no longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delegate {
    /// The number of one of the service's keys.
    pub service: u32,
    /// For whom.
    pub citizen: Did,
    /// Whether it may from now on.
    pub on: bool,
}

/// Adds or removes a delegation.
///
/// Errors: as [`judge()`]; `KEY_UNKNOWN` (`service`) when no service has that key; `STANDING` when it is so already.
pub fn delegate(desk: &Desk<'_>, principal: &Principal, command: &Delegate) -> Result<Deed, Problem> {
    judge(desk.state, desk.now, principal, &DELEGATE, &Touched::Citizen(&command.citizen))?;
    let is_service = |key: &&Key| matches!(key.holder, Holder::Service { .. });
    let unknown = || Problem::new(Code::KEY_UNKNOWN, format!("No service has a key {}.", command.service)).in_field("service");
    let service = desk.state.key(command.service).filter(is_service).ok_or_else(unknown)?.family;
    let citizen = command.citizen.clone();
    if desk.state.acts_for(service, &citizen) == command.on {
        let word = if command.on { "already" } else { "not" };
        return Err(Problem::new(Code::STANDING, format!("The service is {word} acting for {citizen}.")).in_field("citizen_did"));
    }
    Ok(if command.on { Deed::Delegated { service, citizen } } else { Deed::Undelegated { service, citizen } })
}
