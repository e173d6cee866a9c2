//! From the text to be signed to the request that brings it.

use clap::Parser as _;
use lab3_trust::{PublicKey, Signature};
use lab3_units::{Amount, Did};
use tempfile::TempDir;

use super::*;
use crate::cli::{Cli, Command};
use crate::commands::{Env, wallet};
use crate::fake_desk::{Answer, Asked, desk};

const HIVE: &str = r#"{"hive":"Kaizen","journal":"jn_06f2x1w0v7r9h3kz8q5d4c2bgm","open":false,"log_key":"k"}"#;
const DONE: &str = r#"{"tx_id":"tx_1","act":"mint","timestamp":"2026-10-31T14:30:00Z","sequence":7}"#;

fn parsed(words: &[&str]) -> IntentCommand {
    let words = ["lab3", "intent"].iter().chain(words);
    let Command::Intent(command) = Cli::try_parse_from(words).unwrap().command else { panic!() };
    command
}

/// What the words do, and what was asked of the desk.
fn run(words: &[&str]) -> (Result<String, String>, Vec<Asked>) {
    let (client, asked) = desk(|_, asked| Answer::Reply(200, "", if asked.line.starts_with("GET") { HIVE } else { DONE }.to_owned()));
    let told = super::run(&client, &parsed(words)).map_err(|failure| failure.to_string());
    (told, asked.try_iter().collect())
}

#[track_caller]
fn check(words: &[&str], act: &Act) {
    let (told, asked) = run(words);
    let statement = Statement::parse(&told.unwrap()).unwrap();
    assert_eq!((asked.len(), &*asked[0].line), (1, "GET /lab3/hive HTTP/1.1"));
    assert_eq!((statement.hive.as_str(), &statement.act), ("Kaizen", act));
    let left = statement.not_after.millis_since(now());
    assert!((600_000_000..=604_800_000).contains(&left), "{left}");
}

fn did(text: &str) -> Did {
    Did::parse(text).unwrap()
}

#[test]
fn the_text_is_of_what_was_asked() {
    let (to, amount) = (did("did:k:bob"), Amount::new(2_500_000));
    check(&["mint", "did:k:bob", "2.5"], &Act::Mint { to: to.clone(), amount, memo: None });
    check(&["grant", "did:k:bob", "2.5"], &Act::Grant { to, amount, memo: None });
    let lines = PolicyLines::new([("log.readers", "everybody"), ("finance.grants", "default")]).unwrap();
    check(&["policy", "log.readers=everybody", "finance.grants=default"], &Act::Policy(lines));
    let next = Treasurers::new(1, [did("did:k:a"), did("did:k:b")]).unwrap();
    check(&["treasurers", "--needed", "1", "did:k:b", "did:k:a"], &Act::Treasurers(next));
    check(&["freeze", "did:k:a", "72", "keys stolen"], &Act::Freeze { citizen: did("did:k:a"), hours: 72, reason: "keys stolen".into() });
}

#[test]
fn the_text_of_a_sharing_is_of_its_file_and_sent_with_one_signature() {
    let base = TempDir::new().unwrap();
    let (file, text) = (base.path().join("exports.json"), base.path().join("intent.txt"));
    let request = r#"{"payer_did":"did:k:a","device":"grid","from":"2026-11-22T00:00:00Z","to":"2026-11-23T00:00:00Z","amount_gic":1,"rule":"generation"}"#;
    std::fs::write(&file, request).unwrap();
    let printed = run(&["share", file.to_str().unwrap()]).0.unwrap();
    assert!(printed.contains("act: share-exports\nfrom: did:k:a\n") && printed.ends_with("rule: generation\n"), "{printed}");
    std::fs::write(&text, printed).unwrap();
    let (alices, _) = wallet_of(&base, "alice.pem");
    let signature = sign(&alices, &text, "did:k:a").unwrap();
    let (sent, asked) = run(&["send", text.to_str().unwrap(), "--signature", &signature]);
    sent.unwrap();
    let body: Value = serde_json::from_str(&asked[0].body).unwrap();
    assert!(body["public_key"].is_string() && body["signature"].is_string() && body.get("signatures").is_none(), "{body}");
}

#[test]
fn what_no_desk_would_take_is_not_printed() {
    for (words, says) in [
        (&["policy", "log.reader=everybody"][..], "There is no rule of that name"),
        (&["policy", "log.readers=friends"], "everybody, members or auditors"),
        (&["policy", "log.readers=members", "log.readers=auditors"], "stands twice"),
        (&["treasurers", "--needed", "2", "did:k:a"], "between 1 and 1"),
    ] {
        let message = run(words).0.unwrap_err();
        assert!(message.contains(says), "{message}");
    }
    for words in [["freeze", "did:k:a", "73", "x"], ["freeze", "did:k:a", "3", "two\nlines"], ["freeze", "did:k:a", "3", " "]] {
        assert!(Cli::try_parse_from(["lab3", "intent"].into_iter().chain(words)).is_err(), "{words:?}");
    }
}

