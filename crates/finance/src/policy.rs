//! The operator's rules of finance.

use lab3_units::{Amount, Did, FeeRate};

/// The operator's rules. The default is the specification's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The fee on a transfer, on top of its amount.
    pub fee: FeeRate,
    /// What the PublicGoodsPool holds at genesis, in KS.
    pub pool_initial: Amount,
    /// Days of an epoch.
    pub epoch_days: u16,
    /// What is minted when an epoch closes, in KS.
    pub epoch_reward: Amount,
    /// Who receives it.
    pub epoch_shares: Vec<Share>,
    /// Who may give grants.
    pub grants: Grants,
}

/// Who may give grants from the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grants {
    /// Whoever can reach the desk.
    Open,
    /// Only with an approval.
    Governed,
}

impl Grants {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Governed => "governed",
        }
    }
}

/// One recipient's share of an epoch's reward.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// Who.
    pub recipient: Recipient,
    /// How much: a weight. The configuration sees to it that the weights add up to 100 percent; whatever they add up to is
    /// taken for the whole.
    pub percent: FeeRate,
}

/// Who receives a share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recipient {
    /// The PublicGoodsPool.
    Pool,
    /// The Hive's reserve.
    Reserve,
    /// A citizen or project.
    Did(Did),
}

impl Default for Policy {
    fn default() -> Self {
        let percent = |text| FeeRate::from_percent(text).unwrap_or_default();
        Self {
            fee: percent("0.001"),
            pool_initial: Amount::new(50_000_000_000),
            epoch_days: 90,
            epoch_reward: Amount::new(1_000_000_000),
            epoch_shares: vec![Share { recipient: Recipient::Pool, percent: percent("100") }],
            grants: Grants::Open,
        }
    }
}
