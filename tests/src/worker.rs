//! Clients that write without end, keep what was acknowledged, and repeat under the same key what they do not know the outcome of.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde_json::{Value, json};

use crate::amount::{ks, mic};
use crate::write::{ALLOCATE, CONTRIBUTE, Done, GRANT, MINT, REPORT, TRANSFER, TRANSFERS, Write, release, transfer};
use crate::{Client, Dice, Reply, wait};

/// Wallets everybody writes to, so that workers meet.
const WALLETS: u32 = 24;

/// Acknowledged writes a worker repeats when it finds a new desk: the ones that had just been answered when the old one went.
const REPEATED: usize = 3;

/// Allocations for one citizen, so that no month's allowance runs out and every hold is what was estimated.
const ALLOCATIONS_EACH: u64 = 3000;

/// One client who writes without end.
pub struct Worker {
    name: String,
    dice: Dice,
    made: u64,
    pending: Option<Write>,
    open: VecDeque<(String, String, String, i64)>,
    allocated: u64,
    /// What was answered for good.
    pub done: Vec<Done>,
}

/// What all workers saw together.
#[derive(Debug, Default)]
pub struct Counts {
    /// Writes answered for good.
    pub acknowledged: AtomicU64,
    /// Answers 503.
    pub unavailable: AtomicU64,
    /// Requests without an answer.
    pub lost: AtomicU64,
}

/// Several workers.
pub struct Workers {
    workers: Vec<Worker>,
    /// What they saw.
    pub counts: Counts,
}

impl Workers {
    /// So many workers, whose doing follows from the seed.
    pub fn new(many: u32, seed: u64) -> Self {
        let worker = |no: u32| Worker {
            name: format!("worker{no}"),
            dice: Dice::new(seed ^ (u64::from(no) << 32)),
            made: 0,
            pending: None,
            open: VecDeque::new(),
            allocated: 0,
            done: Vec::new(),
        };
        Self { workers: (0..many).map(worker).collect(), counts: Counts::default() }
    }

    /// All write to the desk while `meanwhile` runs, and until they notice that it has returned or the desk has gone.
    pub fn write_while<T>(&mut self, address: &str, meanwhile: impl FnOnce(&Counts) -> T) -> T {
        let stop = AtomicBool::new(false);
        let Self { workers, counts } = self;
        std::thread::scope(|scope| {
            for worker in workers {
                scope.spawn(|| worker.write(address, &stop, counts));
            }
            let stops = Stops(&stop);
            let seen = meanwhile(counts);
            drop(stops);
            seen
        })
    }

    /// Every write whose outcome is unknown is repeated until it is known.
    pub fn resolve(&mut self, client: &Client) {
        for worker in &mut self.workers {
            while let Some(write) = worker.pending.take() {
                let reply =
                    wait::until("an answer for good", || client.post(&write.path, Some(&write.key), &write.body).ok().filter(final_));
                worker.acknowledge(write, &reply);
            }
        }
    }

    /// Everything that was acknowledged.
    pub fn done(&self) -> Vec<&Done> {
        self.workers.iter().flat_map(|worker| &worker.done).collect()
    }
}

/// Stops the workers also when the test fails meanwhile.
struct Stops<'a>(&'a AtomicBool);

impl Drop for Stops<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Whether a reply is the last word: done, or refused by a rule.
fn final_(reply: &Reply) -> bool {
    assert!(matches!(reply.status, 200 | 402 | 503), "an unexpected answer: {reply:?}");
    reply.status != 503
}

impl Worker {
    fn write(&mut self, address: &str, stop: &AtomicBool, counts: &Counts) {
        let client = Client::new(address);
        if !self.repeat(&client) {
            return;
        }
        while !stop.load(Ordering::Acquire) {
            let write = self.pending.take().unwrap_or_else(|| self.think());
            match client.post(&write.path, Some(&write.key), &write.body) {
                Ok(reply) if final_(&reply) => {
                    counts.acknowledged.fetch_add(1, Ordering::Relaxed);
                    self.acknowledge(write, &reply);
                }
                Ok(reply) => {
                    check_unavailable(&reply);
                    counts.unavailable.fetch_add(1, Ordering::Relaxed);
                    self.pending = Some(write);
                    std::thread::sleep(wait::LOOK_EVERY);
                }
                Err(_) => {
                    counts.lost.fetch_add(1, Ordering::Relaxed);
                    self.pending = Some(write);
                    return;
                }
            }
        }
    }

    /// Repeats the last acknowledged writes: each must be answered as before. False when the desk has gone again.
    fn repeat(&self, client: &Client) -> bool {
        self.done.iter().rev().take(REPEATED).all(|done| match client.post(&done.write.path, Some(&done.write.key), &done.write.body) {
            Ok(reply) if reply.status == 503 => true,
            Ok(reply) => {
                check_same(done, &reply);
                true
            }
            Err(_) => false,
        })
    }

