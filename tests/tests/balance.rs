//! Proofs of balances from a running desk: each holds by itself, for the command line, the verifier in Python and a plain shell, with the desk
//! stopped; a changed one does not, nor one of another Hive.
//!
//! It fails when an honest proof is refused, a lie is not, or when a proof tells somebody else's balance.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "outside of #[test] functions clippy does not see that this is a test"
)]

use std::io::ErrorKind;
use std::process::{Command, Output};

use lab3_tests::{Desk, Folder, binary, skip};
use lab3_tlog::{ListProof, leaf_hash};
use serde_json::json;

const ALICE: &str = "did:kaizen:alice";

/// The log's key.
fn key(desk: &Desk) -> String {
    let mut answer = ureq::get(format!("{}/lab3/log/key", desk.url())).call().unwrap();
    answer.body_mut().read_to_string().unwrap().trim().to_owned()
}

fn close(desk: &Desk) -> serde_json::Value {
    desk.client().write("/lab3/financial/epoch/close", None, &json!({}))
}

/// The proof, as the command line writes it into a file.
fn proof(desk: &Desk, did: &str, more: &[&str]) -> String {
    binary::succeed(&[&["balance", did, "--proof", "--url", &desk.url()], more].concat())
}

fn check(file: &str, key: &str) -> Output {
    binary::run(&["balance", "--check", file, "--key", key])
}

