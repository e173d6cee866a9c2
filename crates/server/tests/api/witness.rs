//! This Hive as a witness: every answer C2SP's protocol knows, and that it never cosigns two pasts, whoever asks at once, goes away, or fails.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, header};
use lab3_engine::{Engine, Limits, ManualClock, MemoryStore, Policy};
use lab3_server::{App, ServerSettings, Wiring, Witness, WitnessMemory, router};
use lab3_tlog::{
    ADD_CHECKPOINT_BYTES_MAX, AddCheckpoint, Checkpoint, Cosigner, Fork, Note, Signature, Signer, Tree, Trust, VerifierKey,
    consistency_proof, root,
};
use lab3_units::Time;

use crate::hive::{Hive, NOW, Reply};

const LOG: &str = "riverside/jn_1";
/// Longest wait for something that comes.
const SOON: Duration = Duration::from_secs(20);
const PATH: &str = "/lab3/witness/add-checkpoint";

fn log() -> Signer {
    Signer::new(LOG, &[1; 32]).unwrap()
}

fn cosigner() -> Cosigner {
    Cosigner::new("hilltop/jn_2/witness", &[2; 32]).unwrap()
}

/// The log's tree; in its other past leaf 3 is another.
fn tree(other: bool) -> Tree {
    let leaf = |no: u8| if other && no == 3 { [255; 32] } else { [no; 32] };
    Tree::new((0..60).map(leaf).collect())
}

fn signed(tree: &Tree, size: u64, signer: &Signer) -> Note {
    let root = root(&mut &*tree, size).unwrap();
    Checkpoint { origin: LOG.to_owned(), size, root, extensions: Vec::new() }.sign(signer).unwrap()
}

fn request(other: bool, old: u64, new: u64) -> AddCheckpoint {
    let tree = tree(other);
    AddCheckpoint { old, proof: consistency_proof(&mut &tree, old, new).unwrap(), note: signed(&tree, new, &log()) }
}

/// What a witness remembers, and how a test holds it up.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Remembered>>);

#[derive(Default)]
struct Remembered {
    kept: HashMap<String, String>,
    forks: Vec<String>,
    fails: bool,
    /// Told when something is about to be kept, and waited for before it is.
    gate: Option<(Sender<()>, Receiver<()>)>,
}

impl WitnessMemory for Memory {
    fn keep(&self, origin: &str, note: &str) -> Result<(), String> {
        let gate = self.0.lock().unwrap().gate.take();
        if let Some((entered, go)) = gate {
            entered.send(()).unwrap();
            go.recv().unwrap();
        }
        let mut memory = self.0.lock().unwrap();
        if memory.fails {
            return Err("the disk is full".to_owned());
        }
        memory.kept.insert(origin.to_owned(), note.to_owned());
        Ok(())
    }

    fn keep_fork(&self, _: &str, proof: &str) -> Result<(), String> {
        self.0.lock().unwrap().forks.push(proof.to_owned());
        Ok(())
    }
}

impl Memory {
    /// Holds up what is kept next: told when it is about to be, and when it may.
    fn gate(&self) -> (Receiver<()>, Sender<()>) {
        let ((entered, was_entered), (go, may_go)) = (channel(), channel());
        self.0.lock().unwrap().gate = Some((entered, may_go));
        (was_entered, go)
    }

    fn kept(&self) -> Option<String> {
        self.0.lock().unwrap().kept.get(LOG).cloned()
    }

    /// A Hive that is a witness of the log and remembers this.
    fn witness(&self) -> Hive {
        let last = |origin: &str| Ok(self.0.lock().unwrap().kept.get(origin).cloned());
        let witness = Witness::open(cosigner(), &[log().verifier().clone()], last, Box::new(self.clone())).unwrap();
        let clock = Arc::new(ManualClock::new(Time::parse(NOW).unwrap()));
        let engine = Engine::start(Arc::new(MemoryStore::new()), Policy::default(), clock.clone(), Limits::default()).unwrap();
        let app = App::wired(engine.clone(), ServerSettings::default(), Wiring { witness: Some(witness), ..Wiring::default() });
        Hive { engine, router: router(app.clone()), app, clock }
    }
}

async fn add(hive: &Hive, body: impl ToString) -> Reply {
    hive.post_text(PATH, &[("content-type", "application/octet-stream")], body.to_string()).await
}

#[track_caller]
fn check(reply: &Reply, status: u16, content_type: &str, body: &str) {
    assert_eq!((reply.status, reply.header("content-type")), (status, Some(content_type)), "{}", reply.text());
    assert!(reply.text().starts_with(body) && reply.text().ends_with('\n'), "{:?}", reply.text());
}

