//! The program under test: where it is, and running it to its end.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// `LAB3_BIN`, or the program beside the tests: `target/debug/lab3` for `target/debug/deps/kill-...`.
pub fn path() -> PathBuf {
    let path = std::env::var_os("LAB3_BIN").map_or_else(beside_the_tests, PathBuf::from);
    assert!(path.exists(), "{} is missing: build it with `cargo build -p lab3`, or name another with LAB3_BIN", path.display());
    path
}

fn beside_the_tests() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().and_then(Path::parent).unwrap().join("lab3")
}

/// A command of the program, with nothing of our environment but what is given.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(path());
    command.args(arguments).env_clear().env("NO_COLOR", "1").stdin(Stdio::null());
    command
}

/// Runs a command of the program to its end.
pub fn run(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

/// Runs a command that must succeed, and gives what it printed.
pub fn succeed(arguments: &[&str]) -> String {
    let output = run(arguments);
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "lab3 {} ended with {}\n{stdout}{stderr}", arguments.join(" "), output.status);
    stdout
}

/// Output as text.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}
