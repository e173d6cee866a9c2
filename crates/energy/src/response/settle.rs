//! What an event brought: whole mWh against whole mWh, in whole KS.

use lab3_units::Amount;

/// mWh in a kWh.
const MWH: i128 = 1_000_000;

/// What was earned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// What was bought less than the baseline, in each step no more than was promised, mWh.
    pub reduced_mwh: Amount,
    /// What was promised and not kept, mWh.
    pub short_mwh: Amount,
    /// The reward less the penalty, in KS; below nothing when it is owed. Rounded down, once: no more is earned, and no less owed, than was agreed.
    pub earned: Amount,
}

/// Why an event cannot be settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsettled {
    /// The rows differ in length.
    #[error("{measured} steps were measured, and the baseline has {baseline}: give one for each")]
    Steps {
        /// Of the baseline.
        baseline: usize,
        /// Measured.
        measured: usize,
    },
    /// An energy, a power or a price is below 0, or no number.
    #[error("{0} is below 0 or no number")]
    Negative(&'static str),
    /// The money is more than 64 bits hold.
    #[error("the amount does not fit")]
    TooLarge,
}

/// What an event brought: what was measured in each step against the baseline, when `promised_kw` were promised for steps of `step_h` hours. Prices are KS a kWh.
///
/// Errors: rows of different lengths, something below 0, an amount that does not fit.
pub fn settle(
    promised_kw: f64,
    step_h: f64,
    (reward_per_kwh, penalty_per_kwh): (Amount, Amount),
    baseline_mwh: &[Amount],
    measured_mwh: &[Amount],
) -> Result<Settlement, Unsettled> {
    if baseline_mwh.len() != measured_mwh.len() {
        return Err(Unsettled::Steps { baseline: baseline_mwh.len(), measured: measured_mwh.len() });
    }
    if !(promised_kw >= 0.0 && step_h >= 0.0) {
        return Err(Unsettled::Negative("what was promised"));
    }
    let price = |amount: Amount, what| if amount.units() < 0 { Err(Unsettled::Negative(what)) } else { Ok(i128::from(amount.units())) };
    let (reward, penalty) = (price(reward_per_kwh, "the reward")?, price(penalty_per_kwh, "the penalty")?);
    let promised = i128::from(energy_mwh(promised_kw * step_h).units());
    let (mut reduced, mut short) = (0_i128, 0_i128);
    for (baseline, measured) in baseline_mwh.iter().zip(measured_mwh) {
        let (baseline, measured) = (price(*baseline, "the baseline")?, price(*measured, "what was measured")?);
        let less = (baseline - measured).clamp(0, promised);
        reduced += less;
        short += promised - less;
    }
    let whole = |value: i128| i64::try_from(value).map(Amount::new).map_err(|_| Unsettled::TooLarge);
    let product = |price: i128, energy: i128| price.checked_mul(energy).ok_or(Unsettled::TooLarge);
    let earned = product(reward, reduced)?.checked_sub(product(penalty, short)?).ok_or(Unsettled::TooLarge)?;
    Ok(Settlement { reduced_mwh: whole(reduced)?, short_mwh: whole(short)?, earned: whole(earned.div_euclid(MWH))? })
}

/// An energy in whole mWh, rounded down; what does not fit is the largest there is.
#[allow(clippy::cast_possible_truncation, reason = "a cast from a float keeps within 64 bits")]
pub(super) fn energy_mwh(kwh: f64) -> Amount {
    // A hair more: 0.3 kW for an hour are 300,000 mWh, not one less.
    Amount::new((kwh * 1e6 + 1e-3).floor() as i64)
}

/// What a kWh price makes of an energy in each of some steps, in KS, rounded down.
pub(super) fn money(per_kwh: Amount, each_mwh: Amount, steps: usize) -> Amount {
    let steps = i128::try_from(steps).unwrap_or(i128::MAX);
    let product = i128::from(per_kwh.units()).checked_mul(i128::from(each_mwh.units())).and_then(|one| one.checked_mul(steps));
    product.and_then(|all| i64::try_from(all.div_euclid(MWH)).ok()).map_or(Amount::MAX, Amount::new)
}

/// KS as MIC, to weigh against a plan's cost.
#[allow(clippy::cast_precision_loss, reason = "for weighing: past 2^53 KS it is the nearest float")]
pub(super) fn mic(amount: Amount) -> f64 {
    amount.units() as f64 / 1e6
}
