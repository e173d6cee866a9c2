//! Module 4 over HTTP: one endpoint a file.

pub(crate) mod balance;
pub(crate) mod balance_proof;
pub(crate) mod contribute;
pub(crate) mod epoch_close;
pub(crate) mod erase;
pub(crate) mod grant;
pub(crate) mod mint;
pub(in crate::http) mod names;
pub(crate) mod pool;
pub(crate) mod statement;
pub(crate) mod transaction;
pub(crate) mod transactions;
pub(crate) mod transfer;
pub(crate) mod transfers;