/// The same, by the second verifier; none without a Python.
fn check_in_python(file: &str, key: &str) -> Option<Output> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/verify/balance.py");
    match Command::new("python3").args(["-B", script, file, "--key", key]).output() {
        Ok(output) => Some(output),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            skip("balance::balance.py", "there is no python3");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

fn told(output: &Output) -> String {
    format!("{}{}", binary::text(&output.stdout), binary::text(&output.stderr))
}

/// Both verdicts on a text.
#[track_caller]
fn judged(folder: &Folder, text: &str, key: &str, holds: bool) -> String {
    let file = folder.at("shown");
    std::fs::write(&file, text).unwrap();
    let ours = check(&file, key);
    assert_eq!(ours.status.success(), holds, "{}\n{text}", told(&ours));
    if let Some(theirs) = check_in_python(&file, key) {
        assert_eq!(theirs.status.success(), holds, "{}\n{text}", told(&theirs));
        assert_ne!(theirs.status.code(), Some(2), "{}\n{text}", told(&theirs));
        let honest = "0.000000 of it held, when epoch 1 was closed";
        assert!(!holds || told(&theirs).contains(honest), "{}", told(&theirs));
    }
    told(&ours)
}

#[test]
fn a_balance_is_proved_without_the_desk() {
    let folder = Folder::new("balance-proof");
    let desk = Desk::open(&folder.at("data"));
    let client = desk.client();
    for (at, did) in [ALICE, "did:kaizen:bob", "did:web:carol.example"].into_iter().enumerate() {
        client.mint(did, 5 + u32::try_from(at).unwrap());
    }
    client.write("/lab3/financial/transfer", None, &json!({ "from_did": ALICE, "to_did": "did:kaizen:bob", "amount": 1.5 }));
    client.write("/lab3/compute/allocate", None, &json!({ "citizen_did": ALICE, "query_tokens": 5000 }));
    let closed = close(&desk);
    client.mint(ALICE, 100);
    close(&desk);
    let (key, first, second) = (key(&desk), proof(&desk, ALICE, &["--epoch", "1"]), proof(&desk, ALICE, &[]));
    desk.stop();
    // What it had then, and not what it has now.
    let words = judged(&folder, &first, &key, true);
    assert!(words.contains("3.499985 MIC") && words.contains("did:kaizen:alice (wallet)") && words.contains("end of epoch 1"), "{words}");
    assert!(second.contains("\nbalance: 103499985\n"), "{second}");
    // Each line of it counts.
    let leaf = first.split_once("\n\n").unwrap().0;
    for (from, to) in [
        ("balance: 3499985", "balance: 103499985"),
        ("held: 0", "held: 1"),
        ("owner: did:kaizen:alice", "owner: did:kaizen:bob"),
        ("purpose: wallet", "purpose: quota"),
        ("asset: MIC", "asset: compute"),
        ("account: ", "account: 1"),
        ("salt: ", "salt: 0"),
        ("lab3 balance 1", "lab3 balance 2"),
    ] {
        assert!(leaf.contains(from), "{leaf}");
        judged(&folder, &first.replacen(from, to, 1), &key, false);
    }
    // The balance of one epoch with the record of another.
    let (other_leaf, _) = second.split_once("\n\n").unwrap();
    judged(&folder, &first.replacen(leaf, other_leaf, 1), &key, false);
    // It is signed by this log, and no other.
    let stranger = Desk::open(&folder.at("other"));
    judged(&folder, &first, &self::key(&stranger), false);
    in_a_shell(&folder, &first, closed["balances_root"].as_str().unwrap());
}

/// The leaf's hash and the way up to the root, by tools every machine has.
fn in_a_shell(folder: &Folder, text: &str, root: &str) {
    let file = folder.at("alice.proof");
    std::fs::write(&file, text).unwrap();
    let sh = |script: &str| {
        let output = Command::new("sh").args(["-c", script, "sh", &file]).output().unwrap();
        assert!(output.status.success(), "{}", told(&output));
        binary::text(&output.stdout)
    };
    let hash = sh("{ printf '\\000'; sed '/^$/,$d' \"$1\"; } | sha256sum");
    let parsed = ListProof::parse(text).unwrap();
    let ours = leaf_hash(parsed.leaf.as_bytes()).iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    assert_eq!(hash.split_whitespace().next(), Some(ours.as_str()));
    // Her wallet is account 3: on the path up stand account 2, accounts 0 and 1 together, then those from 4 on together.
    assert!(parsed.leaf.contains("\naccount: 3\n"), "{text}");
    let up = sh(r#"
        node=$(mktemp) && trap 'rm -f "$node" "$node.next"' EXIT
        { printf '\000'; sed '/^$/,$d' "$1"; } | openssl dgst -sha256 -binary >"$node"
        for sibling in $(sed '1,/^$/d' "$1" | sed '/^$/,$d'); do
            side=$((${side:-0} + 1))
            if [ $side -lt 3 ]; then
                { printf '\001'; echo "$sibling" | base64 -d; cat "$node"; } | openssl dgst -sha256 -binary >"$node.next"
            else
                { printf '\001'; cat "$node"; echo "$sibling" | base64 -d; } | openssl dgst -sha256 -binary >"$node.next"
            fi
            mv "$node.next" "$node"
        done
        od -An -v -tx1 <"$node" | tr -d ' \n'
    "#);
    assert_eq!(up, root);
}

#[test]
fn proofs_are_there_after_a_restart() {
    let folder = Folder::new("balance-proof-restart");
    let desk = Desk::open(&folder.at("data"));
    desk.client().mint(ALICE, 5);
    close(&desk);
    let before = proof(&desk, ALICE, &[]);
    desk.stop();
    let desk = Desk::open(&folder.at("data"));
    let after = proof(&desk, ALICE, &[]);
    let balance = |text: &str| text.split_once("c2sp.org/").unwrap().0.to_owned();
    assert_eq!(balance(&before), balance(&after));
    assert!(check_text(&folder, &after, &key(&desk)));
    let refused = binary::run(&["balance", "did:kaizen:nobody", "--proof", "--url", &desk.url()]);
    assert!(!refused.status.success() && told(&refused).contains("L3-0056"), "{}", told(&refused));
}

fn check_text(folder: &Folder, text: &str, key: &str) -> bool {
    let file = folder.at("shown");
    std::fs::write(&file, text).unwrap();
    check(&file, key).status.success()
}
