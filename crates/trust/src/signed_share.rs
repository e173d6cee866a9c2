//! What a payer signs to share what exports earned: of which meter and time, how much, and among whom. Nothing is left to who brings it.

use std::collections::{BTreeMap, BTreeSet};

use lab3_units::{Amount, Did, Time};

/// Longest name of a meter, in characters.
const DEVICE_MAX: usize = 64;

/// The largest weight.
const WEIGHT_MAX: u64 = 1_000_000_000_000;

/// A sharing as it is willed. A record tells all of it but the most that counted exports may earn, which its intent keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedShare {
    /// Who pays, and signs.
    pub from: Did,
    /// The meter that counted what was fed in.
    pub device: Box<str>,
    /// When the first hour begins.
    pub begin: Time,
    /// When the last hour ends.
    pub end: Time,
    /// What it earned.
    pub earned: SignedEarned,
    /// Among whom, and by which rule.
    pub among: SignedMembers,
}

/// What exports earned, as it is willed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignedEarned {
    /// So much.
    Said {
        /// How much, in KS.
        amount: Amount,
        /// What was fed in, where it is known.
        exported_mwh: Option<Amount>,
    },
    /// What the desk counts by the meter's readings, and nothing if that is more than this.
    Counted {
        /// The most, in KS.
        amount_max: Amount,
    },
}

/// Among whom, as it is willed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignedMembers {
    /// Each of these gets the same.
    Equal(BTreeSet<Did>),
    /// Each of these by its weight.
    Weights(BTreeMap<Did, u64>),
    /// Everybody to whom what was generated in that time was certified.
    Generation,
}

impl SignedShare {
    /// The most that counted exports may earn; nothing where the amount is said.
    pub const fn counted_max(&self) -> Amount {
        match self.earned {
            SignedEarned::Said { .. } => Amount::ZERO,
            SignedEarned::Counted { amount_max } => amount_max,
        }
    }
}

impl SignedMembers {
    /// The word in the line `rule`.
    pub const fn rule(&self) -> &'static str {
        match self {
            Self::Equal(_) => "equal",
            Self::Weights(_) => "weights",
            Self::Generation => "generation",
        }
    }

    /// The values of the lines `member`, in order.
    pub(crate) fn lines(&self) -> Vec<String> {
        match self {
            Self::Equal(members) => members.iter().map(ToString::to_string).collect(),
            Self::Weights(members) => members.iter().map(|(did, weight)| format!("{did} {weight}")).collect(),
            Self::Generation => Vec::new(),
        }
    }

    /// Reads what [`SignedMembers::lines`] writes. Another order, or a member who stands twice, shows in the text that is written again.
    pub(crate) fn read(rule: &str, lines: &[&str]) -> Option<Self> {
        let did = |text: &str| Did::parse(text).ok();
        match (rule, lines) {
            ("equal", [_, ..]) => lines.iter().map(|text| did(text)).collect::<Option<_>>().map(Self::Equal),
            ("weights", [_, ..]) => {
                let weighted = |text: &&str| {
                    let (member, weight) = text.split_once(' ')?;
                    Some((did(member)?, weight.parse().ok().filter(|weight| (1..=WEIGHT_MAX).contains(weight))?))
                };
                lines.iter().map(weighted).collect::<Option<_>>().map(Self::Weights)
            }
            ("generation", []) => Some(Self::Generation),
            _ => None,
        }
    }
}

/// A meter's name, as the desk takes it: it stands on one line.
pub(crate) fn device(text: &str) -> Option<Box<str>> {
    let plain = (1..=DEVICE_MAX).contains(&text.chars().take(DEVICE_MAX + 1).count()) && !text.chars().any(char::is_control);
    plain.then(|| text.into())
}
