//! The served contract against the running desk, by schemathesis (PyPI), with all of its checks.
//!
//! Shown: no 5xx, no undocumented status, no reply that its schema does not allow, bad data refused, good data accepted (as
//! `schemathesis.toml` says), undocumented methods refused, and afterwards the books balance and replay. It fails as soon as
//! the OpenAPI document and the desk part, and prints the request to repeat.
//!
//! `LAB3_EXAMPLES` sets how many requests are made up for an operation, `LAB3_SEED` the dice.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "outside of #[test] functions clippy does not see that this is a test"
)]

use std::process::{Command, Output};

use lab3_tests::binary::text;
use lab3_tests::{Desk, Folder, audit, setting, skip};

const SCHEMATHESIS: &str = "schemathesis==4.32.5";

/// The environment it is installed in: kept between runs, made anew for another version.
const PLACE: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/schemathesis-4.32.5");

#[test]
fn the_desk_keeps_its_contract() {
    if let Err(why) = install() {
        return skip("schemathesis::the_desk_keeps_its_contract", &why);
    }
    let folder = Folder::new("schemathesis");
    let data = folder.at("data");
    let desk = Desk::open(&data);
    desk.client().mint("did:kaizen:alice", 1_000_000);
    let contract = format!("{}/lab3/openapi.json", desk.url());
    let (examples, seed) = (setting("LAB3_EXAMPLES", 25).to_string(), setting("LAB3_SEED", 3).to_string());
    let mut asking = Command::new(format!("{PLACE}/bin/st"));
    asking.args(["--config-file", concat!(env!("CARGO_MANIFEST_DIR"), "/schemathesis.toml"), "run", &contract]);
    asking.args(["--checks", "all", "--max-examples", &examples, "--seed", &seed]);
    asking.args(["--generation-database", "none", "--warnings", "off", "--no-color"]);
    let asked = asking.current_dir(folder.path()).output().unwrap();
    assert!(asked.status.success(), "{}", both(&asked));
    println!("{}", both(&asked));
    let head = desk.client().head();
    desk.stop();
    audit::verify(&data, &head);
}

/// Installs schemathesis, or says why that cannot be done here.
fn install() -> Result<(), String> {
    if run(&format!("{PLACE}/bin/st"), &["--version"]).is_ok() {
        return Ok(());
    }
    let _ = std::fs::remove_dir_all(PLACE);
    run("python3", &["-m", "venv", PLACE]).map_err(|why| format!("no Python environment can be made: {why}"))?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1", SCHEMATHESIS];
    run(&format!("{PLACE}/bin/python"), &pip).map_err(|why| format!("{SCHEMATHESIS} cannot be installed: {why}"))
}

/// Runs a program that should succeed; else the last line it said.
fn run(program: &str, arguments: &[&str]) -> Result<(), String> {
    match Command::new(program).args(arguments).output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(both(&output).lines().last().unwrap_or("it failed").to_owned()),
        Err(error) => Err(format!("{program}: {error}")),
    }
}

fn both(output: &Output) -> String {
    text(&output.stdout) + &text(&output.stderr)
}
