//! A quota storm: 256 clients at once on one citizen, who allocate, report, release and forget.
//!
//! Shown: what is held and what is spent together never exceed the month's 100 MIC, at any instant, and nothing is below zero: by looking
//! all the while, and afterwards for every record by replaying the exported journal with an auditor's own arithmetic; and the final
//! books explain every KS: what the citizen paid and what the Hive paid is what the providers earned. It fails when a limit is
//! checked against an old balance, a settlement takes what another hold has set aside, a hold ends twice, or an expiry is lost.
//!
//! `LAB3_STORM_ROUNDS` sets how many storms (1).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "outside of #[test] functions clippy does not see that this is a test"
)]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use lab3_tests::amount::{ks, mic};
use lab3_tests::money::QUOTA_KS;
use lab3_tests::write::{ALLOCATE, REPORT, release};
use lab3_tests::{Client, Desk, Dice, Folder, Journal, Record, setting, wait};
use serde_json::{Value, json};

const CITIZEN: &str = "did:kaizen:alice";
const QUOTA: &str = "/lab3/compute/quota/did:kaizen:alice";
const CLIENTS: u64 = 256;
const WRITES_EACH: u32 = 30;

#[test]
fn a_storm_on_a_fresh_allowance() {
    (0..setting("LAB3_STORM_ROUNDS", 1)).for_each(|round| storm("fresh", 0, round));
}

#[test]
fn a_storm_on_an_allowance_nearly_exhausted() {
    (0..setting("LAB3_STORM_ROUNDS", 1)).for_each(|round| storm("exhausted", 99_500_000, round));
}

/// What the replies of one client add up to.
#[derive(Debug, Default)]
struct Paid {
    charged: i64,
    hive: i64,
    reports: u64,
    refused: u64,
}

/// A storm after so many KS were used, with dice of its own in every round.
fn storm(name: &str, used_before: i64, round: u64) {
    let folder = Folder::new(name);
    let data = folder.at("data");
    let desk = Desk::open_with(&data, &["--set", "compute.hold_seconds=1"]);
    let period = desk.client().ask(QUOTA)["period"].clone();
    let body = json!({ "citizen_did": CITIZEN, "provider": "deepseek", "actual_cost": mic(used_before), "success": true });
    let before = desk.client().write(REPORT, None, &body);
    let mut paid = blow(&desk, round);
    paid.charged += ks(&before["charged_gic"]);
    let client = desk.client();
    let quota = wait::until("every hold to have ended", || Some(look(&client)).filter(|quota| ks(&quota["held_gic"]) == 0));
    if quota["period"] != period {
        lab3_tests::skip(&format!("storm::{name}"), "the month ended during the storm, so there were two allowances; run it again");
        return;
    }
    assert_eq!(ks(&quota["used_gic"]), paid.charged, "{paid:?}");
    desk.stop();
    let journal = Journal::of(&data);
    let facts = journal.facts();
    assert!(["allocated", "reported", "released", "expired"].iter().all(|fact| facts.contains_key(fact)), "too calm: {facts:?}");
    println!("{name}: {paid:?}, {facts:?}");
    prove(&journal, &paid);
}

