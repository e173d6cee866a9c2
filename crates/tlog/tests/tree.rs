//! Roots and proofs against the naive recursive tree and the vectors of Certificate Transparency; false proofs are refused.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

mod naive;

use lab3_tlog::{
    Frontier, Hash, Place, ProofError, Run, Span, Tree, VerifyError, bridge, consistency_proof, empty_root, implied_old_root,
    inclusion_proof, leaf_hash, root, verify_consistency, verify_inclusion,
};
use proptest::prelude::*;

const ALL: usize = 130;

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

fn hashes(text: &[&str]) -> Vec<Hash> {
    text.iter().map(|text| hex(text).try_into().unwrap()).collect()
}

/// The eight entries and the proofs that every Certificate Transparency code base tests with.
#[test]
fn certificate_transparency_vectors() {
    let entries = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
    let roots = hashes(&[
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ]);
    let tree = Tree::new(entries.iter().map(|entry| leaf_hash(&hex(entry))).collect());
    for (size, expected) in (0..).zip(&roots) {
        assert_eq!(root(&mut &tree, size).unwrap(), *expected, "size {size}");
    }
    let path = hashes(&[
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]);
    assert_eq!(tree.path(5).unwrap(), path);
    let from_6_to_8 = hashes(&[
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]);
    assert_eq!(consistency_proof(&mut &tree, 6, 8).unwrap(), from_6_to_8);
    let from_2_to_5 = hashes(&[
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ]);
    assert_eq!(consistency_proof(&mut &tree, 2, 5).unwrap(), from_2_to_5);
}

#[test]
fn every_size_agrees_with_the_naive_tree() {
    let leaves = naive::leaves(ALL);
    let tree = Tree::new(leaves.clone());
    let mut frontier = Frontier::new();
    for size in 0..=ALL {
        let (part, n) = (&leaves[..size], size as u64);
        let expected = naive::root(part);
        assert_eq!(root(&mut &tree, n).unwrap(), expected);
        assert_eq!(frontier.root(), expected);
        assert_eq!(Tree::new(part.to_vec()).root(), expected);
        for (index, leaf) in part.iter().enumerate() {
            let proof = inclusion_proof(&mut &tree, index as u64, n).unwrap();
            assert_eq!(proof, naive::path(index, part), "leaf {index} of {size}");
            assert_eq!(verify_inclusion(index as u64, n, leaf, &proof, &expected), Ok(()));
        }
        for old in 0..=size {
            check_consistency(&tree, &leaves, old, size);
        }
        if let Some(leaf) = leaves.get(size) {
            frontier.push(*leaf, |_, _| {});
        }
    }
}

fn check_consistency(tree: &Tree, leaves: &[Hash], old: usize, new: usize) {
    let (m, n) = (old as u64, new as u64);
    let (old_root, new_root) = (naive::root(&leaves[..old]), naive::root(&leaves[..new]));
    let proof = consistency_proof(&mut &*tree, m, n).unwrap();
    if old > 0 {
        assert_eq!(proof, naive::subproof(old, &leaves[..new], true), "from {old} to {new}");
    }
    assert_eq!(verify_consistency(m, n, &old_root, &new_root, &proof), Ok(()), "from {old} to {new}");
    let bridge = bridge(&mut &*tree, m, n).unwrap();
    assert_eq!(implied_old_root(m, n, &new_root, &bridge), Ok(old_root), "from {old} to {new}");
}

#[test]
fn a_frontier_tells_each_subtree_once() {
    let leaves = naive::leaves(ALL);
    let tree = Tree::new(leaves.clone());
    let (mut frontier, mut told) = (Frontier::new(), Vec::new());
    for leaf in &leaves {
        frontier.push(*leaf, |place, hash| {
            assert_eq!(tree.get(place.level, place.index), Some(hash));
            told.push(place);
        });
        let peaks: Vec<Hash> = Span::tree(frontier.size()).places().map(|at| *tree.get(at.level, at.index).unwrap()).collect();
        assert_eq!(Frontier::from_peaks(frontier.size(), peaks), Some(frontier.clone()));
    }
    let count = told.len();
    told.sort_unstable();
    told.dedup();
    let all: u64 = (0..8).map(|level| ALL as u64 >> level).sum();
    assert_eq!((told.len(), count as u64), (count, all));
    assert_eq!(Frontier::from_peaks(3, vec![leaves[0]]), None);
}

#[test]
fn a_run_is_addressed_as_in_the_whole_tree() {
    let leaves = naive::leaves(700);
    let tree = Tree::new(leaves.clone());
    for (number, part) in (0..).zip(leaves.chunks(256)) {
        let run = Run::new(number, part.to_vec());
        for level in 0..=10 {
            for index in 0..(700 >> level) {
                let inside = level <= 8 && index >> (8 - level) == number;
                assert_eq!(run.get(level, index), tree.get(level, index).filter(|_| inside), "{number}: {level}, {index}");
            }
        }
    }
    assert_eq!(Run::new(u64::MAX, leaves).get(0, 0), None);
}

