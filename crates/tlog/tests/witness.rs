//! What a witness answers to what, each with the status the specification gives it, and evidence of a fork.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

mod naive;

use lab3_tlog::{
    AddCheckpoint, Checkpoint, Cosigner, Fork, Hash, NoFork, Note, NoteError, Refusal, Seconds, Signature, Signer, TreeHead, Trust,
    VerifyError, WitnessedLog, bridge, consistency_proof, empty_root, parse_conflict, root,
};

const ORIGIN: &str = "hive.example/log";

fn signer() -> Signer {
    Signer::new(ORIGIN, &[1; 32]).unwrap()
}

fn tree() -> lab3_tlog::Tree {
    lab3_tlog::Tree::new(naive::leaves(100))
}

/// Another past: leaf 7 is another.
fn forked() -> lab3_tlog::Tree {
    let mut leaves = naive::leaves(100);
    leaves[7] = [0; 32];
    lab3_tlog::Tree::new(leaves)
}

fn signed(tree: &lab3_tlog::Tree, size: u64) -> Note {
    let root = root(&mut &*tree, size).unwrap();
    Checkpoint { origin: ORIGIN.to_owned(), size, root, extensions: vec![] }.sign(&signer()).unwrap()
}

fn request(tree: &lab3_tlog::Tree, old: u64, new: u64) -> AddCheckpoint {
    AddCheckpoint { old, proof: consistency_proof(&mut &*tree, old, new).unwrap(), note: signed(tree, new) }
}

fn known(size: Option<u64>) -> WitnessedLog {
    let last = size.map(|size| TreeHead { size, root: root(&mut &tree(), size).unwrap() });
    WitnessedLog { keys: vec![signer().verifier().clone()], last }
}

#[test]
fn a_witness_answers_as_specified() {
    let check = |request: &AddCheckpoint, last: Option<u64>, expected: Result<u64, Refusal>| {
        let judged = request.judge(Some(&known(last))).map(|checkpoint| checkpoint.size);
        assert_eq!(judged, expected, "{request} after {last:?}");
        if let Err(refusal) = expected {
            assert_eq!(refusal.status() == 409, parse_conflict(&refusal.body()).is_some());
        }
    };
    let (tree, forked) = (tree(), forked());
    check(&request(&tree, 0, 64), None, Ok(64));
    check(&request(&tree, 0, 0), None, Ok(0));
    check(&request(&tree, 64, 90), Some(64), Ok(90));
    check(&request(&tree, 61, 90), Some(61), Ok(90));
    check(&request(&tree, 90, 90), Some(90), Ok(90));

    check(&request(&tree, 0, 90), Some(64), Err(Refusal::Conflict { size: 64 }));
    check(&request(&tree, 64, 90), None, Err(Refusal::Conflict { size: 0 }));
    check(&request(&tree, 60, 62), Some(64), Err(Refusal::Conflict { size: 64 }));
    check(&request(&forked, 64, 64), Some(64), Err(Refusal::Conflict { size: 64 }));
    check(&request(&forked, 64, 90), Some(64), Err(Refusal::BadProof));
    check(&request(&forked, 61, 90), Some(61), Err(Refusal::BadProof));

    let with = |proof: Vec<Hash>, request: AddCheckpoint| AddCheckpoint { proof, ..request };
    check(&with(vec![], request(&tree, 64, 90)), Some(64), Err(Refusal::BadProof));
    check(&with(vec![[0; 32]], request(&tree, 0, 90)), None, Err(Refusal::BadProof));
    check(&with(vec![[0; 32]], request(&tree, 90, 90)), Some(90), Err(Refusal::BadProof));
    check(&AddCheckpoint { old: 91, ..request(&tree, 64, 90) }, Some(64), Err(Refusal::BadRequest));
    check(&AddCheckpoint { old: 91, ..request(&tree, 64, 90) }, Some(91), Err(Refusal::BadRequest));

    let root_of_nothing = Checkpoint { origin: ORIGIN.to_owned(), size: 0, root: [3; 32], extensions: vec![] }.sign(&signer()).unwrap();
    check(&AddCheckpoint { old: 0, proof: vec![], note: root_of_nothing }, None, Err(Refusal::BadProof));
    assert_eq!(empty_root(), root(&mut &tree, 0).unwrap());
}

