//! Views: each account's history, where each id stands, which record ended which hold, the tree over all records. Derived from the journal by a
//! follower that remembers how far it got; may be dropped and rebuilt.
//!
//! What the follower has read since it last wrote to the shelf is its *tail*, in memory. A reader looks into the tail first and
//! then on the shelf, so that people always find what was just acknowledged.

mod chunk;
mod digest;
mod filter;
mod follower;
mod keys;
mod tail;
mod tree;

pub use chunk::Entry;
pub(crate) use digest::Digest;
pub(crate) use follower::Follower;
pub(crate) use keys::{KeyIndex, hash_of};
pub use tail::Span;
pub(crate) use tail::Views;
pub(crate) use tree::{RUN_LEAVES, RUN_LEVEL, Tree};

/// Records in the tail before it is written to the shelf. A restart reads at most so many again.
pub(crate) const SEGMENT_RECORDS: u64 = 1 << 17;
