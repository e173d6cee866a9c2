//! What an allocation's hold is recognised by: the 32 bits of `Hold.code`.

/// The provider, who pays and the month of an allocation, packed into the ledger's hold code.
///
/// From the lowest bit: 16 bits the month's number, 1 bit whether the Hive pays, 14 bits the provider's number in the
/// [`crate::State`], 1 bit whether it is metered. The journal stores it, so the layout never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag {
    /// The provider's number in the state.
    pub provider: u16,
    /// Whether the Hive pays the whole cost.
    pub hive_pays: bool,
    /// Whether the desk itself asks the provider: what is not settled in time is charged, for the answer may have been made.
    pub metered: bool,
    /// The month whose allowance was promised, as [`lab3_units::Period::number`] gives it.
    pub period: u16,
}

/// The largest provider number fourteen bits hold.
pub(crate) const PROVIDER_MAX: u16 = 0x3fff;

impl Tag {
    /// The tag as a hold's code.
    pub fn code(self) -> u32 {
        let provider = u32::from(self.provider.min(PROVIDER_MAX));
        (u32::from(self.metered) << 31) | (provider << 17) | (u32::from(self.hive_pays) << 16) | u32::from(self.period)
    }

    /// The tag a hold's code stands for.
    pub fn from_code(code: u32) -> Self {
        let [high, low] = [code >> 16, code & 0xffff].map(|half| u16::try_from(half).unwrap_or(0));
        Self { provider: (high >> 1) & PROVIDER_MAX, hive_pays: high & 1 == 1, metered: high >> 15 == 1, period: low }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_packed_as_the_journal_has_it() {
        for (provider, hive_pays, metered, period, code) in [
            (0, false, false, 0, 0),
            (0, false, false, 24_309, 24_309),
            (1, true, false, 24_309, 0x0003_5ef5),
            (1, true, true, 24_309, 0x8003_5ef5),
            (PROVIDER_MAX, true, true, u16::MAX, u32::MAX),
            (PROVIDER_MAX, false, false, 0, 0x7ffe_0000),
        ] {
            let tag = Tag { provider, hive_pays, metered, period };
            assert_eq!((tag.code(), Tag::from_code(code)), (code, tag));
        }
    }
}
