//! This Hive as a witness of others' logs.

pub(crate) mod add_checkpoint;
pub(crate) mod key;
