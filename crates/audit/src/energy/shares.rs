//! What exports earned, shared a second time: the same hours were not shared before, each member's part follows from its weight, and the entries are these parts.

use std::collections::BTreeSet;

use lab3_energy::{ExportShared, MEMBERS_MAX, ShareRule, State, carbon::split, check_span, generated_wh};
use lab3_engine::Record;
use lab3_ledger::{AccountNo, Event, Kind, Purpose};
use lab3_units::{Amount, Asset, Did, Owner, Problem};

use super::bad;
use crate::books::Books;
use crate::verdict::{Class, Found};

/// Checks a sharing against what was shared before, the members' wallets, and its entries.
pub(super) fn check(state: &State, books: &Books, record: &Record, shared: &ExportShared) -> Result<(), Found> {
    let told = |problem: Problem| (Class::Facts, problem.detail.into_owned());
    if shared.id != record.id {
        return bad("exports are shared under another id than the record's");
    }
    check_span(record.at, shared.from, shared.to).map_err(told)?;
    state.exports().check(shared.payer, &shared.device, shared.from, shared.to).map_err(told)?;
    if !shared.amount.is_positive() || shared.exported_mwh.is_some_and(|energy| energy < Amount::ZERO) {
        return bad("less than nothing was fed in, or nothing was earned");
    }
    if shared.shares.is_empty() || shared.shares.len() > MEMBERS_MAX {
        return bad("exports are shared among nobody, or among more than can be");
    }
    if wallet(books, shared.payer).is_none() {
        return bad("exports are paid from what is no wallet");
    }
    let owners: Option<Vec<&Owner>> = shared.shares.iter().map(|share| wallet(books, share.account)).collect();
    let Some(owners) = owners else { return bad("a share is somebody's who has no wallet") };
    if !owners.windows(2).all(|pair| matches!(pair, [before, after] if before < after)) {
        return bad("members do not stand in the order of their DIDs, each once");
    }
    weights(state, shared, &owners)?;
    if record.signed.is_some() && shared.rule == ShareRule::Generation && !everybody(state, shared, &owners) {
        return bad("a payer signed for everybody who generated, and somebody has no share");
    }
    let weights: Vec<u64> = shared.shares.iter().map(|share| share.weight).collect();
    let parts = split(shared.amount, &weights).map_err(|error| (Class::Facts, format!("the amount cannot be split: {error}")))?;
    if !parts.iter().eq(shared.shares.iter().map(|share| &share.amount)) {
        return bad("a member's share is another than its weight gives");
    }
    moves(books, record, shared)
}

/// Whether the weights are those of the rule.
fn weights(state: &State, shared: &ExportShared, owners: &[&Owner]) -> Result<(), Found> {
    let mut weighted = owners.iter().zip(shared.shares.iter().map(|share| share.weight));
    let fits = match shared.rule {
        ShareRule::Equal => weighted.all(|(_, weight)| weight == 1),
        ShareRule::Weights => weighted.all(|(_, weight)| weight > 0),
        ShareRule::Generation => {
            let generated = generated_wh(state, shared.from, shared.to);
            weighted.all(|(owner, weight)| generated.get(*owner) == Some(&weight))
        }
    };
    if fits { Ok(()) } else { bad("a member weighs another than the rule gives") }
}

/// Whether each member to whom something was certified has a share: which of them was named is not signed.
fn everybody(state: &State, shared: &ExportShared, owners: &[&Owner]) -> bool {
    let generated = generated_wh(state, shared.from, shared.to).into_keys();
    generated.filter(|owner| Did::parse(owner.as_str()).is_ok()).all(|owner| owners.binary_search(&&owner).is_ok())
}

/// Whether the entries move each share that is more than nothing and not the payer's own, in their order, and nothing else; new wallets are members'.
fn moves(books: &Books, record: &Record, shared: &ExportShared) -> Result<(), Found> {
    let mut due = shared.shares.iter().filter(|share| share.amount.is_positive() && share.account != shared.payer);
    let members: BTreeSet<AccountNo> = shared.shares.iter().map(|share| share.account).collect();
    for event in &record.entries {
        match event {
            Event::AccountOpened { owner, asset, purpose, .. } => {
                if books.find(owner, *asset, *purpose).is_none_or(|no| !members.contains(&no)) {
                    return bad("an account is opened for nobody who has a share");
                }
            }
            Event::Transferred { from, to, amount, kind: Kind::ExportShare, memo } => {
                let next = due.next().map(|share| (share.account, share.amount));
                if *from != shared.payer || next != Some((*to, *amount)) || !memo.is_empty() {
                    return bad("the entries move other shares than are told of");
                }
            }
            _ => return bad("a sharing does something else than to share"),
        }
    }
    if due.next().is_some() { bad("a share is told of and not paid") } else { Ok(()) }
}

fn wallet(books: &Books, no: AccountNo) -> Option<&Owner> {
    let account = books.account(no).filter(|account| (account.asset, account.purpose) == (Asset::MIC, Purpose::Wallet));
    account.map(|account| &account.owner)
}
