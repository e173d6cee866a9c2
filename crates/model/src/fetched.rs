//! For tests: the real SmolLM2, from `LAB3_MODEL_GGUF` or fetched once into the target folder.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Its file; or a line that says why the test was skipped, and nothing.
pub fn smollm2(test: &str) -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("LAB3_MODEL_GGUF") {
        return Some(path.into());
    }
    // target/debug/deps/lab3_model-...
    let folder = std::env::current_exe().unwrap().ancestors().nth(3).unwrap().join("tmp").join("models");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../xtask/fetch-model.sh");
    let fetched = Command::new("sh").arg(script).arg(&folder).output();
    let why = match fetched {
        Ok(output) if output.status.success() => return Some(folder.join("SmolLM2-135M-Instruct.Q4_1.gguf")),
        Ok(output) => String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or_default().to_owned(),
        Err(error) => error.to_string(),
    };
    // To the terminal itself: what a passing test prints is kept back by the test runner.
    let _ = writeln!(std::io::stderr().lock(), "SKIPPED {test}: {why}");
    None
}
