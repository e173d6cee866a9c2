//! The journal as outsiders see it: key, checkpoints, tiles and proofs of a running desk; and copies of it that must not be signed.
//!
//! It fails when a checkpoint's root is not that of the records served, a proof file does not hold by itself, checkpoints of two visits do not
//! continue each other, an older copy of the journal is opened beside its signer, a desk without its signer's key signs, a broken receipt
//! passes, erased words are found in any file, or a journal that goes on after a loss does so unseen.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "outside of #[test] functions clippy does not see that this is a test"
)]

use lab3_tests::{Desk, Folder, binary, wait};
use lab3_tlog::{
    Checkpoint, Hash, Note, ProofFile, RUN, Receipt, Tile, TileKind, TileNodes, Tree, Trust, VerifierKey, consistency_proof,
    decode_entries, decode_hashes, leaf_hash, verify_consistency,
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

#[test]
fn a_receipt_is_kept_or_proves_that_it_was_not() {
    let folder = Folder::new("receipts");
    let (data, backup, kept) = (folder.at("data"), folder.at("backup"), folder.at("alice.receipt"));
    let desk = Desk::open(&data);
    desk.client().mint("did:kaizen:alice", 100);
    checkpoint(&desk);
    binary::succeed(&["backup", "--data", &data, &backup]);
    let pay = ["transfer", "did:kaizen:alice", "did:kaizen:bob", "5", "--key", "rent-11", "--url", &desk.url()];
    binary::succeed(&[&pay[..], &["--receipt", &kept]].concat());
    // The same again: the first reply once more, and a receipt of that record alone.
    let again = folder.at("again.receipt");
    let told = binary::succeed(&[&pay[..], &["--receipt", &again, "--json"]].concat());
    let sequence = serde_json::from_str::<serde_json::Value>(&told).unwrap()["sequence"].as_u64().unwrap();
    let receipt = Receipt::open(&std::fs::read(&again).unwrap(), &trust(&desk).log).unwrap();
    assert_eq!((receipt.first, receipt.count), (sequence, 1));
    checkpoint(&desk);
    assert!(receipt.is_kept_by(&leaves(&desk, sequence)[usize::try_from(sequence - 1).unwrap()..]));
    // As a header it says the same.
    let bulk = serde_json::json!({ "transfers": [{ "from_did": "did:kaizen:alice", "to_did": "did:kaizen:bob", "amount": 1 },
                                                 { "from_did": "did:kaizen:alice", "to_did": "did:kaizen:carol", "amount": 2 }] });
    let header =
        ureq::post(format!("{}/lab3/financial/transfers", desk.url())).content_type("application/json").send(bulk.to_string()).unwrap();
    let header = header.headers()["lab3-receipt"].to_str().unwrap().to_owned();
    let both = Receipt::open(Receipt::from_header(&header).unwrap().as_bytes(), &trust(&desk).log).unwrap();
    assert_eq!((both.first, both.count), (sequence + 1, 2));
    let third = folder.at("third.receipt");
    std::fs::write(&third, header).unwrap();
    checkpoint(&desk);
    let receipts = ["--receipt", &kept, "--receipt", &again, "--receipt", &third];
    let audited = binary::succeed(&[&["audit", &desk.url()][..], &receipts].concat());
    assert!(audited.lines().any(|line| line.starts_with("receipts kept") && line.ends_with('3')), "{audited}");
    desk.stop();
    // Another past, signed by the same key: the auditor was never there before, but the receipt is enough.
    std::fs::create_dir(format!("{backup}.signer")).unwrap();
    std::fs::copy(format!("{data}.signer/log.key"), format!("{backup}.signer/log.key")).unwrap();
    let other = Desk::open(&backup);
    for _ in 0..4 {
        other.client().mint("did:kaizen:mallory", 7);
    }
    checkpoint(&other);
    let audited = binary::command(&["audit", &other.url(), "--receipt", &kept]).output().unwrap();
    let told = binary::text(&audited.stderr);
    assert!(!audited.status.success() && told.contains("promised other records"), "{told}");
}

#[test]
fn erased_words_are_nowhere_and_the_books_still_hold() {
    let folder = Folder::new("erased");
    let data = folder.at("data");
    let desk = Desk::open(&data);
    desk.client().mint("did:kaizen:alice", 100);
    let words = "a debt of honour to Bob";
    let paid = binary::succeed(&["transfer", "did:kaizen:alice", "did:kaizen:bob", "5", "--reason", words, "--json", "--url", &desk.url()]);
    let paid: serde_json::Value = serde_json::from_str(&paid).unwrap();
    let id = paid["tx_id"].as_str().unwrap();
    assert_eq!(desk.client().ask(&format!("/lab3/financial/transactions/{id}"))["metadata"]["reason"], words);
    let (_, before) = checkpoint(&desk);
    binary::succeed(&["erase", id, "--reason", "asked for by the member", "--url", &desk.url()]);
    let (_, after) = checkpoint(&desk);
    assert_eq!(after.size, before.size + 1, "that it was erased is a record itself");
    assert!(!desk.client().ask(&format!("/lab3/financial/transactions/{id}"))["metadata"].to_string().contains("honour"));
    verify_consistency(before.size, after.size, &before.root, &after.root, &consistency(&desk, before.size, after.size)).unwrap();
    binary::succeed(&["audit", &desk.url()]);
    desk.stop();
    for entry in std::fs::read_dir(&data).unwrap() {
        let path = entry.unwrap().path();
        let bytes = if path.is_file() { std::fs::read(&path).unwrap() } else { Vec::new() };
        assert!(!bytes.windows(words.len()).any(|window| window == words.as_bytes()), "{}", path.display());
    }
}

#[test]
fn after_a_loss_a_journal_goes_on_as_a_new_log_and_says_so() {
    let folder = Folder::new("resumed");
    let (data, backup) = (folder.at("data"), folder.at("backup"));
    let desk = Desk::open(&data);
    desk.client().mint("did:kaizen:alice", 5);
    let (_, kept) = checkpoint(&desk);
    let old = trust(&desk);
    binary::succeed(&["backup", "--data", &data, &backup]);
    desk.client().mint("did:kaizen:bob", 5);
    let (_, lost) = checkpoint(&desk);
    desk.stop();
    let resume = ["journal", "resume", "--data", &data, "--reason", "the disk failed"];
    let unneeded = binary::command(&resume).output().unwrap();
    assert!(!unneeded.status.success() && binary::text(&unneeded.stderr).contains("goes on from what was signed"));
    std::fs::remove_dir_all(&data).unwrap();
    binary::succeed(&["restore", "--data", &data, &backup]);
    let refusal = Desk::try_open(&data, &[]).err().expect("it started all the same");
    assert!(refusal.contains("older copy") && refusal.contains("lab3 journal resume"), "{refusal}");
    let told = binary::succeed(&resume);
    assert!(told.contains(&lost.size.to_string()), "{told}");
    let desk = Desk::open(&data);
    desk.client().mint("did:kaizen:carol", 5);
    let (_, now) = checkpoint(&desk);
    let new = trust(&desk);
    assert!(new.origin != old.origin && new.log.public() != old.log.public());
    // What was signed and not lost is in the new log as it was; who kept the old log's last word can show what is not.
    let leaves = leaves(&desk, now.size);
    assert_eq!(Tree::new(leaves[..usize::try_from(kept.size).unwrap()].to_vec()).root(), kept.root);
    assert_ne!(Tree::new(leaves[..usize::try_from(lost.size).unwrap()].to_vec()).root(), lost.root);
    // The books hold, and the record says how much was signed before.
    binary::succeed(&["audit", &desk.url()]);
    desk.stop();
    let record = binary::succeed(&["journal", "tail", "-n", "9", "--data", &data]);
    let record = record.lines().find(|line| line.contains("the disk failed")).expect("it says why");
    assert!(record.contains("resumed"), "{record}");
}