#[test]
fn strangers_and_forgers_are_refused() {
    let request = request(&tree(), 0, 64);
    assert_eq!(request.judge(None), Err(Refusal::UnknownOrigin));
    let other = WitnessedLog { keys: vec![Signer::new(ORIGIN, &[2; 32]).unwrap().verifier().clone()], last: None };
    assert_eq!(request.judge(Some(&other)), Err(Refusal::BadSignature));
    let moved = AddCheckpoint::parse(request.to_string().replace("\n64\n", "\n65\n").as_bytes()).unwrap();
    assert_eq!(moved.judge(Some(&known(None))), Err(Refusal::BadSignature));
    let no_checkpoint = AddCheckpoint { note: Note::sign("hello\n", &signer()).unwrap(), ..request };
    assert_eq!(no_checkpoint.judge(Some(&known(None))), Err(Refusal::BadRequest));
    let statuses = [Refusal::BadRequest, Refusal::BadSignature, Refusal::UnknownOrigin, Refusal::Conflict { size: 7 }, Refusal::BadProof];
    assert_eq!(statuses.map(Refusal::status), [400, 403, 404, 409, 422]);
    assert_eq!(Refusal::Conflict { size: 7 }.body(), "7\n");
}

#[test]
fn a_request_is_read_as_it_was_written() {
    let example = "old 20852014\n\
        PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n\
        jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n\
        5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n\
        /6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n\
        \n\
        example.com/behind-the-sofa\n\
        20852163\n\
        CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\
        \n\
        \u{2014} example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n\
        \u{2014} example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=\n";
    let read = AddCheckpoint::parse(example.as_bytes()).unwrap();
    assert_eq!((read.old, read.proof.len(), read.note.signatures().len()), (20_852_014, 4, 2));
    assert_eq!(read.checkpoint().unwrap().origin, "example.com/behind-the-sofa");
    assert_eq!(read.to_string(), example);

    let bad = |from: &str, to: &str| {
        assert_eq!(AddCheckpoint::parse(example.replacen(from, to, 1).as_bytes()), Err(Refusal::BadRequest), "{to:?}");
    };
    bad("old 20852014", "old 020852014");
    bad("old 20852014", "old  20852014");
    bad("old 20852014", "20852014");
    bad("old 20852014\n", "old 20852014\r\n");
    bad("Pd8=\n", "Pd9=\n");
    bad("Pd8=\n", "Pd8=\n\n");
    bad("old", "new");
    let longer = |by: usize| example.replacen('\n', &format!("\n{}", "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n".repeat(by)), 1);
    assert_eq!(AddCheckpoint::parse(longer(59).as_bytes()).unwrap().proof.len(), 63);
    assert_eq!(AddCheckpoint::parse(longer(60).as_bytes()), Err(Refusal::BadRequest));
    assert_eq!(AddCheckpoint::parse(&vec![b'x'; 600_000]), Err(Refusal::BadRequest));
    assert_eq!(AddCheckpoint::parse(b""), Err(Refusal::BadRequest));
    let response = Signature::parse_lines(example.rsplit_once("\n\n").unwrap().1).unwrap();
    assert_eq!(response, read.note.signatures());
    assert_eq!((parse_conflict("20\n"), parse_conflict("20"), parse_conflict("x\n")), (Some(20), None, None));
}

