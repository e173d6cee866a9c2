//! Who may do what: keys.

pub(crate) mod key_create;
pub(crate) mod key_revoke;
pub(crate) mod key_rotate;
pub(crate) mod keys;
mod told;
