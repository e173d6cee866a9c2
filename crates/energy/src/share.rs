//! What surplus earned, shared among members by rule, to the last KS: from the payer's wallet to theirs, all in one record.
//!
//! `amount` is split in proportion to whole weights by largest remainders (`carbon::split`); who stands where in the request does not matter, for among
//! equal remainders the DID that sorts first is rounded up. No fee is charged: nobody chooses to pay somebody here, a rule divides what is everybody's.

use std::collections::BTreeMap;

use lab3_ledger::{Draft, Event, Kind, Purpose, Transfer};
use lab3_units::{Amount, Asset, Code, Did, Id, Owner, Problem, Time};

use crate::accounts;
use crate::carbon::split;
use crate::draw::uncountable;
use crate::exports::{ExportShared, MemberShare, ShareRule};
use crate::state::{HOUR_MS, State};
use crate::{Desk, Fact};

/// Most members that one sharing has.
pub const MEMBERS_MAX: usize = 4_000;

/// The longest time that is shared at once, in hours: a year.
pub const HOURS_MAX: i64 = 366 * 24;

/// What shall be shared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareExports {
    /// The record's id.
    pub id: Id,
    /// Who buys the surplus, or passes on what the grid paid for it.
    pub payer: Did,
    /// The meter that counted what was fed in.
    pub device: Box<str>,
    /// When the first hour begins.
    pub from: Time,
    /// When the last hour ends.
    pub to: Time,
    /// What was earned, in KS.
    pub amount: Amount,
    /// What was fed in, where it is known.
    pub exported_mwh: Option<Amount>,
    /// Whether the desk computed both from the meter's readings; else the payer says so.
    pub measured: bool,
    /// Among whom.
    pub among: Among,
}

/// Among whom, and by which rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Among {
    /// Each of these gets the same.
    Equal(Vec<Did>),
    /// Each of these by a weight of more than nothing.
    Weights(Vec<(Did, u64)>),
    /// By what was certified of the time, to whomever it was issued; of these alone, where any are named.
    Generation(Vec<Did>),
}

/// Shares it, all or nothing. Who pays and is a member keeps its part; who gets 0 KS has no entry.
///
/// Errors: `FIELD_RANGE` (`from`, `to`, `amount_gic`, `members`, `members[3].did`), `HOUR_CLOSED` for hours that are not over or were shared, `CERTIFICATE_UNKNOWN`
/// where nothing was generated, `MIC_INSUFFICIENT`, `BOOKS_LIMIT`.
pub fn share_exports(desk: &Desk<'_>, command: &ShareExports) -> Result<(Fact, Vec<Event>), Problem> {
    let &ShareExports { id, ref payer, ref device, from, to, amount, exported_mwh, measured, ref among } = command;
    check_span(desk.now, from, to)?;
    if !amount.is_positive() {
        return Err(Problem::new(Code::FIELD_RANGE, "The amount must be more than zero.").in_field("amount_gic"));
    }
    let wallet = desk.ledger.find(payer.as_str(), Asset::MIC, Purpose::Wallet);
    if let Some(wallet) = wallet {
        desk.state.exports.check(wallet, device, from, to)?;
    }
    let (rule, members) = members(desk.state, among, from, to)?;
    let parts = split(amount, &members.iter().map(|(_, weight)| *weight).collect::<Vec<_>>()).map_err(uncountable)?;
    let kept: i64 = members.iter().zip(&parts).filter(|((did, _), _)| did == payer).map(|(_, part)| part.units()).sum();
    let needed = amount.saturating_sub(Amount::new(kept));
    let mut draft = Draft::new(desk.ledger);
    let available = wallet.map_or(Amount::ZERO, |wallet| draft.available(wallet));
    let Some(wallet) = wallet.filter(|_| available >= needed) else { return Err(insufficient(payer, needed, available)) };
    let mut shares = Vec::with_capacity(members.len());
    for ((did, weight), part) in members.iter().zip(parts) {
        let account = accounts::wallet(&mut draft, did);
        if part.is_positive() && account != wallet {
            let transfer = Transfer { from: wallet, to: account, amount: part, kind: Kind::ExportShare, memo: "" };
            draft.transfer(&transfer).map_err(|refusal| beyond_the_books(&refusal))?;
        }
        shares.push(MemberShare { account, weight: *weight, amount: part });
    }
    let shared = ExportShared { id, payer: wallet, device: device.clone(), from, to, amount, exported_mwh, measured, rule, shares };
    Ok((Fact::ExportShared(Box::new(shared)), draft.into_events()))
}

