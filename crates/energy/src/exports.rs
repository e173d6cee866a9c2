//! Which hours of a meter's exports were shared: each once by one payer. And the latest sharings of each payer.

use std::collections::{BTreeMap, VecDeque};

use lab3_ledger::AccountNo;
use lab3_units::{Amount, Code, Id, Problem, Time};
use serde::{Deserialize, Serialize};

/// Separate times that one payer has shared, over all its meters. Times that touch are one.
const SPANS_OF_ONE_MAX: usize = 10_000;

/// The same, of all payers together.
const SPANS_MAX: usize = 1_000_000;

/// Sharings of a payer that are remembered as they were.
const LATEST_MAX: usize = 32;

/// What surplus earned was shared. The transfers stand in the record: one for each share of more than nothing that is not the payer's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportShared {
    /// The record's id.
    pub id: Id,
    /// The wallet that paid.
    pub payer: AccountNo,
    /// The meter that counted what was fed in.
    pub device: Box<str>,
    /// When the first hour began.
    pub from: Time,
    /// When the last hour ended.
    pub to: Time,
    /// What was shared, in KS.
    pub amount: Amount,
    /// What was fed in, where it is known.
    pub exported_mwh: Option<Amount>,
    /// Whether the desk computed both from the meter's readings; else the payer said so.
    pub measured: bool,
    /// By which rule.
    pub rule: ShareRule,
    /// What each member got, in the order of their DIDs.
    pub shares: Vec<MemberShare>,
}

/// How weights came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ShareRule {
    /// All are the same.
    Equal,
    /// The payer gave them.
    Weights,
    /// They are whole Wh certified in that time.
    Generation,
}

/// What a member got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberShare {
    /// Its wallet.
    pub account: AccountNo,
    /// What it weighs.
    pub weight: u64,
    /// What it got, in KS; of who pays and is a member, what it kept.
    pub amount: Amount,
}

/// A sharing, without its members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sharing {
    /// The record's id.
    pub id: Id,
    /// When it was shared.
    pub at: Time,
    /// The meter.
    pub device: Box<str>,
    /// When the first hour began.
    pub from: Time,
    /// When the last hour ended.
    pub to: Time,
    /// What was shared, in KS.
    pub amount: Amount,
    /// What was fed in, where it is known.
    pub exported_mwh: Option<Amount>,
    /// Whether the desk computed both.
    pub measured: bool,
    /// By which rule.
    pub rule: ShareRule,
    /// Among how many.
    pub members: u32,
}

/// What was shared so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exports {
    payers: BTreeMap<AccountNo, Payer>,
    /// How many separate times there are.
    spans_len: usize,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Payer {
    /// By meter, begins and ends of what was shared; none touches another.
    spans: BTreeMap<Box<str>, BTreeMap<Time, Time>>,
    /// The newest last.
    latest: VecDeque<Sharing>,
}

impl Exports {
    /// The latest sharings, the newest first: of one payer, or of all; at most so many.
    pub fn latest(&self, payer: Option<AccountNo>, sharings_max: usize) -> Vec<(AccountNo, &Sharing)> {
        let wanted = self.payers.iter().filter(|(account, _)| payer.is_none_or(|payer| payer == **account));
        let mut found: Vec<_> = wanted.flat_map(|(&account, payer)| payer.latest.iter().map(move |sharing| (account, sharing))).collect();
        found.sort_by_key(|(_, sharing)| std::cmp::Reverse((sharing.at, sharing.id)));
        found.truncate(sharings_max);
        found
    }

    /// Whether these hours of a meter's exports can be shared by that payer.
    ///
    /// Errors: `HOUR_CLOSED` (`from`) for what was shared, `BOOKS_LIMIT` when no more can be remembered.
    pub fn check(&self, payer: AccountNo, device: &str, from: Time, to: Time) -> Result<(), Problem> {
        let known = self.payers.get(&payer);
        let spans = known.and_then(|payer| payer.spans.get(device));
        // None of them touches another, so the last that begins before `to` ends last, too.
        if let Some((begin, end)) = spans.and_then(|spans| spans.range(..to).next_back()).filter(|(_, end)| **end > from) {
            let detail =
                format!("What {device} fed in from {begin} to {end} was shared. Each hour is shared once: name a time without these.");
            return Err(Problem::new(Code::HOUR_CLOSED, detail).in_field("from"));
        }
        let touches =
            spans.is_some_and(|spans| spans.contains_key(&to) || spans.range(..from).next_back().is_some_and(|(_, end)| *end == from));
        let of_one: usize = known.map_or(0, |payer| payer.spans.values().map(BTreeMap::len).sum());
        if !touches && (of_one >= SPANS_OF_ONE_MAX || self.spans_len >= SPANS_MAX) {
            let detail = "No more separate times can be remembered as shared. Share hours that follow those shared before.";
            return Err(Problem::new(Code::BOOKS_LIMIT, detail).in_field("from"));
        }
        Ok(())
    }

    /// Remembers it.
    pub(crate) fn apply(&mut self, at: Time, shared: &ExportShared) {
        let payer = self.payers.entry(shared.payer).or_default();
        let spans = payer.spans.entry(shared.device.clone()).or_default();
        let before = spans.len();
        let (mut from, mut to) = (shared.from, shared.to);
        while let Some((begin, end)) = spans.range(..=to).next_back().map(|(begin, end)| (*begin, *end)).filter(|(_, end)| *end >= from) {
            (from, to) = (from.min(begin), to.max(end));
            spans.remove(&begin);
        }
        spans.insert(from, to);
        self.spans_len = (self.spans_len + spans.len()).saturating_sub(before);
        if payer.latest.len() >= LATEST_MAX {
            payer.latest.pop_front();
        }
        payer.latest.push_back(Sharing::of(at, shared));
    }
}

impl Sharing {
    fn of(at: Time, shared: &ExportShared) -> Self {
        let &ExportShared { id, ref device, from, to, amount, exported_mwh, measured, rule, ref shares, .. } = shared;
        let members = u32::try_from(shares.len()).unwrap_or(u32::MAX);
        Self { id, at, device: device.clone(), from, to, amount, exported_mwh, measured, rule, members }
    }
}
