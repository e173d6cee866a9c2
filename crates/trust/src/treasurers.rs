//! The treasurers: k of n sign for new money, grants, policy, and for who they are.

use std::collections::BTreeSet;

use lab3_units::{Code, Did, Problem, Time};
use serde::{Deserialize, Serialize};

use crate::intent::{check_key, check_time, invalid, signed_text};
use crate::judge::judge;
use crate::{Deed, Desk, Kind, Owned, Principal, PublicKey, Rule, Scope, Signature, State, Statement, Touched, Verified, did_text};

/// What naming treasurers and changing policy ask for; once there are treasurers, their signatures too.
pub const GOVERN: Rule = Rule::new(&[Kind::Operator, Kind::Treasurer], Scope::Policy, Owned::Hive);

/// The most treasurers there can be.
const TREASURERS_MAX: usize = 32;

/// Who the treasurers are, and how many of them have to sign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Treasurers {
    needed: u8,
    /// In order, each once.
    #[serde(with = "did_text::many")]
    members: Vec<Did>,
}

impl Treasurers {
    /// Errors: `FIELD_RANGE` when nobody, or more than there are, would have to sign (`needed`), or there are more than 32
    /// (`treasurers`).
    pub fn new(needed: u8, members: impl IntoIterator<Item = Did>) -> Result<Self, Problem> {
        let members: Vec<Did> = members.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
        let wrong = |detail: String, field| Err(Problem::new(Code::FIELD_RANGE, detail).in_field(field));
        if members.len() > TREASURERS_MAX {
            return wrong(format!("There can be {TREASURERS_MAX} treasurers at most."), "treasurers");
        }
        if needed == 0 || usize::from(needed) > members.len() {
            return wrong(format!("Of {} treasurers between 1 and {0} can be needed.", members.len()), "needed");
        }
        Ok(Self { needed, members })
    }

    /// How many have to sign.
    pub const fn needed(&self) -> u8 {
        self.needed
    }

    /// Who they are, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Did> {
        self.members.iter()
    }

    /// Whether the DID is one of them.
    pub fn has(&self, did: &Did) -> bool {
        self.members.binary_search(did).is_ok()
    }
}

/// Treasurers' signatures over one statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// The last moment it may be decided at.
    pub not_after: Time,
    /// Who signed.
    pub signatures: Vec<Countersign>,
}

/// One treasurer's signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Countersign {
    /// Which treasurer.
    #[serde(with = "did_text")]
    pub treasurer: Did,
    /// With which key.
    pub key: PublicKey,
    /// The signature.
    pub signature: Signature,
}

impl Approval {
    /// Who is said to have acted: the treasurer who signed first.
    pub fn signer(&self) -> Option<&Did> {
        self.signatures.first().map(|sign| &sign.treasurer)
    }

    /// Checks every signature over the statement. Knows no state.
    ///
    /// Errors: `INTENT_INVALID` (`intent`) when one does not fit, or there are more than there can be treasurers.
    pub fn verify(self, statement: &Statement) -> Result<Verified<Self>, Problem> {
        let text = signed_text(statement)?;
        if self.signatures.len() > TREASURERS_MAX || self.not_after != statement.not_after {
            return Err(invalid("The approval is for another time, or has more signatures than there can be treasurers."));
        }
        match self.signatures.iter().find(|sign| !sign.key.verifies(text.as_bytes(), &sign.signature)) {
            None => Ok(Verified::new(self)),
            Some(sign) => {
                let who = &sign.treasurer;
                Err(invalid(format!("The signature of {who} does not fit the text the desk rebuilt. Sign these bytes:\n{text}")))
            }
        }
    }
}

/// Whether what treasurers decide about may be decided now: without treasurers it may; with them, enough have to have signed.
/// Looks at the state only.
///
/// Errors: `INTENT_MISSING` (`intent`) when treasurers have to sign and nothing came; `INTENT_INVALID` (`intent`) when a signer is none,
/// his key is not his, somebody or one key signed twice, the time is over, or too few signed.
pub fn check_approval(state: &State, now: Time, approval: Option<&Verified<Approval>>) -> Result<(), Problem> {
    let Some(treasurers) = state.treasurers() else {
        return match approval {
            None => Ok(()),
            Some(_) => Err(invalid("This Hive has no treasurers, so nobody's approval counts. Leave it out.")),
        };
    };
    let needed = treasurers.needed();
    let Some(approval) = approval.map(Verified::get) else {
        let detail = format!("This takes the signatures of {needed} of the treasurers over its text (lab3 wallet sign).");
        return Err(Problem::new(Code::INTENT_MISSING, detail).in_field("intent"));
    };
    check_time(now, approval.not_after)?;
    let (mut dids, mut keys) = (BTreeSet::new(), BTreeSet::new());
    for Countersign { treasurer, key, .. } in &approval.signatures {
        if !treasurers.has(treasurer) {
            return Err(invalid(format!("{treasurer} is no treasurer. Leave the signature out.")));
        }
        check_key(state, treasurer, *key)?;
        if !dids.insert(treasurer) || !keys.insert(key) {
            return Err(invalid(format!("{treasurer} signed twice, or with another's key. Each counts once.")));
        }
    }
    if dids.len() < usize::from(needed) {
        return Err(invalid(format!("{} treasurers signed, and {needed} have to. Have more of them sign.", dids.len())));
    }
    Ok(())
}

/// Whether what only the operator or the treasurers decide may be decided: with treasurers by their signatures, whoever brings them; without, by
/// whom the rule names.
///
/// Errors: as [`check_approval`]; without an approval also as [`judge()`].
pub(crate) fn check_governed(
    desk: &Desk<'_>,
    principal: &Principal,
    (rule, touched): (&Rule, &Touched<'_>),
    approval: Option<&Verified<Approval>>,
) -> Result<(), Problem> {
    if approval.is_none() {
        judge(desk.state, desk.now, principal, rule, touched)?;
    }
    check_approval(desk.state, desk.now, approval)
}

/// A request to name the treasurers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameTreasurers {
    /// Who they shall be.
    pub treasurers: Treasurers,
    /// What those they follow signed.
    pub approval: Option<Verified<Approval>>,
}

/// Names the treasurers: the operator does while there are none, then only they themselves.
///
/// Errors: as [`check_governed`]; `FIELD_RANGE` (`treasurers`) when one of them has no key to sign with.
pub fn name_treasurers(desk: &Desk<'_>, principal: &Principal, command: &NameTreasurers) -> Result<Deed, Problem> {
    check_governed(desk, principal, (&GOVERN, &Touched::Hive), command.approval.as_ref())?;
    if let Some(did) = command.treasurers.iter().find(|did| desk.state.keys_of(did).is_empty()) {
        let detail = format!("{did} has no key here and could not sign. Register one first, or name a did:key.");
        return Err(Problem::new(Code::FIELD_RANGE, detail).in_field("treasurers"));
    }
    let NameTreasurers { treasurers, approval } = command.clone();
    Ok(Deed::TreasurersNamed { treasurers, approval: approval.map(Verified::into_inner) })
}

#[cfg(test)]
mod tests;
