//! Programs nobody here wrote, from package registries: installed into the target folder, and kept there between runs.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::binary::text;
use crate::skip;

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

/// What the script `second_opinion.py` of a folder answers, one line of JSON to each question; it is given what the folder's `requirements.txt` says, in an environment at
/// `place`. None, and a line that the test is skipped, when that cannot be had here.
pub fn second_opinion(test: &str, scripts: &str, place: &str, questions: &[Value]) -> Option<Vec<Value>> {
    let requirements = fs::read_to_string(format!("{scripts}/requirements.txt")).unwrap();
    let programs = match python(place, &requirements) {
        Ok(programs) => programs,
        Err(why) => {
            skip(test, &why);
            return None;
        }
    };
    let mut asked = Command::new(format!("{programs}/python"));
    asked.args(["-B", &format!("{scripts}/second_opinion.py")]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = asked.spawn().unwrap();
    let lines = questions.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
    let mut input = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "the script failed");
    let answers: Vec<Value> = text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), questions.len());
    Some(answers)
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
