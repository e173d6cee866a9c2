//! One claim about the journal's tree, and the two code bases in Rust that judge it.

use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
use lab3_tests::Dice;
use lab3_tlog::{Hash, leaf_hash, verify_consistency, verify_inclusion};
use serde_json::{Value, json};
use sha2::Sha256;

/// What a claim is about.
#[derive(Clone, Debug)]
enum Of {
    /// This record is leaf `from`.
    Inclusion { entry: Vec<u8> },
    /// The tree of `from` leaves has this root and is the beginning.
    Consistency { old_root: Hash },
}

/// That something holds of the tree of `size` leaves with this root.
#[derive(Clone, Debug)]
pub struct Claim {
    of: Of,
    from: u64,
    size: u64,
    root: Hash,
    proof: Vec<Hash>,
    /// Whether it is true.
    pub holds: bool,
}

impl Claim {
    pub fn inclusion(index: u64, size: u64, entry: &[u8], root: Hash, proof: Vec<Hash>) -> Self {
        Self { of: Of::Inclusion { entry: entry.to_vec() }, from: index, size, root, proof, holds: true }
    }

    pub fn consistency(old: u64, size: u64, old_root: Hash, root: Hash, proof: Vec<Hash>) -> Self {
        Self { of: Of::Consistency { old_root }, from: old, size, root, proof, holds: true }
    }

    pub fn is_inclusion(&self) -> bool {
        matches!(self.of, Of::Inclusion { .. })
    }

    /// The same with a bit of its proof, its record or a root changed, or with another index.
    pub fn with_a_bit_changed(&self, dice: &mut Dice) -> Self {
        let mut claim = Self { holds: false, ..self.clone() };
        let hashes = u32::try_from(claim.proof.len()).unwrap();
        match (dice.below(4), &mut claim.of) {
            (0, _) => flip(&mut claim.root, dice),
            // Another place among twins is another claim that is false too; the neighbour's is the nearest lie.
            (1, Of::Inclusion { .. }) if self.size > 1 => claim.from = if self.from == 0 { 1 } else { self.from - 1 },
            (1 | 2, Of::Inclusion { entry }) => flip(entry, dice),
            (1 | 2, Of::Consistency { old_root }) => flip(old_root, dice),
            _ if hashes == 0 => flip(&mut claim.root, dice),
            _ => flip(&mut claim.proof[dice.below(hashes) as usize], dice),
        }
        claim
    }

    /// Whether our own code accepts it.
    pub fn judged_here(&self) -> bool {
        let Self { from, size, root, proof, .. } = self;
        match &self.of {
            Of::Inclusion { entry } => verify_inclusion(*from, *size, &leaf_hash(entry), proof, root).is_ok(),
            Of::Consistency { old_root } => verify_consistency(*from, *size, old_root, root, proof).is_ok(),
        }
    }

    /// Whether the crate `ct-merkle` does.
    pub fn judged_by_ct_merkle(&self) -> bool {
        let (root, proof) = (RootHash::<Sha256>::new(self.root.into(), self.size), self.proof.concat());
        match &self.of {
            Of::Inclusion { entry } => {
                InclusionProof::try_from_bytes(proof).is_ok_and(|proof| root.verify_inclusion(entry, self.from, &proof).is_ok())
            }
            // Of a tree with itself it wants no proof, and compares nothing.
            Of::Consistency { old_root } if self.from == self.size => *old_root == self.root && proof.is_empty(),
            Of::Consistency { old_root } => {
                let old = RootHash::<Sha256>::new((*old_root).into(), self.from);
                ConsistencyProof::try_from_bytes(proof).is_ok_and(|proof| root.verify_consistency(&old, &proof).is_ok())
            }
        }
    }

    /// As `judge.py` reads it.
    pub fn json(&self) -> Value {
        let (kind, was) = match &self.of {
            Of::Inclusion { entry } => ("inclusion", leaf_hash(entry)),
            Of::Consistency { old_root } => ("consistency", *old_root),
        };
        let proof = self.proof.iter().map(|hash| hex(hash)).collect::<Vec<_>>();
        json!({ "kind": kind, "from": self.from, "size": self.size, "was": hex(&was), "root": hex(&self.root), "proof": proof })
    }
}

fn flip(bytes: &mut [u8], dice: &mut Dice) {
    let at = dice.below(u32::try_from(bytes.len()).unwrap());
    bytes[at as usize] ^= 1 << dice.below(8);
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
