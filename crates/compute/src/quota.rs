//! quota
use lab3_units::{Amount, Did, Period, Time};

use crate::Desk;

/// What a citizen may still use this month. `remaining + held + used` is what was granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaStatus {
    /// What is neither used nor held, in KS.
    pub remaining: Amount,
    /// What a month's quota is, in KS.
    pub default: Amount,
    /// What open allocations of this month hold, in KS.
    pub held: Amount,
    /// What was charged this month, in KS.
    pub used: Amount,
    /// The month.
    pub period: Period,
    /// When the next month begins.
    pub resets_at: Time,
}

/// todo
pub fn quota(desk: &Desk<'_>, _citizen: &Did) -> QuotaStatus {
    let period = desk.now.period();
    QuotaStatus {
        remaining: desk.policy.quota,
        default: desk.policy.quota,
        held: Amount::ZERO,
        used: Amount::ZERO,
        period,
        resets_at: period.next().start(),
    }
}
