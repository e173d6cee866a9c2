//! The Hive's registry of DID keys: ordered events, each signed by a key that was valid before it.
//!
//! The first key signs for itself, and somebody answers for whose it is: the citizen with an API key that moves her money, or, while
//! she has none such, the operator or a steward, on the record. After that nobody but the DID's own keys changes them; whoever has
//! the recovery key, of which only the hash is known until it is used, replaces them all.

use lab3_units::{Amount, Code, Did, Problem};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::intent::{check_time, invalid};
use crate::judge::{judge, not_allowed};
use crate::member::Member;
use crate::{Deed, Desk, Intent, Kind, Owned, Principal, PublicKey, Rule, Scope, Touched, Verified, did_text};

/// What answering for another's first key asks for.
pub const ENROL: Rule = Rule::new(&[Kind::Operator, Kind::Steward], Scope::Members, Owned::Citizen);

/// What answering for one's own first key asks for: that one can pay with the API key already.
pub const ENROL_OWN: Rule = Rule::new(&[Kind::Citizen], Scope::Money, Owned::Citizen);

/// Keys a DID can have at once.
const KEYS_MAX: usize = 16;

/// One event in the life of a DID's keys: what its signer signs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DidKeyEvent {
    /// Whose keys.
    #[serde(with = "did_text")]
    pub did: Did,
    /// Which event it is, from 1: two signed for the same place cannot both happen.
    pub number: u32,
    /// What changes.
    pub change: Change,
    /// SHA-256 of the recovery key, when it is set here: while there is none, or when it was just used.
    pub recovery: Option<[u8; 32]>,
}

/// What changes. The order is the journal's encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// A key more.
    Add(PublicKey),
    /// A key less; never the last.
    Revoke(PublicKey),
    /// One key for another.
    Rotate {
        /// The one that goes.
        old: PublicKey,
        /// The one that comes.
        new: PublicKey,
    },
    /// This key for all others; signed with the recovery key.
    Recover(PublicKey),
}

impl Change {
    /// The word in the text that is signed.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Add(_) => "add",
            Self::Revoke(_) => "revoke",
            Self::Rotate { .. } => "rotate",
            Self::Recover(_) => "recover",
        }
    }
}

/// A request to change a DID's keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeDidKeys {
    /// What shall happen.
    pub event: DidKeyEvent,
    /// The signature over it.
    pub intent: Verified<Intent>,
}

/// SHA-256 of a recovery key, as an event sets it.
pub fn recovery_hash(key: &PublicKey) -> [u8; 32] {
    Sha256::digest(key.to_bytes()).into()
}

/// Changes a DID's keys. But for the first key it is the signature that counts, not who brings it.
///
/// Errors: for the first key as [`judge()`]; `INTENT_INVALID` (`intent`) when the signer may not sign it or its time is over; `STANDING`
/// (`event`) when it is another event's turn; `FIELD_RANGE` (`did`, `key`, `recovery`) for what cannot be.
pub fn change_did_keys(desk: &Desk<'_>, principal: &Principal, command: &ChangeDidKeys) -> Result<Deed, Problem> {
    let ChangeDidKeys { event, intent } = command;
    check_method(&event.did)?;
    let none = Member::default();
    let member = desk.state.member(&event.did).unwrap_or(&none);
    check_turn(event, member.events)?;
    check_time(desk.now, intent.get().not_after)?;
    if intent.get().fee_max != Amount::ZERO {
        return Err(invalid("A key event has no fee. Sign it without one."));
    }
    if member.events == 0 {
        check_first(desk, principal, event)?;
    }
    check_signer(event, intent.get().key, member)?;
    check_change(event, member)?;
    Ok(Deed::DidKeys(Box::new((event.clone(), intent.get().clone()))))
}

fn check_method(did: &Did) -> Result<(), Problem> {
    let wrong = |detail: String| Err(Problem::new(Code::FIELD_RANGE, detail).in_field("did"));
    if did.as_str().starts_with("did:key:") {
        return wrong(format!("{did} has its key in its name, and no other. Use it as it is."));
    }
    if did.as_str().starts_with("did:web:") {
        return wrong(format!("The keys of {did} stand in its document: the operator notes them from there."));
    }
    Ok(())
}

