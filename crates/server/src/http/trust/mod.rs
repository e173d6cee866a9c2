//! Who may do what: keys, DIDs, intents, freezes; treasurers and the Hive's rules.

pub(crate) mod delegate;
pub(crate) mod dids;
pub(crate) mod done;
pub(crate) mod freeze;
pub(crate) mod governed;
pub(crate) mod hive;
pub(crate) mod intent;
pub(crate) mod key_create;
pub(crate) mod key_revoke;
pub(crate) mod key_rotate;
pub(crate) mod keys;
pub(crate) mod policy;
pub(crate) mod resolve;
pub(crate) mod seal;
mod signatures;
mod told;
pub(crate) mod treasurers;
