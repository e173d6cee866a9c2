//! Proofs of random records of a journal of some ten thousand, made of what a running desk serves, accepted by several code bases: ours, the crate
//! `ct-merkle`, pymerkle from PyPI, and `docs/verify/verify.py`; and refused by all of them when one bit is another.
//!
//! Shown are the proof files the desk hands out, inclusion in the tree at random earlier sizes, and consistency of random pairs of sizes.
//! `LAB3_PROOFS` says how many of each, `LAB3_PROOF_RECORDS` how many records, `LAB3_SEED` the dice.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "outside of #[test] functions clippy does not see that this is a test"
)]

mod claim;
mod life;

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::process::Command;

use claim::Claim;
use lab3_tests::packages::{self, both};
use lab3_tests::{Desk, Dice, Folder, setting, skip, wait};
use lab3_tlog::{
    Checkpoint, Hash, Note, ProofFile, RUN, Tile, TileKind, Tree, Trust, VerifierKey, consistency_proof, decode_entries, decode_hashes,
    inclusion_proof, leaf_hash, root,
};
use lab3_units::Id;

const PYMERKLE: &str = "pymerkle==7.0.0";
const PLACE: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/pymerkle");
const JUDGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/proofs/judge.py");
const VERIFY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/verify");

/// A desk as its auditor sees it.
struct Log {
    agent: ureq::Agent,
    url: String,
    bearer: String,
}

impl Log {
    fn get(&self, path: &str) -> Vec<u8> {
        let asked = self.agent.get(format!("{}/lab3/log/{path}", self.url)).header("Authorization", format!("Bearer {}", self.bearer));
        let mut answer = asked.call().unwrap();
        let body = answer.body_mut().with_config().limit(64 << 20).read_to_vec().unwrap();
        assert_eq!(answer.status().as_u16(), 200, "{path}: {}", String::from_utf8_lossy(&body));
        body
    }

    fn trust(&self) -> Trust {
        let log = VerifierKey::parse(String::from_utf8(self.get("key")).unwrap().trim()).unwrap();
        Trust { origin: log.name().to_owned(), log, witnesses: Vec::new() }
    }

    /// The newest checkpoint, once it has every record.
    fn checkpoint(&self, last: u64) -> Checkpoint {
        wait::until("a checkpoint of everything", || {
            let note = Note::parse(&self.get("checkpoint")).unwrap();
            let checkpoint = self.trust().open(&note).unwrap().checkpoint;
            (checkpoint.size == last).then_some(checkpoint)
        })
    }

    fn entries(&self, size: u64) -> Vec<Vec<u8>> {
        let tiles = (0..size.div_ceil(RUN)).map(|index| Tile::within(TileKind::Data, index, size).unwrap());
        let records =
            |tile: Tile| decode_entries(&self.get(&tile.to_string()), tile.width()).unwrap().into_iter().map(<[u8]>::to_vec).collect();
        tiles.flat_map::<Vec<Vec<u8>>, _>(records).collect()
    }

    /// The leaf hashes as the tiles of hashes have them, which the records must lead to as well.
    fn leaves(&self, size: u64) -> Vec<Hash> {
        let tiles = (0..size.div_ceil(RUN)).map(|index| Tile::within(TileKind::Hashes { level: 0 }, index, size).unwrap());
        tiles.flat_map(|tile| decode_hashes(&self.get(&tile.to_string()), tile.width()).unwrap()).collect()
    }
}

/// The id in a record's bytes: behind the time (a varint) and the actor (a number, and a key's number behind 3).
fn id_of(entry: &[u8]) -> Id {
    let number = |at: usize| at + 1 + entry[at..].iter().take_while(|&&byte| byte & 0x80 != 0).count();
    let actor = number(0);
    let id = if entry[actor] == 3 { number(actor + 1) } else { actor + 1 };
    Id::from_bytes(entry[id..id + 16].try_into().unwrap())
}

fn below(dice: &mut Dice, end: u64) -> u64 {
    dice.bits() % end
}

