//! The doctor on real folders.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use clap::Parser as _;
use lab3_server::Standing;
use lab3_store::{ApartFolder, DeviceReading, ReadingsFile};
use lab3_tlog::{Checkpoint, Cosigner, Signer};
use lab3_trust::{By, Deed, Fact, Holder, KeyCreated, KeyText, Kind, PolicyLines, PublicKey, Treasurers};
use lab3_units::{Did, Time};
use tempfile::TempDir;

use super::*;
use crate::cli::{Cli, Command, ConfigArgs, KeyCommand};
use crate::commands::key::{self, Place};

/// A Hive in a folder of its own, which a desk opened once.
struct Hive {
    base: TempDir,
}

impl Hive {
    fn begun() -> Self {
        let hive = Self { base: TempDir::new().unwrap() };
        let settings = hive.resolved(&[]).settings;
        let engine = crate::hive::open(&settings, &hive.data()).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        drop(runtime.block_on(crate::signer::open(&engine, "Kaizen", &hive.data())).unwrap().unwrap());
        engine.stop();
        fs::set_permissions(hive.data(), fs::Permissions::from_mode(0o700)).unwrap();
        hive
    }

    fn data(&self) -> PathBuf {
        self.base.path().join("data")
    }

    fn signer(&self) -> PathBuf {
        ApartFolder::beside(&self.data())
    }

    fn resolved(&self, more: &[(&str, &str)]) -> Resolved {
        let flag = |path: &str, text: &str| crate::config::Flag { name: "--set".to_owned(), path: path.to_owned(), text: text.to_owned() };
        let data = [flag("data.dir", &self.data().display().to_string())];
        configure(&ConfigArgs::default(), data.into_iter().chain(more.iter().map(|(path, text)| flag(path, text))).collect(), &Env::new())
            .unwrap()
    }

    /// As if the signer had signed a tree of that size.
    fn sign(&self, size: u64) {
        let apart = ApartFolder::open(self.signer()).unwrap();
        let signer = Signer::parse(apart.secret().unwrap().unwrap().trim()).unwrap();
        let checkpoint = Checkpoint { origin: signer.verifier().name().to_owned(), size, root: [7; 32], extensions: Vec::new() };
        apart.keep_checkpoint(&checkpoint.sign(&signer).unwrap().to_string()).unwrap();
    }

    fn key(&self, line: &str) {
        let data = self.data().display().to_string();
        let words = ["lab3", "key"].into_iter().chain(line.split(' ')).chain(["--data", &data]);
        let Command::Key(command) = Cli::try_parse_from(words).unwrap().command else { panic!() };
        match command {
            KeyCommand::Create(args) => drop(key::create(&Place::of(&args.place, &Env::new()).unwrap(), &args).unwrap()),
            KeyCommand::Revoke(args) => drop(key::revoke(&Place::of(&args.place, &Env::new()).unwrap(), &args).unwrap()),
            other => panic!("{other:?}"),
        }
    }

    fn findings(&self) -> Vec<Finding> {
        examine(&self.resolved(&[]), None)
    }

    /// The one finding whose sentence has these words.
    fn check(&self, words: &str, mark: Mark) {
        assert_one(&self.findings(), words, mark);
    }
}

fn assert_one(findings: &[Finding], words: &str, mark: Mark) {
    let found: Vec<_> = findings.iter().filter(|finding| finding.what.contains(words)).collect();
    assert!(matches!(found[..], [finding] if finding.mark == mark), "{words}: {found:#?} of {findings:#?}");
    assert!(found.iter().all(|finding| (finding.mark == Mark::Ok) == finding.help.is_empty()), "{found:#?}");
}

#[test]
fn a_hive_from_its_beginning() {
    let hive = Hive::begun();
    hive.check("the Hive is open", Mark::Look);
    hive.check("is reached from this machine only", Mark::Ok);
    hive.check("the signer's key is the one", Mark::Ok);
    hive.check("on the same disk", Mark::Look);
    hive.check("providers without a key", Mark::Look);
    hive.check("nothing is signed yet", Mark::Look);
    assert!(hive.findings().iter().all(|finding| finding.mark != Mark::Bad), "{:#?}", hive.findings());
    hive.key("create operator --expires-at 2099-01-01T00:00:00Z");
    hive.check("the Hive is closed since 20", Mark::Ok);
    hive.check("one operator's key works", Mark::Ok);
    hive.check("no key expires within 14 days", Mark::Ok);
    hive.key("revoke 1");
    hive.check("no operator's key works", Mark::Bad);
    let line = Finding::bad("it is so", "do that").line();
    assert_eq!(line, "bad   it is so\n      help: do that");
}

