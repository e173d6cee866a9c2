//! What is known of a DID: its keys of both sorts, which services act for it, whether it is frozen.

use serde::{Deserialize, Serialize};

use crate::{Frozen, Note, PublicKey};

/// What is known of a DID.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Member {
    /// Numbers of its API keys, in the order they were made.
    pub(crate) api_keys: Vec<u32>,
    /// Families of the services that act for it.
    pub(crate) services: Vec<u32>,
    /// The keys it signs with, in the order they came.
    pub(crate) did_keys: Vec<PublicKey>,
    /// How many key events there were.
    pub(crate) events: u32,
    /// SHA-256 of its recovery key.
    pub(crate) recovery: Option<[u8; 32]>,
    /// What its document said, when it has one.
    pub(crate) noted: Option<Box<Note>>,
    /// Its last freeze.
    pub(crate) frozen: Option<Frozen>,
}

impl Member {
    /// Lets a service act for it.
    pub(crate) fn serve(&mut self, family: u32) {
        if !self.services.contains(&family) {
            self.services.push(family);
        }
    }
}
