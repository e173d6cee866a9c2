//! Closing an hour: its meter is divided over who drew, idle machines and the house, and what was booked before is made to fit. After that what the accounts
//! of that hour got adds up to the meter, to the mWh and the mg.

use lab3_ledger::{AccountNo, Draft, Event};
use lab3_units::{Amount, Code, Problem, Time};

use crate::accounts::{self, Pair};
use crate::carbon::{CarbonError, Estimate, Footprint, Interval, MeterReading, Tier};
use crate::draw::{book, uncountable};
use crate::fact::{HourClosed, Part, Share};
use crate::state::{HOUR_MS, State, Tally};
use crate::{Desk, Fact};

/// What was read of an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CloseHour {
    /// When it began.
    pub hour: Time,
    /// The main meter: all of it is divided.
    pub meter_mwh: Amount,
    /// A meter before the machines alone, where there is one.
    pub compute_mwh: Option<Amount>,
    /// What the machines are known to draw for nobody.
    pub idle_mwh: Amount,
    /// What the energy of the whole meter emits.
    pub footprint: Footprint,
}

/// Divides an hour's meter. Hours are divided in their order, each once; one that is passed over stays as it was booked.
///
/// Errors: `FIELD_RANGE` (`hour`, or what was read), `HOUR_CLOSED` for one that has not ended, or was divided, or lies before one that was.
pub fn close_hour(desk: &Desk<'_>, command: &CloseHour) -> Result<(Fact, Vec<Event>), Problem> {
    let (divided, booked) = divide_hour(desk.state, desk.now, command)?;
    let mut draft = Draft::new(desk.ledger);
    let site = accounts::site(&mut draft);
    for (share, (energy_booked, carbon_booked)) in divided.shares.iter().zip(booked) {
        let to = Pair { energy: share.energy, carbon: share.carbon };
        let more = |whole: Amount, part: Amount| whole.saturating_sub(part);
        let (energy, carbon) = (share.part.energy_mwh, share.part.footprint.average_mg);
        book(&mut draft, site, to, more(energy, energy_booked), more(carbon, carbon_booked))?;
    }
    for (part, to) in [(divided.idle, accounts::idle(&mut draft)), (divided.house, accounts::house(&mut draft))] {
        book(&mut draft, site, to, part.energy_mwh, part.footprint.average_mg)?;
    }
    Ok((Fact::HourClosed(Box::new(divided)), draft.into_events()))
}

/// How an hour's meter is divided at `now`, and what was booked of each share before: energy in mWh, carbon on the average in mg. By it an hour is closed, and
/// its record checked.
///
/// Errors: those of [`close_hour`].
pub fn divide_hour(state: &State, now: Time, command: &CloseHour) -> Result<(HourClosed, Vec<(Amount, Amount)>), Problem> {
    check_hour(state, now, command.hour)?;
    let tallies = state.hours.get(&command.hour);
    let tallies: Vec<(AccountNo, Tally)> = tallies.into_iter().flatten().map(|(&account, &tally)| (account, tally)).collect();
    let divided = divide(command, &tallies).map_err(wrong)?;
    Ok((divided, tallies.into_iter().map(|(_, tally)| (tally.booked_mwh, tally.booked_mg)).collect()))
}

/// The meter, divided by what each is believed to have drawn.
fn divide(command: &CloseHour, tallies: &[(AccountNo, Tally)]) -> Result<HourClosed, CarbonError> {
    let &CloseHour { hour, meter_mwh, compute_mwh, idle_mwh, footprint } = command;
    let estimates = tallies.iter().flat_map(|(_, tally)| [(tally.metered_uwh, Tier::Metered), (tally.estimated_uwh, Tier::Modelled)]);
    let estimates = estimates.map(|(uwh, tier)| Ok(Estimate { energy_wh: Interval::exact(wh(uwh))?, tier }));
    let estimates = estimates.collect::<Result<Vec<_>, CarbonError>>()?;
    let energies = MeterReading { meter_mwh, compute_mwh, idle_mwh, requests: &estimates }.divide()?;
    let masses = energies.carbon(footprint)?;
    let part = |energy_mwh, footprint| Part { energy_mwh, footprint };
    let parts: Vec<Part> = energies.requests.into_iter().zip(masses.requests).map(|(energy, mass)| part(energy, mass)).collect();
    let shares = tallies.iter().zip(parts.chunks(2)).map(|(&(energy, tally), parts)| {
        let part = parts.iter().try_fold(Part::default(), Part::plus)?;
        Ok(Share { energy, carbon: tally.carbon, part })
    });
    let shares = shares.collect::<Result<_, CarbonError>>()?;
    let (idle, house) = (part(energies.idle, masses.idle), part(energies.house, masses.house));
    Ok(HourClosed { hour, meter_mwh, compute_mwh, idle_mwh, footprint, shares, idle, house })
}

impl Part {
    fn plus(self, other: &Self) -> Result<Self, CarbonError> {
        let energy_mwh = self.energy_mwh.checked_add(other.energy_mwh).ok_or(CarbonError::TooLarge("an energy"))?;
        Ok(Self { energy_mwh, footprint: self.footprint.plus(other.footprint)? })
    }
}

#[allow(clippy::cast_precision_loss, reason = "below 2^53 uWh, which is nine million kWh")]
fn wh(uwh: u64) -> f64 {
    uwh as f64 / 1e6
}

fn check_hour(state: &State, now: Time, hour: Time) -> Result<(), Problem> {
    if hour.millis().rem_euclid(HOUR_MS) != 0 {
        return Err(Problem::new(Code::FIELD_RANGE, format!("{hour} is not the begin of an hour in UTC.")).in_field("hour"));
    }
    let closed = |detail: String| Err(Problem::new(Code::HOUR_CLOSED, detail).in_field("hour"));
    if now.millis().saturating_sub(hour.millis()) < HOUR_MS {
        return closed(format!("The hour that begins at {hour} has not ended. Its meter can be divided when it has."));
    }
    match state.closed {
        Some(last) if last == hour => closed(format!("The hour that begins at {hour} was divided already.")),
        Some(last) if last > hour => closed(format!("Hours are divided in their order, and {last} was. This one stays as it was booked.")),
        _ => Ok(()),
    }
}

fn wrong(error: CarbonError) -> Problem {
    match error {
        CarbonError::Negative(_) | CarbonError::OutOfRange(_) => {
            Problem::new(Code::FIELD_RANGE, format!("What was read cannot be: {error}.")).in_field("meter_kwh")
        }
        _ => uncountable(error),
    }
}