#[test]
fn a_cosigned_checkpoint_is_seen_by_the_witness() {
    let witness = Cosigner::new("witness.example/w1", &[9; 32]).unwrap();
    let request = request(&tree(), 64, 90);
    let checkpoint = request.judge(Some(&known(Some(64)))).unwrap();
    let line = witness.cosign(&checkpoint, Seconds::new(1_700_000_000).unwrap());
    let stranger = Cosigner::new("stranger.example", &[8; 32]).unwrap().cosign(&checkpoint, Seconds::new(1).unwrap());
    let mut note = request.note;
    let keys = [witness.verifier().clone()];
    let forged = line.to_string().replace("AAAAB", "AAAAC");
    let before = note.clone();
    let refused = note.adopt(Signature::parse_lines(&format!("{stranger}\n{forged}\n")).unwrap(), &keys);
    assert_eq!((refused, &note), (Err(NoteError::Forged { name: "witness.example/w1".to_owned() }), &before));
    assert_eq!(note.adopt(vec![stranger.clone()], &keys), Err(NoteError::Unknown));
    let signed = note.adopt(Signature::parse_lines(&format!("{stranger}\n{line}\n")).unwrap(), &keys).unwrap();
    assert_eq!((signed.len(), &note.signatures()[1..]), (1, &[line][..]), "the stranger's is left");
    let trust = Trust { origin: ORIGIN.to_owned(), log: signer().verifier().clone(), witnesses: vec![witness.verifier().clone()] };
    assert_eq!(trust.open(&note).unwrap().witnesses, [(witness.verifier().clone(), Seconds::new(1_700_000_000).unwrap())]);
}

#[test]
fn two_pasts_are_evidence_anybody_can_check() {
    let (tree, forked, key) = (tree(), forked(), signer().verifier().clone());
    for (old, new) in [(8, 8), (100, 100), (8, 9), (64, 90), (61, 90), (9, 100), (99, 100)] {
        let hashes = bridge(&mut &forked, old, new).unwrap();
        let (older, newer) = (signed(&tree, old), signed(&forked, new));
        let fork = Fork::find(&key, &older, &newer, &hashes).unwrap_or_else(|error| panic!("{old}, {new}: {error}"));
        assert_eq!(Fork::find(&key, &newer, &older, &hashes).is_ok(), old != new || fork.notes()[0] == &older);
        assert_eq!(Fork::parse(fork.to_string().as_bytes()), Ok(fork.clone()), "{fork}");
        assert_eq!((fork.key(), fork.notes()), (&key, [&older, &newer]));
        for at in 0..hashes.len() {
            let mut bad = hashes.clone();
            bad[at][0] ^= 1;
            assert_eq!(Fork::find(&key, &older, &newer, &bad), Err(NoFork::Bridge(VerifyError::Root)), "an honest log must not be framed");
        }
    }
}

#[test]
fn a_refused_request_may_be_evidence_itself() {
    let (tree, forked, keys) = (tree(), forked(), [signer().verifier().clone()]);
    for (old, new, shown) in [(100, 100, true), (61, 90, true), (99, 100, true), (64, 90, false)] {
        let sent = request(&forked, old, new);
        assert!(sent.judge(Some(&known(Some(old)))).is_err());
        let fork = sent.fork(&keys, &signed(&tree, old));
        assert_eq!(fork.is_some(), shown, "{old}, {new}");
        assert!(fork.is_none_or(|fork| Fork::parse(fork.to_string().as_bytes()) == Ok(fork)));
        // A proof that fails, sent by somebody else with what the log signed honestly.
        let framed = AddCheckpoint { proof: vec![[5; 32]; 4], ..request(&tree, old, new) };
        assert_eq!(framed.fork(&keys, &signed(&tree, old)), None);
    }
}

#[test]
fn an_honest_log_cannot_be_framed() {
    let (tree, key) = (tree(), signer().verifier().clone());
    for (old, new) in [(0, 0), (0, 9), (8, 8), (8, 9), (61, 90)] {
        let hashes = bridge(&mut &tree, old, new).unwrap();
        assert_eq!(Fork::find(&key, &signed(&tree, old), &signed(&tree, new), &hashes), Err(NoFork::Consistent), "{old}, {new}");
        assert!(Fork::find(&key, &signed(&tree, old), &signed(&tree, new), &[[5; 32]; 3]).is_err());
    }
    let other = Checkpoint { origin: "another.example".to_owned(), size: 8, root: [1; 32], extensions: vec![] }.sign(&signer()).unwrap();
    assert_eq!(Fork::find(&key, &signed(&tree, 8), &other, &[]), Err(NoFork::Origins));
    let stranger = Signer::new(ORIGIN, &[4; 32]).unwrap();
    assert!(matches!(Fork::find(stranger.verifier(), &signed(&tree, 8), &signed(&forked(), 8), &[]), Err(NoFork::Unsigned(_))));
    assert_eq!(Fork::parse(b"lab3/tlog-fork@v1\n"), Err(NoFork::Form));
}
