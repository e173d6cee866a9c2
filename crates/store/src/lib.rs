//! The journal's home. A Hive lives in one folder:
//!
//! ```text
//! journal.db    the journal; the only truth, never deleted
//! views.db      the shelf; made again from the journal when it is missing, damaged or of another version
//! energy.db     signals and telemetry: kept beside the journal, and no part of it; losing it costs readings
//! snapshots/    one file a snapshot; may be deleted
//! lock          held by the process that writes here
//! ```
//!
//! [`SqliteStore`] opens such a folder, [`copy_journal`] backs one up and restores it, and `conformance` is the suite that every
//! home of a journal must pass, this one and those to come.

mod apart;
mod checkpoint;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod copy;
mod database;
mod failure;
mod folder;
mod journal;
mod reader;
mod readings;
mod shelf;
mod snapshots;
mod sqlite;
mod stamp;
#[cfg(test)]
mod tests;

pub use apart::ApartFolder;
pub use copy::{Copied, copy_journal};
pub use folder::FilesBytes;
pub use readings::{
    Appended, DEVICES_MAX, DeviceReading, Gauge, KeptSignal, PUSH_STEPS_MAX, Pushed, READINGS_MAX, ReadingsError, ReadingsFile,
    ReadingsStanding, SIGNALS_MAX, STEPS_MAX, copy_readings, readings_standing,
};
pub use sqlite::SqliteStore;
