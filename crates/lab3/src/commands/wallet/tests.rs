//! Wallets: their file, what they sign, what is sent. Where openssl is, it has to agree.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command as Process;

use clap::Parser as _;
use lab3_trust::Signature;
use tempfile::TempDir;

use super::*;
use crate::cli::{Cli, Command, WalletCommand};
use crate::client::Document;
use crate::commands::key::now;
use crate::fake_desk::{Answer, desk};

const HIVE: &str = r#"{"hive":"Kaizen","journal":"jn_06f2x1w0v7r9h3kz8q5d4c2bgm","open":false,"log_key":"k"}"#;

/// A wallet in a folder, and its file.
fn wallet() -> (TempDir, PathBuf) {
    let base = TempDir::new().unwrap();
    let file = base.path().join("of/alice.pem");
    new(&WalletNewArgs { file: WalletFileArgs { file: Some(file.clone()) }, json: false }, &Env::new()).unwrap();
    (base, file)
}

fn told(file: &std::path::Path) -> Document {
    let args = WalletNewArgs { file: WalletFileArgs { file: Some(file.to_path_buf()) }, json: true };
    Document::parse(&show(&args, &Env::new()).unwrap()).unwrap()
}

fn text() -> String {
    let act = "act: contribute\nfrom: did:k:a\namount-ks: 5\nmemo: -\n";
    format!(
        "lab3 intent 1\nhive: Kaizen\njournal: jn_06f2x1w0v7r9h3kz8q5d4c2bgm\nid: tx_06f2x1w0v7r9h3kz8q5d4c2bgm\nnot-after: 2026-11-30T00:00:00Z\n{act}"
    )
}

fn sign_text(file: &std::path::Path, text: &str) -> Result<String, String> {
    let path = file.with_extension("txt");
    std::fs::write(&path, text).unwrap();
    let args = WalletSignArgs { text: path, signer: None, file: WalletFileArgs { file: Some(file.to_path_buf()) } };
    sign(&args, &Env::new()).map_err(|failure| failure.to_string())
}

