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

use std::process::Command;

use lab3_tests::packages::{self, both};
use lab3_tests::{Desk, Folder, audit, setting, skip};

const SCHEMATHESIS: &str = "schemathesis==4.32.5";

/// The environment it is installed in.
const PLACE: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/schemathesis");

#[test]
fn the_desk_keeps_its_contract() {
    let programs = match packages::python(PLACE, SCHEMATHESIS) {
        Ok(programs) => programs,
        Err(why) => return skip("schemathesis::the_desk_keeps_its_contract", &why),
    };
    let folder = Folder::new("schemathesis");
    let data = folder.at("data");
    let desk = Desk::open(&data);
    desk.client().mint("did:kaizen:alice", 1_000_000);
    let contract = format!("{}/lab3/openapi.json", desk.url());
    let (examples, seed) = (setting("LAB3_EXAMPLES", 25).to_string(), setting("LAB3_SEED", 3).to_string());
    let mut asking = Command::new(format!("{programs}/st"));
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
