//! Everything that can be asked here, and which rule decides it.

use lab3_units::{Did, Problem};

use crate::judge::not_allowed;
use crate::{
    By, ChangeDidKeys, ChangePolicy, CreateKey, Delegate, Desk, Erase, Fact, Freeze, Inscription, NameTreasurers, Note, Principal,
    Resumption, RevokeKey, RotateKey, SealedBy, Thaw, change_did_keys, change_policy, create_key, delegate, erase, freeze, inscribe,
    name_treasurers, note, resume, revoke_key, rotate_key, seal, thaw,
};

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
    /// Change a DID's keys.
    ChangeDidKeys(Box<ChangeDidKeys>),
    /// Note a DID's document.
    Note(Note),
    /// Name the treasurers.
    NameTreasurers(NameTreasurers),
    /// Change rules.
    ChangePolicy(ChangePolicy),
    /// Freeze an account.
    Freeze(Freeze),
    /// End a freeze.
    Thaw(Thaw),
    /// Close the open Hive.
    Seal(SealedBy),
    /// Inscribe the journal.
    Inscribe(Inscription),
    /// Erase what was written in a record.
    Erase(Erase),
    /// Go on as a new log.
    Resume(Resumption),
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
    ChangeDidKeys(Box<ChangeDidKeys>),
    Note(Note),
    NameTreasurers(NameTreasurers),
    ChangePolicy(ChangePolicy),
    Freeze(Freeze),
    Thaw(Thaw),
    Seal(SealedBy),
    Inscribe(Inscription),
    Erase(Erase),
    Resume(Resumption),
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
        Command::ChangeDidKeys(change) => change_did_keys(desk, principal, change),
        Command::Note(document) => note(desk, principal, document),
        Command::NameTreasurers(name) => name_treasurers(desk, principal, name),
        Command::ChangePolicy(change) => change_policy(desk, principal, change),
        Command::Freeze(account) => freeze(desk, principal, account),
        Command::Thaw(account) => thaw(desk, principal, account),
        Command::Seal(by) => seal(desk, principal, *by),
        Command::Inscribe(inscription) => inscribe(desk, principal, inscription),
        Command::Erase(words) => erase(desk, principal, words),
        Command::Resume(resumption) => resume(desk, principal, resumption),
    }?;
    // What treasurers signed they did, whoever brings it. Nobody brings a key event that the DID's own key signed: then that DID did it.
    let own = || if let Command::ChangeDidKeys(change) = command { Some(change.event.did.clone()) } else { None };
    let by = treasurer(command).map(By::Did).or_else(|| principal.by()).or_else(|| own().map(By::Did));
    Ok(Fact { by: by.ok_or_else(|| not_allowed("Nobody is named who did this."))?, deed })
}

/// The treasurer who signed first, for all who did.
fn treasurer(command: &Command) -> Option<Did> {
    let approval = match command {
        Command::NameTreasurers(NameTreasurers { approval, .. })
        | Command::ChangePolicy(ChangePolicy { approval, .. })
        | Command::Freeze(Freeze { approval, .. }) => approval.as_ref()?,
        _ => return None,
    };
    approval.get().signer().cloned()
}
