//! An API key as the journal knows it: whose it is, what it may do, how it stands.

use lab3_units::{Amount, Did, Time};
use serde::{Deserialize, Serialize};

use crate::{By, KeyHash, KeyId, Kind, Scopes, did_text};

/// Whose a key is. The order is the journal's encoding, and that of [`Kind`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Holder {
    /// The operator.
    Operator,
    /// The citizen of this DID.
    Citizen(#[serde(with = "did_text")] Did),
    /// A service. The citizens it may act for are its delegations.
    Service {
        /// The most it may hold for all its citizens together in a day (UTC), in KS.
        daily_cap: Amount,
    },
    /// The steward of a module.
    Steward {
        /// The module's name: `energy`.
        module: Box<str>,
    },
    /// A treasurer, by the DID whose key signs.
    Treasurer(#[serde(with = "did_text")] Did),
    /// An auditor.
    Auditor,
    /// A meter.
    Meter {
        /// The meter's id.
        meter: Box<str>,
    },
    /// Another Hive's log.
    Witness {
        /// Its name.
        name: Box<str>,
    },
}

impl Holder {
    /// What the holder is.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Operator => Kind::Operator,
            Self::Citizen(_) => Kind::Citizen,
            Self::Service { .. } => Kind::Service,
            Self::Steward { .. } => Kind::Steward,
            Self::Treasurer(_) => Kind::Treasurer,
            Self::Auditor => Kind::Auditor,
            Self::Meter { .. } => Kind::Meter,
            Self::Witness { .. } => Kind::Witness,
        }
    }

    /// The DID of a citizen or a treasurer.
    pub const fn did(&self) -> Option<&Did> {
        match self {
            Self::Citizen(did) | Self::Treasurer(did) => Some(did),
            _ => None,
        }
    }
}

/// An API key. Its secret is nowhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Its number: dense, from 1. Records name it by this.
    pub number: u32,
    /// Its public part, which it is found by.
    pub id: KeyId,
    /// Hash of its text.
    pub hash: KeyHash,
    /// Whose it is.
    pub holder: Holder,
    /// What it may do.
    pub scopes: Scopes,
    /// When it was made.
    pub created: Time,
    /// Who made it.
    pub by: By,
    /// When it stops working.
    pub expires: Option<Time>,
    /// What it is for, in its maker's words.
    pub note: Box<str>,
    /// The number of the first key it replaces by rotation, or its own: what one opened, the next may settle.
    pub family: u32,
    /// When it was revoked.
    pub revoked: Option<Time>,
    /// The key that replaces it, and until when this one still works.
    pub rotated: Option<Rotated>,
}

/// What became of a rotated key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotated {
    /// The number of the key that replaces it.
    pub to: u32,
    /// Until when both work.
    pub until: Time,
}

/// How a key stands at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It works.
    Valid,
    /// It has been replaced and works a while longer, but manages no keys.
    Overlap {
        /// Until then.
        until: Time,
    },
    /// Its time, or its overlap, is over.
    Expired,
    /// It was revoked.
    Revoked,
}

impl Standing {
    /// Whether the key still works.
    pub const fn works(self) -> bool {
        matches!(self, Self::Valid | Self::Overlap { .. })
    }

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Overlap { .. } => "overlap",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

impl Key {
    /// How the key stands at `now`.
    pub fn standing(&self, now: Time) -> Standing {
        let over = |end: Option<Time>| end.is_some_and(|end| end <= now);
        match self.rotated {
            _ if self.revoked.is_some() => Standing::Revoked,
            _ if over(self.expires) || over(self.rotated.map(|rotated| rotated.until)) => Standing::Expired,
            Some(Rotated { until, .. }) => Standing::Overlap { until },
            None => Standing::Valid,
        }
    }
}
