//! Witnesses asked round by round: real ones in process, and such that answer as they like.

use std::collections::VecDeque;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use lab3_engine::{Limits, ManualClock, MemoryStore, Policy};
use lab3_tlog::{Checkpoint, Cosigner, Seconds, Signer};
use lab3_units::Time;
use tower::ServiceExt as _;

use super::*;
use crate::witness::{NotCosigned, Witness, WitnessMemory};
use crate::{App, Peer, ServerSettings};

const NOW: u64 = 1_700_000_000;

fn signer() -> Signer {
    Signer::new("riverside/jn_1", &[99; 32]).unwrap()
}

fn cosigner(seed: u8) -> Cosigner {
    Cosigner::new(&format!("witness-{seed}"), &[seed; 32]).unwrap()
}

struct Forgetful;

impl WitnessMemory for Forgetful {
    fn keep(&self, _: &str, _: &str) -> Result<(), String> {
        Ok(())
    }

    fn keep_fork(&self, _: &str, _: &str) -> Result<(), String> {
        Ok(())
    }
}

fn witness(seed: u8) -> Witness {
    Witness::open(cosigner(seed), &[signer().verifier().clone()], |_| Ok(None), Box::new(Forgetful)).unwrap()
}

/// The world outside: a witness for each URL, unless an answer of its is set.
#[derive(Clone, Default)]
struct World(Arc<Mutex<Inside>>);

#[derive(Default)]
struct Inside {
    witnesses: Vec<(String, Witness)>,
    answers: VecDeque<Result<WitnessAnswer, String>>,
    /// The first line of each request.
    asked: Vec<String>,
    note: Option<String>,
    standings: Option<String>,
}

impl Outside for World {
    fn ask(&self, url: &str, body: String) -> Asking {
        let mut inside = self.0.lock().unwrap();
        inside.asked.push(body.lines().next().unwrap().to_owned());
        let set = inside.answers.pop_front();
        let witness = inside.witnesses.iter().find(|(place, _)| format!("{place}/add-checkpoint") == url).map(|(_, one)| one.clone());
        let judge = |witness: Witness| match witness.add_checkpoint(body.as_bytes(), Seconds::new(NOW).unwrap()) {
            Ok(line) => WitnessAnswer { status: 200, body: line.into_bytes() },
            Err(NotCosigned::Refused(refusal)) => WitnessAnswer { status: refusal.status(), body: refusal.body().into_bytes() },
            Err(NotCosigned::Unkept(error)) => panic!("{error}"),
        };
        let answer = set.unwrap_or_else(|| witness.map(judge).ok_or_else(|| "it cannot be reached".to_owned()));
        Box::pin(std::future::ready(answer))
    }

    fn keep_witnessed(&self, note: &str) -> Result<(), String> {
        self.0.lock().unwrap().note = Some(note.to_owned());
        Ok(())
    }

    fn keep_standings(&self, standings: &str) -> Result<(), String> {
        self.0.lock().unwrap().standings = Some(standings.to_owned());
        Ok(())
    }
}

impl World {
    /// With these witnesses, each at a place of its own.
    fn of(seeds: &[u8]) -> Self {
        let world = Self::default();
        world.0.lock().unwrap().witnesses = seeds.iter().map(|&seed| (place(seed), witness(seed))).collect();
        world
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().asked)
    }

    fn answer(&self, answer: Result<(u16, &str), &str>) {
        let answer = answer.map(|(status, body)| WitnessAnswer { status, body: body.as_bytes().to_vec() }).map_err(str::to_owned);
        self.0.lock().unwrap().answers.push_back(answer);
    }
}

fn place(seed: u8) -> String {
    format!("http://witness-{seed}.example")
}

/// A journal, its signer and its witnesses.
struct Desk {
    engine: Engine,
    router: Router,
    checkpoints: Checkpoints,
    _stop: Stop,
}

impl Desk {
    async fn new(world: &World, seeds: &[u8]) -> Self {
        let clock = Arc::new(ManualClock::new(Time::parse("2025-10-31T14:30:00Z").unwrap()));
        let engine = Engine::start(Arc::new(MemoryStore::new()), Policy::default(), clock, Limits::default()).unwrap();
        let router = crate::router(App::new(engine.clone(), ServerSettings::default()));
        let checkpoints = Checkpoints::open(&engine, signer(), None, Arc::new(|_| Ok(()))).await.unwrap();
        let desk = Self { _stop: Stop(engine.clone()), engine, router, checkpoints };
        desk.write(1).await;
        desk.asking(world, seeds, None)
    }

