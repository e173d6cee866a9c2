//! Hives as each other's witnesses, as real processes: what witnesses saw an auditor can check, another past gets no cosignature and no
//! auditor's word, and a witness forgets nothing, neither when it is stopped nor when it is killed.
//!
//! It fails when a witness cosigns two pasts, forgets over a restart what it cosigned, is believed without having seen what is shown, or when
//! a witness that hangs holds up a write or a checkpoint.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "outside of #[test] functions clippy does not see that this is a test"
)]

use std::io::Read as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use lab3_tests::{Desk, Folder, binary, skip, wait};
use lab3_tlog::{AddCheckpoint, Note};

/// Seconds that auditors wait for witnesses, who are asked every second here.
const WAIT: &str = "5";

/// What the desk answers to a public path, as text.
fn get(desk: &Desk, path: &str) -> (u16, String) {
    let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
    let mut answer = agent.get(format!("{}{path}", desk.url())).call().unwrap();
    (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
}

fn text(desk: &Desk, path: &str) -> String {
    let (status, body) = get(desk, path);
    assert_eq!(status, 200, "{path}: {body}");
    body.trim_end().to_owned()
}

/// A desk that is a witness of the log with that key.
fn witness_of(folder: &Folder, name: &str, log: &str) -> Desk {
    Desk::open_with(&folder.at(name), &["--set", &format!("witness.logs={log}")])
}

/// The configuration of a desk with these witnesses, asked every second.
fn asking(witnesses: &[String]) -> Vec<String> {
    let all = format!("log.witnesses={}", witnesses.join(","));
    ["--set", &all, "--set", "log.witness_seconds=1"].map(str::to_owned).to_vec()
}

fn open(data: &str, arguments: &[String]) -> Desk {
    Desk::open_with(data, &arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

/// How a witness is named to the desk that asks it.
fn named(witness: &Desk) -> String {
    format!("{} {}/lab3/witness", text(witness, "/lab3/witness/key"), witness.url())
}

/// The desk's own word on its witnesses.
fn standing(desk: &Desk, at: usize) -> serde_json::Value {
    desk.client().ask("/lab3/health")["witnesses"][at].clone()
}

/// Waits until so many witnesses have seen everything there is.
fn all_seen(desk: &Desk, witnesses: usize) {
    let last = desk.client().ask("/lab3/health")["sequence"].as_u64().unwrap();
    wait::until("the witnesses to see everything", || {
        let health = desk.client().ask("/lab3/health");
        let seen = |at: usize| health["witnesses"][at]["records"].as_u64() >= Some(last) && health["witnesses"][at]["trouble"].is_null();
        (0..witnesses).all(seen).then_some(())
    });
}

/// Waits until the witness refuses this desk in these words.
fn refused(desk: &Desk, words: &str) {
    wait::until(words, || {
        let standing = standing(desk, 0);
        (standing["refused"] == true && standing["trouble"].as_str().unwrap().contains(words)).then_some(())
    });
}

/// The log's key and its witnesses', as they are once known; a desk has its own from its first start.
struct Keys {
    log: String,
    witnesses: Vec<String>,
}

/// `lab3 audit`, which must have the cosignatures of these.
fn audit(desk: &Desk, keys: &Keys, more: &[&str]) -> Output {
    let url = desk.url();
    let mut arguments = vec!["audit", &url, "--key", &keys.log, "--wait-seconds", WAIT];
    for key in &keys.witnesses {
        arguments.extend(["--witness", key]);
    }
    arguments.extend(more);
    binary::run(&arguments)
}

/// The second opinion, if there is a Python.
fn verify(desk: &Desk, keys: &Keys) -> Option<Output> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/verify/verify.py");
    let mut command = Command::new("python3");
    command.args([script, &desk.url(), "--key", &keys.log, "--wait", WAIT]);
    for key in &keys.witnesses {
        command.args(["--witness", key]);
    }
    command.output().ok()
}

fn told(output: &Output) -> String {
    format!("{}{}", binary::text(&output.stdout), binary::text(&output.stderr))
}

/// Both auditors' verdict.
fn check(desk: &Desk, keys: &Keys, holds: bool, words: &str) {
    let ours = audit(desk, keys, &[]);
    assert_eq!(ours.status.success(), holds, "{}", told(&ours));
    assert!(told(&ours).contains(words), "{}", told(&ours));
    match verify(desk, keys) {
        Some(theirs) => assert_eq!(theirs.status.success(), holds, "{}", told(&theirs)),
        None => skip("witness::verify.py", "there is no python3"),
    }
}

/// Copies a folder with everything in it.
fn copy(from: &str, to: &str) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (from, to) = (entry.path().display().to_string(), Path::new(to).join(entry.file_name()).display().to_string());
        if entry.file_type().unwrap().is_dir() {
            copy(&from, &to);
        } else {
            std::fs::copy(&from, &to).unwrap();
        }
    }
}

/// Data and signer's folder: all that a desk is.
fn copy_all(from: &str, to: &str) {
    copy(from, to);
    copy(&format!("{from}.signer"), &format!("{to}.signer"));
}

