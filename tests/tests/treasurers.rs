//! Treasurers at a running desk, with nothing but a shell, openssl and curl, as docs/modules/trust.md tells; then with our own commands; and both
//! verifiers on what comes of it.
//!
//! It fails when the page's lines do not sign what the desk takes, when one signature is enough, or when an auditor does not accept the records.

#![allow(clippy::unwrap_used, clippy::panic, reason = "outside of #[test] functions clippy does not see that this is a test")]

use std::process::{Command, Output};

use lab3_tests::{Desk, Folder, binary, skip, wait};
use serde_json::json;

const PAGE: &str = include_str!("../../docs/modules/trust.md");

/// The page's block of shell that has these words.
fn block(words: &str) -> &'static str {
    let mut blocks = PAGE.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.find(|block| block.contains(words)).unwrap_or_else(|| panic!("the page has no block with {words}"))
}

/// Runs lines of shell in the folder.
fn shell(folder: &Folder, lines: &str) -> Output {
    Command::new("sh").current_dir(folder.path()).arg("-euc").arg(lines).output().unwrap()
}

#[track_caller]
fn told(output: &Output) -> String {
    assert!(output.status.success(), "{}{}", binary::text(&output.stdout), binary::text(&output.stderr));
    binary::text(&output.stdout).trim().to_owned()
}

/// Whether the tools of the page are here.
fn tools() -> bool {
    ["openssl version", "curl --version"].iter().all(|line| {
        let mut words = line.split(' ');
        Command::new(words.next().unwrap()).args(words).output().is_ok_and(|output| output.status.success())
    })
}

#[test]
fn two_treasurers_with_openssl_and_two_with_wallets() {
    if !tools() {
        return skip("treasurers", "there is no openssl or no curl");
    }
    let folder = Folder::new("treasurers");
    let desk = Desk::open(&folder.at("data"));
    let hive = desk.client().ask("/lab3/hive");
    let operator = desk.client().write("/lab3/keys", None, &json!({ "kind": "operator" }))["key"].as_str().unwrap().to_owned();
    let url = desk.url();
    let lab3 = |arguments: &[&str]| binary::command(arguments).env("LAB3_KEY", &operator).env("LAB3_URL", &url).output().unwrap();
    let (name, journal) = (hive["hive"].as_str().unwrap(), hive["journal"].as_str().unwrap());
    let given = format!("hive='{name}' journal='{journal}' LAB3_URL='{url}'\n{}{}", block("openssl genpkey"), block("act: transfer"));

    let made = "for who in ann ben; do openssl genpkey -algorithm ed25519 -out $who.pem; chmod 600 $who.pem; key_of $who.pem; done";
    let keys = told(&shell(&folder, &format!("{given}{made}")));
    let [ann, ben] = keys.lines().map(|key| format!("did:key:{key}")).collect::<Vec<_>>().try_into().unwrap();
    let carol = told(&lab3(&["wallet", "new", "--json", "--file", &folder.at("carol.pem")]));
    let carol = serde_json::from_str::<serde_json::Value>(&carol).unwrap()["did"].as_str().unwrap().to_owned();
    told(&lab3(&["treasurers", "name", "--needed", "2", &ann, &ben, &carol]));
    assert!(told(&lab3(&["treasurers", "show"])).contains("2 of 3 have to sign"));

    // The page, with one treasurer and with both.
    let given = given.replace("openssl genpkey -algorithm ed25519 -out alice.pem", ":");
    let page = block("act: mint");
    let alone = told(&shell(&folder, &format!("{given}{}", page.replace("for who in ann ben", "for who in ann"))));
    assert!(alone.contains("L3-0038"), "{alone}");
    let both = told(&shell(&folder, &format!("{given}{page}")));
    assert!(both.contains("\"act\":\"mint\""), "{both}");
    assert!(told(&lab3(&["balance", "did:kaizen:bob"])).contains("250.0 MIC"));
    let refused = lab3(&["policy", "set", "log.readers=everybody"]);
    assert!(!refused.status.success() && binary::text(&refused.stderr).contains("L3-0037"), "{}", binary::text(&refused.stderr));

    // Our own commands: records become everybody's.
    let (text, signatures) = (folder.at("policy.txt"), folder.at("signatures.txt"));
    std::fs::write(&text, told(&lab3(&["intent", "policy", "log.readers=everybody"])) + "\n").unwrap();
    let lines = [("ben.pem", &ben), ("carol.pem", &carol)]
        .map(|(file, did)| told(&lab3(&["wallet", "sign", &text, "--as", did, "--file", &folder.at(file)])));
    std::fs::write(&signatures, lines.join("\n")).unwrap();
    told(&lab3(&["intent", "send", &text, "--signatures", &signatures]));
    assert!(told(&lab3(&["policy", "show"])).contains("everybody"));
    check_books(&desk);
    let doctor = binary::command(&["doctor", "--data", &folder.at("data")]).output().unwrap();
    let doctor = binary::text(&doctor.stdout);
    assert!(doctor.contains("of 3 treasurers 2 have to sign") && doctor.contains("log.readers is everybody, by policy"), "{doctor}");
}

/// Both verdicts, by somebody who names nobody.
fn check_books(desk: &Desk) {
    let health = || desk.client().ask("/lab3/health");
    let last = health()["sequence"].as_u64();
    wait::until("a checkpoint of everything", || (health()["signed"].as_u64() == last).then_some(()));
    told(&binary::command(&["audit", &desk.url()]).output().unwrap());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/verify/verify.py");
    match Command::new("python3").args([script, &desk.url()]).output() {
        Ok(output) => drop(told(&output)),
        Err(_) => skip("treasurers::verify.py", "there is no python3"),
    }
}
