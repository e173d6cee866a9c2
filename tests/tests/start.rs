//! Opening and closing a desk: what must stop a start, what a start must survive, and what a stop must finish.
//!
//! It fails when a damaged record is passed over or repaired in silence, two processes write in one folder, SIGTERM drops what was accepted,
//! a backup beside a writer is not the journal of one moment, or views and snapshots hold anything that cannot be made again.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "outside of #[test] functions clippy does not see that this is a test"
)]

use std::sync::atomic::Ordering;

use lab3_tests::write::{TRANSFERS, transfer};
use lab3_tests::{Desk, Done, Folder, Journal, Shim, Workers, audit, binary, skip, wait};
use serde_json::{Value, json};

/// A folder with a journal in it, made by workers until so many writes were acknowledged.
fn written(folder: &Folder, many: u64) -> (Workers, Desk) {
    let mut workers = Workers::new(4, 11);
    let desk = Desk::open(&folder.at("data"));
    workers.write_while(desk.address(), |counts| {
        wait::until("writes", || (counts.acknowledged.load(Ordering::Relaxed) >= many).then_some(()));
    });
    workers.resolve(&desk.client());
    (workers, desk)
}

#[test]
fn a_flipped_byte_stops_the_start_and_the_record_is_named() {
    for (place, flip) in [("first", 0), ("middle", 1), ("last", 2)] {
        let folder = Folder::new("flipped");
        let data = folder.at("data");
        let desk = Desk::open(&data);
        for no in 0..20 {
            desk.client().mint(&format!("did:kaizen:c{no}"), 1);
        }
        desk.stop();
        let file = format!("{data}/journal.db");
        let (sequence, body) = a_record(&file, 10);
        let mut bytes = std::fs::read(&file).unwrap();
        let at = bytes.windows(body.len()).position(|window| window == body).expect("the record is not in the file");
        bytes[at + flip * (body.len() - 1) / 2] ^= 0x10;
        std::fs::write(&file, &bytes).unwrap();
        for _ in 0..2 {
            let refusal = Desk::try_open(&data, &[]).err().expect("it started all the same");
            assert!(refusal.contains(&format!("record {sequence}")), "the {place} byte of record {sequence} was flipped: {refusal}");
        }
        let verified = binary::run(&["journal", "verify", "--data", &data]);
        assert!(!verified.status.success() && binary::text(&verified.stderr).contains(&format!("record {sequence}")), "{verified:?}");
        assert!(a_record(&file, 10).1 != body, "the journal was repaired in silence");
    }
}

