//! Developer commands: `cargo run -p lab3-xtask -- COMMAND`.

use std::process::ExitCode;

/// Where the API's contract is committed.
const OPENAPI: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json");

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() != Some("openapi") {
        eprintln!("commands:\n  openapi    write docs/openapi.json from the code");
        return ExitCode::from(2);
    }
    match std::fs::write(OPENAPI, lab3_server::openapi()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: docs/openapi.json cannot be written: {error}");
            ExitCode::FAILURE
        }
    }
}
