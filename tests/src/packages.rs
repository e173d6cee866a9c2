//! Programs nobody here wrote, from package registries: installed into the target folder, and kept there between runs.

use std::fs;
use std::process::{Command, Output};

use crate::binary::text;

/// The list of what is installed in a folder, written when all of it is.
const INSTALLED: &str = "installed";

/// Makes a Python environment in that folder with these requirements, one a line; gives the folder of its programs. Errors: why it cannot
/// be had here.
pub fn python(place: &str, requirements: &str) -> Result<String, String> {
    let programs = format!("{place}/bin");
    install(place, requirements, || {
        run(Command::new("python3").args(["-m", "venv", place])).map_err(|why| format!("no Python environment can be made: {why}"))?;
        let list = format!("{place}/requirements.txt");
        fs::write(&list, requirements).map_err(|error| error.to_string())?;
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1", "-r", &list];
        run(Command::new(format!("{programs}/python")).args(pip)).map_err(|why| format!("its packages cannot be installed: {why}"))
    })?;
    Ok(programs)
}

/// Installs the packages of a manifest (`package.json`) into that folder. Errors: why they cannot be had here.
pub fn node(place: &str, manifest: &str) -> Result<(), String> {
    run(Command::new("node").arg("--version")).map_err(|why| format!("no node: {why}"))?;
    install(place, manifest, || {
        fs::create_dir_all(place).and_then(|()| fs::write(format!("{place}/package.json"), manifest)).map_err(|error| error.to_string())?;
        let npm = ["install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=1", "--loglevel=error"];
        run(Command::new("npm").args(npm).current_dir(place)).map_err(|why| format!("its packages cannot be installed: {why}"))
    })
}

/// Installs what is not there yet, anew when something else is.
fn install(place: &str, what: &str, how: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    let list = format!("{place}/{INSTALLED}");
    if fs::read_to_string(&list).is_ok_and(|installed| installed == what) {
        return Ok(());
    }
    let _ = fs::remove_dir_all(place);
    how()?;
    fs::write(list, what).map_err(|error| error.to_string())
}

/// Runs a program that should succeed; else the last line it said.
fn run(command: &mut Command) -> Result<(), String> {
    match command.output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(both(&output).lines().last().unwrap_or("it failed").to_owned()),
        Err(error) => Err(format!("{}: {error}", command.get_program().display())),
    }
}

/// All that a program said.
pub fn both(output: &Output) -> String {
    text(&output.stdout) + &text(&output.stderr)
}