#[test]
fn every_flipped_bit_is_refused() {
    let leaves = naive::leaves(21);
    let tree = Tree::new(leaves.clone());
    for size in 1..=21_u64 {
        let new_root = root(&mut &tree, size).unwrap();
        for index in 0..size {
            let leaf = leaves[usize::try_from(index).unwrap()];
            let proof = tree_proof(&tree, index, size);
            each_flip(&proof, |bad| assert!(verify_inclusion(index, size, &leaf, bad, &new_root).is_err()));
            each_flip(&[leaf], |bad| assert!(verify_inclusion(index, size, &bad[0], &proof, &new_root).is_err()));
            each_other_length(&proof, |bad| assert!(verify_inclusion(index, size, &leaf, bad, &new_root).is_err()));
            assert!(
                (0..=size).filter(|other| *other != index).all(|other| verify_inclusion(other, size, &leaf, &proof, &new_root).is_err())
            );
        }
        for old in 1..=size {
            let old_root = root(&mut &tree, old).unwrap();
            let proof = consistency_proof(&mut &tree, old, size).unwrap();
            each_flip(&proof, |bad| assert!(verify_consistency(old, size, &old_root, &new_root, bad).is_err()));
            each_flip(&[old_root], |bad| assert!(verify_consistency(old, size, &bad[0], &new_root, &proof).is_err()));
            each_flip(&[new_root], |bad| assert!(verify_consistency(old, size, &old_root, &bad[0], &proof).is_err()));
            each_other_length(&proof, |bad| assert!(verify_consistency(old, size, &old_root, &new_root, bad).is_err()));
        }
    }
}

fn tree_proof(tree: &Tree, index: u64, size: u64) -> Vec<Hash> {
    inclusion_proof(&mut &*tree, index, size).unwrap()
}

fn each_flip(proof: &[Hash], refused: impl Fn(&[Hash])) {
    for at in 0..proof.len() * 256 {
        let mut bad = proof.to_vec();
        bad[at / 256][at % 256 / 8] ^= 1 << (at % 8);
        refused(&bad);
    }
}

fn each_other_length(proof: &[Hash], refused: impl Fn(&[Hash])) {
    for at in 0..=proof.len() {
        let mut longer = proof.to_vec();
        longer.insert(at, [7; 32]);
        refused(&longer);
        if at < proof.len() {
            let mut shorter = proof.to_vec();
            shorter.remove(at);
            refused(&shorter);
            let mut twice = proof.to_vec();
            twice.insert(at, proof[at]);
            refused(&twice);
        }
    }
}

#[test]
fn hostile_sizes_are_answered() {
    let (none, some, long) = (&[][..], &[[1; 32]; 3][..], &[[1; 32]; 70][..]);
    let sizes = [0, 1, 2, 3, 1 << 62, (1 << 63) - 1, 1 << 63, (1 << 63) + 1, u64::MAX - 1, u64::MAX];
    for (a, b) in sizes.iter().flat_map(|a| sizes.iter().map(move |b| (*a, *b))) {
        for proof in [none, some, long] {
            let _ = verify_inclusion(a, b, &[2; 32], proof, &[3; 32]);
            let _ = verify_consistency(a, b, &[2; 32], &[3; 32], proof);
            let _ = implied_old_root(a, b, &[3; 32], proof);
        }
        let _ = lab3_tlog::inclusion_spans(a, b).map(|spans| spans.into_iter().flat_map(Span::places).count());
        let _ = lab3_tlog::bridge_spans(a, b).map(|spans| spans.into_iter().flat_map(Span::places).count());
    }
    assert_eq!(verify_inclusion(0, 0, &[2; 32], none, &empty_root()), Err(VerifyError::NoSuchLeaf { index: 0, size: 0 }));
    assert_eq!(verify_consistency(2, 1, &[2; 32], &[2; 32], none), Err(VerifyError::Shrinks { old: 2, new: 1 }));
    assert_eq!(verify_consistency(0, 5, &[2; 32], &[2; 32], none), Err(VerifyError::OldRoot));
    assert_eq!(verify_consistency(0, 5, &empty_root(), &[2; 32], none), Ok(()));
    assert_eq!(verify_consistency(0, 0, &[2; 32], &[2; 32], none), Err(VerifyError::Root));
    assert_eq!(Tree::default().path(0).unwrap_err(), ProofError::NoSuchLeaf { index: 0, size: 0 });
    assert_eq!(Span::tree(u64::MAX).places().last(), Some(Place { level: 0, index: u64::MAX - 1 }));
}

/// A tree whose subtrees are all known by a rule: as large as sizes can be.
#[test]
fn proofs_of_the_largest_tree_hold() {
    struct Same;
    impl lab3_tlog::Nodes for Same {
        type Error = std::convert::Infallible;
        fn node(&mut self, level: u8, _index: u64) -> Result<Hash, Self::Error> {
            Ok((0..level).fold([9; 32], |hash, _| lab3_tlog::node_hash(&hash, &hash)))
        }
    }
    let size = u64::MAX;
    let whole = root(&mut Same, size).unwrap();
    for index in [0, 1, size / 2, size / 2 + 1, size - 2, size - 1] {
        let proof = inclusion_proof(&mut Same, index, size).unwrap();
        assert_eq!(verify_inclusion(index, size, &[9; 32], &proof, &whole), Ok(()), "leaf {index}");
    }
    for old in [1, 2, 3, 1 << 63, (1 << 63) + 1, size - 1, size] {
        let (old_root, proof) = (root(&mut Same, old).unwrap(), consistency_proof(&mut Same, old, size).unwrap());
        assert_eq!(verify_consistency(old, size, &old_root, &whole, &proof), Ok(()), "from {old}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5, ..ProptestConfig::default() })]

    #[test]
    fn random_sizes_agree_with_the_naive_tree(new in 1_usize..100_000, a in any::<prop::sample::Index>(), b in any::<prop::sample::Index>()) {
        let leaves = naive::leaves(new);
        let tree = Tree::new(leaves.clone());
        let (index, old) = (a.index(new), b.index(new + 1));
        let proof = tree.path(index as u64).unwrap();
        prop_assert_eq!(&proof, &naive::path(index, &leaves));
        prop_assert_eq!(verify_inclusion(index as u64, new as u64, &leaves[index], &proof, &tree.root()), Ok(()));
        check_consistency(&tree, &leaves, old, new);
    }
}
