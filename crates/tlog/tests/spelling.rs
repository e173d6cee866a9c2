//! Whatever is read is written back the same: of texts changed at random, those still accepted have no second spelling.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod naive;

use lab3_tlog::{AddCheckpoint, Checkpoint, Cosigner, Fork, Note, ProofFile, Seconds, Signer, Tile, Tree, VerifierKey, consistency_proof};
use proptest::prelude::*;

/// What reads a text and writes it again.
type Reader = fn(&str) -> Option<String>;

fn examples() -> Vec<(String, Reader)> {
    let signer = Signer::new("hive.example/log", &[1; 32]).unwrap();
    let tree = Tree::new(naive::leaves(13));
    let checkpoint = |root| Checkpoint { origin: "hive.example/log".to_owned(), size: 13, root, extensions: vec!["more".to_owned()] };
    let mut note = checkpoint(tree.root()).sign(&signer).unwrap();
    let witness = Cosigner::new("witness.example/w1", &[2; 32]).unwrap();
    note.add(witness.cosign(&checkpoint(tree.root()), Seconds::new(1_700_000_000).unwrap()));
    let other = checkpoint([7; 32]).sign(&signer).unwrap();
    let file = ProofFile { extra: Some(vec![1, 2]), index: 6, proof: tree.path(6).unwrap(), note: note.clone() };
    let request = AddCheckpoint { old: 6, proof: consistency_proof(&mut &tree, 6, 13).unwrap(), note: note.clone() };
    vec![
        (signer.verifier().to_string(), |text| Some(VerifierKey::parse(text).ok()?.to_string())),
        (checkpoint(tree.root()).to_string(), |text| Some(Checkpoint::parse(text).ok()?.to_string())),
        (note.to_string(), |text| Some(Note::parse(text.as_bytes()).ok()?.to_string())),
        (file.to_string(), |text| Some(ProofFile::parse(text.as_bytes()).ok()?.to_string())),
        (request.to_string(), |text| Some(AddCheckpoint::parse(text.as_bytes()).ok()?.to_string())),
        (Fork::find(signer.verifier(), &note, &other, &[]).unwrap().to_string(), |text| {
            Some(Fork::parse(text.as_bytes()).ok()?.to_string())
        }),
        ("tile/0/x001/x234/067.p/12".to_owned(), |text| Some(Tile::parse(text)?.to_string())),
        ("tile/data/067".to_owned(), |text| Some(Tile::parse(text)?.to_string())),
    ]
}

#[test]
fn the_examples_are_accepted() {
    for (text, reader) in examples() {
        assert_eq!(reader(&text).as_ref(), Some(&text));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn a_changed_text_is_refused_or_means_something_else(
        which in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..3, "[0-9a-zA-Z+/=x. \n\u{2014}\u{e9}\t]{1,3}"), 1..3),
    ) {
        thread_local! { static EXAMPLES: Vec<(String, Reader)> = examples(); }
        EXAMPLES.with(|examples| {
            let (text, reader) = which.get(examples);
            let mut chars: Vec<char> = text.chars().collect();
            for (place, kind, new) in edits {
                let at = place.index(chars.len());
                let end = if kind == 0 { at } else { at + 1 };
                chars.splice(at..end, if kind == 1 { String::new() } else { new }.chars());
            }
            let changed: String = chars.into_iter().collect();
            if let Some(written) = reader(&changed) {
                prop_assert_eq!(written, changed);
            }
            Ok(())
        })?;
    }
}
