//! A disk that fails or dawdles on demand: `shim/failing_disk.c`, preloaded into the desk.

use std::path::Path;
use std::process::Command;

use crate::{Desk, Folder, binary};

/// The preloaded disk.
pub struct Shim {
    library: String,
    control: String,
    count: String,
}

impl Shim {
    /// Compiles the shim; nothing where there is no C compiler.
    pub fn build(folder: &Folder) -> Option<Self> {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("shim/failing_disk.c");
        let library = folder.at("failing_disk.so");
        let compiling = Command::new("cc").args(["-shared", "-fPIC", "-O1", "-Wall", "-o", &library]).arg(source).arg("-ldl").output();
        let output = compiling.ok()?;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Some(Self { library, control: folder.at("control"), count: folder.at("count") })
    }

    /// Opens a desk on this disk.
    pub fn open(&self, data: &str, arguments: &[&str]) -> Desk {
        let mut command = binary::command(&["serve", "--data", data]);
        command.args(arguments);
        command.env("LD_PRELOAD", &self.library).env("FAILING_DISK", &self.control).env("FAILING_DISK_COUNT", &self.count);
        Desk::spawn(command, data).unwrap()
    }

    /// Makes it fail, or dawdle; the letters stand in `shim/failing_disk.c`.
    pub fn fail(&self, how: &str) {
        std::fs::write(&self.control, how).unwrap();
    }

    /// Makes it work.
    pub fn work(&self) {
        self.fail("-");
    }

    /// How often it failed.
    pub fn failures(&self) -> u64 {
        std::fs::metadata(&self.count).map_or(0, |file| file.len())
    }
}
