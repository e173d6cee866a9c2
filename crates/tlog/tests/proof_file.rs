//! `.tlog-proof` files: read and written in one way only, and false in every bit that is flipped.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

mod naive;

use lab3_tlog::{Checkpoint, CheckpointError, Hash, ProofFile, ProofFileError, Signer, Tree, Trust};

const ORIGIN: &str = "hive.example/log";

fn tree() -> Tree {
    Tree::new(naive::leaves(11))
}

fn proof_of(index: u64, extra: Option<Vec<u8>>) -> (ProofFile, Trust) {
    let (tree, signer) = (tree(), Signer::new(ORIGIN, &[1; 32]).unwrap());
    let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size: 11, root: tree.root(), extensions: vec![] };
    let trust = Trust { origin: ORIGIN.to_owned(), log: signer.verifier().clone(), witnesses: vec![] };
    (ProofFile { extra, index, proof: tree.path(index).unwrap(), note: checkpoint.sign(&signer).unwrap() }, trust)
}

fn leaf(index: u64) -> Hash {
    *tree().get(0, index).unwrap()
}

#[test]
fn an_entry_is_proved_by_a_text() {
    for index in 0..11 {
        for extra in [None, Some(vec![]), Some(vec![1, 2, 3])] {
            let (file, trust) = proof_of(index, extra);
            let read = ProofFile::parse(file.to_string().as_bytes()).unwrap();
            assert_eq!(read, file);
            assert_eq!(read.verify(&leaf(index), &trust).unwrap().checkpoint.size, 11);
            assert!(matches!(read.verify(&leaf((index + 1) % 11), &trust), Err(ProofFileError::Proof(_))));
        }
    }
}

#[test]
fn every_flipped_bit_is_refused() {
    let (file, trust) = proof_of(6, None);
    let whole = file.to_string().into_bytes();
    for at in 0..whole.len() * 8 {
        let mut bad = whole.clone();
        bad[at / 8] ^= 1 << (at % 8);
        assert!(ProofFile::parse(&bad).and_then(|file| file.verify(&leaf(6), &trust)).is_err(), "bit {at}");
    }
}

#[test]
fn what_is_no_proof_is_refused() {
    let whole = proof_of(6, Some(vec![1, 2, 3])).0.to_string();
    assert!(whole.starts_with("c2sp.org/tlog-proof@v1\nextra AQID\nindex 6\n"));
    let bad = |from: &str, to: &str| {
        assert_eq!(ProofFile::parse(whole.replacen(from, to, 1).as_bytes()), Err(ProofFileError::Form), "{to:?}");
    };
    bad("@v1", "@v2");
    bad("index 6", "index 06");
    bad("index 6\n", "");
    bad("extra AQID", "extra AQI");
    bad("extra AQID\nindex 6", "index 6\nextra AQID");
    bad("extra AQID\n", "extra AQID\nextra AQID\n");
    let cut = whole.replacen("index 6\n", "index 6\n\n", 1);
    assert_eq!(ProofFile::parse(cut.as_bytes()), Err(ProofFileError::Checkpoint(CheckpointError::Form)));
    bad("AQID", &"A".repeat(70_000));
    bad("index 6\n", &format!("index 6\n{}", "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n".repeat(65)));
    let longer = |by: usize| whole.replacen("6\n", &format!("6\n{}", "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n".repeat(by)), 1);
    assert_eq!(ProofFile::parse(longer(60).as_bytes()).unwrap().proof.len(), 64);
    assert_eq!(ProofFile::parse(longer(61).as_bytes()), Err(ProofFileError::Form));
    assert_eq!(ProofFile::parse(b""), Err(ProofFileError::Form));
    assert_eq!(ProofFile::parse(&vec![b'x'; 1_000_000]), Err(ProofFileError::Form));
    assert!(matches!(ProofFile::parse(whole.trim_end().as_bytes()), Err(ProofFileError::Note(_))));
}