#[test]
fn where_nothing_is_yet() {
    let hive = Hive { base: TempDir::new().unwrap() };
    hive.check("there is no Hive in", Mark::Look);
    assert!(!hive.data().exists() && !hive.signer().exists(), "the doctor made something");
    fs::create_dir(hive.data()).unwrap();
    fs::write(hive.data().join("journal.db"), "no database, but long enough to be looked at as one").unwrap();
    hive.check("cannot be read", Mark::Bad);
}

#[test]
fn the_signers_folder() {
    let set = |path: &Path, mode: u32| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let hive = Hive::begun();
    set(&hive.signer(), 0o750);
    hive.check("others on this machine can get into", Mark::Bad);
    set(&hive.signer(), 0o700);
    set(&hive.signer().join("log.key"), 0o644);
    hive.check("others on this machine can get into", Mark::Bad);
    set(&hive.signer().join("log.key"), 0o600);
    hive.check("data.signer is its owner's alone", Mark::Ok);
    let records = SqliteStore::open_read_only(hive.data()).unwrap().reader().unwrap().last().unwrap();
    hive.check("nothing is signed yet", Mark::Look);
    hive.sign(records - 1);
    hive.check(&format!("{} of {records} records are signed", records - 1), Mark::Ok);
    hive.sign(records);
    hive.check(&format!("all {records} records are signed"), Mark::Ok);
    hive.sign(records + 1);
    hive.check("an older copy of it was put back", Mark::Bad);
    fs::write(hive.signer().join("checkpoint"), "x").unwrap();
    hive.check("cannot be understood", Mark::Bad);
    fs::copy(Hive::begun().signer().join("log.key"), hive.signer().join("log.key")).unwrap();
    hive.check("is not the one this journal was begun with", Mark::Bad);
    fs::write(hive.signer().join("log.key"), "x").unwrap();
    hive.check("the key in", Mark::Bad);
    fs::remove_file(hive.signer().join("log.key")).unwrap();
    hive.check("has no key", Mark::Bad);
    fs::remove_dir_all(hive.signer()).unwrap();
    hive.check("is not there", Mark::Bad);
    assert!(!hive.signer().exists(), "the doctor made something");
}

#[test]
fn who_has_seen_the_journal() {
    let hive = Hive::begun();
    hive.check("nobody outside sees", Mark::Look);
    let apart = ApartFolder::open(hive.signer()).unwrap();
    let witness = Cosigner::new("hilltop/witness", &[3; 32]).unwrap().verifier().to_string();
    let named = [("log.witnesses", &*format!("{witness} http://127.0.0.1:1/lab3/witness"))];
    let check = |words: &str, mark| assert_one(&examine(&hive.resolved(&named), None), words, mark);
    check("Seen by none of 1 Hive", Mark::Look);
    check("witness hilltop/witness: it has seen nothing yet", Mark::Look);
    let note = |seen_at: Option<u64>, trouble: Option<&str>, refused| {
        let (records, trouble) = (seen_at.map(|_| 7), trouble.map(str::to_owned));
        let standing = Standing { key: witness.clone(), records, seen_at, trouble, refused };
        apart.keep_witnesses(&serde_json::to_string(&[standing]).unwrap()).unwrap();
    };
    note(Some(1_700_000_000), None, false);
    check("Seen by 1 Hive, ", Mark::Ok);
    check("it has seen 7 records, ", Mark::Ok);
    note(Some(1_700_000_000), Some("the cable is out"), false);
    check("Seen by none of 1 Hive", Mark::Look);
    check("did not cosign: the cable is out; it has seen 7 records", Mark::Look);
    note(None, Some("it has seen 9 other records"), true);
    check("refuses this journal's past: it has seen 9 other records", Mark::Bad);
    // Of a witness that is not named any more nothing is told.
    assert!(examine(&hive.resolved(&[]), None).iter().all(|finding| !finding.what.contains("hilltop")));
}

