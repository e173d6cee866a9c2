//! Random numbers that follow from a seed: SplitMix64.

/// A source of random numbers.
pub struct Dice(u64);

impl Dice {
    /// Numbers that follow from the seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below the limit, which is more than zero.
    pub fn below(&mut self, limit: u32) -> u32 {
        u32::try_from(self.bits() % u64::from(limit)).unwrap()
    }
}
