//! What a meter's exports earned: the energy of each step at the step's price, rounded down once to a KS.
//!
//! What a counter counted between two readings lies evenly between them; a power holds until the next reading. Only a time that was read throughout, at
//! prices that were measured, has a sum: money is not paid by a guess.

use lab3_energy::Mark;
use lab3_energy::signals::Kind;
use lab3_units::{Amount, Code, Problem, Time};

use super::super::Name;
use super::super::signal::Meant;
use crate::readings::steps::{Grid, laid};
use crate::readings::{Quantity, ReadingMemory};

const HOUR_MS: i64 = 3_600_000;

/// A counter is read each hour at least.
const COUNTER_MS: i64 = HOUR_MS;

/// A reading of a power holds until the next, and no longer than this.
const POWER_MS: i64 = HOUR_MS / 4;

/// Most readings one sum is made of, and most steps.
const READINGS_MAX: usize = 1_000_000;
const STEPS_MAX: usize = 100_000;

/// What is asked: what this device's exports earned in that time.
pub(super) struct Wanted {
    pub(super) device: Box<str>,
    pub(super) span: (Time, Time),
    pub(super) zone: Option<Name>,
    pub(super) source: Option<Name>,
}

/// What was fed in, and what it earned.
pub(super) struct Earned {
    pub(super) amount: Amount,
    pub(super) exported_mwh: Amount,
}

/// Energy that was fed in evenly from one moment to another, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Piece {
    from: i64,
    to: i64,
    kwh: f64,
}

impl Wanted {
    /// Counts it.
    ///
    /// Errors: `SIGNAL_UNKNOWN` and `FIELD_RANGE` (`price_zone`, `price_source`, `device`, `from`), `BOOKS_LIMIT`, and those of the memory.
    pub(super) fn earned(&self, memory: &dyn ReadingMemory) -> Result<Earned, Problem> {
        let (from, to) = self.span;
        let meant = Meant { kind: Kind::PriceExport, zone: self.zone.as_ref(), source: self.source.as_ref(), detail: None };
        let price = meant.found(memory).map_err(of_price)?;
        // An hour where the price's own steps do not fit into one.
        let step_s = if price.step_s > 0 && 3600 % price.step_s == 0 { price.step_s } else { 3600 };
        let grid = Grid::over(from, to, step_s, from);
        if grid.count > STEPS_MAX {
            return Err(wrong("to", format!("These are more than {STEPS_MAX} steps of the price. Share a shorter time at once.")));
        }
        let prices = laid(&memory.steps(&price, from, to, usize::MAX)?, grid);
        let fed = self.fed(memory, grid)?;
        let mut money = 0.0;
        for (step, (price, kwh)) in prices.into_iter().zip(&fed).enumerate() {
            let Some((price, Mark::Measured)) = price else {
                let begin = grid.begin(step);
                return Err(wrong("from", format!("There is no measured price_export of {begin}. Import it, or send amount_gic.")));
            };
            money += price * kwh;
        }
        let amount = units(money, f64::floor).filter(|amount| amount.is_positive());
        let amount = amount.ok_or_else(|| {
            wrong("from", format!("What {} fed in from {from} to {to} earned no KS: there is nothing to share.", self.device))
        })?;
        let too_much = || Problem::new(Code::BOOKS_LIMIT, "More was fed in than the books can count.").in_field("device");
        Ok(Earned { amount, exported_mwh: units(fed.iter().sum(), f64::round).ok_or_else(too_much)? })
    }

    /// What was fed in, in each step.
    fn fed(&self, memory: &dyn ReadingMemory, grid: Grid) -> Result<Vec<f64>, Problem> {
        let (from, to) = self.span;
        let around = (Time::from_millis(from.millis() - HOUR_MS), Time::from_millis(to.millis() + HOUR_MS + 1));
        let read = |quantity| {
            let readings = memory.readings(&self.device, quantity, around, READINGS_MAX + 1)?;
            let too_many =
                || wrong("to", format!("There are more than {READINGS_MAX} readings in that time. Share a shorter one at once."));
            if readings.len() > READINGS_MAX { Err(too_many()) } else { Ok(readings) }
        };
        let counted = counted(&read(Quantity::ExportKwh)?);
        let pieces = if counted.is_empty() { held(&read(Quantity::PowerKw)?) } else { counted };
        if let Some(gap) = gap(&pieces, from.millis(), to.millis()) {
            let gap = Time::from_millis(gap);
            let detail = format!(
                "What {} fed in after {gap} is not known: its export_kwh is to be read each hour at least, from {from} to {to}, or its power_kw each quarter of an \
                 hour. Send its readings, or amount_gic.",
                self.device
            );
            return Err(wrong("device", detail));
        }
        Ok(laid_out(&pieces, grid))
    }
}

/// Between two readings of a counter. One that stands lower than before was begun anew, at 0.
fn counted(readings: &[(Time, f64)]) -> Vec<Piece> {
    let pieces = readings.windows(2).filter_map(|pair| match pair {
        [(from, before), (to, value)] if to.millis() - from.millis() <= COUNTER_MS => {
            let kwh = if value >= before { value - before } else { *value };
            Some(Piece { from: from.millis(), to: to.millis(), kwh })
        }
        _ => None,
    });
    pieces.collect()
}

