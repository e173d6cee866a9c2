//! A citizen with nothing but a shell: openssl makes a key, signs an intent's text, and the desk takes it.

#![allow(clippy::unwrap_used, reason = "outside of #[test] functions clippy does not see that this is a test")]

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use lab3_trust::{Act, HiveName, Intent, MemoHash, PublicKey, Signature, Statement};
use lab3_units::{Amount, Did, Id, Time};

/// Runs a line of shell in the folder and gives what it prints.
fn shell(folder: &Path, line: &str) -> Vec<u8> {
    let output = Command::new("sh").arg("-ec").arg(line).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn openssl_signs() -> bool {
    let version = Command::new("openssl").arg("version").output();
    let text = version.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.strip_prefix("OpenSSL ").and_then(|rest| rest.split('.').next()?.parse().ok()).is_some_and(|major: u32| major >= 3)
}

#[test]
fn plain_openssl_signs_an_intent() {
    if !openssl_signs() {
        // To the terminal itself: what a passing test prints is kept back by the test runner.
        let _ = writeln!(std::io::stderr().lock(), "SKIPPED plain_openssl_signs_an_intent: no openssl 3 or later here");
        return;
    }
    let folder = std::env::temp_dir().join(format!("lab3-trust-openssl-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let public =
        shell(&folder, "openssl genpkey -algorithm ed25519 -out key.pem; openssl pkey -in key.pem -pubout -outform DER | tail -c 32");
    let key = PublicKey::from_bytes(&public.try_into().unwrap()).unwrap();
    let memo = shell(&folder, "printf '%s:%s' 30313233343536373839616263646566 rent | openssl dgst -sha256 -binary | openssl base64 -A");
    let (from, to) = (key.to_did().unwrap(), Did::parse("did:kaizen:bob").unwrap());
    let text = format!(
        "lab3 intent 1\nhive: Mill\njournal: jn_0000000000000000000000000a\nid: tx_0000000000000000000000000b\n\
         not-after: 2026-11-30T00:00:00Z\nact: transfer\nfrom: {from}\nto: {to}\namount-ks: 50000000\nfee-max-ks: 500\nmemo: {}\n",
        String::from_utf8(memo).unwrap()
    );
    fs::write(folder.join("intent.txt"), &text).unwrap();
    let signature = shell(&folder, "openssl pkeyutl -sign -inkey key.pem -rawin -in intent.txt | openssl base64 -A");
    fs::remove_dir_all(&folder).unwrap();

    // The desk rebuilds the text from the parts of the request.
    let (amount, fee_max) = (Amount::new(50_000_000), Amount::new(500));
    let not_after = Time::parse("2026-11-30T00:00:00Z").unwrap();
    let statement = Statement {
        hive: HiveName::parse("Mill").unwrap(),
        journal: Id::from_bytes(10_u128.to_be_bytes()),
        id: Id::from_bytes(11_u128.to_be_bytes()),
        not_after,
        act: Act::Transfer { from, to, amount, fee_max, memo: Some(MemoHash::of(b"0123456789abcdef", "rent")) },
    };
    assert_eq!(statement.text(), text);
    let signature = Signature::parse(&String::from_utf8(signature).unwrap()).unwrap();
    let intent = Intent { not_after, fee_max, key, signature };
    assert!(intent.clone().verify(&statement).is_ok());
    let another = Statement { id: Id::from_bytes([7; 16]), ..statement };
    assert!(intent.verify(&another).is_err(), "a signature for one record is none for another");
}
