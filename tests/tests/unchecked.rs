//! A route without the check does not compile. `crates/server/src/http/unchecked.rs` leaves it out in every way there is, in lines that say
//! which error they must be refused with; the server is built with them, and exactly these lines are refused.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "outside of #[test] functions clippy does not see that this is a test"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use lab3_tests::packages::both;
use serde_json::Value;

const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// What is built, seen from the workspace.
const FILE: &str = "crates/server/src/http/unchecked.rs";

/// What marks a line that must be refused.
const MARK: &str = "//~ ";

/// The cases, each built on its own.
const CASES: [&str; 2] = ["route", "permit"];

/// A refusal by the compiler: file, line, code.
type Refusal = (String, u64, String);

#[test]
fn a_route_without_the_check_does_not_compile() {
    let all = marked();
    for case in CASES {
        let expected = all.iter().filter(|(of, _)| of == case).map(|(_, refusal)| refusal.clone()).collect::<BTreeSet<_>>();
        assert!(!expected.is_empty(), "{case}");
        assert_eq!(refusals(case), expected, "{case}");
    }
    assert!(all.len() >= 7 && all.iter().all(|(case, _)| CASES.contains(&&**case)), "{all:?}");
}

/// The lines of the file that must be refused, each with its case.
fn marked() -> Vec<(String, Refusal)> {
    let text = std::fs::read_to_string(Path::new(WORKSPACE).join(FILE)).unwrap();
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.starts_with("//!"));
    let marks = lines.filter_map(|(number, line)| Some((number, line.split_once(MARK)?.1.split_once(' ').unwrap())));
    marks.map(|(number, (case, code))| (case.to_owned(), (FILE.to_owned(), number, code.to_owned()))).collect()
}

/// What the compiler refuses of the server, built like these tests are and beside them, so that what it needs is there already.
fn refusals(case: &str) -> BTreeSet<Refusal> {
    let (target, profile) = target();
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(WORKSPACE).args(["rustc", "--locked", "-p", "lab3-server", "--lib", "--message-format=json", "--profile", profile]);
    cargo.arg("--target-dir").arg(target).args(["--", "--cfg", "lab3_unchecked", "--cfg", &format!("lab3_unchecked={case:?}")]);
    let ran = cargo.output().unwrap();
    assert!(!ran.status.success(), "it compiles");
    let refusals = String::from_utf8_lossy(&ran.stdout).lines().filter_map(refusal).collect::<BTreeSet<_>>();
    assert!(!refusals.is_empty(), "{}", both(&ran));
    refusals
}

/// The error a line of cargo's tells, if it tells one at a place.
fn refusal(line: &str) -> Option<Refusal> {
    let told: Value = serde_json::from_str(line).ok()?;
    let message = &told["message"];
    if told["reason"] != "compiler-message" || message["level"] != "error" {
        return None;
    }
    let span = message["spans"].as_array()?.iter().find(|span| span["is_primary"] == true)?;
    let code = message["code"]["code"].as_str().unwrap_or("none").to_owned();
    Some((span["file_name"].as_str()?.to_owned(), span["line_start"].as_u64()?, code))
}

/// Where these tests were built, and in which profile: `target/debug/deps/unchecked-...`.
fn target() -> (PathBuf, &'static str) {
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().and_then(Path::parent).unwrap();
    let profile = if folder.ends_with("debug") { "dev" } else { "release" };
    (folder.parent().unwrap().to_owned(), profile)
}
