//! Everything that can be asked here, and which rule decides it.

use lab3_units::Problem;

use crate::judge::not_allowed;
use crate::{CreateKey, Delegate, Desk, Fact, Principal, RevokeKey, RotateKey, create_key, delegate, revoke_key, rotate_key};

/// A request to change who may do what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Make a key.
    CreateKey(CreateKey),
    /// Revoke a key.
    RevokeKey(RevokeKey),
    /// Replace a key.
    RotateKey(RotateKey),
    /// Add or remove a delegation.
    Delegate(Delegate),
}

macro_rules! from {
    ($($name:ident($of:ty),)*) => {
        $(impl From<$of> for Command {
            fn from(command: $of) -> Self {
                Self::$name(command)
            }
        })*
    };
}

from! {
    CreateKey(CreateKey),
    RevokeKey(RevokeKey),
    RotateKey(RotateKey),
    Delegate(Delegate),
}

/// Decides a command of `principal`, who is judged here as well as at the door: the state may have changed in between.
///
/// Errors: those of the command's rule.
pub fn decide(desk: &Desk<'_>, principal: &Principal, command: &Command) -> Result<Fact, Problem> {
    let deed = match command {
        Command::CreateKey(create) => create_key(desk, principal, create),
        Command::RevokeKey(revoke) => revoke_key(desk, principal, revoke),
        Command::RotateKey(rotate) => rotate_key(desk, principal, rotate),
        Command::Delegate(delegation) => delegate(desk, principal, delegation),
    }?;
    let by = principal.by().ok_or_else(|| not_allowed("Nobody does nothing."))?;
    Ok(Fact { by, deed })
}