/// A desk begun and stopped again, so that its key is known.
fn begun(data: &str) -> String {
    let desk = Desk::open(data);
    let key = text(&desk, "/lab3/log/key");
    desk.stop();
    key
}

fn mint(desk: &Desk, name: &str, count: u32) {
    for no in 0..count {
        desk.client().mint(&format!("did:kaizen:{name}{no}"), 1);
    }
}

#[test]
fn another_past_gets_no_cosignature_and_no_auditors_word() {
    let folder = Folder::new("witness");
    let (data, other) = (folder.at("a"), folder.at("other"));
    let log = begun(&data);
    let (b, c) = (witness_of(&folder, "b", &log), witness_of(&folder, "c", &log));
    let keys = Keys { log: log.clone(), witnesses: [&b, &c].map(|desk| text(desk, "/lab3/witness/key")).to_vec() };
    let a = open(&data, &asking(&[named(&b), named(&c)]));
    mint(&a, "alice", 5);
    all_seen(&a, 2);
    check(&a, &keys, true, "seen by");
    assert!(
        a.client().ask("/lab3/health")["seen"].as_str().unwrap().starts_with("Seen by 2 Hives, "),
        "{}",
        a.client().ask("/lab3/health")
    );
    // Asked while nothing is written, the newest checkpoint itself has both cosignatures.
    assert_eq!(Note::parse(get(&a, "/lab3/log/checkpoint").1.as_bytes()).unwrap().signatures().len(), 3);
    a.stop();
    // A dishonest operator keeps everything twice.
    copy_all(&data, &other);
    let a = open(&data, &asking(&[named(&b), named(&c)]));
    mint(&a, "bob", 3);
    all_seen(&a, 2);
    a.stop();
    // The witness is stopped, started and killed in between: it remembers.
    b.stop();
    let b = witness_of(&folder, "b", &log);
    c.kill();
    let second = open(&other, &asking(&[named(&b)]));
    mint(&second, "mallory", 5);
    refused(&second, "other records");
    check(&second, &keys, false, "have seen");
    assert!(second.said().contains("a witness refuses this journal's past"), "{}", second.said());
    // What it shows is refused from the first record after the copy on, however far it goes.
    mint(&second, "carol", 4);
    check(&second, &keys, false, "have seen");
    let doctor = binary::run(&["doctor", "--data", &other, "--set", &format!("log.witnesses={}", named(&b))]);
    assert!(!doctor.status.success() && told(&doctor).contains("refuses this journal's past"), "{}", told(&doctor));
    // The witness was sent what proves it, and kept that.
    let proof = folder.at("b") + ".signer/logs";
    let proof =
        std::fs::read_dir(proof).unwrap().map(|entry| entry.unwrap().path()).find(|path| path.extension().is_some_and(|is| is == "fork"));
    let proof = proof.expect("no proof was kept").display().to_string();
    assert!(binary::succeed(&["audit", "--fork", &proof, "--key", &log]).starts_with("it holds"));
    let doctor = binary::run(&["doctor", "--data", &folder.at("b"), "--set", &format!("witness.logs={log}")]);
    assert!(!doctor.status.success() && told(&doctor).contains("told two stories"), "{}", told(&doctor));
    // The honest one goes on as if nothing had been.
    second.stop();
    let a = open(&data, &asking(&[named(&b)]));
    mint(&a, "dora", 2);
    all_seen(&a, 1);
    let keys = Keys { witnesses: keys.witnesses[..1].to_vec(), ..keys };
    check(&a, &keys, true, "seen by");
}

#[test]
fn two_checkpoints_that_contradict_make_a_proof_that_is_a_file() {
    let folder = Folder::new("witness-proof");
    let (data, other) = (folder.at("a"), folder.at("other"));
    let log = begun(&data);
    copy_all(&data, &other);
    let a = Desk::open(&data);
    mint(&a, "alice", 2);
    let visit = folder.at("visit");
    let signed = |desk: &Desk| {
        let last = desk.client().ask("/lab3/health")["sequence"].clone();
        wait::until("a checkpoint", || (desk.client().ask("/lab3/health")["signed"] == last).then_some(()));
    };
    signed(&a);
    binary::succeed(&["audit", &a.url(), "--visit", &visit]);
    let checkpoint = folder.at("checkpoint");
    a.stop();
    let second = Desk::open(&other);
    mint(&second, "mallory", 4);
    signed(&second);
    std::fs::write(&checkpoint, get(&second, "/lab3/log/checkpoint").1).unwrap();
    let audited = binary::run(&["audit", &second.url(), "--visit", &visit]);
    assert!(!audited.status.success() && told(&audited).contains("told two stories"), "{}", told(&audited));
    let holds = |proof: &str, key: &str| binary::run(&["audit", "--fork", proof, "--key", key]);
    assert!(holds(&format!("{visit}.fork"), &log).status.success());
    // The same from two files and the tiles of whoever shows the larger one.
    let found = binary::succeed(&["audit", "--fork", &visit, &checkpoint, "--", &second.url()]);
    let proof = folder.at("proof");
    std::fs::write(&proof, &found).unwrap();
    assert!(holds(&proof, &log).status.success());
    let stranger = text(&Desk::open(&folder.at("stranger")), "/lab3/log/key");
    assert!(!holds(&proof, &stranger).status.success(), "about another key");
    std::fs::write(&proof, found.replacen('A', "B", 1)).unwrap();
    assert!(!holds(&proof, &log).status.success(), "a proof that was changed");
    // Of checkpoints that agree there is none.
    let same = binary::run(&["audit", "--fork", &checkpoint, &checkpoint, "--key", &log]);
    assert!(!same.status.success() && told(&same).contains("consistent"), "{}", told(&same));
    let apart = binary::run(&["audit", "--fork", &visit, &checkpoint]);
    assert!(!apart.status.success() && told(&apart).contains("URL"), "{}", told(&apart));
}

