//! Keys of a `did:web`: what the desk fetched from its document, noted with the document's hash for everybody to compare.

use lab3_units::{Code, Did, Problem};
use serde::{Deserialize, Serialize};

use crate::judge::judge;
use crate::{Deed, Desk, Kind, Owned, Principal, PublicKey, Rule, Scope, Touched, did_text, document_url};

/// What noting a document asks for.
pub const NOTE: Rule = Rule::new(&[Kind::Operator, Kind::Steward], Scope::Members, Owned::Citizen).or(&[Kind::Citizen], Scope::Keys);

/// Keys taken from a document.
const KEYS_MAX: usize = 16;

/// What a DID's document said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Whose document.
    #[serde(with = "did_text")]
    pub did: Did,
    /// Where it was.
    pub url: Box<str>,
    /// SHA-256 of its bytes.
    pub document: [u8; 32],
    /// The keys it gives for signing. None: it no longer has any, or is gone.
    pub keys: Vec<PublicKey>,
}

/// Notes a document, instead of what was noted before.
///
/// Errors: as [`judge()`]; `FIELD_RANGE` (`did`) for a DID that is no `did:web`, (`url`) for another address than the DID's, (`keys`) for more
/// than 16 or one twice.
pub fn note(desk: &Desk<'_>, principal: &Principal, command: &Note) -> Result<Deed, Problem> {
    judge(desk.state, desk.now, principal, &NOTE, &Touched::Citizen(&command.did))?;
    let wrong = |field, detail: &'static str| Err(Problem::new(Code::FIELD_RANGE, detail).in_field(field));
    let Ok(url) = document_url(&command.did) else {
        return wrong("did", "Only the keys of a did:web are noted from a document. Other DIDs register theirs.");
    };
    if url != *command.url {
        return wrong("url", "The document's address is the one that follows from the DID.");
    }
    let twice = command.keys.iter().enumerate().any(|(at, key)| command.keys.iter().skip(at + 1).any(|other| other == key));
    if twice || command.keys.len() > KEYS_MAX {
        return wrong("keys", "A DID has 16 keys at most, each once.");
    }
    Ok(Deed::Noted(Box::new(command.clone())))
}
