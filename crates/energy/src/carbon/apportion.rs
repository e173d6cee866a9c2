//! Splitting a whole amount exactly: Hamilton's method of largest remainders.
//!
//! Each part is its exact share rounded down or up, never further off; the parts sum to the whole; a larger weight never gets less than a smaller
//! one; among equal remainders the earlier part is rounded up. What it does not promise: with a larger whole, or another part more, one part may
//! lose a unit (the Alabama paradox): a mWh, a mg, a KS. The sum is what is audited. A part whose own weight alone grows never loses one.
//!
//! Source: M. L. Balinski and H. P. Young, *Fair Representation* (1982), the method of Hamilton.

use std::cmp::Reverse;

use lab3_units::Amount;

use super::CarbonError;
use super::rounding::units;

/// Splits `whole` over parts in proportion to their weights. As many parts as weights, none below zero, summing to `whole`.
///
/// Errors: `whole` is below zero ([`CarbonError::Negative`]), or it is more than nothing and every weight is zero ([`CarbonError::NoWeight`]).
pub fn split(whole: Amount, weights: &[u64]) -> Result<Vec<Amount>, CarbonError> {
    let amount = units(whole, "what is split")?;
    // At most 2^64 weights below 2^64: the sum fits.
    let total: u128 = weights.iter().copied().map(u128::from).sum();
    if total == 0 {
        return if amount == 0 { Ok(vec![Amount::ZERO; weights.len()]) } else { Err(CarbonError::NoWeight) };
    }
    let mut parts = Vec::with_capacity(weights.len());
    let mut remainders = Vec::with_capacity(weights.len());
    let mut given: u64 = 0;
    for (index, &weight) in weights.iter().enumerate() {
        // 63 bits times 64 bits: fits.
        let product = u128::from(amount) * u128::from(weight);
        // At most `amount`, since a weight is at most the total.
        let part = u64::try_from(product / total).unwrap_or(amount);
        given += part;
        parts.push(part);
        remainders.push((Reverse(product % total), index));
    }
    // The remainders sum to `missing` totals, each below one: so fewer are missing than there are parts with a remainder.
    let missing = usize::try_from(amount - given).unwrap_or(usize::MAX).min(parts.len());
    if missing > 0 && missing < remainders.len() {
        remainders.select_nth_unstable(missing);
    }
    for &(_, index) in &remainders[..missing] {
        parts[index] += 1;
    }
    Ok(parts.into_iter().map(|part| Amount::new(i64::try_from(part).unwrap_or(i64::MAX))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(whole: i64, weights: &[u64]) -> Vec<i64> {
        split(Amount::new(whole), weights).unwrap().into_iter().map(Amount::units).collect()
    }

    #[test]
    fn the_largest_remainders_are_rounded_up_first() {
        assert_eq!(shares(100, &[1, 1, 1]), [34, 33, 33], "equal: the earlier");
        assert_eq!(shares(10, &[15, 25, 60]), [2, 2, 6], "1.5, 2.5, 6: a tie of remainders");
        assert_eq!(shares(7, &[1, 2, 4]), [1, 2, 4]);
        assert_eq!(shares(1, &[1, 3, 3]), [0, 1, 0]);
        assert_eq!(shares(3, &[0, 5, 0]), [0, 3, 0]);
        assert_eq!(shares(0, &[0, 0]), [0, 0]);
        assert_eq!(shares(0, &[]), [0; 0]);
    }

    #[test]
    fn the_largest_numbers_there_are_split_exactly() {
        assert_eq!(shares(i64::MAX, &[u64::MAX, u64::MAX]), [i64::MAX / 2 + 1, i64::MAX / 2]);
        assert_eq!(shares(i64::MAX, &[u64::MAX]), [i64::MAX]);
    }

    #[test]
    fn what_cannot_be_split_is_refused() {
        assert_eq!(split(Amount::new(-1), &[1]), Err(CarbonError::Negative("what is split")));
        assert_eq!(split(Amount::new(1), &[0, 0]), Err(CarbonError::NoWeight));
        assert_eq!(split(Amount::new(1), &[]), Err(CarbonError::NoWeight));
    }
}
