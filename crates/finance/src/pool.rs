//! What the PublicGoodsPool holds, and where the epoch stands.

use lab3_units::{Amount, FeeRate, Time};

use crate::accounts::{Office, supply};
use crate::{Desk, Grants};

/// Milliseconds in a day. UTC days, without leap seconds, as RFC 3339 arithmetic has them.
const DAY_MS: i64 = 86_400_000;

/// The PublicGoodsPool and the epoch, for `GET /lab3/financial/pool`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolStatus {
    /// What the pool holds, in KS.
    pub balance: Amount,
    /// All the MIC there is, in KS.
    pub supply: Amount,
    /// The current epoch.
    pub epoch: u32,
    /// Days of an epoch.
    pub epoch_days: u16,
    /// When the current epoch began.
    pub started: Time,
    /// When it is due to end. It ends when the operator closes it, sooner or later.
    pub ends: Time,
    /// The fee on a transfer.
    pub fee: FeeRate,
    /// Who may give grants.
    pub grants: Grants,
}

/// The pool and the epoch as they are now.
pub fn pool(desk: &Desk<'_>) -> PoolStatus {
    let (state, policy) = (desk.state, desk.policy);
    let length_ms = i64::from(policy.epoch_days) * DAY_MS;
    PoolStatus {
        balance: Office::Pool.balance(desk),
        supply: supply(Office::Issuance.balance(desk)),
        epoch: state.epoch,
        epoch_days: policy.epoch_days,
        started: state.started,
        ends: Time::from_millis(state.started.millis().saturating_add(length_ms)),
        fee: policy.fee,
        grants: policy.grants,
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{Hive, mic};

    use super::*;

    #[test]
    fn a_new_hive_has_the_specifications_pool() {
        let hive = Hive::new();
        let status = pool(&hive.desk());
        assert_eq!((status.balance, status.supply), (mic("50000"), mic("50000")));
        assert_eq!((status.epoch, status.epoch_days), (1, 90));
        assert_eq!((status.started.to_string(), status.ends.to_string()), ("2025-10-31T14:30:00Z".into(), "2026-01-29T14:30:00Z".into()));
        assert_eq!((status.fee.percent().to_string(), status.grants.as_str()), ("0.001".into(), "open"));
    }

    #[test]
    fn a_hive_may_start_with_an_empty_pool() {
        let hive = Hive::with_policy(crate::Policy { pool_initial: Amount::ZERO, ..crate::Policy::default() });
        assert_eq!((pool(&hive.desk()).balance, pool(&hive.desk()).supply), (Amount::ZERO, Amount::ZERO));
        hive.verify();
    }
}
