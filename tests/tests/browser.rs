//! A real browser before an open desk. Pages of strangers try what pages can: a name that is made to lead to the desk (DNS rebinding),
//! scripts and forms of another site. The desk refuses every one, and nothing changes; its own page works.
//!
//! The scripts are in `browser/`, and say each check by its name. They take Debian's `chromium` and `chromium-driver`, and only Python's
//! standard library.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "outside of #[test] functions clippy does not see that this is a test"
)]

use std::process::Command;

use lab3_tests::{Desk, Folder, packages, skip};

const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/browser");

/// How a script ends that cannot be run here.
const SKIPPED: i32 = 77;

#[test]
fn pages_of_strangers_do_nothing() {
    check("strangers.py");
}

#[test]
fn the_desks_own_page_works() {
    check("own_page.py");
}

/// Runs a script against a desk of its own.
fn check(script: &str) {
    let name = format!("browser::{script}");
    for program in ["python3", "chromium", "chromedriver"] {
        if !Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success()) {
            return skip(&name, &format!("no {program} that runs (Debian: apt-get install chromium chromium-driver)"));
        }
    }
    let folder = Folder::new("browser");
    let desk = Desk::open(&folder.at("data"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut python = Command::new("python3");
    python.args(["-B", &format!("{SCRIPTS}/{script}")]).env_clear().env("PATH", path);
    python.env("LAB3_URL", desk.url()).env("HOME", folder.path()).env("TMPDIR", folder.path());
    let ran = python.output().unwrap();
    let said = packages::both(&ran);
    if ran.status.code() == Some(SKIPPED) {
        return skip(&name, said.lines().last().unwrap_or("no browser starts"));
    }
    assert!(ran.status.success(), "{said}");
    println!("{said}");
    desk.stop();
}