/// What the desk and its tiles say of random records and sizes, and the same with one bit changed.
fn claims(log: &Log, entries: &[Vec<u8>], head: &Checkpoint, count: u64) -> Vec<Claim> {
    let (trust, mut dice, mut claims) = (log.trust(), Dice::new(setting("LAB3_SEED", 3)), Vec::new());
    let tree = Tree::new(log.leaves(head.size));
    assert_eq!(tree.root(), head.root, "the tiles of hashes do not lead to the root that was signed");
    for _ in 0..count {
        let index = below(&mut dice, head.size);
        let entry = &entries[usize::try_from(index).unwrap()];
        let file = ProofFile::parse(&log.get(&format!("proof/{}", id_of(entry).text("tx")))).unwrap();
        assert_eq!((file.index, file.extra.as_ref()), (index, Some(entry)));
        let opened = trust.open(&file.note).unwrap().checkpoint;
        claims.push(Claim::inclusion(index, opened.size, entry, opened.root, file.proof));
        let size = index + 1 + below(&mut dice, head.size - index);
        let proof = inclusion_proof(&mut &tree, index, size).unwrap();
        claims.push(Claim::inclusion(index, size, entry, root(&mut &tree, size).unwrap(), proof));
        let old = 1 + below(&mut dice, size);
        let proof = consistency_proof(&mut &tree, old, size).unwrap();
        claims.push(Claim::consistency(old, size, root(&mut &tree, old).unwrap(), root(&mut &tree, size).unwrap(), proof));
    }
    let changed = claims.iter().map(|claim| claim.with_a_bit_changed(&mut dice)).collect::<Vec<_>>();
    claims.into_iter().chain(changed).collect()
}

/// The verdicts of pymerkle and of the verifier in Python; none without a Python, or without the package.
fn in_python(folder: &Folder, claims: &[Claim]) -> Option<Vec<String>> {
    let programs = match packages::python(PLACE, PYMERKLE) {
        Ok(programs) => programs,
        Err(why) => {
            skip("proofs::pymerkle", &why);
            return None;
        }
    };
    let place = folder.at("claims");
    let mut file = BufWriter::new(File::create(&place).unwrap());
    for claim in claims {
        writeln!(file, "{}", claim.json()).unwrap();
    }
    file.into_inner().unwrap();
    let judged = Command::new(format!("{programs}/python")).args([JUDGE, VERIFY, &place]).output().unwrap();
    assert!(judged.status.success(), "{}", both(&judged));
    Some(String::from_utf8(judged.stdout).unwrap().lines().map(str::to_owned).collect())
}

#[test]
fn proofs_are_accepted_by_every_code_base() {
    let folder = Folder::new("proofs");
    let desk = Desk::open(&folder.at("data"));
    let bearer = life::live(&desk.client(), &desk.url(), setting("LAB3_PROOF_RECORDS", 20_000));
    let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
    let log = Log { agent, url: desk.url(), bearer };
    let last = desk.client().ask("/lab3/health")["sequence"].as_u64().unwrap();
    let head = log.checkpoint(last);
    let entries = log.entries(head.size);
    assert_eq!(Tree::new(entries.iter().map(|entry| leaf_hash(entry)).collect()).root(), head.root);
    let claims = claims(&log, &entries, &head, setting("LAB3_PROOFS", 300));
    for claim in &claims {
        assert_eq!(claim.judged_here(), claim.holds, "ours: {claim:?}");
        assert_eq!(claim.judged_by_ct_merkle(), claim.holds, "ct-merkle: {claim:?}");
    }
    let Some(verdicts) = in_python(&folder, &claims) else { return };
    assert_eq!(verdicts.len(), claims.len());
    for (claim, verdict) in claims.iter().zip(verdicts) {
        let expected = if claim.holds { "holds" } else { "refused" };
        let (pymerkle, verifier) = verdict.split_once(' ').unwrap();
        assert_eq!(verifier, expected, "verify.py: {claim:?}");
        assert_eq!(pymerkle, if claim.is_inclusion() { expected } else { "-" }, "pymerkle: {claim:?}");
    }
    println!("{} records, {} claims, half of them with a bit changed", head.size, claims.len());
}

/// `verify.py PROOF --key VKEY`, as docs/trust.md says it.
#[test]
fn a_proof_file_is_checked_by_the_verifier_in_python() {
    let folder = Folder::new("proof-file");
    let desk = Desk::open(&folder.at("data"));
    let id = desk.client().mint("did:kaizen:alice", 5)["tx_id"].as_str().unwrap().to_owned();
    let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
    let log = Log { agent, url: desk.url(), bearer: String::new() };
    let (key, file) = (log.trust().log.to_string(), log.get(&format!("proof/{id}")));
    let check = |bytes: &[u8]| {
        std::fs::write(folder.at("proof.txt"), bytes).unwrap();
        Command::new("python3").args([&format!("{VERIFY}/verify.py"), &folder.at("proof.txt"), "--key", &key]).output()
    };
    let Ok(holds) = check(&file) else { return skip("proofs::verify.py", "there is no python3") };
    assert!(holds.status.success(), "{}", both(&holds));
    let text = String::from_utf8(file).unwrap();
    let (head, rest) = text.split_once("\nindex ").unwrap();
    let other = format!("{}A\nindex {rest}", &head[..head.len() - 1]);
    for changed in [text.replace("index 2", "index 1"), other, text.replacen("extra ", "more ", 1)] {
        assert_ne!(changed, text);
        assert!(!check(changed.as_bytes()).unwrap().status.success(), "{changed}");
    }
}