#[test]
fn whom_it_is_a_witness_of() {
    let hive = Hive::begun();
    let apart = ApartFolder::open(hive.signer()).unwrap();
    let log = Signer::new("hilltop/jn_2", &[4; 32]).unwrap();
    let named = [("witness.logs", &*log.verifier().to_string())];
    let check = |words: &str, mark| assert_one(&examine(&hive.resolved(&named), None), words, mark);
    check("a witness of hilltop/jn_2, which has not asked yet", Mark::Ok);
    let checkpoint = Checkpoint { origin: "hilltop/jn_2".to_owned(), size: 7, root: [7; 32], extensions: Vec::new() };
    apart.keep_cosigned("hilltop/jn_2", &checkpoint.sign(&log).unwrap().to_string()).unwrap();
    check("a witness of hilltop/jn_2: it has seen 7 records", Mark::Ok);
    apart.keep_cosigned("hilltop/jn_2", "x").unwrap();
    check("cannot be understood", Mark::Bad);
    apart.keep_fork("hilltop/jn_2", "proof").unwrap();
    check("the log hilltop/jn_2 told two stories", Mark::Bad);
    apart.keep_witness_secret("x").unwrap();
    hive.check("data.signer is its owner's alone", Mark::Ok);
    fs::set_permissions(hive.signer().join("witness.key"), fs::Permissions::from_mode(0o640)).unwrap();
    hive.check("others on this machine can get into", Mark::Bad);
}

#[test]
fn who_reads_the_files() {
    let set = |path: &Path, mode: u32| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let hive = Hive::begun();
    hive.check("data is its owner's alone", Mark::Ok);
    set(&hive.data(), 0o755);
    hive.check("read everybody's transactions", Mark::Look);
    set(&hive.data(), 0o775);
    hive.check("others on this machine can write", Mark::Bad);
    let config = hive.base.path().join("lab3.toml");
    let check = |text: &str, mode: u32, expected: Option<Mark>| {
        fs::write(&config, text).unwrap();
        set(&config, mode);
        let args = ConfigArgs { config: Some(config.clone()), ..ConfigArgs::default() };
        let found = files::configuration(&config, &configure(&args, Vec::new(), &Env::new()).unwrap().entries);
        assert_eq!(found.map(|finding| finding.mark), expected, "{text} {mode:o}");
    };
    check("[compute]\nquota_gic = 5\n", 0o644, None);
    check("[providers.deepseek]\napi_key = \"sk-1\"\n", 0o644, Some(Mark::Bad));
    check("[providers.deepseek]\napi_key = \"sk-1\"\n", 0o600, Some(Mark::Ok));
}

#[test]
fn the_room_left() {
    let marks = [0, files_limit(256) - 1, files_limit(256), files_limit(2048) - 1, files_limit(2048)];
    let marks = marks.map(|free| files::room(free, Path::new("d")).mark);
    assert_eq!(marks, [Mark::Bad, Mark::Bad, Mark::Look, Mark::Look, Mark::Ok]);
}

fn files_limit(mib: u64) -> u64 {
    mib * 1024 * 1024
}

#[test]
fn what_is_kept_of_energy() {
    let hive = Hive::begun();
    assert!(hive.findings().iter().all(|finding| !finding.what.contains("energy")), "{:#?}", hive.findings());
    assert!(!hive.data().join("energy.db").exists(), "the doctor made something");
    let kept = ReadingsFile::open(hive.data(), 30).unwrap();
    let at = Time::parse("2026-11-01T00:00:00Z").unwrap();
    let reading = |device: &str| DeviceReading { device: device.to_owned(), quantity: 0, at, value: 1.0 };
    kept.append(&[reading("roof"), reading("cellar")], at).unwrap();
    // Beside the desk that has it open, and when it stands still.
    hive.check("0 signals and 2 readings of devices are kept, 1 MiB in", Mark::Ok);
    drop(kept);
    hive.check("0 signals and 2 readings of devices are kept, 1 MiB in", Mark::Ok);
    let mark = hive.data().join("energy.damaged");
    fs::write(&mark, "").unwrap();
    hive.check("energy.db was found damaged", Mark::Bad);
    drop(ReadingsFile::open(hive.data(), 30).unwrap());
    hive.check("energy.db.damaged has readings that were put aside", Mark::Look);
    hive.check("0 signals and 0 readings", Mark::Ok);
    fs::write(hive.data().join("energy.db"), "a diary, and no database at all").unwrap();
    hive.check("signals and telemetry cannot be read", Mark::Bad);
}

