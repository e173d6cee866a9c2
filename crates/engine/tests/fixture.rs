//! Journals of every version we wrote stay readable, and mean what they meant.
//!
//! `tests/journal/version-N.txt` is a journal as text: a row a line, its first record, how many it holds, its bytes in hexadecimal and, from
//! version 2 on, what people wrote in it. It has a record of every kind. To write one for a new version: `LAB3_WRITE_FIXTURE=version-N cargo test
//! -p lab3-engine --test fixture`. Never write over an old one.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

mod hive;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use hive::{FaultyStore, Hive, allocate, block_on, book, defer, did, draw, key, mic_of, report, start_time, submission, transfer};
use lab3_energy::Certify;
use lab3_energy::carbon::certificates::{Issue, Source};
use lab3_engine::{Actor, Command, Energy, Fact, Limits, ManualClock, Row, Store, Submission, read_records, verify};
use lab3_units::{Amount, Duration, Id, Owner, Time};

/// Every version there is a journal of, and how many records it has.
const VERSIONS: &[(&str, u64)] = &[("version-1", 19), ("version-2", 19), ("version-3", 35)];

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/journal"))
}

/// One command of every kind, in every way it can end.
fn live_through_everything(hive: &Hive) {
    hive.mint("alice", 1000);
    let send = |key, command| drop(hive.submit(key, command));
    send(Some(key("a", 1)), Command::Transfer(transfer("alice", "bob", 50_000_000)));
    send(Some(key("b", 1)), Command::Transfer(transfer("bob", "alice", 900_000_000)));
    send(None, Command::TransferLinked(vec![(Some(key("c", 1)), transfer("alice", "bob", 1)), (None, transfer("bob", "carol", 2))]));
    let item = submission(Some(key("e", 2)), Command::Transfer(transfer("alice", "bob", 3)));
    block_on(hive.engine.submit_batch(Some((Actor::Open, key("d", 1))), vec![item])).unwrap();
    send(
        None,
        Command::Grant(lab3_finance::Grant { recipient: did("garden"), amount: mic_of(100), project: "Beds".into(), approved: false }),
    );
    send(None, Command::Contribute(lab3_finance::Contribute { from: did("alice"), amount: mic_of(5), reason: "thanks".into() }));
    let open = |tokens| hive.submit(None, allocate("alice", tokens)).unwrap().stored.record.id;
    let explained = match allocate("alice", 100) {
        Command::Allocate(allocate) => Command::Allocate(lab3_compute::Allocate { explain: true, ..allocate }),
        other => other,
    };
    send(None, explained);
    send(None, report("alice", "anthropic_claude", Some(open(5000)), 78_000));
    send(None, report("alice", "deepseek", None, 1000));
    send(None, Command::Release(open(10)));
    let forgotten = open(20);
    hive.clock.advance(Duration::from_secs(1000));
    send(None, report("alice", "anthropic_claude", Some(forgotten), 300));
    send(None, Command::CloseEpoch(lab3_finance::CloseEpoch { epoch: None }));
    live_through_a_day_of_energy(hive);
}

/// One record of every kind of module 2.
fn live_through_a_day_of_energy(hive: &Hive) {
    let id = |byte| Id::from_bytes([byte; 16]);
    let send = |at: u8, command| block_on(hive.engine.submit(Submission::new(Actor::Open, None, id(at), command))).unwrap();
    let energy = |command| Command::Energy(command);
    let local = hive.submit(None, allocate("alice", 100)).unwrap().stored.record.id;
    let settled = report("alice", "anthropic_claude", Some(local), 10);
    block_on(hive.engine.submit(Submission { draw: Some(draw("alice", Some(local), true)), ..submission(None, settled) })).unwrap();
    let now = block_on(hive.engine.read(|desk| desk.now)).unwrap();
    send(1, book("bob", &[id(1), id(2), id(3)], now));
    send(4, energy(Energy::ReleaseJob(id(2))));
    hive.clock.advance(Duration::from_secs(7200));
    let intensities = [lab3_energy::carbon::Intensity::from_g_per_kwh(300.0).unwrap(); 3];
    let metered_mwh = Some(Amount::new(900_000));
    send(5, energy(Energy::SettleJob(lab3_energy::SettleJob { job: id(1), metered_mwh, intensities })));
    let hour = Time::from_millis(now.millis() - now.millis().rem_euclid(3_600_000));
    let footprint = lab3_energy::carbon::Footprint { average_mg: Amount::new(500_000), ..Default::default() };
    let (meter_mwh, idle_mwh) = (Amount::new(1_500_000), Amount::new(90_000));
    let close = lab3_energy::CloseHour { hour, meter_mwh, compute_mwh: None, idle_mwh, footprint };
    send(6, energy(Energy::CloseHour(Box::new(close))));
    let (owner, generated_mwh) = (Owner::from(&did("alice")), Amount::new(1_234_567));
    let issue = Issue { id: id(7), generated_mwh, hour, source: Source::Solar, device: "roof".into(), owner: owner.clone() };
    let certify = |command| energy(Energy::Certify(Box::new(command)));
    send(7, certify(Certify::Issue(issue)));
    send(8, certify(Certify::Split { id: id(7), by: owner.clone(), first_wh: Amount::new(1000), into: [id(71), id(72)] }));
    send(9, certify(Certify::Hand { id: id(71), by: owner, to: Owner::from(&did("bob")) }));
    send(10, certify(Certify::Claim { id: id(71), by: Owner::from(&did("bob")), hour }));
    send(12, defer("carol", now));
    hive.mint("dora", 1);
    let weights = vec![(did("dora"), 2), (did("erin"), 1), (did("frank"), 1)];
    let share = lab3_energy::ShareExports {
        id: id(11),
        payer: did("dora"),
        device: "grid".into(),
        from: hour,
        to: Time::from_millis(hour.millis() + 3_600_000),
        amount: Amount::new(3),
        exported_mwh: Some(Amount::new(250_000)),
        measured: false,
        among: lab3_energy::Among::Weights(weights),
    };
    send(11, energy(Energy::ShareExports(Box::new(share))));
    // The third job's time is over some time, and that of the query that waited.
    hive.clock.advance(Duration::from_secs(86_400));
    block_on(hive.engine.freeze()).unwrap();
}

