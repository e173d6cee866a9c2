//! How the witnesses of a journal stand, in words for people: "Seen by 3 Hives, 12 s ago".

use lab3_tlog::{Seconds, VerifierKey};
use serde::{Deserialize, Serialize};

/// How one witness stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Its key, as the configuration has it.
    pub key: String,
    /// Records it has seen, as it said last.
    pub records: Option<u64>,
    /// When that was by its clock, in seconds since 1970.
    pub seen_at: Option<u64>,
    /// Why it did not cosign when it was asked last.
    pub trouble: Option<String>,
    /// It answered that what it saw earlier is not continued: somebody has another past in this log's name.
    pub refused: bool,
}

impl Standing {
    pub(super) fn of(key: &VerifierKey) -> Self {
        Self { key: key.to_string(), ..Self::default() }
    }

    /// The witness's name.
    pub fn name(&self) -> &str {
        self.key.split_once('+').map_or(&*self.key, |(name, _)| name)
    }

    pub(super) fn saw(&mut self, records: u64, at: Seconds) {
        *self = Self { key: std::mem::take(&mut self.key), records: Some(records), seen_at: Some(at.get()), trouble: None, refused: false };
    }
}

/// Who has seen the journal, and how long ago; of several the longest. `now` in seconds since 1970. Empty where there are no witnesses.
pub fn seen(standings: &[Standing], now: u64) -> String {
    let hives = |count: usize| if count == 1 { "1 Hive".to_owned() } else { format!("{count} Hives") };
    let well = standings.iter().filter(|standing| standing.trouble.is_none());
    let times: Vec<u64> = well.filter_map(|standing| standing.seen_at).collect();
    match (times.iter().min(), times.len(), standings.len()) {
        (_, _, 0) => String::new(),
        (None, _, all) => format!("Seen by none of {}", hives(all)),
        (Some(oldest), some, all) if some == all => format!("Seen by {}, {}", hives(all), ago(now.saturating_sub(*oldest))),
        (Some(oldest), some, all) => format!("Seen by {some} of {}, {}", hives(all), ago(now.saturating_sub(*oldest))),
    }
}

/// So many seconds, in words. A clock that is ahead of ours counts as now.
pub fn ago(seconds: u64) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    match seconds {
        ..=119 => format!("{seconds} s ago"),
        120..=7199 => format!("{} min ago", seconds / MINUTE),
        7200..=172_799 => format!("{} h ago", seconds / HOUR),
        172_800.. => format!("{} days ago", seconds / DAY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(seen_at: Option<u64>, trouble: bool) -> Standing {
        Standing { key: "b/witness+1+AA".to_owned(), seen_at, trouble: trouble.then(|| "it is gone".to_owned()), ..Standing::default() }
    }

    #[test]
    fn who_has_seen_it_and_when() {
        let check = |standings: &[Standing], expected: &str| assert_eq!(seen(standings, 1_000_000), expected);
        check(&[], "");
        check(&[standing(Some(999_988), false)], "Seen by 1 Hive, 12 s ago");
        check(&[standing(Some(999_988), false), standing(Some(999_999), false)], "Seen by 2 Hives, 12 s ago");
        check(&[standing(Some(1), true), standing(Some(999_700), false)], "Seen by 1 of 2 Hives, 5 min ago");
        check(&[standing(None, true), standing(None, false)], "Seen by none of 2 Hives");
        check(&[standing(Some(1_000_009), false)], "Seen by 1 Hive, 0 s ago");
        assert_eq!(["119 s ago", "2 min ago", "2 h ago", "2 days ago"], [119, 120, 7200, 172_800].map(ago));
        assert_eq!(standing(None, false).name(), "b/witness");
    }
}
