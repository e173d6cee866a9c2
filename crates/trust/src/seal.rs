//! What is done once: closing the open Hive, and inscribing whose journal this is.

use lab3_units::{Code, Id, Problem};
use serde::{Deserialize, Serialize};

use crate::judge::judge;
use crate::{Deed, Desk, HiveName, Kind, Owned, Principal, Rule, Scope, Touched};

/// What closing and inscribing ask for.
pub const SEAL: Rule = Rule::new(&[Kind::Operator], Scope::Seal, Owned::Hive);

/// What closes an open Hive beside its first key. The order is the journal's encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SealedBy {
    /// Somebody asked for it: `lab3 seal`.
    Command,
    /// A provider's secret is stored here now.
    Secret,
}

/// Whose journal this is, and which key signs its checkpoints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inscription {
    /// The Hive's name, as intents spell it.
    pub hive: HiveName,
    /// The journal's id, drawn at random.
    pub journal: Id,
    /// The public key that signs checkpoints (Ed25519).
    pub log_key: [u8; 32],
}

/// Closes the open Hive.
///
/// Errors: as [`judge()`]; `STANDING` when it is closed.
pub fn seal(desk: &Desk<'_>, principal: &Principal, by: SealedBy) -> Result<Deed, Problem> {
    judge(desk.state, desk.now, principal, &SEAL, &Touched::Hive)?;
    match desk.state.closed() {
        None => Ok(Deed::Sealed(by)),
        Some(at) => Err(Problem::new(Code::STANDING, format!("This Hive was closed at {at} already."))),
    }
}

/// Inscribes the journal.
///
/// Errors: as [`judge()`]; `STANDING` when it is inscribed.
pub fn inscribe(desk: &Desk<'_>, principal: &Principal, inscription: &Inscription) -> Result<Deed, Problem> {
    judge(desk.state, desk.now, principal, &SEAL, &Touched::Hive)?;
    match desk.state.inscription() {
        None => Ok(Deed::Inscribed(inscription.clone())),
        Some(known) => {
            let detail = format!("This journal is {}'s, {}, and stays so.", known.hive.as_str(), known.journal.text("jn"));
            Err(Problem::new(Code::STANDING, detail))
        }
    }
}