    fn acknowledge(&mut self, write: Write, reply: &Reply) {
        if write.path == ALLOCATE && reply.status == 200 {
            let text = |name: &str| reply.body[name].as_str().unwrap().to_owned();
            let citizen = write.body["citizen_did"].as_str().unwrap().to_owned();
            self.open.push_back((text("allocation_id"), citizen, text("provider"), ks(&reply.body["estimated_cost_gic"])));
        }
        self.done.push(Done { write, status: reply.status, reply: reply.body.clone() });
    }

    /// The next write.
    fn think(&mut self) -> Write {
        self.made += 1;
        let key = format!("{}-{}", self.name, self.made);
        if self.made <= 3 {
            return Write::new(key, MINT, json!({ "to_did": self.wallet(), "amount": 2, "reason": "to begin with" }));
        }
        match self.dice.below(100) {
            0..45 => Write::new(key.clone(), TRANSFER, self.transfer(&key)),
            45..55 => self.batch(key),
            55..75 => self.allocate(key),
            75..91 => self.settle(key),
            91..94 => self.release(key),
            94..97 => {
                let body = json!({ "recipient_did": self.wallet(), "amount": "0.01", "project": key });
                Write::new(key, GRANT, body)
            }
            _ => {
                let body = json!({ "from_did": self.wallet(), "amount": mic(self.amount()), "reason": key });
                Write::new(key, CONTRIBUTE, body)
            }
        }
    }

    fn wallet(&mut self) -> String {
        format!("did:kaizen:wallet{}", self.dice.below(WALLETS))
    }

    /// Mostly small, sometimes more than anybody has.
    fn amount(&mut self) -> i64 {
        let most = if self.dice.below(30) == 0 { 2_000_000_000 } else { 400_000 };
        i64::from(self.dice.below(most)) + 1
    }

    fn transfer(&mut self, reason: &str) -> Value {
        let from = self.dice.below(WALLETS);
        let to = (from + 1 + self.dice.below(WALLETS - 1)) % WALLETS;
        transfer(&format!("did:kaizen:wallet{from}"), &format!("did:kaizen:wallet{to}"), self.amount(), reason)
    }

    fn batch(&mut self, key: String) -> Write {
        let many_max = if self.dice.below(20) == 0 { 600 } else { 30 };
        let many = 1 + self.dice.below(many_max);
        let (atomic, own_ids) = (self.dice.below(4) == 0, self.dice.below(2) == 0);
        let mut items = Vec::new();
        for item in 0..many {
            let name = format!("{key}-{item}");
            let mut body = self.transfer(&name);
            if own_ids {
                body["id"] = name.into();
            }
            items.push(body);
        }
        Write::new(key, TRANSFERS, json!({ "transfers": items, "atomic": atomic }))
    }

    fn allocate(&mut self, key: String) -> Write {
        let citizen = format!("did:kaizen:{}-{}", self.name, self.allocated / ALLOCATIONS_EACH);
        self.allocated += 1;
        let priority = ["standard", "cost_optimized", "latency_optimized", "quality_optimized"][self.dice.below(4) as usize];
        let tokens = 1 + self.dice.below(1000);
        Write::new(key, ALLOCATE, json!({ "citizen_did": citizen, "query_tokens": tokens, "priority": priority }))
    }

    fn settle(&mut self, key: String) -> Write {
        let Some((allocation, citizen, provider, cost)) = self.open.pop_front() else { return self.allocate(key) };
        let actual = i64::from(self.dice.below(u32::try_from(2 * cost).unwrap() + 1));
        let body = json!({
            "citizen_did": citizen, "provider": provider, "actual_cost": mic(actual), "success": true, "allocation_id": allocation,
        });
        Write::new(key, REPORT, body)
    }

    fn release(&mut self, key: String) -> Write {
        let Some((allocation, ..)) = self.open.pop_back() else { return self.allocate(key) };
        Write::new(key, &release(&allocation), json!({}))
    }
}

/// A 503 is a problem document that says when to come back.
fn check_unavailable(reply: &Reply) {
    let code = reply.body["code"].as_str().unwrap_or_default();
    let known = ["L3-0090", "L3-0091", "L3-0092", "L3-0093", "L3-0095"].contains(&code);
    let right = known && reply.content_type == "application/problem+json" && reply.retry_after.is_some();
    assert!(right, "not a 503 as it should be: {reply:?}");
}

/// The same key again is answered as before.
pub(crate) fn check_same(done: &Done, again: &Reply) {
    assert_eq!((again.status, &again.body), (done.status, &done.reply), "asked again, {:?} was answered otherwise", done.write);
    // A refusal and a batch are not marked; everything else says that it was done before.
    let marked = done.status != 200 || done.write.path == TRANSFERS || again.replayed;
    assert!(marked, "asked again, {:?} was done again: {again:?}", done.write);
}