#[test]
fn how_the_site_is_described() {
    let hive = Hive { base: TempDir::new().unwrap() };
    let file = hive.base.path().join("site.toml");
    let path = file.display().to_string();
    let check = |more: &[(&str, &str)], words: &str, mark| assert_one(&examine(&hive.resolved(more), None), words, mark);
    let site = include_str!("../../../../../docs/examples/site.toml");
    check(&[("energy.site", &path)], "cannot be read", Mark::Bad);
    fs::write(&file, site).unwrap();
    check(&[("energy.site", &path)], "has 4 loads and", Mark::Ok);
    check(&[("energy.site", &path), ("energy.time_zone", "Mars/Olympus")], "energy.time_zone", Mark::Bad);
    fs::write(&file, site.replace("capacity_kwh = 60", "capacity_kwh = -60")).unwrap();
    check(&[("energy.site", &path)], "makes no sense: batteries[0].", Mark::Bad);
}

#[test]
fn where_it_listens() {
    let check = |open, listen: &str, mark| assert_eq!(standing::listening(open, listen.parse().unwrap()).mark, mark, "{open} {listen}");
    check(true, "127.0.0.1:8003", Mark::Ok);
    check(true, "[::1]:8003", Mark::Ok);
    check(true, "0.0.0.0:8003", Mark::Bad);
    check(false, "0.0.0.0:8003", Mark::Look);
}

#[test]
fn keys_that_expire() {
    let mut trust = State::default();
    let now = Time::parse("2026-11-01T00:00:00Z").unwrap();
    let mut make = |number: u8, expires: Option<&str>| {
        let text = KeyText::make(Kind::Citizen, [number; 8], &[number; 32]);
        let holder = if number == 1 { Holder::Operator } else { Holder::Citizen(Did::parse("did:k:a").unwrap()) };
        let expires = expires.and_then(Time::parse);
        let (scopes, note, citizens) = (holder.kind().widest(), "".into(), Vec::new());
        let made = KeyCreated { number: number.into(), id: text.id(), hash: text.hash(), holder, scopes, expires, note, citizens };
        trust.apply(now, &Fact { by: By::Desk, deed: Deed::KeyCreated(Box::new(made)) });
    };
    make(1, None);
    make(2, Some("2026-11-15T00:00:00.001Z"));
    make(3, Some("2026-11-15T00:00:00Z"));
    make(4, Some("2026-11-02T00:00:00Z"));
    make(5, Some("2026-11-01T00:00:00Z"));
    for number in 6..30 {
        make(number, Some("2026-11-10T00:00:00Z"));
    }
    let findings = standing::findings(&trust, now, Path::new("d"));
    let soon: Vec<_> = findings.iter().filter(|finding| finding.what.contains("expire")).map(|finding| &*finding.what).collect();
    assert_eq!((soon.len(), soon[0]), (21, "key 4 (did:k:a) expires at 2026-11-02T00:00:00Z"));
    assert_eq!(soon[20], "6 more keys expire within 14 days", "all but key 2, which has longer, and key 5, which is over");
}

#[test]
fn who_decides_and_what_was_changed() {
    let mut trust = State::default();
    let now = Time::parse("2026-11-01T00:00:00Z").unwrap();
    let check = |trust: &State, words: &str, mark| assert_one(&governed::findings(trust, &lab3_engine::Policy::default()), words, mark);
    check(&trust, "the operator's keys decide", Mark::Ok);
    let mut name = |needed, dids: &[&str]| {
        let treasurers = Treasurers::new(needed, dids.iter().map(|did| Did::parse(did).unwrap())).unwrap();
        trust.apply(now, &Fact { by: By::Desk, deed: Deed::TreasurersNamed { treasurers, approval: None } });
        trust.clone()
    };
    let able = PublicKey::of_secret(&[1; 32]).to_did().unwrap().to_string();
    check(&name(1, &[&able]), "of 1 treasurers 1 have to sign", Mark::Ok);
    check(&name(1, &[&able, "did:k:a"]), "of 2 treasurers 1 have to sign for new money, grants and rules; 1 have a key", Mark::Look);
    check(&name(2, &[&able, "did:k:a"]), "and 1 have a key to sign with", Mark::Bad);
    let lines = PolicyLines::new([("finance.fee_percent", "0.5"), ("log.readers", "default")]).unwrap();
    trust.apply(now, &Fact { by: By::Desk, deed: Deed::PolicyChanged { lines, approval: None } });
    check(&trust, "the rule finance.fee_percent is 0.5, by policy; the configuration has 0.001", Mark::Ok);
    assert!(governed::findings(&trust, &lab3_engine::Policy::default()).iter().all(|finding| !finding.what.contains("log.readers")));
}
