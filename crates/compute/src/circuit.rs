//! Circuits: a provider that fails too often gets no queries for a while, then a few, then all again.
//!
//! Closed until a report finds the provider failing (see [`crate::Health`]). Then open for a cool-down of 30 s. When that has
//! passed it is half-open: up to three queries are let through as probes; after the third it waits another cool-down
//! for their reports. A probe that succeeds closes it; one that fails opens it again for twice as long, up to 600 s.
//! Reports of queries that were already under way when it opened change nothing.

use lab3_units::{Duration, Time};
use serde::{Deserialize, Serialize};

/// Probes let through in one cool-down.
const PROBES_MAX: u8 = 3;

/// The first cool-down, in seconds. Each opening in a row doubles it.
const COOL_DOWN_S: u32 = 30;

/// The longest cool-down, in seconds.
const COOL_DOWN_S_MAX: u32 = 600;

/// Whether queries go to a provider. As the journal stores it: whether an open circuit is half-open depends on the time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Circuit {
    /// They do.
    #[default]
    Closed,
    /// They do not until the cool-down has passed; then a few do, to see how it is.
    Open {
        /// When the cool-down has passed.
        until: Time,
        /// How often it opened in a row.
        openings: u8,
        /// Probes let through since it opened (since it last waited for their reports).
        probes: u8,
    },
}

/// A circuit's state at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CircuitState {
    /// Queries go there.
    Closed,
    /// A few queries go there, to see how it is.
    HalfOpen,
    /// No query goes there.
    Open,
}

impl CircuitState {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::HalfOpen => "half-open",
            Self::Open => "open",
        }
    }
}

impl Circuit {
    /// What the circuit is at `now`.
    pub fn state(self, now: Time) -> CircuitState {
        match self {
            Self::Closed => CircuitState::Closed,
            Self::Open { until, .. } if now >= until => CircuitState::HalfOpen,
            Self::Open { .. } => CircuitState::Open,
        }
    }

    /// The circuit after one more query was let through at `now`; `None` when that changes nothing.
    pub(crate) fn let_through(self, now: Time) -> Option<Self> {
        let Self::Open { until, openings, probes } = self else { return None };
        if now < until {
            return None;
        }
        let probes = if probes >= PROBES_MAX { 1 } else { probes + 1 };
        let until = if probes == PROBES_MAX { now.after(cool_down(openings)) } else { until };
        Some(Self::Open { until, openings, probes })
    }

    /// The circuit after a report at `now`; `failing` says whether the provider as a whole fails too often.
    pub(crate) fn reported(self, now: Time, success: bool, failing: bool) -> Self {
        match self {
            Self::Closed if !success && failing => Self::opened(now, 1),
            Self::Closed => Self::Closed,
            Self::Open { until, openings, probes } if probes > 0 || now >= until => {
                if success {
                    Self::Closed
                } else {
                    Self::opened(now, openings.saturating_add(1))
                }
            }
            under_way @ Self::Open { .. } => under_way,
        }
    }

    fn opened(now: Time, openings: u8) -> Self {
        Self::Open { until: now.after(cool_down(openings)), openings, probes: 0 }
    }
}

/// How long a circuit stays open that has opened so often in a row.
fn cool_down(openings: u8) -> Duration {
    let doublings = u32::from(openings.saturating_sub(1)).min(16);
    Duration::from_secs((COOL_DOWN_S << doublings).min(COOL_DOWN_S_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u32) -> Time {
        Time::from_millis(1_000_000).after(Duration::from_secs(seconds))
    }

    fn open(until_s: u32, openings: u8, probes: u8) -> Circuit {
        Circuit::Open { until: at(until_s), openings, probes }
    }

    #[test]
    fn a_failing_provider_opens_its_circuit() {
        for (success, failing, expected) in
            [(false, true, open(130, 1, 0)), (false, false, Circuit::Closed), (true, true, Circuit::Closed), (true, false, Circuit::Closed)]
        {
            assert_eq!(Circuit::Closed.reported(at(100), success, failing), expected, "{success} {failing}");
        }
    }

    #[test]
    fn the_cool_down_doubles_up_to_ten_minutes() {
        let lengths: Vec<u32> = [1, 2, 3, 4, 5, 6, 7, 200, 255].into_iter().map(|openings| cool_down(openings).millis() / 1000).collect();
        assert_eq!(lengths, [30, 60, 120, 240, 480, 600, 600, 600, 600]);
    }

    #[test]
    fn after_the_cool_down_three_probes_go_through_then_it_waits() {
        let mut circuit = open(130, 1, 0);
        assert_eq!((circuit.state(at(129)), circuit.let_through(at(129))), (CircuitState::Open, None));
        for expected in [open(130, 1, 1), open(130, 1, 2), open(170, 1, 3)] {
            assert_eq!(circuit.state(at(140)), CircuitState::HalfOpen);
            circuit = circuit.let_through(at(140)).unwrap();
            assert_eq!(circuit, expected);
        }
        assert_eq!(circuit.state(at(140)), CircuitState::Open);
        assert_eq!(circuit.let_through(at(170)), Some(open(170, 1, 1)), "nobody reported: three more");
        assert_eq!(Circuit::Closed.let_through(at(0)), None);
    }

    #[test]
    fn a_probes_report_decides_and_others_do_not() {
        for (circuit, success, expected) in [
            (open(130, 1, 1), true, Circuit::Closed),
            (open(130, 1, 1), false, open(200, 2, 0)),
            (open(170, 2, 3), true, Circuit::Closed),
            (open(170, 2, 3), false, open(260, 3, 0)),
            (open(170, 1, 0), true, open(170, 1, 0)),
            (open(170, 1, 0), false, open(170, 1, 0)),
            (open(140, 1, 0), true, Circuit::Closed),
            (open(140, 1, 0), false, open(200, 2, 0)),
        ] {
            assert_eq!(circuit.reported(at(140), success, true), expected, "{circuit:?} {success}");
        }
    }
}