fn write_fixture(name: &str, hive: &Hive) {
    let mut text = String::new();
    for row in hive.store.reader().unwrap().rows_from(1, 1000).unwrap() {
        let hex = |bytes: &[u8]| bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
        writeln!(text, "{} {} {} {}", row.first, row.len, hex(&row.body), hex(&row.openings)).unwrap();
    }
    std::fs::write(folder().join(name).with_extension("txt"), text).unwrap();
}

fn read_fixture(text: &str) -> FaultyStore {
    let store = FaultyStore::default();
    for line in text.lines() {
        let [first, len, body, ref openings @ ..] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("a line is three words or four")
        };
        let bytes = |hex: &str| (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
        let openings = openings.first().map(|hex| bytes(hex)).unwrap_or_default();
        let row = Row { first: first.parse().unwrap(), len: len.parse().unwrap(), body: bytes(body), openings };
        store.journal().unwrap().append(&[row]).unwrap();
    }
    store
}

#[test]
fn every_version_is_read_and_means_what_it_meant() {
    if let Ok(name) = std::env::var("LAB3_WRITE_FIXTURE") {
        let hive = Hive::new();
        live_through_everything(&hive);
        hive.engine.stop();
        write_fixture(&name, &hive);
    }
    for (version, records) in VERSIONS {
        let store = read_fixture(&std::fs::read_to_string(folder().join(version).with_extension("txt")).unwrap());
        let found = verify(&store, |_| {}).unwrap();
        assert_eq!(found.records, *records, "{version}");
        let mut kinds = [false; 5];
        read_records(&store, 1, |stored| match stored.record.fact {
            Fact::Compute(_) => kinds[0] = true,
            Fact::Finance(_) => kinds[1] = true,
            Fact::Refused(_) => kinds[2] = true,
            Fact::Batch { .. } => kinds[3] = true,
            Fact::Energy(_) => kinds[4] = true,
            Fact::Trust(_) => {}
        })
        .unwrap();
        let has_energy = *records > 19;
        assert_eq!(kinds, [true, true, true, true, has_energy], "{version} has a record of every kind there was");
        let hive = Hive::open(store, Arc::new(ManualClock::new(start_time())), Limits::default());
        let balances = ["alice", "bob", "carol", "garden"].map(|name| hive.balance(name));
        assert_eq!(balances, [944_999_494, 50_000_001, 2, 100_000_000], "{version}");
        // In the first version balances were not summed up when an epoch was closed. They are now.
        let alice = || lab3_units::Owner::from(&did("alice"));
        let proof = |epoch| block_on(hive.engine.balance_proof(alice(), lab3_units::Asset::MIC, lab3_ledger::Purpose::Wallet, epoch));
        assert_eq!(proof(Some(1)).is_err(), *version == "version-1", "{version}");
        hive.submit(None, Command::CloseEpoch(lab3_finance::CloseEpoch { epoch: Some(2) })).unwrap();
        assert!(proof(Some(2)).unwrap().1.unwrap().leaf.contains("\nbalance: 944999494\n"), "{version}");
        // What the old journal says was done is known by its keys, and can be gone on from.
        assert!(hive.submit(Some(key("a", 1)), Command::Transfer(transfer("alice", "bob", 50_000_000))).unwrap().replayed);
        assert!(hive.submit(None, Command::Transfer(transfer("alice", "bob", 1))).is_ok());
    }
}