#[test]
fn a_witness_that_hangs_holds_nothing_up() {
    let folder = Folder::new("witness-hangs");
    let data = folder.at("a");
    let log = begun(&data);
    let b = witness_of(&folder, "b", &log);
    // It takes connections and never answers.
    let hanging = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = hanging.local_addr().unwrap();
    let held = std::thread::spawn(move || {
        let (mut stream, _) = hanging.accept().unwrap();
        let mut request = Vec::new();
        let mut piece = [0; 1024];
        while !request.windows(4).any(|four| four == b"\r\n\r\n") {
            let read = stream.read(&mut piece).unwrap();
            request.extend_from_slice(&piece[..read]);
        }
        (hanging, stream, String::from_utf8_lossy(&request).into_owned())
    });
    let stranger = Desk::open(&folder.at("c"));
    let hangs = format!("{} http://{place}/lab3/witness", text(&stranger, "/lab3/witness/key"));
    let a = open(&data, &asking(&[hangs, named(&b)]));
    // Both are held: further connections wait in line.
    let (_hanging, _stream, request) = held.join().unwrap();
    assert!(request.starts_with("POST /lab3/witness/add-checkpoint "), "{request}");
    // While it hangs: writes are answered, signed, and seen by the other one.
    let began = Instant::now();
    mint(&a, "alice", 10);
    let last = a.client().ask("/lab3/health")["sequence"].clone();
    wait::until("a checkpoint", || (a.client().ask("/lab3/health")["signed"] == last).then_some(()));
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    wait::until("the other witness to see it", || (standing(&a, 1)["records"] == last).then_some(()));
    wait::until("the hanging one to be told of", || {
        standing(&a, 0)["trouble"].as_str().is_some_and(|why| why.contains("did not answer")).then_some(())
    });
    let health = a.client().ask("/lab3/health");
    assert!(health["seen"].as_str().unwrap().starts_with("Seen by 1 of 2 Hives"), "{health}");
    assert!(text(&a, "/metrics").contains("lab3_witness_cosigns{witness="));
    let keys = |witnesses: Vec<String>| Keys { log: log.clone(), witnesses };
    let (seeing, hung) = (text(&b, "/lab3/witness/key"), text(&stranger, "/lab3/witness/key"));
    assert!(audit(&a, &keys(vec![seeing.clone()]), &[]).status.success());
    assert!(audit(&a, &keys(vec![seeing, hung]), &["--witnesses-needed", "1"]).status.success());
}

#[test]
fn a_witness_killed_between_keeping_and_answering_goes_on() {
    let folder = Folder::new("witness-killed");
    let data = folder.at("a");
    let log = begun(&data);
    let b = witness_of(&folder, "b", &log);
    let key = text(&b, "/lab3/witness/key");
    let kept = |ending: &str| {
        let logs = std::fs::read_dir(folder.at("b") + ".signer/logs").into_iter().flatten();
        let paths = logs.map(|entry| entry.unwrap().path());
        paths.into_iter().find(|path| path.extension().is_some_and(|is| is == ending))
    };
    // What it would have kept, had it been killed before it answered: the checkpoint of which the log never got the cosignature.
    let a = Desk::open(&data);
    mint(&a, "alice", 3);
    let last = a.client().ask("/lab3/health")["sequence"].clone();
    wait::until("a checkpoint", || (a.client().ask("/lab3/health")["signed"] == last).then_some(()));
    let note = Note::parse(get(&a, "/lab3/log/checkpoint").1.as_bytes()).unwrap();
    let body = AddCheckpoint { old: 0, proof: Vec::new(), note }.to_string();
    let mut stream = std::net::TcpStream::connect(b.address()).unwrap();
    let head = format!("POST /lab3/witness/add-checkpoint HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n\r\n", b.address(), body.len());
    std::io::Write::write_all(&mut stream, format!("{head}{body}").as_bytes()).unwrap();
    wait::until("the witness to keep it", || kept("cosigned"));
    b.kill();
    a.stop();
    let b = witness_of(&folder, "b", &log);
    assert_eq!(text(&b, "/lab3/witness/key"), key, "it has another key");
    let a = open(&data, &asking(&[named(&b)]));
    mint(&a, "bob", 3);
    all_seen(&a, 1);
    assert!(audit(&a, &Keys { log, witnesses: vec![key] }, &[]).status.success());
}
