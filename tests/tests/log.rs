//! The journal as outsiders see it: key, checkpoints, tiles and proofs of a running desk; and copies of it that must not be signed.
//!
//! It fails when a checkpoint's root is not that of the records served, a proof file does not hold by itself, checkpoints of two visits do not
//! continue each other, an older copy of the journal is opened beside its signer, or a desk without its signer's key signs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "outside of #[test] functions clippy does not see that this is a test"
)]

use lab3_tests::{Desk, Folder, binary, wait};
use lab3_tlog::{
    Checkpoint, Hash, Note, ProofFile, RUN, Tile, TileKind, TileNodes, Tree, Trust, VerifierKey, consistency_proof, decode_entries,
    decode_hashes, leaf_hash, verify_consistency,
};

/// What the desk answers, whatever it is.
fn get(desk: &Desk, path: &str) -> (u16, Vec<u8>) {
    let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
    let mut answer = agent.get(format!("{}/lab3/log/{path}", desk.url())).call().unwrap();
    (answer.status().as_u16(), answer.body_mut().read_to_vec().unwrap())
}

fn text(desk: &Desk, path: &str) -> String {
    let (status, body) = get(desk, path);
    assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&body));
    String::from_utf8(body).unwrap()
}

fn trust(desk: &Desk) -> Trust {
    let log = VerifierKey::parse(text(desk, "key").trim()).unwrap();
    Trust { origin: log.name().to_owned(), log, witnesses: Vec::new() }
}

/// The newest checkpoint, once it has every record so far.
fn checkpoint(desk: &Desk) -> (Note, Checkpoint) {
    let last = desk.client().head()["sequence"].as_u64().unwrap();
    wait::until("a checkpoint of everything", || {
        let (status, body) = get(desk, "checkpoint");
        let note = (status == 200).then(|| Note::parse(&body).unwrap())?;
        let opened = trust(desk).open(&note).unwrap().checkpoint;
        (opened.size == last).then_some((note, opened))
    })
}

/// The leaves of so many records, from the records served.
fn leaves(desk: &Desk, size: u64) -> Vec<Hash> {
    let mut leaves = Vec::new();
    for index in 0..size.div_ceil(RUN) {
        let tile = Tile::within(TileKind::Data, index, size).unwrap();
        let (status, bundle) = get(desk, &tile.to_string());
        assert_eq!(status, 200, "{tile}");
        leaves.extend(decode_entries(&bundle, tile.width()).unwrap().into_iter().map(leaf_hash));
    }
    leaves
}

/// The proof from one size to another, made of the tiles served.
fn consistency(desk: &Desk, old: u64, new: u64) -> Vec<Hash> {
    let mut nodes = TileNodes::new(new, |tile: Tile| {
        let (status, bytes) = get(desk, &tile.to_string());
        if status == 200 { Ok(bytes) } else { Err(format!("{tile}: {status}")) }
    });
    consistency_proof(&mut nodes, old, new).unwrap()
}

#[test]
fn checkpoints_are_of_the_records_served_and_continue_each_other() {
    let folder = Folder::new("log");
    let desk = Desk::open(&folder.at("data"));
    let mut visits = Vec::new();
    for round in 0..4 {
        for no in 0..100 {
            desk.client().mint(&format!("did:kaizen:c{round}-{no}"), 1);
        }
        let (_, head) = checkpoint(&desk);
        assert_eq!(Tree::new(leaves(&desk, head.size)).root(), head.root);
        visits.push(head);
    }
    let desk = {
        desk.stop();
        Desk::open(&folder.at("data"))
    };
    let (_, last) = checkpoint(&desk);
    for earlier in &visits {
        let proof = consistency(&desk, earlier.size, last.size);
        verify_consistency(earlier.size, last.size, &earlier.root, &last.root, &proof).unwrap();
    }
    // A tile that is full never changes; one beyond the end is not there.
    let full = Tile::parse("tile/0/000").unwrap();
    let (status, bytes) = get(&desk, &full.to_string());
    assert_eq!((status, decode_hashes(&bytes, full.width()).unwrap()), (200, leaves(&desk, last.size)[..256].to_vec()));
    for missing in ["tile/0/009", "tile/0/x001/000", "tile/3/000", "tile/data/009", "tile/0/0", "tile/x", "tile/data/000.p/300"] {
        assert_eq!(get(&desk, missing).0, 400, "{missing}");
    }
}

#[test]
fn a_proof_is_a_file_that_holds_by_itself() {
    let folder = Folder::new("proof");
    let desk = Desk::open(&folder.at("data"));
    let minted = desk.client().mint("did:kaizen:alice", 5);
    let id = minted["tx_id"].as_str().unwrap();
    let file = text(&desk, &format!("proof/{id}"));
    let proof = ProofFile::parse(file.as_bytes()).unwrap();
    assert_eq!(proof.index + 1, minted["sequence"].as_u64().unwrap());
    let leaf = leaf_hash(proof.extra.as_deref().unwrap());
    proof.verify(&leaf, &trust(&desk)).unwrap();
    assert!(proof.verify(&leaf_hash(b"something else"), &trust(&desk)).is_err());
    assert!(file.len() <= 2048, "{} bytes", file.len());
    assert_eq!(get(&desk, "proof/tx_00000000000000000000000000").0, 404);
}

#[test]
fn an_older_copy_is_not_opened_beside_its_signer() {
    let folder = Folder::new("older");
    let (data, backup) = (folder.at("data"), folder.at("backup"));
    let desk = Desk::open(&data);
    desk.client().mint("did:kaizen:alice", 5);
    checkpoint(&desk);
    binary::succeed(&["backup", "--data", &data, &backup]);
    desk.client().mint("did:kaizen:bob", 5);
    checkpoint(&desk);
    desk.stop();
    // Yesterday's copy in the place of today's journal.
    std::fs::remove_dir_all(&data).unwrap();
    std::fs::create_dir(&data).unwrap();
    std::fs::copy(format!("{backup}/journal.db"), format!("{data}/journal.db")).unwrap();
    let refusal = Desk::try_open(&data, &[]).err().expect("it started all the same");
    assert!(refusal.contains("older copy"), "{refusal}");
    // Whoever takes the signer's folder away gets a desk that works and signs nothing.
    std::fs::rename(format!("{data}.signer"), folder.at("away")).unwrap();
    let desk = Desk::open(&data);
    desk.client().mint("did:kaizen:carol", 5);
    assert_eq!((get(&desk, "checkpoint").0, get(&desk, "key").0), (503, 503));
    assert!(desk.client().ask("/lab3/health")["unsigned_because"].as_str().unwrap().contains("no key"));
}

#[test]
fn another_past_of_the_same_length_is_not_opened() {
    let folder = Folder::new("another");
    let (data, backup) = (folder.at("data"), folder.at("backup"));
    let desk = Desk::open(&data);
    binary::succeed(&["backup", "--data", &data, &backup]);
    desk.client().mint("did:kaizen:alice", 5);
    checkpoint(&desk);
    desk.stop();
    // The copy is gone on with elsewhere, where nothing is signed, and put back.
    let elsewhere = Desk::open(&backup);
    elsewhere.client().mint("did:kaizen:mallory", 5_000);
    elsewhere.client().mint("did:kaizen:mallory", 5_000);
    elsewhere.stop();
    std::fs::remove_dir_all(&data).unwrap();
    std::fs::rename(&backup, &data).unwrap();
    let refusal = Desk::try_open(&data, &[]).err().expect("it started all the same");
    assert!(refusal.contains("not those that were signed"), "{refusal}");
}
