//! The books kept a second time, by the clients: what the acknowledged writes, and nothing else, must have done.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::amount::ks;
use crate::money::{POOL_KS, fee};
use crate::write::{ALLOCATE, CONTRIBUTE, Done, GRANT, MINT, REPORT, TRANSFER, TRANSFERS};

/// What the acknowledged writes add up to, in KS. Their order does not matter.
#[derive(Debug, Default)]
pub struct Tally {
    /// Wallets by DID.
    pub wallets: BTreeMap<String, i64>,
    /// What the PublicGoodsPool has gained since genesis.
    pub pool_gained: i64,
    /// New money.
    pub minted: i64,
    /// Compute by DID: held and used.
    pub quotas: BTreeMap<String, (i64, i64)>,
    /// What providers have earned.
    pub earned: BTreeMap<String, i64>,
    /// Open allocations: whose, and how much.
    pub open: BTreeMap<String, (String, i64)>,
    /// Journal records the replies name, with the word for what they are about.
    pub sequences: BTreeMap<u64, &'static str>,
    /// Records that stand for refusals and for batches; their replies name no record.
    pub refused: u64,
    /// Batches that were noted under their key.
    pub batches: u64,
}

impl Tally {
    /// Counts every write of these.
    pub fn of<'a>(done: impl IntoIterator<Item = &'a Done>) -> Self {
        let mut tally = Self::default();
        done.into_iter().for_each(|done| tally.count(done));
        tally
    }

    /// What the pool must hold.
    pub fn pool(&self) -> i64 {
        POOL_KS + self.pool_gained
    }

    fn count(&mut self, done: &Done) {
        if done.status != 200 {
            self.refused += 1;
            return;
        }
        let (asked, reply) = (&done.write.body, &done.reply);
        match done.write.path.as_str() {
            MINT => {
                self.record(reply, "minted");
                self.minted += ks(&asked["amount"]);
                self.add(&asked["to_did"], ks(&asked["amount"]));
            }
            TRANSFER => self.transferred(asked, reply),
            TRANSFERS => self.batch(asked, reply),
            GRANT => {
                self.record(reply, "granted");
                self.pool_gained -= ks(&asked["amount"]);
                self.add(&asked["recipient_did"], ks(&asked["amount"]));
            }
            CONTRIBUTE => {
                self.record(reply, "contributed");
                self.pool_gained += ks(&asked["amount"]);
                self.add(&asked["from_did"], -ks(&asked["amount"]));
            }
            ALLOCATE => self.allocated(asked, reply),
            REPORT => self.reported(asked, reply),
            _ => self.released(reply),
        }
    }

    fn batch(&mut self, asked: &Value, reply: &Value) {
        let atomic = asked["atomic"].as_bool() == Some(true);
        let (items, results) = (asked["transfers"].as_array().unwrap(), reply["results"].as_array().unwrap());
        assert_eq!(items.len(), results.len(), "{reply}");
        let done = results.iter().filter(|result| result["status"] == "ok").count();
        let counts = ["accepted", "rejected"].map(|name| usize::try_from(reply[name].as_u64().unwrap()).unwrap());
        assert_eq!(counts, [done, items.len() - done], "{reply}");
        self.batches += u64::from(!atomic);
        for (item, result) in items.iter().zip(results) {
            match result["status"].as_str() {
                Some("ok") => self.transferred(item, result),
                _ => self.refused += 1,
            }
        }
        let sequences = results.iter().filter_map(|result| result["sequence"].as_u64()).collect::<std::collections::BTreeSet<_>>();
        assert_eq!(sequences.len(), if atomic { 1 } else { done }, "records of {reply}");
    }

    fn transferred(&mut self, asked: &Value, reply: &Value) {
        let amount = ks(&asked["amount"]);
        assert_eq!((ks(&reply["amount_gic"]), ks(&reply["fee_gic"])), (amount, fee(amount)), "{asked} was answered {reply}");
        self.record(reply, "transferred");
        self.add(&asked["from_did"], -amount - fee(amount));
        self.add(&asked["to_did"], amount);
        self.pool_gained += fee(amount);
    }

    fn allocated(&mut self, asked: &Value, reply: &Value) {
        self.record(reply, "allocated");
        let (did, held) = (asked["citizen_did"].as_str().unwrap().to_owned(), ks(&reply["estimated_cost_gic"]));
        self.quotas.entry(did.clone()).or_default().0 += held;
        self.open.insert(text(&reply["allocation_id"]), (did, held));
    }

    /// Workers ask their own citizens' allocations to be settled, in order, for less than the month's allowance.
    fn reported(&mut self, asked: &Value, reply: &Value) {
        self.record(reply, "reported");
        let (did, held) = self.open.remove(&text(&asked["allocation_id"])).expect("a report settled what was not allocated");
        let cost = ks(&asked["actual_cost"]);
        assert_eq!((ks(&reply["charged_gic"]), ks(&reply["overrun_gic"])), (cost, 0), "{asked} was answered {reply}");
        let quota = self.quotas.entry(did).or_default();
        *quota = (quota.0 - held, quota.1 + cost);
        *self.earned.entry(text(&asked["provider"])).or_default() += cost;
    }

    fn released(&mut self, reply: &Value) {
        self.record(reply, "released");
        let (did, held) = self.open.remove(&text(&reply["allocation_id"])).expect("a release ended what was not allocated");
        assert_eq!(ks(&reply["released_gic"]), held, "{reply}");
        self.quotas.entry(did).or_default().0 -= held;
    }

    fn record(&mut self, reply: &Value, fact: &'static str) {
        let sequence = reply["sequence"].as_u64().unwrap_or_else(|| panic!("no sequence in {reply}"));
        let other = self.sequences.insert(sequence, fact);
        // Items of an atomic batch share a record; nothing else does.
        assert!(other.is_none_or(|other| (other, fact) == ("transferred", "transferred")), "record {sequence} answers for two writes");
    }

    fn add(&mut self, did: &Value, ks: i64) {
        *self.wallets.entry(text(did)).or_default() += ks;
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}
