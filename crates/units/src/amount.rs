//! Amounts: a signed count of an asset's smallest unit, and the only way in and out of decimal text.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A count of an asset's smallest unit (KS for MIC). Signed, because balances of issuing accounts are negative.
///
/// There is no `Add`: every sum is checked where it is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Amount(i64);

/// Why a text is not an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Not a decimal number at all (this includes NaN and infinity).
    #[error("not a decimal number")]
    NotANumber,
    /// More decimals than the asset has.
    #[error("more than {scale} decimals")]
    TooPrecise {
        /// Decimals the asset has.
        scale: u8,
    },
    /// Beyond what 64 bits of the smallest unit hold.
    #[error("too large")]
    TooLarge,
}

impl Amount {
    /// Nothing.
    pub const ZERO: Amount = Amount(0);
    /// The largest amount the ledger can count.
    pub const MAX: Amount = Amount(i64::MAX);

    /// An amount of `units` smallest units.
    pub const fn new(units: i64) -> Self {
        Self(units)
    }

    /// The count of smallest units.
    pub const fn units(self) -> i64 {
        self.0
    }

    /// Whether this is more than nothing.
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// Whether this is nothing.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The sum, or `None` on overflow.
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(units) => Some(Self(units)),
            None => None,
        }
    }

    /// The difference, or `None` on overflow.
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(units) => Some(Self(units)),
            None => None,
        }
    }

    /// The difference, or the nearest amount there is: for looking, never for booking.
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// The same amount with the sign turned, or `None` for the one value that has no opposite.
    pub const fn checked_neg(self) -> Option<Self> {
        match self.0.checked_neg() {
            Some(units) => Some(Self(units)),
            None => None,
        }
    }

    /// Reads decimal text such as `50`, `-0.5`, `1e-6`, exactly: no float is involved.
    ///
    /// `scale` is the number of decimals the asset has. Zeros beyond the scale are harmless and accepted.
    pub fn parse(text: &str, scale: u8) -> Result<Self, AmountError> {
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = split_exponent(unsigned)?;
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let has_point = mantissa.len() > whole.len();
        let digits_only = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || (has_point && fraction.is_empty()) || !digits_only(whole) || !digits_only(fraction) {
            return Err(AmountError::NotANumber);
        }
        let digits = whole.bytes().chain(fraction.bytes()).map(|byte| byte - b'0');
        let fraction_digits = i64::try_from(fraction.len()).map_err(|_| AmountError::TooLarge)?;
        let shift = i64::from(scale) + exponent - fraction_digits;
        let units = scaled(digits, whole.len() + fraction.len(), shift, scale)?;
        Ok(Self(if negative { -units } else { units }))
    }

    /// The amount as a decimal number with `scale` decimals, trailing zeros dropped down to one (`50.0`, `0.075`).
    pub fn display(self, scale: u8) -> Decimal {
        Decimal { amount: self, scale }
    }
}

/// Splits `1.5e-3` into its mantissa and exponent.
fn split_exponent(text: &str) -> Result<(&str, i64), AmountError> {
    let Some(at) = text.find(['e', 'E']) else { return Ok((text, 0)) };
    let exponent = &text[at + 1..];
    let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(AmountError::NotANumber);
    }
    // Exponents beyond these bounds are zero or too large whatever the mantissa; a cap keeps the arithmetic small.
    let magnitude = digits.parse::<i64>().unwrap_or(i64::from(u32::MAX)).min(i64::from(u32::MAX));
    Ok((&text[..at], if exponent.starts_with('-') { -magnitude } else { magnitude }))
}

/// The digits, as one integer, times ten to the `shift`; what a negative shift cuts off must be zeros.
fn scaled(digits: impl Iterator<Item = u8>, count: usize, shift: i64, scale: u8) -> Result<i64, AmountError> {
    let kept = i64::try_from(count).map_err(|_| AmountError::TooLarge)?.saturating_add(shift.min(0));
    let mut units: i64 = 0;
    for (index, digit) in (0_i64..).zip(digits) {
        if index < kept {
            units = units.checked_mul(10).and_then(|units| units.checked_add(i64::from(digit))).ok_or(AmountError::TooLarge)?;
        } else if digit != 0 {
            return Err(AmountError::TooPrecise { scale });
        }
    }
    if units == 0 {
        return Ok(0);
    }
    let power = u32::try_from(shift.max(0)).map_err(|_| AmountError::TooLarge)?;
    10_i64.checked_pow(power).and_then(|factor| units.checked_mul(factor)).ok_or(AmountError::TooLarge)
}

/// An amount on its way to text. Made by [`Amount::display`].
#[derive(Clone, Copy, Debug)]
pub struct Decimal {
    amount: Amount,
    scale: u8,
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let magnitude = self.amount.0.unsigned_abs();
        let factor = 10_u64.pow(u32::from(self.scale));
        if self.amount.0 < 0 {
            f.write_str("-")?;
        }
        let mut fraction = magnitude % factor;
        let mut width = usize::from(self.scale);
        while width > 1 && fraction.is_multiple_of(10) {
            fraction /= 10;
            width -= 1;
        }
        match width {
            0 => write!(f, "{}.0", magnitude / factor),
            _ => write!(f, "{}.{fraction:0width$}", magnitude / factor),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_text_is_read_exactly() {
        for (text, units) in [
            ("50", 50_000_000),
            ("50.0", 50_000_000),
            ("0.000001", 1),
            ("-0.5", -500_000),
            ("1e-6", 1),
            ("1.5E+2", 150_000_000),
            ("0.10000000", 100_000),
            ("0e99", 0),
            ("9223372036854.775807", i64::MAX),
            ("100e-1", 10_000_000),
        ] {
            assert_eq!(Amount::parse(text, 6), Ok(Amount::new(units)), "{text}");
        }
    }

    #[test]
    fn what_is_not_an_amount_is_refused_with_its_reason() {
        use AmountError::{NotANumber, TooLarge, TooPrecise};
        for (text, error) in [
            ("", NotANumber),
            ("-", NotANumber),
            (".5", NotANumber),
            ("5.", NotANumber),
            ("NaN", NotANumber),
            ("inf", NotANumber),
            ("1 ", NotANumber),
            ("+1", NotANumber),
            ("1e", NotANumber),
            ("0x10", NotANumber),
            ("0.0000001", TooPrecise { scale: 6 }),
            ("1e-7", TooPrecise { scale: 6 }),
            ("9223372036854.775808", TooLarge),
            ("1e400", TooLarge),
            ("1e99999999999999999999", TooLarge),
        ] {
            assert_eq!(Amount::parse(text, 6), Err(error), "{text}");
        }
    }

    #[test]
    fn text_and_back_is_the_same_amount() {
        for units in [0, 1, -1, 75_000, 99_925_000, 50_000_000, i64::MAX, -i64::MAX] {
            let amount = Amount::new(units);
            assert_eq!(Amount::parse(&amount.display(6).to_string(), 6), Ok(amount));
        }
        assert_eq!(Amount::new(50_000_000).display(6).to_string(), "50.0");
        assert_eq!(Amount::new(75_000).display(6).to_string(), "0.075");
        assert_eq!(Amount::new(-1).display(6).to_string(), "-0.000001");
        assert_eq!(Amount::new(7).display(0).to_string(), "7.0");
    }
}
