//! Going on as a new log after a loss: an older copy of the journal was put back, so what was signed after it is gone. Nobody can go on with the
//! old log, whose readers hold checkpoints of what is lost; the journal goes on as another, and says so for ever.

use lab3_units::{Code, Id, Problem};
use serde::{Deserialize, Serialize};

use crate::judge::judge;
use crate::text::check_reason;
use crate::{Deed, Desk, Principal, SEAL, Touched};

/// What a journal that goes on as a new log says of it and of the old one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resumption {
    /// The journal's new id, drawn at random.
    pub journal: Id,
    /// The public key that signs checkpoints from here on (Ed25519).
    pub log_key: [u8; 32],
    /// How many records the old log had signed last.
    pub signed: u64,
    /// The root of those.
    pub root: [u8; 32],
    /// Why, for everybody to read.
    pub reason: Box<str>,
}

/// Goes on as a new log.
///
/// Errors: as [`judge()`]; `NOT_ALLOWED` for anybody but who has the folder; `STANDING` when the journal is not inscribed, or has that id
/// or key already; `FIELD_RANGE` (`reason`).
pub fn resume(desk: &Desk<'_>, principal: &Principal, command: &Resumption) -> Result<Deed, Problem> {
    judge(desk.state, desk.now, principal, &SEAL, &Touched::Hive)?;
    if *principal != Principal::Desk {
        return Err(crate::judge::not_allowed("A journal goes on as a new log by a command on its folder: lab3 journal resume."));
    }
    check_reason(&command.reason)?;
    match desk.state.inscription() {
        None => Err(Problem::new(Code::STANDING, "This journal is not inscribed: nothing of it was ever signed.")),
        Some(now) if now.journal == command.journal || now.log_key == command.log_key => {
            Err(Problem::new(Code::STANDING, "A new log has another id and another key than the old one."))
        }
        Some(_) => Ok(Deed::Resumed(Box::new(command.clone()))),
    }
}