    /// The same that asks these witnesses, as after a restart.
    fn asking(self, world: &World, seeds: &[u8], kept: Option<&str>) -> Self {
        let asked = seeds.iter().map(|&seed| AskedWitness { key: cosigner(seed).verifier().clone(), url: place(seed) }).collect();
        let witnesses = Witnesses::new(asked, Duration::from_secs(1), Box::new(world.clone()));
        Self { checkpoints: self.checkpoints.witnessed_by(witnesses, kept), ..self }
    }

    /// Writes so many records, and signs them.
    async fn write(&self, count: u32) {
        for _ in 0..count {
            let body = r#"{"to_did":"did:kaizen:alice","amount":1,"reason":"test"}"#;
            let mut request = Request::post("/lab3/financial/mint").header("content-type", "application/json").header("host", "127.0.0.1");
            request = request.extension(Peer { remote: ([127, 0, 0, 1], 40_000).into(), trusted_user: Some(true) });
            let reply = self.router.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
            assert_eq!(reply.status(), 200);
        }
        // What is asked about the past waits until the views have it.
        self.engine.find(lab3_units::Id::from_bytes([0; 16])).await.unwrap();
        self.checkpoints.sign(&self.engine).await;
        assert_eq!(self.signed(), self.engine.status().sequence);
    }

    fn signed(&self) -> u64 {
        self.checkpoints.newest().unwrap().checkpoint.size
    }

    async fn round(&self) -> bool {
        let newest = self.checkpoints.newest().unwrap();
        self.checkpoints.witnesses().round(&self.engine, &self.checkpoints, &newest).await
    }

    /// The size of the newest note witnesses have cosigned, and how many have.
    fn witnessed(&self, seeds: &[u8]) -> (u64, usize) {
        let note = self.checkpoints.witnesses().newest().unwrap();
        let witnesses = seeds.iter().map(|&seed| cosigner(seed).verifier().clone()).collect();
        let trust = Trust { origin: signer().verifier().name().to_owned(), log: signer().verifier().clone(), witnesses };
        let opened = trust.open(&note).unwrap();
        (opened.checkpoint.size, opened.witnesses.len())
    }
}

/// Stops the engine's threads when the test ends.
struct Stop(Engine);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.stop();
    }
}

#[tokio::test]
async fn what_witnesses_saw_is_shown_and_kept() {
    let world = World::of(&[1, 2]);
    let desk = Desk::new(&world, &[1, 2]).await;
    let first = desk.signed();
    assert!(desk.round().await);
    assert_eq!(desk.witnessed(&[1, 2]), (first, 2));
    assert_eq!(desk.checkpoints.newest().unwrap().note, *desk.checkpoints.witnesses().newest().unwrap(), "the newest has them, too");
    let standings = desk.checkpoints.witnesses().standings();
    assert_eq!(seen(&standings, NOW + 12), "Seen by 2 Hives, 12 s ago");
    assert_eq!(serde_json::from_str::<Vec<Standing>>(world.0.lock().unwrap().standings.as_ref().unwrap()).unwrap(), standings);
    assert_eq!(world.asked(), ["old 0"; 2]);
    // A newer checkpoint does not hide what was seen.
    desk.write(3).await;
    assert_eq!((desk.witnessed(&[1, 2]), desk.checkpoints.newest().unwrap().note.signatures().len()), ((first, 2), 1));
    assert!(desk.round().await);
    assert_eq!((desk.witnessed(&[1, 2]), world.asked()), ((desk.signed(), 2), vec![format!("old {first}"); 2]));
    // Shown again, it is cosigned again.
    assert!(desk.round().await);
    assert_eq!((desk.witnessed(&[1, 2]), world.asked()), ((desk.signed(), 2), vec![format!("old {}", desk.signed()); 2]));
}

#[tokio::test]
async fn after_a_restart_it_goes_on_from_what_was_kept_or_what_the_witness_says() {
    let world = World::of(&[1]);
    let desk = Desk::new(&world, &[1]).await;
    desk.round().await;
    let (first, kept) = (desk.signed(), world.0.lock().unwrap().note.clone().unwrap());
    desk.write(2).await;
    world.asked();
    let desk = desk.asking(&world, &[1], Some(&kept));
    assert_eq!(desk.witnessed(&[1]), (first, 1));
    assert!(desk.round().await);
    assert_eq!(world.asked(), [format!("old {first}")]);
    let before = desk.signed();
    desk.write(2).await;
    let desk = desk.asking(&world, &[1], None);
    assert!(desk.checkpoints.witnesses().newest().is_none());
    assert!(desk.round().await);
    assert_eq!(world.asked(), ["old 0".to_owned(), format!("old {before}")]);
    // What is kept of another log, or was cosigned by nobody one asks, says nothing.
    let other = Checkpoint { origin: "elsewhere".to_owned(), size: 1, root: [1; 32], extensions: Vec::new() };
    let other = other.sign(&Signer::new("elsewhere", &[8; 32]).unwrap()).unwrap().to_string();
    for kept in [&*other, "nonsense", &*desk.checkpoints.newest().unwrap().note.to_string().replace("witness-1", "witness-9")] {
        let witnesses = Witnesses::new(Vec::new(), Duration::from_secs(1), Box::new(world.clone()));
        let _ = witnesses.resume(kept, signer().verifier(), 1000);
        assert!(witnesses.newest().is_none(), "{kept}");
    }
}

