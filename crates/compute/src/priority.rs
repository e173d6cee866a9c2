//! What the caller wants most of a provider.

use serde::{Deserialize, Serialize};

/// What weighs most in the choice of a provider. The order is what the journal stores: add at the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Priority {
    /// Cost, latency and quality in balance.
    #[default]
    Standard,
    /// The cheapest.
    CostOptimized,
    /// The fastest.
    LatencyOptimized,
    /// The best model.
    QualityOptimized,
}

impl Priority {
    /// Every priority, in the specification's order.
    pub const ALL: [Priority; 4] = [Self::Standard, Self::CostOptimized, Self::LatencyOptimized, Self::QualityOptimized];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::CostOptimized => "cost_optimized",
            Self::LatencyOptimized => "latency_optimized",
            Self::QualityOptimized => "quality_optimized",
        }
    }

    /// The priority of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|priority| priority.as_str() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back() {
        for priority in Priority::ALL {
            assert_eq!(Priority::parse(priority.as_str()), Some(priority));
        }
        assert_eq!(Priority::parse("Standard"), None);
    }
}
