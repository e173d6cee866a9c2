//! Deeds about keys, decided a second time: by the state before the record, whoever is said to have done it could have done exactly that.
//!
//! The rules are those of `lab3_trust`, as for everything about keys here. What treasurers decide is judged with their signatures.

use lab3_engine::Record;
use lab3_trust::{
    Act, Bearer, By, ChangeDidKeys, Command, CreateKey, Deed, Delegate, Desk, Fact as Trust, Principal, RevokeKey, RotateKey, State, decide,
};
use lab3_units::Duration;

use crate::signatures::{signed, told};
use crate::verdict::{Class, Found};

/// Whether the deed is one that could be done there and then by who did it.
pub(crate) fn check(state: &State, record: &Record, fact: &Trust) -> Result<(), Found> {
    let bad = |what: String| Err((Class::Keys, what));
    let Some(command) = command(state, record, &fact.deed)? else { return Ok(()) };
    let Some(principal) = principal(state, fact) else { return bad("who did it is nobody known here".to_owned()) };
    match decide(&Desk { state, now: record.at }, &principal, &command) {
        Ok(decided) if decided == *fact => Ok(()),
        Ok(_) => bad("it is not what comes of asking for it".to_owned()),
        Err(problem) => bad(format!("it could not be done: {}", problem.detail)),
    }
}

/// Who did it, as he must have come.
fn principal(state: &State, fact: &Trust) -> Option<Principal> {
    Some(match (&fact.by, &fact.deed) {
        (By::Desk, _) => Principal::Desk,
        (By::Local, _) => Principal::Local,
        (By::Key(number), _) => {
            let key = state.key(*number)?;
            Principal::Key(Bearer { number: *number, family: key.family, holder: key.holder.clone(), scopes: key.scopes })
        }
        // The signature counts, not who brings it.
        (By::Did(did), Deed::DidKeys(changed)) if *did == changed.0.did => Principal::Nobody,
        (By::Did(did), _) => Principal::Signed { did: did.clone(), key: *state.keys_of(did).first()? },
    })
}

/// What was asked for; nothing where it is judged elsewhere.
fn command(state: &State, record: &Record, deed: &Deed) -> Result<Option<Command>, Found> {
    Ok(Some(match deed {
        Deed::KeyCreated(made) => {
            let (holder, note, citizens) = (made.holder.clone(), made.note.clone(), made.citizens.clone());
            CreateKey { id: made.id, hash: made.hash, holder, scopes: made.scopes, expires: made.expires, note, citizens }.into()
        }
        Deed::KeyRevoked { number, reason } => RevokeKey { number: *number, reason: reason.clone() }.into(),
        Deed::KeyRotated { old, until, id, hash, .. } => {
            let overlap = u32::try_from(until.millis_since(record.at)).map(Duration::from_millis).ok();
            RotateKey { number: *old, id: *id, hash: *hash, overlap }.into()
        }
        Deed::Delegated { service, citizen } => Delegate { service: *service, citizen: citizen.clone(), on: true }.into(),
        Deed::Undelegated { service, citizen } => Delegate { service: *service, citizen: citizen.clone(), on: false }.into(),
        Deed::DidKeys(changed) => {
            let (event, intent) = &**changed;
            let intent = told(signed(record, state, Act::DidKey(event.clone()), intent))?;
            Box::new(ChangeDidKeys { event: event.clone(), intent }).into()
        }
        Deed::Noted(note) => (**note).clone().into(),
        Deed::Sealed(by) => (*by).into(),
        Deed::Inscribed(inscription) => inscription.clone().into(),
        Deed::Resumed(resumption) => (**resumption).clone().into(),
        _ => return Ok(None),
    }))
}
