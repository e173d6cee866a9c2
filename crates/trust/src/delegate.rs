//! Delegations: for which citizens a service may act.

use lab3_units::{Code, Did, Problem};

use crate::judge::judge;
use crate::{Deed, Desk, Holder, Key, Kind, Owned, Principal, Rule, Scope, Touched};

/// What a citizen needs to delegate for herself.
pub const DELEGATE_OWN: Rule = Rule::new(&[Kind::Citizen], Scope::Compute, Owned::Citizen);

/// What the operator needs to delegate for a citizen.
pub const DELEGATE: Rule = Rule::new(&[Kind::Operator], Scope::Members, Owned::Citizen);

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
    let own = principal.did() == Some(&command.citizen);
    judge(desk.state, desk.now, principal, if own { &DELEGATE_OWN } else { &DELEGATE }, &Touched::Citizen(&command.citizen))?;
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
