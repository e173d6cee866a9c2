//! Times as files write them: with an offset they are a moment, without one they are what a clock on a wall shows.

use jiff::Timestamp;
use jiff::civil::DateTime;

use super::error::ImportError;

/// A time in a file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Stamp {
    /// Seconds since 1970, UTC.
    Moment(i64),
    /// Date and time of day in some zone.
    Local(DateTime),
}

impl Stamp {
    /// Reads RFC 3339 and what is close to it (`2018-01-20T12:00Z`, `2022-05-07 23:00:00+02:00`, `2020-01-01 00:30`, `2020-01-01`), the day first
    /// with points (`31.12.2020 23:00`), and seconds or milliseconds since 1970.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(seconds) = since_1970(text) {
            return Some(Stamp::Moment(seconds));
        }
        let iso = day_first(text).unwrap_or_else(|| text.to_owned());
        // A minus after the date is an offset, one in the date is not.
        let has_offset = iso.ends_with(['Z', 'z']) || iso.get(11..).is_some_and(|time| time.contains(['+', '-']));
        if has_offset { moment(&iso) } else { iso.parse().ok().map(Stamp::Local) }
    }
}

fn moment(text: &str) -> Option<Stamp> {
    let spaced = text.replacen(" +", "+", 1);
    spaced.parse::<Timestamp>().ok().map(|moment| Stamp::Moment(moment.as_second()))
}

fn since_1970(text: &str) -> Option<i64> {
    let number: i64 = text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())??;
    match text.len() {
        10 => Some(number),
        13 => Some(number / 1000),
        _ => None,
    }
}

/// `31.12.2020 23:00` as `2020-12-31 23:00`.
fn day_first(text: &str) -> Option<String> {
    let (date, rest) = text.split_at_checked(10)?;
    let mut parts = date.split('.');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    (day.len() == 2 && month.len() == 2 && year.len() == 4).then(|| format!("{year}-{month}-{day}{rest}"))
}

/// Reads a time that has to be a moment, in seconds since 1970.
pub(super) fn moment_in(text: &str, place: &str) -> Result<i64, ImportError> {
    match Stamp::parse(text) {
        Some(Stamp::Moment(seconds)) => Ok(seconds),
        Some(Stamp::Local(_)) => Err(ImportError::field(place, format!("{text:?} has no offset: write it with Z or +01:00"))),
        None => Err(ImportError::field(place, no_time(text))),
    }
}

/// What is wrong with a text that is no time.
pub(super) fn no_time(text: &str) -> String {
    format!("{text:?} is no time: write it like 2025-01-31T13:00Z or 2025-01-31 13:00")
}

/// Reads how long something lasts, in seconds: `PT15M`, `P1D`, or `00:05:00` and `1.00:00:00` as .NET writes it.
pub(super) fn seconds_of(text: &str) -> Option<u32> {
    let text = text.trim();
    let seconds = if text.starts_with('P') { iso_span(text)? } else { clock_span(text)? };
    u32::try_from(seconds).ok().filter(|seconds| *seconds > 0)
}

fn iso_span(text: &str) -> Option<u64> {
    let body = text.strip_prefix('P')?;
    let (text, units): (&str, &[(char, u64)]) = match body.strip_prefix('T') {
        Some(time) => (time, &[('H', 3600), ('M', 60), ('S', 1)]),
        // Weeks, months and years are no steps of a signal.
        None => (body, &[('D', 86_400)]),
    };
    let unit = text.chars().last()?;
    let length = units.iter().find(|(name, _)| *name == unit)?.1;
    text.strip_suffix(unit)?.parse::<u64>().ok()?.checked_mul(length)
}

fn clock_span(text: &str) -> Option<u64> {
    let (days, clock) = text.split_once('.').filter(|(_, clock)| clock.contains(':')).unwrap_or(("0", text));
    let parts: Vec<u64> = clock.split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let &[hours, minutes, seconds] = parts.as_slice() else { return None };
    let hours = days.parse::<u64>().ok()?.checked_mul(24)?.checked_add(hours)?;
    hours.checked_mul(60)?.checked_add(minutes)?.checked_mul(60)?.checked_add(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_the_forms_files_have() {
        let noon = Some(Stamp::Moment(1_516_449_600));
        for text in
            ["2018-01-20T12:00Z", "2018-01-20T12:00:00+00:00", "2018-01-20 13:00:00+01:00", "2018-01-20T12:00:00.350Z", "1516449600"]
        {
            assert_eq!(Stamp::parse(text), noon, "{text}");
        }
        let local = Some(Stamp::Local(jiff::civil::date(2020, 12, 31).at(23, 0, 0, 0)));
        for text in ["2020-12-31 23:00:00", "2020-12-31T23:00", "31.12.2020 23:00"] {
            assert_eq!(Stamp::parse(text), local, "{text}");
        }
        for text in ["", "noon", "2020-13-01", "12/31/2020 23:00", "2020", "\u{20ac}\u{20ac}\u{20ac}\u{20ac}"] {
            assert_eq!(Stamp::parse(text), None, "{text}");
        }
    }

    #[test]
    fn spans_are_read_in_the_forms_files_have() {
        let all = ["PT15M", "PT60M", "PT1H", "P1D", "00:05:00", "1.00:00:00"].map(seconds_of);
        assert_eq!(all, [Some(900), Some(3600), Some(3600), Some(86_400), Some(300), Some(86_400)]);
        assert_eq!(["P1M", "P1Y", "PT", "P", "PT0M", "5", "", "PT99999999999H"].map(seconds_of), [None; 8]);
    }
}
