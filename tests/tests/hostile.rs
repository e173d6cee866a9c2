//! A closed desk under senders who mean it ill: heads and bodies that come byte by byte, answers that are hardly taken (`slowhttptest`
//! from Debian), wrong keys and connections without end.
//!
//! Shown: meanwhile every honest request is answered well, on a connection that is kept and on new ones; the desk's memory stays under
//! the cap that docs/operating.md states; and who is slow is left.
//!
//! `LAB3_HOSTILE_SECONDS` sets how long each attack lasts (18; 150 in `make faults`), `LAB3_HOSTILE_CONNECTIONS` with how many (400).

#![allow(clippy::unwrap_used, clippy::panic, reason = "outside of #[test] functions clippy does not see that this is a test")]

use std::sync::atomic::{AtomicU64, Ordering};

use lab3_tests::hostile::{self, Attack, Slow, Stop};
use lab3_tests::{Desk, Folder, setting, skip, wait};
use serde_json::{Value, json};
use ureq::Agent;

const ALICE: &str = "did:kaizen:alice";
const BOB: &str = "did:kaizen:bob";

/// What one connection takes of the desk's memory at most while it is being slow, in bytes.
const CONNECTION_BYTES_MAX: u64 = 192 << 10;

/// What honest requests in between take: the journal's caches, buffers of the allocator.
const USUAL_BYTES: u64 = 64 << 20;

/// Somebody with a key who asks and pays, and is answered well each time.
struct Honest {
    key: String,
    url: String,
    kept: Agent,
    answered: u64,
}

impl Honest {
    fn of(desk: &Desk, key: String) -> Self {
        Self { key, url: desk.url(), kept: agent(1), answered: 0 }
    }

    /// Asks and pays, on the connection that is kept and on a new one.
    fn go_on(&mut self) {
        for agent in [&self.kept.clone(), &agent(0)] {
            let bearer = format!("Bearer {}", self.key);
            let asked = agent.get(format!("{}/lab3/financial/balance/{ALICE}", self.url)).header("Authorization", &bearer).call();
            assert_eq!(asked.unwrap().status(), 200, "after {} requests", self.answered);
            let body = json!({ "from_did": ALICE, "to_did": BOB, "amount": 0.01 }).to_string();
            let request = agent.post(format!("{}/lab3/financial/transfer", self.url)).header("Authorization", &bearer);
            let mut paid = request.header("Content-Type", "application/json").send(body).unwrap();
            assert_eq!(paid.status(), 200, "after {} requests: {:?}", self.answered, paid.body_mut().read_to_string());
            self.answered += 2;
        }
    }
}

fn agent(kept: usize) -> Agent {
    let config = Agent::config_builder().http_status_as_error(false).max_idle_connections_per_host(kept).proxy(None);
    config.timeout_global(Some(wait::PATIENCE)).build().new_agent()
}

/// A closed desk, and alice's key.
fn closed(folder: &Folder, more: &[&str]) -> (Desk, String) {
    let arguments = more.iter().flat_map(|setting| ["--set", setting]).collect::<Vec<_>>();
    let desk = Desk::open_with(&folder.at("data"), &arguments);
    desk.client().mint(ALICE, 1_000_000);
    let body = json!({ "kind": "citizen", "did": ALICE, "scopes": ["read", "money", "keys"] });
    let key: Value = desk.client().write("/lab3/keys", None, &body);
    (desk, key["key"].as_str().unwrap().to_owned())
}

#[test]
fn who_is_slow_harms_nobody() {
    if let Some(why) = hostile::missing() {
        return skip("who_is_slow_harms_nobody", why);
    }
    let (seconds, connections) = (setting("LAB3_HOSTILE_SECONDS", 18), setting("LAB3_HOSTILE_CONNECTIONS", 400));
    for slow in Slow::ALL {
        let folder = Folder::new("hostile-slow");
        let (desk, key) = closed(&folder, &["log.level=warn"]);
        let mut honest = Honest::of(&desk, key);
        honest.go_on();
        let [before, _] = hostile::resident(desk.pid());
        let idle = hostile::sockets(desk.pid());
        let attack = Attack::begin(slow, &desk.url(), connections, seconds);
        let (became, open) = std::thread::scope(|scope| {
            let ended = scope.spawn(|| attack.end());
            let mut open = 0;
            loop {
                honest.go_on();
                let now = hostile::sockets(desk.pid());
                if ended.is_finished() {
                    break (ended.join().unwrap(), open);
                }
                open = now.saturating_sub(idle);
            }
        });
        let [_, most] = hostile::resident(desk.pid());
        let cap = before + USUAL_BYTES + connections * CONNECTION_BYTES_MAX;
        println!(
            "{slow:?}: {} honest requests, {became:?}, {open} open at the desk, {} MB at most, the cap is {} MB",
            honest.answered,
            most >> 20,
            cap >> 20
        );
        assert!(most <= cap, "{slow:?}: {most} bytes of memory");
        // Heads and bodies have some ten seconds, readers two minutes.
        let patience = if slow == Slow::Readers { 130 } else { 16 };
        assert!(seconds < patience || open <= connections / 20, "{slow:?} is not left: {open} are open, {became:?}");
        desk.stop();
    }
}