/// All clients at once, and one who looks all the while.
fn blow(desk: &Desk, round: u64) -> Paid {
    let calm = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watching = scope.spawn(|| {
            let client = desk.client();
            while !calm.load(Ordering::Acquire) {
                look(&client);
            }
        });
        let clients = (0..CLIENTS).map(|no| scope.spawn(move || write(&desk.client(), round * CLIENTS + no))).collect::<Vec<_>>();
        let mut sums = clients.into_iter().map(std::thread::ScopedJoinHandle::join);
        let sum = sums.try_fold(Paid::default(), |sum, paid| {
            let paid = paid?;
            let (charged, hive) = (sum.charged + paid.charged, sum.hive + paid.hive);
            Ok(Paid { charged, hive, reports: sum.reports + paid.reports, refused: sum.refused + paid.refused })
        });
        calm.store(true, Ordering::Release);
        watching.join().unwrap();
        sum.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Looks at the allowance: it must be whole, and nothing below zero.
fn look(client: &Client) -> Value {
    let quota = client.ask(QUOTA);
    let parts = ["quota_remaining_gic", "held_gic", "used_gic"].map(|name| ks(&quota[name]));
    assert!(parts.iter().all(|&part| part >= 0) && parts.iter().sum::<i64>() == QUOTA_KS, "{quota}");
    quota
}

/// One client: allocates, and reports, releases or forgets what it allocated.
fn write(client: &Client, no: u64) -> Paid {
    let (mut dice, mut paid) = (Dice::new(no), Paid::default());
    let mut open: Vec<(String, String, i64)> = Vec::new();
    for at in 0..WRITES_EACH {
        let key = format!("storm-{no}-{at}");
        match (dice.below(10), open.pop()) {
            (0..4, Some((allocation, provider, cost))) => {
                let body = report(&mut dice, &allocation, &provider, cost);
                let reply = client.post(REPORT, Some(&key), &body).unwrap();
                paid.count(reply.status, &reply.body);
            }
            (4, Some((allocation, ..))) => paid.tolerate(client.post(&release(&allocation), Some(&key), &json!({})).unwrap().status),
            // Forgotten: it expires.
            (5, Some(_)) => {}
            (_, last) => {
                open.extend(last);
                let tokens = 1 + dice.below(12_000);
                let body = json!({ "citizen_did": CITIZEN, "query_tokens": tokens, "priority": "quality_optimized" });
                let reply = client.post(ALLOCATE, Some(&key), &body).unwrap();
                paid.tolerate(reply.status);
                if reply.status == 200 {
                    let text = |name: &str| reply.body[name].as_str().unwrap().to_owned();
                    open.push((text("allocation_id"), text("provider"), ks(&reply.body["estimated_cost_gic"])));
                }
            }
        }
    }
    paid
}

/// A report of up to twice the estimate; sometimes the query failed, sometimes the allocation is not named.
fn report(dice: &mut Dice, allocation: &str, provider: &str, cost: i64) -> Value {
    let actual = i64::from(dice.below(u32::try_from(2 * cost).unwrap() + 1));
    let mut body = json!({ "citizen_did": CITIZEN, "provider": provider, "actual_cost": mic(actual), "success": dice.below(20) != 0 });
    if dice.below(4) != 0 {
        body["allocation_id"] = allocation.into();
    }
    body
}

impl Paid {
    fn count(&mut self, status: u16, reply: &Value) {
        self.tolerate(status);
        if status == 200 {
            self.reports += 1;
            self.charged += ks(&reply["charged_gic"]);
            self.hive += ks(&reply["hive_paid_gic"]);
        }
    }

    /// An allocation that has ended, too many open ones, a desk too busy: refusals a storm may meet.
    fn tolerate(&mut self, status: u16) {
        assert!(matches!(status, 200 | 409 | 429 | 503), "answered with {status}");
        self.refused += u64::from(status != 200);
    }
}

/// The auditor's own books of the citizen, record by record.
#[derive(Debug, Default)]
struct Books {
    balances: BTreeMap<String, i64>,
    placed: BTreeMap<String, i64>,
    held: i64,
    spent: i64,
    hive: i64,
}

/// Replays the journal: the limits hold after every record, and the end explains every KS.
fn prove(journal: &Journal, paid: &Paid) {
    let mut books = Books::default();
    for record in &journal.0 {
        books.take(record);
        let balance = books.balances.get(CITIZEN).copied().unwrap_or(0);
        assert!(books.held >= 0 && balance >= books.held, "below zero after record {}: {books:?}", record.sequence);
        assert!(books.held + books.spent <= QUOTA_KS, "more than the month's allowance after record {}: {books:?}", record.sequence);
    }
    assert_eq!((books.held, books.spent, books.hive), (0, paid.charged, paid.hive), "{paid:?}");
    assert_eq!(books.balances[CITIZEN], QUOTA_KS - paid.charged);
    let earned = books.balances.iter().filter(|(name, _)| name.starts_with("hive:provider/")).map(|(_, ks)| ks).sum::<i64>();
    assert_eq!(earned, paid.charged + paid.hive, "what providers earned");
    // The issuer and the expense account have one owner: what was granted, and what the Hive paid.
    assert_eq!(books.balances["hive:compute"], -QUOTA_KS - paid.hive);
    assert_eq!(books.balances.values().sum::<i64>(), 0, "{books:?}");
}

impl Books {
    fn take(&mut self, record: &Record) {
        for (asset, from, to, amount, _) in record.moves().filter(|(asset, ..)| *asset == "compute MIC") {
            *self.balances.entry(from.to_owned()).or_default() -= amount;
            *self.balances.entry(to.to_owned()).or_default() += amount;
            let to_provider = to.starts_with("hive:provider/");
            self.spent += if from == CITIZEN && to_provider { amount } else { 0 };
            self.hive += if from == "hive:compute" && to_provider { amount } else { 0 };
            assert_eq!(asset, "compute MIC");
        }
        for entry in &record.entries {
            match entry["entry"].as_str() {
                Some("hold_placed") => {
                    self.placed.insert(record.id.clone(), ks(&entry["amount"]));
                    self.held += ks(&entry["amount"]);
                }
                Some("hold_settled") => {
                    let id = record.detail["Compute"]["Reported"]["allocation"].as_str().unwrap();
                    self.held -= self.placed[id];
                }
                Some("hold_released" | "hold_expired") => self.held -= ks(&entry["amount"]),
                _ => {}
            }
        }
    }
}

/// A journal of one citizen who was granted so much, in MIC, and of these holds.
fn journal(granted: u32, holds: &[u32]) -> Journal {
    let entry = |what: &str, from: &str, to: &str, mic: u32| json!({ "entry": what, "from": from, "to": to, "asset": "compute MIC", "amount": mic.to_string(), "kind": "allowance" });
    let grant = entry("transferred", "hive:compute", CITIZEN, granted);
    let entries = std::iter::once(grant).chain(holds.iter().map(|&mic| entry("hold_placed", CITIZEN, "", mic)));
    let line = |(sequence, entry): (u64, Value)| {
        json!({ "sequence": sequence, "id": sequence.to_string(), "fact": "made up", "detail": {}, "entries": [entry] }).to_string()
    };
    Journal::read(&(1..).zip(entries).map(line).collect::<Vec<_>>().join("\n"))
}

#[test]
#[should_panic(expected = "below zero after record 3")]
fn the_proof_sees_a_hold_on_what_is_not_there() {
    prove(&journal(100, &[60, 50]), &Paid::default());
}

#[test]
#[should_panic(expected = "more than the month's allowance after record 4")]
fn the_proof_sees_more_than_the_allowance() {
    prove(&journal(200, &[60, 40, 1]), &Paid::default());
}