fn check_turn(event: &DidKeyEvent, events: u32) -> Result<(), Problem> {
    let next = events.saturating_add(1);
    if event.number == next {
        return Ok(());
    }
    let detail = format!("The next event of {} is number {next}. Look at its keys, and sign that one.", event.did);
    Err(Problem::new(Code::STANDING, detail).in_field("event"))
}

/// Whoever adds a DID's first key becomes able to act as it. So it takes a key that can already, or, while no key can, somebody who
/// is known to the Hive and stands in the record.
fn check_first(desk: &Desk<'_>, principal: &Principal, event: &DidKeyEvent) -> Result<(), Problem> {
    if !matches!(event.change, Change::Add(_)) {
        return Err(Problem::new(Code::FIELD_RANGE, format!("{} has no key yet: its first event adds one.", event.did)).in_field("change"));
    }
    let own = principal.did() == Some(&event.did);
    judge(desk.state, desk.now, principal, if own { &ENROL_OWN } else { &ENROL }, &Touched::Citizen(&event.did))?;
    if own || *principal == Principal::Local {
        return Ok(());
    }
    let moves_money = |key: &crate::Key| key.scopes.has(Scope::Money) && key.standing(desk.now).works();
    if desk.state.keys_for(&event.did).any(moves_money) {
        return Err(not_allowed(format!("{} has an API key that moves its money, and adds its first key itself, with that.", event.did)));
    }
    Ok(())
}

fn check_signer(event: &DidKeyEvent, signer: PublicKey, member: &Member) -> Result<(), Problem> {
    let may = match event.change {
        Change::Recover(_) => member.recovery == Some(recovery_hash(&signer)),
        Change::Add(key) if member.events == 0 => key == signer,
        _ => member.did_keys.contains(&signer),
    };
    if may {
        return Ok(());
    }
    let who = match event.change {
        Change::Recover(_) => "the recovery key whose hash was registered",
        _ if member.events == 0 => "the key itself",
        _ => "a key the DID has now",
    };
    Err(invalid(format!("{signer} may not sign this. Sign it with {who}.")))
}

fn check_change(event: &DidKeyEvent, member: &Member) -> Result<(), Problem> {
    let wrong = |field, detail: &'static str| Err(Problem::new(Code::FIELD_RANGE, detail).in_field(field));
    let has = |key: &PublicKey| member.did_keys.contains(key);
    if event.recovery.is_some() && member.recovery.is_some() && !matches!(event.change, Change::Recover(_)) {
        return wrong("recovery", "There is a recovery key already: only it can set another. Leave it out.");
    }
    match event.change {
        Change::Add(key) if has(&key) => wrong("key", "The DID has this key already."),
        Change::Add(_) if member.did_keys.len() >= KEYS_MAX => wrong("key", "A DID has 16 keys at most. Revoke one first."),
        Change::Revoke(key) if !has(&key) => wrong("old", "The DID does not have this key."),
        Change::Revoke(_) if member.did_keys.len() == 1 => wrong("old", "This is the last key. Rotate it: a DID without a key is lost."),
        Change::Rotate { old, .. } if !has(&old) => wrong("old", "The DID does not have this key."),
        Change::Rotate { new, .. } if has(&new) => wrong("key", "The DID has this key already."),
        _ => Ok(()),
    }
}

impl Member {
    /// Folds an event in.
    pub(crate) fn change_keys(&mut self, event: &DidKeyEvent) {
        self.events = event.number;
        match event.change {
            Change::Add(key) => self.did_keys.push(key),
            Change::Revoke(old) => self.did_keys.retain(|key| *key != old),
            Change::Rotate { old, new } => {
                self.did_keys.retain(|key| *key != old);
                self.did_keys.push(new);
            }
            Change::Recover(key) => {
                self.did_keys = vec![key];
                self.recovery = None;
            }
        }
        self.recovery = event.recovery.or(self.recovery);
    }
}

#[cfg(test)]
mod tests;
