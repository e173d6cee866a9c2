//! The commands people type, against a running desk: what they print, for people and with `--json` for programs.
//!
//! It fails when a command stops working, prints something else than the server's reply with `--json`, does a transfer twice under
//! one key, or ends with another exit code than it should.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "outside of #[test] functions clippy does not see that this is a test"
)]

use lab3_tests::binary::{command, run, succeed, text};
use lab3_tests::{Desk, Folder, Journal};
use serde_json::Value;

const ALICE: &str = "did:kaizen:alice";
const BOB: &str = "did:kaizen:bob";

/// A desk with a client's commands on it.
struct Shell {
    desk: Desk,
    data: String,
    _folder: Folder,
}

impl Shell {
    fn new(name: &str) -> Self {
        let folder = Folder::new(name);
        let data = folder.at("data");
        let desk = Desk::open(&data);
        desk.client().mint(ALICE, 100);
        Self { desk, data, _folder: folder }
    }

    /// A command for people.
    fn shown(&self, arguments: &[&str]) -> String {
        succeed(&[arguments, &["--url", &self.desk.url()]].concat())
    }

    /// A command for programs.
    fn json(&self, arguments: &[&str]) -> Value {
        let printed = self.shown(&[arguments, &["--json"]].concat());
        serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{arguments:?} printed {printed}: {error}"))
    }

    /// A command that is refused: what it says.
    fn refused(&self, arguments: &[&str]) -> String {
        let output = run(&[arguments, &["--url", &self.desk.url()]].concat());
        assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(1), ""), "{arguments:?}");
        text(&output.stderr)
    }
}

#[track_caller]
fn contains(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "`{word}` is not in:\n{text}");
    }
}

#[test]
fn balance_and_history() {
    let shell = Shell::new("cli-balance");
    let minted = shell.desk.client().ask(&format!("/lab3/financial/balance/{ALICE}"));
    shell.shown(&["transfer", ALICE, BOB, "50", "--reason", "rent"]);
    assert_eq!(shell.json(&["balance", ALICE])["balance_gic"], 49.9995);
    contains(&shell.shown(&["balance", ALICE]), &["49.9995", ALICE]);
    let at = minted["sequence"].to_string();
    assert_eq!(shell.json(&["balance", ALICE, "--at", &at])["balance_gic"].as_f64(), Some(100.0));
    let history = shell.json(&["history", ALICE]);
    let types = history["transactions"].as_array().unwrap().iter().map(|transaction| transaction["type"].as_str().unwrap());
    assert_eq!(types.collect::<Vec<_>>(), ["fee", "transfer", "mint"]);
    contains(&shell.shown(&["history", ALICE, "--limit", "2"]), &["transfer", "rent", BOB]);
    let since = shell.json(&["history", ALICE, "--since", &at]);
    assert_eq!(since["transactions"][0]["type"], "transfer");
}

#[test]
fn transfer_twice_under_one_key_is_done_once() {
    let shell = Shell::new("cli-transfer");
    let transfer = ["transfer", ALICE, BOB, "0.5", "--key", "invoice-17"];
    let first = shell.json(&transfer);
    assert_eq!(shell.json(&transfer), first);
    contains(&shell.shown(&transfer), &[first["tx_id"].as_str().unwrap()]);
    assert_eq!(shell.json(&["balance", BOB])["balance_gic"], 0.5);
    let other = shell.refused(&["transfer", ALICE, BOB, "0.6", "--key", "invoice-17"]);
    contains(&other, &["L3-0060"]);
    contains(&shell.refused(&["transfer", BOB, ALICE, "9"]), &["L3-0040", "0.5"]);
    contains(&shell.refused(&["transfer", ALICE, ALICE, "9"]), &["L3-0072"]);
}

