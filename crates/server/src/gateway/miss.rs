//! Misses: providers that did not come to an answer, whether they are asked again and when, and what the client is told.

use std::time::{Duration, Instant};

use lab3_providers::AskError;
use lab3_units::{Code, Problem};

/// Pause before a provider is asked a second time, unless it named one; before a third, four times as long.
const PAUSE: Duration = Duration::from_millis(250);

/// A provider that wants to be left alone for longer than this is not asked again by this query.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// An attempt that did not come to an answer.
#[derive(Debug)]
pub(super) struct Miss {
    pub(super) provider: Box<str>,
    pub(super) error: AskError,
    pub(super) round: u32,
    pub(super) at: Instant,
}

impl Miss {
    /// Whether the provider refused because of what was asked: another would do no better, and it is no failure of the provider's.
    pub(super) fn is_the_querys_fault(&self) -> bool {
        is_the_querys_fault(&self.error)
    }

    /// When asking the same provider again may help, if ever.
    pub(super) fn again_at(&self) -> Option<Instant> {
        let usual = PAUSE * 4_u32.saturating_pow(self.round);
        let pause = match &self.error {
            AskError::Refused { status: 408 | 409 | 429 | 500.., retry_after, .. } => retry_after.map_or(usual, |named| named.max(usual)),
            AskError::Refused { .. } => return None,
            AskError::Unreachable(_) | AskError::TimedOut(_) | AskError::Broken(_) => usual,
        };
        (pause <= PAUSE_MAX).then_some(self.at + pause)
    }

    /// Whether this keeps the provider from being asked now, in this round.
    pub(super) fn keeps_out(&self, round: u32, now: Instant) -> bool {
        self.round == round || self.again_at().is_none_or(|again| again > now)
    }
}

pub(super) fn is_the_querys_fault(error: &AskError) -> bool {
    matches!(error, AskError::Refused { status: 400 | 413 | 415 | 422, .. })
}

/// How a provider failed, in a word for the figures.
pub(super) fn kind(error: &AskError) -> &'static str {
    match error {
        AskError::Unreachable(_) => "unreachable",
        AskError::TimedOut(_) => "timeout",
        AskError::Refused { status: 429, .. } => "rate_limited",
        AskError::Refused { .. } => "refused",
        AskError::Broken(_) => "broken",
    }
}

/// Why nobody answered: what each said last.
pub(super) fn told(misses: &[Miss]) -> Problem {
    let Some(last) = misses.last() else { return Problem::new(Code::NO_PROVIDER_UP, "No provider is connected.") };
    let latest = misses.iter().enumerate().filter(|(at, miss)| misses[at + 1..].iter().all(|later| later.provider != miss.provider));
    let whose = latest.map(|(_, miss)| format!("{}: {}", miss.provider, miss.error)).collect::<Vec<_>>().join("; ");
    let code = match &last.error {
        error if is_the_querys_fault(error) => Code::PROVIDER_REFUSED,
        AskError::TimedOut(_) => Code::PROVIDER_LATE,
        _ => Code::PROVIDER_FAILED,
    };
    Problem::new(code, format!("No answer came. {whose}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn miss(status: u16, retry_after: Option<u64>, round: u32) -> Miss {
        let error = AskError::Refused { status, detail: "no".to_owned(), retry_after: retry_after.map(Duration::from_secs) };
        Miss { provider: "p".into(), error, round, at: Instant::now() }
    }

    #[test]
    fn who_may_recover_is_asked_again_when_it_said_so() {
        let table = [
            (miss(503, None, 0), Some(250)),
            (miss(503, None, 1), Some(1000)),
            (miss(429, Some(2), 0), Some(2000)),
            (miss(429, Some(0), 0), Some(250)),
            (miss(429, Some(6), 0), None),
            (miss(401, None, 0), None),
            (miss(404, Some(1), 0), None),
        ];
        for (miss, expected) in table {
            let again = miss.again_at();
            assert_eq!(again, expected.map(|after| miss.at + Duration::from_millis(after)), "{miss:?}");
            assert!(miss.keeps_out(miss.round, miss.at + PAUSE_MAX));
            assert_eq!(miss.keeps_out(miss.round + 1, miss.at + PAUSE_MAX), expected.is_none());
            assert!(miss.keeps_out(miss.round + 1, miss.at));
        }
    }

    #[test]
    fn each_provider_is_quoted_once() {
        let problem = told(&[miss(503, None, 0), miss(500, None, 1)]);
        assert_eq!(&*problem.detail, "No answer came. p: it answered 500: no.");
        assert_eq!(told(&[miss(422, None, 0)]).code(), Code::PROVIDER_REFUSED);
    }
}
