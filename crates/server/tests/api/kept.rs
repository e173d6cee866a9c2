//! A Hive with a folder for signals and telemetry, wired as the binary wires it.

use lab3_engine::Policy;
use lab3_server::{ServerSettings, Wiring};
use tempfile::TempDir;

use crate::hive::Hive;

#[path = "../../../lab3/src/readings.rs"]
mod wiring;

/// The Hive, and the folder, which goes with it.
pub struct Kept {
    pub hive: Hive,
    pub folder: TempDir,
}

impl Kept {
    /// Telemetry is kept for thirty days.
    pub fn new() -> Self {
        Self::in_folder(TempDir::new().unwrap())
    }

    pub fn in_folder(folder: TempDir) -> Self {
        Self::with(folder, ServerSettings::default())
    }

    /// With settings of its own.
    pub fn with(folder: TempDir, settings: ServerSettings) -> Self {
        let readings = wiring::open(folder.path(), 30);
        Self { hive: Hive::wired(Policy::default(), settings, Wiring { readings, ..Wiring::default() }), folder }
    }

    /// The same folder, opened anew.
    pub fn reopened(self) -> Self {
        let Self { hive, folder } = self;
        drop(hive);
        Self::in_folder(folder)
    }
}