#[test]
fn the_words_of_a_memo_are_told_as_a_shell_takes_them() {
    let (client, _) = desk(|_, _| Answer::Reply(200, "", HIVE.to_owned()));
    let IntentCommand::Mint(args) = parsed(&["mint", "did:k:bob", "1", "--reason", "x"]) else { panic!() };
    let told = text(&client, &args.text, Act::Mint { to: args.to, amount: args.amount, memo: None }, String::new()).unwrap();
    assert!(told.more.is_empty());
    assert_eq!(quoted("it's $5; `x`"), r"'it'\''s $5; `x`'");
}

/// A wallet's file and its DID.
fn wallet_of(base: &TempDir, name: &str) -> (String, String) {
    let file = base.path().join(name).display().to_string();
    let env = Env::from([("LAB3_WALLET".to_owned(), file.clone())]);
    let args = crate::cli::WalletNewArgs { json: true, ..Default::default() };
    let told = Document::parse(&wallet::new(&args, &env).unwrap()).unwrap();
    (file, told.text("did"))
}

fn sign(file: &str, text: &FilePath, signer: &str) -> Result<String, String> {
    let words = ["lab3", "wallet", "sign", text.to_str().unwrap(), "--as", signer, "--file", file];
    let Command::Wallet(crate::cli::WalletCommand::Sign(args)) = Cli::try_parse_from(words).unwrap().command else { panic!() };
    wallet::sign(&args, &Env::new()).map_err(|failure| failure.to_string())
}

#[test]
fn two_sign_and_anybody_brings_it() {
    let base = TempDir::new().unwrap();
    let (alices, alice) = wallet_of(&base, "alice.pem");
    let (bobs, _) = wallet_of(&base, "bob.pem");
    let text = base.path().join("intent.txt");
    std::fs::write(&text, run(&["mint", "did:k:carol", "5"]).0.unwrap()).unwrap();
    assert!(sign(&bobs, &text, &alice).unwrap_err().contains("signs with"));
    let (first, second) = (sign(&alices, &text, &alice).unwrap(), sign(&bobs, &text, "did:kaizen:bob").unwrap());
    let lines = base.path().join("signatures.txt");
    std::fs::write(&lines, format!("{first}\n\n{second}\n{first}\n")).unwrap();
    // The same from the file, from the arguments, and with the key left out where the DID has it.
    let (key, short) = first.split_once('=').unwrap();
    let short = format!("{key}={}", short.split_once(':').unwrap().1);
    let salt = "5a".repeat(16);
    let (text, lines) = (text.to_str().unwrap(), lines.to_str().unwrap());
    for more in
        [&["--signatures", lines][..], &["--signature", &short, "--signature", &second], &["--signature", &first, "--signatures", lines]]
    {
        let words = [&["send", text, "--memo", "welcome", "--memo-salt", &salt][..], more].concat();
        let (told, asked) = run(&words);
        assert!(told.unwrap().contains("tx_1"));
        assert_eq!((asked.len(), &*asked[0].line), (1, "POST /lab3/intents HTTP/1.1"));
        let body: Value = serde_json::from_str(&asked[0].body).unwrap();
        assert_eq!((body["memo"].as_str(), body["memo_salt"].as_str()), (Some("welcome"), Some(&*salt)));
        let signatures = body["signatures"].as_array().unwrap();
        let who: Vec<_> = signatures.iter().map(|one| one["treasurer"].as_str().unwrap()).collect();
        assert_eq!(who, [&*alice, "did:kaizen:bob"]);
        for one in signatures {
            let key = PublicKey::parse(one["public_key"].as_str().unwrap()).unwrap();
            let signature = Signature::parse(one["signature"].as_str().unwrap()).unwrap();
            assert!(key.verifies(body["intent"].as_str().unwrap().as_bytes(), &signature));
        }
    }
    assert!(run(&["send", text]).0.unwrap_err().contains("nobody has signed it"));
    let mangled = base.path().join("mangled.txt");
    std::fs::write(&mangled, format!("{first}\nalice signed\n")).unwrap();
    assert!(run(&["send", text, "--signatures", mangled.to_str().unwrap()]).0.unwrap_err().contains("line 2"));
}
