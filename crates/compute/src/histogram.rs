//! hist
use serde::{Deserialize, Serialize};

/// Where a latency fell in a histogram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// The bucket.
    pub bucket: u8,
    /// How often the older samples were halved before.
    pub halvings: u8,
}