/// The tree that a reply's cosignature vouches for.
#[track_caller]
fn cosigned(reply: &Reply, request: &AddCheckpoint) -> (u64, u64) {
    assert_eq!(reply.status, 200, "{}", reply.text());
    let mut note = request.note.clone();
    note.adopt(Signature::parse_lines(&reply.text()).unwrap(), &[cosigner().verifier().clone()]).unwrap();
    let trust = Trust { origin: LOG.to_owned(), log: log().verifier().clone(), witnesses: vec![cosigner().verifier().clone()] };
    let opened = trust.open(&note).unwrap();
    (opened.checkpoint.size, opened.witnesses[0].1.get())
}

#[tokio::test]
async fn a_witness_answers_as_the_protocol_has_it() {
    let memory = Memory::default();
    let hive = memory.witness();
    let text = "text/plain; charset=utf-8";
    let now = Time::parse(NOW).unwrap().millis().unsigned_abs() / 1000;
    // Unknown, unsigned, malformed: nothing is kept.
    let stranger = Signer::new(LOG, &[9; 32]).unwrap();
    let elsewhere = Signer::new("elsewhere", &[1; 32]).unwrap();
    let note = Checkpoint { origin: "elsewhere".to_owned(), size: 0, root: tree(false).root(), extensions: Vec::new() }.sign(&elsewhere);
    check(&add(&hive, AddCheckpoint { note: note.unwrap(), ..request(false, 0, 9) }).await, 404, text, "this witness does not know");
    check(&add(&hive, AddCheckpoint { note: signed(&tree(false), 9, &stranger), ..request(false, 0, 9) }).await, 403, text, "no key");
    check(&add(&hive, AddCheckpoint { old: 10, ..request(false, 0, 9) }).await, 400, text, "the request is malformed");
    check(&add(&hive, "").await, 400, text, "the request is malformed");
    check(&add(&hive, "{}").await, 400, text, "the request is malformed");
    check(&add(&hive, "x".repeat(ADD_CHECKPOINT_BYTES_MAX)).await, 400, text, "the request is malformed");
    check(&add(&hive, "x".repeat(ADD_CHECKPOINT_BYTES_MAX + 1)).await, 413, text, "The body has more than");
    check(&add(&hive, request(false, 5, 9)).await, 409, "text/x.tlog.size", "0\n");
    assert_eq!(memory.kept(), None);
    // Known: from nothing, on, and again.
    let first = request(false, 0, 9);
    assert_eq!(cosigned(&add(&hive, &first).await, &first), (9, now));
    assert_eq!(Note::parse(memory.kept().unwrap().as_bytes()).unwrap(), first.note);
    hive.pass(7).await;
    let next = request(false, 9, 20);
    assert_eq!(cosigned(&add(&hive, &next).await, &next), (20, now + 7));
    let again = request(false, 20, 20);
    assert_eq!(cosigned(&add(&hive, &again).await, &again), (20, now + 7));
    // Behind, before, and other pasts.
    check(&add(&hive, request(false, 9, 30)).await, 409, "text/x.tlog.size", "20\n");
    check(&add(&hive, request(false, 0, 9)).await, 409, "text/x.tlog.size", "20\n");
    check(&add(&hive, request(true, 20, 20)).await, 409, "text/x.tlog.size", "20\n");
    check(&add(&hive, request(true, 20, 30)).await, 422, text, "the checkpoint does not follow");
    check(&add(&hive, AddCheckpoint { proof: Vec::new(), ..request(false, 20, 30) }).await, 422, text, "the checkpoint does not follow");
    assert_eq!(Note::parse(memory.kept().unwrap().as_bytes()).unwrap(), next.note);
}

#[tokio::test]
async fn it_needs_neither_content_type_nor_key_and_takes_any() {
    let hive = Memory::default().witness();
    hive.post("/lab3/seal", &serde_json::json!({})).await.ok();
    let mut old = 0;
    for (name, value) in
        [("content-type", "application/json"), ("content-type", "text/plain"), ("origin", "http://evil.example"), ("x-api-key", "nonsense")]
    {
        let reply = hive.post_text(PATH, &[(name, value)], request(false, old, old + 5).to_string()).await;
        assert_eq!(reply.status, 200, "{name}: {value}: {}", reply.text());
        old += 5;
    }
    let bare = Request::post(PATH).body(Body::from(request(false, old, old + 5).to_string())).unwrap();
    assert_eq!(hive.send(bare).await.status, 200);
    let asked = Request::post(format!("{PATH}?x=1")).header(header::CONTENT_TYPE, "text/plain");
    assert_eq!(hive.send(asked.body(Body::from("old 0")).unwrap()).await.status, 400);
}