#[tokio::test]
async fn each_trouble_is_told_and_none_stops_the_signer() {
    let world = World::of(&[1]);
    let desk = Desk::new(&world, &[1]).await;
    desk.round().await;
    let first = desk.signed();
    let stranger = cosigner(7).cosign(&desk.checkpoints.newest().unwrap().checkpoint, Seconds::new(NOW).unwrap()).to_string() + "\n";
    desk.write(1).await;
    let size = desk.signed();
    let (larger, same) = (format!("{}\n", size + 1), format!("{first}\n"));
    let check = async |answers: &[Result<(u16, &str), &str>], words: &str, refused: bool| {
        for answer in answers {
            world.answer(*answer);
        }
        assert!(!desk.round().await, "{words}");
        let standing = desk.checkpoints.witnesses().standings().remove(0);
        assert!(standing.trouble.as_ref().unwrap().contains(words), "{standing:?} has not {words}");
        assert_eq!((standing.refused, standing.records), (refused, Some(first)), "{words}");
        assert_eq!(desk.witnessed(&[1]), (first, 1), "{words}: what was seen stays");
        let kept: Vec<Standing> = serde_json::from_str(world.0.lock().unwrap().standings.as_ref().unwrap()).unwrap();
        assert_eq!(kept, [standing]);
    };
    check(&[Err("the cable is out")], "the cable is out", false).await;
    check(&[Ok((404, "no\n"))], "no witness of this log (404)", false).await;
    check(&[Ok((403, ""))], "does not know this log's key", false).await;
    check(&[Ok((500, "\u{1b}[31mred\nmore"))], "500: [31mred", false).await;
    check(&[Ok((302, ""))], "302", false).await;
    check(&[Ok((200, "thanks"))], "no line of a signature", false).await;
    check(&[Ok((200, &stranger))], "not signed by the key", false).await;
    check(&[Ok((409, "many"))], "409 without a size", false).await;
    check(&[Ok((409, "1\n")), Ok((409, "0\n"))], "409 whatever", false).await;
    check(&[Ok((409, &larger))], &format!("seen {} records of this log, which has {size}", size + 1), true).await;
    check(&[Ok((409, &same))], &format!("seen {first} other records"), true).await;
    check(&[Ok((422, ""))], &format!("seen {first} other records"), true).await;
    desk.write(1).await;
    assert!(desk.round().await);
    assert_eq!((desk.witnessed(&[1]), desk.checkpoints.witnesses().standings()[0].trouble.clone()), ((desk.signed(), 1), None));
}

#[tokio::test]
async fn one_witness_that_is_gone_hides_neither_the_other_nor_what_both_saw() {
    let world = World::of(&[1, 2]);
    let desk = Desk::new(&world, &[1, 2]).await;
    desk.round().await;
    let both = desk.signed();
    desk.write(1).await;
    let newest = desk.checkpoints.newest().unwrap();
    let witnesses = desk.checkpoints.witnesses();
    // While all are being asked, a note with fewer cosignatures waits; once all were, it is the newest.
    let one = cosigner(1).cosign(&newest.checkpoint, Seconds::new(NOW).unwrap());
    let mut note = newest.note.clone();
    note.add(one);
    witnesses.offer(&note, false);
    assert_eq!(desk.witnessed(&[1, 2]), (both, 2));
    world.0.lock().unwrap().witnesses.pop();
    assert!(!desk.round().await);
    assert_eq!(desk.witnessed(&[1, 2]), (desk.signed(), 1));
    assert_eq!(seen(&witnesses.standings(), NOW), "Seen by 1 of 2 Hives, 0 s ago");
}

#[tokio::test]
async fn cosignatures_of_an_older_checkpoint_are_not_put_on_a_newer() {
    let world = World::of(&[1]);
    let desk = Desk::new(&world, &[1]).await;
    let old = desk.checkpoints.newest().unwrap();
    desk.write(1).await;
    assert!(desk.checkpoints.witnesses().round(&desk.engine, &desk.checkpoints, &old).await);
    assert_eq!(desk.checkpoints.newest().unwrap().note.signatures().len(), 1);
    assert_eq!(desk.witnessed(&[1]), (old.checkpoint.size, 1));
}
