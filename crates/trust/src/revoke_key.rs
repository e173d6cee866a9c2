//! Revoking a key: at once and for good.

use lab3_units::{Code, Problem};

use crate::judge::judge;
use crate::text::check_note;
use crate::{Deed, Desk, Kind, Owned, Principal, Rule, Scope, Touched};

/// What revoking or rotating a key asks for, when it is not one's own: one's own needs no scope.
pub const MANAGE_KEY: Rule = Rule::new(&[Kind::Operator, Kind::Citizen], Scope::Keys, Owned::Key);

/// A request to revoke a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevokeKey {
    /// Its number.
    pub number: u32,
    /// Why, for the record; may be empty.
    pub reason: Box<str>,
}

/// Revokes a key.
///
/// Errors: as [`judge()`]; `KEY_UNKNOWN` when there is none, said only to those who manage all keys; `STANDING` when it is revoked.
pub fn revoke_key(desk: &Desk<'_>, principal: &Principal, command: &RevokeKey) -> Result<Deed, Problem> {
    judge(desk.state, desk.now, principal, &MANAGE_KEY, &Touched::Key(command.number))?;
    let key = desk.state.key(command.number).ok_or_else(|| unknown_key(command.number))?;
    check_note(&command.reason, "reason")?;
    if let Some(at) = key.revoked {
        return Err(Problem::new(Code::STANDING, format!("Key {} was revoked at {at} already.", key.number)).in_field("number"));
    }
    Ok(Deed::KeyRevoked { number: key.number, reason: command.reason.clone() })
}

pub(crate) fn unknown_key(number: u32) -> Problem {
    Problem::new(Code::KEY_UNKNOWN, format!("There is no key {number}. lab3 key list shows those there are.")).in_field("number")
}