#[tokio::test]
async fn the_key_is_everybodys_to_see() {
    let key = Memory::default().witness().get("/lab3/witness/key").await;
    assert_eq!(VerifierKey::parse(key.text().trim_end()).unwrap(), *cosigner().verifier());
    let nobodys = Hive::new();
    nobodys.get("/lab3/witness/key").await.refused(404, "L3-0016", None);
    assert_eq!(add(&nobodys, request(false, 0, 9)).await.status, 404);
}

#[tokio::test]
async fn what_cannot_be_kept_is_not_cosigned() {
    let memory = Memory::default();
    let hive = memory.witness();
    memory.0.lock().unwrap().fails = true;
    let refused = add(&hive, request(false, 0, 9)).await;
    assert_eq!((refused.status, refused.text().contains("try again")), (500, true), "{}", refused.text());
    memory.0.lock().unwrap().fails = false;
    // Nothing left it, so it is free to cosign either.
    assert_eq!(add(&hive, request(true, 0, 12)).await.status, 200);
}

#[tokio::test]
async fn it_remembers_over_a_restart() {
    let memory = Memory::default();
    assert_eq!(add(&memory.witness(), request(false, 0, 20)).await.status, 200);
    let hive = memory.witness();
    check(&add(&hive, request(true, 0, 30)).await, 409, "text/x.tlog.size", "20\n");
    assert_eq!(add(&hive, request(true, 20, 30)).await.status, 422);
    assert_eq!(add(&hive, request(false, 20, 30)).await.status, 200);
    memory.0.lock().unwrap().kept.insert(LOG.to_owned(), "nonsense".to_owned());
    let last = |origin: &str| Ok(memory.0.lock().unwrap().kept.get(origin).cloned());
    let opened = Witness::open(cosigner(), &[log().verifier().clone()], last, Box::new(memory.clone()));
    assert!(opened.unwrap_err().contains(LOG), "it must not begin anew");
}

/// Sends on a task of its own.
fn send(router: &Router, body: &AddCheckpoint) -> tokio::task::JoinHandle<u16> {
    let (router, request) = (router.clone(), Request::post(PATH).body(Body::from(body.to_string())).unwrap());
    tokio::spawn(async move { tower::ServiceExt::oneshot(router, request).await.unwrap().status().as_u16() })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_pasts_at_once_one_is_cosigned() {
    let memory = Memory::default();
    let hive = memory.witness();
    let (entered, go) = memory.gate();
    let one = send(&hive.router, &request(false, 0, 20));
    entered.recv_timeout(SOON).unwrap();
    let (entered, second_may_go) = memory.gate();
    let other = send(&hive.router, &request(true, 0, 30));
    // It must wait for the first; were it not to, it would come here now.
    assert!(entered.recv_timeout(Duration::from_millis(300)).is_err(), "two are judged at once");
    second_may_go.send(()).unwrap();
    go.send(()).unwrap();
    assert_eq!((one.await.unwrap(), other.await.unwrap()), (200, 409));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_goes_away_leaves_nothing_half_done() {
    let memory = Memory::default();
    let hive = memory.witness();
    let (entered, go) = memory.gate();
    let one = send(&hive.router, &request(false, 0, 20));
    entered.recv_timeout(SOON).unwrap();
    one.abort();
    assert!(one.await.unwrap_err().is_cancelled());
    let other = send(&hive.router, &request(true, 0, 30));
    go.send(()).unwrap();
    assert_eq!(other.await.unwrap(), 409, "what was being kept is forgotten");
    assert!(memory.kept().unwrap().contains("\n20\n"));
}

#[tokio::test]
async fn two_stories_are_kept_as_a_proof_once() {
    let memory = Memory::default();
    let hive = memory.witness();
    add(&hive, request(false, 0, 20)).await;
    // A refused proof alone shows nothing: anybody can spoil one.
    add(&hive, AddCheckpoint { proof: vec![[7; 32]; 3], ..request(false, 20, 30) }).await;
    assert_eq!(memory.0.lock().unwrap().forks, Vec::<String>::new());
    for _ in 0..3 {
        assert_eq!(add(&hive, request(true, 20, 30)).await.status, 422);
    }
    let forks = memory.0.lock().unwrap().forks.clone();
    assert_eq!(forks.len(), 1);
    assert_eq!(Fork::parse(forks[0].as_bytes()).unwrap().key(), log().verifier());
}
