//! The two opinions on a running desk: `lab3 audit`, and the verifier in Python.

use std::process::{Command, Output};

use crate::{Desk, Folder, binary, skip, wait};

/// Waits until everything so far is signed.
pub fn signed(desk: &Desk) {
    let last = desk.client().ask("/lab3/health")["sequence"].as_u64();
    wait::until("a checkpoint of everything", || (desk.client().ask("/lab3/health")["signed"].as_u64() == last).then_some(()));
}

/// Our own auditor's.
pub fn audit(desk: &Desk, folder: &Folder, key: &str) -> Output {
    signed(desk);
    let visit = folder.at("visit");
    let mut command = binary::command(&["audit", &desk.url(), "--visit", &visit]);
    command.env("LAB3_KEY", key).output().unwrap()
}

/// The second opinion, if there is a Python.
fn verify(desk: &Desk, folder: &Folder, key: &str) -> Option<Output> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/verify/verify.py");
    let mut command = Command::new("python3");
    command.args([script, &desk.url(), "--last", &folder.at("last")]);
    if !key.is_empty() {
        command.args(["--bearer", key]);
    }
    command.output().ok()
}

/// Both verdicts on a desk.
pub fn check(desk: &Desk, folder: &Folder, key: &str, holds: bool) {
    let ours = audit(desk, folder, key);
    let told = |output: &Output| format!("{}{}", binary::text(&output.stdout), binary::text(&output.stderr));
    assert_eq!(ours.status.success(), holds, "{}", told(&ours));
    match verify(desk, folder, key) {
        Some(theirs) => assert_eq!(theirs.status.success(), holds, "{}", told(&theirs)),
        None => skip("verify.py", "there is no python3"),
    }
}