#[test]
fn grant_quota_allocate_and_stats() {
    let shell = Shell::new("cli-allocate");
    let granted = shell.json(&["grant", "did:kaizen:solar", "1000", "Solar Microgrid Deployment"]);
    assert_eq!((granted["type"].as_str(), granted["pool_balance_remaining"].as_f64()), (Some("grant"), Some(49_000.0)));
    contains(&shell.shown(&["grant", "did:kaizen:solar", "1", "Roof", "--key", "roof"]), &["Roof", "48999.0 MIC"]);
    let asked = ["allocate", ALICE, "5000", "--priority", "quality_optimized", "--min-quality", "0.90", "--max-cost", "0.10"];
    let dry = shell.json(&[&asked[..], &["--dry-run", "--explain"]].concat());
    assert_eq!((&dry["allocation_id"], dry["providers"].as_array().unwrap().len()), (&Value::Null, 5));
    assert_eq!(shell.json(&["quota", ALICE])["quota_remaining_gic"].as_f64(), Some(100.0), "a dry run holds nothing");
    contains(&shell.shown(&[&asked[..], &["--explain"]].concat()), &["anthropic_claude", "0.075", "local_llama"]);
    assert_eq!(shell.json(&["quota", ALICE])["quota_remaining_gic"], 99.925);
    contains(&shell.shown(&["quota", ALICE]), &["99.925", "0.075"]);
    assert_eq!(shell.json(&["stats"])["open_allocations"], 1);
    contains(&shell.shown(&["stats"]), &["anthropic_claude", "closed"]);
    contains(&shell.refused(&["allocate", ALICE, "9000000"]), &["L3-0070"]);
}

#[test]
fn journal_verify_export_and_tail() {
    let shell = Shell::new("cli-journal");
    shell.shown(&["transfer", ALICE, BOB, "1", "--reason", "=2+3, \"tea\""]);
    let data = ["--data", &shell.data];
    let verified = succeed(&[&["journal", "verify"], &data[..]].concat());
    contains(&verified, &["records", "state_hash", shell.desk.client().head()["state_hash"].as_str().unwrap()]);
    let lines = succeed(&[&["journal", "export"], &data[..]].concat());
    let journal = Journal::read(&lines);
    assert_eq!(journal.0.iter().map(|record| record.fact.as_str()).collect::<Vec<_>>(), ["opened", "inscribed", "minted", "transferred"]);
    let csv = succeed(&[&["journal", "export", "--format", "csv", "--from", "4"], &data[..]].concat());
    let rows = csv.lines().collect::<Vec<_>>();
    assert!(rows[0].starts_with("sequence,at,actor,id,fact") && rows[1..].iter().all(|row| row.starts_with("4,")), "{csv}");
    contains(&csv, &["\"'=2+3, \"\"tea\"\"\"", "1.0", "0.00001"]);
    let out = shell.data.clone() + ".jsonl";
    succeed(&[&["journal", "export", "--out", &out], &data[..]].concat());
    assert_eq!(std::fs::read_to_string(out).unwrap(), lines);
    let tail = succeed(&[&["journal", "tail", "-n", "1"], &data[..]].concat());
    assert_eq!(Some(tail.trim_end()), lines.lines().last());
}

#[test]
fn config_show_and_check() {
    let folder = Folder::new("cli-config");
    let file = folder.at("lab3.toml");
    std::fs::write(&file, "[compute]\nquota_gic = 250\n").unwrap();
    contains(&succeed(&["config", "show", "--config", &file]), &["compute.quota_gic", "250", "lab3.toml"]);
    let shown: Value = serde_json::from_str(&succeed(&["config", "show", "--json", "--config", &file])).unwrap();
    contains(&shown.to_string(), &["compute.quota_gic", "250"]);
    succeed(&["config", "check", "--config", &file]);
    std::fs::write(&file, "[compute]\nquota_gc = 250\n").unwrap();
    let output = run(&["config", "check", "--config", &file]);
    assert_eq!(output.status.code(), Some(1));
    contains(&text(&output.stderr), &["compute.quota_gc", "did you mean `compute.quota_gic`"]);
    let whole = folder.at("whole.toml");
    std::fs::write(&whole, succeed(&["config", "show", "--toml"])).unwrap();
    succeed(&["config", "check", "--config", &whole]);
}

#[test]
fn explain_says_what_a_code_means() {
    contains(&succeed(&["explain", "L3-0040"]), &["L3-0040", "Not enough MIC"]);
    assert_eq!(succeed(&["explain", "40"]), succeed(&["explain", "l3-0040"]));
    assert_eq!(run(&["explain", "L3-4242"]).status.code(), Some(1));
}

#[test]
fn the_demo_plays_to_its_end() {
    contains(&succeed(&["demo"]), &["POST /lab3/financial/transfer", "200"]);
    let shell = Shell::new("cli-demo");
    succeed(&["demo", "--url", &shell.desk.url()]);
    assert_ne!(shell.json(&["stats"])["total_allocations"], 0);
}

#[test]
fn no_desk_no_reply() {
    let output = command(&["balance", ALICE, "--url", "http://127.0.0.1:1"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    contains(&text(&output.stderr), &["no desk answers", "lab3 serve"]);
}