#[test]
fn a_wallet_is_made_once_and_for_its_owner_alone() {
    let (_base, file) = wallet();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
    let before = std::fs::read_to_string(&file).unwrap();
    let args = WalletNewArgs { file: WalletFileArgs { file: Some(file.clone()) }, json: false };
    let message = new(&args, &Env::new()).unwrap_err().to_string();
    assert!(message.ends_with("choose another with --file FILE"), "{message}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), before);
    let shown = show(&args, &Env::new()).unwrap();
    let key = told(&file).text("public_key");
    assert!(shown.contains(&format!("did:key:{key}")) && key.starts_with("z6Mk"), "{shown}");
}

#[test]
fn the_file_is_named_by_flag_then_variable_then_home() {
    let env = |pairs: &[(&str, &str)]| pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<Env>();
    let flag = WalletFileArgs { file: Some("a.pem".into()) };
    let none = WalletFileArgs::default();
    assert_eq!(path(&flag, &env(&[("LAB3_WALLET", "b.pem")])).unwrap(), PathBuf::from("a.pem"));
    assert_eq!(path(&none, &env(&[("LAB3_WALLET", "b.pem"), ("HOME", "/h")])).unwrap(), PathBuf::from("b.pem"));
    assert_eq!(path(&none, &env(&[("LAB3_WALLET", ""), ("HOME", "/h")])).unwrap(), PathBuf::from("/h/.config/lab3/wallet.pem"));
    assert_eq!(path(&none, &env(&[])).unwrap_err().exit_code(), 2);
}

#[test]
fn what_is_no_wallet_is_refused() {
    let (_base, file) = wallet();
    let whole = std::fs::read_to_string(&file).unwrap();
    let check = |text: &str, expected: bool| {
        std::fs::write(&file, text).unwrap();
        assert_eq!(Wallet::read(&file).is_ok(), expected, "{text}");
    };
    check(&whole, true);
    check(&whole.replace('\n', "\r\n"), true);
    check("", false);
    check(&whole.replace("PRIVATE", "PUBLIC"), false);
    check(&whole.replace("MC4CAQ", "MC4CAA"), false);
    check(&whole.replace("=\n", "\n").replace("\n-----END", "AA\n-----END"), false);
    let missing = Wallet::read(&file.with_extension("no")).map(|_| ()).unwrap_err().to_string();
    assert!(missing.ends_with("help: lab3 wallet new makes one"), "{missing}");
}

#[test]
fn an_intent_is_signed_and_nothing_else() {
    let (_base, file) = wallet();
    let key = PublicKey::parse(&told(&file).text("public_key")).unwrap();
    let signature = Signature::parse(&sign_text(&file, &text()).unwrap()).unwrap();
    assert!(key.verifies(text().as_bytes(), &signature));
    for (wrong, line) in
        [(text() + "\n", "line 10"), (text().replace("act: contribute", "act: x"), "line 6"), ("hello".to_owned(), "line 1")]
    {
        let message = sign_text(&file, &wrong).unwrap_err();
        assert!(message.contains(line) && message.ends_with("Nothing is signed"), "{message}");
    }
}

#[test]
fn openssl_reads_our_wallet_and_signs_the_same() {
    let (_base, file) = wallet();
    let ours = sign_text(&file, &text()).unwrap();
    let args = ["pkeyutl", "-sign", "-rawin", "-inkey"];
    let signed = Process::new("openssl").args(args).arg(&file).arg("-in").arg(file.with_extension("txt")).output();
    // Ed25519 has one signature for a key and a text.
    if let Ok(signed) = signed {
        assert_eq!(Signature::from_bytes(signed.stdout.try_into().unwrap()).to_string(), ours);
    }
    let own = file.with_extension("openssl");
    if let Ok(made) = Process::new("openssl").args(["genpkey", "-algorithm", "ed25519", "-out"]).arg(&own).status() {
        assert!(made.success() && Wallet::read(&own).is_ok());
    }
}

#[test]
fn a_transfer_is_signed_as_the_desk_says_it_is_and_sent_once() {
    let (_base, file) = wallet();
    let from = told(&file).text("did");
    let pay = |more: &[&str]| {
        let (client, asked) = desk(|count, _| match count {
            0 => Answer::Reply(200, "", HIVE.to_owned()),
            1 => Answer::HangUp,
            _ => Answer::Reply(200, "", r#"{"tx_id":"tx_1","act":"transfer"}"#.to_owned()),
        });
        let wallet = file.display().to_string();
        let words = ["lab3", "wallet", "transfer", &from, "did:kaizen:bob", "50.5", "--file", &wallet];
        let Command::Wallet(WalletCommand::Transfer(args)) =
            Cli::try_parse_from(words.into_iter().chain(more.iter().copied())).unwrap().command
        else {
            panic!()
        };
        let printed = transfer(&client, &args, &Env::new()).unwrap();
        assert!(printed.contains("tx_1"), "{printed}");
        asked.try_iter().collect::<Vec<_>>()
    };
    let check = |more: &[&str], reason: Option<&str>, fee_max: i64| {
        let asked = pay(more);
        assert_eq!(asked[0].line, "GET /lab3/hive HTTP/1.1");
        assert_eq!((asked.len(), &*asked[1].line, &asked[1].body), (3, "POST /lab3/intents HTTP/1.1", &asked[2].body));
        let body = Document::parse(&asked[1].body).unwrap();
        assert_eq!((body.has("memo"), body.has("memo_salt")), (reason.is_some(), reason.is_some()));
        let memo = reason.map(|reason| {
            assert_eq!(body.text("memo"), reason);
            let salt = u128::from_str_radix(&body.text("memo_salt"), 16).unwrap().to_be_bytes();
            MemoHash::of(&salt, reason)
        });
        // As it was sent: what is printed for people has no line feeds.
        let sent: serde_json::Value = serde_json::from_str(&asked[1].body).unwrap();
        let intent = sent["intent"].as_str().unwrap();
        let statement = Statement::parse(intent).unwrap();
        let hive = Document::parse(HIVE).unwrap();
        assert_eq!((statement.hive.as_str(), statement.journal.text("jn").to_string()), (&*hive.text("hive"), hive.text("journal")));
        let to = lab3_units::Did::parse("did:kaizen:bob").unwrap();
        let (from, amount) = (lab3_units::Did::parse(&from).unwrap(), Amount::new(50_500_000));
        assert_eq!(statement.act, Act::Transfer { from, to, amount, fee_max: Amount::new(fee_max), memo });
        let left = statement.not_after.millis_since(now());
        assert!((590_000..=600_000).contains(&left), "{left}");
        let (key, signature) = (body.text("public_key"), body.text("signature"));
        assert!(PublicKey::parse(&key).unwrap().verifies(intent.as_bytes(), &Signature::parse(&signature).unwrap()));
    };
    check(&[], None, 505_000);
    check(&["--reason", "tea: 2 cups", "--fee-max-gic", "0.001"], Some("tea: 2 cups"), 1_000);
}

#[test]
fn a_sharing_is_signed_from_its_file_and_sent() {
    let (base, file) = wallet();
    let own = told(&file).text("did");
    let run = |payer: &str, members: &str, more: &[&str]| {
        let request = base.path().join("exports.json");
        let text = r#"{"payer_did":"PAYER","device":"grid","from":"2026-11-22T00:00:00Z","to":"2026-11-23T00:00:00Z","rule":"equal","members":MEMBERS}"#;
        std::fs::write(&request, text.replace("PAYER", payer).replace("MEMBERS", members)).unwrap();
        let done = r#"{"tx_id":"tx_1","act":"share-exports"}"#;
        let (client, asked) = desk(move |count, _| Answer::Reply(200, "", if count == 0 { HIVE } else { done }.to_owned()));
        let (request, wallet) = (request.display().to_string(), file.display().to_string());
        let words = ["lab3", "wallet", "share", &request, "--file", &wallet];
        let parsed = Cli::try_parse_from(words.into_iter().chain(more.iter().copied())).unwrap().command;
        let Command::Wallet(WalletCommand::Share(args)) = parsed else { panic!() };
        (share(&client, &args, &Env::new()).map_err(|failure| failure.to_string()), asked.try_iter().collect::<Vec<_>>())
    };
    let bob = r#"[{"did":"did:k:b"}]"#;
    let (printed, asked) = run(&own, bob, &["--counted-max-gic", "1.5"]);
    assert!(printed.unwrap().contains("tx_1"));
    assert_eq!((asked.len(), &*asked[1].line), (2, "POST /lab3/intents HTTP/1.1"));
    let sent: serde_json::Value = serde_json::from_str(&asked[1].body).unwrap();
    let intent = sent["intent"].as_str().unwrap();
    let lines =
        "device: grid\nbegin: 2026-11-22T00:00:00Z\nend: 2026-11-23T00:00:00Z\ncounted-max-ks: 1500000\nrule: equal\nmember: did:k:b\n";
    assert!(intent.ends_with(&format!("act: share-exports\nfrom: {own}\n{lines}")), "{intent}");
    let key = PublicKey::parse(sent["public_key"].as_str().unwrap()).unwrap();
    assert!(key.verifies(intent.as_bytes(), &Signature::parse(sent["signature"].as_str().unwrap()).unwrap()));
    let other = PublicKey::of_secret(&[9; 32]).to_did().unwrap();
    for (payer, members, more, says) in [
        (&*own, bob, &[][..], "amount_gic: say it"),
        (&*own, "[]", &["--counted-max-gic", "1"], "Nothing is signed"),
        (other.as_str(), bob, &["--counted-max-gic", "1"], "signs with"),
    ] {
        let (refused, asked) = run(payer, members, more);
        let message = refused.unwrap_err();
        assert!(message.contains(says) && asked.len() < 2, "{message}");
    }
}

#[test]
fn another_ones_key_signs_nothing() {
    let (_base, file) = wallet();
    let (_other, other) = wallet();
    let (client, asked) = desk(|_, _| Answer::Reply(200, "", HIVE.to_owned()));
    let words = ["lab3", "wallet", "transfer", &told(&other).text("did"), "did:k:b", "1", "--file"].map(str::to_owned);
    let Command::Wallet(WalletCommand::Transfer(args)) =
        Cli::try_parse_from(words.into_iter().chain([file.display().to_string()])).unwrap().command
    else {
        panic!()
    };
    let refused = transfer(&client, &args, &Env::new()).unwrap_err();
    assert_eq!(refused.exit_code(), 2);
    assert_eq!(asked.try_iter().count(), 0, "nobody was asked");
}

/// The page's second block of shell, which makes a text and signs it.
#[test]
fn the_page_signs_with_openssl_what_we_read() {
    let page = include_str!("../../../../../docs/modules/trust.md");
    let blocks: Vec<&str> = page.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    if Process::new("openssl").arg("version").output().is_err() {
        return;
    }
    let base = TempDir::new().unwrap();
    let names = "set -eu\nhive=Kaizen journal=jn_06f2x1w0v7r9h3kz8q5d4c2bgm\n";
    let script = format!("{names}{}{}printf '%s\\n' \"$key\" \"$salt\" \"$reason\" \"$signature\"", blocks[0], blocks[1]);
    let done = Process::new("sh").current_dir(base.path()).arg("-c").arg(script).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let told = String::from_utf8(done.stdout).unwrap();
    let [key, salt, reason, signature] = told.lines().collect::<Vec<_>>()[..] else { panic!("{told}") };
    let file = base.path().join("alice.pem");
    assert_eq!(Wallet::read(&file).unwrap().public().to_string(), key);
    let text = std::fs::read_to_string(base.path().join("intent.txt")).unwrap();
    let statement = Statement::parse(&text).unwrap();
    let salt = u128::from_str_radix(salt, 16).unwrap().to_be_bytes();
    assert!(matches!(&statement.act, Act::Transfer { memo, .. } if *memo == Some(MemoHash::of(&salt, reason))), "{text}");
    assert!(PublicKey::parse(key).unwrap().verifies(text.as_bytes(), &Signature::parse(signature).unwrap()));
}
