//! Module 1 over HTTP: one endpoint a file.

pub(crate) mod allocate;
pub(crate) mod allocation;
pub(crate) mod allocations;
mod deferral;
mod drawn;
pub(crate) mod providers;
pub(crate) mod quota;
pub(crate) mod release;
pub(crate) mod report_usage;
pub(crate) mod stats;