/// A row of one record, about in the middle: its number and its bytes.
fn a_record(file: &str, sequence: u64) -> (u64, Vec<u8>) {
    let connection = rusqlite::Connection::open(file).unwrap();
    let select = "SELECT first, len, body FROM records WHERE first = ?1";
    let (first, len, body): (i64, u32, Vec<u8>) =
        connection.query_row(select, [i64::try_from(sequence).unwrap()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    assert_eq!(len, 1, "one client's writes are rows of their own");
    (u64::try_from(first).unwrap(), body)
}

#[test]
fn a_second_process_on_the_folder_is_refused() {
    let folder = Folder::new("second");
    let desk = Desk::open(&folder.at("data"));
    desk.client().mint("did:kaizen:alice", 1);
    let mut second = binary::command(&["serve", "--data", &folder.at("data")]);
    second.env("LAB3__LOG__LEVEL", "info");
    let refusal = Desk::spawn(second, &folder.at("second")).err().expect("two processes write in one folder");
    assert!(refusal.contains("exit status: 1") && refusal.contains(&folder.at("data")), "{refusal}");
    desk.client().mint("did:kaizen:alice", 1);
    desk.stop();
}

#[test]
fn port_0_takes_a_free_port_and_tells_it() {
    let folder = Folder::new("port");
    let (one, other) = (Desk::open(&folder.at("one")), Desk::open(&folder.at("other")));
    assert_ne!(one.address(), other.address());
    for desk in [one, other] {
        assert!(!desk.address().ends_with(":0") && desk.said().contains(&desk.url()), "{} / {}", desk.address(), desk.said());
        assert_eq!(desk.client().ask("/lab3/health")["status"], "ok");
        desk.stop();
    }
}

#[test]
fn sigterm_under_load_finishes_what_was_accepted() {
    let folder = Folder::new("sigterm");
    let data = folder.at("data");
    let mut workers = Workers::new(16, 5);
    for _ in 0..3 {
        let mut desk = Desk::open(&data);
        let before = workers.done().len() as u64;
        let address = desk.address().to_owned();
        workers.write_while(&address, |counts| {
            wait::until("writes", || (counts.acknowledged.load(Ordering::Relaxed) >= before + 200).then_some(()));
            desk.ask_to_stop();
            let status = desk.ended();
            assert_eq!(status.code(), Some(0), "{}", desk.said());
        });
    }
    let desk = Desk::open(&data);
    workers.resolve(&desk.client());
    audit::audit(desk, &data, &workers.done());
}

/// The disk is slow, so that SIGTERM comes while the batch is being written.
#[test]
fn sigterm_waits_for_the_write_under_way() {
    let folder = Folder::new("underway");
    let data = folder.at("data");
    let Some(shim) = Shim::build(&folder) else {
        return skip("start::sigterm_waits_for_the_write_under_way", "there is no C compiler (cc)");
    };
    let mut desk = shim.open(&data, &[]);
    desk.client().mint("did:kaizen:alice", 1000);
    // Its length says nothing: it is laid out before it is written.
    let written_at = || std::fs::metadata(format!("{data}/journal.db-wal")).unwrap().modified().unwrap();
    let before = written_at();
    shim.fail("d");
    let items = (0..8000).map(|no| transfer("did:kaizen:alice", &format!("did:kaizen:c{no}"), 1, "")).collect::<Vec<_>>();
    let client = desk.client();
    let asked = std::thread::spawn(move || client.post(TRANSFERS, Some("underway"), &json!({ "transfers": items })));
    wait::until("the batch to be written", || (written_at() > before).then_some(()));
    assert!(!asked.is_finished(), "the disk is not slow enough for this test");
    desk.ask_to_stop();
    let reply = asked.join().unwrap().unwrap();
    assert_eq!((reply.status, reply.body["accepted"].as_u64()), (200, Some(8000)));
    let status = desk.ended();
    assert!(status.success(), "{status}: {}", desk.said());
    assert_eq!(Journal::of(&data).facts()["transferred"], 8000);
}

#[test]
fn a_backup_beside_a_writer_is_the_journal_of_one_moment() {
    let folder = Folder::new("backup");
    let (data, copy, restored) = (folder.at("data"), folder.at("copy"), folder.at("restored"));
    let (mut workers, desk) = written(&folder, 300);
    let before = desk.client().head()["sequence"].as_u64().unwrap();
    workers.write_while(desk.address(), |_| {
        binary::succeed(&["backup", &copy, "--data", &data]);
    });
    workers.resolve(&desk.client());
    binary::succeed(&["restore", &copy, "--data", &restored]);
    let (whole, part) = (exported(&data), exported(&restored));
    assert!(u64::try_from(part.len()).unwrap() >= before, "what was acknowledged before the backup is not in it");
    assert_eq!(whole[..part.len()], part, "the backup is another journal");
    assert!(!binary::run(&["restore", &copy, "--data", &restored]).status.success(), "a full folder was overwritten");
    let second = Desk::open(&restored);
    let head = second.client().head();
    second.client().mint("did:kaizen:alice", 1);
    second.stop();
    assert_eq!(head["sequence"].as_u64(), Some(part.len() as u64));
    audit::audit(desk, &data, &workers.done());
}

fn exported(data: &str) -> Vec<String> {
    let lines = binary::succeed(&["journal", "export", "--data", data]);
    Journal::read(&lines);
    lines.lines().map(str::to_owned).collect()
}

#[test]
fn views_and_snapshots_can_be_deleted() {
    let folder = Folder::new("views");
    let data = folder.at("data");
    let (workers, desk) = written(&folder, 1200);
    let questions = questions(&workers.done());
    let before = answers(&desk, &questions);
    desk.stop();
    assert!(std::fs::read_dir(format!("{data}/snapshots")).unwrap().count() > 0, "no snapshot was made at the stop");
    for file in ["views.db", "views.db-wal", "views.db-shm"] {
        let _ = std::fs::remove_file(format!("{data}/{file}"));
    }
    std::fs::remove_dir_all(format!("{data}/snapshots")).unwrap();
    let desk = Desk::open(&data);
    wait::until("the views to be made again", || {
        let reply = desk.client().get("/lab3/financial/balance/did:kaizen:wallet0?at=400").unwrap();
        (reply.status == 200).then_some(())
    });
    for ((question, before), after) in questions.iter().zip(before).zip(answers(&desk, &questions)) {
        assert_eq!(after, before, "{question}");
    }
    audit::audit(desk, &data, &workers.done());
}

/// Questions about what was done, of every kind.
fn questions(done: &[&Done]) -> Vec<String> {
    let mut questions = vec!["/lab3/journal/head?state_hash=true".to_owned(), "/lab3/financial/transactions?limit=500".to_owned()];
    questions.extend(["/lab3/financial/pool".to_owned(), "/lab3/financial/transactions?since=100&limit=200".to_owned()]);
    for wallet in 0..24 {
        let did = format!("did:kaizen:wallet{wallet}");
        questions.push(format!("/lab3/financial/balance/{did}"));
        questions.push(format!("/lab3/financial/balance/{did}?at=400"));
        questions.push(format!("/lab3/financial/transactions?did={did}&limit=100"));
    }
    questions.push("/lab3/compute/allocations?citizen_did=did:kaizen:worker1-0&limit=100".to_owned());
    questions.push("/lab3/compute/quota/did:kaizen:worker1-0".to_owned());
    let named = |name: &str, path: &str| {
        let ids = done.iter().filter_map(|done| done.reply[name].as_str()).take(50);
        ids.map(|id| format!("{path}/{id}")).collect::<Vec<_>>()
    };
    questions.extend(named("tx_id", "/lab3/financial/transactions"));
    questions.extend(named("allocation_id", "/lab3/compute/allocations"));
    questions
}

fn answers(desk: &Desk, questions: &[String]) -> Vec<Value> {
    let client = desk.client();
    let answer = |question: &String| {
        let mut answer = client.ask(question);
        // Where the snapshots stand is not part of what the desk knows.
        answer.as_object_mut().unwrap().remove("snapshot_sequence");
        answer
    };
    questions.iter().map(answer).collect()
}

/// A race, so there are several starts; `crates/engine/tests/start.rs` has many more.
#[test]
fn history_is_answered_after_a_start_without_a_write() {
    let folder = Folder::new("history");
    let data = folder.at("data");
    Desk::open(&data).client().mint("did:kaizen:alice", 1);
    for start in 1..=20 {
        let desk = Desk::open(&data);
        let reply = desk.client().get("/lab3/financial/balance/did:kaizen:alice?at=3").unwrap();
        assert_eq!((reply.status, &reply.body["balance_gic"]), (200, &json!(1.0)), "after start {start}: {reply:?}");
        desk.stop();
    }
}

#[test]
fn a_demo_hive_has_citizens_and_leaves_nothing() {
    let folder = Folder::new("demo");
    let mut command = binary::command(&["serve", "--demo"]);
    command.env("TMPDIR", folder.path());
    let desk = Desk::spawn(command, &folder.at("desk")).unwrap();
    assert!(desk.client().ask("/lab3/financial/balance/did:kaizen:alice")["balance_gic"].as_f64().unwrap() > 0.0);
    assert!(desk.said().contains("Try:"), "{}", desk.said());
    desk.stop();
    let left = std::fs::read_dir(folder.path()).unwrap().filter(|entry| entry.as_ref().unwrap().path().is_dir()).count();
    assert_eq!(left, 0, "the demo's folder is still there");
}
