//! Proofs of leaves of a list whose root stands in a record: what is written is read again, for lists of every size, and nothing else is.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use lab3_tlog::{Checkpoint, Hash, ListProof, ListProofError, ProofFile, Signer, Tree, Trust, leaf_hash};

fn leaf(number: u64) -> String {
    format!("a leaf\nnumber: {number}\n")
}

fn list(size: u64) -> Tree {
    Tree::new((0..size).map(|number| leaf_hash(leaf(number).as_bytes())).collect())
}

/// A log with one record, the list's root.
fn record(root: Hash) -> (ProofFile, Trust) {
    let signer = Signer::new("hive/log", &[7; 32]).unwrap();
    let log = Tree::new(vec![leaf_hash(&root)]);
    let checkpoint = Checkpoint { origin: "hive/log".into(), size: 1, root: log.root(), extensions: Vec::new() };
    let proof = ProofFile { extra: Some(root.to_vec()), index: 0, proof: Vec::new(), note: checkpoint.sign(&signer).unwrap() };
    (proof, Trust { origin: "hive/log".into(), log: signer.verifier().clone(), witnesses: Vec::new() })
}

#[test]
fn every_leaf_of_lists_of_every_size_is_proved_by_a_file() {
    for size in 1..40 {
        let list = list(size);
        let (record, trust) = record(list.root());
        for number in 0..size {
            let written = ListProof { leaf: leaf(number), path: list.path(number).unwrap(), record: record.clone() };
            let read = ListProof::parse(&written.to_string()).unwrap();
            assert_eq!(read, written);
            read.verify_leaf(number, size, &list.root()).unwrap();
            read.record.verify(&leaf_hash(read.record.extra.as_deref().unwrap()), &trust).unwrap();
            assert!(read.verify_leaf((number + 1) % size, size, &list.root()).is_err() || size == 1);
            assert!(ListProof { leaf: leaf(number + 1), ..read }.verify_leaf(number, size, &list.root()).is_err());
        }
    }
}

#[test]
fn other_texts_are_none() {
    let list = list(5);
    let (record, _) = record(list.root());
    let good = ListProof { leaf: leaf(1), path: list.path(1).unwrap(), record }.to_string();
    let (leaf, rest) = good.split_once("\n\n").unwrap();
    let (path, record) = rest.split_once("\n\n").unwrap();
    let long = "a".repeat(5000);
    for bad in [
        String::new(),
        leaf.to_owned(),
        format!("{leaf}\n\n{path}"),
        format!("{leaf}\n{path}\n\n{record}"),
        format!("\n\n{path}\n\n{record}"),
        format!("{leaf}\n\n{path}=\n\n{record}"),
        format!("{long}\n\n{path}\n\n{record}"),
        format!("{leaf}\n\n{}{path}\n\n{record}", format!("{}\n", path.lines().next().unwrap()).repeat(64)),
    ] {
        assert_eq!(ListProof::parse(&bad), Err(ListProofError::Form), "{bad}");
    }
    assert!(matches!(ListProof::parse(&format!("{leaf}\n\n{path}\n\nno proof")), Err(ListProofError::Record(_))));
}
