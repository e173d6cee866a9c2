//! The official clients, which nobody here wrote, against the running gateway with the mock behind it: Python's `openai`, `anthropic` and
//! `ollama`, and `openai` and `@anthropic-ai/sdk` for node. Each is crossed with providers of its own dialect and of others.
//!
//! Shown: answers, streams, tools, pictures, forms, usage and receipts arrive as each client reads them, at the price of what the
//! provider counted; and refusals raise the client's own errors, of which it does not try again what a citizen cannot pay.
//!
//! The scripts are in `clients/`, and say each check by its name. Versions stand in `clients/requirements.txt` and `package.json`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "outside of #[test] functions clippy does not see that this is a test"
)]

use std::process::Command;

use lab3_mock::Mock;
use lab3_tests::amount::mic;
use lab3_tests::gateway::{self, PLAYED, Played};
use lab3_tests::write::REPORT;
use lab3_tests::{Desk, Folder, packages, skip};
use serde_json::{Map, Value, json};

const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/clients");
const PYTHON: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/clients-python");
const NODE: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/clients-node");

/// Without that, node sets 10 GB of addresses aside, which limits on memory (ulimit -v) may not allow. Old ones do not know it.
const FRUGAL: &str = "--disable-wasm-trap-handler";

/// Everybody's allowance in a month, in KS: none of the scripts' queries come near it.
const QUOTA_KS: i64 = 100_000_000;

/// Models by what they do, with what the mock is told. The first is asked when a query names none.
const KINDS: [(&str, &str); 8] = [
    ("plain", "tokens=5"),
    ("tool", "tool=weather;tokens=2"),
    ("tools", "tool=weather;calls=2;tokens=4"),
    ("json", "tokens=1;text=%7B%22city%22%3A%22Bonn%22%7D"),
    ("thinks", "tokens=5;reasoning=2;thoughts=true"),
    ("breaks", "tokens=20;error_after=3;gap_ms=1"),
    ("refuses", "fail=400"),
    ("fails", "fail=503"),
];

fn model(played: &Played, (kind, script): (&str, &str)) -> String {
    format!("{kind}-{};input=7;{script}", played.name)
}

#[test]
fn python_openai() {
    python("with_openai.py");
}

#[test]
fn python_anthropic() {
    python("with_anthropic.py");
}

#[test]
fn python_ollama() {
    python("with_ollama.py");
}

#[test]
fn node_openai() {
    node("with_openai.mjs");
}

#[test]
fn node_anthropic() {
    node("with_anthropic.mjs");
}

fn python(script: &str) {
    let requirements = std::fs::read_to_string(format!("{SCRIPTS}/requirements.txt")).unwrap();
    match packages::python(PYTHON, &requirements) {
        Ok(programs) => check(Command::new(format!("{programs}/python")).args(["-B", &format!("{SCRIPTS}/{script}")])),
        Err(why) => skip(&format!("clients::{script}"), &why),
    }
}

fn node(script: &str) {
    let manifest = std::fs::read_to_string(format!("{SCRIPTS}/package.json")).unwrap();
    if let Err(why) = packages::node(NODE, &manifest) {
        return skip(&format!("clients::{script}"), &why);
    }
    // Packages are looked for beside the script.
    for name in [script, "desk.mjs"] {
        std::fs::copy(format!("{SCRIPTS}/{name}"), format!("{NODE}/{name}")).unwrap();
    }
    let frugal = Command::new("node").args([FRUGAL, "--version"]).output().is_ok_and(|output| output.status.success());
    check(Command::new("node").args(frugal.then_some(FRUGAL)).arg(format!("{NODE}/{script}")));
}

/// Runs a script against a desk of its own. It must succeed, and leave nothing held.
fn check(script: &mut Command) {
    let (folder, mock) = (Folder::new("clients"), Mock::start().unwrap());
    let models = |played: &Played| KINDS.into_iter().map(|kind| model(played, kind)).collect();
    let settings = [&format!("compute.quota_gic={}", mic(QUOTA_KS)), "compute.local_fallback=false"];
    let desk = gateway::open(&folder, &mock, models, &settings);
    exhaust(&desk);
    let providers = PLAYED.iter().map(|played| {
        let models = KINDS.into_iter().map(|kind| (kind.0.to_owned(), model(played, kind).into())).collect::<Map<_, Value>>();
        (played.name.to_owned(), json!({ "rate": played.rate, "models": models }))
    });
    let providers = Value::Object(providers.collect()).to_string();
    let path = std::env::var_os("PATH").unwrap_or_default();
    script.env_clear().env("PATH", path).env("LAB3_URL", desk.url()).env("LAB3_MOCK", mock.url()).env("LAB3_PROVIDERS", providers);
    let ran = script.output().unwrap();
    assert!(ran.status.success(), "{}", packages::both(&ran));
    println!("{}", packages::both(&ran));
    let allowance = gateway::allowance(&desk.client(), "did:kaizen:alice");
    assert!(allowance.held == 0 && allowance.used > 0, "{allowance:?}");
    desk.stop();
}

/// Leaves a citizen nothing.
fn exhaust(desk: &Desk) {
    let body = json!({ "citizen_did": "did:kaizen:poor", "provider": "deepseek", "actual_cost": mic(QUOTA_KS), "success": true });
    desk.client().write(REPORT, None, &body);
}
