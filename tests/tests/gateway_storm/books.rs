//! An auditor's own books of one citizen and the providers, kept from the exported journal record by record.

use std::collections::BTreeMap;

use lab3_tests::amount::ks;
use lab3_tests::gateway::PLAYED;
use lab3_tests::{Journal, Record};
use serde_json::Value;

use crate::call::QUERY_TOKENS;
use crate::{CITIZEN, ON_THE_WAY_MAX};

/// What a journal comes to, in KS where nothing else is said.
#[derive(Debug, Default)]
pub struct Books {
    balances: BTreeMap<String, i64>,
    /// Open holds by id.
    holds: BTreeMap<String, i64>,
    /// What the citizen paid.
    pub spent: i64,
    /// What the Hive paid: words that came before an answer could be ended for which no more could be held.
    pub hive: i64,
    /// Tokens of answers that were paid for by what was counted, by provider.
    pub paid_tokens: BTreeMap<String, i64>,
    /// Tokens of answers that charged leases would have paid for, by provider.
    pub lease_tokens: BTreeMap<String, i64>,
    /// Answers of which the desk counted what came, for they were not whole, by provider.
    pub broken_off: BTreeMap<String, i64>,
    /// Queries settled, and of these leases that were charged.
    pub settled: u64,
    pub leases: i64,
}

impl Books {
    /// Replays a journal under a budget: after no record is more held and spent than that, and every settlement costs what was used.
    pub fn of(journal: &Journal, budget: i64) -> Self {
        let mut books = Self::default();
        for record in &journal.0 {
            books.take(record);
            let (held, balance) = (books.held(), books.balance(CITIZEN));
            assert!(held >= 0 && balance >= held, "below zero after record {}: {books:?}", record.sequence);
            assert!(held + books.spent <= budget, "more than the budget of {budget} after record {}: {books:?}", record.sequence);
        }
        let earned = PLAYED.iter().map(|played| books.balance(&format!("hive:provider/{}", played.name))).sum::<i64>();
        assert_eq!(earned, books.spent + books.hive, "what the providers earned: {books:?}");
        assert_eq!(books.balances.values().sum::<i64>(), 0, "{books:?}");
        books
    }

    /// What is held.
    pub fn held(&self) -> i64 {
        self.holds.values().sum()
    }

    fn balance(&self, name: &str) -> i64 {
        self.balances.get(name).copied().unwrap_or(0)
    }

    fn take(&mut self, record: &Record) {
        let (mut charged, mut hive) = (0, 0);
        for (_, from, to, amount, _) in record.moves().filter(|(asset, ..)| *asset == "compute MIC") {
            *self.balances.entry(from.to_owned()).or_default() -= amount;
            *self.balances.entry(to.to_owned()).or_default() += amount;
            if to.starts_with("hive:provider/") {
                *(if from == CITIZEN { &mut charged } else { &mut hive }) += amount;
            }
        }
        self.spent += charged;
        self.hive += hive;
        let mut freed = 0;
        for entry in &record.entries {
            freed += self.hold(entry, record.sequence);
        }
        if record.fact == "settled" {
            self.settle(record, charged, hive, freed);
        }
    }

    /// Enters what an entry does to a hold; what is no longer held after it.
    fn hold(&mut self, entry: &Value, sequence: u64) -> i64 {
        let kind = entry["entry"].as_str().unwrap_or_default();
        if !kind.starts_with("hold_") {
            return 0;
        }
        let id = entry["hold"].as_str().unwrap().to_owned();
        match kind {
            "hold_placed" => {
                let before = self.holds.insert(id, ks(&entry["amount"]));
                assert_eq!(before, None, "record {sequence} places a hold again");
                0
            }
            "hold_extended" => {
                *self.holds.get_mut(&id).unwrap_or_else(|| panic!("record {sequence} extends no hold")) += ks(&entry["amount"]);
                0
            }
            _ => {
                let held = self.holds.remove(&id).unwrap_or_else(|| panic!("record {sequence} ends a hold a second time"));
                assert_eq!(held, ks(&entry["held"]), "record {sequence}: what the hold had set aside");
                held
            }
        }
    }

    /// A settlement explains every KS it moves: by what was used, or by a lease that nobody settled.
    fn settle(&mut self, record: &Record, charged: i64, hive: i64, held: i64) {
        let settled = &record.detail["Compute"]["Settled"];
        let provider = settled["reported"]["provider"].as_str().unwrap();
        let rate = PLAYED.iter().find(|played| played.name == provider).unwrap().rate;
        let tokens = |name: &str| settled["usage"][name].as_i64().unwrap();
        self.settled += 1;
        if settled["counted"] == "Lease" {
            self.leases += 1;
            assert_eq!((charged, hive), (held, 0), "record {}: a lease is charged what it held", record.sequence);
            *self.lease_tokens.entry(provider.to_owned()).or_default() += charged / rate - QUERY_TOKENS;
            return;
        }
        let used = rate * (tokens("input") + tokens("output"));
        assert_eq!(charged + hive, used, "record {}: {settled}", record.sequence);
        let is_cut = settled["counted"] == "Estimate" && hive <= rate * ON_THE_WAY_MAX;
        assert!(hive == 0 || is_cut, "record {}: more was used than was held: {settled}", record.sequence);
        *self.paid_tokens.entry(provider.to_owned()).or_default() += tokens("output");
        *self.broken_off.entry(provider.to_owned()).or_default() += i64::from(settled["counted"] == "Estimate");
    }
}

/// A journal of one citizen who was granted so much, in MIC, and of these holds.
fn journal(granted: u32, holds: &[u32]) -> Journal {
    let entry = |what: &str, from: &str, to: &str, mic: u32, hold: usize| {
        serde_json::json!({
            "entry": what, "from": from, "to": to, "asset": "compute MIC", "amount": mic.to_string(), "kind": "allowance",
            "hold": format!("al_{hold}"),
        })
    };
    let grant = entry("transferred", "hive:compute", CITIZEN, granted, 0);
    let placed = holds.iter().enumerate().map(|(at, &mic)| entry("hold_placed", CITIZEN, "", mic, at));
    let line = |(sequence, entry): (u64, Value)| {
        let id = sequence.to_string();
        serde_json::json!({ "sequence": sequence, "id": id, "fact": "made up", "detail": {}, "entries": [entry] }).to_string()
    };
    Journal::read(&(1..).zip(std::iter::once(grant).chain(placed)).map(line).collect::<Vec<_>>().join("\n"))
}

#[test]
#[should_panic(expected = "below zero after record 3")]
fn the_proof_sees_a_hold_on_what_is_not_there() {
    Books::of(&journal(100, &[60, 50]), 200_000_000);
}

#[test]
#[should_panic(expected = "more than the budget of 100000000 after record 4")]
fn the_proof_sees_more_than_the_budget() {
    Books::of(&journal(200, &[60, 40, 1]), 100_000_000);
}