/// A second key of alice's, which is revoked.
fn revoked(desk: &Desk, key: &str) -> String {
    let post = |path: &str, body: Value| {
        let request = agent(0).post(format!("{}{path}", desk.url())).header("Authorization", format!("Bearer {key}"));
        let mut made = request.header("Content-Type", "application/json").send(body.to_string()).unwrap();
        let text = made.body_mut().read_to_string().unwrap();
        assert_eq!(made.status(), 200, "{path}: {text}");
        serde_json::from_str::<Value>(&text).unwrap()
    };
    let second = post("/lab3/keys", json!({ "kind": "citizen", "did": ALICE, "scopes": ["read"] }));
    post(&format!("/lab3/keys/{}/revoke", second["number"]), json!({ "reason": "for the test" }));
    second["key"].as_str().unwrap().to_owned()
}

#[test]
fn wrong_keys_without_end_harm_nobody() {
    let folder = Folder::new("hostile-keys");
    let (desk, key) = closed(&folder, &["log.level=warn"]);
    let mut honest = Honest::of(&desk, key.clone());
    honest.go_on();
    let [before, _] = hostile::resident(desk.pid());
    let head = |key: &str| format!("GET /lab3/financial/pool HTTP/1.1\r\nHost: desk\r\nAuthorization: Bearer {key}\r\n\r\n");
    // One that was revoked, and one with a typo.
    let wrong = [head(&revoked(&desk, &key)), head(&key.replace("citizen", "operator"))];
    let stop = Stop::default();
    let counts = std::thread::scope(|scope| {
        let floods = wrong.iter().map(|request| hostile::flood(scope, desk.address(), request, &stop)).collect::<Vec<_>>();
        for _ in 0..setting("LAB3_HOSTILE_TURNS", 100) {
            honest.go_on();
        }
        stop.now();
        floods.into_iter().map(|flood| flood.join().unwrap()).fold([0; 3], |sum, one| std::array::from_fn(|at| sum[at] + one[at]))
    });
    let [told, limited, other] = counts;
    let [_, most] = hostile::resident(desk.pid());
    println!("{told} wrong keys were told so, {limited} that they are too many, beside {} honest requests", honest.answered);
    assert!((60..1000).contains(&told) && limited > told && other == 0, "{counts:?}");
    assert!(most <= before + USUAL_BYTES, "{most} bytes of memory");
    let said = desk.said();
    assert!(said.matches("wrong keys").count() <= 10 && said.len() < 20_000, "the log grew:\n{}", &said[..said.len().min(2000)]);
    desk.stop();
}

#[test]
fn connections_without_end_harm_nobody_who_is_there() {
    let folder = Folder::new("hostile-crowd");
    // The crowd's and the honest one's address are the same here, so that his connection must be one he has.
    let (desk, key) = closed(&folder, &["log.level=warn", "limits.connections_per_address=300", "limits.connections_max=400"]);
    let bearer = format!("Bearer {key}");
    let kept = agent(1);
    let ask = || {
        let asked = kept.get(format!("{}/lab3/financial/balance/{ALICE}", desk.url())).header("Authorization", &bearer).call();
        let mut asked = asked.unwrap();
        assert_eq!(asked.status(), 200);
        asked.body_mut().read_to_string().unwrap();
    };
    ask();
    let [before, _] = hostile::resident(desk.pid());
    let stop = Stop::default();
    let opened = AtomicU64::new(0);
    std::thread::scope(|scope| {
        hostile::crowd(scope, desk.address(), 2000, &opened, &stop);
        // As long as it takes to be a crowd: more than one address may have.
        let mut turns = setting("LAB3_HOSTILE_TURNS", 100) * 20;
        while turns > 0 || opened.load(Ordering::Relaxed) <= 300 {
            ask();
            turns = turns.saturating_sub(1);
        }
        stop.now();
    });
    let [_, most] = hostile::resident(desk.pid());
    println!("{} connections were opened", opened.into_inner());
    assert!(most <= before + USUAL_BYTES + 400 * CONNECTION_BYTES_MAX, "{most} bytes of memory");
    // When they are gone there is room again.
    wait::until("room for a new connection", || {
        let asked = agent(0).get(format!("{}/lab3/health", desk.url())).call();
        asked.is_ok_and(|reply| reply.status() == 200).then_some(())
    });
    desk.stop();
}
