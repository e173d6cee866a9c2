//! Where floats become whole numbers and whole numbers floats: nowhere else in carbon accounting.

use lab3_units::Amount;

use super::CarbonError;

/// 2^63: the first float that 64 bits with a sign do not hold.
const TOO_LARGE: f64 = 9_223_372_036_854_775_808.0;

/// The nearest whole number, halves up.
///
/// Errors: `what` is not finite, is below zero, or does not fit.
#[allow(clippy::cast_possible_truncation, reason = "whole, and below 2^63: both are checked")]
pub(super) fn rounded(value: f64, what: &'static str) -> Result<i64, CarbonError> {
    if value.is_nan() {
        return Err(CarbonError::OutOfRange(what));
    }
    let whole = value.round();
    if whole < 0.0 {
        return Err(CarbonError::Negative(what));
    }
    if whole >= TOO_LARGE {
        return Err(CarbonError::TooLarge(what));
    }
    Ok(whole as i64)
}

/// A count as a float, for estimates and ratios.
#[allow(clippy::cast_precision_loss, reason = "for showing and estimating: past 2^53 (9 TWh in mWh) it is the nearest float")]
pub(super) fn float(units: i64) -> f64 {
    units as f64
}

/// A number of tokens or requests as a float.
#[allow(clippy::cast_precision_loss, reason = "past 2^53 tokens it is the nearest float")]
pub(super) fn count(number: u64) -> f64 {
    number as f64
}

/// `numerator / denominator` to the nearest whole number, halves up.
///
/// Errors: `what` does not fit. A denominator of zero is taken for one: there is nothing to divide then.
pub(super) fn quotient(numerator: u128, denominator: u128, what: &'static str) -> Result<Amount, CarbonError> {
    let denominator = denominator.max(1);
    let (whole, rest) = (numerator / denominator, numerator % denominator);
    let whole = if rest >= denominator - rest { whole + 1 } else { whole };
    i64::try_from(whole).map(Amount::new).map_err(|_| CarbonError::TooLarge(what))
}

/// The units of an amount that may not be below zero.
pub(super) fn units(amount: Amount, what: &'static str) -> Result<u64, CarbonError> {
    u64::try_from(amount.units()).map_err(|_| CarbonError::Negative(what))
}

/// The sum, with an error that says of what.
pub(super) fn sum(one: Amount, other: Amount, what: &'static str) -> Result<Amount, CarbonError> {
    one.checked_add(other).ok_or(CarbonError::TooLarge(what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_rounded_to_the_nearest_and_nothing_else_gets_through() {
        for (value, whole) in [(0.0, 0), (0.49, 0), (0.5, 1), (1.5, 2), (-0.4, 0), (1e18, 1_000_000_000_000_000_000)] {
            assert_eq!(rounded(value, "it"), Ok(whole), "{value}");
        }
        for (value, error) in [
            (-0.5, CarbonError::Negative("it")),
            (TOO_LARGE, CarbonError::TooLarge("it")),
            (f64::INFINITY, CarbonError::TooLarge("it")),
            (f64::NEG_INFINITY, CarbonError::Negative("it")),
            (f64::NAN, CarbonError::OutOfRange("it")),
        ] {
            assert_eq!(rounded(value, "it"), Err(error), "{value}");
        }
    }

    #[test]
    fn quotients_round_halves_up_at_any_size() {
        for (numerator, denominator, whole) in
            [(1, 2, 1), (1, 3, 0), (2, 3, 1), (5, 0, 5), (0, 7, 0), (u128::MAX / 3, u128::MAX, 0), (u128::MAX, u128::MAX, 1)]
        {
            assert_eq!(quotient(numerator, denominator, "it"), Ok(Amount::new(whole)), "{numerator} / {denominator}");
        }
        assert_eq!(quotient(1 << 63, 1, "it"), Err(CarbonError::TooLarge("it")));
    }
}
