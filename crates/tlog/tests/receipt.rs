//! Receipts: signed by the log, about these leaves, and nothing else.

#![allow(clippy::unwrap_used, reason = "outside of #[test] functions clippy does not see that this is a test")]

use lab3_tlog::{Checkpoint, CheckpointError, Note, Receipt, ReceiptError, Seconds, Signer, leaf_hash};

fn signer() -> Signer {
    Signer::new("hive/jn_1", &[7; 32]).unwrap()
}

fn leaves(count: u8) -> Vec<[u8; 32]> {
    (0..count).map(|at| leaf_hash(&[at])).collect()
}

fn signed() -> (Receipt, Vec<u8>) {
    let receipt = Receipt::of("hive/jn_1", 12, &leaves(3), Seconds::new(1_795_400_000).unwrap());
    let note = receipt.sign(&signer()).unwrap().to_string().into_bytes();
    (receipt, note)
}

#[test]
fn what_was_promised_can_be_read_and_checked() {
    let (receipt, note) = signed();
    let read = Receipt::open(&note, signer().verifier()).unwrap();
    assert_eq!((&read, read.first, read.last()), (&receipt, 12, 14));
    assert!(read.is_kept_by(&leaves(3)));
    let text = String::from_utf8(note).unwrap();
    assert!(text.starts_with("lab3 receipt 1\nhive/jn_1\nfirst 12\ncount 3\nleaves "), "{text}");
}

#[test]
fn other_leaves_break_it() {
    let (receipt, _) = signed();
    let mut swapped = leaves(3);
    swapped.swap(0, 2);
    let mut changed = leaves(3);
    changed[1][31] ^= 1;
    for leaves in [leaves(2), leaves(4), swapped, changed, Vec::new()] {
        assert!(!receipt.is_kept_by(&leaves));
    }
}

#[test]
fn no_byte_of_it_can_be_changed() {
    let (receipt, note) = signed();
    for at in 0..note.len() {
        for bit in 0..8 {
            let mut changed = note.clone();
            changed[at] ^= 1 << bit;
            let read = Receipt::open(&changed, signer().verifier());
            assert!(read.is_err() || read == Ok(receipt.clone()), "byte {at}, bit {bit}");
            assert!(read.is_err(), "byte {at}, bit {bit} counts for nothing");
        }
    }
}

#[test]
fn it_is_of_one_log_and_no_checkpoint() {
    let (receipt, note) = signed();
    let stranger = Signer::new("hive/jn_1", &[8; 32]).unwrap();
    assert!(matches!(Receipt::open(&note, stranger.verifier()), Err(ReceiptError::Note(_))));
    let other = Signer::new("hive/jn_2", &[7; 32]).unwrap();
    assert_eq!(Receipt::open(&note, other.verifier()), Err(ReceiptError::Origin("hive/jn_1".to_owned())));
    assert_eq!(Checkpoint::parse(&receipt.to_string()), Err(CheckpointError::Form));
}

#[test]
fn what_is_no_receipt_is_refused() {
    let (receipt, _) = signed();
    let text = receipt.to_string();
    let wrong = [
        text.replace("first 12", "first 0"),
        text.replace("count 3", "count 0"),
        text.replace("count 3", "count 03"),
        text.replace("count 3", "count 18446744073709551615"),
        text.replace("receipt 1", "receipt 2"),
        text.replace("first", "First"),
        format!("{text}more\n"),
        text.lines().take(5).fold(String::new(), |text, line| text + line + "\n"),
    ];
    for text in wrong {
        let note = Note::sign(&text, &signer()).unwrap().to_string();
        assert_eq!(Receipt::open(note.as_bytes(), signer().verifier()), Err(ReceiptError::Form), "{text}");
    }
}
