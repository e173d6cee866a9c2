//! Who asks, as the server makes it of a request; and who did something, as records keep it.

use lab3_units::Did;
use serde::{Deserialize, Serialize};

use crate::{Holder, PublicKey, Scopes, did_text};

/// Who asks. What it may do is judged by the state, not by what stands here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// Nobody is named.
    Nobody,
    /// Somebody on this machine, asking an open Hive.
    Local,
    /// The desk itself at its start, or a command on its folder while it stands still: who can write the folder could write the
    /// journal. The server never makes this of a request.
    Desk,
    /// The holder of an API key.
    Key(Bearer),
    /// A citizen who signed.
    Signed {
        /// Her DID.
        did: Did,
        /// The key the signature was checked with.
        key: PublicKey,
    },
}

/// What is known of who sent a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bearer {
    /// The key's number.
    pub number: u32,
    /// The number of the first key it replaces by rotation, or its own: by this it is known for as long as it is replaced.
    pub family: u32,
    /// Whose it is.
    pub holder: Holder,
    /// What it may do.
    pub scopes: Scopes,
}

/// Who did something, in a record. The order is the journal's encoding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum By {
    /// The desk itself, or a command on its folder.
    Desk,
    /// Somebody on an open Hive.
    Local,
    /// The holder of the key of this number.
    Key(u32),
    /// A citizen who signed.
    Did(#[serde(with = "did_text")] Did),
}

impl Principal {
    /// How records name it; nobody does nothing.
    pub fn by(&self) -> Option<By> {
        match self {
            Self::Nobody => None,
            Self::Local => Some(By::Local),
            Self::Desk => Some(By::Desk),
            Self::Key(bearer) => Some(By::Key(bearer.number)),
            Self::Signed { did, .. } => Some(By::Did(did.clone())),
        }
    }

    /// The DID of a citizen or treasurer.
    pub const fn did(&self) -> Option<&Did> {
        match self {
            Self::Signed { did, .. } => Some(did),
            Self::Key(bearer) => bearer.holder.did(),
            _ => None,
        }
    }
}