/// As long as a power holds: what is negative is fed in.
fn held(readings: &[(Time, f64)]) -> Vec<Piece> {
    let nexts = readings.iter().skip(1).map(|(at, _)| at.millis()).chain([i64::MAX]);
    let pieces = readings.iter().zip(nexts).map(|((at, kw), next)| {
        let (from, to) = (at.millis(), next.min(at.millis() + POWER_MS));
        Piece { from, to, kwh: (-kw).max(0.0) * share(to - from, HOUR_MS) }
    });
    pieces.collect()
}

/// The first moment from which on nothing is known, if there is one.
fn gap(pieces: &[Piece], from: i64, to: i64) -> Option<i64> {
    let mut known = from;
    for piece in pieces.iter().filter(|piece| piece.to > from) {
        if piece.from > known {
            break;
        }
        known = known.max(piece.to);
    }
    (known < to).then_some(known)
}

/// Pieces on steps, each evenly over its time.
fn laid_out(pieces: &[Piece], grid: Grid) -> Vec<f64> {
    let mut fed = vec![0.0; grid.count];
    let step_ms = i64::from(grid.step_s) * 1000;
    for piece in pieces {
        let (mut at, end) = (piece.from.max(grid.start.millis()), piece.to.min(grid.end().millis()));
        while at < end {
            let step = (at - grid.start.millis()) / step_ms;
            let until = end.min(grid.start.millis() + (step + 1) * step_ms);
            if let Some(slot) = usize::try_from(step).ok().and_then(|step| fed.get_mut(step)) {
                *slot += piece.kwh * share(until - at, piece.to - piece.from);
            }
            at = until;
        }
    }
    fed
}

#[allow(clippy::cast_precision_loss, reason = "times of an hour at most")]
fn share(part: i64, whole: i64) -> f64 {
    part as f64 / whole as f64
}

/// A float of MIC or kWh in whole KS or mWh. A millionth of one is what adding up floats may have lost.
#[allow(clippy::cast_possible_truncation, reason = "below 2^53: checked")]
fn units(value: f64, rounded: fn(f64) -> f64) -> Option<Amount> {
    let whole = rounded(value * 1e6 + 1e-6);
    (0.0..9e15).contains(&whole).then(|| Amount::new(whole as i64))
}

/// A price that is not there, or is one of several, as the request's field has it.
fn of_price(problem: Problem) -> Problem {
    let field = if problem.field.as_deref() == Some("source") { "price_source" } else { "price_zone" };
    let code = if problem.code() == Code::PARAMETER { Code::FIELD_RANGE } else { problem.code() };
    Problem::new(code, problem.detail).in_field(field)
}

fn wrong(field: &'static str, detail: String) -> Problem {
    Problem::new(Code::FIELD_RANGE, detail).in_field(field)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE_MS: i64 = 60_000;

    fn at(minute: i64) -> Time {
        Time::from_millis(minute * MINUTE_MS)
    }

    /// The half hours of 1:00 to 2:00, and from where on nothing is known.
    fn check(pieces: fn(&[(Time, f64)]) -> Vec<Piece>, readings: &[(i64, f64)], expected: [f64; 2], unknown: Option<i64>) {
        let readings: Vec<(Time, f64)> = readings.iter().map(|(minute, value)| (at(*minute), *value)).collect();
        let pieces = pieces(&readings);
        let fed = laid_out(&pieces, Grid::over(at(60), at(120), 1800, at(60)));
        assert!(fed.iter().zip(expected).all(|(fed, expected)| (fed - expected).abs() < 1e-9), "{fed:?}");
        assert_eq!(gap(&pieces, 60 * MINUTE_MS, 120 * MINUTE_MS), unknown.map(|minute| minute * MINUTE_MS));
    }

    #[test]
    fn what_was_counted_lies_evenly_between_two_readings() {
        check(counted, &[(60, 10.0), (120, 14.0)], [2.0, 2.0], None);
        check(counted, &[(45, 10.0), (75, 12.0), (105, 14.0), (135, 20.0)], [2.0, 4.0], None);
        check(counted, &[(60, 10.0), (90, 11.0), (120, 3.0)], [1.0, 3.0], None);
        check(counted, &[(60, 10.0), (90, 11.0)], [1.0, 0.0], Some(90));
        check(counted, &[(70, 10.0), (120, 11.0)], [0.4, 0.6], Some(60));
        check(counted, &[(59, 10.0), (120, 11.0)], [0.0, 0.0], Some(60));
        check(counted, &[], [0.0, 0.0], Some(60));
    }

    #[test]
    fn a_power_below_nothing_feeds_in_for_as_long_as_it_holds() {
        let quarters = [(60, -4.0), (75, 8.0), (90, -2.0), (105, -6.0)];
        check(held, &quarters, [1.0, 2.0], None);
        check(held, &quarters[..3], [1.0, 0.5], Some(105));
        check(held, &[(50, -6.0), (60, 0.0), (75, 0.0), (90, 0.0), (105, 0.0)], [0.0, 0.0], None);
    }

    #[test]
    fn money_is_rounded_down_once() {
        assert_eq!(units(0.1 + 0.2, f64::floor), Some(Amount::new(300_000)));
        assert_eq!(units(0.299_999_9, f64::floor), Some(Amount::new(299_999)));
        assert_eq!(units(2.0 * 0.08, f64::floor), Some(Amount::new(160_000)));
        assert_eq!(units(-0.5, f64::floor), None);
        assert_eq!(units(1e10, f64::floor), None);
    }
}
