//! Developer commands: `cargo run -p lab3-xtask -- COMMAND`.

mod authority;
mod sbom;

use std::path::Path;
use std::process::ExitCode;

const COMMANDS: &str = "commands:
  authority  write docs/authority.md from the table of routes
  openapi    write docs/openapi.json from the code
  sbom       write target/sbom.json: what the lab3 binary is made of (CycloneDX 1.6)";

/// The workspace's folder.
const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

fn main() -> ExitCode {
    let done = match std::env::args().nth(1).as_deref() {
        Some("authority") => write(&Path::new(WORKSPACE).join(authority::PAGE), &authority::text()),
        Some("openapi") => write(&Path::new(WORKSPACE).join("docs/openapi.json"), &lab3_server::openapi()),
        Some("sbom") => sbom::read().and_then(|sources| {
            let path = sources.target_directory().join("sbom.json");
            write(&path, &sbom::text(&sources)?)?;
            println!("{}", path.display());
            Ok(())
        }),
        _ => {
            eprintln!("{COMMANDS}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| format!("{} cannot be made: {error}", folder.display()))?;
    }
    std::fs::write(path, text).map_err(|error| format!("{} cannot be written: {error}", path.display()))
}
