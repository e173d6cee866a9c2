//! Quota: a citizen's allowance for a calendar month in UTC, and how one month turns into the next.
//!
//! The first use in a month opens it: what is available from the month before lapses, then the month's quota is granted. What
//! an earlier month's allocation still holds lapses in the record that frees it. So allowance never carries over, and what a
//! month holds and has spent together never exceeds what it was granted.

use lab3_ledger::{AccountNo, Draft, Hold, Kind, Purpose, Transfer};
use lab3_units::{Amount, Asset, Did, Id, Period, Time};

use crate::{Desk, Opening, Refusal, Tag, accounts};

/// What a citizen may still use this month. `remaining + held + used` is what the month was granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaStatus {
    /// What is neither used nor held, in KS.
    pub remaining: Amount,
    /// What a month's quota is, in KS.
    pub default: Amount,
    /// What open allocations of this month hold, in KS.
    pub held: Amount,
    /// What the citizen was charged this month, in KS.
    pub used: Amount,
    /// The month.
    pub period: Period,
    /// When the next month begins.
    pub resets_at: Time,
}

/// The citizen's quota now. Before the month's first use, and for whom the Hive has not met, it is whole.
pub fn quota(desk: &Desk<'_>, citizen: &Did) -> QuotaStatus {
    let (period, default) = (desk.now.period(), desk.policy.quota);
    let whole =
        QuotaStatus { remaining: default, default, held: Amount::ZERO, used: Amount::ZERO, period, resets_at: period.next().start() };
    let Some(account_no) = accounts::find_quota(desk.ledger, citizen) else { return whole };
    let Some(account) = desk.ledger.account(account_no) else { return whole };
    let Some((month, granted)) = desk.state.granted(account_no).filter(|&(month, _)| month >= period.number()) else { return whole };
    let remaining = account.available();
    let of_month = desk.ledger.holds_of(account_no).filter(|hold| Tag::from_code(hold.code).period == month);
    let held = of_month.fold(Amount::ZERO, |sum, hold| plus(sum, hold.amount));
    QuotaStatus { remaining, held, used: less(less(granted, remaining), held), ..whole }
}

/// A citizen's account, its month opened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Purse {
    pub(crate) account: AccountNo,
    /// The number of the month now open.
    pub(crate) month: u16,
    /// The opening, when this use is the month's first.
    pub(crate) opening: Option<Opening>,
}

/// The citizen's account, with the month opened if this is its first use.
pub(crate) fn open_month(desk: &Desk<'_>, draft: &mut Draft<'_>, citizen: &Did) -> Result<Purse, Refusal> {
    let account = accounts::quota(draft, citizen);
    let month = current_month(desk, account);
    if desk.state.granted(account).is_some_and(|(granted, _)| granted == month) {
        return Ok(Purse { account, month, opening: None });
    }
    lapse(draft, account, draft.available(account))?;
    let quota = desk.policy.quota;
    if quota.is_positive() {
        let from = accounts::issuer(draft);
        draft.transfer(&Transfer { from, to: account, amount: quota, kind: Kind::Allowance, memo: "" })?;
    }
    Ok(Purse { account, month, opening: Some(Opening { account, period: month, quota }) })
}

/// The number of the month the account is in: this month, or the one last opened should the clock have gone back.
fn current_month(desk: &Desk<'_>, account: AccountNo) -> u16 {
    let this = desk.now.period().number();
    desk.state.granted(account).map_or(this, |(granted, _)| granted.max(this))
}

/// Gives allowance back to the issuer.
pub(crate) fn lapse(draft: &mut Draft<'_>, account: AccountNo, amount: Amount) -> Result<(), Refusal> {
    if amount.is_positive() {
        let to = accounts::issuer(draft);
        draft.transfer(&Transfer { from: account, to, amount, kind: Kind::Lapse, memo: "" })?;
    }
    Ok(())
}

/// Lapses what a hold freed, when it was an earlier month's than the account is in; says how much lapsed.
pub(crate) fn lapse_freed(desk: &Desk<'_>, draft: &mut Draft<'_>, hold: &Hold, freed: Amount) -> Result<Amount, Refusal> {
    lapse_earlier(desk, draft, hold.account, Tag::from_code(hold.code).period, freed)
}

/// Lapses what an account got back of a month's allowance, when that month is over; says how much lapsed.
pub(crate) fn lapse_earlier(
    desk: &Desk<'_>,
    draft: &mut Draft<'_>,
    account: AccountNo,
    period: u16,
    freed: Amount,
) -> Result<Amount, Refusal> {
    if period >= current_month(desk, account) {
        return Ok(Amount::ZERO);
    }
    lapse(draft, account, freed)?;
    Ok(freed)
}

/// What the account has left this month, as the draft stands: the whole quota when the month has yet to be opened.
pub(crate) fn remaining(desk: &Desk<'_>, draft: &Draft<'_>, account: AccountNo) -> Amount {
    let opened = desk.state.granted(account).is_some_and(|(granted, _)| granted == current_month(desk, account));
    if opened { draft.available(account) } else { desk.policy.quota }
}

/// The open allocation of that id: a hold on an allowance.
pub(crate) fn allocation<'a>(desk: &Desk<'a>, id: Id) -> Option<&'a Hold> {
    let hold = desk.ledger.hold(id)?;
    let account = desk.ledger.account(hold.account)?;
    (account.asset() == Asset::COMPUTE && account.purpose() == Purpose::Quota).then_some(hold)
}

/// A sum of amounts the books hold together, so that it fits.
pub(crate) fn plus(one: Amount, other: Amount) -> Amount {
    one.checked_add(other).unwrap_or(Amount::MAX)
}

/// What is left of an amount; nothing when the other is larger.
pub(crate) fn less(whole: Amount, part: Amount) -> Amount {
    whole.checked_sub(part).unwrap_or(Amount::ZERO).max(Amount::ZERO)
}

#[cfg(test)]
mod random;
#[cfg(test)]
mod tests;
