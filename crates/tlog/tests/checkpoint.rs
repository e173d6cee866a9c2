//! Checkpoints and cosignatures: written and read in one way only, believed only if the log itself signed.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

use lab3_tlog::{Checkpoint, CheckpointError, Cosigner, Note, NoteError, Seconds, Signer, Trust, VerifierKey};

const ROOT: &str = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";

fn signer() -> Signer {
    Signer::new("hive.example/log", &[1; 32]).unwrap()
}

fn witness(n: u8) -> Cosigner {
    Cosigner::new(&format!("witness.example/{n}"), &[100 + n; 32]).unwrap()
}

fn checkpoint() -> Checkpoint {
    Checkpoint::parse(&format!("hive.example/log\n20852163\n{ROOT}\n")).unwrap()
}

fn trust(witnesses: &[&VerifierKey]) -> Trust {
    let witnesses = witnesses.iter().copied().cloned().collect();
    Trust { origin: "hive.example/log".to_owned(), log: signer().verifier().clone(), witnesses }
}

fn at(seconds: u64) -> Seconds {
    Seconds::new(seconds).unwrap()
}

#[test]
fn a_text_is_read_and_written_the_same() {
    for text in [
        format!("a\n0\n{ROOT}\n"),
        format!("example.com/behind-the-sofa\n20852163\n{ROOT}\n"),
        format!("a b\n{}\n{ROOT}\nmore\nand more\n", u64::MAX),
    ] {
        assert_eq!(Checkpoint::parse(&text).unwrap().to_string(), text);
    }
    for text in [
        String::new(),
        "\n".to_owned(),
        "a\n1\n".to_owned(),
        format!("\n1\n{ROOT}\n"),
        format!("a\n01\n{ROOT}\n"),
        format!("a\n+1\n{ROOT}\n"),
        format!("a\n\n{ROOT}\n"),
        format!("a\n1 \n{ROOT}\n"),
        format!("a\n18446744073709551616\n{ROOT}\n"),
        format!("a\n1\n{ROOT}"),
        format!("a\n1\n{ROOT}\n\n"),
        format!("a\n1\n{ROOT}\n\nmore\n"),
        format!("a\n1\n{}\n", ROOT.trim_end_matches('=')),
        format!("a\n1\n{}\n", ROOT.replace("q2I=", "q2J=")),
        "a\n1\nAAAA\n".to_owned(),
    ] {
        assert_eq!(Checkpoint::parse(&text), Err(CheckpointError::Form), "{text:?}");
    }
    for (origin, extension) in [("", "x"), ("a\nb", "x"), ("a", ""), ("a", "x\ny")] {
        let odd = Checkpoint { origin: origin.to_owned(), extensions: vec![extension.to_owned()], ..checkpoint() };
        assert_eq!(odd.sign(&signer()), Err(CheckpointError::Form), "{origin:?} {extension:?}");
    }
}

#[test]
fn the_logs_own_signature_is_needed() {
    let note = checkpoint().sign(&signer()).unwrap();
    assert_eq!(trust(&[]).open(&note).unwrap().checkpoint, checkpoint());

    let by_witness = witness(1);
    let mut other = Checkpoint::sign(&checkpoint(), &Signer::new("x", &[3; 32]).unwrap()).unwrap();
    assert_eq!(trust(&[]).open(&other), Err(CheckpointError::Note(NoteError::Unknown)));
    other.add(by_witness.cosign(&checkpoint(), at(5)));
    assert_eq!(trust(&[by_witness.verifier()]).open(&other), Err(CheckpointError::Unsigned));

    let elsewhere = Checkpoint { origin: "another.example".to_owned(), ..checkpoint() }.sign(&signer()).unwrap();
    assert_eq!(trust(&[]).open(&elsewhere), Err(CheckpointError::Origin("another.example".to_owned())));
}

#[test]
fn witnesses_count_by_key_not_by_name() {
    let (one, two) = (witness(1), witness(2));
    let alias = Cosigner::new("alias.example", &[101; 32]).unwrap();
    let log_as_witness = Cosigner::new("hive.example/log", &[1; 32]).unwrap();
    let mut note = checkpoint().sign(&signer()).unwrap();
    for (cosigner, time) in [(&one, 10), (&two, 20), (&alias, 30), (&log_as_witness, 40)] {
        note.add(cosigner.cosign(&checkpoint(), at(time)));
    }
    let note = Note::parse(note.to_string().as_bytes()).unwrap();
    let keys = [one.verifier(), alias.verifier(), log_as_witness.verifier(), two.verifier()];
    let opened = trust(&keys).open(&note).unwrap();
    let seen: Vec<_> = opened.witnesses.iter().map(|(key, time)| (key.name(), time.get())).collect();
    assert_eq!(seen, [("witness.example/1", 10), ("witness.example/2", 20)]);
    assert_eq!(trust(&[one.verifier()]).open(&note).unwrap().witnesses.len(), 1);

    let moved = note.to_string().replace("20852163", "20852164");
    let moved = Note::parse(moved.as_bytes()).unwrap();
    assert!(matches!(trust(&keys).open(&moved), Err(CheckpointError::Note(NoteError::Forged { .. }))));
}

/// The line and the key were made with openssl and a few lines of Python, from the specification.
#[test]
fn a_cosignature_is_the_one_openssl_makes() {
    let line = "\u{2014} witness.example/1 N0dFmAAAAABkGFDLfNHFSGYKD6oGuTf3eNNxKKFbS3Pd/n7Rpe31BcTR4ofosZyP4SExRiJAcWA4zMks1WG6pgDJRC329e8Pi3BHDA==";
    assert_eq!(witness(1).cosign(&checkpoint(), at(1_679_315_147)).to_string(), line);
    let key = "witness.example/1+37474598+BNYvAWoe/R5P33k+tCzYRHHhup8M8E0Sh7XMcfYWKHy4";
    assert_eq!(witness(1).verifier().to_string(), key);
    assert_eq!(&VerifierKey::parse(key).unwrap(), witness(1).verifier());
}

#[test]
fn a_cosignature_holds_its_time() {
    let one = witness(1);
    let mut note = checkpoint().sign(&signer()).unwrap();
    let line = one.cosign(&checkpoint(), at(1_679_315_147)).to_string();
    note.add(lab3_tlog::Signature::parse(&line).unwrap());
    assert_eq!(trust(&[one.verifier()]).open(&note).unwrap().witnesses[0].1, at(1_679_315_147));
    note.add(one.cosign(&checkpoint(), at(1_679_315_148)));
    assert_eq!(note.signatures().len(), 2, "the newer in the place of the older");
    assert_eq!(Seconds::new(1 << 63), None);
    assert!(Seconds::new((1 << 63) - 1).is_some());
    assert_eq!(one.secret_text(), Cosigner::parse(&one.secret_text()).unwrap().secret_text());
    assert!(Signer::parse(&one.secret_text()).is_err(), "a witness's key is no log's");
}
