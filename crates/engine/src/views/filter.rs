//! A blocked Bloom filter over key hashes: says for certain that a key was never used, at the price of one cache line.
//!
//! Putze, Sanders, Singler: Cache-, Hash- and Space-Efficient Bloom Filters (2007). Filters are added, each larger than the
//! one before, so that a million keys or a thousand million are covered by a handful.

use std::sync::atomic::{AtomicU64, Ordering};

/// Words in a block: one cache line of 512 bits.
const BLOCK_WORDS: usize = 8;

/// Bits a key has in the filter. Twenty make about one wrong "perhaps" in five thousand.
const BITS_PER_KEY: usize = 20;

/// Bits set for a key, within one block.
const PROBES: u32 = 8;

/// A set of hashes that can be wrong only by saying yes.
#[derive(Debug)]
pub struct Filter {
    words: Box<[AtomicU64]>,
    capacity: usize,
}

impl Filter {
    /// A filter for so many keys.
    pub fn new(capacity: usize) -> Self {
        let blocks = (capacity * BITS_PER_KEY).div_ceil(64 * BLOCK_WORDS).max(1);
        Self { words: (0..blocks * BLOCK_WORDS).map(|_| AtomicU64::new(0)).collect(), capacity }
    }

    /// Keys it was made for.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Adds a hash.
    pub fn insert(&self, hash: u64) {
        for (word, bit) in self.places(hash) {
            word.fetch_or(bit, Ordering::Relaxed);
        }
    }

    /// Whether the hash was perhaps added.
    pub fn may_contain(&self, hash: u64) -> bool {
        // All of them, whatever the first says: a branch on what must first come from memory is a guess that is often wrong, and
        // would keep the processor from fetching the next key's block meanwhile.
        self.places(hash).fold(true, |all, (word, bit)| all & (word.load(Ordering::Relaxed) & bit != 0))
    }

    fn places(&self, hash: u64) -> impl Iterator<Item = (&AtomicU64, u64)> {
        let blocks = (self.words.len() / BLOCK_WORDS) as u128;
        let block = usize::try_from((u128::from(hash) * blocks) >> 64).unwrap_or(0);
        // The block took the high bits; nine bits a probe come from a second, independent mix.
        let mut bits = mix(hash);
        let words = &self.words[block * BLOCK_WORDS..][..BLOCK_WORDS];
        (0..PROBES).map(move |probe| {
            if probe == PROBES / 2 {
                bits = mix(bits);
            }
            let at = usize::try_from(bits & 511).unwrap_or(0);
            bits >>= 9;
            (&words[at / 64], 1 << (at % 64))
        })
    }
}

/// The finalizer of SplitMix64 (Steele, Lea, Flood 2014): every bit of the result depends on every bit of the input.
pub fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_is_found_and_little_else() {
        let filter = Filter::new(10_000);
        (0..10_000).for_each(|n| filter.insert(mix(n)));
        assert!((0..10_000).all(|n| filter.may_contain(mix(n))));
        let wrong = (10_000..110_000).filter(|&n| filter.may_contain(mix(n))).count();
        assert!(wrong < 200, "{wrong} of 100,000 strangers were taken for known");
    }
}
