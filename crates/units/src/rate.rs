//! Rates: prices per token, fees, scores. Each multiplies into an amount in one place, rounding once.

use serde::{Deserialize, Serialize};

use crate::{Amount, AmountError};

/// A price in pico-MIC per token. 1 MIC per thousand tokens is 10^9 pico-MIC per token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TokenRate(u64);

/// Pico-MIC in one KS.
const PICO_PER_KS: u128 = 1_000_000;

impl TokenRate {
    /// Reads a price in MIC per thousand tokens, as the specification's provider table gives it (`0.015`).
    /// At most nine decimals, which is one pico-MIC per token.
    pub fn from_mic_per_thousand(text: &str) -> Result<Self, AmountError> {
        let pico = Amount::parse(text, 9)?.units();
        u64::try_from(pico).map(Self).map_err(|_| AmountError::NotANumber)
    }

    /// The price in MIC per thousand tokens.
    pub fn mic_per_thousand(self) -> impl std::fmt::Display {
        Amount::new(i64::try_from(self.0).unwrap_or(i64::MAX)).display(9)
    }

    /// Whether a token costs nothing.
    pub const fn is_free(self) -> bool {
        self.0 == 0
    }

    /// What `tokens` cost, in KS, rounded up to a whole KS; `None` when 64 bits cannot hold it.
    pub fn charge(self, tokens: u64) -> Option<Amount> {
        Some(Charge::default().plus(self, tokens).round_up()).filter(|&amount| amount < Amount::MAX)
    }
}

/// A bill while it is summed: exact, in pico-MIC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Charge(u128);

impl Charge {
    /// With so many tokens more.
    #[must_use]
    pub fn plus(self, rate: TokenRate, tokens: u64) -> Self {
        Self(self.0.saturating_add(u128::from(rate.0) * u128::from(tokens)))
    }

    /// With so many times an amount more; an amount below nothing adds nothing.
    #[must_use]
    pub fn plus_each(self, amount: Amount, times: u64) -> Self {
        let pico = u128::try_from(amount.units()).unwrap_or(0) * PICO_PER_KS;
        Self(self.0.saturating_add(pico.saturating_mul(u128::from(times))))
    }

    /// The bill in KS, rounded up to a whole one; [`Amount::MAX`] when 64 bits cannot hold it.
    pub fn round_up(self) -> Amount {
        i64::try_from(self.0.div_ceil(PICO_PER_KS)).map_or(Amount::MAX, Amount::new)
    }
}

/// A fee in parts per billion of an amount. 0.001 percent is 10,000.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FeeRate(u32);

impl FeeRate {
    /// Reads a percentage (`0.001` is 0.001 percent), 0 to 100, at most seven decimals.
    pub fn from_percent(text: &str) -> Result<Self, AmountError> {
        let parts = Amount::parse(text, 7)?.units();
        match u32::try_from(parts) {
            Ok(parts) if parts <= 1_000_000_000 => Ok(Self(parts)),
            Ok(_) => Err(AmountError::TooLarge),
            Err(_) => Err(AmountError::NotANumber),
        }
    }

    /// The percentage.
    pub fn percent(self) -> impl std::fmt::Display {
        Amount::new(i64::from(self.0)).display(7)
    }

    /// The fee on a positive amount, rounded up to one unit.
    pub fn of(self, amount: Amount) -> Amount {
        let parts = i128::from(amount.units()) * i128::from(self.0);
        // At most 100 % of the amount, so it fits.
        Amount::new(i64::try_from((parts + 999_999_999).div_euclid(1_000_000_000)).unwrap_or(i64::MAX))
    }
}

/// A number from 0 to 1 in millionths: a quality, a reliability, a success rate, a GI score.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ratio(u32);

impl Ratio {
    /// Nothing of it.
    pub const ZERO: Ratio = Ratio(0);
    /// All of it.
    pub const ONE: Ratio = Ratio(1_000_000);

    /// A ratio of that many millionths; more than a million is one.
    pub const fn from_millionths(millionths: u32) -> Self {
        Self(if millionths > 1_000_000 { 1_000_000 } else { millionths })
    }

    /// The ratio in millionths.
    pub const fn millionths(self) -> u32 {
        self.0
    }

    /// Reads decimal text from 0 to 1, at most six decimals.
    pub fn parse(text: &str) -> Result<Self, AmountError> {
        let millionths = Amount::parse(text, 6)?.units();
        match u32::try_from(millionths) {
            Ok(millionths) if millionths <= 1_000_000 => Ok(Self(millionths)),
            Ok(_) => Err(AmountError::TooLarge),
            Err(_) => Err(AmountError::NotANumber),
        }
    }

    /// The ratio as a float, for scoring and display; never for money.
    pub fn as_f64(self) -> f64 {
        f64::from(self.0) / 1_000_000.0
    }
}

impl std::fmt::Display for Ratio {
    /// With at least two decimals, as the specification writes them: `0.90`, `0.975`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = format!("{:.6}", self.as_f64());
        let kept = text.trim_end_matches('0').len().max(4);
        f.write_str(&text[..kept])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_specifications_prices_charge_what_its_example_says() {
        let rate = TokenRate::from_mic_per_thousand("0.015").unwrap();
        assert_eq!(rate.charge(5000), Some(Amount::new(75_000)));
        assert_eq!(rate.charge(0), Some(Amount::ZERO));
        assert_eq!(rate.mic_per_thousand().to_string(), "0.015");
    }

    #[test]
    fn a_charge_is_rounded_up_once() {
        let rate = TokenRate::from_mic_per_thousand("0.0001").unwrap();
        assert_eq!(rate.charge(1), Some(Amount::new(1)));
        assert_eq!(rate.charge(10), Some(Amount::new(1)));
        assert_eq!(rate.charge(11), Some(Amount::new(2)));
        assert_eq!(TokenRate(u64::MAX).charge(u64::MAX), None);
    }

    #[test]
    fn a_fee_is_rounded_up_to_one_unit() {
        let fee = FeeRate::from_percent("0.001").unwrap();
        assert_eq!(fee.of(Amount::new(50_000_000)), Amount::new(500));
        assert_eq!(fee.of(Amount::new(1)), Amount::new(1));
        assert_eq!(fee.of(Amount::new(100_000)), Amount::new(1));
        assert_eq!(fee.of(Amount::new(100_001)), Amount::new(2));
        assert_eq!(FeeRate::from_percent("0").unwrap().of(Amount::MAX), Amount::ZERO);
        assert_eq!(FeeRate::from_percent("100").unwrap().of(Amount::MAX), Amount::MAX);
        assert_eq!(fee.percent().to_string(), "0.001");
        assert!(FeeRate::from_percent("100.1").is_err() && FeeRate::from_percent("-1").is_err());
    }

    #[test]
    fn ratios_show_at_least_two_decimals() {
        assert_eq!(Ratio::parse("0.9").unwrap().to_string(), "0.90");
        assert_eq!(Ratio::parse("1").unwrap().to_string(), "1.00");
        assert_eq!(Ratio::parse("0.975").unwrap().to_string(), "0.975");
        assert!(Ratio::parse("1.01").is_err() && Ratio::parse("-0.1").is_err());
    }
}
