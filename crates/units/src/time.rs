//! Moments and months. Whoever has a [`Time`] got it from the engine's clock or from a record.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A moment: milliseconds since 1970-01-01T00:00:00Z. Shown as RFC 3339 in UTC, also in JSON; a number in the journal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

/// A span of time in milliseconds, never negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Duration(u32);

/// A calendar month in UTC, counted from January of the year 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Period(u16);

impl Duration {
    /// So many milliseconds.
    pub const fn from_millis(millis: u32) -> Self {
        Self(millis)
    }

    /// So many seconds; past 49 days it stays at the longest span.
    pub const fn from_secs(seconds: u32) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// The span in milliseconds.
    pub const fn millis(self) -> u32 {
        self.0
    }
}

impl From<Duration> for std::time::Duration {
    fn from(span: Duration) -> Self {
        Self::from_millis(u64::from(span.0))
    }
}

impl Time {
    /// The moment so many milliseconds after 1970.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// The moment `span` later.
    pub const fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span.0 as i64))
    }

    /// Milliseconds from `earlier` to here; none when `earlier` is later.
    pub fn millis_since(self, earlier: Time) -> u64 {
        u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0)
    }

    /// Reads RFC 3339 text, cutting what is finer than a millisecond.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse::<jiff::Timestamp>().ok().map(|moment| Self(moment.as_millisecond()))
    }

    /// The calendar month this moment lies in.
    pub fn period(self) -> Period {
        let date = self.timestamp().to_zoned(jiff::tz::TimeZone::UTC).date();
        let months = i32::from(date.year()) * 12 + i32::from(date.month()) - 1;
        Period(u16::try_from(months).unwrap_or(0))
    }

    fn timestamp(self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.0).unwrap_or_default()
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.timestamp().fmt(f)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() { serializer.collect_str(self) } else { self.0.serialize(serializer) }
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
            return Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not an RFC 3339 time"));
        }
        i64::deserialize(deserializer).map(Self)
    }
}

impl Period {
    /// The moment the month begins.
    pub fn start(self) -> Time {
        let year = i16::try_from(self.0 / 12).unwrap_or(0);
        let month = i8::try_from(self.0 % 12 + 1).unwrap_or(1);
        let midnight = jiff::civil::date(year, month, 1).to_zoned(jiff::tz::TimeZone::UTC);
        Time(midnight.map_or(0, |moment| moment.timestamp().as_millisecond()))
    }

    /// The month after this one.
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The month's number, for storing.
    pub const fn number(self) -> u16 {
        self.0
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0 / 12, self.0 % 12 + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_show_as_the_specification_writes_them() {
        let time = Time::parse("2025-10-31T14:30:00Z").unwrap();
        assert_eq!(time.to_string(), "2025-10-31T14:30:00Z");
        assert_eq!(time.after(Duration::from_millis(5)).to_string(), "2025-10-31T14:30:00.005Z");
    }

    #[test]
    fn a_month_ends_at_midnight_utc() {
        let last = Time::parse("2025-12-31T23:59:59.999Z").unwrap();
        let first = last.after(Duration::from_millis(1));
        assert_eq!(last.period().to_string(), "2025-12");
        assert_eq!(last.period().next(), first.period());
        assert_eq!(first.period().start(), first);
        assert_eq!(Time::from_millis(0).period().to_string(), "1970-01");
    }
}
