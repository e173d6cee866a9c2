//! Signed notes and keys: the published examples byte for byte, and what is refused.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

use lab3_tlog::{KeyError, KeyKind, Note, NoteError, Signature, Signer, VerifierKey};

// The keys and the note of the test suite of Go's note package.
const KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const SECRET: &str = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const TEXT: &str = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const LINE: &str = "\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=";

fn key(text: &str) -> VerifierKey {
    VerifierKey::parse(text).unwrap()
}

fn note(text: &str) -> Result<Note, NoteError> {
    Note::parse(text.as_bytes())
}

#[test]
fn the_published_note_is_made_and_read_byte_for_byte() {
    let signer = Signer::parse(SECRET).unwrap();
    assert_eq!(signer.verifier().to_string(), KEY);
    assert_eq!(signer.secret_text(), SECRET);
    let made = Note::sign(TEXT, &signer).unwrap();
    assert_eq!(made.to_string(), format!("{TEXT}\n{LINE}\n"));
    let read = note(&made.to_string()).unwrap();
    assert_eq!(read, made);
    let signed = read.verify(&[key(KEY)]).unwrap();
    assert_eq!(signed.len(), 1);
    assert_eq!((signed[0].key.name(), signed[0].time), ("PeterNeumann", None));
}

#[test]
fn a_key_is_written_in_one_way_only() {
    for at in 0..KEY.len() {
        let mut bytes = KEY.as_bytes().to_vec();
        bytes[at] += 1;
        assert!(VerifierKey::parse(std::str::from_utf8(&bytes).unwrap()).is_err(), "byte {at}");
        assert!(VerifierKey::parse(&KEY[..at]).is_err(), "up to byte {at}");
    }
    let check = |text: &str, expected: KeyError| assert_eq!(VerifierKey::parse(text), Err(expected), "{text}");
    check("PeterNeumann", KeyError::Form);
    check("PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", KeyError::Form);
    check("PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", KeyError::Id);
    check("Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", KeyError::Name);
    check("+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", KeyError::Name);
    check("PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", KeyError::Kind);
    check("PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==", KeyError::Form);
    // The neutral point: every signature over everything would do.
    let mut neutral = [0; 32];
    neutral[0] = 1;
    assert_eq!(VerifierKey::new("a", KeyKind::Note, &neutral), Err(KeyError::Point));
    assert_eq!(Signer::parse(KEY).unwrap_err(), KeyError::Form);
    assert!(!format!("{:?}", Signer::parse(SECRET).unwrap()).contains("AYEKFAL"), "a secret in a log");
}

#[test]
fn what_is_no_note_is_refused() {
    let check = |text: &str, expected: NoteError| assert_eq!(note(text), Err(expected), "{text:?}");
    check("", NoteError::Form);
    check(TEXT, NoteError::Form);
    check(&format!("{TEXT}{LINE}\n"), NoteError::Form);
    check(&format!("{TEXT}\n"), NoteError::Form);
    check(&format!("{TEXT}\n{LINE}"), NoteError::Form);
    check(&format!("{TEXT}\n{LINE}\n\n"), NoteError::Form);
    check(&format!("{TEXT}\n{LINE}\nmore\n"), NoteError::Signature);
    check(&format!("{TEXT}\n- PeterNeumann {}\n", "AAAAAAAA"), NoteError::Signature);
    check(&format!("{TEXT}\n\u{2014} Peter+Neumann AAAAAAAA\n"), NoteError::Signature);
    check(&format!("{TEXT}\n\u{2014}  AAAAAAAA\n"), NoteError::Signature);
    check(&format!("{TEXT}\n\u{2014} a AAAAAA==\n"), NoteError::Signature);
    check(&format!("{TEXT}\n\u{2014} a AAAAAAB=\n"), NoteError::Signature);
    check(&format!("{TEXT}\n\u{2014} a AAAAAAA\n"), NoteError::Signature);
    check(&format!("{TEXT}\n\u{2014} a  AAAAAAA=\n"), NoteError::Signature);
    check(&format!("{TEXT}\r\n\n{LINE}\n"), NoteError::Characters);
    check(&format!("{TEXT}\0\n\n{LINE}\n"), NoteError::Characters);
    check(&format!("{TEXT}\n{}", "\u{2014} a AAAAAAA=\n".repeat(65)), NoteError::Large);
    check(&format!("{}\n\n{LINE}\n", "x".repeat(300_000)), NoteError::Large);
    assert_eq!(Note::parse(b"\xff\n\n"), Err(NoteError::Characters));
    assert!(note(&format!("{TEXT}\n{}", "\u{2014} a AAAAAAA=\n".repeat(64))).is_ok());
    let signer = Signer::parse(SECRET).unwrap();
    assert_eq!(Note::sign("no newline", &signer), Err(NoteError::Form));
    assert_eq!(Note::sign("a\tb\n", &signer), Err(NoteError::Characters));
    for text in ["\n", "a\n\n", "a\n\n\u{2014} b AAAAAAA=\n"] {
        let made = Note::sign(text, &signer).unwrap();
        assert_eq!(note(&made.to_string()).unwrap().text(), text);
    }
}

#[test]
fn only_known_keys_count_and_a_forged_one_spoils_all() {
    let other = Signer::new("other.example/log", &[7; 32]).unwrap();
    let mut both = Note::sign(TEXT, &other).unwrap();
    both.add(Signature::parse(LINE).unwrap());
    assert_eq!(both.verify(&[key(KEY)]).unwrap().len(), 1);
    assert_eq!(both.verify(&[key(KEY), other.verifier().clone()]).unwrap().len(), 2);
    assert_eq!(both.verify(&[]), Err(NoteError::Unknown));

    // The same name with another key is another key.
    let namesake = Signer::new("PeterNeumann", &[8; 32]).unwrap();
    assert_eq!(Note::sign(TEXT, &namesake).unwrap().verify(&[key(KEY)]), Err(NoteError::Unknown));

    let forged = both.to_string().replace("cryptography", "cryptographY");
    assert_eq!(note(&forged).unwrap().verify(&[key(KEY)]), Err(NoteError::Forged { name: "PeterNeumann".to_owned() }));

    let before = both.clone();
    both.add(Signature::parse(LINE).unwrap());
    assert_eq!(both, before, "a key signs once");
    let twice = note(&format!("{TEXT}\n{LINE}\n{LINE}\n")).unwrap();
    assert_eq!(twice.verify(&[key(KEY)]).unwrap().len(), 1);
}

#[test]
fn every_flipped_bit_of_a_signed_note_is_refused() {
    let whole = Note::sign(TEXT, &Signer::parse(SECRET).unwrap()).unwrap().to_string().into_bytes();
    for at in 0..whole.len() * 8 {
        let mut bad = whole.clone();
        bad[at / 8] ^= 1 << (at % 8);
        assert!(Note::parse(&bad).and_then(|note| note.verify(&[key(KEY)])).is_err(), "bit {at}");
    }
}
