//! The rules of the specification that a client can check for itself.

/// The fee on a transfer at the default rate of 0.001 percent: rounded up to one KS.
pub fn fee(amount_ks: i64) -> i64 {
    amount_ks.div_euclid(100_000) + i64::from(amount_ks % 100_000 != 0)
}

/// The month's allowance of one citizen, in KS.
pub const QUOTA_KS: i64 = 100_000_000;

/// What the PublicGoodsPool holds at genesis, in KS.
pub const POOL_KS: i64 = 50_000_000_000;
