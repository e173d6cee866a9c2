//! What a principal is. Each kind has the widest scopes it can ever have.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Scope, Scopes};

/// What a principal is. The order is the journal's encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// Manages the Hive: keys, providers, limits, backups. Never moves a member's money.
    Operator,
    /// A member: her own accounts and nothing else.
    Citizen,
    /// A program that allocates and settles for the citizens who are on its list.
    Service,
    /// Looks after one module.
    Steward,
    /// One of those who decide together about new money, grants and policy.
    Treasurer,
    /// Reads everything, writes nothing.
    Auditor,
    /// Appends the readings of one meter.
    Meter,
    /// Another Hive that has us countersign its checkpoints.
    Witness,
}

impl Kind {
    /// Every kind, in order.
    pub const ALL: [Self; 8] =
        [Self::Operator, Self::Citizen, Self::Service, Self::Steward, Self::Treasurer, Self::Auditor, Self::Meter, Self::Witness];

    /// The word in a key and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Citizen => "citizen",
            Self::Service => "service",
            Self::Steward => "steward",
            Self::Treasurer => "treasurer",
            Self::Auditor => "auditor",
            Self::Meter => "meter",
            Self::Witness => "witness",
        }
    }

    /// The kind of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// The widest scopes a key of this kind can have.
    pub const fn widest(self) -> Scopes {
        use Scope as S;
        match self {
            // All but `money`: what the operator cannot hand out, no key the operator made can do.
            Self::Operator => Scopes::ALL.without(S::Money),
            Self::Citizen => Scopes::of(&[S::Read, S::Journal, S::Compute, S::Money, S::Keys, S::Erase]),
            Self::Service => Scopes::of(&[S::Read, S::Compute]),
            Self::Steward => Scopes::of(&[S::Read, S::Journal, S::Metrics, S::Members, S::Module]),
            Self::Treasurer => Scopes::of(&[S::Read, S::Journal, S::Grants, S::Mint, S::Epoch, S::Policy, S::Freeze]),
            Self::Auditor => Scopes::of(&[S::Read, S::Journal, S::Metrics]),
            Self::Meter => Scopes::of(&[S::Meter]),
            Self::Witness => Scopes::of(&[S::Witness]),
        }
    }

    /// The scopes a principal of this kind may use itself. The operator has some only to hand them out: nobody allocates,
    /// reads a meter or countersigns with an operator's key. Modules it looks after itself where they have no steward.
    pub const fn acts(self) -> Scopes {
        match self {
            Self::Operator => {
                let widest = self.widest().without(Scope::Compute).without(Scope::Meter);
                widest.without(Scope::Witness)
            }
            _ => self.widest(),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A set of kinds, and whether those who are nobody belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kinds(u16);

impl Kinds {
    /// Everybody, also those who name nobody.
    pub const EVERYBODY: Self = Self(u16::MAX);

    /// These kinds.
    pub const fn of(kinds: &[Kind]) -> Self {
        let (mut bits, mut at) = (0, 0);
        while at < kinds.len() {
            bits |= 1 << kinds[at] as u16;
            at += 1;
        }
        Self(bits)
    }

    /// Whether the kind is one of them.
    pub const fn has(self, kind: Kind) -> bool {
        self.0 & 1 << kind as u16 != 0
    }

    /// Whether those who name nobody belong to it.
    pub const fn has_nobody(self) -> bool {
        self.0 == Self::EVERYBODY.0
    }

    /// The kinds, in order.
    pub fn iter(self) -> impl Iterator<Item = Kind> {
        Kind::ALL.into_iter().filter(move |kind| self.has(*kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back() {
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(Kind::parse("Operator"), None);
    }

    #[test]
    fn what_each_kind_can_never_do() {
        let check = |kind: Kind, scopes: &[Scope]| {
            for scope in scopes {
                assert!(!kind.acts().has(*scope), "{kind} has {scope:?}");
            }
        };
        check(Kind::Operator, &[Scope::Money, Scope::Compute, Scope::Meter, Scope::Witness]);
        check(Kind::Citizen, &[Scope::Mint, Scope::Grants, Scope::Epoch, Scope::Members, Scope::Backup, Scope::Seal]);
        check(Kind::Service, &[Scope::Money, Scope::Keys, Scope::Members]);
        assert!(!Kind::Operator.widest().has(Scope::Money), "the operator could hand it out");
        assert!(Kind::Auditor.widest().iter().all(Scope::only_reads));
        for kind in Kind::ALL {
            assert!(kind.acts().is_within(kind.widest()));
        }
    }
}
