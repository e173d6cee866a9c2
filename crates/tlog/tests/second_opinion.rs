//! Proofs judged by an independent crate (`ct-merkle`): ours hold there, theirs hold here, and they are the same bytes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
use lab3_tlog::{Tree, consistency_proof, leaf_hash, root, verify_consistency, verify_inclusion};
use sha2::Sha256;

const SIZE: usize = 600;

#[test]
fn an_independent_crate_agrees() {
    let entries: Vec<Vec<u8>> = (0..SIZE).map(|i| format!("record {i}").into_bytes()).collect();
    let ours = Tree::new(entries.iter().map(|entry| leaf_hash(entry)).collect());
    let mut theirs = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    for (size, entry) in (1_u64..).zip(&entries) {
        theirs.push(entry.clone());
        let new_root = root(&mut &ours, size).unwrap();
        assert_eq!(theirs.root().as_bytes().as_slice(), new_root, "size {size}");
        for index in [0, size / 7, size / 3, size / 2, size - 1] {
            check_inclusion(&ours, &theirs, &entries, index, size);
        }
        for old in [1, size / 5 + 1, size / 2 + 1, size - size / 9] {
            let old_root = root(&mut &ours, old).unwrap();
            let proof = consistency_proof(&mut &ours, old, size).unwrap().concat();
            let their_proof = theirs.prove_consistency(usize::try_from(size - old).unwrap());
            // Of two equal trees theirs is a proof too, with nothing to prove.
            assert_eq!(their_proof.as_bytes(), if old == size { &[] } else { proof.as_slice() }, "from {old} to {size}");
            let (hashes, _) = their_proof.as_bytes().as_chunks::<32>();
            assert_eq!(verify_consistency(old, size, &old_root, &new_root, hashes), Ok(()));
            let their_old = RootHash::<Sha256>::new(old_root.into(), old);
            assert!(theirs.root().verify_consistency(&their_old, &ConsistencyProof::try_from_bytes(proof).unwrap()).is_ok());
        }
    }
}

fn check_inclusion(ours: &Tree, theirs: &MemoryBackedTree<Sha256, Vec<u8>>, entries: &[Vec<u8>], index: u64, size: u64) {
    let at = usize::try_from(index).unwrap();
    let proof = lab3_tlog::inclusion_proof(&mut &*ours, index, size).unwrap().concat();
    let their_proof = theirs.prove_inclusion(at);
    assert_eq!(their_proof.as_bytes(), proof, "leaf {index} of {size}");
    let (hashes, _) = their_proof.as_bytes().as_chunks::<32>();
    let leaf = leaf_hash(&entries[at]);
    assert_eq!(verify_inclusion(index, size, &leaf, hashes, &root(&mut &*ours, size).unwrap()), Ok(()));
    assert!(theirs.root().verify_inclusion(&entries[at], index, &InclusionProof::try_from_bytes(proof).unwrap()).is_ok());
}
