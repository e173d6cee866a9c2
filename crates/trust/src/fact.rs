//! What happened to who may do what, as facts. Each says who did it: nobody deletes his own trace.
//!
//! The order of variants and fields is the journal's encoding: add variants at the end, never change one.

use lab3_units::{Did, Time};
use serde::{Deserialize, Serialize};

use crate::{
    Approval, By, DidKeyEvent, Holder, Inscription, Intent, KeyHash, KeyId, Note, PolicyLines, Resumption, Scopes, SealedBy, Treasurers,
    did_text,
};

/// One administrative act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// Who did it.
    pub by: By,
    /// What was done.
    pub deed: Deed,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Deed {
    /// A key was made.
    KeyCreated(Box<KeyCreated>),
    /// A key was revoked, at once.
    KeyRevoked {
        /// Which.
        number: u32,
        /// Why.
        reason: Box<str>,
    },
    /// A key was replaced.
    KeyRotated {
        /// The number of the one replaced.
        old: u32,
        /// Until when it still works.
        until: Time,
        /// The number of its successor, which is as it was but for the following.
        number: u32,
        /// The successor's public part.
        id: KeyId,
        /// Hash of the successor's text.
        hash: KeyHash,
    },
    /// A service may act for a citizen.
    Delegated {
        /// The family of the service's key.
        service: u32,
        /// For whom.
        #[serde(with = "did_text")]
        citizen: Did,
    },
    /// A service may no longer act for a citizen.
    Undelegated {
        /// The family of the service's key.
        service: u32,
        /// For whom.
        #[serde(with = "did_text")]
        citizen: Did,
    },
    /// A DID's keys changed: how, and the signature over it.
    DidKeys(Box<(DidKeyEvent, Intent)>),
    /// A DID's document was noted.
    Noted(Box<Note>),
    /// The treasurers were named.
    TreasurersNamed {
        /// Who they are.
        treasurers: Treasurers,
        /// What those before them signed.
        approval: Option<Approval>,
    },
    /// Rules changed.
    PolicyChanged {
        /// Which, to what.
        lines: PolicyLines,
        /// What treasurers signed.
        approval: Option<Approval>,
    },
    /// An account was frozen.
    Frozen {
        /// Whose.
        #[serde(with = "did_text")]
        citizen: Did,
        /// For how many hours, as treasurers sign it.
        hours: u8,
        /// Until when.
        until: Time,
        /// Why.
        reason: Box<str>,
        /// What treasurers signed.
        approval: Option<Approval>,
    },
    /// A freeze was ended early.
    Thawed {
        /// Whose.
        #[serde(with = "did_text")]
        citizen: Did,
        /// Why.
        reason: Box<str>,
    },
    /// The open Hive was closed, otherwise than by its first key.
    Sealed(SealedBy),
    /// The journal was inscribed.
    Inscribed(Inscription),
    /// What was written in a record was erased.
    Erased {
        /// The record's number.
        record: u64,
        /// Why.
        reason: Box<str>,
    },
    /// The journal goes on as a new log.
    Resumed(Box<Resumption>),
}

impl Deed {
    /// What was done, in a word.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::KeyCreated(_) => "key_created",
            Self::KeyRevoked { .. } => "key_revoked",
            Self::KeyRotated { .. } => "key_rotated",
            Self::Delegated { .. } => "delegated",
            Self::Undelegated { .. } => "undelegated",
            Self::DidKeys(_) => "did_keys_changed",
            Self::Noted(_) => "did_noted",
            Self::TreasurersNamed { .. } => "treasurers_named",
            Self::PolicyChanged { .. } => "policy_changed",
            Self::Frozen { .. } => "frozen",
            Self::Thawed { .. } => "thawed",
            Self::Sealed(_) => "sealed",
            Self::Inscribed(_) => "inscribed",
            Self::Erased { .. } => "erased",
            Self::Resumed(_) => "resumed",
        }
    }
}

/// A key that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyCreated {
    /// Its number.
    pub number: u32,
    /// Its public part.
    pub id: KeyId,
    /// Hash of its text.
    pub hash: KeyHash,
    /// Whose it is.
    pub holder: Holder,
    /// What it may do.
    pub scopes: Scopes,
    /// When it stops working.
    pub expires: Option<Time>,
    /// What it is for.
    pub note: Box<str>,
    /// The citizens a service may act for.
    #[serde(with = "did_text::many")]
    pub citizens: Vec<Did>,
}
