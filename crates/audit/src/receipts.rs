//! Receipts: what the log promised somebody, and whether it stands there.

use lab3_tlog::{Hash, Receipt, VerifierKey};

use crate::verdict::{Class, Faults};

/// The promises to be checked, with the leaf hashes seen so far of each.
#[derive(Debug)]
pub(crate) struct Receipts(Vec<(Receipt, Vec<Hash>)>);

impl Receipts {
    /// Those of the notes that the log has signed.
    pub fn open(notes: &[Vec<u8>], key: &VerifierKey, faults: &mut Faults) -> Self {
        let open = |note: &Vec<u8>| match Receipt::open(note, key) {
            Ok(receipt) => Some((receipt, Vec::new())),
            Err(error) => {
                faults.add(None, (Class::Receipts, format!("a receipt is none of this log's: {error}")));
                None
            }
        };
        Self(notes.iter().filter_map(open).collect())
    }

    /// Takes the next record's leaf hash.
    pub fn take(&mut self, sequence: u64, leaf: Hash) {
        let promised = self.0.iter_mut().filter(|(receipt, _)| (receipt.first..=receipt.last()).contains(&sequence));
        promised.for_each(|(_, leaves)| leaves.push(leaf));
    }

    /// Names each promise that was not kept by a log of that size; says how many were.
    pub fn kept(&self, size: u64, faults: &mut Faults) -> usize {
        let broken = self.0.iter().filter(|(receipt, leaves)| !receipt.is_kept_by(leaves));
        for (receipt, _) in broken.clone() {
            let (first, last) = (receipt.first, receipt.last());
            let what = if last > size {
                format!("the log promised record {last} and shows {size}: checkpoints come every second, so ask again in a minute")
            } else {
                format!("the log promised other records from {first} to {last} than it shows, and its signature on the receipt proves it")
            };
            faults.add(None, (Class::Receipts, what));
        }
        self.0.len() - broken.count()
    }
}