/// Whether these are whole hours, in their order, that are over at `now`.
///
/// Errors: `FIELD_RANGE` and `HOUR_CLOSED` (`from`, `to`).
pub fn check_span(now: Time, from: Time, to: Time) -> Result<(), Problem> {
    for (moment, field) in [(from, "from"), (to, "to")] {
        if moment.millis().rem_euclid(HOUR_MS) != 0 {
            let detail = format!("{moment} is not the begin of an hour in UTC. Exports are shared by whole hours.");
            return Err(Problem::new(Code::FIELD_RANGE, detail).in_field(field));
        }
    }
    let hours = to.millis().saturating_sub(from.millis()) / HOUR_MS;
    if !(1..=HOURS_MAX).contains(&hours) {
        let detail = format!("From {from} to {to} are {hours} hours. Share one at least, and no more than {HOURS_MAX} at once.");
        return Err(Problem::new(Code::FIELD_RANGE, detail).in_field("to"));
    }
    if to > now {
        let detail = format!("The hours until {to} are not over: it is {now}. Share them when they are.");
        return Err(Problem::new(Code::HOUR_CLOSED, detail).in_field("to"));
    }
    Ok(())
}

/// Whole Wh that were certified of hours of that time, by whom the certificates were issued to: what became of them since changes nothing.
pub fn generated_wh(state: &State, from: Time, to: Time) -> BTreeMap<Owner, u64> {
    let mut by_owner = BTreeMap::new();
    for (owner, energy_wh) in state.register.issued_within(from, to) {
        let sum: &mut u64 = by_owner.entry(owner.clone()).or_default();
        *sum = sum.saturating_add(u64::try_from(energy_wh.units()).unwrap_or(0));
    }
    by_owner
}

/// Everybody with a weight, by their DIDs.
fn members(state: &State, among: &Among, from: Time, to: Time) -> Result<(ShareRule, Vec<(Did, u64)>), Problem> {
    let (rule, members) = match among {
        Among::Equal(dids) => (ShareRule::Equal, in_order(dids.iter().map(|did| (did, 1)))?),
        Among::Weights(weighted) => (ShareRule::Weights, in_order(weighted.iter().map(|(did, weight)| (did, *weight)))?),
        Among::Generation(only) => {
            in_order(only.iter().map(|did| (did, 1)))?;
            let generated = generated_wh(state, from, to).into_iter();
            let generated = generated.filter_map(|(owner, wh)| Did::parse(owner.as_str()).ok().map(|did| (did, wh)));
            let only: std::collections::BTreeSet<&Did> = only.iter().collect();
            let members: Vec<_> = generated.filter(|(did, _)| only.is_empty() || only.contains(did)).collect();
            if members.is_empty() {
                let detail = format!(
                    "No certificates were issued to them for what was generated from {from} to {to}. Issue them, or share by another rule."
                );
                return Err(Problem::new(Code::CERTIFICATE_UNKNOWN, detail).in_field("rule"));
            }
            (ShareRule::Generation, members)
        }
    };
    if members.is_empty() || members.len() > MEMBERS_MAX {
        let detail = format!("It is shared among 1 to {MEMBERS_MAX} members, and here are {}.", members.len());
        return Err(Problem::new(Code::FIELD_RANGE, detail).in_field("members"));
    }
    Ok((rule, members))
}

/// By their DIDs, each of which stands once and weighs something.
fn in_order<'a>(members: impl Iterator<Item = (&'a Did, u64)>) -> Result<Vec<(Did, u64)>, Problem> {
    let mut weights = BTreeMap::new();
    for (at, (did, weight)) in members.enumerate() {
        if weight == 0 {
            let problem = Problem::new(Code::FIELD_RANGE, "A weight is more than nothing. Leave out who gets nothing.");
            return Err(problem.in_field(format!("members[{at}].weight")));
        }
        if weights.insert(did.clone(), weight).is_some() {
            let problem = Problem::new(Code::FIELD_RANGE, format!("{did} stands twice among the members. Each has one share."));
            return Err(problem.in_field(format!("members[{at}].did")));
        }
    }
    Ok(weights.into_iter().collect())
}

fn insufficient(payer: &Did, needed: Amount, available: Amount) -> Problem {
    let mic = |amount| Asset::MIC.decimal(amount);
    let detail = format!(
        "{payer} needs {} MIC to share, has {}. Receive MIC first: what the grid paid has to be there.",
        mic(needed),
        mic(available)
    );
    Problem::new(Code::MIC_INSUFFICIENT, detail).in_field("amount_gic")
}

fn beyond_the_books(refusal: &lab3_ledger::Refusal) -> Problem {
    Problem::new(Code::BOOKS_LIMIT, format!("The books refuse it: {refusal}. Share less at once.")).in_field("amount_gic")
}
