//! What is known of a DID: its API keys, and which services act for it.

use serde::{Deserialize, Serialize};

/// What is known of a DID.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Member {
    /// Numbers of its API keys, in the order they were made.
    pub(crate) api_keys: Vec<u32>,
    /// Families of the services that act for it.
    pub(crate) services: Vec<u32>,
}

impl Member {
    /// Lets a service act for it.
    pub(crate) fn serve(&mut self, family: u32) {
        if !self.services.contains(&family) {
            self.services.push(family);
        }
    }
}
